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
import {
  BrokenError,
  ClosedError,
  DeadlineError,
  HawserError,
  LimitError,
  RemoteProtocolError,
} from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import { type Trace, Tracer } from "../core/trace.js";
import { ByteStream } from "../transport/byte-stream.js";
import type { TlsClientOptions, TlsInfo, Transport } from "../transport/types.js";
import { type Command, Pending } from "./client-command.js";
import { mayOverlap } from "./client-effects.js";
import { type EventQueue, eventOf } from "./client-events.js";
import { Discarded, type LiteralSink } from "./client-literal.js";
import { CommandSender } from "./client-sender.js";
import { ClientState } from "./client-state.js";
import { type Frame, imapLimits, type LiteralEvent, responseFramer } from "./codec-framer.js";
import { parseGreeting, parseResponse } from "./codec-response.js";
import { ByeError } from "./errors.js";
import type { ContinuationResponse, ImapResponse, StatusResponse } from "./types-response.js";

/** What a connection is made with. */
export interface ConnectionOptions {
  /** Sees the conversation. */
  readonly trace?: Trace | undefined;
  /** Other limits than the usual ones: lines of 16 MiB, responses of 64 MiB. */
  readonly limits?: Partial<Limits> | undefined;
  /** How long the server may be silent while it owes an answer, in milliseconds. Default 300,000. */
  readonly replyMs?: number | undefined;
  /** The most that responses waiting for one command's reader may weigh, in bytes. Default 16 MiB. */
  readonly maxHeldBytes?: number | undefined;
  /** What nobody wants is read and dropped up to this, in bytes; the connection is closed beyond. Default 256 MiB. */
  readonly maxDrainBytes?: number | undefined;
  /** The untagged responses in a row that no command has asked for and nobody reads. Default 100,000. */
  readonly maxUnclaimed?: number | undefined;
}

const defaults = { replyMs: 300_000, maxHeldBytes: 16 * 1_048_576, maxDrainBytes: 256 * 1_048_576 };
const defaultMaxUnclaimed = 100_000;
/** More commands than this are not sent ahead of their answers. */
const maxPipelined = 100;
const traces = channel("hawser:imap");

/** Why the loop that decodes has come back: for room, or for a change of what is below. */
type Stop = "full" | "switch" | "end";

