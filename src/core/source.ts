/** What may be sent as a body. */

/**
 * Bytes or text (as UTF-8), whole or in pieces: a string, a `Uint8Array`, a Web `ReadableStream`, a Node `Readable`, or
 * anything else that is iterable.
 */
export type Source =
  | string
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

const encoder: TextEncoder = new TextEncoder();

/** The source as bytes in pieces. A string or bytes are one piece. */
export function chunksOf(source: Source): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof source === "string") return [encoder.encode(source)];
  if (source instanceof Uint8Array) return [source];
  return encoded(source as AsyncIterable<Uint8Array | string>);
}

async function* encoded(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) yield typeof piece === "string" ? encoder.encode(piece) : piece;
}

/** How many bytes the source has; `undefined` where only reading it would tell. */
export function sizeOf(source: Source): number | undefined {
  if (typeof source === "string") return Buffer.byteLength(source);
  return source instanceof Uint8Array ? source.length : undefined;
}
