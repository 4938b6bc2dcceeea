/** Quoted-printable: RFC 2045 section 6.7. */

const equals = 0x3d;
const lf = 0x0a;
const cr = 0x0d;

/** The octets that quoted-printable text stands for. What is malformed stays as it is. */
export function decodeQuotedPrintable(source: Uint8Array): Uint8Array {
  const out = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at += 1) {
    const byte = source[at] as number;
    if (byte !== equals) {
      out[length++] = byte;
      continue;
    }
    const skipped = softBreak(source, at + 1);
    const value = skipped > 0 ? -1 : hexAt(source, at + 1);
    if (value >= 0) out[length++] = value;
    else if (skipped === 0) out[length++] = byte;
    at += skipped > 0 ? skipped : value >= 0 ? 2 : 0;
  }
  return out.subarray(0, length);
}

/** How many octets a line break behind `=` takes; 0 where there is none. */
function softBreak(source: Uint8Array, from: number): number {
  let at = from;
  while (source[at] === 0x20 || source[at] === 0x09) at += 1;
  if (at >= source.length) return at - from || 1;
  if (source[at] === lf) return at - from + 1;
  return source[at] === cr && source[at + 1] === lf ? at - from + 2 : 0;
}

function hexAt(source: Uint8Array, at: number): number {
  const high = hexDigit(source[at]);
  const low = hexDigit(source[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
