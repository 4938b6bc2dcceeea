/** Paths: mailboxes in angle brackets, with parameters behind them (RFC 5321 section 4.1.2, RFC 6531 section 3.3). */
import { domainToASCII } from "node:url";
import { LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import type { PathCommand } from "./types.js";

const rfc = "RFC 5321 section 4.1.2";
/** RFC 5321 section 4.5.3.1.3: a path with its brackets has 256 octets. */
const maxPathBytes = 256;

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: the grammar names them
/** atext and, by RFC 6531, all that is not ASCII. */
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x2d\\u0080-\\u{10ffff}]+";
const quoted = '"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\u0080-\\u{10ffff}]|\\\\[\\x20-\\x7e])*"';
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: the grammar names them
const localPart = new RegExp(`^(?:${atom}(?:\\.${atom})*|${quoted})$`, "u");
const label =
  "[A-Za-z0-9\\u0080-\\u{10ffff}](?:[A-Za-z0-9_\\x2d\\u0080-\\u{10ffff}]*[A-Za-z0-9\\u0080-\\u{10ffff}])?";
const domainName = new RegExp(`^${label}(?:\\.${label})*$`, "u");
const addressLiteral = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+|[A-Za-z0-9-]+:[!-Z^-~]+)\]$/;

/** The two halves of a mailbox. The domain is empty for `postmaster` alone. */
export interface Mailbox {
  readonly localPart: string;
  readonly domain: string;
}

/** Takes `alice@example.test` apart; `undefined` if it is no mailbox. Linear in its length. */
export function parseMailbox(mailbox: string): Mailbox | undefined {
  if (Buffer.byteLength(mailbox) > maxPathBytes - 2) return undefined;
  if (/^postmaster$/i.test(mailbox)) return { localPart: mailbox, domain: "" };
  const at = mailbox.lastIndexOf("@");
  const local = mailbox.slice(0, at);
  const domain = mailbox.slice(at + 1);
  if (at < 1 || !localPart.test(local)) return undefined;
  return domainName.test(domain) || addressLiteral.test(domain) ? { localPart: local, domain } : undefined;
}

/** A mailbox made ready for a server. */
export interface FormattedPath {
  /** `<alice@example.test>`. */
  readonly path: string;
  /** Whether it can only be sent with SMTPUTF8. */
  readonly needsUtf8: boolean;
}

/**
 * A mailbox in angle brackets. A domain that is not ASCII becomes its A-labels, unless the local part needs SMTPUTF8.
 *
 * @throws {LocalProtocolError} it is no mailbox of RFC 5321.
 */
export function formatPath(address: string): FormattedPath {
  if (address === "") return { path: "<>", needsUtf8: false };
  const mailbox = parseMailbox(address);
  if (mailbox === undefined)
    throw new LocalProtocolError(`${JSON.stringify(address.slice(0, 80))} is no mailbox of RFC 5321`);
  const needsUtf8 = !isAscii(mailbox.localPart);
  if (needsUtf8 || isAscii(mailbox.domain)) return { path: `<${address}>`, needsUtf8 };
  const ascii = domainToASCII(mailbox.domain);
  if (ascii === "") throw new LocalProtocolError(`${mailbox.domain} is no domain`);
  return { path: `<${mailbox.localPart}@${ascii}>`, needsUtf8: false };
}

/** Whether a text has nothing beyond ASCII. */
export function isAscii(text: string): boolean {
  return !/[^\p{ASCII}]/u.test(text);
}

/**
 * Reads the argument of MAIL or RCPT: `FROM:<alice@example.test> SIZE=1000`. A source route is passed over, as RFC 5321
 * section 4.1.2 asks.
 *
 * @throws {RemoteProtocolError} it is not of that form. The session goes on: the caller answers 501.
 */
export function parsePathCommand(argument: string, keyword: "FROM" | "TO"): PathCommand {
  const [all, bracketed] = /^[A-Za-z]+: *<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>(?= |$)/.exec(argument) ?? [];
  if (bracketed === undefined || !argument.toUpperCase().startsWith(`${keyword}:`)) {
    throw new RemoteProtocolError(`${keyword}:<path> is missing`, { excerpt: argument, rfc });
  }
  const path = bracketed.replace(/^@[^:]*:/, "");
  const isNull = path === "" && keyword === "FROM";
  if (!isNull && parseMailbox(path) === undefined)
    throw new RemoteProtocolError("the path is no mailbox", { excerpt: bracketed, rfc });
  const parameters = parseParameters(argument.slice(all?.length ?? 0));
  return { path, sourceRoute: path !== bracketed, parameters };
}

/** `SIZE=1000 BODY=8BITMIME`: esmtp-param of RFC 5321 section 4.1.2. Each may stand once. */
export function parseParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const word of text.split(" ").filter(Boolean)) {
    const [, key = "", value = ""] =
      /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\u{10ffff}]+))?$/u.exec(word) ?? [];
    const name = key.toUpperCase();
    if (name === "" || parameters.has(name))
      throw new RemoteProtocolError("a parameter is malformed or stands twice", { excerpt: word, rfc });
    parameters.set(name, value);
  }
  return parameters;
}

/** RFC 3461 section 4: bytes that could be mistaken for syntax become `+XX`. What is not ASCII goes as UTF-8. */
export function formatXtext(text: string): string {
  const xchar = (byte: number) => byte > 0x20 && byte < 0x7f && byte !== 0x2b && byte !== 0x3d;
  return [...Buffer.from(text, "utf8")]
    .map((byte) =>
      xchar(byte) ? String.fromCharCode(byte) : `+${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

/** @throws {RemoteProtocolError} it is no xtext. */
export function parseXtext(xtext: string): string {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(xtext))
    throw new RemoteProtocolError("this is no xtext", { excerpt: xtext, rfc: "RFC 3461 section 4" });
  const latin1 = xtext.replace(/\+([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, "latin1").toString("utf8");
}
