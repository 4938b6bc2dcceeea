/**
 * Fields of ENVELOPE and BODYSTRUCTURE as real servers send them: each takes what stands there, notes what is wrong, and
 * leaves the cursor behind it.
 */
import type { TokenReader } from "./codec-tokens.js";

const open = 0x28;
const close = 0x29;

/** Whether the structure goes on with another field. Takes the spaces before it. */
export function hasField(r: TokenReader): boolean {
  r.spaces();
  return !r.done && r.byte !== close;
}

/** nstring; NIL where a list stands, or where the field is missing: then the cursor stays. */
export function nstringField(r: TokenReader, what: string): string | null {
  r.spaces();
  if (r.byte === 0x22) return r.quoted();
  if (r.atLiteral) return r.string();
  return r.nil() ? null : wrongString(r, what);
}

function wrongString(r: TokenReader, what: string): string | null {
  if (r.done || r.byte === close || atFetchItem(r)) {
    r.defect(`${what} is missing`);
    return null;
  }
  if (r.byte === open) {
    r.defect(`${what} is a list`);
    r.skipValue();
    return null;
  }
  r.defect(`${what} is an atom`);
  return r.text.toString("latin1", r.pos, r.pos + r.skipValue().length);
}

/** A number; null where none can be made of what stands there. */
export function numberField(r: TokenReader, what: string): number | null {
  r.spaces();
  const { byte } = r;
  if (byte >= 0x30 && byte <= 0x39) {
    const value = digits(r);
    if (value !== undefined) return value;
  }
  const text = nstringField(r, what);
  const value = text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
  r.defect(value === null ? `${what} is no number` : `${what} is a string`);
  return value;
}

/** A run of digits that stands alone; undefined, and the cursor where it was, for anything like `12x` or 30 digits. */
function digits(r: TokenReader): number | undefined {
  const from = r.pos;
  let value = 0;
  for (let byte = r.byte; byte >= 0x30 && byte <= 0x39; byte = r.byte) {
    value = value * 10 + byte - 0x30;
    r.pos += 1;
  }
  const { byte } = r;
  if ((byte === 0x20 || byte === close || byte === -1) && value <= Number.MAX_SAFE_INTEGER) return value;
  r.pos = from;
  return undefined;
}

const itemNames =
  /^(?:UID|FLAGS|ENVELOPE|BODY|BODYSTRUCTURE|INTERNALDATE|RFC822\.SIZE|MODSEQ|X-GM-[A-Z]+|EMAILID|THREADID|PREVIEW|SAVEDATE)$/;

/** Takes whatever stands before the closing parenthesis, and that; a FETCH item's name means that it was forgotten. */
export function closeStructure(r: TokenReader, what: string, mayHaveMore: boolean): void {
  while (hasField(r)) {
    if (atFetchItem(r)) {
      r.defect(`${what} is not closed`);
      return;
    }
    if (!mayHaveMore) r.defect(`${what} has more fields than it should`);
    r.skipValue();
  }
  if (!r.accept(close)) r.defect(`${what} is not closed`);
}

/** Whether the name of a FETCH item stands here, with a value behind it. */
export function atFetchItem(r: TokenReader): boolean {
  const rest = r.text.toString("latin1", r.pos, Math.min(r.end, r.pos + 16));
  return /^[A-Z]/i.test(rest) && itemNames.test(/^[A-Z0-9.-]+(?=[ [])/i.exec(rest)?.[0].toUpperCase() ?? "");
}
