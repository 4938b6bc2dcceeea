/** FETCH and UIDFETCH responses: RFC 9051 section 7.5.2, RFC 7162, RFC 8474, RFC 8514, RFC 8970, RFC 9586. */
import { HawserError } from "../core/errors.js";
import { bodyStructure } from "./codec-bodystructure.js";
import { parseDateTime } from "./codec-date.js";
import { envelope } from "./codec-envelope.js";
import type { LiteralEvent } from "./codec-framer.js";
import { origin, section, sectionBinary } from "./codec-section.js";
import { type ParseOptions, TokenReader } from "./codec-tokens.js";
import { closeStructure } from "./codec-tolerant.js";
import type {
  BinarySectionData,
  BodySectionData,
  FetchAttributes,
  Section,
  SectionData,
} from "./types-message.js";

const open = 0x28;
const close = 0x29;
const openBracket = 0x5b;

/** msg-att: `(` items `)`. An item that cannot be read is a defect, and the next one is looked for. */
export function messageAttributes(r: TokenReader): FetchAttributes {
  const attributes: FetchAttributes = {};
  r.expect(open);
  for (r.spaces(); !r.done; r.spaces()) {
    if (r.byte === close) {
      r.pos += 1;
      r.spaces();
      if (!r.done) r.defect("a parenthesis too many");
      continue;
    }
    if (!item(r, attributes)) return attributes;
  }
  if (r.text[r.end - 1] !== close) r.defect("FETCH is not closed");
  return attributes;
}

/** One item; false when nothing behind it can be read either. */
function item(r: TokenReader, attributes: FetchAttributes): boolean {
  const from = r.pos;
  let valueAt = from;
  try {
    const name = itemName(r);
    valueAt = r.pos;
    (items[name] ?? unknownItem(name))(r, attributes);
    return true;
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    r.defect(error.message);
  }
  return resynchronise(r, from, valueAt);
}

/** Puts the cursor behind the item that broke: its value is skipped as a whole, whatever it is. */
function resynchronise(r: TokenReader, from: number, valueAt: number): boolean {
  try {
    r.pos = valueAt;
    r.spaces();
    r.skipValue();
    return r.pos > from;
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    return false;
  }
}

/** The name of an item in upper case, up to a space or a bracket. */
function itemName(r: TokenReader): string {
  const from = r.pos;
  for (; r.pos < r.end; r.pos += 1) {
    const byte = r.byte;
    if (byte === 0x20 || byte === openBracket || byte === open || byte === close) break;
  }
  if (r.pos === from) r.fail("an item's name was due");
  return nameOf(r, from);
}

const names = new Map<string, string>();

function nameOf(r: TokenReader, from: number): string {
  const sent = r.word(from);
  const known = names.get(sent);
  if (known !== undefined) return known;
  const name = sent.toUpperCase();
  if (items[name] !== undefined) names.set(sent, name);
  return name;
}

type Item = (r: TokenReader, attributes: FetchAttributes) => void;

/** An item whose value follows after a space. */
function valued(read: Item): Item {
  return (r, attributes) => {
    r.sp();
    read(r, attributes);
  };
}

