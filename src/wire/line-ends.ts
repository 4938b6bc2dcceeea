/** Line ends made right: every lone CR and lone LF becomes CR LF. */

const cr = 0x0d;
const lf = 0x0a;
const nothing: Uint8Array = new Uint8Array(0);

/** Makes the line ends of one text CR LF, chunk by chunk. */
export class LineEndEncoder {
  #afterCr = false;

  /** The chunk with its line ends made right: the chunk itself where nothing needs to change. */
  encode(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const encoded = isRight(chunk, this.#afterCr) ? chunk : rewrite(chunk, this.#afterCr);
    this.#afterCr = chunk.at(-1) === cr;
    return encoded;
  }

  /** What is left to say: the LF of a CR at the very end. */
  finish(): Uint8Array {
    return this.#afterCr ? Uint8Array.of(lf) : nothing;
  }
}

function isRight(chunk: Uint8Array, afterCr: boolean): boolean {
  if (afterCr && chunk[0] !== lf) return false;
  for (let from = afterCr ? 1 : 0; ; ) {
    const end = chunk.indexOf(lf, from);
    const back = chunk.indexOf(cr, from);
    if (end < 0) return back < 0 || back === chunk.length - 1;
    if (back < 0 || back !== end - 1) return false;
    from = end + 1;
  }
}

function rewrite(chunk: Uint8Array, afterCr: boolean): Uint8Array {
  const out = new Uint8Array(chunk.length * 2 + 1);
  let length = 0;
  let pending = afterCr;
  for (const byte of chunk) {
    if (pending ? byte !== lf : byte === lf) out[length++] = pending ? lf : cr;
    out[length++] = byte;
    pending = byte === cr;
  }
  return out.subarray(0, length);
}
