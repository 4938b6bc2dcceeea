/**
 * One connection to a server: tags, commands that pipeline, and the loop that reads. A chunk of the network is decoded
 * in one go, and its responses find the commands that they belong to without a promise each.
 *
 * Reading stops while a result waits for a reader that is slow (a FETCH, a streamed literal), so that the network holds
 * the rest; it goes on as soon as any other command waits for its answer. So a command within a loop over a FETCH
 * always completes: what comes for the loop meanwhile is held up to a cap, and asked for again beyond it.
 */
import { channel } from "node:diagnostics_channel";
import type { OpOptions } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BrokenError, ClosedError, DeadlineError, HawserError, RemoteProtocolError } from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import { type Trace, Tracer } from "../core/trace.js";
import { ByteStream } from "../transport/byte-stream.js";
import type { TlsClientOptions, TlsInfo, Transport } from "../transport/types.js";
import { type BoundOptions, Bounds, weightOf } from "./client-bounds.js";
import type { Command, Pending } from "./client-command.js";
import { type EventQueue, eventOf } from "./client-events.js";
import type { LiteralSink } from "./client-literal.js";
import { Pipeline } from "./client-pipeline.js";
import { CommandSender } from "./client-sender.js";
import { ClientState } from "./client-state.js";
import { type Frame, imapLimits, type LiteralEvent, responseFramer } from "./codec-framer.js";
import { parseGreeting, parseResponse } from "./codec-response.js";
import { ByeError } from "./errors.js";
import type { ImapResponse, StatusResponse } from "./types-response.js";

/** What a connection is made with. */
export interface ConnectionOptions extends BoundOptions {
  /** Sees the conversation. */
  readonly trace?: Trace | undefined;
  /** Other limits than the usual ones: lines of 8 MiB, responses of 16 MiB. */
  readonly limits?: Partial<Limits> | undefined;
  /** How long the server may be silent while it owes an answer, in milliseconds. Default 300,000. */
  readonly replyMs?: number | undefined;
}

const defaultReplyMs = 300_000;
const traces = channel("hawser:imap");

/** Why the loop that decodes has come back: for room, or for a change of what is below. */
type Stop = "full" | "switch" | "end";

