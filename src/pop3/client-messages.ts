/** Messages on their way: one, or many whose commands were sent ahead (RFC 2449 section 6.6). */
import type { OpOptions } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BusyError, LimitError, RemoteProtocolError } from "../core/errors.js";
import { Body, type BodySource } from "../engine/body.js";
import type { CommandChannel } from "../engine/command-channel.js";
import type { CommandLine } from "../wire/command-line.js";
import { dotBlockDecoder } from "../wire/dot-block.js";
import { takeReply } from "./codec.js";
import { Pop3Error } from "./errors.js";
import type { Pop3Reply } from "./types.js";

/** One of the messages of `retrMany`. */
export interface Pop3Retrieved {
  readonly number: number;
  /** The message. Reading it throws a `Pop3Error` where the server refused this one: the others come nevertheless. */
  readonly body: Body;
}

/** What every retrieval needs. */
export interface RetrievalOptions extends OpOptions {
  readonly channel: CommandChannel<Pop3Reply>;
  /** The longest silence within a message, in milliseconds. */
  readonly idleMs: number;
  readonly maxMessageLineBytes: number;
}

/** So much of what nobody wants is read and dropped; with more to come the connection is closed instead. */
const maxDrainBytes = 4 * 1024 * 1024;
const lf = 0x0a;

/** Sends RETR or TOP, and gives the message that comes. The connection is busy until that has been read or left. */
export async function retrieveOne(line: CommandLine, options: RetrievalOptions): Promise<Body> {
  const { channel } = options;
  options.signal?.throwIfAborted();
  const release = channel.hold("reading a message");
  try {
    const reply = checked(await channel.call(line, options), line.shown);
    return new Body(new MessageSource(options, reply, release));
  } catch (error) {
    release();
    throw await channel.failed(error);
  }
}

/**
 * Sends the commands of the messages, with as many under way as `allowed` says at the most, and gives the messages in
 * their order.
 */
export async function* retrieveMany(
  lines: ReadonlyMap<number, CommandLine>,
  numbers: readonly number[],
  allowed: () => Promise<number>,
  options: RetrievalOptions,
): AsyncGenerator<Pop3Retrieved, void, void> {
  const { channel } = options;
  options.signal?.throwIfAborted();
  const depth = await allowed();
  const release = channel.hold("reading messages");
  let sent = 0;
  let answered = 0;
  let current: MessageSource | undefined;
  try {
    for (const number of numbers) {
      // Half of them at once: a write for each would cost more than it hastens.
      if (sent < numbers.length && sent - answered <= depth / 2) {
        const more = linesOf(lines, numbers.slice(sent, answered + depth));
        sent += more.length;
        await channel.send(...more);
      }
      current = new MessageSource(options, await nextReply(options), () => {}, lines.get(number)?.shown);
      answered += 1;
      yield { number, body: new Body(current) };
      await current.abandon();
    }
  } catch (error) {
    throw await channel.failed(error);
  } finally {
    await drainAll(current, sent - answered, options);
    release();
  }
}

function linesOf(lines: ReadonlyMap<number, CommandLine>, numbers: readonly number[]): CommandLine[] {
  return numbers.flatMap((number) => lines.get(number) ?? []);
}

async function nextReply({ channel, ...options }: RetrievalOptions): Promise<Pop3Reply> {
  const now = channel.stream.receiveNow(takeReply);
  if (now === undefined) return await channel.reply({ signal: options.signal, timeoutMs: options.timeoutMs });
  channel.tracer.note("S", `${now.status} ${now.text}`);
  return now;
}

/** The loop was left early: the answers to what was sent already are read, if they are not too long. */
async function drainAll(
  current: MessageSource | undefined,
  pending: number,
  options: RetrievalOptions,
): Promise<void> {
  const { channel } = options;
  if (channel.closed) return;
  try {
    await current?.abandon();
    for (let left = pending, bytes = 0; left > 0 && !channel.closed; left -= 1) {
      const source = new MessageSource(options, await nextReply(options));
      bytes += await source.drain(maxDrainBytes - bytes);
    }
  } catch (error) {
    await channel.failed(error);
  }
}

