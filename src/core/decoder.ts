/** What a codec is: bytes in, values out, no I/O. */
import type { ByteQueue } from "./byte-queue.js";
import type { Limits } from "./limits.js";

/**
 * Takes the next value out of the queue.
 *
 * 1. It returns a value and has taken exactly the bytes of that value; or
 * 2. it returns `undefined`: more bytes are needed. What it took until then it keeps in mind itself; or
 * 3. it throws a `RemoteProtocolError` or `LimitError`: the peer broke the protocol, and the connection is done for.
 *
 * A decoder that must remember something between two calls is made by a factory (`replyDecoder()`), once for a
 * connection or for a body.
 */
export type Decoder<T> = (queue: ByteQueue, limits: Limits) => T | undefined;
