/** Searches as programs write them, and the search keys that they stand for: RFC 9051 section 6.4.4. */
import { LocalProtocolError } from "../core/errors.js";
import { chosenSet, isSaved, type MessageSet } from "./client-set.js";
import type { ImapDate } from "./codec-date.js";
import { SequenceSet } from "./codec-sequence-set.js";
import { mentions } from "./commands/search.js";
import type { DateSearchKey, PlainSearchKey, SearchKey, TextSearchKey } from "./types-command.js";

/** A day: that of a `Date` in UTC, or a year, a month and a day. */
export type SearchDay = Date | ImapDate;
type OneOrMore<T> = T | readonly T[];

/** What messages are looked for: all that is named must hold. Nothing named finds all. */
export interface SearchQuery {
  readonly answered?: boolean | undefined;
  readonly deleted?: boolean | undefined;
  readonly draft?: boolean | undefined;
  readonly flagged?: boolean | undefined;
  readonly seen?: boolean | undefined;
  /** IMAP4rev1 alone, like the next two. */
  readonly recent?: true | undefined;
  readonly new?: true | undefined;
  readonly old?: true | undefined;
  readonly keyword?: OneOrMore<string> | undefined;
  readonly unkeyword?: OneOrMore<string> | undefined;
  /** A part of the text; so are those up to `to`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly cc?: string | undefined;
  readonly bcc?: string | undefined;
  readonly subject?: string | undefined;
  readonly body?: string | undefined;
  readonly text?: string | undefined;
  /** Header fields by their names; the text "" finds messages that have the field at all. */
  readonly header?: Readonly<Record<string, string>> | undefined;
  /** By the internal date. A `Date` stands for its day in UTC. */
  readonly before?: SearchDay | undefined;
  readonly on?: SearchDay | undefined;
  readonly since?: SearchDay | undefined;
  /** By the Date header. */
  readonly sentBefore?: SearchDay | undefined;
  readonly sentOn?: SearchDay | undefined;
  readonly sentSince?: SearchDay | undefined;
  /** By the day of arrival in this mailbox (RFC 8514). */
  readonly savedBefore?: SearchDay | undefined;
  readonly savedOn?: SearchDay | undefined;
  readonly savedSince?: SearchDay | undefined;
  readonly saveDateSupported?: true | undefined;
  /** In octets. */
  readonly larger?: number | undefined;
  readonly smaller?: number | undefined;
  /** Older or younger than so many seconds (RFC 5032). */
  readonly olderSeconds?: number | undefined;
  readonly youngerSeconds?: number | undefined;
  readonly uid?: MessageSet | undefined;
  readonly sequence?: MessageSet | undefined;
  /** Changed at or after this mod-sequence (RFC 7162). */
  readonly modSeq?: bigint | undefined;
  readonly emailId?: string | undefined;
  readonly threadId?: string | undefined;
  /** A filter that the server knows (RFC 5466). */
  readonly filter?: string | undefined;
  /** Gmail's own. */
  readonly gmailRaw?: string | undefined;
  readonly gmailLabel?: string | undefined;
  readonly gmailMessageId?: bigint | undefined;
  readonly gmailThreadId?: bigint | undefined;
  readonly not?: OneOrMore<SearchQuery> | undefined;
  /** At least one of them holds. */
  readonly or?: readonly SearchQuery[] | undefined;
  /** The server may be generous (RFC 6203). */
  readonly fuzzy?: SearchQuery | undefined;
}

const flags: readonly (readonly [keyof SearchQuery, PlainSearchKey, PlainSearchKey])[] = [
  ["answered", "ANSWERED", "UNANSWERED"],
  ["deleted", "DELETED", "UNDELETED"],
  ["draft", "DRAFT", "UNDRAFT"],
  ["flagged", "FLAGGED", "UNFLAGGED"],
  ["seen", "SEEN", "UNSEEN"],
  ["recent", "RECENT", "OLD"],
  ["new", "NEW", "OLD"],
  ["old", "OLD", "RECENT"],
  ["saveDateSupported", "SAVEDATESUPPORTED", "SAVEDATESUPPORTED"],
];

const texts: readonly (readonly [keyof SearchQuery, TextSearchKey])[] = [
  ...([
    ["from", "FROM"],
    ["to", "TO"],
    ["cc", "CC"],
    ["bcc", "BCC"],
    ["subject", "SUBJECT"],
  ] as const),
  ...([
    ["body", "BODY"],
    ["text", "TEXT"],
    ["emailId", "EMAILID"],
    ["threadId", "THREADID"],
  ] as const),
  ...([
    ["filter", "FILTER"],
    ["gmailRaw", "X-GM-RAW"],
    ["gmailLabel", "X-GM-LABELS"],
  ] as const),
];

