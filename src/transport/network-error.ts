/** What Node says of a broken connection, in this package's errors. */
import {
  BrokenError,
  HawserError,
  InUseError,
  NameError,
  RefusedError,
  ResetError,
  SocketError,
  TimedOutError,
} from "../core/errors.js";
import type { Endpoint } from "./types.js";

const classes: Readonly<Record<string, typeof SocketError>> = {
  ECONNREFUSED: RefusedError,
  ECONNRESET: ResetError,
  ECONNABORTED: ResetError,
  EPIPE: ResetError,
  EADDRINUSE: InUseError,
  ETIMEDOUT: TimedOutError,
  ENOTFOUND: NameError,
  EAI_AGAIN: NameError,
};

/** A failure of a connection that stood: a `BrokenError` whose cause is the `SocketError`. */
export function networkError(error: Error, at: Endpoint | undefined): HawserError {
  if (error instanceof HawserError && !(error instanceof SocketError)) return error;
  return new BrokenError(`the connection to ${describeEndpoint(at)} broke: ${error.message}`, {
    cause: error instanceof SocketError ? error : (socketErrorOf(error, at) ?? error),
  });
}

/** A failure to connect or to listen: the `SocketError` itself, where it is one. */
export function connectError(error: unknown, at: Endpoint | undefined): unknown {
  if (error instanceof AggregateError) return connectError(mostTelling(error.errors), at);
  if (!(error instanceof Error) || error instanceof HawserError) return error;
  return socketErrorOf(error, at) ?? networkError(error, at);
}

/** Of several addresses that failed: not the one that this machine has no way to, if there is another. */
function mostTelling(errors: readonly unknown[]): unknown {
  const reached = errors.filter((error) => !unreachable.has((error as NodeJS.ErrnoException).code ?? ""));
  return reached.at(-1) ?? errors.at(-1);
}

const unreachable: ReadonlySet<string> = new Set([
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

function socketErrorOf(error: NodeJS.ErrnoException, at: Endpoint | undefined): SocketError | undefined {
  if (typeof error.code !== "string" || error.errno === undefined || error.syscall === undefined)
    return undefined;
  const Class = classes[error.code] ?? SocketError;
  return new Class(`${error.syscall} ${describeEndpoint(at)}: ${error.code}`, {
    errno: Math.abs(error.errno),
    code: error.code,
    syscall: error.syscall,
    address: describeEndpoint(at),
    cause: error,
  });
}

/** `127.0.0.1:25`, `[::1]:25`, `/run/lmtp`. */
export function describeEndpoint(at: Endpoint | undefined): string {
  if (at === undefined) return "the peer";
  if (at.path !== undefined) return at.path;
  const host = at.host?.includes(":") ? `[${at.host}]` : (at.host ?? "");
  return at.port === undefined ? host : `${host}:${at.port}`;
}
