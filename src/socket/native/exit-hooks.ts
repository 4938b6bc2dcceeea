/**
 * The descriptors of a worker thread, closed when its environment is torn down: also when `worker.terminate()` stops
 * it in the middle of anything, at which point no JavaScript runs any more.
 */
import { linux } from "./linux.js";
import type { Native } from "./native.js";

/** napi_add_env_cleanup_hook and its counterpart, for libc's close(2): native functions, not wrapped ones. */
export interface ExitHooks {
  readonly environment: unknown;
  readonly close: unknown;
  add(environment: unknown, close: unknown, fd: number): number;
  remove(environment: unknown, close: unknown, fd: number): number;
}

/** The calls that make descriptors and end them. */
export type DescriptorCalls = Pick<
  Native,
  "socket" | "socketpair" | "accept4" | "fcntl" | "close" | "closeAtExit" | "forgetAtExit"
>;

/**
 * `calls`, of which those that make a descriptor register it, and `close` takes that back.
 *
 * A thread is stopped where JavaScript calls a JavaScript function, be it one of the language such as `Map.get`, or where
 * a loop turns. Nothing of that kind may stand between a call that makes a descriptor and `add`, or between `remove` and
 * the call that closes it: a descriptor of just then would stay open, and its peer wait for ever. So all of these are
 * native functions, not wrapped ones.
 */
export function closingAtExit(calls: DescriptorCalls, hooks: ExitHooks): DescriptorCalls {
  const { environment, close: hook, add, remove } = hooks;
  const { socket, accept4, fcntl, socketpair, close } = calls;
  // Node aborts the process when the same hook is added twice, and two Sockets may share a number.
  const users: (number | undefined)[] = [];
  return {
    closeAtExit(fd) {
      if (users[fd] === undefined) add(environment, hook, fd);
      users[fd] = (users[fd] ?? 0) + 1;
    },
    forgetAtExit(fd) {
      const count = users[fd];
      if (count === undefined) return;
      users[fd] = count > 1 ? count - 1 : undefined;
      if (count === 1) remove(environment, hook, fd);
    },
    close(fd) {
      const count = users[fd];
      if (count === undefined) return close(fd);
      users[fd] = count > 1 ? count - 1 : undefined;
      if (count === 1) remove(environment, hook, fd);
      return close(fd);
    },
    socket(family, type, protocol) {
      const fd = socket(family, type, protocol);
      if (fd < 0) return fd;
      if (users[fd] === undefined) add(environment, hook, fd);
      users[fd] = (users[fd] ?? 0) + 1;
      return fd;
    },
    accept4(listener, address, length, flags) {
      const fd = accept4(listener, address, length, flags);
      if (fd < 0) return fd;
      if (users[fd] === undefined) add(environment, hook, fd);
      users[fd] = (users[fd] ?? 0) + 1;
      return fd;
    },
    fcntl(fd, command, argument) {
      const result = fcntl(fd, command, argument);
      if (command !== linux.F_DUPFD_CLOEXEC || result < 0) return result;
      if (users[result] === undefined) add(environment, hook, result);
      users[result] = (users[result] ?? 0) + 1;
      return result;
    },
    socketpair(family, type, protocol, fds) {
      const pair = new Int32Array(fds.buffer, fds.byteOffset, 2);
      if (socketpair(family, type, protocol, fds) < 0) return -1;
      const first = pair[0] as number;
      const second = pair[1] as number;
      if (users[first] === undefined) add(environment, hook, first);
      if (users[second] === undefined) add(environment, hook, second);
      users[first] = (users[first] ?? 0) + 1;
      users[second] = (users[second] ?? 0) + 1;
      return 0;
    },
  };
}
