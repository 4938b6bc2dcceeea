/** The data of a mail store: users, mailboxes, messages, changes. Plain and readonly. */
import type { OpOptions } from "../core/deadline.js";
import { HawserError, type HawserErrorOptions } from "../core/errors.js";

/** UIDs from `first` to `last`, both included; `last` may be `Infinity`. Lists of them ascend and do not overlap. */
export interface UidRange {
  readonly first: number;
  readonly last: number;
}

/** What SMTP said of a message: metadata that stays out of its bytes unless trace headers are asked for. */
export interface SmtpEnvelope {
  /** The reverse-path without angle brackets; `""` for the null path (RFC 5321 section 4.5.5). */
  readonly mailFrom: string;
  /** The recipients as RCPT named them. */
  readonly rcptTo: readonly string[];
  readonly receivedAt: Date;
  /** The name that the client gave in EHLO, HELO or LHLO. */
  readonly helo?: string | undefined;
  readonly remoteAddress?: string | undefined;
  /** `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA`, `LMTP`, … (RFC 3848). */
  readonly protocol?: string | undefined;
  /** Who had logged in. */
  readonly authenticated?: string | undefined;
}

/** A mailbox of a user. */
export interface MailboxInfo {
  /** Stays the same when the mailbox is renamed (RFC 8474). */
  readonly mailboxId: string;
  /** In Unicode, with `/` between the levels; the inbox is `INBOX`. */
  readonly name: string;
  readonly uidValidity: number;
  /** The UID that the next message will get at the least. */
  readonly uidNext: number;
  readonly highestModSeq: bigint;
  /** `\Sent`, `\Trash` and the like (RFC 6154). */
  readonly specialUse: readonly string[];
  readonly subscribed: boolean;
}

/** What STATUS counts (RFC 9051 section 6.3.11, RFC 8438). */
export interface MailboxStatus extends MailboxInfo {
  readonly messages: number;
  readonly unseen: number;
  /** How many messages have `\Deleted`. */
  readonly deleted: number;
  /** What their removal would free, in octets. */
  readonly deletedOctets: number;
  /** All messages together, in octets. */
  readonly sizeOctets: number;
  /** From this UID on, no session was told of the messages: IMAP4rev1's `\Recent`. */
  readonly recentFrom: number;
  /** Every keyword that a message here has or had: SELECT's FLAGS, less the system flags. */
  readonly keywords: readonly string[];
}

/** A message without its content. It never changes: a change of flags makes another one. */
export interface MessageInfo {
  readonly uid: number;
  /** System flags such as `\Seen` first, then keywords; each once, whatever its case, and ordered. */
  readonly flags: readonly string[];
  /** When it arrived, or what APPEND said. */
  readonly internalDate: Date;
  /** When it came into this mailbox (RFC 8514). */
  readonly saveDate: Date;
  readonly sizeOctets: number;
  readonly modSeq: bigint;
  /** The same for copies of one content (RFC 8474). */
  readonly emailId: string;
  /** The same for the messages of one conversation, where the store knows (RFC 8474). */
  readonly threadId?: string | undefined;
  /** What SMTP said, where it came by SMTP. */
  readonly envelope?: SmtpEnvelope | undefined;
}

/** The bytes of a message. They stay readable for whoever opened them, even when the message is expunged. */
export interface MessageContent {
  readonly sizeOctets: number;
  /** The bytes from `start` up to `end`, which is not included; cut to what is there. Not to be written to. */
  bytes(start?: number, end?: number): Promise<Uint8Array>;
  /** The same in pieces of no particular size. */
  stream(start?: number, end?: number): AsyncIterable<Uint8Array>;
}

/** A message to be stored. */
export interface NewMessage {
  /** The message, byte for byte. Chunks are copied: they may be written to once the next is asked for. */
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
  /** How many octets a streamed content must have; it is refused where they differ. */
  readonly sizeOctets?: number | undefined;
  readonly flags?: readonly string[] | undefined;
  /** Default: now. */
  readonly internalDate?: Date | undefined;
  readonly envelope?: SmtpEnvelope | undefined;
}

/** What an append answers: UIDPLUS's APPENDUID (RFC 4315). */
export interface AppendResult {
  readonly uidValidity: number;
  /** The UIDs in the order of the messages, ascending. */
  readonly uids: readonly number[];
}

