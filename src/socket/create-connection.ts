/**
 * Connecting to a name: every address of it, in the order and with the stagger of Happy Eyeballs version 2 (RFC 8305).
 */

import { DeadlineError, LocalProtocolError } from "../core/errors.js";
import { SOCK_STREAM } from "./constants.js";
import { checkTimeout } from "./handle.js";
import { type AddressInfo, getaddrinfo, getaddrinfoSync } from "./names/index.js";
import { forgetAbort, watchAbort } from "./native/aborts.js";
import { nowMs } from "./native/deadlines.js";
import { inetParts } from "./sockaddr/inet.js";
import { checkObject, checkSignal, show } from "./sockaddr.js";
import { Socket } from "./socket.js";
import type { Address, AddressLike, Family, Host, InetAddressLike, Port, WaitOptions } from "./types.js";

/** RFC 8305 section 5: the Connection Attempt Delay that it recommends. */
const defaultAttemptDelayMs = 250;

/** The longest timer that Node knows: 25 days. */
const longestTimerMs = 0x7fffffff;

/** What {@link createConnection} takes. */
export interface ConnectionOptions extends WaitOptions {
  /** AF_INET or AF_INET6 alone. Default: both. */
  readonly family?: Family;
  /** The address to connect from. */
  readonly localAddress?: InetAddressLike;
  /** How long one address has the field to itself, in milliseconds. Default: 250. */
  readonly attemptDelayMs?: number;
  /** One address after the other, each until it fails, in the resolver's order. Default: false. */
  readonly sequential?: boolean;
  /** Told of each attempt as it ends. */
  readonly onAttempt?: (attempt: ConnectionAttempt) => void;
}

/** One attempt to connect. */
export interface ConnectionAttempt {
  readonly address: Address;
  /** When it began, in milliseconds after the first, and how long it took. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Why it failed; undefined for the one that won. */
  readonly error?: unknown;
}

/**
 * A TCP connection to whichever address of `host` answers first. Throws {@link NameError} for an unknown name, the
 * error of the attempt when there was one address, and an `AggregateError` with that of every attempt when there were
 * several. The sockets of losers are closed. `timeoutMs` is for the whole of the connecting, and for nothing after it;
 * default: {@link Socket.defaultTimeoutMs}, which the socket keeps as its own.
 *
 * @example const s = await createConnection(["localhost", 12345], { timeoutMs: 5000 })
 */
export async function createConnection(
  address: InetAddressLike,
  options: ConnectionOptions = {},
): Promise<Socket> {
  const timeoutMs = checked(options);
  const startedMs = nowMs();
  const found = await getaddrinfo(...target(address), hints(options, timeoutMs));
  const remainingMs = timeoutMs === null ? null : Math.max(0, timeoutMs - (nowMs() - startedMs));
  return new Race(options, found, remainingMs, timeoutMs ?? 0).run();
}

/** {@link createConnection}, blocking: one address after the other. */
export function createConnectionSync(address: InetAddressLike, options: ConnectionOptions = {}): Socket {
  const timeoutMs = checked(options);
  options.signal?.throwIfAborted();
  const deadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : nowMs() + timeoutMs;
  const errors: unknown[] = [];
  for (const info of getaddrinfoSync(...target(address), hints(options, timeoutMs))) {
    const attempt = new Socket(info.family, info.type, info.protocol);
    try {
      const remainingMs = deadlineMs - nowMs();
      if (remainingMs <= 0) throw new DeadlineError("connect", timeoutMs ?? 0);
      if (options.localAddress !== undefined) attempt.bindSync(options.localAddress);
      attempt.connectSync(info.address, { timeoutMs: timeoutMs === null ? null : remainingMs });
      return attempt;
    } catch (error) {
      attempt.close();
      errors.push(error);
    }
  }
  throw failure(errors);
}

function target(address: InetAddressLike): [Host, Port] {
  const { host, port } = inetParts(address);
  return [host as Host, port as Port];
}

/** Checks the options, and returns how long the whole may take. */
function checked(options: ConnectionOptions): number | null {
  const {
    timeoutMs = Socket.defaultTimeoutMs,
    signal,
    attemptDelayMs = 0,
    onAttempt,
  } = checkObject(options, "options");
  if (signal !== undefined) checkSignal(signal);
  checkTimeout(attemptDelayMs);
  if (onAttempt !== undefined && typeof onAttempt !== "function")
    throw new LocalProtocolError(`onAttempt is a function, not ${show(onAttempt)}`);
  return checkTimeout(timeoutMs);
}

