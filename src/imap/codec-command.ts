/** Commands on their way out: parts into segments, with the places where a continuation is awaited (RFC 9051 section 2.2.1). */
import { LocalProtocolError } from "../core/errors.js";
import { reveal, Secret } from "../core/secret.js";
import { formatDate, formatDateTime } from "./codec-date.js";
import type { CommandPart, LiteralSource } from "./codec-parts.js";
import {
  checkedAtom,
  checkedFlag,
  isBareAstring,
  isBarePattern,
  isQuotable,
  quote,
} from "./codec-quoting.js";
import { formatSection } from "./codec-section.js";
import { checkMailboxName, encodeUtf7 } from "./codec-utf7.js";

/** How literals go out and how text is written. */
export interface FormatOptions {
  /**
   * `sync`: wait for a continuation before each literal. `plus`: never wait (LITERAL+). `minus`: do not wait for those of up
   * to 4096 octets (LITERAL-, IMAP4rev2). Default: `sync`.
   */
  readonly literals?: "sync" | "plus" | "minus" | undefined;
  /** Names and strings are UTF-8, after ENABLE IMAP4rev2 or UTF8=ACCEPT. Default: false. */
  readonly utf8?: boolean | undefined;
}

/** A piece of a command. At `wait`, nothing more is sent until the server says `+`. */
export type CommandSegment =
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "stream"; readonly octets: number; readonly stream: AsyncIterable<Uint8Array> }
  | { readonly type: "wait" };

/** A command that is ready to be sent. */
export interface FormattedCommand {
  readonly segments: readonly CommandSegment[];
  /** The command for traces, without its line end: secrets masked, literals by their size. */
  readonly shown: string;
}

/** LITERAL- and IMAP4rev2 allow a literal without waiting up to this size: RFC 7888 section 5. */
export const maxNonSyncOctets = 4096;

const crlf = "\r\n";

/**
 * A command as segments.
 *
 * @example
 * ```ts
 * formatCommand("A1", [atom("LOGIN"), astring("joe"), astring(new Secret("tiger"))]).shown; // A1 LOGIN joe [secret]
 * ```
 *
 * @throws {LocalProtocolError} a tag, atom or flag has specials, a string has a NUL, a number is negative, a name or a date
 * cannot be. Nothing has been made then.
 */
export function formatCommand(
  tag: string,
  parts: readonly CommandPart[],
  options: FormatOptions = {},
): FormattedCommand {
  if (tag.includes("+")) throw new LocalProtocolError("a tag has no +");
  const writer = new CommandWriter(options);
  writer.text(checkedAtom(tag, "a tag"));
  for (const part of parts) {
    writer.text(" ");
    writer.part(part);
  }
  writer.text(crlf, "");
  return writer.finish();
}

class CommandWriter {
  readonly #literals: "sync" | "plus" | "minus";
  readonly #utf8: boolean;
  readonly #segments: CommandSegment[] = [];
  #pending = "";
  #shown = "";

  constructor({ literals = "sync", utf8 = false }: FormatOptions) {
    this.#literals = literals;
    this.#utf8 = utf8;
  }

  /** Text as it goes out, and what a trace shows in its place. */
  text(wire: string, shown: string = wire): void {
    this.#pending += wire;
    this.#shown += shown;
  }

  finish(): FormattedCommand {
    this.#flush();
    return { segments: this.#segments, shown: this.#shown };
  }

  part(part: CommandPart): void {
    switch (part.type) {
      case "atom":
        this.text(checkedAtom(part.value));
        break;
      case "flag":
        this.text(checkedFlag(part.value));
        break;
      case "number":
        this.text(checkedNumber(part.value));
        break;
      case "set":
        this.text(checkedSet(part.value.toString()));
        break;
      case "date":
        this.text(formatDate(part.value));
        break;
      case "date-time":
        this.text(quote(formatDateTime(part.value)));
        break;
      case "astring":
      case "string":
        this.#string(part.value, part.type === "astring");
        break;
      case "nstring":
        this.#nstring(part.value);
        break;
      case "base64":
        this.#base64(part.value);
        break;
      case "mailbox":
        this.#mailbox(part.name);
        break;
      case "pattern":
        this.#pattern(part.value);
        break;
      case "section":
        this.text(formatItem(part));
        break;
      case "literal":
      case "literal8":
        this.#literal(part.source, part.type === "literal8");
        break;
      default:
        this.#group(part);
        break;
    }
  }

  #nstring(value: string | Uint8Array | null): void {
    if (value === null) this.text("NIL");
    else this.#string(value, false);
  }

