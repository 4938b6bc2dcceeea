/** From the FETCH responses of a server to the messages that the caller gets: whole, in parts, or with live sections. */
import { LimitError } from "../core/errors.js";
import type { AskedItems } from "./client-fetch-items.js";
import { Gathered, heldBody, type LiteralSink, LiveLiteral } from "./client-literal.js";
import type { FetchLiteral } from "./codec-fetch.js";
import type { LiteralEvent } from "./codec-framer.js";
import type { FetchAttributes, SectionData } from "./types-message.js";
import type { FetchResponse } from "./types-response.js";

/** How answers are built. */
export interface AnswerOptions {
  readonly as: "bytes" | "stream";
  readonly maxBytes: number;
  readonly maxHeldBytes: number;
  onRoom(): void;
  /** A section is larger than `maxBytes`. */
  failed(error: LimitError): void;
}

/** A message whose large sections still arrive: the caller has it already. */
interface LiveMessage {
  readonly message: Record<string, unknown>;
  /** By the names of the sections. */
  readonly sections: ReadonlyMap<string, LiveLiteral>;
}

const single = ["rfc822", "rfc822Header", "rfc822Text"] as const;
/** Messages that are answered in several responses: more than so many are not put together. */
const maxPartial = 1_000;

export class AnswerBuilder<Message> {
  readonly #asked: AskedItems;
  readonly #options: AnswerOptions;
  /** Literals of the response that is under way, by their index: gathered bytes. */
  #gathered: Map<number, Uint8Array> = new Map();
  #live: LiveMessage | undefined;
  /** The message that the caller is at, if it streams. */
  #current: LiveMessage | undefined;
  readonly #byMessage: WeakMap<object, LiveMessage> = new WeakMap();
  #parts: Map<number, FetchAttributes> = new Map();

  constructor(asked: AskedItems, options: AnswerOptions) {
    this.#asked = asked;
    this.#options = options;
  }

  /** Whether a live section is being waited for. */
  get waits(): boolean {
    const live = this.#live;
    return live !== undefined && [...live.sections.values()].some((section) => section.waits);
  }

  /** Whether the response that comes is one that the caller has begun to read. */
  get isLive(): boolean {
    return this.#live !== undefined;
  }

