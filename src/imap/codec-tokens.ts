/** Reading the tokens of the ABNF straight off a frame's bytes: RFC 9051 section 9, sections 4.1 to 4.5. */
import { RemoteProtocolError } from "../core/errors.js";
import { defaultLimits, type Limits } from "../core/limits.js";
import { flagOf } from "./codec-flags.js";
import type { Frame, FrameLiteral } from "./codec-framer.js";
import { atomText } from "./codec-intern.js";
import type { StreamedLiteral } from "./types-message.js";

/** How names and texts are read. */
export interface ParseOptions {
  /** Mailbox names are UTF-8, after ENABLE IMAP4rev2 or UTF8=ACCEPT; else modified UTF-7. Default: false. */
  readonly utf8?: boolean | undefined;
  readonly limits?: Limits | undefined;
}

const sp = 0x20;
const quote = 0x22;
const open = 0x28;
const close = 0x29;
const backslash = 0x5c;
const openBrace = 0x7b;
const tilde = 0x7e;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** 1: an ATOM-CHAR. 2: a resp-special, `]`, which an ASTRING-CHAR may be too. Bytes over 0x7f are let pass in both. */
const charClass: Uint8Array = new Uint8Array(256).map((_, byte) => {
  if (byte === closeBracket) return 2;
  return byte <= sp || byte === 0x7f || '(){%*"\\'.includes(String.fromCharCode(byte)) ? 0 : 1;
});

