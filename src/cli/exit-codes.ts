/** The exit codes of the `hawser` command: curl's, where curl has one. */
import {
  AuthError,
  DeadlineError,
  LocalProtocolError,
  NameError,
  RefusedError,
  RemoteProtocolError,
  ReplyError,
  SocketError,
  TimedOutError,
} from "../index.js";

/** What each way of ending is called, and the number that the shell sees. */
export const exitCodes = {
  ok: 0,
  other: 1,
  usage: 2,
  resolve: 6,
  connect: 7,
  refused: 22,
  oddReply: 8,
  timeout: 28,
  login: 67,
  interrupt: 130,
} as const;

/** A number that the command may end with. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The system calls that fail because of the address: a peer that is not there, or a port that is taken. */
const addressCalls = ["connect", "bind", "listen"];

/** The exit code for whatever a subcommand threw. */
export function exitCodeOf(error: unknown): ExitCode {
  // Every address of a name was tried: the last one tells as much as any.
  if (error instanceof AggregateError) return exitCodeOf(error.errors.at(-1));
  if (error instanceof LocalProtocolError) return exitCodes.usage;
  if (error instanceof AuthError) return exitCodes.login;
  if (error instanceof ReplyError) return exitCodes.refused;
  if (error instanceof RemoteProtocolError) return exitCodes.oddReply;
  if (error instanceof NameError) return exitCodes.resolve;
  if (error instanceof DeadlineError || error instanceof TimedOutError) return exitCodes.timeout;
  // A UDP peer refuses when the answer is read, not when it is connected.
  if (error instanceof RefusedError) return exitCodes.connect;
  if (error instanceof SocketError && addressCalls.includes(error.syscall)) return exitCodes.connect;
  return exitCodes.other;
}
