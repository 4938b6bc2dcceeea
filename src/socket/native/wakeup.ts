/**
 * How the reactor learns that its epoll instance has events.
 *
 * On the main thread: one koffi poll handle, for ever. In a worker thread such a handle would abort the whole process
 * on `worker.terminate()`, so there a helper thread sleeps in poll(2) and wakes its parent through shared memory.
 */
import { isMainThread, Worker } from "node:worker_threads";
import { native } from "./index.js";
import type { PollHandle } from "./native.js";

/** A started wake-up. It keeps the event loop alive between `ref()` and `unref()` only. */
export interface Wakeup {
  ref(): void;
  unref(): void;
}

/**
 * Has `epfd` looked at on this thread's event loop whenever it has events. `arm` puts a dispatch off to an immediate,
 * `dispatch` does it at once. Starts unreferenced.
 */
export function startWakeup(epfd: number, arm: () => void, dispatch: () => void): Wakeup {
  return isMainThread ? startPollHandle(epfd, arm) : startHelperThread(epfd, dispatch);
}

function startPollHandle(epfd: number, arm: () => void): Wakeup {
  // Since Node 26.4 promises resolved inside this callback stay pending until another callback runs, and user code
  // that throws or exits in it takes the process down: it arms one immediate and does nothing else.
  let handle: PollHandle | undefined = native().watch(epfd, arm);
  handle.unref();
  // When Node tears its environment down it turns the event loop once more, and a callback in which no JavaScript may
  // run any longer takes the process down. Other listeners of this event may still use sockets: ref() does nothing then.
  process.once("exit", () => {
    handle?.close();
    handle = undefined;
  });
  return { ref: () => handle?.ref(), unref: () => handle?.unref() };
}

/** What the helper thread is given. `turn[0]` is 0 while the helper polls and 1 while the parent dispatches. */
export interface HelperData {
  readonly epfd: number;
  readonly turn: Int32Array;
}

function startHelperThread(epfd: number, dispatch: () => void): Wakeup {
  native().closeAtExit(epfd);
  const turn = new Int32Array(new SharedArrayBuffer(4));
  const helper = new Worker(new URL("./helper.js", import.meta.url), {
    workerData: { epfd, turn } satisfies HelperData,
    // The parent's flags (--input-type, --import …) are not meant for the helper.
    execArgv: [],
    stdout: false,
  });
  helper.unref();
  const listen = (): void => {
    const result = Atomics.waitAsync(turn, 0, 0);
    if (result.async) result.value.then(wake);
    else queueMicrotask(wake);
  };
  const wake = (): void => {
    dispatch();
    Atomics.store(turn, 0, 0);
    Atomics.notify(turn, 0);
    listen();
  };
  listen();
  return helper;
}
