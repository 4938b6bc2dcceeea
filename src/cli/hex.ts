/** Bytes for the eye: offset, hexadecimal, text. */

const bytesPerLine = 16;

/** The lines of a dump; `offset` is that of the first byte. */
export function hexDump(bytes: Uint8Array, offset: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += bytesPerLine) {
    const part = bytes.subarray(at, at + bytesPerLine);
    const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    const position = (offset + at).toString(16).padStart(8, "0");
    lines.push(`${position}  ${hex.padEnd(3 * bytesPerLine)} |${text.join("")}|`);
  }
  return lines;
}
