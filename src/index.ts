/**
 * hawser: the network toolkit for TypeScript. This entry holds what every part shares: the errors and the version.
 * The sockets and the protocols have entries of their own, such as `hawser/socket`.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export {
  AuthError,
  BrokenError,
  BusyError,
  ClosedError,
  DeadlineError,
  type Fault,
  HawserError,
  type HawserErrorOptions,
  InUseError,
  LimitError,
  LocalProtocolError,
  NameError,
  RefusedError,
  RemoteProtocolError,
  type RemoteProtocolErrorOptions,
  ReplyError,
  type ReplyErrorFacts,
  ResetError,
  type Sent,
  SocketError,
  type SocketErrorFacts,
  TimedOutError,
  UnsupportedError,
  WouldBlockError,
} from "./core/errors.js";
export { defaultLimits, type Limits } from "./core/limits.js";
export { Secret } from "./core/secret.js";
export type { Source } from "./core/source.js";
export { type Speaker, type Trace, type TraceEvent, type Transcript, transcript } from "./core/trace.js";
export { version } from "./core/version.js";
