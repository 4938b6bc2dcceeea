/** Commands and replies, both directions (RFC 1939 section 3, RFC 2449 section 8, RFC 5034 section 4). */
import type { ByteQueue } from "../core/byte-queue.js";
import type { Decoder } from "../core/decoder.js";
import { LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import type { Pop3Command, Pop3Reply } from "./types.js";

/** RFC 2449 section 4: a command has 255 octets with its CR LF. */
export const maxCommandBytes = 253;
const rfc = "RFC 1939 section 3";
const decoder: TextDecoder = new TextDecoder();
const strictDecoder: TextDecoder = new TextDecoder("utf-8", { fatal: true });

/** A decoder for the next reply's first line. Text is UTF-8 (RFC 6856 section 2.1); bytes that are none become U+FFFD. */
export function replyDecoder(): Decoder<Pop3Reply> {
  return takeReply;
}

/** The same: there is nothing to remember between two calls. */
export function takeReply(queue: ByteQueue, limits: Limits): Pop3Reply | undefined {
  const line = queue.takeLine(limits.maxLineBytes);
  return line === undefined ? undefined : parseReply(line);
}

/** Any status in whatever case, then white space or the end: some servers leave the text out, or put a tab. */
const status = /^(\+OK|-ERR|\+)(?:[ \t]+|$)/i;
/** RFC 2449 section 8: levels separated by slashes, in brackets. */
const responseCode = /^\[([!-.0-Z\\^-~]+(?:\/[!-.0-Z\\^-~]+)*)\][ \t]*/;

/**
 * Takes `-ERR [IN-USE] Do you have another POP session running?` apart.
 *
 * @throws {RemoteProtocolError} it begins with none of `+OK`, `-ERR` and `+`.
 */
export function parseReply(line: Uint8Array): Pop3Reply {
  const text = decoder.decode(line);
  const [head = "", found] = status.exec(text) ?? [];
  if (found === undefined)
    throw new RemoteProtocolError("a reply begins with neither +OK nor -ERR", { excerpt: line, rfc });
  const rest = text.slice(head.length);
  if (found === "+") return { status: "+", text: rest };
  const upper = found.toUpperCase() === "+OK" ? "+OK" : "-ERR";
  const [bracket = "", code] = rest.startsWith("[") ? (responseCode.exec(rest) ?? []) : [];
  if (code === undefined) return { status: upper, text: rest };
  return { status: upper, responseCode: code.toUpperCase(), text: rest.slice(bracket.length) };
}

/**
 * A reply's line with its CR LF.
 *
 * @throws {LocalProtocolError} the text holds a control character, or the code has characters that it may not.
 */
export function formatReply(reply: Pop3Reply): string {
  const { responseCode: code, text } = reply;
  if (code !== undefined && responseCode.exec(`[${code}]`)?.[1] !== code)
    throw new LocalProtocolError(`${JSON.stringify(code.slice(0, 80))} is no response code`);
  if (/[\p{Cc}\p{Cs}]/u.test(text))
    throw new LocalProtocolError("the text of a reply holds a control character");
  return `${showReply(reply)}\r\n`;
}

/** A reply as a line of a transcript. */
export function showReply({ status: word, responseCode: code, text }: Pop3Reply): string {
  return [word, code === undefined ? "" : `[${code}]`, text].filter((part) => part !== "").join(" ");
}

/** A decoder for the client's next command line. Only CR LF ends it. */
export const commandDecoder: Decoder<Uint8Array> = (queue, limits) => queue.takeCrLfLine(limits.maxLineBytes);

/**
 * Takes a command line apart. One space ends the verb; what follows is the argument with its own spaces, since passwords
 * may have some (RFC 1939 section 7). Text beyond ASCII is UTF-8.
 *
 * @throws {RemoteProtocolError} it holds a CR, LF or NUL, is not UTF-8, or has no verb. The session goes on.
 */
export function parseCommand(line: Uint8Array): Pop3Command {
  const text = textOf(line);
  const [, verb, argument = ""] = /^([A-Za-z0-9]{1,32})(?:[ \t](.*))?$/s.exec(text) ?? [];
  if (verb === undefined || /[\0\r\n]/.test(text))
    throw new RemoteProtocolError("this is no command", { excerpt: line, rfc });
  return { verb: verb.toUpperCase(), argument };
}

function textOf(line: Uint8Array): string {
  try {
    return strictDecoder.decode(line);
  } catch (cause) {
    throw new RemoteProtocolError("a command is not UTF-8", {
      cause,
      excerpt: line,
      rfc: "RFC 6856 section 2.1",
    });
  }
}

/**
 * Reads arguments that are numbers: all of them, `least` at the fewest, or `undefined` where they are malformed. A
 * number of a message or of lines fits in 10 digits.
 */
export function parseNumbers(argument: string, least: number, most: number): readonly number[] | undefined {
  const words = argument.trim() === "" ? [] : argument.trim().split(/[ \t]+/);
  const wellFormed = words.every((word) => /^\d{1,10}$/.test(word));
  return wellFormed && words.length >= least && words.length <= most ? words.map(Number) : undefined;
}
