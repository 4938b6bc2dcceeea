/** Responses on their way out: text with the literals that it needs, none of which waits (RFC 9051 section 4.3). */
import { LocalProtocolError } from "../core/errors.js";
import { isBareAstring, isQuotable, quote } from "./codec-quoting.js";
import { checkMailboxName, encodeUtf7 } from "./codec-utf7.js";

/** A piece of a response: bytes, or a stream whose size has been announced. */
export type ResponseSegment =
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "stream"; readonly octets: number; readonly stream: AsyncIterable<Uint8Array> };

/** Octets that go out as a literal: held, or as a stream of a known size. */
export type OutgoingData =
  | Uint8Array
  | { readonly octets: number; readonly stream: AsyncIterable<Uint8Array> };

/** How responses are written. */
export interface ResponseOptions {
  /** The client has enabled IMAP4rev2 or UTF8=ACCEPT: names and strings are UTF-8. Default: false. */
  readonly utf8?: boolean | undefined;
}

/** Collects a response. The `text` that it is given is the codec's own: everything else passes a check. */
export class ResponseWriter {
  readonly #utf8: boolean;
  readonly #segments: ResponseSegment[] = [];
  #pending = "";

  constructor({ utf8 = false }: ResponseOptions = {}) {
    this.#utf8 = utf8;
  }

  /** Text of the grammar. */
  text(text: string): this {
    this.#pending += text;
    return this;
  }

  /** Text for people, up to the end of the line. @throws {LocalProtocolError} a CR, LF or NUL is in it. */
  humanText(text: string): this {
    if (/[\0\r\n]/.test(text)) throw new LocalProtocolError("the text of a response is one line");
    return this.text(text);
  }

  /** string. @throws {LocalProtocolError} a NUL is in it, which no literal takes either. */
  string(value: string): this {
    return isQuotable(value, this.#utf8) ? this.text(quote(value)) : this.literal(Buffer.from(value));
  }

  /** nstring */
  nstring(value: string | null): this {
    return value === null ? this.text("NIL") : this.string(value);
  }

  /** astring */
  astring(value: string): this {
    return isBareAstring(value) ? this.text(value) : this.string(value);
  }

  /** mailbox, as text or as the bytes that it came in. */
  mailbox(name: string, raw?: Uint8Array): this {
    if (raw !== undefined) return this.#rawMailbox(raw);
    checkMailboxName(name);
    return this.astring(this.#utf8 ? name : encodeUtf7(name));
  }

  /** A mailbox name's beginning, which NAMESPACE has as a string and never as an atom. */
  prefix(prefix: string): this {
    checkMailboxName(prefix);
    return this.string(this.#utf8 ? prefix : encodeUtf7(prefix));
  }

  #rawMailbox(raw: Uint8Array): this {
    const name = Buffer.from(raw).toString("latin1");
    return isQuotable(name, false) ? this.astring(name) : this.literal(raw);
  }

  /** literal. @throws {LocalProtocolError} a NUL is in it; a literal8 may have one. */
  literal(data: OutgoingData, binary = false): this {
    if (data instanceof Uint8Array) {
      if (!binary && data.includes(0)) throw new LocalProtocolError("only a literal8 holds a NUL");
      this.#mark(data.length, binary);
      if (data.length > 0) this.#segments.push({ type: "bytes", bytes: data });
      return this;
    }
    this.#mark(data.octets, binary);
    this.#segments.push({ type: "stream", octets: data.octets, stream: data.stream });
    return this;
  }

  /** nstring of octets: NIL or a literal. */
  data(data: OutgoingData | null, binary = false): this {
    return data === null ? this.text("NIL") : this.literal(data, binary);
  }

  /** `(` values with spaces between them `)` */
  list<T>(values: readonly T[], one: (value: T) => unknown): this {
    this.text("(");
    this.spaced(values, one);
    return this.text(")");
  }

  /** Values with spaces between them. */
  spaced<T>(values: readonly T[], one: (value: T) => unknown): this {
    values.forEach((value, index) => {
      if (index > 0) this.text(" ");
      one(value);
    });
    return this;
  }

  /** Ends the response. */
  finish(): ResponseSegment[] {
    this.text("\r\n");
    this.#flush();
    return this.#segments;
  }

  #mark(octets: number, binary: boolean): void {
    if (!Number.isSafeInteger(octets) || octets < 0)
      throw new LocalProtocolError("a literal's size is a whole number of octets");
    this.text(`${binary ? "~" : ""}{${octets}}\r\n`);
    this.#flush();
  }

  #flush(): void {
    if (this.#pending !== "") this.#segments.push({ type: "bytes", bytes: Buffer.from(this.#pending) });
    this.#pending = "";
  }
}

/** A number of the grammar. @throws {LocalProtocolError} it is none. */
export function wireNumber(value: number | bigint): string {
  const isWhole = typeof value === "bigint" ? value >= 0n : Number.isSafeInteger(value) && value >= 0;
  if (!isWhole) throw new LocalProtocolError("a number of IMAP is whole and not negative");
  return String(value);
}
