/** Several connections to one server, kept open for the next message. */
import { Deadline, type OpOptions, withDeadline } from "../core/deadline.js";
import { BrokenError, ClosedError, LocalProtocolError } from "../core/errors.js";
import { SmtpClient, type SmtpClientOptions } from "./client.js";
import type { SendOptions } from "./client-delivery.js";
import { type Message, sourceOf } from "./content.js";
import { SmtpError } from "./errors.js";
import type { SendResult, SmtpEnvelope } from "./types.js";

/** How a pool behaves, besides how each of its connections is made. */
export interface SmtpPoolOptions extends Omit<SmtpClientOptions, "signal"> {
  /** How many connections at most. Default 5. */
  readonly maxConnections?: number | undefined;
  /** How many messages go over one connection before it is ended. Default 1000. */
  readonly maxMessages?: number | undefined;
  /** How old a connection may get, in milliseconds. Default 600,000. */
  readonly maxLifetimeMs?: number | undefined;
  /** How long a connection may be idle, in milliseconds. Default 30,000. */
  readonly maxIdleMs?: number | undefined;
  /** How many messages a second at most, over all connections. Default: no limit. */
  readonly messagesPerSecond?: number | undefined;
  /**
   * On how many new connections a message is tried, where they end before the message was accepted. Default 3. One that
   * was idle and turns out to be cut does not count.
   */
  readonly attempts?: number | undefined;
}

interface Job {
  readonly envelope: SmtpEnvelope;
  readonly message: Message;
  readonly options: SendOptions;
  /** It began when the message was handed in. */
  readonly clock: Deadline;
  readonly resolve: (result: SendResult) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

interface Connection {
  readonly client: SmtpClient;
  readonly openedMs: number;
  jobs: number;
  sent: number;
  idleTimer: ReturnType<typeof setTimeout> | undefined;
}

/** How long a server that lets no further connection in is not asked for one, while others stand. */
const openAgainMs = 1000;
/** With two messages at a connection, the next envelope can ride behind the body before. */
const jobsPerConnection = 2;

/**
 * Sends messages over a few connections that are used again. A connection that the server has ended in the meantime
 * costs no message: as long as a message cannot have been accepted, it is tried on another connection.
 *
 * @example
 * ```ts
 * await using pool = new SmtpPool({ host: "mail.example", auth: { user, password }, maxConnections: 3 });
 * await Promise.all(messages.map(({ envelope, source }) => pool.send(envelope, source)));
 * ```
 */
export class SmtpPool implements AsyncDisposable {
  readonly #options: SmtpPoolOptions;
  readonly #waiting: Job[] = [];
  readonly #connections: Set<Connection> = new Set();
  #opening = 0;
  #underWay = 0;
  #nextStartMs = 0;
  #rateTimer: ReturnType<typeof setTimeout> | undefined;
  #idleWaiters: (() => void)[] = [];
  #openAgainAtMs = 0;
  /** Takes no more messages; those that it has are still sent. */
  #closing = false;
  #closed = false;
  /** Ends the connecting that is under way. */
  readonly #cut: AbortController = new AbortController();

  constructor(options: SmtpPoolOptions) {
    for (const name of ["maxConnections", "maxMessages", "attempts", "messagesPerSecond"] as const) {
      const value = options[name];
      if (value !== undefined && !(value > 0)) throw new LocalProtocolError(`${name} must be more than 0`);
    }
    this.#options = options;
  }

  /** How many connections stand. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many messages wait or are on their way. */
  get pending(): number {
    return this.#waiting.length + this.#underWay;
  }

