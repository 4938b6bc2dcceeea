/** Where the calls that return new bytes read to first. */

/** Up to this many bytes a read goes through one buffer of the thread, and the caller gets a copy of the exact size. */
const sharedBytes = 65536;
let shared: Uint8Array | undefined;

/** A buffer of `maxBytes`, to be emptied with {@link taken} before anyone else reads. */
export function readBuffer(maxBytes: number): Uint8Array {
  if (maxBytes > sharedBytes) return new Uint8Array(maxBytes);
  shared ??= new Uint8Array(sharedBytes);
  return shared.subarray(0, maxBytes);
}

/** The bytes received, for the caller to keep. MSG_TRUNC may have reported more than there are. */
export function taken(buffer: Uint8Array, received: number): Uint8Array {
  const filled = Math.min(received, buffer.length);
  // A large buffer goes out without a copy, unless most of it would lie idle.
  if (buffer.buffer === shared?.buffer || filled * 2 < buffer.length) return buffer.slice(0, filled);
  return buffer.subarray(0, filled);
}
