/** Whole things out of streams. */
import type { Transport } from "../transport/types.js";

/** All values of an iterable, in order. */
export async function collect<T>(values: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** All bytes that the peer sends until it ends. */
export async function readToEnd(transport: Transport): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await transport.read(); chunk !== undefined; chunk = await transport.read())
    chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
