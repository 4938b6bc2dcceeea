/**
 * Every error that hawser throws. Each states three facts: whose fault it was, whether anything may have
 * been sent, and whether the connection is still usable.
 */
import { printable } from "./printable.js";

/** Whose fault an error is: the program's, the credentials', the peer's, the network's, time's, or the machine's. */
export type Fault = "caller" | "credentials" | "peer" | "network" | "time" | "platform";

/** Whether anything of what failed may have been sent. */
export type Sent = "no" | "perhaps" | "yes";

/** Options that every {@link HawserError} takes. */
export interface HawserErrorOptions {
  /** The error underneath, if there is one. */
  readonly cause?: unknown;
  /** Whether anything of what failed may have been sent; each class has its usual answer. */
  readonly sent?: Sent;
  /** Whether the socket or connection can still be used; each class has its usual answer. */
  readonly usable?: boolean;
}

/**
 * The base of every error of this package. Catch it to catch them all; compare {@link HawserError.code} to tell
 * them apart, for messages may change between versions and codes do not.
 */
export class HawserError extends Error {
  /** A stable, machine-readable name: `HAWSER_…`, or for a system call its errno name such as `ECONNREFUSED`. */
  readonly code: string;
  /** Whose fault it was. */
  readonly fault: Fault;
  /** Whether anything of what failed may have been sent. */
  readonly sent: Sent;
  /** Whether the socket or connection can still be used. */
  readonly usable: boolean;
  /** The last lines of the conversation, where there was one: `C:` client, `S:` server, `*` note. No secrets. */
  transcript?: readonly string[];

  constructor(code: string, message: string, options: HawserErrorOptions & { readonly fault?: Fault } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.fault = options.fault ?? "caller";
    this.sent = options.sent ?? "no";
    this.usable = options.usable ?? true;
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
    super("HAWSER_DEADLINE", `${what} timed out after ${limitMs} ms`, {
      ...{ fault: "time", sent: "perhaps", usable: false },
      ...options,
    });
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
    super("HAWSER_LIMIT", `${limit} is longer than ${max}`, {
      ...{ fault: "peer", sent: "perhaps", usable: false },
      ...options,
    });
    this.limit = limit;
    this.max = max;
  }
}

/** The connection ended in the middle: the peer finished or the network failed before all that was due had come. */
export class BrokenError extends HawserError {
  constructor(message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_BROKEN", message, { fault: "network", sent: "perhaps", usable: false, ...options });
  }
}

/**
 * The peer understood and said no: an SMTP 550, a POP3 -ERR, an IMAP NO. The connection is as usable as before. Each
 * protocol has a class of its own below this one, with its own fields.
 */
export class ReplyError<R = unknown> extends HawserError {
  /** What the peer answered. */
  readonly reply: R;
  /** The command that it answered, without secrets: `RCPT TO:<a@b>`. */
  readonly command: string;
  /** Whether the same request will fail again: false is worth another try later. */
  readonly permanent: boolean;

  constructor(message: string, facts: ReplyErrorFacts<R>) {
    super(facts.errorCode ?? "HAWSER_REPLY", message, {
      ...{ fault: facts.fault ?? "peer", sent: "yes", usable: true },
      ...facts,
    });
    this.reply = facts.reply;
    this.command = facts.command;
    this.permanent = facts.permanent;
  }
}

/** What a {@link ReplyError} carries besides its message. */
export interface ReplyErrorFacts<R> extends HawserErrorOptions {
  readonly reply: R;
  readonly command: string;
  readonly permanent: boolean;
  /** The stable code of the error, where it is not `HAWSER_REPLY`. */
  readonly errorCode?: string;
  readonly fault?: Fault;
}

/** The peer refused the credentials, or no mechanism could be agreed upon. Its `code` is `HAWSER_AUTH`. */
export class AuthError<R = unknown> extends ReplyError<R> {
  constructor(message: string, facts: ReplyErrorFacts<R>) {
    super(message, { fault: "credentials", errorCode: "HAWSER_AUTH", ...facts });
  }
}

/** What a {@link RemoteProtocolError} carries besides its message. */
export interface RemoteProtocolErrorOptions extends HawserErrorOptions {
  /** What the peer sent, or the start of it. At most 200 bytes are kept, as text. */
  readonly excerpt?: Uint8Array | string;
  /** The rule that was broken: `RFC 5321 section 4.2`. */
  readonly rfc?: string;
}

/** The peer broke the rules of the protocol: what it means is unknown, so the connection is closed. */
export class RemoteProtocolError extends HawserError {
  /** The start of what the peer sent, with control characters escaped; empty where there is nothing to show. */
  readonly excerpt: string;
  /** The rule that was broken: `RFC 5321 section 4.2`. */
  readonly rfc: string | undefined;

  constructor(message: string, options: RemoteProtocolErrorOptions = {}) {
    const excerpt = excerptOf(options.excerpt);
    super("HAWSER_REMOTE_PROTOCOL", excerpt === "" ? message : `${message}: "${excerpt}"`, {
      ...{ fault: "peer", sent: "perhaps", usable: false },
      ...options,
    });
    this.excerpt = excerpt;
    this.rfc = options.rfc;
  }
}

const maxExcerptBytes = 200;

/** The first bytes as text that is safe to print. */
function excerptOf(of: Uint8Array | string | undefined): string {
  if (of === undefined) return "";
  const text = typeof of === "string" ? of : new TextDecoder().decode(of.subarray(0, maxExcerptBytes));
  return printable(text.slice(0, maxExcerptBytes));
}

/** The connection was used after it had been closed on this side. Nothing was sent. */
export class ClosedError extends HawserError {
  constructor(message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_CLOSED", message, { usable: false, ...options });
  }
}

/** Another operation is under way which must end first, such as a body that has not been read. Nothing was sent. */
export class BusyError extends HawserError {
  constructor(message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_BUSY", message, options);
  }
}

/** The machine or platform lacks an ability: no native library, no such option here. Nothing was sent. */
export class UnsupportedError extends HawserError {
  /** The ability that is missing, by a short stable name such as `level-1 sockets` or `sendmmsg`. */
  readonly capability: string;

  constructor(capability: string, message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_UNSUPPORTED", message, { fault: "platform", ...options });
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
    super(facts.code, message, { fault: "network", sent: "perhaps", ...facts });
    this.errno = facts.errno;
    this.syscall = facts.syscall;
    this.address = facts.address;
  }
}

/** ECONNREFUSED: the peer's machine answered that nobody listens there. */
export class RefusedError extends SocketError {}

/** ECONNRESET, ECONNABORTED, EPIPE, ESHUTDOWN: the connection broke, or its writing side is closed. */
export class ResetError extends SocketError {
  constructor(message: string, facts: SocketErrorFacts) {
    super(message, { usable: false, ...facts });
  }
}

/** EADDRINUSE: another socket has this address. */
export class InUseError extends SocketError {}

/** ETIMEDOUT: the kernel gave up on the peer. A `timeoutMs` that ran out is a {@link DeadlineError}. */
export class TimedOutError extends SocketError {}

/** EAGAIN, EINPROGRESS, EALREADY: the call would have had to wait, and the socket or flags forbid it. */
export class WouldBlockError extends SocketError {}

/** A look-up failed: `code` is `EAI_NONAME`, `EAI_SERVICE`, `HOST_NOT_FOUND` and the like. */
export class NameError extends SocketError {}
