/** The data of POP3: what both sides, and whoever writes a handler, speak of. */
import type { Source } from "../core/source.js";
import type { Authenticator, Identity } from "../sasl/index.js";

/** A reply's first line (RFC 1939 section 3), or a challenge of AUTH (RFC 5034 section 4). */
export interface Pop3Reply {
  readonly status: "+OK" | "-ERR" | "+";
  /** The extended response code of RFC 2449 section 8 in capitals, without its brackets: `IN-USE`, `SYS/TEMP`. */
  readonly responseCode?: string | undefined;
  /** The text behind status and code. */
  readonly text: string;
}

/**
 * Why a server refused (RFC 2449 section 8.1, RFC 3206): another session has the mailbox; the user logged in too lately;
 * the credentials; a fault of the server that passes, or one that does not.
 */
export type Pop3ResponseCode = "IN-USE" | "LOGIN-DELAY" | "AUTH" | "SYS/TEMP" | "SYS/PERM" | (string & {});

/** STAT: the messages that are not marked as deleted (RFC 1939 section 5). */
export interface Pop3Stat {
  readonly count: number;
  readonly octets: number;
}

/** A line of LIST. */
export interface Pop3Listing {
  /** 1 for the first message: valid within this session alone. */
  readonly number: number;
  readonly octets: number;
}

/** A line of UIDL. */
export interface Pop3UniqueId {
  readonly number: number;
  /** Stays the same across sessions: 1 to 70 printable characters, which servers do not always keep to. */
  readonly uid: string;
}

/** A line of LANG (RFC 6856 section 3). */
export interface Pop3Language {
  /** `en`, `fr-CA`, or `i-default`. */
  readonly tag: string;
  readonly description: string;
}

/** What a server says that it can do (RFC 2449). Servers say different things before and after the login. */
export interface Pop3Capabilities {
  /** Every keyword in capitals, with its arguments as they came. */
  readonly keywords: ReadonlyMap<string, string>;
  readonly top: boolean;
  readonly uidl: boolean;
  readonly user: boolean;
  readonly stls: boolean;
  readonly pipelining: boolean;
  readonly responseCodes: boolean;
  /** RFC 3206: a refusal without `[AUTH]` is not the fault of the credentials. */
  readonly authResponseCode: boolean;
  /** The SASL mechanisms, in capitals. */
  readonly sasl: ReadonlySet<string>;
  /** Days for which messages are kept at the least; 0: they are gone once retrieved. */
  readonly expireDays: number | "never" | undefined;
  /** Whether that differs from user to user, and is to be asked for again after the login. */
  readonly expirePerUser: boolean;
  /** The seconds that must lie between two logins. */
  readonly loginDelaySeconds: number | undefined;
  readonly loginDelayPerUser: boolean;
  readonly implementation: string | undefined;
  /** RFC 6856 section 2. */
  readonly utf8: boolean;
  /** Whether user names and passwords may be UTF-8 after UTF8 (RFC 6856 section 2.2). */
  readonly utf8User: boolean;
  readonly lang: boolean;
}

/** A command as the server reads it. */
export interface Pop3Command {
  /** In capitals. */
  readonly verb: string;
  /** What stands behind the verb and one space. */
  readonly argument: string;
}

/** The states of a session (RFC 1939 section 3). */
export type Pop3State = "authorization" | "transaction" | "update";

/** One client of a server, as a handler sees it. The same object for the whole conversation. */
export interface Pop3Session {
  /** A number for each conversation of this server. */
  readonly id: number;
  readonly remoteAddress: string | undefined;
  readonly encrypted: boolean;
  readonly state: Pop3State;
  /** Who has logged in, once that is so. */
  readonly identity: Identity | undefined;
  /** Whether the client has said UTF8. */
  readonly utf8: boolean;
  /** What the client has chosen by LANG. */
  readonly language: string | undefined;
}

/**
 * What a server serves. Optional methods are the optional capabilities: what is absent is not announced, and refused. To
 * refuse, throw a `Pop3Error`; anything else that is thrown is told to `onError` and answered with `[SYS/TEMP]`.
 * Messages are numbered from 1 in the order in which `open` gave them, until `close`.
 */
export interface Pop3Handler {
  /** Whom to ask about credentials, where the server was not told. */
  readonly accounts?: Authenticator | undefined;
  /** The languages that LANG lists and takes, the default one first. */
  readonly languages?: readonly Pop3Language[] | undefined;
  /** A client is there: throw to send it away. */
  connect?(session: Pop3Session): Promise<void> | void;
  /** Opens and locks the mailbox of `session.identity`. Returns the size of each message in octets. */
  open(session: Pop3Session): Promise<readonly number[]> | readonly number[];
  /** The unique identifier of each message. */
  uidl?(session: Pop3Session): Promise<readonly string[]> | readonly string[];
  /** The message, byte for byte. */
  retr(session: Pop3Session, number: number): Promise<Source> | Source;
  /** The header, the empty line, and so many lines of the body. */
  top?(session: Pop3Session, number: number, lines: number): Promise<Source> | Source;
  /** The client has said UTF8: from now on, messages and names may be UTF-8. */
  utf8?(session: Pop3Session): Promise<void> | void;
  /** QUIT: removes these messages. Where some stay, throw: the client is told. */
  update(session: Pop3Session, deleted: readonly number[]): Promise<void> | void;
  /** The session is over, committed or not: gives the lock back. Called once for each `open` that succeeded. */
  close?(session: Pop3Session): Promise<void> | void;
}