  /**
   * Sends a message as soon as a connection is free. See {@link SmtpClient.send}. The time that it waits counts.
   *
   * @throws {ClosedError} the pool was closed, or is being closed.
   */
  async send(envelope: SmtpEnvelope, message: Message, options: SendOptions = {}): Promise<SendResult> {
    if (this.#closing) throw new ClosedError("the pool was closed");
    using clock = new Deadline("sending a message", options);
    clock.throwIfOver();
    let job: Job | undefined;
    const outcome = new Promise<SendResult>((resolve, reject) => {
      job = { envelope, message, options, clock, resolve, reject, attempts: 0 };
      this.#waiting.push(job);
      this.#assign();
    });
    if (options.signal !== undefined || options.timeoutMs !== undefined)
      clock.race(outcome).catch((reason: unknown) => this.#withdraw(job, reason));
    return await outcome;
  }

  /** A message that waits is taken back; one that is under way has its connection's clock. */
  #withdraw(job: Job | undefined, reason: unknown): void {
    const at = job === undefined ? -1 : this.#waiting.indexOf(job);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    job?.reject(reason);
    this.#tellIdle();
  }

  /** Gives waiting messages to connections, and opens one where there are too few. */
  #assign(): void {
    while (this.#waiting.length > 0 && !this.#isTooFast()) {
      const connection = this.#freest();
      if (connection === undefined) break;
      const job = this.#waiting.shift();
      if (job !== undefined) void this.#run(job, connection);
    }
    const idle = [...this.#connections].filter(({ jobs }) => jobs === 0).length;
    const wanted = this.#waiting.length - idle - this.#opening;
    if (wanted > 0 && !this.#isTooFast() && this.#mayOpen()) void this.#open();
  }

  #mayOpen(): boolean {
    const { maxConnections = 5 } = this.#options;
    const count = this.#connections.size + this.#opening;
    return count < maxConnections && (count === 0 || Date.now() >= this.#openAgainAtMs);
  }

  /** The connection with the fewest messages, if any has room. One message each comes before two at one. */
  #freest(): Connection | undefined {
    const { maxMessages = 1000 } = this.#options;
    const room = this.#mayOpen() || this.#opening > 0 ? 1 : jobsPerConnection;
    return [...this.#connections]
      .filter(({ client, jobs, sent }) => !client.closed && jobs < room && sent + jobs < maxMessages)
      .filter((connection) => connection.jobs === 0 || !this.#isOld(connection))
      .sort((a, b) => a.jobs - b.jobs)[0];
  }

  #isOld({ openedMs }: Connection): boolean {
    return Date.now() - openedMs >= (this.#options.maxLifetimeMs ?? 600_000);
  }

  /** Keeps to `messagesPerSecond`: true while the next message must wait, and then a timer goes on. */
  #isTooFast(): boolean {
    const { messagesPerSecond } = this.#options;
    if (messagesPerSecond === undefined) return false;
    const waitMs = this.#nextStartMs - Date.now();
    if (waitMs <= 0) return false;
    this.#rateTimer ??= setTimeout(() => {
      this.#rateTimer = undefined;
      this.#assign();
    }, waitMs);
    return true;
  }

