/** Commands: both directions (RFC 5321 section 4.1). Replies, paths and parameters have files of their own. */
import type { ByteQueue } from "../core/byte-queue.js";
import type { Decoder } from "../core/decoder.js";
import { LimitError, LocalProtocolError, RemoteProtocolError, UnsupportedError } from "../core/errors.js";
import { type CommandLine, commandLine } from "../wire/command-line.js";
import { formatMailParameters, formatRcptParameters } from "./codec-parameters.js";
import { formatPath, isAscii, parseXtext } from "./codec-path.js";
import type { MailOptions, SmtpCommand, SmtpExtensions, SmtpRecipient } from "./types.js";

/** What a message's bytes say about how it can travel. */
export interface ContentNeeds {
  /** Its length, where it is known. */
  readonly sizeOctets?: number | undefined;
  /** Whether its header has text beyond ASCII, or an address does. */
  readonly smtpUtf8?: boolean | undefined;
}

/**
 * `MAIL FROM:<alice@example.test> SIZE=1000 BODY=8BITMIME`.
 *
 * @throws {UnsupportedError} the server does not offer what the message needs.
 * @throws {LocalProtocolError} an address or a value cannot be sent; or the message is larger than the server takes.
 */
export function formatMail(
  from: string,
  options: MailOptions,
  content: ContentNeeds,
  extensions: SmtpExtensions,
): CommandLine {
  const { path, needsUtf8 } = formatPath(from);
  const utf8 = needsUtf8 || content.smtpUtf8 === true;
  if (utf8 && !extensions.smtpUtf8)
    throw new UnsupportedError("SMTPUTF8", "the server does not offer SMTPUTF8, which the message needs");
  const size = sizeParameter(content.sizeOctets, extensions);
  return commandLine(
    "MAIL",
    `FROM:${path}${size}${formatMailParameters(options, extensions)}${utf8 ? " SMTPUTF8" : ""}`,
  );
}

/** RFC 1870 section 6. */
function sizeParameter(sizeOctets: number | undefined, extensions: SmtpExtensions): string {
  const max = extensions.sizeOctets;
  if (sizeOctets === undefined || max === undefined) return "";
  if (max > 0 && sizeOctets > max) throw new LimitError("the message", max, { sent: "no", usable: true });
  return ` SIZE=${sizeOctets}`;
}

/** `RCPT TO:<bob@example.test> NOTIFY=NEVER`. `smtpUtf8`: MAIL has said so. */
export function formatRcpt(recipient: SmtpRecipient, extensions: SmtpExtensions): CommandLine {
  const { path, needsUtf8 } = formatPath(recipient.address);
  if (path === "<>") throw new LocalProtocolError("a recipient has an address");
  if (needsUtf8 && !extensions.smtpUtf8)
    throw new UnsupportedError("SMTPUTF8", "the server does not offer SMTPUTF8, which a recipient needs");
  return commandLine("RCPT", `TO:${path}${formatRcptParameters(recipient, extensions)}`);
}

/**
 * EHLO, HELO or LHLO with this side's name: a domain, or an address in brackets.
 *
 * @throws {LocalProtocolError} it is neither.
 */
export function formatHello(verb: "EHLO" | "HELO" | "LHLO", name: string): CommandLine {
  if (!/^[A-Za-z0-9[][A-Za-z0-9.:_\-\]]*$/.test(name) || name.length > 255)
    throw new LocalProtocolError(
      `${JSON.stringify(name.slice(0, 80))} is neither a domain nor an address literal`,
    );
  return commandLine(verb, name);
}

/**
 * XCLIENT with its attributes (Postfix's XCLIENT_README): `XCLIENT NAME=spike.example ADDR=192.0.2.1`.
 *
 * @throws {UnsupportedError} the server does not offer XCLIENT or an attribute.
 */
export function formatXclient(
  attributes: Readonly<Record<string, string>>,
  extensions: SmtpExtensions,
): CommandLine {
  const words = Object.entries(attributes).map(([name, value]) => {
    const key = name.toUpperCase();
    if (!extensions.xclient.has(key))
      throw new UnsupportedError("XCLIENT", `the server does not take XCLIENT ${JSON.stringify(key)}`);
    if (value === "" || !isAscii(value) || /[\p{Cc}]/u.test(value))
      throw new LocalProtocolError(
        `the XCLIENT attribute ${key} is empty or has characters that cannot be sent`,
      );
    return `${key}=${value.replace(/[ +=]/g, (char) => `+${char.charCodeAt(0).toString(16).toUpperCase()}`)}`;
  });
  return commandLine("XCLIENT", words.join(" "));
}

/** RFC 4954 section 4: a command AUTH, and a response in its exchange, CR LF included. */
const maxAuthLineBytes = 12_288;
/** So much of a line that is too long is passed over; one that goes on is an attack. */
const maxSkippedBytes = 1_048_576;

/**
 * A decoder for the client's next command line. Only CR LF ends it. A line of more than `maxBytes`, its CR LF included, is
 * taken up to its end and comes as `"too long"`, for the session goes on after a 500 (RFC 5321 section 4.5.3.1.4). AUTH may
 * be longer.
 *
 * @throws {LimitError} a line has no end within 1 MiB.
 */
export function commandDecoder(maxBytes: number): Decoder<Uint8Array | "too long"> {
  const maxLineBytes = Math.max(maxBytes, maxAuthLineBytes) - 2;
  let skippedBytes = 0;
  return (queue: ByteQueue) => {
    if (skippedBytes === 0) {
      const line = takeLineOrLimit(queue, maxLineBytes);
      if (line === undefined) return undefined;
      if (line !== "too long")
        return line.length <= maxBytes - 2 || (line.length <= maxAuthLineBytes - 2 && isAuth(line))
          ? line
          : "too long";
    }
    const { bytes, ended } = skipLine(queue);
    skippedBytes = ended ? 0 : skippedBytes + bytes;
    if (skippedBytes > maxSkippedBytes) throw new LimitError("a command line", maxBytes);
    return ended ? "too long" : undefined;
  };
}

