/** Replies that begin with three digits (RFC 5321 section 4.2, RFC 959 section 4.2, RFC 3977 section 3.2). */
import { RemoteProtocolError } from "../core/errors.js";
import { checkedArgument } from "./command-line.js";

/** One line of a reply, taken apart. */
export interface ReplyLine {
  /** 100 to 599. */
  readonly code: number;
  /** Whether a hyphen follows the code, so that another line follows this one. */
  readonly continues: boolean;
  /** What follows, decoded as UTF-8; bytes that are none become U+FFFD. */
  readonly text: string;
}

const decoder: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const hyphen = 0x2d;
const space = 0x20;

/**
 * Takes `250-SIZE 1000` apart. A code alone on its line counts as complete, as do servers that leave out the space.
 *
 * @throws {RemoteProtocolError} it does not begin with three digits and a space, a hyphen or nothing.
 */
export function parseReplyLine(line: Uint8Array, rfc: string): ReplyLine {
  const code = replyCode(line);
  const separator = line[3] ?? space;
  if (code === undefined || (separator !== hyphen && separator !== space)) {
    throw new RemoteProtocolError("a reply does not begin with a code of three digits", {
      excerpt: line,
      rfc,
    });
  }
  return { code, continues: separator === hyphen, text: decoder.decode(line.subarray(4)) };
}

/** The code at the start of a line; `undefined` where there is none from 100 to 599. */
export function replyCode(line: Uint8Array): number | undefined {
  const [a = 0, b = 0, c = 0] = line;
  const digits = a >= 0x31 && a <= 0x35 && isDigit(b) && isDigit(c);
  return digits ? (a - 0x30) * 100 + (b - 0x30) * 10 + (c - 0x30) : undefined;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/**
 * `250-first`, `250 last`: a reply of one or more lines, as text with its line ends.
 *
 * @throws {LocalProtocolError} a line holds CR, LF or NUL: it would be a reply of its own.
 */
export function formatReplyLines(code: number, lines: readonly string[]): string {
  const last = lines.length - 1;
  const formatted = lines.map((line, index) => {
    return `${code}${index < last ? "-" : " "}${checkedArgument(line, `the reply ${code}`)}\r\n`;
  });
  return formatted.join("");
}
