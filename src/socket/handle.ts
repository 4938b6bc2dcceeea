/**
 * One open descriptor: what the methods of a Socket share. It makes a call when it may succeed, waits for the reactor
 * (or in poll(2)) when it would block, and closes once.
 */
import { LocalProtocolError, type SocketError } from "../core/errors.js";
import { MSG_DONTWAIT, SOCK_STREAM } from "./constants.js";
import { block } from "./native/blocking.js";
import { errnos, socketError } from "./native/errno.js";
import { native } from "./native/index.js";
import { linux } from "./native/linux.js";
import { type Direction, reactor, Watch } from "./native/reactor.js";
import type { WaitLimits } from "./native/waiter.js";
import { checkSignal, isBytes, isInt, show } from "./sockaddr.js";
import type { How, TransferOptions, WaitOptions } from "./types.js";

/** The kernel's own numbers of a socket. */
export interface Identity {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
}

/** An owned descriptor. Several objects may share one (`retain`): the last `release` closes it. */
export class Handle implements Identity {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  readonly watch: Watch;
  /** -1 once closed or detached. */
  fd: number;
  /** Whether a short read proves that the kernel has no more: true of TCP, whose segments carry no records. */
  readonly drainsShort: boolean;
  /** Whether pending operations keep the process alive. */
  holds = true;
  #users = 1;
  #limits: WaitLimits = noLimits;

  constructor(fd: number, identity: Identity) {
    this.fd = fd;
    this.family = identity.family;
    this.type = identity.type;
    this.protocol = identity.protocol;
    this.drainsShort =
      identity.type === SOCK_STREAM &&
      (identity.family === linux.AF_INET || identity.family === linux.AF_INET6) &&
      (identity.protocol === 0 || identity.protocol === linux.IPPROTO_TCP);
    this.watch = new Watch(fd);
  }

  get timeoutMs(): number | null {
    return this.#limits.timeoutMs;
  }

  set timeoutMs(timeoutMs: number | null) {
    this.#limits = { signal: undefined, timeoutMs: checkTimeout(timeoutMs) };
  }

