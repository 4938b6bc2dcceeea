/**
 * Every error that hawser throws. Each states three facts: whose fault it was, whether anything may have
 * been sent, and whether the connection is still usable.
 */

/** Options that every {@link HawserError} takes. */
export interface HawserErrorOptions {
  /** The error underneath, if there is one. */
  readonly cause?: unknown;
}

/**
 * The base of every error of this package. Catch it to catch them all; compare {@link HawserError.code} to tell
 * them apart, for messages may change between versions and codes do not.
 */
export class HawserError extends Error {
  /** A stable, machine-readable name: `HAWSER_…`, or for a system call its errno name such as `ECONNREFUSED`. */
  readonly code: string;

  constructor(code: string, message: string, options: HawserErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * The caller asked for something that cannot be sent or done: a port of 70000, a NUL in a name, a call in the wrong
 * state. Nothing was sent, no system call was made, and the socket or connection is as usable as before.
 */
export class LocalProtocolError extends HawserError {
  constructor(message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_LOCAL_PROTOCOL", message, options);
  }
}

/**
 * The time that the caller allowed (`timeoutMs`) ran out. The kernel's own ETIMEDOUT is a {@link TimedOutError}.
 * At level 1 the socket is still usable, but for `connect`, whose state is then unknown.
 */
export class DeadlineError extends HawserError {
  /** What was being waited for: `recv`, `connect`, … */
  readonly what: string;
  /** The time that was allowed, in milliseconds. */
  readonly limitMs: number;

  constructor(what: string, limitMs: number, options: HawserErrorOptions = {}) {
    super("HAWSER_DEADLINE", `${what} timed out after ${limitMs} ms`, options);
    this.what = what;
    this.limitMs = limitMs;
  }
}

/**
 * Something is larger than was allowed: a line without an end, a message beyond its maximum. What was too long is not
 * handed out.
 */
export class LimitError extends HawserError {
  /** What was too large: `a line`. */
  readonly limit: string;
  /** How large it may be: bytes, or UTF-16 units of text. */
  readonly max: number;

  constructor(limit: string, max: number, options: HawserErrorOptions = {}) {
    super("HAWSER_LIMIT", `${limit} is longer than ${max}`, options);
    this.limit = limit;
    this.max = max;
  }
}

/** The connection ended in the middle: the peer finished or the network failed before all that was due had come. */
export class BrokenError extends HawserError {
  constructor(message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_BROKEN", message, options);
  }
}

/** The machine or platform lacks an ability: no native library, no such option here. Nothing was sent. */
export class UnsupportedError extends HawserError {
  /** The ability that is missing, by a short stable name such as `level-1 sockets` or `sendmmsg`. */
  readonly capability: string;

  constructor(capability: string, message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_UNSUPPORTED", message, options);
    this.capability = capability;
  }
}

/** What a {@link SocketError} carries besides its message. */
export interface SocketErrorFacts extends HawserErrorOptions {
  /** The errno as the kernel gave it (a negative EAI_ number for the resolver). */
  readonly errno: number;
  /** The errno's name: `ECONNREFUSED`. */
  readonly code: string;
  /** The system call that failed: `connect`. */
  readonly syscall: string;
  /** The address that the call was about, as text, where there was one. */
  readonly address?: string | undefined;
}

/**
 * A system call failed. The kernel's errno stands in {@link SocketError.errno}, its name in `code`.
 * The families that programs catch have classes of their own below.
 */
export class SocketError extends HawserError {
  readonly errno: number;
  readonly syscall: string;
  readonly address: string | undefined;

  constructor(message: string, facts: SocketErrorFacts) {
    super(facts.code, message, facts);
    this.errno = facts.errno;
    this.syscall = facts.syscall;
    this.address = facts.address;
  }
}

/** ECONNREFUSED: the peer's machine answered that nobody listens there. */
export class RefusedError extends SocketError {}

/** ECONNRESET, ECONNABORTED, EPIPE, ESHUTDOWN: the connection broke, or its writing side is closed. */
export class ResetError extends SocketError {}

/** EADDRINUSE: another socket has this address. */
export class InUseError extends SocketError {}

/** ETIMEDOUT: the kernel gave up on the peer. A `timeoutMs` that ran out is a {@link DeadlineError}. */
export class TimedOutError extends SocketError {}

/** EAGAIN, EINPROGRESS, EALREADY: the call would have had to wait, and the socket or flags forbid it. */
export class WouldBlockError extends SocketError {}

/** A look-up failed: `code` is `EAI_NONAME`, `EAI_SERVICE`, `HOST_NOT_FOUND` and the like. */
export class NameError extends SocketError {}
