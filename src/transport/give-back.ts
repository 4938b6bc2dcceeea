/** Bytes that were read too early go back to the stream that they came from. */
import { Duplex, Readable } from "node:stream";

/**
 * The stream with `chunks` before whatever it still has to give. It is the same stream, but where it has ended already
 * and so takes nothing back.
 */
export function giveBack(stream: Duplex, chunks: readonly Uint8Array[], ended: boolean): Duplex {
  if (chunks.length === 0) return stream;
  if (ended || stream.readableEnded) {
    const again = Readable.from(chunks, { objectMode: false });
    // Node takes a Readable here; only its types do not say so.
    return Duplex.from({ readable: again, writable: stream } as unknown as Iterable<never>);
  }
  for (const chunk of [...chunks].reverse()) stream.unshift(chunk);
  return stream;
}
