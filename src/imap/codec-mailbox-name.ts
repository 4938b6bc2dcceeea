/** Mailbox names between the wire and text: RFC 9051 section 5.1, RFC 3501 section 5.1.3, RFC 6855. */
import { HawserError } from "../core/errors.js";
import type { TokenReader } from "./codec-tokens.js";
import { decodeUtf7, encodeUtf7 } from "./codec-utf7.js";
import type { MailboxNamed } from "./types-response.js";

/** mailbox: an astring. INBOX comes in any case and leaves in capitals. */
export function mailbox(r: TokenReader): MailboxNamed {
  return mailboxOf(r, r.astringBytes());
}

/** The name that bytes of any form of string stand for. */
export function mailboxOf(r: TokenReader, raw: Uint8Array): MailboxNamed {
  const sent = Buffer.from(raw.buffer as ArrayBuffer, raw.byteOffset, raw.length).toString("utf8");
  const name = r.utf8 ? sent : decodeLeniently(r, sent);
  if (leadsBack(name, raw, r.utf8)) return { mailbox: inbox(name) };
  return { mailbox: inbox(name), rawMailbox: raw };
}

/** INBOX is the one name that ignores case (RFC 9051 section 5.1). */
export function inbox(name: string): string {
  return name.length === 5 && name.toUpperCase() === "INBOX" ? "INBOX" : name;
}

/** seen: servers that send UTF-8 or a bare `&` before they may: the name is taken as it stands. */
function decodeLeniently(r: TokenReader, sent: string): string {
  if (!/[^\x20-\x7e]|&/.test(sent)) return sent;
  try {
    return decodeUtf7(sent);
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    r.defect(error.message);
    return sent;
  }
}

/** Whether a client that says this name says the same bytes. */
function leadsBack(name: string, raw: Uint8Array, utf8: boolean): boolean {
  try {
    return Buffer.from(utf8 ? name : encodeUtf7(name)).equals(raw);
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    return false;
  }
}
