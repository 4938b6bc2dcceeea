/** Handlers that come along: one over a mail store, and one that keeps what arrives in memory. */
import { Deadline, type OpOptions } from "../core/deadline.js";
import type { Delivery, MailStore, MailStoreError, MailStoreReason } from "../mail/store.js";
import type { Authenticator } from "../sasl/index.js";
import { SmtpError } from "./errors.js";
import type { SmtpReply } from "./types.js";
import type { SmtpHandler, SmtpSession, SmtpTransaction } from "./types-server.js";

/**
 * Delivers into the INBOX of each recipient that the store knows. What SMTP said of the message is kept beside it: its
 * bytes stay as they came.
 */
export function storeHandler(store: MailStore, accounts?: Authenticator): SmtpHandler {
  return {
    accounts,
    async rcpt({ address }) {
      if ((await store.resolve(address)) === undefined) throw new SmtpError(noSuchUser);
    },
    async data({ envelope, content }, session) {
      const recipients = envelope.to.map(({ address }) => address);
      const told = storedEnvelope(envelope, session);
      const deliveries = await store.deliver(
        recipients,
        { content, internalDate: told.receivedAt, envelope: told },
        { signal: session.signal },
      );
      return deliveries.map(({ error }: Delivery) => (error === undefined ? undefined : refusalOf(error)));
    },
  };
}

const noSuchUser: SmtpReply = { code: 550, enhancedCode: "5.1.1", lines: ["No such user here"] };

function storedEnvelope(envelope: SmtpTransaction, session: SmtpSession) {
  return {
    mailFrom: envelope.from,
    rcptTo: envelope.to.map(({ address }) => address),
    receivedAt: new Date(),
    helo: session.helo,
    remoteAddress: session.remote?.host,
    protocol: session.protocol,
    authenticated: session.user,
  };
}

/** What a store's refusals are in SMTP. Those that are not here are the server's own failures. */
const storeReplies: Readonly<Partial<Record<MailStoreReason, SmtpReply>>> = {
  "no-user": noSuchUser,
  "no-mailbox": noSuchUser,
  "too-large": { code: 552, enhancedCode: "5.3.4", lines: ["The message is larger than this server takes"] },
  "over-quota": { code: 452, enhancedCode: "4.2.2", lines: ["The mailbox is full"] },
  "too-many": { code: 452, enhancedCode: "4.2.2", lines: ["The mailbox is full"] },
  "in-use": { code: 451, enhancedCode: "4.2.1", lines: ["The mailbox is in use"] },
};

function refusalOf(error: MailStoreError): Error {
  const known = storeReplies[error.reason];
  return known === undefined ? error : new SmtpError(known);
}

/** A message that a {@link Collector} has taken. */
export interface CollectedMessage {
  readonly envelope: SmtpTransaction;
  /** The content, byte for byte. */
  readonly bytes: Uint8Array;
  /** The content as UTF-8 text. */
  readonly text: string;
  readonly helo: string;
  readonly user: string | undefined;
  readonly protocol: string;
}

/**
 * A handler that takes every message and keeps it in memory: for tests of whatever sends mail.
 *
 * @example
 * ```ts
 * const mail = new Collector();
 * await using server = await SmtpServer.listen({ port: 0, handler: mail });
 * await sendSomething(server.port);
 * const { envelope, text } = await mail.next({ timeoutMs: 1000 });
 * ```
 */
export class Collector implements SmtpHandler {
  /** All messages so far, oldest first. */
  readonly messages: CollectedMessage[] = [];
  readonly accounts: Authenticator | undefined;
  #read = 0;
  #wake: (() => void)[] = [];

  constructor(accounts?: Authenticator) {
    this.accounts = accounts;
  }

  readonly data: NonNullable<SmtpHandler["data"]> = async ({ envelope, content }, session) => {
    const bytes = await content.bytes({ maxBytes: Number.POSITIVE_INFINITY });
    const { helo, user, protocol } = session;
    const text = new TextDecoder().decode(bytes);
    this.messages.push({ envelope, bytes, text, helo, user, protocol });
    for (const wake of this.#wake.splice(0)) wake();
  };

  /**
   * The next message that was not asked for yet, once it is there.
   *
   * @throws {DeadlineError} none came within `timeoutMs`.
   */
  async next(options: OpOptions = {}): Promise<CollectedMessage> {
    using deadline = new Deadline("the next message", options);
    for (;;) {
      deadline.throwIfOver();
      const message = this.messages[this.#read];
      if (message !== undefined) {
        this.#read += 1;
        return message;
      }
      await deadline.race(new Promise<void>((resolve) => this.#wake.push(resolve)));
    }
  }
}
