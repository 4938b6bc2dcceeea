/** The life of a socket: its descriptor, its waiting mode, its end. */
import { checkTimeout, Handle } from "./handle.js";
import { forgetLeak, watchForLeak } from "./leaks.js";
import { native } from "./native/index.js";
import { linux } from "./native/linux.js";
import { checkBoolean } from "./sockaddr.js";
import type { Family } from "./types.js";

/** What every socket has before it can send or receive anything. */
export abstract class Descriptor<F extends Family = Family> implements Disposable, AsyncDisposable {
  /** The descriptor underneath. Replaced by a closed one on `close()`, for a file made by `makefile` may live on. */
  protected handle: Handle;
  /** No function can be cloned: it keeps `postMessage` from making a dead copy of a socket. */
  protected readonly uncloneable: () => void = boundToItsThread;

  protected constructor(handle: Handle, made: string) {
    this.handle = handle;
    watchForLeak(this, handle, made);
  }

  /** The address family: AF_INET, AF_INET6, AF_UNIX, … */
  get family(): F {
    return this.handle.family as F;
  }

  /** SOCK_STREAM, SOCK_DGRAM, …, without SOCK_NONBLOCK and SOCK_CLOEXEC. */
  get type(): number {
    return this.handle.type;
  }

  /** The protocol as the socket was made with it (0: the family's own), or as the kernel reports it for `fromFd`. */
  get protocol(): number {
    return this.handle.protocol;
  }

  /** Whether `close()` or `detach()` was called. */
  get closed(): boolean {
    return this.handle.fd < 0;
  }

  /** The descriptor's number, -1 once closed. It stays this socket's: do not close it elsewhere. */
  fileno(): number {
    return this.handle.fd;
  }

  /**
   * How long waiting calls wait unless they say otherwise, in milliseconds: null for ever (the default), 0 not at all.
   * Throws {@link LocalProtocolError} for a negative or infinite number.
   */
  get timeoutMs(): number | null {
    return this.handle.timeoutMs;
  }

  set timeoutMs(timeoutMs: number | null) {
    this.handle.timeoutMs = timeoutMs;
    this.handle.check("settimeout");
  }

  /** False when `timeoutMs` is 0: calls that would wait reject with a WouldBlockError. */
  get blocking(): boolean {
    return this.handle.timeoutMs !== 0;
  }

  /**
   * `setblocking(false)` is `timeoutMs = 0`, `setblocking(true)` is `timeoutMs = null`. The descriptor itself is always
   * O_NONBLOCK: waiting is done in the event loop or in poll(2).
   */
  setblocking(blocking: boolean): void {
    this.timeoutMs = checkBoolean(blocking, "setblocking") ? null : 0;
  }

  /** Whether a program started by this one inherits the descriptor. Default: false (close-on-exec). */
  get inheritable(): boolean {
    const flags = native().fcntl(this.handle.fd, linux.F_GETFD, 0);
    if (flags < 0) throw this.handle.failed("fcntl");
    return (flags & linux.FD_CLOEXEC) === 0;
  }

  set inheritable(inheritable: boolean) {
    const flags = checkBoolean(inheritable, "inheritable") ? 0 : linux.FD_CLOEXEC;
    if (native().fcntl(this.handle.fd, linux.F_SETFD, flags) < 0) throw this.handle.failed("fcntl");
  }

  /** Pending operations keep the process alive: the default. */
  ref(): this {
    this.handle.holds = true;
    return this;
  }

  /** Operations that begin to wait from now on do not keep the process alive. */
  unref(): this {
    this.handle.holds = false;
    return this;
  }

  /**
   * Closes the socket. Pending operations reject with EBADF, each once; a second call does nothing. Throws
   * {@link SocketError} EBADF when the descriptor was closed behind hawser's back.
   */
  close(): void {
    const { handle } = this;
    if (handle.fd < 0) return;
    this.#leave();
    handle.release();
    // Where a file keeps the descriptor open, this object's own operations find it gone as soon as they try again.
    if (handle.fd >= 0 && handle.watch.busy) handle.watch.retry();
  }

  /**
   * Gives the descriptor to the caller, open and non-blocking, and closes this object. Returns -1 when it was closed.
   * Throws {@link LocalProtocolError} while operations are pending.
   */
  detach(): number {
    const fd = this.handle.detach();
    this.#leave();
    return fd;
  }

  /** Closes the socket at the end of the block of a `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the socket at the end of the block of an `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #leave(): void {
    const { handle } = this;
    forgetLeak(this);
    this.handle = new Handle(-1, handle);
    this.handle.timeoutMs = handle.timeoutMs;
  }
}

function boundToItsThread(): void {}

/** The timeout of sockets made from now on (Python's setdefaulttimeout): a box, so that accepted sockets see it too. */
export const defaultTimeout: { get(): number | null; set(timeoutMs: number | null): void } = {
  get: () => current,
  set: (timeoutMs) => {
    current = checkTimeout(timeoutMs);
  },
};

let current: number | null = null;