export class Connection {
  readonly state: ClientState = new ClientState();
  readonly tracer: Tracer;
  /** Resolves when the connection is over: with what it died of, or undefined after a goodbye. */
  readonly closed: Promise<Error | undefined>;
  readonly greeting: Promise<StatusResponse>;
  readonly bounds: Bounds;
  readonly subscribers: Set<EventQueue> = new Set();
  readonly #options: ConnectionOptions;
  readonly #sender: CommandSender;
  readonly #framer = responseFramer();
  readonly #pipeline: Pipeline;
  #stream: ByteStream;
  #greet: { resolve(status: StatusResponse): void; reject(error: unknown): void } | undefined;
  #settleClosed!: (error: Error | undefined) => void;
  #over: { readonly error: unknown } | undefined;
  #saidGoodbye = false;
  #literal: LiteralSink | undefined;
  #switching: Pending | undefined;
  #room: (() => void) | undefined;
  /** Command sinks that hold too much. */
  readonly #full: Set<{ readonly full: boolean }> = new Set();
  #heardMs: number = Date.now();
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(transport: Transport, options: ConnectionOptions = {}) {
    this.#options = options;
    this.bounds = new Bounds(options);
    this.tracer = new Tracer("imap", options.trace);
    this.#stream = new ByteStream(transport, { ...imapLimits, ...options.limits });
    this.#sender = new CommandSender({
      write: (data) => this.#write(data),
      failed: (error) => this.fail(error),
    });
    this.#pipeline = this.#newPipeline();
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.greeting = new Promise((resolve, reject) => {
      this.#greet = { resolve, reject };
    });
    this.greeting.catch(() => {});
    const replyMs = options.replyMs ?? defaultReplyMs;
    this.#watch = setInterval(() => this.#checkSilence(replyMs), Math.min(Math.max(replyMs / 8, 5), 15_000));
    this.#watch.unref();
    void this.#run();
  }

  get transport(): Transport {
    return this.#stream.transport;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** Sends a command, at once or as soon as RFC 9051 section 5.5 allows it, and waits for what becomes of it. */
  run<T>(command: Command<T>, options: OpOptions = {}): Promise<T> {
    if (this.#over !== undefined) return Promise.reject(this.#closedError());
    const result = this.#pipeline.run(command, options);
    this.roomChanged();
    return result;
  }

  #newPipeline(): Pipeline {
    const isBlocked = (): boolean => this.#over !== undefined || this.#switching !== undefined;
    const { state } = this;
    return new Pipeline({
      sender: this.#sender,
      get blocked() {
        return isBlocked();
      },
      get format() {
        return state.format;
      },
      sending: (shown, wasEmpty) => {
        this.tracer.note("C", shown);
        if (wasEmpty) this.#heardMs = Date.now();
      },
      broken: (error) => this.fail(error),
    });
  }

  #closedError(): ClosedError {
    const cause = this.#over?.error;
    return cause === undefined
      ? new ClosedError("the connection was closed")
      : new ClosedError("the connection is over", { cause });
  }

  /** Sends bytes of a command that is under way: DONE, the answer to a challenge. `shown` stands in traces. */
  sendLine(text: string, shown: string): void {
    this.tracer.note("C", shown);
    this.#heardMs = Date.now();
    this.#sender.raw(Buffer.from(`${text}\r\n`, "latin1"));
  }

  /** A server that takes what is sent is not silent. */
  async #write(data: Uint8Array): Promise<void> {
    await this.#stream.write(data);
    this.#heardMs = Date.now();
  }

  /** Reads until the end. Every failure of the connection comes through here or {@link Connection.fail}. */
  async #run(): Promise<void> {
    try {
      for (;;) {
        const stop = await this.#stream.receive(this.#decode);
        if (stop === "end") break;
        if (stop === "switch") await this.#switchOver();
        else await this.#untilRoom();
      }
      this.fail(undefined);
    } catch (error) {
      this.fail(this.#saidGoodbye && error instanceof BrokenError ? undefined : error);
    }
  }

  /** Decodes all that is there. */
  readonly #decode: Decoder<Stop> = (queue, limits) => {
    this.#heardMs = Date.now();
    while (this.#over === undefined) {
      if (this.#literal !== undefined) {
        const piece = this.#framer.literal(queue, limits);
        if (piece === undefined) return undefined;
        this.#literalPiece(this.#literal, piece);
      } else {
        const event = this.#framer.next(queue, limits);
        if (event === undefined) return queue.ended && this.#saidGoodbye ? "end" : undefined;
        if (event.type === "frame") this.#frame(event.frame);
        else this.#literal = this.#sinkFor(event);
        if (this.#switching !== undefined) return "switch";
      }
      if (this.#mustPause()) return "full";
    }
    return "end";
  };

  #sinkFor(event: LiteralEvent): LiteralSink {
    const sink = this.#pipeline.sinkFor(event);
    if (!sink.streams) this.bounds.announced(event.octets);
    return sink;
  }

  #literalPiece(sink: LiteralSink, piece: Uint8Array | null): void {
    if (piece === null) {
      this.#literal = undefined;
      sink.end();
      this.#full.delete(sink);
      return;
    }
    sink.push(piece);
    if (sink.discards) this.bounds.drained(piece.length);
    else if (sink.full) this.#full.add(sink);
  }

  #frame(frame: Frame): void {
    if (this.#greet !== undefined) {
      this.#greeted(parseGreeting(frame));
      return;
    }
    const response = parseResponse(frame, { utf8: this.state.utf8, limits: this.#stream.limits });
    // A line of a trace costs more than the parse of a short response: messages are noted only when somebody looks.
    if (response.type !== "fetch" || this.#options.trace !== undefined || traces.hasSubscribers)
      this.tracer.note("S", Buffer.from(frame.text.subarray(0, 600)).toString("utf8"));
    if (response.type === "continuation") this.#pipeline.continued(response);
    else if ("tag" in response && response.tag !== undefined && response.type !== "esearch")
      this.#tagged(response.tag, response);
    else this.#untagged(response, weightOf(frame));
  }

  #greeted(greeting: StatusResponse): void {
    this.tracer.note("S", `* ${greeting.status} ${greeting.text}`);
    this.state.observe(greeting);
    if (greeting.status === "BYE") throw new ByeError(greeting);
    this.#greet?.resolve(greeting);
    this.#greet = undefined;
    if (greeting.status === "PREAUTH") this.state.state = "authenticated";
  }

  #tagged(tag: string, response: ImapResponse): void {
    const pending = this.#pipeline.ended(tag, response);
    if (response.type !== "status")
      throw new RemoteProtocolError("a tagged response that says neither OK, NO nor BAD", { excerpt: tag });
    this.state.observe(response);
    this.bounds.reset();
    if (response.status === "OK" && pending.command.switchOver !== undefined) this.#switching = pending;
    else this.#pipeline.finish(pending, response);
  }

  async #switchOver(): Promise<void> {
    const pending = this.#switching as Pending;
    await pending.command.switchOver?.();
    this.#switching = undefined;
    this.#pipeline.finish(pending, {
      ...{ type: "status", tag: pending.tag, status: "OK" },
      code: undefined,
      text: "",
      defects: [],
    });
  }

  /** Goes on over another transport: COMPRESS. What has arrived and was not decoded is handed to `wrap`. */
  replaceTransport(wrap: (transport: Transport, ahead: Uint8Array) => Transport): void {
    const { transport, queue, limits } = this.#stream;
    this.#stream = new ByteStream(wrap(transport, queue.take(queue.length)), limits);
  }

  /** Goes on in TLS. */
  async startTls(options: TlsClientOptions, op: OpOptions): Promise<TlsInfo> {
    const info = await this.#stream.startTls({ role: "client", options }, op);
    this.tracer.note("*", `${info.protocol} started`);
    return info;
  }

  #untagged(response: ImapResponse, bytes: number): void {
    if (response.type === "status" && response.status === "BYE") this.#bye(response);
    if (response.type === "status" && response.status === "PREAUTH")
      throw new RemoteProtocolError("PREAUTH in the middle of a session", { rfc: "RFC 9051 section 7.1.4" });
    this.state.observe(response);
    const taker = this.#pipeline.takerOf(response, bytes);
    if (taker !== undefined) this.#hold(taker, bytes);
    if (taker === undefined || isChange(response)) this.#tell(response);
    if (taker === undefined) this.bounds.unclaimed(response.type);
  }

  /** What a command gathers until its end is kept within bounds. A FETCH keeps its own account. */
  #hold(taker: Pending, bytes: number): void {
    if (taker.command.ownAccount === true) return;
    taker.heldBytes += bytes;
    this.bounds.held(taker.heldBytes, taker.command.name);
  }

  #tell(response: ImapResponse): void {
    if (this.subscribers.size === 0) return;
    const event = eventOf(response);
    if (event !== undefined) for (const queue of this.subscribers) queue.push(event);
  }

  #bye(response: StatusResponse): void {
    this.#saidGoodbye = this.#pipeline.has("LOGOUT");
    if (!this.#saidGoodbye) throw new ByeError(response);
  }

  /** Notes that a sink holds too much, or no longer does. */
  markFull(sink: { readonly full: boolean }): void {
    this.#full.add(sink);
  }

  #mustPause(): boolean {
    if (this.#full.size === 0) return false;
    for (const sink of this.#full) if (!sink.full) this.#full.delete(sink);
    return this.#full.size > 0 && !this.#pipeline.somebodyWaits;
  }

  /** Reading goes on if there is room again, or somebody waits. */
  roomChanged(): void {
    if (this.#room === undefined || (this.#over === undefined && this.#mustPause())) return;
    const room = this.#room;
    this.#room = undefined;
    room();
  }

  async #untilRoom(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#room = resolve;
      this.roomChanged();
    });
    this.#heardMs = Date.now();
  }

  #checkSilence(replyMs: number): void {
    if (this.#room !== undefined || this.#switching !== undefined) return;
    const owed = this.#greet === undefined ? this.#pipeline.owed : "the connection";
    if (owed === undefined || Date.now() - this.#heardMs < replyMs) return;
    this.fail(new DeadlineError(`the reply to ${owed}`, replyMs));
  }

  /** Ends the connection: all that waits fails with the error, or with a `ClosedError` where there is none. */
  fail(error: unknown): void {
    if (this.#over !== undefined) return;
    if (error instanceof HawserError) error.transcript ??= this.tracer.recent();
    this.#over = { error };
    this.state.state = "logout";
    this.tracer.note("*", "closed");
    clearInterval(this.#watch);
    const reason = error ?? new ClosedError("the connection was closed");
    this.#greet?.reject(reason);
    this.#sender.stop(reason);
    this.#literal?.fail(reason);
    this.#pipeline.rejectAll(reason);
    for (const queue of this.subscribers) queue.end(error);
    this.roomChanged();
    this.#stream.close().catch(() => {});
    this.#settleClosed(
      error === undefined || error instanceof Error ? error : new BrokenError(String(error)),
    );
  }
}

/** What everybody hears of, even where a command has taken it for its own. */
function isChange({ type }: ImapResponse): boolean {
  return type === "expunge" || type === "vanished" || type === "exists";
}
