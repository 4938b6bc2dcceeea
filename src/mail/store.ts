/**
 * The mail store that the SMTP, POP3 and IMAP servers share: its interface, and the pure rules that every store keeps.
 * `MemoryMailStore` is the one that is there; one over SQLite or PostgreSQL serves the same interface.
 */
import type {
  AppendOptions,
  AppendResult,
  ChangeOptions,
  CopyResult,
  Delivery,
  MailboxInfo,
  MailboxStatus,
  MailChange,
  MailStoreLimits,
  MessageContent,
  MessageInfo,
  NewMessage,
  Quota,
  QuotaLimits,
  StoreFlagsResult,
  UidRange,
} from "./store-types.js";

export * from "./store-flags.js";
export * from "./store-names.js";
export * from "./store-ranges.js";
export * from "./store-types.js";

/**
 * Users, their mailboxes, and the messages in them. Three rules hold for every store: a call either does all or throws a
 * `MailStoreError` and does nothing; UIDs and mod-sequences are given out by the store, only ever ascend, and a change is
 * whole when its event is heard; and a message's content never changes. Mailboxes are named by `mailboxId` wherever a
 * session may have one selected, since an id survives a rename.
 */
export interface MailStore extends AsyncDisposable {
  readonly limits: MailStoreLimits;

  /** The names of all users. */
  users(): Promise<readonly string[]>;
  /** Adds a user with an `INBOX`. @throws {MailStoreError} `exists`, `bad-name` */
  createUser(user: string): Promise<void>;
  /** Removes a user with all mail. @throws {MailStoreError} `no-user` */
  deleteUser(user: string): Promise<void>;
  /** The user whom a recipient's address means, or `undefined`: then RCPT is refused. */
  resolve(recipient: string): Promise<string | undefined>;

  /** All mailboxes of a user, by name. @throws {MailStoreError} `no-user` */
  mailboxes(user: string): Promise<readonly MailboxInfo[]>;
  /** The mailbox of this name, or `undefined`. @throws {MailStoreError} `no-user` */
  mailbox(user: string, name: string): Promise<MailboxInfo | undefined>;
  /** The counts of a mailbox. @throws {MailStoreError} `no-mailbox` */
  status(mailboxId: string): Promise<MailboxStatus>;
  /**
   * Adds a mailbox, and those above it that are missing.
   * @throws {MailStoreError} `exists`, `bad-name`, `too-many`, `over-quota`
   */
  createMailbox(
    user: string,
    name: string,
    options?: ChangeOptions & { readonly specialUse?: readonly string[] | undefined },
  ): Promise<MailboxInfo>;
  /** Removes a mailbox and its messages; those below it stay. @throws {MailStoreError} `no-mailbox`, `not-permitted` (INBOX) */
  deleteMailbox(user: string, name: string, options?: ChangeOptions): Promise<void>;
  /**
   * Renames a mailbox and those below it. To rename INBOX moves its messages into a new mailbox (RFC 9051 section 6.3.6).
   * @throws {MailStoreError} `no-mailbox`, `exists`, `bad-name`, `not-permitted`
   */
  renameMailbox(user: string, from: string, to: string, options?: ChangeOptions): Promise<MailboxInfo>;
  /** Subscribes a name or takes that back; the mailbox need not exist. */
  subscribeMailbox(user: string, name: string, subscribed: boolean, options?: ChangeOptions): Promise<void>;
  /** The names that are subscribed, those of deleted mailboxes included. */
  subscriptions(user: string): Promise<readonly string[]>;
  /** Marks all messages as told of: returns the first UID that no session was told of before (`\Recent` of RFC 3501). */
  claimRecent(mailboxId: string): Promise<number>;

