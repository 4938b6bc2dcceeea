/** The items of one FETCH: from names to the command, and from a response to what the caller asked for. */
import { HawserError, LocalProtocolError } from "../core/errors.js";
import type { EffectDetails } from "./client-effects.js";
import { fetchItem } from "./codec-fetch-items.js";
import { TokenReader } from "./codec-tokens.js";
import type { FetchItem } from "./types-command.js";
import type { BinarySectionData, BodySectionData, FetchAttributes, SectionData } from "./types-message.js";

const attributeOf: Readonly<Record<string, keyof FetchAttributes>> = {
  ...{
    FLAGS: "flags",
    UID: "uid",
    INTERNALDATE: "internalDate",
    "RFC822.SIZE": "size",
    ENVELOPE: "envelope",
  },
  ...{ BODY: "body", BODYSTRUCTURE: "bodyStructure", MODSEQ: "modSeq", RFC822: "rfc822", EMAILID: "emailId" },
  ...{
    "RFC822.HEADER": "rfc822Header",
    "RFC822.TEXT": "rfc822Text",
    THREADID: "threadId",
    SAVEDATE: "saveDate",
  },
  ...{ PREVIEW: "preview", "X-GM-MSGID": "gmailMessageId", "X-GM-THRID": "gmailThreadId" },
  ...{ "X-GM-LABELS": "gmailLabels" },
};

const setsSeen: ReadonlySet<string> = new Set(["RFC822", "RFC822.TEXT"]);

/** What a FETCH asks for, ready to be compared with what comes. */
export class AskedItems {
  readonly items: readonly FetchItem[];
  /** The attributes that a complete answer has, and how many sections of each kind. */
  readonly #attributes: readonly (keyof FetchAttributes)[];
  readonly #bodies: ReadonlyMap<string, string>;
  readonly #binaries: ReadonlyMap<string, string>;
  readonly #sizes: ReadonlyMap<string, string>;
  readonly #telling: readonly (keyof FetchAttributes)[];
  readonly #isPlain: boolean;
  /** The names of the sections, as they were asked for. */
  readonly sectionNames: readonly string[];

