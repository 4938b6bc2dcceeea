/** What the peers of the mail suites share. */
import { report } from "./sockets/peers/peer.js";

/** Measures a piece of work: how long it takes, and how much of the processor. */
export class WorkClock {
  #startMs = 0;
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };

  start(): void {
    this.#cpu = process.cpuUsage();
    this.#startMs = performance.now();
  }

  /** Tells the bench. */
  stop(): void {
    const elapsedMs = performance.now() - this.#startMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    report("cpu_ms", (user + system) / 1000);
    report("ms", elapsedMs);
  }
}

/** Does a piece of work, and tells the bench what it took. */
export async function reportWork(work: () => Promise<unknown>): Promise<void> {
  const clock = new WorkClock();
  clock.start();
  await work();
  clock.stop();
}

/** The resident memory, after the garbage was collected. */
export function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
