/** Replies: both directions (RFC 5321 section 4.2, RFC 2034). */
import type { Decoder } from "../core/decoder.js";
import { LimitError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import { formatReplyLines, parseReplyLine } from "../wire/reply.js";
import type { SmtpReply } from "./types.js";

const rfc = "RFC 5321 section 4.2";
/** RFC 3463 section 2: class.subject.detail at the start of the text. */
const enhanced = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/;

/** A decoder for one reply of one or more lines. Every line must have the same code. */
export function replyDecoder(): Decoder<SmtpReply> {
  const lines: string[] = [];
  let code: number | undefined;
  let bytes = 0;
  return (queue, limits) => {
    for (;;) {
      const line = queue.takeLine(limits.maxLineBytes);
      if (line === undefined) return undefined;
      bytes += line.length;
      if (bytes > limits.maxReplyBytes) throw new LimitError("a reply", limits.maxReplyBytes);
      const parsed = parseReplyLine(line, rfc);
      if (code !== undefined && parsed.code !== code)
        throw new RemoteProtocolError(`a reply of ${code} goes on with another code`, { excerpt: line, rfc });
      // Section 4.2.1: the first digit is 2 to 5. A 1yz has no meaning in SMTP.
      if (parsed.code < 200)
        throw new RemoteProtocolError("a reply has a code below 200", { excerpt: line, rfc });
      code = parsed.code;
      lines.push(parsed.text);
      if (!parsed.continues) return toReply(code, lines);
    }
  };
}

/** Takes the enhanced code off the lines that begin with it (RFC 2034 section 4). */
function toReply(code: number, lines: readonly string[]): SmtpReply {
  const found = enhanced.exec(lines[0] ?? "")?.[1];
  if (found === undefined) return { code, lines };
  const without = (line: string) =>
    line.startsWith(found) && (line[found.length] ?? " ") === " " ? line.slice(found.length + 1) : line;
  return { code, enhancedCode: found, lines: lines.map(without) };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a reply is one line of printable text each
const unprintable = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * A reply as it goes onto the wire.
 *
 * @throws {LocalProtocolError} a line holds a control character, or the code is none.
 */
export function formatReply(reply: SmtpReply): string {
  const { code, enhancedCode } = reply;
  if (!Number.isInteger(code) || code < 200 || code > 599)
    throw new LocalProtocolError(`${code} is no code of a reply`);
  const lines = reply.lines.length === 0 ? [""] : reply.lines;
  for (const line of lines)
    if (unprintable.test(line)) throw new LocalProtocolError("a line of a reply holds a control character");
  return formatReplyLines(
    code,
    enhancedCode === undefined ? lines : lines.map((line) => `${enhancedCode} ${line}`),
  );
}

/** A reply as lines of a transcript. */
export function showReply(reply: SmtpReply): readonly string[] {
  return formatReply({ ...reply, lines: reply.lines.map((line) => line.replace(/\p{Cc}/gu, "?")) })
    .trimEnd()
    .split("\r\n");
}

/** The name that a server gave a message it has taken: `2.0.0 Ok: queued as 4XyZ`, `OK id=1sAbC`. */
export function queueIdOf(reply: SmtpReply): string | undefined {
  const text = reply.lines.at(-1) ?? "";
  return /\bqueued as ([\w.-]+)/i.exec(text)?.[1] ?? /\bid=([\w.-]+)/i.exec(text)?.[1];
}