  /** A literal that is not held with its response: where it goes, and the message where it is the first to stream. */
  literal(event: LiteralEvent, found: FetchLiteral): { sink: LiteralSink; message?: Message } {
    if (this.#options.as === "bytes") return { sink: this.#gather(event.index) };
    const begun = this.#live === undefined;
    this.#live ??= this.#begin(found);
    const name = typeof found.item === "string" ? found.item : (this.#asked.nameOf(found.item) ?? "");
    const sink = this.#live.sections.get(name) ?? this.#gather(event.index);
    return begun ? { sink, message: this.#live.message as Message } : { sink };
  }

  #gather(index: number): Gathered {
    return new Gathered(this.#options.maxBytes, (data) => {
      if (data instanceof LimitError) this.#options.failed(data);
      else this.#gathered.set(index, data);
    });
  }

  #begin({ sequence, attributes }: FetchLiteral): LiveMessage {
    const singles = single.filter((name) => this.#asked.isTelling({ [name]: new Uint8Array(0) }));
    const newLive = (name: string): [string, LiveLiteral] => [
      name,
      new LiveLiteral(this.#options.maxHeldBytes, () => this.#options.onRoom()),
    ];
    const sections = new Map([...this.#asked.sectionNames, ...singles].map(newLive));
    const bodies = Object.fromEntries(
      this.#asked.sectionNames.map((name) => [name, sections.get(name)?.body]),
    );
    const message: Record<string, unknown> = { ...attributes, sequence, defects: [], sections: bodies };
    for (const name of singles) message[name] = sections.get(name)?.body;
    const live = { message, sections };
    this.#byMessage.set(message, live);
    return live;
  }

  /** A response is whole: the message, unless the caller has it already or more of it is to come. */
  complete(response: FetchResponse): Message | undefined {
    if (this.#live !== undefined) {
      this.#finishLive(this.#live, response);
      return undefined;
    }
    const { sequence, attributes, defects } = response;
    const whole = this.#asked.isComplete(attributes) ? attributes : this.#putTogether(attributes, sequence);
    if (whole === undefined) return undefined;
    return this.#message(whole, sequence, defects);
  }

  /** A server may answer for one message in several responses. */
  #putTogether(attributes: FetchAttributes, sequence: number | undefined): FetchAttributes | undefined {
    const key = sequence ?? attributes.uid ?? 0;
    const known = this.#parts.get(key) ?? {};
    const merged: FetchAttributes = { ...known, ...attributes };
    if (known.sections !== undefined) merged.sections = [...known.sections, ...(attributes.sections ?? [])];
    if (known.binary !== undefined) merged.binary = [...known.binary, ...(attributes.binary ?? [])];
    if (!this.#asked.isComplete(merged) && this.#parts.size < maxPartial) {
      this.#parts.set(key, this.#filled(merged));
      return undefined;
    }
    this.#parts.delete(key);
    return merged;
  }

  /** Sections that were gathered belong to their response alone: they are put in before the next one. */
  #filled(attributes: FetchAttributes): FetchAttributes {
    if (this.#gathered.size === 0) return attributes;
    const fill = <T extends { readonly data: SectionData }>(one: T): T => ({
      ...one,
      data: this.#held(one.data),
    });
    const filled = { ...attributes };
    if (filled.sections !== undefined) filled.sections = filled.sections.map(fill);
    if (filled.binary !== undefined) filled.binary = filled.binary.map(fill);
    this.#gathered.clear();
    return filled;
  }

  /** What was answered in part when the command was over: as it is, with what is missing named. */
  *leftovers(): Generator<Message> {
    const parts = this.#parts;
    this.#parts = new Map();
    for (const [key, attributes] of parts)
      yield this.#message(attributes, key, this.#asked.missing(attributes));
  }

  #message(attributes: FetchAttributes, sequence: number | undefined, defects: readonly string[]): Message {
    // The parser has just made this object, and nobody else has it.
    const message = attributes as Record<string, unknown>;
    message["sequence"] = sequence;
    message["defects"] = defects;
    if (this.#asked.isPlain) return message as Message;
    const { sections, binarySizes } = this.#asked.arrange(attributes, (data) => this.#converted(data));
    // A delete makes an object slow, so it is for those that have something to delete.
    if (attributes.binary !== undefined) delete message["binary"];
    if (attributes.binarySize !== undefined) delete message["binarySize"];
    if (sections !== undefined) message["sections"] = sections;
    if (binarySizes !== undefined) message["binarySizes"] = binarySizes;
    for (const name of single) {
      const data = attributes[name];
      if (data !== undefined) message[name] = this.#converted(data);
    }
    if (this.#gathered.size > 0) this.#gathered.clear();
    return message as Message;
  }

  #converted(data: SectionData): unknown {
    const held = this.#held(data);
    return this.#options.as === "stream" ? heldBody(held) : held;
  }

  #held(data: SectionData): Uint8Array | null {
    if (data === null || data instanceof Uint8Array) return data;
    return this.#gathered.get(data.index) ?? null;
  }

  /** What came behind the literals is put into the message, and sections that were held are handed on. */
  #finishLive(live: LiveMessage, { sequence, attributes, defects }: FetchResponse): void {
    this.#live = undefined;
    const { sections = [], binary = [], binarySize: _, ...rest } = attributes;
    for (const one of [...sections, ...binary])
      feed(live.sections.get(this.#asked.nameOf(one) ?? ""), one.data);
    for (const name of single) {
      feed(live.sections.get(name), attributes[name] ?? null);
      delete rest[name];
    }
    for (const section of live.sections.values()) section.end();
    const { binarySizes } = this.#asked.arrange(attributes, () => null);
    Object.assign(
      live.message,
      rest,
      { sequence, defects },
      binarySizes === undefined ? {} : { binarySizes },
    );
    this.#gathered.clear();
  }

  /** The message that the caller gets now: the sections of the one before are let go. */
  handedOut(message: Message): void {
    if (this.#options.as === "stream") this.#current = this.#byMessage.get(message as object);
  }

  /** The caller asks for the next message. */
  moveOn(): void {
    for (const section of this.#current?.sections.values() ?? []) section.abandon();
    this.#current = undefined;
  }

  /** The response that is under way is not kept. */
  forget(): void {
    this.#gathered.clear();
  }

  abandon(): void {
    this.moveOn();
    for (const section of this.#live?.sections.values() ?? []) section.abandon();
    this.#parts.clear();
  }

  fail(error: unknown): void {
    for (const live of [this.#live, this.#current])
      for (const section of live?.sections.values() ?? []) section.fail(error);
  }
}

/** A section that was held after all. One that has streamed is over already. */
function feed(section: LiveLiteral | undefined, data: SectionData): void {
  if (section === undefined || data === null || !(data instanceof Uint8Array)) return;
  if (data.length > 0) section.push(data);
}
