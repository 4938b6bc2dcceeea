/** Addresses as text and as numbers: pure, strict where libc is strict and lenient where it is lenient. */

const DOT = 46;
const ZERO = 48;

/** A dotted quad as an unsigned 32-bit integer, -1 for anything else. One pass, no allocation: `sendto` runs it. */
export function parseDottedQuad(text: string): number {
  let address = 0;
  let octet = -1;
  let dots = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (digit === DOT - ZERO) {
      if (octet < 0 || dots === 3) return -1;
      address = address * 256 + octet;
      octet = -1;
      dots += 1;
    } else if (digit < 0 || digit > 9 || octet === 0) return -1;
    else {
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return -1;
    }
  }
  return dots === 3 && octet >= 0 ? address * 256 + octet : -1;
}

/**
 * What C's `inet_aton` reads, as an unsigned 32-bit integer: `1.2`, `0x7f.1`, `2130706433`, octal with a leading 0.
 * -1 for anything else, text after the address included.
 */
export function parseAton(text: string): number {
  const quad = parseDottedQuad(text);
  if (quad >= 0) return quad;
  const parts = text.split(".", 5);
  if (parts.length > 4) return -1;
  const values = parts.map(parseAtonPart);
  const last = values.pop() as number;
  if (last < 0 || last >= 256 ** (4 - values.length)) return -1;
  if (values.some((value) => value < 0 || value > 255)) return -1;
  return values.reduce((sum, value, index) => sum + value * 256 ** (3 - index), last);
}

function parseAtonPart(part: string): number {
  if (/^(?:0|[1-9]\d{0,9})$/.test(part)) return Number(part);
  if (/^0x[\da-f]+$/i.test(part)) return Number.parseInt(part, 16);
  return /^0[0-7]+$/.test(part) ? Number.parseInt(part, 8) : -1;
}

/** The 16 bytes of an IPv6 address without a zone, undefined for anything else. */
export function parseInet6(text: string): Uint8Array | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const gap = text.indexOf("::");
  if (gap < 0) {
    const groups = parseGroups(text);
    return groups?.length === 16 ? Uint8Array.from(groups) : undefined;
  }
  const head = gap === 0 ? [] : parseGroups(text.slice(0, gap), false);
  const rest = text.slice(gap + 2);
  const tail = rest === "" ? [] : parseGroups(rest);
  if (head === undefined || tail === undefined || head.length + tail.length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function parseGroups(text: string, quadAllowed = true): number[] | undefined {
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (/^[\da-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else {
      const quad = quadAllowed && index === groups.length - 1 ? parseDottedQuad(group) : -1;
      if (quad < 0) return undefined;
      bytes.push(quad >>> 24, (quad >>> 16) & 255, (quad >>> 8) & 255, quad & 255);
    }
  }
  return bytes;
}

/** The dotted quad of an unsigned 32-bit integer. */
export function formatInet4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The text of the 16 bytes at `offset`: RFC 5952, with a dotted quad where glibc prints one. */
export function formatInet6(bytes: Uint8Array, offset = 0): string {
  const words: number[] = [];
  for (let at = offset; at < offset + 16; at += 2) words.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  const [start, length] = longestZeroRun(words);
  if (start === 0 && (length === 6 || (length === 5 && words[5] === 0xffff))) {
    const quad = formatInet4((((words[6] ?? 0) << 16) | (words[7] ?? 0)) >>> 0);
    return length === 6 ? `::${quad}` : `::ffff:${quad}`;
  }
  if (length < 2) return hexWords(words);
  return `${hexWords(words.slice(0, start))}::${hexWords(words.slice(start + length))}`;
}

function hexWords(words: readonly number[]): string {
  return words.map((word) => word.toString(16)).join(":");
}

function longestZeroRun(words: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [-1, 0];
  let start = -1;
  for (let index = 0; index < words.length; index += 1) {
    if (words[index] !== 0) start = -1;
    else {
      if (start < 0) start = index;
      if (index - start + 1 > best[1]) best = [start, index - start + 1];
    }
  }
  return best;
}