  #group({
    type,
    parts,
  }: {
    readonly type: "list" | "joined";
    readonly parts: readonly CommandPart[];
  }): void {
    if (type === "list") this.text("(");
    parts.forEach((part, index) => {
      if (type === "list" && index > 0) this.text(" ");
      this.part(part);
    });
    if (type === "list") this.text(")");
  }

  #string(value: string | Secret | Uint8Array, bare: boolean): void {
    if (value instanceof Uint8Array) this.#octets(value, false);
    else this.#text(value, bare);
  }

  #text(value: string | Secret, bare: boolean): void {
    const isSecret = value instanceof Secret;
    const text = reveal(value);
    if (bare && isBareAstring(text)) this.text(text, isSecret ? value.toString() : text);
    else if (isQuotable(text, this.#utf8)) this.text(quote(text), isSecret ? value.toString() : quote(text));
    // A NUL makes it a literal as well, and no literal takes that.
    else this.#octets(Buffer.from(text), false, isSecret ? value.toString() : undefined);
  }

  #base64(value: Uint8Array | Secret): void {
    const bytes = value instanceof Secret ? Buffer.from(value.reveal()) : Buffer.from(value);
    this.text(
      bytes.length === 0 ? "=" : bytes.toString("base64"),
      value instanceof Secret ? String(value) : "[secret]",
    );
  }

  #mailbox(name: string | Uint8Array): void {
    if (name instanceof Uint8Array) this.#rawName(name);
    else this.#text(this.#wireName(name), true);
  }

  #wireName(name: string): string {
    checkMailboxName(name);
    return this.#utf8 ? name : encodeUtf7(name);
  }

  /** The bytes as the server sent them: text if they are ASCII, else a literal. */
  #rawName(name: Uint8Array): void {
    const text = Buffer.from(name).toString("latin1");
    if (isBareAstring(text) || isQuotable(text, false)) this.#string(text, true);
    else this.#literal(name, false);
  }

  #pattern(value: string): void {
    const wire = this.#wireName(value);
    if (isBarePattern(wire)) this.text(wire);
    else this.#string(wire, false);
  }

  #literal(source: LiteralSource, binary: boolean): void {
    if (source instanceof Uint8Array) this.#octets(source, binary);
    else this.#stream(source, binary);
  }

  #stream(source: Exclude<LiteralSource, Uint8Array>, binary: boolean): void {
    if (!Number.isSafeInteger(source.octets) || source.octets < 0)
      throw new LocalProtocolError("a literal's size is a whole number of octets");
    this.#mark(source.octets, binary);
    this.#segments.push({ type: "stream", ...source });
  }

  #octets(bytes: Uint8Array, binary: boolean, shown?: string): void {
    if (!binary && bytes.includes(0)) throw new LocalProtocolError("only a literal8 holds a NUL");
    this.#mark(bytes.length, binary, shown);
    if (bytes.length > 0) this.#segments.push({ type: "bytes", bytes });
  }

  /** `{n}`, with a wait behind it unless it may go without. */
  #mark(octets: number, binary: boolean, shown?: string): void {
    const waits = this.#waits(octets);
    const mark = `${binary ? "~" : ""}{${octets}${waits ? "" : "+"}}`;
    this.text(`${mark}${crlf}`, shown ?? mark);
    this.#flush();
    if (waits) this.#segments.push({ type: "wait" });
  }

  #waits(octets: number): boolean {
    return this.#literals === "sync" || (this.#literals === "minus" && octets > maxNonSyncOctets);
  }

  #flush(): void {
    if (this.#pending === "") return;
    this.#segments.push({ type: "bytes", bytes: Buffer.from(this.#pending) });
    this.#pending = "";
  }
}

function checkedNumber(value: number | bigint): string {
  const isWhole = typeof value === "bigint" ? value >= 0n : Number.isSafeInteger(value) && value >= 0;
  if (!isWhole) throw new LocalProtocolError("a number of IMAP is whole and not negative");
  return String(value);
}

function checkedSet(text: string): string {
  if (text === "") throw new LocalProtocolError("a set of no messages cannot be sent");
  return text;
}

const sectionItems = /^(?:BODY|BODY\.PEEK|BINARY|BINARY\.PEEK|BINARY\.SIZE)$/;

function formatItem(part: Extract<CommandPart, { type: "section" }>): string {
  if (!sectionItems.test(part.item)) throw new LocalProtocolError(`${part.item} has no section`);
  const range =
    part.partial === undefined
      ? ""
      : `<${checkedNumber(part.partial.offset)}.${checkedNumber(part.partial.octets)}>`;
  return `${part.item}${formatSection(part.section)}${range}`;
}
