/** Line ends. */

const cr = 0x0d;
const lf = 0x0a;
const crlf: Uint8Array = Uint8Array.of(cr, lf);

/** The bytes with every line end as CR LF: a lone CR or LF becomes one (RFC 5322 section 2.3). */
export async function* toCrLf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let afterCr = false;
  for await (const chunk of source) {
    const pieces: Uint8Array[] = [];
    afterCr = normalize(chunk, afterCr, pieces);
    if (pieces.length > 0)
      yield pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }
  if (afterCr) yield crlf;
}

/** Adds the pieces of a chunk; returns whether it ended with a CR that is still to be written. */
function normalize(chunk: Uint8Array, afterCr: boolean, pieces: Uint8Array[]): boolean {
  let from = 0;
  let at = 0;
  if (afterCr && chunk.length > 0) {
    pieces.push(crlf);
    from = at = chunk[0] === lf ? 1 : 0;
  }
  for (; at < chunk.length; at += 1) {
    const byte = chunk[at];
    if (byte !== cr && byte !== lf) continue;
    const pair = byte === cr && chunk[at + 1] === lf;
    if (pair) {
      at += 1;
      continue;
    }
    if (at > from) pieces.push(chunk.subarray(from, at));
    if (byte === cr && at === chunk.length - 1) return true;
    pieces.push(crlf);
    from = at + 1;
  }
  if (at > from) pieces.push(chunk.subarray(from, at));
  return afterCr && chunk.length === 0;
}