function hints({ family, signal }: ConnectionOptions, timeoutMs: number | null): object {
  return {
    type: SOCK_STREAM,
    ...(family === undefined ? {} : { family }),
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === null ? {} : { timeoutMs }),
  };
}

/** RFC 8305 section 4: the families take turns, beginning with that of the resolver's first answer. */
export function interleave(addresses: readonly AddressInfo[]): AddressInfo[] {
  const first = addresses[0]?.family;
  const same = addresses.filter(({ family }) => family === first);
  const other = addresses.filter(({ family }) => family !== first);
  const mixed: AddressInfo[] = [];
  for (let index = 0; index < Math.max(same.length, other.length); index += 1) {
    mixed.push(...same.slice(index, index + 1), ...other.slice(index, index + 1));
  }
  return mixed;
}

/** RFC 8305 section 5: attempts start one delay apart, or as soon as the one before has failed; the first to connect wins. */
class Race {
  readonly #options: ConnectionOptions;
  readonly #addresses: AddressInfo[];
  readonly #startedMs: number = nowMs();
  readonly #remainingMs: number | null;
  /** The time for the whole, as the error states it. */
  readonly #limitMs: number;
  readonly #stop = new AbortController();
  readonly #errors: unknown[] = [];
  #next = 0;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #resolve!: (socket: Socket) => void;
  #reject!: (reason: unknown) => void;

  constructor(
    options: ConnectionOptions,
    found: readonly AddressInfo[],
    remainingMs: number | null,
    limitMs: number,
  ) {
    this.#options = options;
    this.#addresses = options.sequential ? [...found] : interleave(found);
    this.#remainingMs = remainingMs;
    this.#limitMs = limitMs;
  }

  async run(): Promise<Socket> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const abort = { handleEvent: () => this.#end(() => this.#reject(signal?.reason)) };
    watchAbort(signal, abort);
    const expire = () => this.#end(() => this.#reject(new DeadlineError("connect", this.#limitMs)));
    const remainingMs = this.#remainingMs;
    // Node makes 1 ms of a longer timer.
    const limited = remainingMs !== null && remainingMs <= longestTimerMs;
    const deadline = limited ? setTimeout(expire, remainingMs) : undefined;
    try {
      return await new Promise<Socket>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        this.#startNext();
      });
    } finally {
      clearTimeout(deadline);
      clearTimeout(this.#timer);
      forgetAbort(signal, abort);
    }
  }

  #startNext(): void {
    clearTimeout(this.#timer);
    const info = this.#addresses[this.#next];
    if (info === undefined) {
      if (this.#running === 0) this.#end(() => this.#reject(failure(this.#errors)));
      return;
    }
    this.#next += 1;
    this.#running += 1;
    this.#attempt(info).catch((error: unknown) => this.#end(() => this.#reject(error)));
    if (this.#options.sequential || this.#next === this.#addresses.length) return;
    this.#timer = setTimeout(() => this.#startNext(), this.#options.attemptDelayMs ?? defaultAttemptDelayMs);
  }

  async #attempt(info: AddressInfo): Promise<void> {
    const startMs = nowMs();
    let socket: Socket | undefined;
    let error: unknown;
    try {
      socket = new Socket(info.family, info.type, info.protocol);
      if (this.#options.localAddress !== undefined)
        await socket.bind(this.#options.localAddress as AddressLike);
      await socket.connect(info.address, { signal: this.#stop.signal, timeoutMs: null });
    } catch (reason) {
      socket?.close();
      error = reason;
    }
    this.#running -= 1;
    this.#report(info, startMs, error);
    if (error === undefined && socket !== undefined) return this.#won(socket);
    if (this.#stop.signal.aborted) return;
    this.#errors.push(error);
    this.#startNext();
  }

  #won(socket: Socket): void {
    if (this.#stop.signal.aborted) socket.close();
    else this.#end(() => this.#resolve(socket));
  }

  /** Settles, then stops the attempts that are still running: each closes its own socket. */
  #end(settle: () => void): void {
    settle();
    this.#next = this.#addresses.length;
    this.#stop.abort();
  }

  #report(info: AddressInfo, startMs: number, error: unknown): void {
    const times = { startMs: startMs - this.#startedMs, durationMs: nowMs() - startMs };
    this.#options.onAttempt?.({ address: info.address, ...times, ...(error === undefined ? {} : { error }) });
  }
}

function failure(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  const reasons = errors.map((error) => (error as Error).message).join("; ");
  return new AggregateError(errors, `no address could be connected: ${reasons}`);
}
