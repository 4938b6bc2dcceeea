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

/**
 * `table` with every call that makes a descriptor registering it. A thread is stopped where one JavaScript function
 * calls another or a loop turns; nothing of that kind may stand between the call and `add`, or a descriptor that was
 * made just then would stay open, and its peer wait for ever.
 */
export function closingAtExit(table: Native, hooks: ExitHooks): Native {
  const { environment, close } = hooks;
  const { add, remove } = hooks;
  const { socket, accept4, fcntl, socketpair } = table;
  // Node aborts the process when the same hook is added twice, and two Sockets may share a number.
  const users = new Map<number, number>();
  return {
    ...table,
    closeAtExit(fd) {
      if (!users.has(fd)) add(environment, close, fd);
      users.set(fd, (users.get(fd) ?? 0) + 1);
    },
    forgetAtExit(fd) {
      const count = users.get(fd) ?? 0;
      if (count > 1) users.set(fd, count - 1);
      else if (users.delete(fd)) remove(environment, close, fd);
    },
    socket(family, type, protocol) {
      const fd = socket(family, type, protocol);
      if (fd >= 0 && !users.has(fd)) add(environment, close, fd);
      if (fd >= 0) users.set(fd, (users.get(fd) ?? 0) + 1);
      return fd;
    },
    accept4(listener, address, length, flags) {
      const fd = accept4(listener, address, length, flags);
      if (fd >= 0 && !users.has(fd)) add(environment, close, fd);
      if (fd >= 0) users.set(fd, (users.get(fd) ?? 0) + 1);
      return fd;
    },
    fcntl(fd, command, argument) {
      const result = fcntl(fd, command, argument);
      if (command !== linux.F_DUPFD_CLOEXEC || result < 0) return result;
      if (!users.has(result)) add(environment, close, result);
      users.set(result, (users.get(result) ?? 0) + 1);
      return result;
    },
    socketpair(family, type, protocol, fds) {
      const view = new DataView(fds.buffer, fds.byteOffset);
      if (socketpair(family, type, protocol, fds) < 0) return -1;
      const first = view.getInt32(0, true);
      const second = view.getInt32(4, true);
      if (!users.has(first)) add(environment, close, first);
      if (!users.has(second)) add(environment, close, second);
      users.set(first, (users.get(first) ?? 0) + 1);
      users.set(second, (users.get(second) ?? 0) + 1);
      return 0;
    },
  };
}
