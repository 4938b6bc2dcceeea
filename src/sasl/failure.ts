/** How a server's half of an exchange fails. */
import { HawserError } from "../core/errors.js";

/**
 * Why an exchange failed: wrong credentials (or no such user: nothing tells the two apart); the user may not act for the
 * one asked for; the mechanism is not offered; it is offered only over TLS; the client's message breaks the rules; the
 * client cancelled.
 */
export type SaslFailureReason =
  | "credentials"
  | "authorization"
  | "mechanism"
  | "encryption"
  | "malformed"
  | "cancelled";

/**
 * The server's half of an exchange failed. The connection is usable, and the protocol answers with its own reply. Its
 * `code` is `HAWSER_SASL_FAILURE`.
 */
export class SaslFailure extends HawserError {
  /** Why, for choosing the protocol's reply. */
  readonly reason: SaslFailureReason;

  constructor(reason: SaslFailureReason, message: string = usualMessage[reason]) {
    const fault = reason === "credentials" || reason === "authorization" ? "credentials" : "peer";
    super("HAWSER_SASL_FAILURE", message, { fault });
    this.reason = reason;
  }
}

const usualMessage: Readonly<Record<SaslFailureReason, string>> = {
  credentials: "authentication failed",
  authorization: "not authorized to act for this user",
  mechanism: "the mechanism is not available",
  encryption: "the mechanism needs an encrypted connection",
  malformed: "the response breaks the mechanism's rules",
  cancelled: "the exchange was cancelled",
};
