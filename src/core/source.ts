/** What may be sent as a body. */
import { LocalProtocolError } from "./errors.js";

/**
 * Bytes or text (as UTF-8), whole or in pieces: a string, a `Uint8Array`, a Web `ReadableStream`, a Node `Readable`, or
 * anything else that is iterable. A piece must not be written to again: it may wait for the next one before it is sent.
 */
export type Source =
  | string
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

const encoder: TextEncoder = new TextEncoder();

/**
 * The source as bytes in pieces. A string or bytes are one piece.
 *
 * @throws {LocalProtocolError} it is none of what a source may be, or gives pieces that are neither bytes nor strings.
 */
export function chunksOf(source: Source): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof source === "string") return [encoder.encode(source)];
  if (source instanceof Uint8Array) return [source];
  if (!isIterable(source)) throw new LocalProtocolError(notBytes);
  return encoded(source);
}

const notBytes = "a body is made of bytes and strings";

function isIterable(source: unknown): source is AsyncIterable<unknown> {
  return (
    typeof source === "object" &&
    source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source)
  );
}

async function* encoded(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    if (typeof piece === "string") yield encoder.encode(piece);
    else if (piece instanceof Uint8Array) yield piece;
    else throw new LocalProtocolError(notBytes);
  }
}

/** How many bytes the source has; `undefined` where only reading it would tell. */
export function sizeOf(source: Source): number | undefined {
  if (typeof source === "string") return Buffer.byteLength(source);
  return source instanceof Uint8Array ? source.length : undefined;
}
