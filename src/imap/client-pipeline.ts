/** The commands of a connection in their order: which wait, which are under way, and which of them a response is for. */
import type { OpOptions } from "../core/deadline.js";
import { ClosedError, RemoteProtocolError } from "../core/errors.js";
import { type Command, Pending } from "./client-command.js";
import { mayOverlap } from "./client-effects.js";
import { Discarded, type LiteralSink } from "./client-literal.js";
import type { CommandSender } from "./client-sender.js";
import type { FormatOptions } from "./codec-command.js";
import type { LiteralEvent } from "./codec-framer.js";
import type { ContinuationResponse, ImapResponse, StatusResponse } from "./types-response.js";

/** What the pipeline stands on. */
export interface PipelineBase {
  readonly sender: CommandSender;
  /** Whether nothing may be sent now. */
  readonly blocked: boolean;
  readonly format: FormatOptions;
  /** A command goes out: its line for traces, and whether the line was empty before. */
  sending(shown: string, wasEmpty: boolean): void;
  /** A command was given up after it was sent. */
  broken(error: ClosedError): void;
}

/** More commands than this are not sent ahead of their answers. */
const maxPipelined = 100;

export class Pipeline {
  readonly #base: PipelineBase;
  readonly #waiting: Pending[] = [];
  readonly #inFlight: Pending[] = [];
  readonly #byTag: Map<string, Pending> = new Map();
  #tags = 0;

  constructor(base: PipelineBase) {
    this.#base = base;
  }

  /** Sends a command, at once or as soon as RFC 9051 section 5.5 allows it, and waits for what becomes of it. */
  run<T>(command: Command<T>, options: OpOptions): Promise<T> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
    const pending = new Pending(command);
    pending.watch(options, (reason) => this.#giveUp(pending as Pending, reason));
    this.#waiting.push(pending as Pending);
    this.pump();
    return pending.promise;
  }

  /** Sends what may be sent. */
  pump(): void {
    while (!this.#base.blocked && !this.#base.sender.busy && this.#inFlight.length < maxPipelined) {
      const next = this.#next();
      if (next === undefined) return;
      const { effects } = next.command;
      if (!this.#inFlight.every(({ command }) => mayOverlap(command.effects, effects))) {
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
      const shown = this.#base.sender.send(pending, this.#base.format, () => this.pump());
      this.#base.sending(shown, this.#inFlight.length === 0);
    } catch (error) {
      pending.reject(error);
      return;
    }
    this.#inFlight.push(pending);
    this.#byTag.set(pending.tag, pending);
  }

  #giveUp(pending: Pending, reason: unknown): void {
    if (pending.settled) return;
    const at = this.#waiting.indexOf(pending);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      pending.reject(reason);
      this.pump();
    } else if (pending.command.abort !== undefined) pending.command.abort();
    else {
      pending.reject(reason);
      this.#base.broken(new ClosedError(`${pending.command.name} was given up`, { cause: reason }));
    }
  }

  /**
   * The command that a tagged response ends.
   *
   * @throws {RemoteProtocolError} there is none of this tag, or it has not been sent yet.
   */
  ended(tag: string, response: ImapResponse): Pending {
    const pending = this.#byTag.get(tag);
    const isOk = response.type === "status" && response.status === "OK";
    const isEarly = pending !== undefined && (!pending.left || (!pending.sent && isOk));
    if (pending === undefined || isEarly)
      throw new RemoteProtocolError(isEarly ? "an answer to a command that was not sent" : "an unknown tag", {
        ...{ excerpt: tag, rfc: "RFC 9051 section 2.2.2" },
      });
    this.#byTag.delete(tag);
    return pending;
  }

  finish(pending: Pending, response: StatusResponse): void {
    this.#inFlight.splice(this.#inFlight.indexOf(pending), 1);
    pending.finish(response);
    this.pump();
  }

  /** A `+`: to the command that waits for one. @throws {RemoteProtocolError} none does. */
  continued(response: ContinuationResponse): void {
    if (this.#base.sender.proceed()) return;
    const last = this.#inFlight.at(-1);
    if (last?.left !== true || last.command.continued === undefined)
      throw new RemoteProtocolError("a continuation that nobody waits for", { rfc: "RFC 9051 section 7.6" });
    last.command.continued(response);
  }

  /** The first command whose own it is; an ESEARCH says by itself which. */
  takerOf(response: ImapResponse, bytes: number): Pending | undefined {
    const tag = response.type === "esearch" ? response.tag : undefined;
    for (const pending of this.#inFlight) {
      if (!pending.left || (tag !== undefined && tag !== pending.tag)) continue;
      if (pending.command.take?.(response, bytes) === true) return pending;
    }
    return undefined;
  }

  /** Where a literal goes that is not held with its response: to whoever asked for it. */
  sinkFor(event: LiteralEvent): LiteralSink {
    for (const { left, command } of this.#inFlight) {
      const sink = left ? command.literal?.(event) : undefined;
      if (sink !== undefined) return sink;
    }
    return new Discarded();
  }

  /** Whether somebody cannot go on before more is read. */
  get somebodyWaits(): boolean {
    return this.#waiting.length > 0 || this.#inFlight.some(({ command }) => command.waits?.() ?? true);
  }

  /** The command that the server owes an answer, if its silence counts. */
  get owed(): string | undefined {
    return this.#inFlight.find(({ command }) => command.silent?.() ?? true)?.command.name;
  }

  has(name: string): boolean {
    return this.#inFlight.some(({ command }) => command.name === name);
  }

  rejectAll(reason: unknown): void {
    for (const pending of [...this.#inFlight.splice(0), ...this.#waiting.splice(0)]) pending.reject(reason);
  }
}
