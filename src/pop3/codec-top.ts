/** TOP of a message: its header, the empty line, and some lines of the body (RFC 1939 section 7). */

const lf = 0x0a;
const cr = 0x0d;

/** The top of a message that comes in pieces. The rest is not asked for. */
export async function* topOf(
  pieces: AsyncIterable<Uint8Array>,
  lines: number,
): AsyncGenerator<Uint8Array, void, void> {
  const finder = new TopFinder(lines);
  for await (const piece of pieces) {
    const end = finder.endIn(piece);
    yield end === undefined ? piece : piece.subarray(0, end);
    if (end !== undefined) return;
  }
}

/** Counts lines: those of the header until an empty one, then those of the body. */
class TopFinder {
  /** Lines of the body that are still wanted; `undefined` within the header. */
  #left: number | undefined;
  readonly #lines: number;
  /** What the line that is under way has besides a CR. */
  #isEmptyLine = true;

  constructor(lines: number) {
    this.#lines = lines;
  }

  /** Where the top ends in this piece; `undefined` where it goes on. */
  endIn(piece: Uint8Array): number | undefined {
    for (let from = 0; from < piece.length; ) {
      const at = piece.indexOf(lf, from);
      const until = at < 0 ? piece.length : at;
      if (until - from > 1 || (until > from && piece[from] !== cr)) this.#isEmptyLine = false;
      if (at < 0) return undefined;
      if (this.#endsWithLine()) return at + 1;
      from = at + 1;
    }
    return undefined;
  }

  #endsWithLine(): boolean {
    if (this.#left !== undefined) this.#left -= 1;
    else if (this.#isEmptyLine) this.#left = this.#lines;
    this.#isEmptyLine = true;
    return this.#left !== undefined && this.#left <= 0;
  }
}
