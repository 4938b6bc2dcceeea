/** The helper thread of a worker's reactor: it sleeps in poll(2) and hands each wake-up to its parent. */
import { workerData } from "node:worker_threads";
import { native } from "./index.js";
import { linux } from "./linux.js";
import type { HelperData } from "./wakeup.js";

/** How long one sleep lasts: a thread in poll(2) cannot be terminated before it returns. */
const sleepMs = 100;

const { epfd, turn } = workerData as HelperData;
// struct pollfd { int fd; short events; short revents }
const pollfd = new Uint8Array(8);
const view = new DataView(pollfd.buffer);
view.setInt32(0, epfd, true);
view.setInt16(4, linux.POLLIN, true);

for (;;) {
  if (native().poll(pollfd, 1, sleepMs) <= 0) continue;
  Atomics.store(turn, 0, 1);
  Atomics.notify(turn, 0);
  // The parent gives the turn back after its dispatch; without this wait one event would wake it many times.
  Atomics.wait(turn, 0, 1);
}