function takeLineOrLimit(queue: ByteQueue, maxLineBytes: number): Uint8Array | "too long" | undefined {
  try {
    return queue.takeCrLfLine(maxLineBytes);
  } catch (error) {
    if (error instanceof LimitError) return "too long";
    throw error;
  }
}

function isAuth(line: Uint8Array): boolean {
  return /^AUTH /i.test(String.fromCharCode(...line.subarray(0, 5)));
}

/** Drops what has come of a line, its CR LF included. A CR at the end stays: its LF may follow. */
function skipLine(queue: ByteQueue): { readonly bytes: number; readonly ended: boolean } {
  const all = Buffer.from(queue.peek());
  const end = all.indexOf("\r\n");
  const bytes = end >= 0 ? end + 2 : all.at(-1) === 0x0d ? all.length - 1 : all.length;
  queue.drop(bytes);
  return { bytes, ended: end >= 0 };
}

/** A decoder for a client's response within AUTH: a line as long as RFC 4954 section 4 allows. */
export const authResponseDecoder: Decoder<Uint8Array> = (queue: ByteQueue) =>
  queue.takeCrLfLine(maxAuthLineBytes - 2);

const decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Takes a command line apart. Text beyond ASCII is UTF-8 (RFC 6531 section 3.3).
 *
 * @throws {RemoteProtocolError} it holds a CR, LF or NUL, or is not UTF-8. The session goes on: the caller answers 500.
 */
export function parseCommand(line: Uint8Array): SmtpCommand {
  const text = textOf(line);
  const [, verb = "", argument = ""] = /^([A-Za-z0-9-]{1,32})(?: +(.*))?$/s.exec(text.trimEnd()) ?? [];
  if (verb === "" || /[\0\r\n]/.test(text)) {
    throw new RemoteProtocolError("this is no command", { excerpt: line, rfc: "RFC 5321 section 4.1.1" });
  }
  return { verb: verb.toUpperCase(), argument };
}

function textOf(line: Uint8Array): string {
  try {
    return decoder.decode(line);
  } catch (cause) {
    throw new RemoteProtocolError("a command is not UTF-8", {
      cause,
      excerpt: line,
      rfc: "RFC 6531 section 3.3",
    });
  }
}

/** RFC 3030 section 2: `BDAT 1000 LAST`. */
export function formatBdat(bytes: number, last: boolean): CommandLine {
  return commandLine("BDAT", last ? `${bytes} LAST` : `${bytes}`);
}

/**
 * Reads the argument of BDAT.
 *
 * @throws {RemoteProtocolError} it is malformed: where the chunk ends is unknown, so the session cannot go on.
 */
export function parseBdat(argument: string): { readonly bytes: number; readonly last: boolean } {
  const [, digits = "", last] = /^(\d{1,12})( +LAST)?$/i.exec(argument) ?? [];
  if (digits === "")
    throw new RemoteProtocolError("BDAT without a size", { excerpt: argument, rfc: "RFC 3030 section 2" });
  return { bytes: Number(digits), last: last !== undefined };
}

/** A decoder for a chunk of so many bytes: its pieces as they come, then `null`. */
export function chunkDecoder(bytes: number): Decoder<Uint8Array | null> {
  let leftBytes = bytes;
  return (queue) => {
    if (leftBytes === 0) return null;
    if (queue.length === 0) {
      if (queue.ended)
        throw new RemoteProtocolError("the connection ended within a chunk", { rfc: "RFC 3030" });
      return undefined;
    }
    const piece = queue.takeSome(leftBytes);
    leftBytes -= piece.length;
    return piece;
  };
}

/**
 * Reads the argument of EHLO, HELO or LHLO: a domain or an address literal (RFC 5321 section 4.1.1.1), or whatever one
 * word clients send for it.
 *
 * @throws {RemoteProtocolError} it is no word that could stand in a trace header.
 */
export function parseHello(argument: string): string {
  if (/^[^\s\p{Cc}()<>@,;\\"]{1,255}$/u.test(argument)) return argument;
  throw new RemoteProtocolError("this is no domain", {
    excerpt: argument,
    rfc: "RFC 5321 section 4.1.1.1",
  });
}

/** What XCLIENT can tell (Postfix's XCLIENT_README). */
export const xclientAttributes: readonly string[] = [
  ...["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"],
];

/**
 * Reads the argument of XCLIENT. `[UNAVAILABLE]` and `[TEMPUNAVAIL]` come as `undefined`.
 *
 * @throws {RemoteProtocolError} an attribute is unknown, malformed, or stands twice.
 */
export function parseXclient(argument: string): ReadonlyMap<string, string | undefined> {
  const attributes = new Map<string, string | undefined>();
  for (const word of argument.split(" ").filter(Boolean)) {
    const [, key = "", value = ""] = /^([A-Za-z]+)=(.+)$/.exec(word) ?? [];
    const name = key.toUpperCase();
    if (!xclientAttributes.includes(name) || attributes.has(name))
      throw new RemoteProtocolError("this is no attribute of XCLIENT", { excerpt: word });
    attributes.set(name, /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value) ? undefined : parseXtext(value));
  }
  if (attributes.size === 0) throw new RemoteProtocolError("XCLIENT without attributes");
  return attributes;
}
