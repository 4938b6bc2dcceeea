/** The items and modifiers of FETCH, from the wire and to it: RFC 9051 section 6.4.5, RFC 7162, RFC 8970, RFC 9394. */
import { atom, type CommandPart, list, section as sectionPart } from "./codec-parts.js";
import { section, sectionBinary } from "./codec-section.js";
import type { TokenReader } from "./codec-tokens.js";
import type { FetchItem, PartialOctets, PartialRange, PlainFetchItem } from "./types-command.js";
import type { Section } from "./types-message.js";

const plain: readonly PlainFetchItem[] = [
  ...([
    "FLAGS",
    "UID",
    "INTERNALDATE",
    "RFC822.SIZE",
    "ENVELOPE",
    "BODY",
    "BODYSTRUCTURE",
    "MODSEQ",
  ] as const),
  ...(["RFC822", "RFC822.HEADER", "RFC822.TEXT", "EMAILID", "THREADID", "SAVEDATE"] as const),
  ...(["X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS"] as const),
];
const plainItems = new Map<string, FetchItem>(plain.map((item) => [item, Object.freeze({ item })]));

const fast: readonly PlainFetchItem[] = ["FLAGS", "INTERNALDATE", "RFC822.SIZE"];
const macros = new Map<string, readonly FetchItem[]>([
  ["FAST", fast.map((item) => ({ item }))],
  ["ALL", [...fast, "ENVELOPE" as const].map((item) => ({ item }))],
  ["FULL", [...fast, "ENVELOPE" as const, "BODY" as const].map((item) => ({ item }))],
]);

/** A macro, one item, or a list of items. */
export function fetchItems(r: TokenReader): readonly FetchItem[] {
  if (r.byte === 0x28)
    return nonEmpty(
      r,
      r.list(() => fetchItem(r)),
    );
  const from = r.pos;
  const macro = macros.get(itemWord(r));
  if (macro !== undefined && r.byte !== 0x5b) return macro;
  r.pos = from;
  return [fetchItem(r)];
}

function nonEmpty(r: TokenReader, items: readonly FetchItem[]): readonly FetchItem[] {
  return items.length > 0 ? items : r.fail("an item was due");
}

/** An item's name, up to its bracket. */
function itemWord(r: TokenReader): string {
  const from = r.pos;
  while (!r.done && r.byte !== 0x20 && r.byte !== 0x5b && r.byte !== 0x29) r.pos += 1;
  return r.word(from).toUpperCase();
}

/** fetch-att */
export function fetchItem(r: TokenReader): FetchItem {
  const word = itemWord(r);
  const bracket = r.byte === 0x5b;
  const found = bracket ? undefined : plainItems.get(word);
  if (found !== undefined) return found;
  if (word === "PREVIEW") return { item: "PREVIEW", lazy: lazy(r) };
  if (bracket && (word === "BODY" || word === "BODY.PEEK"))
    return { item: "BODY[]", section: section(r), peek: word === "BODY.PEEK", partial: partialOctets(r) };
  if (bracket && (word === "BINARY" || word === "BINARY.PEEK"))
    return {
      item: "BINARY[]",
      part: sectionBinary(r),
      peek: word === "BINARY.PEEK",
      partial: partialOctets(r),
    };
  if (bracket && word === "BINARY.SIZE") return { item: "BINARY.SIZE", part: sectionBinary(r) };
  return r.fail("there is no such item");
}

/** `PREVIEW (LAZY)`: RFC 8970 section 3.1. */
function lazy(r: TokenReader): boolean {
  const from = r.pos;
  if (r.spaces() && r.byte === 0x28)
    return r.list(() => r.acceptWord("LAZY") || r.fail("LAZY was due")).length > 0;
  r.pos = from;
  return false;
}

function partialOctets(r: TokenReader): PartialOctets | undefined {
  if (!r.accept(0x3c)) return undefined;
  const offset = r.number();
  r.expect(0x2e);
  const octets = r.number();
  if (octets === 0) r.fail("a partial has one octet at least");
  r.expect(0x3e);
  return { offset, octets };
}

/** What FETCH takes behind its items. */
export interface FetchModifiers {
  changedSince: bigint | undefined;
  vanished: boolean;
  partial: PartialRange | undefined;
}

/** fetch-modifiers, if they are there: `(CHANGEDSINCE 5 VANISHED)`. */
export function fetchModifiers(r: TokenReader): FetchModifiers {
  const found: FetchModifiers = { changedSince: undefined, vanished: false, partial: undefined };
  if (!r.spaces()) return found;
  r.list(() => {
    const name = r.atom().toUpperCase();
    if (name === "VANISHED") found.vanished = true;
    else {
      r.sp();
      if (name === "CHANGEDSINCE") found.changedSince = r.number64();
      else if (name === "PARTIAL") found.partial = partialRange(r);
      else r.fail("there is no such modifier");
    }
  });
  return found;
}

/** partial-range: `1:100` or `-1:-100` (RFC 9394 section 3.4). */
export function partialRange(r: TokenReader): PartialRange {
  const from = r.pos;
  const [, first, last] = /^(-?[0-9]{1,10}):(-?[0-9]{1,10})$/.exec(r.atom()) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (range.first * range.last > 0) return range;
  r.pos = from;
  return r.fail("a range was due");
}

/** `-1:-100` */
export function formatPartialRange({ first, last }: PartialRange): string {
  return `${first}:${last}`;
}

/** Items as the argument of FETCH, in parentheses. */
export function fetchItemsPart(items: readonly FetchItem[]): CommandPart {
  return list(...items.flatMap(itemParts));
}

function itemParts(item: FetchItem): CommandPart[] {
  switch (item.item) {
    case "PREVIEW":
      return item.lazy ? [atom("PREVIEW"), list(atom("LAZY"))] : [atom("PREVIEW")];
    case "BODY[]":
      return [sectionPart(item.peek ? "BODY.PEEK" : "BODY", item.section, item.partial)];
    case "BINARY[]":
      return [sectionPart(item.peek ? "BINARY.PEEK" : "BINARY", wholePart(item.part), item.partial)];
    case "BINARY.SIZE":
      return [sectionPart("BINARY.SIZE", wholePart(item.part))];
    default:
      return [atom(item.item)];
  }
}

function wholePart(part: string): Section {
  return { part, text: "", fields: [] };
}
