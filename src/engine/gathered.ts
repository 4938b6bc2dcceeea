/** Small pieces joined into few writes. */

/** Pieces are sent once they come to this size. */
const writeBytes = 65_536;

/** Joins small pieces into few writes, in order. */
export class Gathered {
  readonly #write: (data: Uint8Array) => Promise<void>;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(write: (data: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** Adds a piece, and sends what there is once it is much: a promise only then. */
  add(piece: Uint8Array): Promise<void> | undefined {
    if (piece.length === 0) return undefined;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    return this.#bytes >= writeBytes ? this.flush() : undefined;
  }

  /** Sends what there is. */
  async flush(): Promise<void> {
    const [only] = this.#pieces;
    const data =
      this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    if (data.length > 0) await this.#write(data);
  }
}