  async #open(): Promise<void> {
    this.#opening += 1;
    try {
      const client = await SmtpClient.connect({ ...this.#options, signal: this.#cut.signal });
      const connection = { client, openedMs: Date.now(), jobs: 0, sent: 0, idleTimer: undefined };
      if (this.#closed) await client.close();
      else this.#connections.add(connection);
    } catch (error) {
      this.#noConnection(error);
    } finally {
      this.#opening -= 1;
      this.#assign();
    }
  }

  /**
   * A server may allow fewer connections than the pool: those that stand carry the messages. Where there is none, the
   * oldest message learns why, and the next one tries for itself.
   */
  #noConnection(error: unknown): void {
    this.#openAgainAtMs = Date.now() + openAgainMs;
    if (this.#connections.size > 0) return;
    this.#waiting.shift()?.reject(error);
    this.#tellIdle();
  }

  async #run(job: Job, connection: Connection): Promise<void> {
    this.#begin(job, connection);
    const { timeoutMs } = job.options;
    const options = {
      ...job.options,
      ...(timeoutMs !== undefined && { timeoutMs: job.clock.remainingMs() }),
    };
    try {
      job.resolve(await connection.client.send(job.envelope, readOnce(job.message), options));
      connection.sent += 1;
    } catch (error) {
      if (this.#mayTryAgain(error, job)) this.#waiting.unshift(job);
      else job.reject(error);
    } finally {
      this.#finish(connection);
    }
  }

  #begin(job: Job, connection: Connection): void {
    const { messagesPerSecond } = this.#options;
    if (messagesPerSecond !== undefined)
      this.#nextStartMs = Math.max(Date.now(), this.#nextStartMs) + 1000 / messagesPerSecond;
    clearTimeout(connection.idleTimer);
    connection.jobs += 1;
    if (connection.sent === 0) job.attempts += 1;
    this.#underWay += 1;
  }

  /** Only where the message cannot have been accepted, and can be read from its start once more. */
  #mayTryAgain(error: unknown, job: Job): boolean {
    const { attempts = 3 } = this.#options;
    if (this.#closed || job.attempts >= attempts || job.options.signal?.aborted === true) return false;
    if (error instanceof SmtpError) return error.replyCode === 421 && isReplayable(job.message);
    const ended = error instanceof BrokenError || error instanceof ClosedError;
    return ended && error.sent === "no" && isReplayable(job.message);
  }

  #finish(connection: Connection): void {
    connection.jobs -= 1;
    this.#underWay -= 1;
    const { maxMessages = 1000, maxIdleMs = 30_000 } = this.#options;
    const old = connection.sent >= maxMessages || this.#isOld(connection);
    if (connection.client.closed || (old && connection.jobs === 0)) this.#retire(connection);
    else if (connection.jobs === 0)
      connection.idleTimer = setTimeout(() => this.#retire(connection), maxIdleMs).unref();
    this.#assign();
    this.#tellIdle();
  }

  #retire(connection: Connection): void {
    clearTimeout(connection.idleTimer);
    this.#connections.delete(connection);
    void connection.client[Symbol.asyncDispose]();
  }

  #tellIdle(): void {
    if (this.pending > 0) return;
    for (const tell of this.#idleWaiters.splice(0)) tell();
  }

  /** Resolves when no message waits or is on its way. */
  async drain(options: OpOptions = {}): Promise<void> {
    if (this.pending === 0) return;
    let wake: (() => void) | undefined;
    try {
      await withDeadline("draining", options, async () => {
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#idleWaiters.push(resolve);
        });
      });
    } finally {
      this.#idleWaiters = this.#idleWaiters.filter((waiter) => waiter !== wake);
    }
  }

  /** Takes no more messages, waits for those that it has, and says goodbye on every connection. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.drain();
    this.#closed = true;
    clearTimeout(this.#rateTimer);
    this.#cut.abort(new ClosedError("the pool was closed"));
    const connections = [...this.#connections];
    this.#connections.clear();
    await Promise.all(
      connections.map((connection) => {
        clearTimeout(connection.idleTimer);
        return connection.client[Symbol.asyncDispose]();
      }),
    );
  }

  /** The same as {@link SmtpPool.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A string or bytes can be read again; a stream that has been begun cannot. */
function isReplayable(message: Message): boolean {
  const source = sourceOf(message);
  return typeof source === "string" || source instanceof Uint8Array || !begunStreams.has(source);
}

/** The streams of which something has been read. */
const begunStreams: WeakSet<object> = new WeakSet();

/** The message, with a note left when a stream of it is begun. */
function readOnce(message: Message): Message {
  const source = sourceOf(message);
  if (typeof source === "string" || source instanceof Uint8Array) return source;
  return noted(source);
}

async function* noted(source: object): AsyncGenerator<Uint8Array | string> {
  begunStreams.add(source);
  yield* source as AsyncIterable<Uint8Array | string>;
}