function checked(reply: Pop3Reply, command: string): Pop3Reply {
  if (reply.status === "-ERR") throw new Pop3Error(reply, { command });
  if (reply.status === "+OK") return reply;
  throw new RemoteProtocolError("a challenge where there is no login", { excerpt: reply.text });
}

/** The dot block behind one reply. */
class MessageSource implements BodySource {
  readonly #options: RetrievalOptions;
  readonly #onEnd: () => void;
  readonly #decode: Decoder<Uint8Array | null>;
  #refusal: unknown;
  #bytes = 0;
  #state: "coming" | "read" | "left" = "coming";

  constructor(options: RetrievalOptions, reply: Pop3Reply, onEnd: () => void = () => {}, command = "RETR") {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#decode = withLineLimit(dotBlockDecoder(), options.maxMessageLineBytes);
    if (reply.status !== "-ERR") checked(reply, command);
    else {
      this.#refusal = new Pop3Error(reply, { command });
      this.#end();
    }
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#refusal !== undefined) throw await this.#options.channel.failed(this.#refusal);
    if (this.#state === "left") throw new BusyError("this message was passed over");
    if (this.#state === "read") return null;
    const piece = await this.#piece();
    if (piece === null) this.#end();
    else this.#bytes += piece.length;
    return piece;
  }

  async #piece(): Promise<Uint8Array | null> {
    const { channel, idleMs, signal, timeoutMs = idleMs } = this.#options;
    try {
      const now = channel.stream.receiveNow(this.#decode);
      if (now !== undefined) return now;
      return await channel.stream.receive(this.#decode, { what: "reading a message", signal, timeoutMs });
    } catch (error) {
      this.#state = "read";
      this.#onEnd();
      throw await channel.failed(error);
    }
  }

  #end(): void {
    this.#state = "read";
    if (this.#refusal === undefined) this.#options.channel.tracer.note("S", `[${this.#bytes} bytes]`);
    this.#onEnd();
  }

  async abandon(): Promise<void> {
    if (this.#state === "coming") await this.drain(maxDrainBytes);
    if (this.#refusal === undefined) this.#state = "left";
  }

  /** Reads the rest and drops it; closes the connection where that is more than `maxBytes`. Returns how much it was. */
  async drain(maxBytes: number): Promise<number> {
    const { channel } = this.#options;
    let bytes = 0;
    while (this.#state === "coming") {
      const piece = await this.next();
      bytes += piece?.length ?? 0;
      if (bytes <= maxBytes) continue;
      channel.tracer.note("*", "closed: too much of a message was left unread");
      this.#state = "read";
      await channel.close();
      this.#onEnd();
    }
    return bytes;
  }
}

/** The same decoder, and a `LimitError` for a line of more bytes than allowed. */
function withLineLimit(decode: Decoder<Uint8Array | null>, maxLineBytes: number): Decoder<Uint8Array | null> {
  if (maxLineBytes === Number.POSITIVE_INFINITY) return decode;
  let lineBytes = 0;
  return (queue, limits) => {
    const piece = decode(queue, limits);
    if (piece instanceof Uint8Array) lineBytes = lineBytesAfter(piece, lineBytes, maxLineBytes);
    return piece;
  };
}

function lineBytesAfter(piece: Uint8Array, before: number, maxLineBytes: number): number {
  let lineBytes = before;
  for (let from = 0; ; ) {
    const at = piece.indexOf(lf, from);
    const until = at < 0 ? piece.length : at;
    lineBytes += until - from;
    // The CR of the line's end is not counted, and may be the last byte of the piece.
    if (lineBytes > maxLineBytes + 1) throw new LimitError("a line of a message", maxLineBytes);
    if (at < 0) return lineBytes;
    lineBytes = 0;
    from = at + 1;
  }
}
