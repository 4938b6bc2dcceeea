/** What a server asks of whoever it serves: the handler, what it is told, and what it may answer. */
import type { Authenticator } from "../sasl/index.js";
import type { FutureReleaseLimits, MailOptions, SmtpRecipient, SmtpReply } from "./types.js";

/** A value now or later. */
export type Awaitable<T> = T | Promise<T>;

/**
 * What a handler says: nothing for the usual reply, a text for the usual code, or a whole reply. To refuse it throws an
 * `SmtpError` or returns a reply of 400 or more.
 */
export type SmtpAnswer = string | SmtpReply | undefined | void;

/** What an address says about the other end of a connection. */
export interface SmtpPeer {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
}

/** What a server knows of one client. */
export interface SmtpSession {
  /** A number for each connection of this server. */
  readonly id: number;
  /** Where the client is; behind a balancer or after XCLIENT, where it is said to be. */
  readonly remote: SmtpPeer | undefined;
  /** The client's name, where XCLIENT has told one. */
  readonly remoteName: string | undefined;
  /** The name in EHLO, HELO or LHLO; `""` before. */
  readonly helo: string;
  /** `SMTP`, `ESMTP`, `ESMTPSA`, `LMTP`, `UTF8SMTP` … (RFC 3848, RFC 6531 section 4.3). */
  readonly protocol: string;
  /** What TLS agreed upon; `undefined` while everybody can read along. */
  readonly tls:
    | { readonly protocol: string; readonly cipher: string; readonly peerName: string | undefined }
    | undefined;
  /** Who has logged in. */
  readonly user: string | undefined;
  /** The message that is being handed in: MAIL, and the recipients that were taken so far. */
  readonly envelope: SmtpTransaction | undefined;
  /** Given when the connection ends. */
  readonly signal: AbortSignal;
}

/** What MAIL said. */
export interface SmtpMail extends MailOptions {
  /** The reverse path; `""` for a report. */
  readonly from: string;
  /** The size that the client announced, in octets. */
  readonly sizeOctets?: number | undefined;
  /** RFC 6531: the header or an address has text beyond ASCII. */
  readonly smtpUtf8: boolean;
}

/** The whole envelope of a message that came in. */
export interface SmtpTransaction extends SmtpMail {
  readonly to: readonly SmtpRecipient[];
}

/**
 * The content of a message, which can be read once. It ends with a `LimitError` when it becomes larger than the server
 * takes, and with a `BrokenError` when the client goes away.
 */
export interface SmtpContent extends AsyncIterable<Uint8Array> {
  /** The whole content. `maxBytes` is 64 MiB by default. */
  bytes(options?: { readonly maxBytes?: number | undefined }): Promise<Uint8Array>;
  /** The whole content as text, UTF-8 unless another encoding is named. */
  text(options?: {
    readonly maxBytes?: number | undefined;
    readonly encoding?: string | undefined;
  }): Promise<string>;
  /** The content as a stream of the Web. */
  toWeb(): ReadableStream<Uint8Array>;
}

/** A message that comes in. */
export interface SmtpMessage {
  readonly envelope: SmtpTransaction;
  /** Byte for byte what the client sent, dots and chunks undone. What the handler does not read is dropped. */
  readonly content: SmtpContent;
}

/** Extensions that only whoever passes the message on can keep. They are offered only where they stand here. */
export interface SmtpHonours {
  /** RFC 4865: messages can be held so long. */
  readonly futureRelease?: FutureReleaseLimits | undefined;
  /** RFC 2852: the shortest time that can be asked for, in seconds. 0: any. */
  readonly deliverBySeconds?: number | undefined;
  /** RFC 6710: the name of the priority profile, which may be `""`. */
  readonly mtPriority?: string | undefined;
}

/**
 * Whoever decides about mail. Every method is one stage of the conversation and may be left out; those that are there
 * decide what the server offers. A method that throws an `SmtpError` refuses in its words. Any other exception goes to the
 * server's `onError`, and the client hears `451 4.3.0` and nothing of its text.
 *
 * @example
 * ```ts
 * const handler: SmtpHandler = {
 *   rcpt({ address }) {
 *     if (!users.has(address)) throw new SmtpError({ code: 550, enhancedCode: "5.1.1", lines: ["No such user"] });
 *   },
 *   async data({ envelope, content }) {
 *     return `queued as ${await spool(envelope, content)}`;
 *   },
 * };
 * ```
 */
export interface SmtpHandler {
  /** Whom AUTH asks. Without it, AUTH is not offered. */
  readonly accounts?: Authenticator | undefined;
  readonly honours?: SmtpHonours | undefined;
  /** A client has connected. A refusal is said in place of the greeting, and the connection ends. */
  connect?(session: SmtpSession): Awaitable<SmtpAnswer>;
  /** EHLO, HELO or LHLO. A text or reply is said only where it refuses: the answer's first line is the server's name. */
  hello?(name: string, session: SmtpSession): Awaitable<SmtpAnswer>;
  /** MAIL: a message begins. A refusal refuses its sender. */
  mail?(mail: SmtpMail, session: SmtpSession): Awaitable<SmtpAnswer>;
  /** Without it every recipient in the server's `domains` is taken. */
  rcpt?(recipient: SmtpRecipient, session: SmtpSession): Awaitable<SmtpAnswer>;
  /**
   * A message. Called as its content begins to arrive. An array answers each recipient in the order of `envelope.to`; a
   * server of SMTP, which has one answer for all, says the first refusal among them. Without this method no message is
   * taken.
   */
  data?(message: SmtpMessage, session: SmtpSession): Awaitable<SmtpAnswer | readonly (SmtpAnswer | Error)[]>;
  /** VRFY. Without it the server says what its option `vrfy` tells. */
  vrfy?(what: string, session: SmtpSession): Awaitable<SmtpAnswer>;
  /** EXPN, which is offered only where this method stands. */
  expn?(list: string, session: SmtpSession): Awaitable<SmtpAnswer>;
  /** HELP. Without it the server lists its commands. */
  help?(topic: string, session: SmtpSession): Awaitable<SmtpAnswer>;
  /** The message that was begun is given up. */
  reset?(session: SmtpSession): void;
  /** The connection is over. */
  close?(session: SmtpSession): void;
}
