/**
 * Transcripts as text. The rules:
 *
 * - `C: ` is a line of the client's, `S: ` one of the server's, `* ` a note. Each stands for itself and CR LF.
 * - Three spaces at the start of a line: the same side goes on with its next line. A body is written so; an empty line
 *   of it is `C:`.
 * - Lines that are blank or begin with `#` say nothing. An indent that all lines share is taken off.
 * - `\xNN` is a byte. A backslash at the very end of a line: no CR LF follows (a literal, a prompt).
 * - Where a line is awaited, `…` matches any text, and so does `[secret]`.
 */
import { LocalProtocolError } from "../core/errors.js";
import { type Speaker, transcriptLine } from "../core/trace.js";

/** One line of a transcript. */
export interface TranscriptLine {
  readonly who: Speaker;
  /** The line as it is written, without speaker. */
  readonly text: string;
  /** Where it stands in the text, counted from 1. */
  readonly line: number;
}

/**
 * Takes a transcript apart.
 *
 * @throws {LocalProtocolError} a line names no speaker, or stands for a body that is not there (`[12 bytes]`).
 *
 * @example
 * ```ts
 * parseTranscript("S: 220 ready\nC: QUIT\nS: 221 bye\n");
 * ```
 */
export function parseTranscript(text: string): TranscriptLine[] {
  const found: TranscriptLine[] = [];
  for (const [index, written] of withoutIndent(text.split(/\r?\n/)).entries()) {
    if (written.trim() === "" || written.startsWith("#")) continue;
    const before = found.at(-1);
    const line = parseLine(written, before?.who, index + 1);
    if (line.who !== "*" && /^\[\d+ bytes\]$/.test(line.text))
      throw new LocalProtocolError(
        `line ${index + 1} of a transcript: write the body's lines in place of a note`,
      );
    found.push(line);
  }
  return found;
}

/** The inverse of {@link parseTranscript}. */
export function formatTranscript(lines: readonly Pick<TranscriptLine, "who" | "text">[]): string {
  return lines.map(({ who, text }) => `${transcriptLine(who, text)}\n`).join("");
}

/** The bytes that a line of a transcript stands for. */
export function transcriptBytes(text: string): Uint8Array {
  const isOpen = text.endsWith("\\");
  const parts = (isOpen ? text.slice(0, -1) : `${text}\r\n`).split(/(\\x[0-9a-fA-F]{2})/);
  const bytes = parts.map((part, index) =>
    index % 2 === 1 ? Uint8Array.of(Number.parseInt(part.slice(2), 16)) : new TextEncoder().encode(part),
  );
  return new Uint8Array(Buffer.concat(bytes));
}

function parseLine(written: string, before: Speaker | undefined, line: number): TranscriptLine {
  const spoken = /^([CS]):(?: (.*))?$/.exec(written) ?? /^(\*)(?: (.*))?$/.exec(written);
  if (spoken !== null) return { who: spoken[1] as Speaker, text: spoken[2] ?? "", line };
  if (before !== undefined && written.startsWith("   ")) return { who: before, text: written.slice(3), line };
  throw new LocalProtocolError(
    `line ${line} of a transcript begins with none of C: S: * or three spaces: ${written}`,
  );
}

/** Without the indent that all lines share: a session that was copied out of an RFC. */
function withoutIndent(lines: readonly string[]): string[] {
  const spoken = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const indents = spoken.map((line) => /^ */.exec(line)?.[0].length ?? 0);
  const shared = Math.min(...indents);
  return lines.map((line) => (line.startsWith("#") ? line : line.slice(shared)));
}