const days: readonly (readonly [keyof SearchQuery, DateSearchKey])[] = [
  ...([
    ["before", "BEFORE"],
    ["on", "ON"],
    ["since", "SINCE"],
  ] as const),
  ...([
    ["sentBefore", "SENTBEFORE"],
    ["sentOn", "SENTON"],
    ["sentSince", "SENTSINCE"],
  ] as const),
  ...([
    ["savedBefore", "SAVEDBEFORE"],
    ["savedOn", "SAVEDON"],
    ["savedSince", "SAVEDSINCE"],
  ] as const),
];

/**
 * The key of a query. A `SearchKey` is one already.
 *
 * @throws {LocalProtocolError} a set, a header's name or an alternative cannot be.
 */
export function searchKeyOf(query: SearchQuery | SearchKey): SearchKey {
  if ("key" in query) return query;
  const keys = [
    ...flagKeys(query),
    ...textKeys(query),
    ...dayKeys(query),
    ...numberKeys(query),
    ...nestedKeys(query),
  ];
  const [first] = keys;
  if (first === undefined) return { key: "ALL" };
  return keys.length === 1 ? first : { key: "AND", keys };
}

function flagKeys(query: SearchQuery): SearchKey[] {
  const keys: SearchKey[] = [];
  for (const [name, yes, no] of flags) {
    const value = query[name];
    if (typeof value === "boolean") keys.push({ key: value ? yes : no });
  }
  for (const flag of several(query.keyword)) keys.push({ key: "KEYWORD", flag });
  for (const flag of several(query.unkeyword)) keys.push({ key: "UNKEYWORD", flag });
  return keys;
}

function textKeys(query: SearchQuery): SearchKey[] {
  const keys: SearchKey[] = [];
  for (const [name, key] of texts) {
    const text = query[name];
    if (typeof text === "string") keys.push({ key, text });
  }
  for (const [field, text] of Object.entries(query.header ?? {}))
    keys.push({ key: "HEADER", field: checkedField(field), text });
  return keys;
}

function checkedField(field: string): string {
  if (/^[!-9;-~]+$/.test(field)) return field;
  throw new LocalProtocolError("a header's name has printable characters of ASCII, without a colon");
}

function dayKeys(query: SearchQuery): SearchKey[] {
  const keys: SearchKey[] = [];
  for (const [name, key] of days) {
    const day = query[name] as SearchDay | undefined;
    if (day !== undefined) keys.push({ key, date: day instanceof Date ? utcDay(day) : day });
  }
  return keys;
}

function utcDay(date: Date): ImapDate {
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

function numberKeys(query: SearchQuery): SearchKey[] {
  const { larger, smaller, olderSeconds, youngerSeconds, modSeq, gmailMessageId, gmailThreadId } = query;
  const keys: SearchKey[] = [];
  if (larger !== undefined) keys.push({ key: "LARGER", octets: larger });
  if (smaller !== undefined) keys.push({ key: "SMALLER", octets: smaller });
  if (olderSeconds !== undefined) keys.push({ key: "OLDER", seconds: olderSeconds });
  if (youngerSeconds !== undefined) keys.push({ key: "YOUNGER", seconds: youngerSeconds });
  if (modSeq !== undefined) keys.push({ key: "MODSEQ", modSeq });
  if (gmailMessageId !== undefined) keys.push({ key: "X-GM-MSGID", id: gmailMessageId });
  if (gmailThreadId !== undefined) keys.push({ key: "X-GM-THRID", id: gmailThreadId });
  if (query.uid !== undefined) keys.push(setKey("UID", query.uid));
  if (query.sequence !== undefined) keys.push(setKey("SEQUENCE", query.sequence));
  return keys;
}

/** Sets stand in keys as they stand on the wire, and `$` is of neither kind. */
function setKey(key: "UID" | "SEQUENCE", messages: MessageSet): SearchKey {
  const { set } = chosenSet(messages, key === "UID");
  if (isSaved(set)) return { key: "SEQUENCE", set: SequenceSet.searchResult };
  return { key, set: set.kind === "sequence" ? set : SequenceSet.parse(String(set)) };
}

function nestedKeys(query: SearchQuery): SearchKey[] {
  const keys: SearchKey[] = several(query.not).map((one) => ({ key: "NOT", operand: searchKeyOf(one) }));
  if (query.or !== undefined) keys.push(anyOf(query.or.map(searchKeyOf)));
  if (query.fuzzy !== undefined) keys.push({ key: "FUZZY", operand: searchKeyOf(query.fuzzy) });
  return keys;
}

function anyOf(keys: readonly SearchKey[]): SearchKey {
  const [first, ...rest] = keys;
  if (first === undefined) throw new LocalProtocolError("one of no alternatives cannot hold");
  return rest.length === 0 ? first : { key: "OR", left: first, right: anyOf(rest) };
}

function several<T>(value: OneOrMore<T> | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** `UTF-8` where a text of the key has more than ASCII. */
export function charsetOf(key: SearchKey): "UTF-8" | undefined {
  const isWide = (text: string): boolean => /[^\0-\x7f]/.test(text);
  return mentions(key, (one) => "text" in one && isWide(one.text)) ? "UTF-8" : undefined;
}