/** What a copy or move answers: COPYUID. The lists correspond, member by member. */
export interface CopyResult {
  readonly uidValidity: number;
  readonly source: readonly number[];
  readonly destination: readonly number[];
}

/** What a change of flags answers. */
export interface StoreFlagsResult {
  /** The messages whose flags differ from before. */
  readonly changed: readonly MessageInfo[];
  /** The messages that had these flags already. */
  readonly unchanged: readonly MessageInfo[];
  /** The UIDs that `unchangedSince` kept from being changed: MODIFIED (RFC 7162 section 3.1.3). */
  readonly failed: readonly number[];
}

/** Where a delivery went, or why it did not go there. */
export type Delivery =
  | ({ readonly recipient: string; readonly user: string; readonly error?: undefined } & DeliveredAs)
  | { readonly recipient: string; readonly user?: string | undefined; readonly error: MailStoreError };

/** Where a delivered message stands. */
export interface DeliveredAs {
  readonly mailboxId: string;
  readonly uidValidity: number;
  readonly uid: number;
}

/** A quota's resource (RFC 9208 section 5); `limit` is `undefined` where there is none. */
export interface QuotaResource {
  readonly used: number;
  readonly limit?: number | undefined;
}

/** What a user uses and may use. */
export interface Quota {
  readonly storageOctets: QuotaResource;
  readonly messages: QuotaResource;
  readonly mailboxes: QuotaResource;
}

/** What a user may use; what is `undefined` has no limit. */
export interface QuotaLimits {
  readonly storageOctets?: number | undefined;
  readonly messages?: number | undefined;
  readonly mailboxes?: number | undefined;
}

/** What the store takes at all. */
export interface MailStoreLimits {
  /** The largest message, in octets: SMTP's SIZE, IMAP's APPENDLIMIT. */
  readonly maxMessageOctets: number;
  /** The longest name of a mailbox, in octets of UTF-8. */
  readonly maxNameOctets: number;
  /** How many mailboxes a user may have. */
  readonly maxMailboxes: number;
  /** How many different keywords a mailbox may have. */
  readonly maxKeywords: number;
  /** The largest metadata value, in octets. */
  readonly maxMetadataOctets: number;
}

/** What every changing call takes. */
export interface ChangeOptions {
  /** Comes back in the change event, so that a session knows its own changes. */
  readonly origin?: object | undefined;
}

/** What a call that reads a stream takes besides. */
export interface AppendOptions extends ChangeOptions, Pick<OpOptions, "signal"> {}

/** Something that changed; listeners hear of it after it is done, in the order in which it was done. */
export type MailChange = { readonly user: string; readonly origin?: object | undefined } & (
  | { readonly type: "messages"; readonly mailboxId: string; readonly messages: readonly MessageInfo[] }
  | { readonly type: "flags"; readonly mailboxId: string; readonly messages: readonly MessageInfo[] }
  | {
      readonly type: "expunged";
      readonly mailboxId: string;
      readonly uids: readonly UidRange[];
      readonly modSeq: bigint;
    }
  | { readonly type: "mailbox-created" | "mailbox-deleted"; readonly mailbox: MailboxInfo }
  | { readonly type: "mailbox-renamed"; readonly mailbox: MailboxInfo; readonly oldName: string }
  | { readonly type: "subscription"; readonly name: string; readonly subscribed: boolean }
  | { readonly type: "metadata"; readonly mailboxId: string | undefined; readonly entry: string }
);

/** Why a store refused; IMAP's response codes and SMTP's enhanced codes are made of it. */
export type MailStoreReason =
  | "no-user"
  | "no-mailbox"
  | "exists"
  | "bad-name"
  | "bad-flag"
  | "not-permitted"
  | "over-quota"
  | "too-large"
  | "too-many"
  | "size-mismatch"
  | "in-use";

/** A store refused what it was asked: nothing was changed. Its `code` is `HAWSER_MAIL_STORE`. */
export class MailStoreError extends HawserError {
  readonly reason: MailStoreReason;

  constructor(reason: MailStoreReason, message: string, options: HawserErrorOptions = {}) {
    super("HAWSER_MAIL_STORE", message, options);
    this.reason = reason;
  }
}