  /**
   * The messages of these ranges in the order of their UIDs, those alone that changed since a mod-sequence, and `limit` of
   * them at most. Without ranges, all.
   */
  list(
    mailboxId: string,
    ranges?: readonly UidRange[],
    options?: { readonly changedSince?: bigint | undefined; readonly limit?: number | undefined },
  ): Promise<readonly MessageInfo[]>;
  /** The content of a message, or `undefined` where the message is gone. */
  open(mailboxId: string, uid: number): Promise<MessageContent | undefined>;
  /**
   * Adds messages: all, or none.
   * @throws {MailStoreError} `no-mailbox`, `too-large`, `over-quota`, `size-mismatch`, `bad-flag`, `too-many`
   */
  append(
    mailboxId: string,
    messages: NewMessage | readonly NewMessage[],
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /** Delivers into the INBOX of each recipient. The content is read once; no recipient's failure is another's. */
  deliver(
    recipients: string | readonly string[],
    message: NewMessage,
    options?: AppendOptions,
  ): Promise<readonly Delivery[]>;
  /**
   * Sets, adds or removes flags. Messages whose mod-sequence is above `unchangedSince` are left alone.
   * @throws {MailStoreError} `no-mailbox`, `bad-flag`, `too-many`
   */
  storeFlags(
    mailboxId: string,
    ranges: readonly UidRange[],
    change: {
      readonly mode: "set" | "add" | "remove";
      readonly flags: readonly string[];
      readonly unchangedSince?: bigint | undefined;
    },
    options?: ChangeOptions,
  ): Promise<StoreFlagsResult>;
  /** Copies messages with flags and dates, in the order of their UIDs: all, or none. */
  copy(
    mailboxId: string,
    ranges: readonly UidRange[],
    toMailboxId: string,
    options?: ChangeOptions,
  ): Promise<CopyResult>;
  /** Moves messages: a copy and an expunge that nobody can come between (RFC 6851). */
  move(
    mailboxId: string,
    ranges: readonly UidRange[],
    toMailboxId: string,
    options?: ChangeOptions,
  ): Promise<CopyResult>;
  /** Removes the messages of these ranges (all without) that have `\Deleted`, or with `all` whatever flags they have. */
  expunge(
    mailboxId: string,
    ranges?: readonly UidRange[],
    options?: ChangeOptions & { readonly all?: boolean | undefined },
  ): Promise<{ readonly uids: readonly UidRange[]; readonly modSeq: bigint }>;
  /**
   * The UIDs within the ranges that were expunged after a mod-sequence: VANISHED (EARLIER) of RFC 7162. A store that has
   * forgotten so old a time names every UID that is not there.
   */
  vanished(
    mailboxId: string,
    sinceModSeq: bigint,
    ranges?: readonly UidRange[],
  ): Promise<readonly UidRange[]>;

  /**
   * Calls `listener` after every change to a user's mail, until the subscription is disposed of. It is called at once, so
   * it must be quick and must not throw; `watch()` makes an async iterable of it.
   */
  subscribe(user: string, listener: (change: MailChange) => void): Disposable;
  /**
   * The exclusive lock that POP3 asks for (RFC 1939 section 8), until it is disposed of. It keeps out others that ask for
   * it; deliveries and IMAP sessions go on. @throws {MailStoreError} `in-use`, `no-user`
   */
  lock(user: string): Promise<AsyncDisposable>;

  /** What a user uses and may use. */
  quota(user: string): Promise<Quota>;
  /** Sets what a user may use; it does not take away what is used already. */
  setQuota(user: string, limits: QuotaLimits): Promise<void>;
  /** The annotations of a mailbox, or with `undefined` those of the user (RFC 5464). */
  metadata(user: string, mailboxId: string | undefined): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Sets an annotation, or removes it with `undefined`. @throws {MailStoreError} `no-mailbox`, `bad-name`, `too-large` */
  setMetadata(
    user: string,
    mailboxId: string | undefined,
    entry: string,
    value: Uint8Array | undefined,
    options?: ChangeOptions,
  ): Promise<void>;
}

/** Messages up to 50 MiB, names up to 1,000 octets, 10,000 mailboxes, 1,000 keywords, metadata of 64 KiB. */
export const defaultMailStoreLimits: MailStoreLimits = {
  maxMessageOctets: 52_428_800,
  maxNameOctets: 1000,
  maxMailboxes: 10_000,
  maxKeywords: 1000,
  maxMetadataOctets: 65_536,
};
