/** Long work in slices, so that one client's search does not keep the others waiting. */

const sliceMs = 20;
const stepsBetweenLooks = 16;

/** Counts steps, and lets others have their turn once a slice is over. */
export class Pace {
  #steps = 0;
  #sliceStartMs: number = performance.now();

  async step(): Promise<void> {
    this.#steps += 1;
    if (this.#steps % stepsBetweenLooks !== 0 || performance.now() - this.#sliceStartMs < sliceMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#sliceStartMs = performance.now();
  }
}
