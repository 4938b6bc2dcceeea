/**
 * hawser: the network toolkit for TypeScript. This entry holds what every part shares: the errors and the version.
 * The sockets and the protocols have entries of their own, such as `hawser/socket`.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export {
  BrokenError,
  DeadlineError,
  HawserError,
  type HawserErrorOptions,
  InUseError,
  LimitError,
  LocalProtocolError,
  NameError,
  RefusedError,
  ResetError,
  SocketError,
  type SocketErrorFacts,
  TimedOutError,
  UnsupportedError,
  WouldBlockError,
} from "./core/errors.js";
export { version } from "./core/version.js";
