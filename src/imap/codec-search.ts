/** Search keys from the wire and to it: RFC 9051 section 6.4.4, and what SORT and THREAD share with SEARCH. */
import { LocalProtocolError } from "../core/errors.js";
import { parseDate } from "./codec-date.js";
import { formatPartialRange, partialRange } from "./codec-fetch-items.js";
import * as part from "./codec-parts.js";
import { SequenceSet } from "./codec-sequence-set.js";
import { decodeText, type TokenReader } from "./codec-tokens.js";
import type {
  DateSearchKey,
  PlainSearchKey,
  SearchKey,
  SearchReturn,
  SortCriterion,
  TextSearchKey,
} from "./types-command.js";

const open = 0x28;

/** What is known while keys are read: how text is decoded, and how deep they stand. */
interface Context {
  readonly decode: (bytes: Uint8Array) => string;
  depth: number;
}

type ReadKey = (r: TokenReader, context: Context) => SearchKey;

const plainKeys: readonly PlainSearchKey[] = [
  ...(["ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "NEW", "OLD", "RECENT", "SEEN"] as const),
  ...(["UNANSWERED", "UNDELETED", "UNDRAFT", "UNFLAGGED", "UNSEEN", "SAVEDATESUPPORTED"] as const),
];
const textKeys: readonly TextSearchKey[] = [
  ...(["BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO"] as const),
  ...(["EMAILID", "THREADID", "FILTER", "X-GM-RAW", "X-GM-LABELS"] as const),
];
const dateKeys: readonly DateSearchKey[] = [
  ...(["BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"] as const),
  ...(["SAVEDBEFORE", "SAVEDON", "SAVEDSINCE"] as const),
];

const readers: ReadonlyMap<string, ReadKey> = new Map<string, ReadKey>([
  ...plainKeys.map((key): [string, ReadKey] => [key, () => ({ key })]),
  ...textKeys.map((key): [string, ReadKey] => [key, (r, c) => ({ key, text: text(r, c) })]),
  ...dateKeys.map((key): [string, ReadKey] => [key, (r) => ({ key, date: date(r) })]),
  ...(["KEYWORD", "UNKEYWORD"] as const).map((key): [string, ReadKey] => [
    key,
    (r) => ({ key, flag: keyword(r) }),
  ]),
  ...(["LARGER", "SMALLER"] as const).map((key): [string, ReadKey] => [
    key,
    (r) => ({ key, octets: number(r) }),
  ]),
  ...(["OLDER", "YOUNGER"] as const).map((key): [string, ReadKey] => [
    key,
    (r) => ({ key, seconds: interval(r) }),
  ]),
  ...(["X-GM-MSGID", "X-GM-THRID"] as const).map((key): [string, ReadKey] => [
    key,
    (r) => ({ key, id: number64(r) }),
  ]),
  ...(["NOT", "FUZZY"] as const).map((key): [string, ReadKey] => [
    key,
    (r, c) => ({ key, operand: operand(r, c) }),
  ]),
  ["OR", (r, c) => ({ key: "OR", left: operand(r, c), right: operand(r, c) })],
  ["HEADER", (r, c) => ({ key: "HEADER", field: field(r), text: text(r, c) })],
  ["UID", (r) => ({ key: "UID", set: set(r) })],
  ["MODSEQ", modSeq],
]);

/** The keys up to the end of the command: one, or several that must all hold. */
export function searchKeys(r: TokenReader, charset?: string): SearchKey {
  const context: Context = { decode: decoderFor(charset), depth: 0 };
  const keys = [searchKey(r, context)];
  for (r.spaces(); !r.done; r.spaces()) {
    if (keys.length >= r.limits.maxItems) r.fail("a list is too long");
    keys.push(searchKey(r, context));
  }
  return keys.length === 1 ? (keys[0] as SearchKey) : { key: "AND", keys };
}

/** search-key */
function searchKey(r: TokenReader, context: Context): SearchKey {
  context.depth += 1;
  if (context.depth > r.limits.maxDepth) r.fail("search keys are too deep");
  const key = oneKey(r, context);
  context.depth -= 1;
  return key;
}

function oneKey(r: TokenReader, context: Context): SearchKey {
  const { byte } = r;
  if (byte === open) return group(r, context);
  if ((byte >= 0x30 && byte <= 0x39) || byte === 0x2a || byte === 0x24)
    return { key: "SEQUENCE", set: SequenceSet.parse(r.setText(), r.limits.maxItems) };
  const from = r.pos;
  const read = readers.get(r.atom().toUpperCase());
  if (read === undefined) {
    r.pos = from;
    return r.fail("there is no such search key");
  }
  return read(r, context);
}

function group(r: TokenReader, context: Context): SearchKey {
  const keys = r.list(() => searchKey(r, context));
  if (keys.length === 0) r.fail("a search key was due");
  return keys.length === 1 ? (keys[0] as SearchKey) : { key: "AND", keys };
}

function operand(r: TokenReader, context: Context): SearchKey {
  r.sp();
  return searchKey(r, context);
}

function text(r: TokenReader, { decode }: Context): string {
  r.sp();
  return decode(r.astringBytes());
}

function field(r: TokenReader): string {
  r.sp();
  return r.astring();
}

function keyword(r: TokenReader): string {
  r.sp();
  return r.flag();
}

function number(r: TokenReader): number {
  r.sp();
  return r.number();
}

function number64(r: TokenReader): bigint {
  r.sp();
  return r.number64();
}

/** RFC 5032: a number of seconds that is not 0. */
function interval(r: TokenReader): number {
  return number(r) || r.fail("a number of seconds was due");
}

function set(r: TokenReader): SequenceSet {
  r.sp();
  return SequenceSet.parse(r.setText(), r.limits.maxItems);
}

/** date: bare or quoted. */
function date(r: TokenReader) {
  r.sp();
  return parseDate(r.astring());
}

/** `MODSEQ ["/flags/\\Draft" all] 5`: RFC 7162 section 3.1.5. */
function modSeq(r: TokenReader): SearchKey {
  r.sp();
  if (r.byte !== 0x22) return { key: "MODSEQ", modSeq: r.number64() };
  const name = r.quoted();
  r.sp();
  const scope = (["priv", "shared", "all"] as const).find((word) => r.acceptWord(word.toUpperCase()));
  if (scope === undefined) r.fail("priv, shared or all was due");
  return { key: "MODSEQ", entry: { name, scope }, modSeq: number64(r) };
}

/** Text of a search in the charset that it names; one that is not known here is for the server to refuse. */
function decoderFor(charset: string | undefined): Context["decode"] {
  if (charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)) return decodeText;
  try {
    const decoder = new TextDecoder(charset);
    return (bytes) => decoder.decode(bytes);
  } catch {
    return decodeText;
  }
}

const returnOptions = ["MIN", "MAX", "COUNT", "ALL", "SAVE", "UPDATE", "CONTEXT"] as const;

/** search-return-opts behind RETURN: `(MIN COUNT PARTIAL 1:100)`. */
export function searchReturn(r: TokenReader): SearchReturn {
  let range: SearchReturn["partial"];
  const options: SearchReturn["options"][number][] = [];
  r.list(() => {
    const from = r.pos;
    const word = r.atom().toUpperCase();
    const option = returnOptions.find((one) => one === word);
    if (option !== undefined) options.push(option);
    else if (word === "PARTIAL") {
      r.sp();
      range = partialRange(r);
    } else {
      r.pos = from;
      r.fail("there is no such result option");
    }
  });
  return range === undefined ? { options } : { options, partial: range };
}

const sortKeys = [
  "ARRIVAL",
  "CC",
  "DATE",
  "FROM",
  "SIZE",
  "SUBJECT",
  "TO",
  "DISPLAYFROM",
  "DISPLAYTO",
] as const;

/** sort-criteria: `(REVERSE DATE SUBJECT)`. */
export function sortCriteria(r: TokenReader): SortCriterion[] {
  const criteria = r.list(() => {
    const reverse = r.acceptWord("REVERSE");
    if (reverse) r.sp();
    const by = sortKeys.find((key) => r.acceptWord(key));
    return { by: by ?? r.fail("there is no such sort key"), reverse };
  });
  return criteria.length > 0 ? criteria : r.fail("a sort key was due");
}

/** A search key as parts of a command; several that must all hold follow each other. */
export function searchKeyParts(key: SearchKey): part.CommandPart[] {
  if (key.key !== "AND") return operandParts(key);
  if (key.keys.length === 0) throw new LocalProtocolError("a search has one key at least");
  return key.keys.flatMap(operandParts);
}

/** A key where one is due: what has several is put in parentheses. */
function operandParts(key: SearchKey): part.CommandPart[] {
  if (key.key === "AND") return [part.list(...searchKeyParts(key))];
  if (key.key === "SEQUENCE") return [part.set(key.set)];
  return [part.atom(key.key), ...argumentParts(key)];
}

function argumentParts(key: SearchKey): part.CommandPart[] {
  if ("field" in key) return [part.astring(key.field), part.astring(key.text)];
  if ("text" in key) return [part.astring(key.text)];
  if ("date" in key) return [part.date(key.date)];
  if ("flag" in key) return [part.flag(key.flag)];
  if ("octets" in key) return [part.number(key.octets)];
  if ("seconds" in key) return [part.number(key.seconds)];
  if ("id" in key) return [part.number(key.id)];
  if ("set" in key) return [part.set(key.set)];
  if ("modSeq" in key) return modSeqParts(key);
  if ("operand" in key) return operandParts(key.operand);
  return "left" in key ? [...operandParts(key.left), ...operandParts(key.right)] : [];
}

function modSeqParts({ entry, modSeq }: Extract<SearchKey, { key: "MODSEQ" }>): part.CommandPart[] {
  const value = part.number(modSeq);
  return entry === undefined ? [value] : [part.string(entry.name), part.atom(entry.scope), value];
}

/** RETURN (…) as parts of a command. */
export function searchReturnParts({ options, partial }: SearchReturn): part.CommandPart[] {
  const range = partial === undefined ? [] : [part.atom("PARTIAL"), part.atom(formatPartialRange(partial))];
  return [part.atom("RETURN"), part.list(...options.map(part.atom), ...range)];
}

/** `(REVERSE DATE)` as a part of a command. */
export function sortCriteriaPart(criteria: readonly SortCriterion[]): part.CommandPart {
  return part.list(
    ...criteria.flatMap(({ by, reverse }) =>
      reverse ? [part.atom("REVERSE"), part.atom(by)] : [part.atom(by)],
    ),
  );
}
