/**
 * The client's side of a protocol of lines: a line out, a reply in, a dot block in, a dot block out. It knows no verb, no
 * state and no capability.
 */
import type { Deadline, OpOptions } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BrokenError, BusyError, ClosedError, HawserError, RemoteProtocolError } from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import { chunksOf, type Source } from "../core/source.js";
import { type Trace, Tracer } from "../core/trace.js";
import { ByteStream } from "../transport/byte-stream.js";
import type { TlsClientOptions, TlsInfo, Transport } from "../transport/types.js";
import type { CommandLine } from "../wire/command-line.js";
import { DotBlockEncoder, dotBlockDecoder } from "../wire/dot-block.js";
import { Body } from "./body.js";
import { Gathered } from "./gathered.js";

/** What a protocol tells the channel about its replies. */
export interface Dialect<R> {
  /** The protocol's name in traces: `smtp`. */
  readonly protocol: string;
  /** A decoder for the next reply. */
  replyDecoder(): Decoder<R>;
  /** A reply as lines of a transcript. */
  show(reply: R): readonly string[];
}

/** What every client of a protocol of lines takes. */
export interface ChannelOptions {
  /** Sees the conversation. */
  readonly trace?: Trace | undefined;
  /** Other limits than the usual ones. */
  readonly limits?: Partial<Limits> | undefined;
  /** The longest wait for a reply, in milliseconds. Default 300,000: the five minutes of the RFCs. */
  readonly replyMs?: number | undefined;
  /** The longest silence within a body, in milliseconds. Default 180,000. */
  readonly idleMs?: number | undefined;
}

/** One exchange: what is waited for, and how long. */
export interface ReplyOptions extends OpOptions {
  readonly what?: string | undefined;
}

const defaultReplyMs = 300_000;
const defaultIdleMs = 180_000;
/** What a peer said before it hung up has arrived by then, or was lost with the connection. */
const lastWordsMs = 50;
/** So much of a body that nobody wants is read and dropped; with more to come the connection is closed instead. */
const maxDrainBytes = 4 * 1024 * 1024;

/** A connection to a server. Whatever goes wrong in the middle closes it; it is never half alive. */
export class CommandChannel<R> {
  readonly #stream: ByteStream;
  readonly tracer: Tracer;
  readonly #dialect: Dialect<R>;
  readonly #replyMs: number;
  readonly #idleMs: number;
  /** What is under way, or why the channel is over. */
  #busy: string | undefined;
  #over: unknown;
  #closed = false;
  /** Whether the operation that is under way has sent or waited for anything. */
  #begun = false;
  /** Of a reply that has not come as a whole. */
  #replyDecoder: Decoder<R> | undefined;
  #lastWords: R | undefined;

  constructor(transport: Transport, dialect: Dialect<R>, options: ChannelOptions = {}) {
    this.#stream = new ByteStream(transport, options.limits);
    this.tracer = new Tracer(dialect.protocol, options.trace);
    this.#dialect = dialect;
    this.#replyMs = options.replyMs ?? defaultReplyMs;
    this.#idleMs = options.idleMs ?? defaultIdleMs;
  }

  /** The bytes below. To look at it counts as its use: an abort from then on closes the connection. */
  get stream(): ByteStream {
    this.#begun = true;
    return this.#stream;
  }

  get tls(): TlsInfo | undefined {
    return this.#stream.transport.tls;
  }

  /** The reply that the server gave before its time, where the connection then broke in the middle of a body. */
  get lastWords(): R | undefined {
    return this.#lastWords;
  }

  /** Whether the connection is over, by whichever side. */
  get closed(): boolean {
    return this.#closed || this.#over !== undefined;
  }