  /** @throws {LocalProtocolError} there is no such item. */
  constructor(names: readonly string[]) {
    const asked = names.map((name): readonly [string, FetchItem] => [name, parsedItem(name)]);
    if (asked.length === 0) throw new LocalProtocolError("FETCH needs an item");
    const withUid = asked.some(([, { item }]) => item === "UID");
    // What is large comes last, so that the rest is known when it begins to stream.
    const parsed = asked.map(([, item]) => item);
    const small = parsed.filter((item) => !isLarge(item));
    this.items = [...(withUid ? [] : [{ item: "UID" as const }]), ...small, ...parsed.filter(isLarge)];
    this.#isPlain = !this.items.some((item) => isLarge(item) || item.item === "BINARY.SIZE");
    this.#attributes = this.items.flatMap(({ item }) => attributeOf[item] ?? []);
    this.#bodies = keyed(asked, "BODY[]");
    this.#binaries = keyed(asked, "BINARY[]");
    this.#sizes = keyed(asked, "BINARY.SIZE");
    this.sectionNames = [...this.#bodies.values(), ...this.#binaries.values()];
    this.#telling = [
      ...this.#attributes.filter((name) => name !== "flags" && name !== "uid" && name !== "modSeq"),
      ...(this.#bodies.size > 0 ? (["sections"] as const) : []),
      ...(this.#binaries.size > 0 ? (["binary"] as const) : []),
      ...(this.#sizes.size > 0 ? (["binarySize"] as const) : []),
    ];
  }

  /** No octets are among what was asked for: an answer needs no arranging. */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  get effects(): EffectDetails {
    return {
      readsFlags: this.items.some(({ item }) => item === "FLAGS" || item === "MODSEQ"),
      setsSeen: this.items.some((item) => setsSeen.has(item.item) || ("peek" in item && !item.peek)),
    };
  }

  /** Whether the answer has all that was asked for. */
  isComplete(answer: FetchAttributes): boolean {
    for (const name of this.#attributes) if (answer[name] === undefined) return false;
    return (
      (answer.sections?.length ?? 0) >= this.#bodies.size &&
      (answer.binary?.length ?? 0) >= this.#binaries.size &&
      (answer.binarySize?.length ?? 0) >= this.#sizes.size
    );
  }

  /** Whether the answer has something that no server sends of its own accord. */
  isTelling(answer: FetchAttributes): boolean {
    return this.#telling.some((name) => answer[name] !== undefined);
  }

  /** What is missing in an answer, in words. */
  missing(answer: FetchAttributes): string[] {
    const found = this.#attributes
      .filter((name) => answer[name] === undefined)
      .map((name) => `${name} is missing`);
    return (answer.sections?.length ?? 0) < this.#bodies.size ? [...found, "a section is missing"] : found;
  }

  /** The name that the caller has given to a section. */
  nameOf(data: BodySectionData | BinarySectionData): string | undefined {
    return "part" in data ? this.#binaries.get(binaryKey(data)) : this.#bodies.get(bodyKey(data));
  }

  /** Sections and sizes by the names that they were asked for; `convert` makes the data what the caller gets. */
  arrange(
    answer: FetchAttributes,
    convert: (data: SectionData) => unknown,
  ): { sections?: Record<string, unknown>; binarySizes?: Record<string, number> } {
    const arranged: { sections?: Record<string, unknown>; binarySizes?: Record<string, number> } = {};
    if (this.sectionNames.length > 0) arranged.sections = this.#arrangeSections(answer, convert);
    if (this.#sizes.size > 0) {
      const sizes = (answer.binarySize ?? []).map(({ part, octets }) => [
        this.#sizes.get(part) ?? part,
        octets,
      ]);
      arranged.binarySizes = Object.fromEntries(sizes);
    }
    return arranged;
  }

  #arrangeSections(
    { sections = [], binary = [] }: FetchAttributes,
    convert: (data: SectionData) => unknown,
  ): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (const one of sections) record[this.nameOf(one) ?? `BODY${bodyKey(one)}`] = convert(one.data);
    for (const one of binary) record[this.nameOf(one) ?? `BINARY[${binaryKey(one)}]`] = convert(one.data);
    return record;
  }
}

const parsedItems = new Map<string, FetchItem>();

/** The item of a name. What programs ask for is the same again and again. */
function parsedItem(name: string): FetchItem {
  const known = parsedItems.get(name);
  if (known !== undefined) return known;
  const item = parseItem(name);
  if (parsedItems.size < 200) parsedItems.set(name, item);
  return item;
}

function parseItem(name: string): FetchItem {
  if (/[^\x20-\x7e]/.test(name)) throw new LocalProtocolError("an item of FETCH is printable ASCII");
  try {
    const reader = new TokenReader({ text: Buffer.from(name), literals: [] });
    const item = fetchItem(reader);
    if (reader.done) return item;
  } catch (cause) {
    if (!(cause instanceof HawserError)) throw cause;
  }
  throw new LocalProtocolError(`FETCH has no item ${JSON.stringify(name)}`);
}

function isLarge({ item }: FetchItem): boolean {
  return item === "BODY[]" || item === "BINARY[]" || (item.startsWith("RFC822") && item !== "RFC822.SIZE");
}

function keyed(
  asked: readonly (readonly [string, FetchItem])[],
  kind: FetchItem["item"],
): Map<string, string> {
  const keys = new Map<string, string>();
  for (const [name, item] of asked) {
    if (item.item !== kind) continue;
    if (item.item === "BODY[]") keys.set(bodyKey({ ...item, origin: item.partial?.offset }), name);
    else if (item.item === "BINARY[]") keys.set(binaryKey({ ...item, origin: item.partial?.offset }), name);
    else if (item.item === "BINARY.SIZE") keys.set(item.part, name);
  }
  return keys;
}

function bodyKey({ section, origin }: Pick<BodySectionData, "section" | "origin">): string {
  if (section.part === "" && section.text === "" && origin === undefined) return "[]";
  const fields = section.fields.join(" ");
  return `[${section.part}.${section.text} (${fields})]${originKey(origin)}`.toUpperCase();
}

function binaryKey({ part, origin }: Pick<BinarySectionData, "part" | "origin">): string {
  return `${part}${originKey(origin)}`;
}

function originKey(origin: number | undefined): string {
  return origin === undefined ? "" : `<${origin}>`;
}
