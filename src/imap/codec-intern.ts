/** One string for each short word that servers send again and again: making a string costs more than finding one. */

const maxInternedBytes = 24;
const slots = 2048;
const table: string[] = new Array<string>(slots).fill("");

/** The ASCII text from `start` to `end`. The table holds 2,048 short strings at most, whoever sent them. */
export function atomText(text: Buffer, start: number, end: number): string {
  const bytes = end - start;
  if (bytes > maxInternedBytes) return text.toString("latin1", start, end);
  let hash = bytes;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + (text[at] as number)) | 0;
  const slot = (hash ^ (hash >>> 11)) & (slots - 1);
  const found = table[slot] as string;
  if (equals(found, text, start, bytes)) return found;
  const made = text.toString("latin1", start, end);
  table[slot] = made;
  return made;
}

function equals(candidate: string, text: Buffer, start: number, bytes: number): boolean {
  if (candidate.length !== bytes) return false;
  for (let at = 0; at < bytes; at += 1) {
    if (candidate.charCodeAt(at) !== text[start + at]) return false;
  }
  return true;
}
