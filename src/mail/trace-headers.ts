/** Trace fields: `Return-Path` and `Received`, which a store keeps as metadata. RFC 5321 section 4.4. */
import { formatHeaderField } from "./headers-format.js";
import type { SmtpEnvelope } from "./store.js";

/** Who received the message. */
export interface TraceHeaderOptions {
  /** The receiving host's name. */
  readonly by: string;
  /** The recipient for whom the fields are written; named where there is one, so that Bcc stays hidden. */
  readonly recipient?: string | undefined;
  /** The receiver's own name for the message. */
  readonly id?: string | undefined;
}

/**
 * The trace fields of a message as bytes, to stand before it where they were asked for. What the peer said is kept to
 * printable characters, so that it cannot end a field.
 */
export function formatTraceHeaders(envelope: SmtpEnvelope, options: TraceHeaderOptions): Uint8Array {
  const path = formatHeaderField("Return-Path", `<${printable(envelope.mailFrom)}>`);
  return Buffer.from(path + formatHeaderField("Received", received(envelope, options)), "utf8");
}

function received(envelope: SmtpEnvelope, { by, recipient, id }: TraceHeaderOptions): string {
  const address = envelope.remoteAddress === undefined ? "" : ` ([${printable(envelope.remoteAddress)}])`;
  const words = [
    `from ${printable(envelope.helo ?? "unknown")}${address}`,
    `by ${printable(by)}`,
    ...(envelope.protocol === undefined ? [] : [`with ${printable(envelope.protocol)}`]),
    ...(id === undefined ? [] : [`id ${printable(id)}`]),
    ...(recipient === undefined ? [] : [`for <${printable(recipient)}>`]),
  ];
  return `${words.join(" ")}; ${envelope.receivedAt.toUTCString().replace("GMT", "+0000")}`;
}

function printable(text: string): string {
  return text.slice(0, 512).replace(/[\p{Cc}\p{Cs}\u2028\u2029();<>]/gu, "?");
}