const items: Readonly<Record<string, Item>> = {
  __proto__: null as never,
  FLAGS: valued((r, to) => {
    to.flags = r.flagList();
  }),
  UID: valued((r, to) => {
    to.uid = r.number();
  }),
  INTERNALDATE: valued((r, to) => {
    to.internalDate = parseDateTime(r.string());
  }),
  "RFC822.SIZE": valued((r, to) => {
    to.size = r.number();
  }),
  ENVELOPE: valued((r, to) => {
    to.envelope = envelope(r);
  }),
  BODYSTRUCTURE: valued((r, to) => {
    to.bodyStructure = bodyStructure(r);
  }),
  BODY: (r, to) => {
    if (r.byte === openBracket) bodySection(r, to);
    else {
      r.sp();
      to.body = bodyStructure(r);
    }
  },
  BINARY: (r, to) => {
    const head = { part: sectionBinary(r), origin: origin(r) };
    r.sp();
    to.binary ??= [];
    to.binary.push({ ...head, data: r.nstringData() });
  },
  "BINARY.SIZE": (r, to) => {
    const part = sectionBinary(r);
    r.sp();
    to.binarySize ??= [];
    to.binarySize.push({ part, octets: r.number() });
  },
  RFC822: valued((r, to) => {
    to.rfc822 = r.nstringData();
  }),
  "RFC822.HEADER": valued((r, to) => {
    to.rfc822Header = r.nstringData();
  }),
  "RFC822.TEXT": valued((r, to) => {
    to.rfc822Text = r.nstringData();
  }),
  MODSEQ: valued((r, to) => {
    to.modSeq = parenthesized(r, () => r.number64());
  }),
  EMAILID: valued((r, to) => {
    to.emailId = parenthesized(r, () => r.astring());
  }),
  THREADID: valued((r, to) => {
    to.threadId = r.nil() ? null : parenthesized(r, () => r.astring());
  }),
  SAVEDATE: valued((r, to) => {
    to.saveDate = r.nil() ? null : parseDateTime(r.string());
  }),
  PREVIEW: valued((r, to) => {
    to.preview = r.nstring();
  }),
  "X-GM-MSGID": valued((r, to) => {
    to.gmailMessageId = r.number64();
  }),
  "X-GM-THRID": valued((r, to) => {
    to.gmailThreadId = r.number64();
  }),
  "X-GM-LABELS": valued((r, to) => {
    to.gmailLabels = r.list(() => (r.byte === 0x5c ? r.flag() : r.astring()));
  }),
};

function unknownItem(name: string): Item {
  return (r, to) => {
    r.spaces();
    const raw = r.done || r.byte === close ? new Uint8Array(0) : r.skipValue();
    to.other ??= [];
    to.other.push({ name, raw });
  };
}

/** BODY[section]<origin>. A message may have some thousand, so the list grows in place. */
function bodySection(r: TokenReader, to: FetchAttributes): void {
  const head = bodySectionHead(r);
  r.sp();
  to.sections ??= [];
  if (to.sections.length >= r.limits.maxItems) r.fail("a message has too many sections");
  to.sections.push({ ...head, data: r.nstringData() });
}

function bodySectionHead(r: TokenReader): { section: Section; origin: number | undefined } {
  return { section: section(r), origin: origin(r) };
}

/** `(` value `)`; seen: servers that leave the parentheses out. */
function parenthesized<T>(r: TokenReader, one: () => T): T {
  if (!r.accept(open)) {
    r.defect("a value is not in parentheses");
    return one();
  }
  r.spaces();
  const value = one();
  closeStructure(r, "a value", false);
  return value;
}

/** What a literal that is about to be streamed belongs to. */
export interface FetchLiteral {
  /** The message; undefined in a UIDFETCH, where the UID is in the attributes. */
  readonly sequence: number | undefined;
  /** What came before it; a UID may still follow. */
  readonly attributes: FetchAttributes;
  readonly item: BodySectionData | BinarySectionData | "rfc822" | "rfc822Header" | "rfc822Text";
}

/**
 * Says to which message and section the octets of a streamed literal belong; undefined when it is no such value (a subject
 * of some megabytes, say): then read the octets and forget them.
 */
export function parseFetchLiteral(event: LiteralEvent, options: ParseOptions = {}): FetchLiteral | undefined {
  const r = new TokenReader(event.before, options);
  const head = /^\* ([0-9]{1,10}) (UID)?FETCH (?=\()/i.exec(r.text.toString("latin1", 0, 40));
  if (head === null) return undefined;
  r.pos = head[0].length;
  const attributes = messageAttributes(r);
  const item = streamedItem(attributes, event.index);
  const number = Number(head[1]);
  if (item === undefined) return undefined;
  if (head[2] === undefined) return { sequence: number, attributes, item };
  return { sequence: undefined, attributes: { uid: number, ...attributes }, item };
}

/** The value that is the literal of this index. */
function streamedItem(attributes: FetchAttributes, index: number): FetchLiteral["item"] | undefined {
  const isIt = (data: SectionData | undefined): boolean =>
    data !== null && data !== undefined && "streamed" in data && data.index === index;
  const found = [attributes.sections?.at(-1), attributes.binary?.at(-1)].find((value) => isIt(value?.data));
  return found ?? (["rfc822", "rfc822Header", "rfc822Text"] as const).find((name) => isIt(attributes[name]));
}
