/** One side of a conversation, played from its transcript. */
import { AssertionError } from "node:assert/strict";
import type { Decoder } from "../core/decoder.js";
import { BrokenError, DeadlineError } from "../core/errors.js";
import { printable } from "../core/printable.js";
import { type Speaker, transcriptLine } from "../core/trace.js";
import { ByteStream } from "../transport/byte-stream.js";
import type { Transport } from "../transport/types.js";
import { parseTranscript, type TranscriptLine, transcriptBytes } from "./parse-transcript.js";

/** How a transcript is played. */
export interface PlayOptions {
  /** The longest wait for each line of the other side, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** What `[secret]` stands for in the lines that are sent, one after the other. */
  readonly secrets?: readonly string[] | undefined;
  /** Called at each note of the transcript: to start TLS, for instance. */
  readonly onNote?: ((text: string, transport: Transport) => Promise<void> | void) | undefined;
}

const defaultTimeoutMs = 10_000;
/** So many lines before a difference are shown. */
const contextLines = 5;

/**
 * Plays the server of a transcript, for a client under test: awaits the `C:` lines, sends the `S:` lines, and ends. The
 * client must then end too, and say no more than what is written.
 *
 * @throws {AssertionError} the client says something else, too much, or nothing in time. The connection is closed.
 *
 * @example
 * ```ts
 * const [near, far] = memoryPair({ fragmentBytes: 7 });
 * await Promise.all([playServer("S: 220 ready\nC: QUIT\nS: 221 bye\n", far), useClient(near)]);
 * ```
 */
export async function playServer(
  transcript: string,
  transport: Transport,
  options: PlayOptions = {},
): Promise<void> {
  await play(transcript, "S", transport, options);
}

/** Plays the client of a transcript, for a server under test: the mirror image of {@link playServer}. */
export async function playClient(
  transcript: string,
  transport: Transport,
  options: PlayOptions = {},
): Promise<void> {
  await play(transcript, "C", transport, options);
}

async function play(text: string, own: Speaker, transport: Transport, options: PlayOptions): Promise<void> {
  const lines = parseTranscript(text);
  const stream = new ByteStream(transport);
  const secrets = [...(options.secrets ?? [])];
  try {
    for (let at = 0; at < lines.length; at += 1) {
      const line = lines[at] as TranscriptLine;
      if (line.who === "*") await options.onNote?.(line.text, transport);
      else if (line.who !== own) await expectLine(stream, lines, at, options);
      else at = await sendRun(stream, lines, at, secrets);
    }
    await expectEnd(stream, lines, options);
  } finally {
    await transport.close();
  }
}

/** Sends this line and those of the same side behind it in one write. Returns the index of the last one. */
async function sendRun(
  stream: ByteStream,
  lines: readonly TranscriptLine[],
  from: number,
  secrets: string[],
): Promise<number> {
  const who = lines[from]?.who;
  let end = from;
  while (lines[end]?.who === who) end += 1;
  const run = lines.slice(from, end).map(({ text }) => transcriptBytes(withSecrets(text, secrets)));
  await stream.write(Buffer.concat(run));
  return end - 1;
}

function withSecrets(text: string, secrets: string[]): string {
  return text.replaceAll("[secret]", () => secrets.shift() ?? "[secret]");
}

async function expectLine(
  stream: ByteStream,
  lines: readonly TranscriptLine[],
  at: number,
  { timeoutMs = defaultTimeoutMs }: PlayOptions,
): Promise<void> {
  const { text } = lines[at] as TranscriptLine;
  const pattern = patternOf(text);
  try {
    const got = await stream.receive(text.endsWith("\\") ? counted(transcriptBytes(text).length) : rawLine, {
      timeoutMs,
    });
    if (!pattern.test(latin1(got))) throw difference(lines, at, shown(got));
  } catch (error) {
    if (error instanceof AssertionError) throw error;
    throw difference(lines, at, `${whatHappened(error, timeoutMs)}${rest(stream)}`, error);
  }
}

/** A line with its end, so that a lone LF is seen. */
function rawLine(queue: Parameters<Decoder<Uint8Array>>[0]): Uint8Array | undefined {
  const end = queue.peek().indexOf(0x0a);
  return end < 0 ? undefined : queue.take(end + 1);
}

function counted(bytes: number): Decoder<Uint8Array> {
  return (queue) => (queue.length < bytes ? undefined : queue.take(bytes));
}

/** The line's bytes, as latin1, with what may vary left open. */
function patternOf(text: string): RegExp {
  const parts = text.split(/(…|\[secret\])/).map((part, index, { length }) => {
    const isLast = index === length - 1;
    if (index % 2 === 1) return "[^\\r\\n]*";
    return escapeForRegExp(latin1(transcriptBytes(isLast ? part : `${part}\\`)));
  });
  return new RegExp(`^${parts.join("")}$`);
}

function escapeForRegExp(text: string): string {
  return text.replace(
    /[\\^$.*+?()[\]{}|/\-\r\n\0]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** Ends this side; the other must end without another byte. */
async function expectEnd(
  stream: ByteStream,
  lines: readonly TranscriptLine[],
  { timeoutMs = defaultTimeoutMs }: PlayOptions,
): Promise<void> {
  await stream.transport.end();
  const more: Decoder<Uint8Array> = (queue) => {
    const isWhole = queue.ended || queue.peek().includes(0x0a);
    return isWhole ? queue.take(queue.length) : undefined;
  };
  try {
    const got = await stream.receive(more, { timeoutMs });
    if (got.length > 0) throw difference(lines, lines.length, shown(got));
  } catch (error) {
    if (error instanceof BrokenError) return;
    if (error instanceof AssertionError) throw error;
    throw difference(lines, lines.length, `${whatHappened(error, timeoutMs)}${rest(stream)}`, error);
  }
}

function whatHappened(error: unknown, timeoutMs: number): string {
  if (error instanceof DeadlineError) return `(nothing more within ${timeoutMs} ms)`;
  if (error instanceof BrokenError) return "(the end of the connection)";
  return `(${String(error)})`;
}

function rest({ queue }: ByteStream): string {
  return queue.length === 0 ? "" : ` after ${shown(queue.peek())}`;
}

/** Bytes as a transcript shows them: without a CR LF at the end, and what is missing of it made visible. */
function shown(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 400));
  return text.endsWith("\r\n") ? printable(text.slice(0, -2)) : `${printable(text)}\\`;
}

/** The lines before it, then the awaited line with a minus and what came with a plus. */
function difference(
  lines: readonly TranscriptLine[],
  at: number,
  got: string,
  cause?: unknown,
): AssertionError {
  const awaited = lines[at];
  const who = awaited?.who ?? "*";
  const side = who === "C" ? "the client" : who === "S" ? "the server" : "the other side";
  const expected = awaited === undefined ? "* the end of the connection" : transcriptLine(who, awaited.text);
  const before = lines.slice(Math.max(0, at - contextLines), at);
  const message = [
    `line ${awaited?.line ?? "behind the last"} of the transcript: ${side} did something else`,
    ...before.map((line) => `  ${transcriptLine(line.who, line.text)}`),
    `- ${expected}`,
    `+ ${transcriptLine(who, got)}`,
  ].join("\n");
  const error = new AssertionError({ message, expected, actual: transcriptLine(who, got) });
  if (cause !== undefined) error.cause = cause;
  return error;
}
