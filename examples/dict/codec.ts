/** DICT as bytes (RFC 2229 section 2): lines in UTF-8, quoted words, replies with text behind them. No I/O. */
import type { Decoder } from "../../src/core/decoder.js";
import { LimitError, RemoteProtocolError } from "../../src/core/errors.js";
import { dotBlockDecoder } from "../../src/wire/dot-block.js";
import { formatReplyLines, parseReplyLine } from "../../src/wire/reply.js";
import type { DictDefinition, DictMatch, DictName, DictReply } from "./types.js";

/** Section 2.3: a command has 1024 octets at most, its CR LF included. */
const maxCommandBytes = 1022;
/** The replies that text follows: section 2.4.1, 1yz. */
const withText: ReadonlySet<number> = new Set([110, 111, 112, 113, 114, 151, 152]);
const utf8: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A reply, and the text behind it where its code promises one. */
export function replyDecoder(): Decoder<DictReply> {
  let text = textDecoder();
  let head: DictReply | undefined;
  return (queue, limits) => {
    if (head === undefined) {
      const line = queue.takeCrLfLine(limits.maxLineBytes);
      if (line === undefined) return undefined;
      head = parseStatus(line);
    }
    const lines = withText.has(head.code) ? text(queue, limits) : null;
    if (lines === undefined) return undefined;
    const reply = lines === null ? head : { ...head, lines };
    head = undefined;
    text = textDecoder();
    return reply;
  };
}

function parseStatus(line: Uint8Array): DictReply {
  const { code, continues, text } = parseReplyLine(line, "RFC 2229 section 2.4");
  if (!continues) return { code, text };
  throw new RemoteProtocolError("a reply has one line", { excerpt: line, rfc: "RFC 2229 section 2.4" });
}

/** Section 2.4.3: text is a dot block. The pieces are joined here, so the limit is that of a reply. */
function textDecoder(): Decoder<readonly string[]> {
  const decode = dotBlockDecoder();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  return (queue, limits) => {
    for (;;) {
      const piece = decode(queue, limits);
      if (piece === undefined) return undefined;
      if (piece === null) return utf8.decode(Buffer.concat(pieces)).split("\r\n").slice(0, -1);
      bytes += piece.length;
      if (bytes > limits.maxReplyBytes) throw new LimitError("the text of a reply", limits.maxReplyBytes);
      pieces.push(piece);
    }
  };
}

/** A line of a command, for servers. */
export const commandDecoder: Decoder<string> = (queue, limits) => {
  const line = queue.takeCrLfLine(Math.min(limits.maxLineBytes, maxCommandBytes));
  return line === undefined ? undefined : utf8.decode(line);
};

const token: RegExp = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"'\\]+))(?=\s|$)/y;

/**
 * The words of a line (section 2.2): atoms, and strings in either kind of quotes.
 *
 * @throws {RemoteProtocolError} a quote has no end, or stands within a word.
 */
export function parseWords(line: string): string[] {
  const words: string[] = [];
  const end = line.trimEnd().length;
  token.lastIndex = 0;
  for (let at = 0; at < end; at = token.lastIndex) {
    const found = token.exec(line);
    if (found === null) throw malformed("a line is not made of words", line);
    const [, double, single, atom] = found;
    words.push(atom ?? (double ?? single ?? "").replace(/\\(.)/gs, "$1"));
  }
  return words;
}

/** A word as an atom where it can be one, else in quotes. CR, LF and NUL are the command line's to refuse. */
export function formatWord(word: string): string {
  return /^[^\s"'\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, "\\$&")}"`;
}

/** What stands in a 151 reply (section 3.2.1): `"word" database "description"`, and the text. */
export function parseDefinition({ text, lines = [] }: DictReply): DictDefinition {
  const [word, database, title] = parseWords(text);
  if (word === undefined || database === undefined || title === undefined)
    throw malformed("a definition names its word, its database and that one's description", text);
  return { word, database, title, lines };
}

/** The inverse: the words of a 151 reply. */
export function formatDefinition({ word, database, title }: Omit<DictDefinition, "lines">): string {
  return `${quoted(word)} ${formatWord(database)} ${quoted(title)}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** A line of MATCH: the database and the word (section 3.3.1). */
export function parseMatch(line: string): DictMatch {
  const [database, word] = pairIn(line);
  return { database, word };
}

/** A line of SHOW DB or SHOW STRAT: the name and its description (section 3.5). */
export function parseName(line: string): DictName {
  const [name, title] = pairIn(line);
  return { name, title };
}

function pairIn(line: string): [string, string] {
  const [first, second, ...more] = parseWords(line);
  if (first === undefined || second === undefined || more.length > 0)
    throw malformed("a line of a list has a name and a text", line);
  return [first, second];
}

function malformed(message: string, excerpt: string): RemoteProtocolError {
  return new RemoteProtocolError(message, { excerpt, rfc: "RFC 2229 section 2.2" });
}

/** A reply as it stands on the wire, without the text behind it. */
export function formatReply(code: number, text: string): string {
  return formatReplyLines(code, [text]);
}

/** Lines as a body: the dots and the end are the channel's. */
export function formatLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}
