/** IDLE and NOTIFY: hearing of what happens (RFC 9051 section 6.3.13, RFC 2177, RFC 5465). */
import { DeadlineError, LocalProtocolError, UnsupportedError } from "../core/errors.js";
import type { Command } from "./client-command.js";
import type { Connection } from "./client-connection.js";
import { EventQueue, type MailboxEvent } from "./client-events.js";
import { atom } from "./codec-parts.js";
import { type NotifyRequest, notifyNone, notifySet } from "./commands/notify.js";

/** How a client listens. */
export interface IdleOptions {
  /** Ends the loop: IDLE is ended in good order, and the connection goes on. */
  readonly signal?: AbortSignal | undefined;
  /** IDLE is begun anew after so many milliseconds, at most 29 minutes (RFC 9051 section 6.3.13). Default: 28 minutes. */
  readonly reissueMs?: number | undefined;
  /** How long the server may take to answer then, in milliseconds; after that the connection counts as dead. Default 30,000. */
  readonly replyMs?: number | undefined;
}

const maxReissueMs = 29 * 60_000;

/** The events of a mailbox, for as long as they are asked for. A command given meanwhile ends IDLE for as long as it takes. */
export function idle(connection: Connection, options: IdleOptions = {}): AsyncIterableIterator<MailboxEvent> {
  const { reissueMs = 28 * 60_000 } = options;
  if (!(reissueMs > 0 && reissueMs <= maxReissueMs))
    throw new LocalProtocolError(`IDLE is begun anew within ${maxReissueMs} ms`);
  if (!connection.state.has("IDLE")) throw unsupported("IDLE");
  return new Listening(
    connection,
    new IdleLoop(connection, reissueMs, options.replyMs ?? 30_000),
    options.signal,
  );
}

/** NOTIFY SET, and the events that come of it, without IDLE; NOTIFY NONE at the end. */
export async function notify(
  connection: Connection,
  requests: readonly NotifyRequest[],
  options: { readonly status?: boolean | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<AsyncIterableIterator<MailboxEvent>> {
  if (!connection.state.has("NOTIFY")) throw unsupported("NOTIFY");
  const listening = new Listening(connection, new NotifyEnd(connection), options.signal);
  try {
    await connection.run(notifySet(requests, options.status === true), { signal: options.signal });
    return listening;
  } catch (error) {
    await listening.discard();
    throw error;
  }
}

function unsupported(capability: string): UnsupportedError {
  return new UnsupportedError(capability, `the server does not offer ${capability}`, { usable: true });
}

/** What makes the server tell. */
interface Teller {
  /** Begins; rejects when it cannot go on. */
  run(): Promise<void>;
  stop(): void;
}

class Listening implements AsyncIterableIterator<MailboxEvent> {
  readonly #connection: Connection;
  readonly #teller: Teller;
  readonly #queue: EventQueue;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#stop();
  #over = false;

  constructor(connection: Connection, teller: Teller, signal: AbortSignal | undefined) {
    this.#connection = connection;
    this.#teller = teller;
    this.#signal = signal;
    this.#queue = new EventQueue(() => connection.bounds.wanted());
    connection.subscribers.add(this.#queue);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#stop();
    else
      teller.run().catch((error: unknown) => {
        this.#queue.end(error);
        this.#stop();
      });
  }

  async next(): Promise<IteratorResult<MailboxEvent>> {
    const value = await this.#queue.next();
    return value === undefined ? { done: true, value: undefined } : { done: false, value };
  }

  return(): Promise<IteratorResult<MailboxEvent>> {
    this.#stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends without a word to the server. */
  discard(): Promise<void> {
    this.#forget();
    return Promise.resolve();
  }

  #stop(): void {
    if (this.#over) return;
    this.#forget();
    this.#teller.stop();
  }

  #forget(): void {
    this.#over = true;
    this.#connection.subscribers.delete(this.#queue);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#queue.end();
  }
}

class NotifyEnd implements Teller {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async run(): Promise<void> {}

  stop(): void {
    // What becomes of it is told by the next command, or by `closed`.
    this.#connection.run(notifyNone()).catch(() => {});
  }
}

class IdleLoop implements Teller {
  readonly #connection: Connection;
  readonly #reissueMs: number;
  readonly #replyMs: number;
  #stopped = false;
  #current: Idling | undefined;

  constructor(connection: Connection, reissueMs: number, replyMs: number) {
    this.#connection = connection;
    this.#reissueMs = reissueMs;
    this.#replyMs = replyMs;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const idling = new Idling(this.#connection, this.#reissueMs, this.#replyMs);
      this.#current = idling;
      await this.#connection.run(idling.command, { signal: idling.unsent });
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#current?.end();
  }
}

/** One IDLE, from its `+` to its DONE. */
class Idling {
  readonly command: Command<void>;
  readonly #connection: Connection;
  readonly #reissueMs: number;
  readonly #replyMs: number;
  readonly #unsent: AbortController = new AbortController();
  #state: "sent" | "idle" | "ending" | "over" = "sent";
  #wanted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection, reissueMs: number, replyMs: number) {
    this.#connection = connection;
    this.#reissueMs = reissueMs;
    this.#replyMs = replyMs;
    this.command = {
      ...{ name: "IDLE", parts: [atom("IDLE")], effects: { alone: true } },
      continued: () => this.#begun(),
      silent: () => this.#state !== "idle",
      waits: () => this.#state !== "idle",
      interrupt: () => this.end(),
      abort: () => this.end(),
      done: () => this.#over(),
    };
  }

  /** Aborted, the command is not sent if it still waits. */
  get unsent(): AbortSignal {
    return this.#unsent.signal;
  }

  #begun(): void {
    this.#state = "idle";
    if (this.#wanted) this.end();
    else this.#timer = setTimeout(() => this.end(), this.#reissueMs).unref();
  }

  /** DONE, as soon as the server can take it. */
  end(): void {
    this.#wanted = true;
    if (!this.#unsent.signal.aborted) this.#unsent.abort();
    if (this.#state !== "idle") return;
    this.#state = "ending";
    clearTimeout(this.#timer);
    this.#connection.sendLine("DONE", "DONE");
    const dead = new DeadlineError("the reply to DONE", this.#replyMs);
    this.#timer = setTimeout(() => this.#connection.fail(dead), this.#replyMs).unref();
    // The connection's end must not wait for this.
    void this.#connection.closed.then(() => clearTimeout(this.#timer));
  }

  #over(): void {
    this.#state = "over";
    clearTimeout(this.#timer);
  }
}
