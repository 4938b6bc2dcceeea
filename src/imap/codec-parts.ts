/** The typed parts of which commands are built: there is no part for raw text, so nothing can be slipped in. */
import type { Secret } from "../core/secret.js";
import type { ImapDate } from "./codec-date.js";
import type { SequenceSet, UidSet } from "./codec-sequence-set.js";
import type { Section } from "./types-message.js";

/** Octets of a literal: held, or as a stream of a known size. */
export type LiteralSource =
  | Uint8Array
  | { readonly octets: number; readonly stream: AsyncIterable<Uint8Array> };

/** One part of a command. Make them with the functions of this module. */
export type CommandPart =
  | { readonly type: "atom"; readonly value: string }
  | { readonly type: "astring" | "string"; readonly value: string | Secret | Uint8Array }
  | { readonly type: "nstring"; readonly value: string | Uint8Array | null }
  | { readonly type: "number"; readonly value: number | bigint }
  | { readonly type: "flag"; readonly value: string }
  | { readonly type: "base64"; readonly value: Uint8Array | Secret }
  | { readonly type: "list"; readonly parts: readonly CommandPart[] }
  | { readonly type: "joined"; readonly parts: readonly CommandPart[] }
  | { readonly type: "literal" | "literal8"; readonly source: LiteralSource }
  | { readonly type: "set"; readonly value: SequenceSet | UidSet }
  | { readonly type: "mailbox"; readonly name: string | Uint8Array }
  | { readonly type: "pattern"; readonly value: string }
  | { readonly type: "date"; readonly value: ImapDate | Date }
  | { readonly type: "date-time"; readonly value: Date }
  | {
      readonly type: "section";
      readonly item: string;
      readonly section: Section;
      readonly partial: { readonly offset: number; readonly octets: number } | undefined;
    };

/** A word of the grammar: a command's name, `RETURN`, `NIL`. It throws later if it has specials in it. */
export function atom(value: string): CommandPart {
  return { type: "atom", value };
}

/** A string that goes out as an atom, quoted or as a literal, whichever its characters need. */
export function astring(value: string | Secret | Uint8Array): CommandPart {
  return { type: "astring", value };
}

/** A string that goes out quoted or as a literal. */
export function string(value: string | Secret | Uint8Array): CommandPart {
  return { type: "string", value };
}

/** A string, or NIL for null. */
export function nstring(value: string | Uint8Array | null): CommandPart {
  return { type: "nstring", value };
}

/** A number of 0 or more. */
export function number(value: number | bigint): CommandPart {
  return { type: "number", value };
}

/** A flag or keyword: `\Seen`, `$Forwarded`. */
export function flag(value: string): CommandPart {
  return { type: "flag", value };
}

/** Octets in base64, as AUTHENTICATE has them; nothing is `=` (RFC 4959). */
export function base64(value: Uint8Array | Secret): CommandPart {
  return { type: "base64", value };
}

/** Parts in parentheses. */
export function list(...parts: readonly CommandPart[]): CommandPart {
  return { type: "list", parts };
}

/** Parts without spaces between them. */
export function joined(...parts: readonly CommandPart[]): CommandPart {
  return { type: "joined", parts };
}

/** A literal: octets without NUL. */
export function literal(source: LiteralSource): CommandPart {
  return { type: "literal", source };
}

/** A literal8, `~{n}`: octets of any value, where BINARY or IMAP4rev2 is offered. */
export function literal8(source: LiteralSource): CommandPart {
  return { type: "literal8", source };
}

/** A set of messages. */
export function set(value: SequenceSet | UidSet): CommandPart {
  return { type: "set", value };
}

/** A mailbox by its name, or by its bytes as the server sent them where it was no proper name. */
export function mailbox(name: string | Uint8Array): CommandPart {
  return { type: "mailbox", name };
}

/** A name pattern of LIST, in which `*` and `%` stay what they are. */
export function pattern(value: string): CommandPart {
  return { type: "pattern", value };
}

/** A day, as SEARCH has it. */
export function date(value: ImapDate | Date): CommandPart {
  return { type: "date", value };
}

/** A moment, as APPEND has it. */
export function dateTime(value: Date): CommandPart {
  return { type: "date-time", value };
}

/** `BODY.PEEK[…]<offset.octets>`: `item` is BODY, BODY.PEEK, BINARY, BINARY.PEEK or BINARY.SIZE. */
export function section(
  item: string,
  value: Section,
  partial?: { readonly offset: number; readonly octets: number },
): CommandPart {
  return { type: "section", item, section: value, partial };
}
