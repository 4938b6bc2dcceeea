/** What STAT, LIST, UIDL and LANG answer, both directions (RFC 1939 sections 5 and 7, RFC 6856 section 3). */
import type { Decoder } from "../core/decoder.js";
import { LimitError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import type { Pop3Language, Pop3Listing, Pop3Stat, Pop3UniqueId } from "./types.js";

const rfc = "RFC 1939 section 5";
const dot = 0x2e;
const decoder: TextDecoder = new TextDecoder();

/**
 * A decoder for a list: lines up to one of a single dot, each read by `parse`. Lines are gathered as they come, so a
 * list that a server announces costs nothing until it is there.
 *
 * @throws {LimitError} the list has more than `limits.maxItems` lines or `limits.maxReplyBytes` bytes.
 */
export function listDecoder<T>(parse: (line: string) => T): Decoder<readonly T[]> {
  const items: T[] = [];
  let bytes = 0;
  return (queue, limits) => {
    for (;;) {
      const line = queue.takeLine(limits.maxLineBytes);
      if (line === undefined) return undefined;
      if (line.length === 1 && line[0] === dot) return items;
      bytes += line.length;
      if (bytes > limits.maxReplyBytes) throw new LimitError("a list", limits.maxReplyBytes);
      if (items.length >= limits.maxItems) throw new LimitError("a list", limits.maxItems);
      items.push(parse(decoder.decode(line[0] === dot ? line.subarray(1) : line)));
    }
  };
}

/** Reads the text of a reply to STAT: `2 320`. What follows is passed over (RFC 1939 section 5 discourages it). */
export function parseStat(text: string): Pop3Stat {
  const [first, second] = pair(text);
  return { count: whole(first, text), octets: whole(second, text) };
}

/** Reads `1 120`: a line of LIST, or the text of a reply to LIST with a number. */
export function parseListing(line: string): Pop3Listing {
  const [first, second] = pair(line);
  return { number: whole(first, line), octets: whole(second, line) };
}

/** Reads `1 whqtswO00WBw418f9t5JxYwZ`: a line of UIDL. Identifiers longer than 70 characters are seen and taken. */
export function parseUniqueId(line: string): Pop3UniqueId {
  const [first, uid] = pair(line);
  return { number: whole(first, line), uid };
}

/** Reads `en English`: a line of LANG. */
export function parseLanguage(line: string): Pop3Language {
  const [, tag, description = ""] = /^[ \t]*([A-Za-z0-9-]+)(?:[ \t]+(.*))?$/.exec(line) ?? [];
  if (tag === undefined) throw malformed(line, "RFC 6856 section 3.2");
  return { tag, description };
}

/** Lines of CAPA are read as they are. */
export function parseText(line: string): string {
  return line;
}

function pair(text: string): [first: string, second: string] {
  const [, first, second] = /^[ \t]*(\S+)[ \t]+(\S+)/.exec(text) ?? [];
  if (first === undefined || second === undefined) throw malformed(text, rfc);
  return [first, second];
}

/** Sizes are octets and may be large, but not larger than a number can be. */
function whole(word: string, line: string): number {
  const value = /^\d{1,16}$/.test(word) ? Number(word) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformed(line, rfc);
  return value;
}

function malformed(line: string, where: string): RemoteProtocolError {
  return new RemoteProtocolError("a line of a list is malformed", { excerpt: line, rfc: where });
}

/** `2 320`. */
export function formatStat({ count, octets }: Pop3Stat): string {
  return `${count} ${octets}`;
}

/** `1 120`. */
export function formatListing({ number, octets }: Pop3Listing): string {
  return `${number} ${octets}`;
}

/**
 * `1 whqtswO00WBw418f9t5JxYwZ`.
 *
 * @throws {LocalProtocolError} the identifier is not 1 to 70 characters from `!` to `~` (RFC 1939 section 7).
 */
export function formatUniqueId({ number, uid }: Pop3UniqueId): string {
  if (!/^[!-~]{1,70}$/.test(uid))
    throw new LocalProtocolError(`${JSON.stringify(uid.slice(0, 80))} is no unique identifier`);
  return `${number} ${uid}`;
}

/** `en English`. */
export function formatLanguage({ tag, description }: Pop3Language): string {
  return `${tag} ${description}`;
}
