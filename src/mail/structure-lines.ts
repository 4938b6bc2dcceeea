/** Counting lines in many ranges of one message. */
import type { ByteRange } from "./headers.js";

const lf = 0x0a;
const blockBytes = 4096;

/**
 * Counts the lines of ranges. Ranges of nested messages overlap, so the bytes are counted once, in blocks: a range costs
 * two blocks at most.
 */
export class LineCounter {
  readonly #bytes: Uint8Array;
  /** The line feeds before each block. */
  readonly #before: number[] = [0];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The line feeds in the range, and one more where it ends with something else: a line that the boundary ended. */
  lines({ start, end }: ByteRange): number {
    if (end <= start) return 0;
    return this.#until(end) - this.#until(start) + (this.#bytes[end - 1] === lf ? 0 : 1);
  }

  /** The line feeds before an offset. */
  #until(offset: number): number {
    const block = Math.floor(offset / blockBytes);
    while (this.#before.length <= block) {
      const at = (this.#before.length - 1) * blockBytes;
      this.#before.push((this.#before.at(-1) ?? 0) + this.#count(at, at + blockBytes));
    }
    return (this.#before[block] ?? 0) + this.#count(block * blockBytes, offset);
  }

  #count(start: number, end: number): number {
    const part = this.#bytes.subarray(start, end);
    let count = 0;
    for (let at = part.indexOf(lf); at >= 0; at = part.indexOf(lf, at + 1)) count += 1;
    return count;
  }
}
