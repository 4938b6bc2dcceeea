/** How a command is refused: NO and BAD with their codes (RFC 9051 section 7.1, RFC 5530). */
import { LocalProtocolError } from "../core/errors.js";
import { MailStoreError, type MailStoreReason } from "../mail/store.js";
import { formatResponse } from "./codec-format.js";
import { ImapError } from "./errors.js";
import type { PlainCode, ResponseCode } from "./types-response.js";

/** What ends a command without success. The text is for the client to read. */
export class Refusal extends Error {
  readonly status: "NO" | "BAD";
  readonly code: ResponseCode | undefined;

  constructor(status: "NO" | "BAD", text: string, code?: PlainCode | ResponseCode) {
    super(text);
    this.status = status;
    this.code = typeof code === "string" ? { name: code } : code;
  }
}

/** The command cannot be carried out. */
export function no(text: string, code?: PlainCode | ResponseCode): Refusal {
  return new Refusal("NO", text, code);
}

/** The command is not what it should be. */
export function bad(text: string, code?: PlainCode | ResponseCode): Refusal {
  return new Refusal("BAD", text, code);
}

const reasons: Readonly<Record<MailStoreReason, readonly [text: string, code?: PlainCode]>> = {
  "no-user": ["there is no mail for this user", "NONEXISTENT"],
  "no-mailbox": ["there is no such mailbox", "NONEXISTENT"],
  exists: ["there is a mailbox of this name", "ALREADYEXISTS"],
  "bad-name": ["this name cannot be", "CANNOT"],
  "bad-flag": ["this flag cannot be kept", "CANNOT"],
  "not-permitted": ["this is not permitted", "CANNOT"],
  "over-quota": ["the quota does not have room for this", "OVERQUOTA"],
  "too-large": ["this is too large", "TOOBIG"],
  "too-many": ["there are too many", "LIMIT"],
  "size-mismatch": ["the size is not what was announced", "CLIENTBUG"],
  "in-use": ["this is in use", "INUSE"],
};

/** A store's or handler's refusal as IMAP's; undefined where something is broken. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof ImapError) return wordOf(error);
  return error instanceof MailStoreError ? no(...reasons[error.reason]) : undefined;
}

/** A handler's own word, unless a line cannot hold it. */
function wordOf({ status, text, responseCode: code }: ImapError): Refusal | undefined {
  try {
    formatResponse({ type: "status", tag: undefined, status, code, text });
    return new Refusal(status, text, code);
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
    return undefined;
  }
}