export class Connection {
  readonly state: ClientState = new ClientState();
  readonly tracer: Tracer;
  /** Resolves when the connection is over: with what it died of, or undefined after a goodbye. */
  readonly closed: Promise<Error | undefined>;
  readonly greeting: Promise<StatusResponse>;
  readonly maxHeldBytes: number;
  readonly subscribers: Set<EventQueue> = new Set();
  readonly #options: ConnectionOptions;
  readonly #sender: CommandSender;
  readonly #framer = responseFramer();
  readonly #waiting: Pending[] = [];
  readonly #inFlight: Pending[] = [];
  readonly #byTag: Map<string, Pending> = new Map();
  #stream: ByteStream;
  #tags = 0;
  #greet: { resolve(status: StatusResponse): void; reject(error: unknown): void } | undefined;
  #settleClosed!: (error: Error | undefined) => void;
  #over: { readonly error: unknown } | undefined;
  #saidGoodbye = false;
  #literal: LiteralSink | undefined;
  #switching: Pending | undefined;
  #room: (() => void) | undefined;
  /** Command sinks that hold too much. */
  readonly #full: Set<{ readonly full: boolean }> = new Set();
  #unclaimed = 0;
  #drainedBytes = 0;
  #heardMs: number = Date.now();
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(transport: Transport, options: ConnectionOptions = {}) {
    this.#options = options;
    this.maxHeldBytes = options.maxHeldBytes ?? defaults.maxHeldBytes;
    this.tracer = new Tracer("imap", options.trace);
    this.#stream = new ByteStream(transport, { ...imapLimits, ...options.limits });
    this.#sender = new CommandSender({
      write: (data) => this.#write(data),
      failed: (error) => this.fail(error),
    });
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.greeting = new Promise((resolve, reject) => {
      this.#greet = { resolve, reject };
    });
    this.greeting.catch(() => {});
    const replyMs = options.replyMs ?? defaults.replyMs;
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

  /** Whether a command is under way or waits. */
  get isBusy(): boolean {
    return this.#inFlight.length > 0 || this.#waiting.length > 0;
  }

  /** Sends a command, at once or as soon as RFC 9051 section 5.5 allows it, and waits for what becomes of it. */
  run<T>(command: Command<T>, options: OpOptions = {}): Promise<T> {
    if (this.#over !== undefined) return Promise.reject(this.#closedError());
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
    const pending = new Pending(command);
    pending.watch(options, (reason) => this.#giveUp(pending as Pending, reason));
    this.#waiting.push(pending as Pending);
    this.#pump();
    this.roomChanged();
    return pending.promise;
  }

  #closedError(): ClosedError {
    const cause = this.#over?.error;
    return cause === undefined
      ? new ClosedError("the connection was closed")
      : new ClosedError("the connection is over", { cause });
  }

  /** Sends what may be sent. */
  #pump(): void {
    while (this.#over === undefined && !this.#sender.busy && this.#switching === undefined) {
      const next = this.#next();
      if (next === undefined || this.#inFlight.length >= maxPipelined) return;
      const { effects } = next.command;
      const blocks = this.#inFlight.find(({ command }) => !mayOverlap(command.effects, effects));
      if (blocks !== undefined) {
        for (const { command } of this.#inFlight) command.interrupt?.();
        return;
      }
      this.#waiting.shift();
      this.#start(next);
    }
  }

  /** The one that waits longest; IDLE lets the others go before it. */
  #next(): Pending | undefined {
    const [first] = this.#waiting;
    if (first?.command.interrupt === undefined || this.#waiting.length === 1) return first;
    this.#waiting.shift();
    this.#waiting.push(first);
    return this.#waiting[0];
  }

  #start(pending: Pending): void {
    this.#tags += 1;
    pending.tag = `A${this.#tags}`;
    try {
      const shown = this.#sender.send(pending, this.state.format, () => this.#pump());
      this.tracer.note("C", shown);
    } catch (error) {
      pending.reject(error);
      return;
    }
    if (this.#inFlight.length === 0) this.#heardMs = Date.now();
    this.#inFlight.push(pending);
    this.#byTag.set(pending.tag, pending);
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

  #giveUp(pending: Pending, reason: unknown): void {
    if (pending.settled) return;
    const at = this.#waiting.indexOf(pending);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      pending.reject(reason);
      this.#pump();
    } else if (pending.command.abort !== undefined) pending.command.abort();
    else {
      pending.reject(reason);
      this.fail(new ClosedError(`${pending.command.name} was given up`, { cause: reason }));
    }
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

  #literalPiece(sink: LiteralSink, piece: Uint8Array | null): void {
    if (piece === null) {
      this.#literal = undefined;
      sink.end();
      this.#full.delete(sink);
      return;
    }
    sink.push(piece);
    if (sink.discards) this.drained(piece.length);
    else if (sink.full) this.#full.add(sink);
  }

  /** A literal that is not held with its response: to whoever asked for it. */
  #sinkFor(event: LiteralEvent): LiteralSink {
    for (const pending of this.#inFlight) {
      const sink = pending.left ? pending.command.literal?.(event) : undefined;
      if (sink !== undefined) return sink;
    }
    return new Discarded();
  }

  /** Counts what is read for nobody. @throws {LimitError} it is too much. */
  drained(bytes: number): void {
    const max = this.#options.maxDrainBytes ?? defaults.maxDrainBytes;
    this.#drainedBytes += bytes;
    if (this.#drainedBytes > max) throw new LimitError("what is read for nobody", max);
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
    if (response.type === "continuation") this.#continued(response);
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

  #continued(response: ContinuationResponse): void {
    const [last] = this.#inFlight.slice(-1);
    if (this.#sender.proceed()) return;
    if (last?.left !== true || last.command.continued === undefined)
      throw new RemoteProtocolError("a continuation that nobody waits for", { rfc: "RFC 9051 section 7.6" });
    last.command.continued(response);
  }

  #tagged(tag: string, response: ImapResponse): void {
    const pending = this.#byTag.get(tag);
    const isEarly = pending !== undefined && (!pending.left || (!pending.sent && isOk(response)));
    if (pending === undefined || isEarly)
      throw new RemoteProtocolError(isEarly ? "an answer to a command that was not sent" : "an unknown tag", {
        ...{ excerpt: tag, rfc: "RFC 9051 section 2.2.2" },
      });
    if (response.type !== "status")
      throw new RemoteProtocolError("a tagged response that says neither OK, NO nor BAD", { excerpt: tag });
    this.state.observe(response);
    this.#unclaimed = 0;
    this.#drainedBytes = 0;
    this.#byTag.delete(tag);
    if (response.status === "OK" && pending.command.switchOver !== undefined) this.#switching = pending;
    else this.#finish(pending, response);
  }

  #finish(pending: Pending, response: StatusResponse): void {
    this.#inFlight.splice(this.#inFlight.indexOf(pending), 1);
    pending.finish(response);
    this.#pump();
  }

  async #switchOver(): Promise<void> {
    const pending = this.#switching as Pending;
    await pending.command.switchOver?.();
    this.#switching = undefined;
    this.#finish(pending, {
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
    const taker = this.#takerOf(response, bytes);
    if (taker !== undefined) this.#hold(taker, bytes);
    if (taker === undefined || isChange(response)) this.#tell(response);
    if (taker === undefined) this.#countUnclaimed(response);
  }

  /** The first command whose own it is; an ESEARCH says by itself which. */
  #takerOf(response: ImapResponse, bytes: number): Pending | undefined {
    const tag = response.type === "esearch" ? response.tag : undefined;
    return this.#inFlight.find(
      (pending) =>
        pending.left &&
        (tag === undefined || tag === pending.tag) &&
        pending.command.take?.(response, bytes) === true,
    );
  }

  /** What a command gathers until its end is kept within bounds. A FETCH keeps its own account. */
  #hold(taker: Pending, bytes: number): void {
    if (taker.command.ownAccount === true) return;
    taker.heldBytes += bytes;
    if (taker.heldBytes > this.maxHeldBytes * 4)
      throw new LimitError(`the responses to ${taker.command.name}`, this.maxHeldBytes * 4);
  }

  #tell(response: ImapResponse): void {
    if (this.subscribers.size === 0) return;
    const event = eventOf(response);
    if (event !== undefined) for (const queue of this.subscribers) queue.push(event);
  }

  #countUnclaimed(response: ImapResponse): void {
    if (response.type === "expunge" && (this.state.mailbox?.exists ?? 0) > 0) return;
    this.#unclaimed += 1;
    const max = this.#options.maxUnclaimed ?? defaultMaxUnclaimed;
    if (this.#unclaimed > max)
      throw new RemoteProtocolError(`more than ${max} responses in a row that nobody asked for`);
  }

  /** A reader has taken an event: those before it were wanted. */
  eventTaken(): void {
    this.#unclaimed = 0;
  }

  #bye(response: StatusResponse): void {
    this.#saidGoodbye = this.#inFlight.some(({ command }) => command.name === "LOGOUT");
    if (!this.#saidGoodbye) throw new ByeError(response);
  }

  /** Notes that a sink holds too much, or no longer does. */
  markFull(sink: { readonly full: boolean }): void {
    this.#full.add(sink);
  }

  #mustPause(): boolean {
    if (this.#full.size === 0) return false;
    for (const sink of this.#full) if (!sink.full) this.#full.delete(sink);
    return this.#full.size > 0 && !this.#somebodyWaits();
  }

  #somebodyWaits(): boolean {
    return this.#waiting.length > 0 || this.#inFlight.some(({ command }) => command.waits?.() ?? true);
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
    const owed = this.#inFlight.find(({ command }) => command.silent?.() ?? true);
    const greets = this.#greet !== undefined;
    if ((owed === undefined && !greets) || Date.now() - this.#heardMs < replyMs) return;
    this.fail(
      new DeadlineError(owed === undefined ? "the greeting" : `the reply to ${owed.command.name}`, replyMs),
    );
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
    for (const pending of [...this.#inFlight.splice(0), ...this.#waiting.splice(0)]) pending.reject(reason);
    for (const queue of this.subscribers) queue.end(error);
    this.roomChanged();
    this.#stream.close().catch(() => {});
    this.#settleClosed(
      error === undefined || error instanceof Error ? error : new BrokenError(String(error)),
    );
  }
}

function isOk(response: ImapResponse): boolean {
  return response.type === "status" && response.status === "OK";
}

/** What everybody hears of, even where a command has taken it for its own. */
function isChange({ type }: ImapResponse): boolean {
  return type === "expunge" || type === "vanished" || type === "exists";
}

/** What a response costs while it is kept: a parsed one is some times larger than its text. */
function weightOf({ text, literals }: Frame): number {
  let bytes = 200 + text.length * 4;
  for (const { data } of literals) bytes += data?.length ?? 0;
  return bytes;
}