/** Text is UTF-8; what is not valid becomes U+FFFD (the one place where this codec decodes text). */
export function decodeText(bytes: Uint8Array): string {
  return (Buffer.isBuffer(bytes) ? bytes : asBuffer(bytes)).toString("utf8");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

/**
 * A cursor over a frame. The methods are named after the rules of the ABNF; each takes what it names or throws a
 * `RemoteProtocolError` that shows where it stood.
 */
export class TokenReader {
  readonly text: Buffer;
  readonly end: number;
  readonly utf8: boolean;
  readonly limits: Limits;
  /** Where the cursor stands. */
  pos = 0;
  readonly #literals: readonly FrameLiteral[];
  #defects: string[] | undefined;

  constructor(frame: Frame, options: ParseOptions = {}) {
    this.text = Buffer.isBuffer(frame.text) ? frame.text : asBuffer(frame.text);
    this.end = frame.text.length;
    this.#literals = frame.literals;
    this.utf8 = options.utf8 ?? false;
    this.limits = options.limits ?? defaultLimits;
  }

  /** The faults that were got over. */
  get defects(): readonly string[] {
    return this.#defects ?? noDefects;
  }

  /** Notes a fault that was got over. */
  defect(what: string): void {
    this.#defects ??= [];
    if (this.#defects.length < maxDefects) this.#defects.push(what);
  }

  get done(): boolean {
    return this.pos >= this.end;
  }

  /** The byte under the cursor, or -1 at the end. */
  get byte(): number {
    return this.pos < this.end ? (this.text[this.pos] as number) : -1;
  }

  /** Takes the byte if it is there. */
  accept(byte: number): boolean {
    if (this.byte !== byte) return false;
    this.pos += 1;
    return true;
  }

  expect(byte: number): void {
    if (!this.accept(byte)) this.fail(`${JSON.stringify(String.fromCharCode(byte))} was due`);
  }

  /** SP, at least one: some servers send two. */
  sp(): void {
    if (!this.spaces()) this.fail("a space was due");
  }

  /** Takes spaces and says whether there were any. */
  spaces(): boolean {
    const from = this.pos;
    while (this.pos < this.end && this.text[this.pos] === sp) this.pos += 1;
    return this.pos > from;
  }

  /** Takes the word in any case if it stands here as a whole. */
  acceptWord(word: string): boolean {
    const end = this.pos + word.length;
    if (end > this.end || isAtomByte(end < this.end ? this.text[end] : undefined)) return false;
    for (let at = 0; at < word.length; at += 1) {
      if (upper(this.text[this.pos + at] as number) !== word.charCodeAt(at)) return false;
    }
    this.pos = end;
    return true;
  }

  /** nil */
  nil(): boolean {
    return this.acceptWord("NIL");
  }

  /** number: digits, which must fit a JavaScript integer. */
  number(): number {
    const from = this.pos;
    let value = 0;
    for (let byte = this.byte; byte >= 0x30 && byte <= 0x39; byte = this.byte) {
      value = value * 10 + byte - 0x30;
      this.pos += 1;
    }
    if (this.pos === from) this.fail("a number was due");
    if (value > Number.MAX_SAFE_INTEGER) this.fail("a number is too large");
    return value;
  }

  /** number64, mod-sequence-value: exact beyond 2^53. */
  number64(): bigint {
    const from = this.pos;
    while (this.byte >= 0x30 && this.byte <= 0x39) this.pos += 1;
    if (this.pos === from) this.fail("a number was due");
    if (this.pos - from > 20) this.fail("a number is too large");
    return BigInt(this.text.toString("latin1", from, this.pos));
  }

  /** atom */
  atom(): string {
    return this.#chars(1, "an atom was due");
  }

  /** 1*ASTRING-CHAR: an atom, or one with `]` in it. */
  astringChars(): string {
    return this.#chars(2, "an atom was due");
  }

  #chars(highestClass: 1 | 2, message: string): string {
    const from = this.pos;
    const { text, end } = this;
    let at = from;
    let classes = 0;
    for (; at < end; at += 1) {
      const kind = charClass[text[at] as number] as number;
      if (kind === 0 || kind > highestClass) break;
      classes |= text[at] as number;
    }
    if (at === from) this.fail(message);
    this.pos = at;
    return classes >= 0x80 ? text.toString("utf8", from, at) : atomText(text, from, at);
  }

  /** An atom with a `\` before it perhaps, or `\*`: a flag, a mailbox attribute. */
  flag(): string {
    if (!this.accept(backslash)) return this.atom();
    if (this.accept(0x2a)) return "\\*";
    return flagOf(this.#chars(1, "a flag was due"));
  }

  /** flag-list: `(` flags `)`. */
  flagList(): string[] {
    return this.list(() => this.flag());
  }

  /** `(`, values with spaces between them, `)`. Spaces too many are let pass, and a list may be empty. */
  list<T>(one: () => T): T[] {
    const values: T[] = [];
    this.expect(open);
    this.spaces();
    while (!this.accept(close)) {
      if (values.length >= this.limits.maxItems) this.fail("a list is too long");
      values.push(one());
      // seen: lists in a list without a space between them, which some rules allow and some servers do.
      if (!this.spaces() && this.byte !== close && this.byte !== open) this.fail('" " or ")" was due');
    }
    return values;
  }

  /** Values with spaces between them up to the end of the frame. */
  rest<T>(one: () => T): T[] {
    const values: T[] = [];
    for (this.spaces(); !this.done; this.spaces()) {
      if (values.length >= this.limits.maxItems) this.fail("a list is too long");
      const from = this.pos;
      values.push(one());
      if (this.pos === from) this.fail("a value was due");
    }
    return values;
  }

  /** quoted, as text. Inside, `\` stands before `"` and `\`; a lenient reader takes it before any byte. */
  quoted(): string {
    this.expect(quote);
    const from = this.pos;
    const { text, end } = this;
    let all = 0;
    for (let at = from; at < end; at += 1) {
      const byte = text[at] as number;
      if (byte === quote) {
        this.pos = at + 1;
        return all >= 0x80 ? text.toString("utf8", from, at) : atomText(text, from, at);
      }
      if (byte === backslash) return decodeText(this.#escaped(from, at));
      all |= byte;
    }
    return this.fail("a quoted string has no end");
  }

  /** The rest of a quoted string with a `\` in it. */
  #escaped(from: number, firstEscape: number): Uint8Array {
    const bytes: number[] = [...this.text.subarray(from, firstEscape)];
    for (let at = firstEscape; at < this.end; at += 1) {
      let byte = this.text[at] as number;
      if (byte === quote) {
        this.pos = at + 1;
        return Uint8Array.from(bytes);
      }
      if (byte === backslash) {
        at += 1;
        byte = at < this.end ? (this.text[at] as number) : backslash;
      }
      bytes.push(byte);
    }
    return this.fail("a quoted string has no end");
  }

  #quotedBytes(): Uint8Array {
    this.expect(quote);
    const from = this.pos;
    for (let at = from; at < this.end; at += 1) {
      const byte = this.text[at];
      if (byte === backslash) return this.#escaped(from, at);
      if (byte === quote) {
        this.pos = at + 1;
        return this.bytes(from, at);
      }
    }
    return this.fail("a quoted string has no end");
  }

  get atLiteral(): boolean {
    const { byte } = this;
    return byte === openBrace || (byte === tilde && this.text[this.pos + 1] === openBrace);
  }

  get atString(): boolean {
    return this.byte === quote || this.atLiteral;
  }

  /** literal or literal8: its octets, or the note that they went out as a stream. */
  literal(): Uint8Array | StreamedLiteral {
    const found = this.frameLiteral();
    if (found.data !== undefined) return found.data;
    return { streamed: true, octets: found.octets, index: this.indexOfLiteral(found) };
  }

  /** literal or literal8, with all that the framer knows of it. */
  frameLiteral(): FrameLiteral {
    this.accept(tilde);
    this.expect(openBrace);
    const closing = this.text.indexOf(0x7d, this.pos);
    const found = closing < 0 ? undefined : this.#literalAt(closing + 1);
    if (found === undefined) this.fail("a literal was due");
    this.pos = closing + 1;
    return found;
  }

  /** Which of the frame's literals it is, from 0. */
  indexOfLiteral(literal: FrameLiteral): number {
    return this.#literals.indexOf(literal);
  }

  #hasLiteralHere(): boolean {
    return this.#literalAt(this.text.indexOf(0x7d, this.pos) + 1) !== undefined;
  }

  #literalAt(at: number): FrameLiteral | undefined {
    let low = 0;
    let high = this.#literals.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const candidate = this.#literals[middle] as FrameLiteral;
      if (candidate.at === at) return candidate;
      if (candidate.at < at) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** string: quoted or literal, as text. */
  string(): string {
    return this.byte === quote ? this.quoted() : decodeText(this.#heldLiteral());
  }

  /** string: quoted or literal, as its octets. */
  stringBytes(): Uint8Array {
    return this.byte === quote ? this.#quotedBytes() : this.#heldLiteral();
  }

  #heldLiteral(): Uint8Array {
    if (!this.atLiteral) this.fail("a string was due");
    const value = this.literal();
    if (value instanceof Uint8Array) return value;
    this.defect(`a literal of ${value.octets} octets was not kept`);
    return new Uint8Array(0);
  }

  /** nstring: a string or NIL, which is null. */
  nstring(): string | null {
    return this.nil() ? null : this.string();
  }

  /** nstring, as octets, where a literal may have been handed out as a stream. */
  nstringData(): Uint8Array | StreamedLiteral | null {
    if (this.byte === quote) return this.#quotedBytes();
    return this.atLiteral ? this.literal() : this.nil() ? null : this.fail("a string or NIL was due");
  }

  /** astring: an atom, with `]` in it perhaps, or a string. */
  astring(): string {
    return this.atString ? this.string() : this.astringChars();
  }

  /** astring, as octets. */
  astringBytes(): Uint8Array {
    if (this.atString) return this.stringBytes();
    const from = this.pos;
    this.astringChars();
    return this.bytes(from);
  }

  /** sequence-set, as text for the sets to read: digits, `:`, `,`, `*`, or `$`. */
  setText(): string {
    const from = this.pos;
    for (; this.pos < this.end; this.pos += 1) {
      const byte = this.byte;
      const isSetByte = (byte >= 0x30 && byte <= 0x3a) || byte === 0x2c || byte === 0x2a || byte === 0x24;
      if (!isSetByte) break;
    }
    if (this.pos === from) this.fail("a set was due");
    return this.text.toString("latin1", from, this.pos);
  }

  /** Takes one value of any shape, however deep, and gives its bytes; literals in it stay behind. */
  skipValue(): Uint8Array {
    const from = this.pos;
    let depth = 0;
    do {
      if (this.done) this.fail("a list has no end");
      depth += this.#skipToken(depth);
      if (depth > 0) this.spaces();
    } while (depth > 0);
    return this.bytes(from);
  }

  #skipToken(depth: number): -1 | 0 | 1 {
    if (this.accept(open)) return 1;
    if (this.byte === close && depth > 0) {
      this.pos += 1;
      return -1;
    }
    if (this.byte === quote) this.#quotedBytes();
    else if (this.atLiteral && this.#hasLiteralHere()) this.frameLiteral();
    else this.#skipAtom();
    return 0;
  }

  /** An atom as items have it: brackets hold anything, as in `BODY[HEADER.FIELDS (DATE)]`. */
  #skipAtom(): void {
    const from = this.pos;
    let inBrackets = false;
    for (; this.pos < this.end; this.pos += 1) {
      const byte = this.text[this.pos];
      if (byte === openBracket) inBrackets = true;
      else if (byte === closeBracket) inBrackets = false;
      else if (!inBrackets && (byte === sp || byte === open || byte === close || byte === quote)) break;
    }
    if (this.pos === from) this.fail("a value was due");
  }

  /** The bytes from an earlier place up to the cursor, as a plain Uint8Array. */
  bytes(from: number, to: number = this.pos): Uint8Array {
    return new Uint8Array(this.text.buffer, this.text.byteOffset + from, to - from);
  }

  /** The text from an earlier place up to the cursor. */
  word(from: number): string {
    return atomText(this.text, from, this.pos);
  }

  /** What is left, as text. */
  remainder(): string {
    const from = this.pos;
    this.pos = this.end;
    return this.text.toString("utf8", from, this.end);
  }

  /** Throws: the frame breaks the grammar here. */
  fail(message: string): never {
    throw new RemoteProtocolError(`${message} at octet ${this.pos}`, {
      excerpt: this.text.subarray(Math.max(0, this.pos - 60), this.pos + 60),
      rfc: "RFC 9051 section 9",
    });
  }
}

const noDefects: readonly string[] = Object.freeze([]);
const maxDefects = 100;

function upper(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}

function isAtomByte(byte: number | undefined): boolean {
  return byte !== undefined && charClass[byte] === 1;
}