  /**
   * Runs one operation, alone. What it throws, but for a refusal by the server and a mistake of the caller, closes the
   * connection, once anything was sent or waited for.
   */
  async exclusive<T>(what: string, operation: () => Promise<T>, options: OpOptions = {}): Promise<T> {
    this.throwIfUnusable();
    options.signal?.throwIfAborted();
    this.#busy = what;
    this.#begun = false;
    try {
      return await operation();
    } catch (error) {
      // Aborted before the first byte: the connection stays as it is.
      if (!this.#begun) throw error;
      throw await this.failed(error);
    } finally {
      if (this.#busy === what) this.#busy = undefined;
    }
  }

  /** @throws {ClosedError | BusyError} the connection is over, or something else is under way. */
  throwIfUnusable(): void {
    if (this.#closed) throw new ClosedError("the connection was closed");
    if (this.#over !== undefined) throw new ClosedError("the connection is over", { cause: this.#over });
    if (this.#busy !== undefined) throw new BusyError(`${this.#busy} is still under way`);
  }

  /** Keeps everything else out until the returned function is called: for an operation that outlives one call. */
  hold(what: string): () => void {
    this.throwIfUnusable();
    this.#busy = what;
    return () => {
      if (this.#busy === what) this.#busy = undefined;
    };
  }

  /** Gives the error its transcript, and closes the connection unless it is as usable as before. */
  async failed(error: unknown): Promise<unknown> {
    if (error instanceof HawserError) error.transcript ??= this.tracer.recent();
    if (error instanceof HawserError && error.usable && this.#over === undefined) return error;
    await this.#end(error);
    return error;
  }

  async #end(reason: unknown): Promise<void> {
    if (this.#over === undefined && !this.#closed) this.tracer.note("*", "closed");
    this.#over ??= reason;
    await this.#stream.close();
  }

  /** Sends commands in one write. */
  async send(...lines: readonly CommandLine[]): Promise<void> {
    await this.#send(lines, {});
  }

  async #send(lines: readonly CommandLine[], { signal }: OpOptions): Promise<void> {
    for (const { shown } of lines) this.tracer.note("C", shown);
    const data = wireOf(lines);
    await this.stream.write(data, { signal, timeoutMs: this.#idleMs });
  }

  /** The next reply. */
  async reply(options: ReplyOptions = {}): Promise<R> {
    const now = this.replyNow();
    if (now !== undefined) return now;
    const decoder = this.#replyDecoder ?? this.#dialect.replyDecoder();
    const reply = await this.#stream.receive(decoder, {
      ...options,
      what: options.what ?? "the reply",
      timeoutMs: options.timeoutMs ?? this.#replyMs,
    });
    return this.#noted(reply);
  }

  /** The next reply if it has come already, and otherwise `undefined`. Of many that come together most have. */
  replyNow(): R | undefined {
    this.#begun = true;
    this.#replyDecoder ??= this.#dialect.replyDecoder();
    const reply = this.#stream.receiveNow(this.#replyDecoder);
    return reply === undefined ? undefined : this.#noted(reply);
  }

  #noted(reply: R): R {
    this.#replyDecoder = undefined;
    this.tracer.noteLines("S", () => this.#dialect.show(reply));
    return reply;
  }

  /** A command and its reply. */
  async call(line: CommandLine, options: ReplyOptions = {}): Promise<R> {
    options.signal?.throwIfAborted();
    await this.#send([line], options);
    return await this.reply({ what: `the reply to ${line.shown.split(" ", 1)[0]}`, ...options });
  }

  /** Any value that the server sends besides replies, by a decoder of the protocol's. */
  async receive<T>(decoder: Decoder<T>, options: ReplyOptions = {}): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.#replyMs;
    return await this.stream.receive(decoder, { ...options, timeoutMs });
  }

  /**
   * The dot block that follows now. Until it has been read or left, every other call is a `BusyError`. `onEnd` is told
   * when it is over.
   */
  body(options: OpOptions = {}, onEnd: () => void = () => {}): Body {
    const decode = dotBlockDecoder();
    const what = "reading a body";
    const waiting = { ...options, what, timeoutMs: options.timeoutMs ?? this.#idleMs };
    this.#busy = what;
    let bytes = 0;
    const next = async (): Promise<Uint8Array | null> => {
      try {
        const piece = await this.stream.receive(decode, waiting);
        bytes += piece?.length ?? 0;
        if (piece === null) this.#endBody(bytes, onEnd);
        return piece;
      } catch (error) {
        this.#busy = undefined;
        throw await this.failed(error);
      }
    };
    return new Body({ next, abandon: () => this.#drain(next) });
  }

  #endBody(bytes: number, onEnd: () => void): void {
    this.tracer.note("S", `[${bytes} bytes]`);
    this.#busy = undefined;
    onEnd();
  }

  async #drain(next: () => Promise<Uint8Array | null>): Promise<void> {
    for (let bytes = 0; bytes <= maxDrainBytes; ) {
      const piece = await next();
      if (piece === null) return;
      bytes += piece.length;
    }
    this.tracer.note("*", "closed: too much of a body was left unread");
    await this.close();
  }

  /**
   * Sends a source as a dot block, joined with the commands that may follow it at once. Returns the bytes of the
   * source.
   */
  async sendBody(
    source: Source,
    deadline: Deadline | undefined,
    ...after: readonly CommandLine[]
  ): Promise<number> {
    this.#begun = true;
    const out = new Gathered((data) => this.write(data, deadline));
    const sending = this.#sendSource(source, out);
    const bytes = await (deadline === undefined ? sending : deadline.race(sending));
    this.tracer.note("C", `[${bytes} bytes]`);
    for (const { shown } of after) this.tracer.note("C", shown);
    if (after.length > 0) await out.add(wireOf(after));
    await out.flush();
    return bytes;
  }

  async #sendSource(source: Source, out: Gathered): Promise<number> {
    const dots = new DotBlockEncoder();
    let bytes = 0;
    try {
      for await (const chunk of chunksOf(source)) {
        bytes += chunk.length;
        await out.add(dots.encode(chunk));
      }
      await out.add(dots.finish());
      return bytes;
    } catch (error) {
      // There is no way to take back half a body but to end the connection.
      await this.#end(error);
      if (!(error instanceof HawserError && error.usable)) throw error;
      throw new BrokenError("the body could not be sent to its end", { cause: error });
    }
  }

  /** Sends bytes of a body. It may take `idleMs` at the longest until the server has room for them. */
  async write(data: Uint8Array, deadline?: Deadline): Promise<void> {
    const written = this.#stream.write(data, { timeoutMs: this.#idleMs });
    try {
      await (deadline === undefined ? written : deadline.race(written));
    } catch (error) {
      // A server that wants no more says why and hangs up. That is worth more than the fact that it did.
      if (error instanceof BrokenError)
        this.#lastWords = await this.reply({ timeoutMs: lastWordsMs }).catch(() => undefined);
      throw error;
    }
  }

  /**
   * To be asked before the command that starts TLS: an answer that is here before its question is not the server's.
   *
   * @throws {RemoteProtocolError} something has come.
   */
  checkNothingCame(command: string, rfc: string): void {
    const { queue, transport } = this.stream;
    if (queue.length + transport.bufferedBytes === 0) return;
    throw new RemoteProtocolError(`an answer came before ${command} was sent`, {
      excerpt: queue.peek(),
      rfc,
    });
  }

  /** Goes on in TLS, after the server has agreed to it. */
  async startTls(options: TlsClientOptions, op: OpOptions = {}): Promise<TlsInfo> {
    const info = await this.stream.startTls(
      { role: "client", options },
      { ...op, timeoutMs: op.timeoutMs ?? this.#replyMs },
    );
    this.tracer.note("*", `${info.protocol} started`);
    return info;
  }

  /** Gives the connection up at once. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#stream.close();
  }
}

/** The lines as bytes. Small ones share Node's pool: a third of what an array of their own costs. */
function wireOf(lines: readonly CommandLine[]): Uint8Array {
  let wire = "";
  for (const line of lines) wire += line.wire;
  return Buffer.from(wire);
}
