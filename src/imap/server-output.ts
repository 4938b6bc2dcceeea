/** What goes out: small pieces joined into few writes, large ones as they are. */
import { asBuffer } from "../core/as-buffer.js";

/** Pieces of this size are sent as they are; smaller ones are copied together. */
const largeBytes = 4096;
/** Text is turned into bytes once it is so long. */
const maxTextChars = 16_384;

/** Gathers text and bytes in order. */
export class Output {
  #text = "";
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** How much waits, in bytes or nearly so. */
  get size(): number {
    return this.#bytes + this.#text.length;
  }

  text(text: string): void {
    this.#text += text;
    if (this.#text.length >= maxTextChars) this.#encode();
  }

  /** Adds bytes, which are kept and not copied. */
  bytes(bytes: Uint8Array): void {
    this.#encode();
    this.#add(bytes);
  }

  /** Takes everything, as the writes that it makes. */
  take(): Uint8Array[] {
    this.#encode();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces.length <= 1 ? pieces : joined(pieces);
  }

  #encode(): void {
    if (this.#text === "") return;
    this.#add(Buffer.from(this.#text, "utf8"));
    this.#text = "";
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }
}

/** Runs of small pieces become one. */
function joined(pieces: readonly Uint8Array[]): Uint8Array[] {
  const writes: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  const endRun = (): void => {
    if (run.length > 0) writes.push(run.length === 1 ? asBuffer(run[0] as Uint8Array) : Buffer.concat(run));
    run = [];
  };
  for (const piece of pieces) {
    if (piece.length < largeBytes) run.push(piece);
    else {
      endRun();
      writes.push(piece);
    }
  }
  endRun();
  return writes;
}