  /**
   * The promise form of every call. `attempt` gives a value, or `undefined` for EAGAIN, or throws. Calls of one
   * direction are served in their order.
   */
  perform<T>(
    direction: Direction,
    what: string,
    how: How | WaitOptions,
    attempt: () => T | undefined,
  ): Promise<T> {
    try {
      const { watch } = this;
      const limits = this.#limitsOf(how);
      if (limits.signal?.aborted) return Promise.reject(limits.signal.reason);
      if (this.fd < 0) throw socketError(what, errnos.EBADF);
      if (limits.timeoutMs === 0 || neverWaits(how)) return this.#atOnce(direction, what, attempt);
      if (watch[direction] && watch.queue(direction).first === undefined && reactor().spend()) {
        const value = attempt();
        if (value !== undefined) return Promise.resolve(value);
        watch[direction] = false;
      }
      return reactor().wait(watch, direction, what, limits, this.holds, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Whether a plain call, without flags or options, may go to the kernel right away: it waits if it has to, and no other
   * one comes before it. It then counts as made.
   */
  mayTry(direction: "readable" | "writable", how: How): boolean {
    if (how !== 0 || this.#limits.timeoutMs === 0 || this.fd < 0) return false;
    const { watch } = this;
    return direction === "readable"
      ? watch.readable && watch.readers.first === undefined && reactor().spend()
      : watch.writable && watch.writers.first === undefined && reactor().spend();
  }

  /** The Sync form: blocks this thread until `attempt` gives a value. */
  performSync<T>(
    direction: Direction,
    what: string,
    how: How | WaitOptions,
    attempt: () => T | undefined,
    tryFirst = true,
  ): T {
    const limits = this.#limitsOf(how);
    limits.signal?.throwIfAborted();
    if (this.fd < 0) throw socketError(what, errnos.EBADF);
    // Calls that wait already come first, so that a blocking send never lands in the middle of a sendall.
    const queue = this.watch.queue(direction);
    const inOrder = queue.first === undefined ? attempt : () => (queue.run() ? attempt() : undefined);
    if (limits.timeoutMs === 0 || neverWaits(how)) return this.#once(what, inOrder);
    return block(this.fd, direction, what, limits.timeoutMs, inOrder, tryFirst);
  }

  /** A call that never waits. It takes a turn of the event loop, though, when those of this one are used up. */
  #atOnce<T>(direction: Direction, what: string, attempt: () => T | undefined): Promise<T> {
    if (this.watch.queue(direction).first !== undefined) throw socketError(what, errnos.EAGAIN);
    if (reactor().spend()) return Promise.resolve(this.#once(what, attempt));
    return reactor()
      .nextTurn()
      .then(() => {
        this.check(what);
        return this.#once(what, attempt);
      });
  }

  #once<T>(what: string, attempt: () => T | undefined): T {
    const value = attempt();
    if (value === undefined) throw socketError(what, errnos.EAGAIN);
    return value;
  }

  /** After a call that returned -1: `undefined` when it would block, else a throw. */
  again(syscall: string, address?: string): undefined {
    const errno = native().errno();
    if (errno === errnos.EAGAIN) return undefined;
    throw socketError(syscall, errno, address);
  }

  /** After a call that returned -1 where waiting is no answer. */
  failed(syscall: string, address?: string): SocketError {
    return socketError(syscall, native().errno(), address);
  }

  /** Throws EBADF once closed; for calls that do not reach the kernel by themselves. */
  check(syscall: string): void {
    if (this.fd < 0) throw socketError(syscall, errnos.EBADF);
  }

  /** What calls that look a name up first have to see to themselves: bad options, an abort, a closed socket. */
  checkBegin(syscall: string, options: WaitOptions): void {
    this.#limitsOf(options).signal?.throwIfAborted();
    this.check(syscall);
  }

  retain(): this {
    this.#users += 1;
    return this;
  }

  /** Closes the descriptor with its last user. Pending operations reject with EBADF. */
  release(): void {
    this.#users -= 1;
    if (this.#users > 0 || this.fd < 0) return;
    const fd = this.#leave();
    if (native().close(fd) === 0) return;
    const errno = native().errno();
    // The descriptor is gone all the same: a late ECONNRESET says nothing that the caller could act on.
    if (errno !== errnos.ECONNRESET && errno !== errnos.EINTR) throw socketError("close", errno);
  }

  /** Gives the descriptor away, open. Refused while operations are pending. */
  detach(): number {
    if (this.watch.busy) {
      throw new LocalProtocolError(
        "detach: operations are pending on this socket; abort or await them first",
      );
    }
    if (this.fd < 0) return -1;
    const fd = this.#leave();
    native().forgetAtExit(fd);
    return fd;
  }

  /** Takes the descriptor out of the reactor before anything else may happen to its number. */
  #leave(): number {
    const { fd } = this;
    this.fd = -1;
    if (this.watch.registered || this.watch.busy)
      reactor().release(this.watch, (what) => socketError(what, errnos.EBADF));
    return fd;
  }

  #limitsOf(how: How | WaitOptions): WaitLimits {
    if (typeof how === "number") return this.#limits;
    const { signal, timeoutMs } = checkOptions(how);
    if (timeoutMs === undefined && signal === undefined) return this.#limits;
    if (signal !== undefined) checkSignal(signal);
    return { signal, timeoutMs: timeoutMs === undefined ? this.#limits.timeoutMs : checkTimeout(timeoutMs) };
  }
}

const noLimits: WaitLimits = { signal: undefined, timeoutMs: null };

function neverWaits(how: How | WaitOptions): boolean {
  return (flagsOf(how) & MSG_DONTWAIT) !== 0;
}

/** The MSG_ flags of a call. */
export function flagsOf(how: How | WaitOptions): number {
  const flags = typeof how === "number" ? how : ((checkOptions(how) as TransferOptions).flags ?? 0);
  if (!isInt(flags))
    throw new LocalProtocolError(`flags must be an integer of MSG_ constants, not ${show(flags)}`);
  return flags;
}

function checkOptions(how: TransferOptions | WaitOptions): TransferOptions | WaitOptions {
  if (typeof how === "object" && how !== null) return how;
  throw new LocalProtocolError(`expected MSG_ flags or { flags, signal, timeoutMs }, not ${show(how)}`);
}

/** A timeout in milliseconds: null, or a finite number from 0. */
export function checkTimeout(timeoutMs: number | null): number | null {
  if (timeoutMs === null) return null;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0) || timeoutMs === Number.POSITIVE_INFINITY) {
    throw new LocalProtocolError(`timeoutMs must be null or a finite number from 0, not ${show(timeoutMs)}`);
  }
  return timeoutMs;
}

/** A count or size: an integer from 0 to `max`. */
export function checkCount(value: number, name: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new LocalProtocolError(`${name} must be an integer from 0 to ${max}, not ${show(value)}`);
  }
  return value;
}

/** Bytes, which a string is not: its encoding is the caller's to choose. */
export function checkBytes(value: Uint8Array, name: string): Uint8Array {
  if (isBytes(value)) return value;
  const hint = typeof value === "string" ? ": encode it first, new TextEncoder().encode(text)" : "";
  throw new LocalProtocolError(`${name} must be a Uint8Array, not ${show(value)}${hint}`);
}
