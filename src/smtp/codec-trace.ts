/** The trace header that final delivery puts before a message (RFC 5321 section 4.4). */
import type { SmtpSession, SmtpTransaction } from "./types-server.js";

/** What else stands in a trace header. */
export interface TraceFacts {
  /** The server's own name. */
  readonly by: string;
  readonly receivedAt: Date;
}

/** `Return-Path:` and `Received:`, folded, each line with its CR LF. */
export function formatTraceHeaders(
  { from }: Pick<SmtpTransaction, "from">,
  session: Pick<SmtpSession, "helo" | "remote" | "remoteName" | "protocol">,
  { by, receivedAt }: TraceFacts,
): string {
  const { helo, remote, remoteName, protocol } = session;
  const host = remote?.host;
  const address = host === undefined ? undefined : `[${host.includes(":") ? `IPv6:${host}` : host}]`;
  const known = [remoteName, address].filter((word) => word !== undefined).join(" ");
  const client = known === "" ? helo : `${helo} (${known})`;
  return (
    `Return-Path: <${from}>\r\n` +
    `Received: from ${clean(client)}\r\n\tby ${clean(by)} with ${protocol};\r\n\t${formatDate(receivedAt)}\r\n`
  );
}

/** What XCLIENT or EHLO told is anybody's text: none of it may end a line. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}

/** RFC 5322 section 3.3: `Fri, 27 Nov 2026 20:36:07 +0000`. */
function formatDate(date: Date): string {
  return date.toUTCString().replace("GMT", "+0000");
}
