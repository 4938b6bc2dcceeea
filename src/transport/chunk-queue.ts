/** Pieces of a stream as they came. */

/** So many places at the front may be empty before the list is cut. */
const maxEmptyPlaces = 1024;

/** A queue of chunks, which stay the pieces they are: taking one costs the same however many wait. */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #next = 0;
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  shift(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#next];
    if (chunk === undefined) return undefined;
    this.#next += 1;
    this.#bytes -= chunk.length;
    // What is handed out is not held on to for longer than this.
    if (this.#next === this.#chunks.length) this.#cut();
    else if (this.#next > maxEmptyPlaces) this.#cut();
    return chunk;
  }

  /** All that wait. */
  takeAll(): Uint8Array[] {
    this.#cut();
    const all = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return all;
  }

  #cut(): void {
    this.#chunks = this.#chunks.slice(this.#next);
    this.#next = 0;
  }
}
