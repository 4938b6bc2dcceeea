/** What a server of IMAP asks of whoever has the mail. */
import type { MailStore } from "../mail/store.js";
import type { Authenticator, Identity } from "../sasl/index.js";

/** The methods of a mail store without which there is no IMAP. */
type NeededMethods =
  | ("limits" | "mailboxes" | "mailbox" | "status" | "createMailbox" | "deleteMailbox" | "renameMailbox")
  | ("subscribeMailbox" | "subscriptions" | "claimRecent" | "list" | "open" | "append" | "storeFlags")
  | ("copy" | "expunge" | "subscribe");

/**
 * The mail that a session works on: a `MailStore`, or less. A method that is absent takes its extension out of what is
 * advertised: `vanished` QRESYNC, `quota` QUOTA, `metadata` with `setMetadata` METADATA.
 */
export interface ImapStore extends Pick<MailStore, NeededMethods> {
  /** Moves messages in one step (RFC 6851). Without it a copy and an expunge stand in, which others may come between. */
  readonly move?: MailStore["move"] | undefined;
  /** Tells which messages are gone since a mod-sequence: QRESYNC (RFC 7162). */
  readonly vanished?: MailStore["vanished"] | undefined;
  /** Tells what a user uses and may use: QUOTA (RFC 9208). */
  readonly quota?: MailStore["quota"] | undefined;
  /** Sets what a user may use: SETQUOTA, where the server's `allowSetQuota` lets users do that. */
  readonly setQuota?: MailStore["setQuota"] | undefined;
  /** Tells the annotations of a mailbox or of the user: METADATA (RFC 5464), together with `setMetadata`. */
  readonly metadata?: MailStore["metadata"] | undefined;
  /** Sets an annotation: METADATA, together with `metadata`. */
  readonly setMetadata?: MailStore["setMetadata"] | undefined;
}

/** Whose mail, and where it is kept. */
export interface ImapMail {
  /** The user's name in the store. */
  readonly user: string;
  readonly store: ImapStore;
}

/** The state of a session: RFC 9051 section 3. */
export type ImapState = "not authenticated" | "authenticated" | "selected" | "logout";

/** What a handler sees of a session. */
export interface ImapSession {
  /** A number for each session of a server. */
  readonly id: number;
  readonly state: ImapState;
  readonly identity: Identity | undefined;
  readonly remoteAddress: string | undefined;
  /** Whether TLS, or a Unix socket, keeps the connection private. */
  readonly encrypted: boolean;
}

/** Whoever decides who may come in and what mail they see. */
export interface ImapHandler {
  /** Whom a login asks, unless the server's own option says otherwise. */
  readonly accounts?: Authenticator | undefined;
  /** A client has connected. What it throws refuses the client with BYE. */
  connect?(session: ImapSession): Promise<void> | void;
  /** The mail of who has logged in. */
  open(session: ImapSession): Promise<ImapMail> | ImapMail;
  /** The session is over, or has logged out of this mail. */
  close?(session: ImapSession): Promise<void> | void;
}
