/** Waiting for mail: what tests do. */
import { Deadline, type OpOptions } from "../core/deadline.js";
import { type MailStore, MailStoreError, type MessageInfo } from "./store.js";

/** A message that came in, with its bytes. */
export interface ReceivedMessage {
  /** What the store knows of it: flags, dates, SMTP's envelope. */
  readonly info: MessageInfo;
  /** The message as it was received, byte for byte. */
  readonly bytes: Uint8Array;
  /** The same as UTF-8 text. */
  readonly text: string;
}

/**
 * The INBOX of a user as a stream: each message is handed out once, in the order of arrival, and with nothing there the
 * next one is waited for.
 *
 * @example
 * ```ts
 * const { text } = await store.inbox("alice@example.test").next({ timeoutMs: 1000 });
 * ```
 */
export class Inbox implements AsyncIterable<ReceivedMessage> {
  readonly #store: MailStore;
  readonly #user: string;
  #seenUid: number;
  #turn: Promise<unknown> = Promise.resolve();

  /** Hands out the messages whose UIDs are above `afterUid`, by default all. */
  constructor(store: MailStore, user: string, afterUid = 0) {
    this.#store = store;
    this.#user = user;
    this.#seenUid = afterUid;
  }

  /**
   * The next message, at once where one is there. Calls that wait at the same time get different messages.
   *
   * @throws {DeadlineError} none came within `timeoutMs`.
   */
  next(options: OpOptions = {}): Promise<ReceivedMessage> {
    const mine = this.#turn.then(() => this.#next(options));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** Messages without end: leave the loop, or abort. */
  async *messages(options: Pick<OpOptions, "signal"> = {}): AsyncGenerator<ReceivedMessage, never, void> {
    for (;;) yield await this.next(options);
  }

  /** The same as {@link Inbox.messages}. */
  [Symbol.asyncIterator](): AsyncIterator<ReceivedMessage> {
    return this.messages();
  }

  async #next(options: OpOptions): Promise<ReceivedMessage> {
    using deadline = new Deadline("the next message", options);
    let wake: () => void = () => {};
    using _ = this.#store.subscribe(this.#user, () => wake());
    for (;;) {
      deadline.throwIfOver();
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const message = await deadline.race(this.#take());
      // The place moves on only here: a message that was found too late is the next call's.
      if (message !== undefined) this.#seenUid = message.info.uid;
      if (message !== undefined) return message;
      await deadline.race(changed);
    }
  }

  async #take(): Promise<ReceivedMessage | undefined> {
    const mailbox = await this.#store.mailbox(this.#user, "INBOX");
    if (mailbox === undefined) throw new MailStoreError("no-mailbox", "the user has no INBOX");
    const range = { first: this.#seenUid + 1, last: Number.POSITIVE_INFINITY };
    for (const info of await this.#store.list(mailbox.mailboxId, [range], { limit: 100 })) {
      const bytes = await (await this.#store.open(mailbox.mailboxId, info.uid))?.bytes();
      if (bytes !== undefined) return { info, bytes, text: new TextDecoder().decode(bytes) };
    }
    return undefined;
  }
}
