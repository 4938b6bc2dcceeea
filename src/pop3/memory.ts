/** Mailboxes out of a mail store: the handler that `Pop3Server` runs with `store`, and the one to read for writing others. */
import type { Source } from "../core/source.js";
import { type MailStore, MailStoreError, type MessageInfo, rangesOf } from "../mail/store.js";
import type { Authenticator } from "../sasl/index.js";
import { topOf } from "./codec-top.js";
import { Pop3Error } from "./errors.js";
import type { Pop3Handler, Pop3Language, Pop3Session } from "./types.js";

/** What a session has open. */
interface OpenMailbox {
  readonly lock: AsyncDisposable;
  readonly mailboxId: string;
  readonly uidValidity: number;
  readonly messages: readonly MessageInfo[];
}

/**
 * Serves the INBOX of each user of a store, as it was at the login. The user's lock is held meanwhile: a second session is
 * refused with `[IN-USE]`, while mail still comes in and IMAP goes on. A message that somebody else has removed is refused
 * when it is asked for.
 *
 * @example
 * ```ts
 * const handler = storeHandler(new MemoryMailStore({ users: ["alice"] }), Accounts.of({ alice: "secret" }));
 * ```
 */
export function storeHandler(store: MailStore, accounts?: Authenticator): Pop3Handler {
  return new StoreHandler(store, accounts);
}

class StoreHandler implements Pop3Handler {
  readonly accounts: Authenticator | undefined;
  readonly languages: readonly Pop3Language[] = [{ tag: "en", description: "English" }];
  readonly #store: MailStore;
  readonly #open: Map<Pop3Session, OpenMailbox> = new Map();

  constructor(store: MailStore, accounts: Authenticator | undefined) {
    this.#store = store;
    this.accounts = accounts;
  }

  async open(session: Pop3Session): Promise<readonly number[]> {
    const name = session.identity?.user ?? "";
    // Who logs in by an address means the user whom mail to that address reaches.
    const user = (await this.#store.resolve(name)) ?? name;
    const lock = await this.#store.lock(user).catch(refused);
    try {
      const mailbox = await this.#store.mailbox(user, "INBOX");
      if (mailbox === undefined) throw new MailStoreError("no-mailbox", "the user has no INBOX");
      const { mailboxId, uidValidity } = mailbox;
      const messages = await this.#store.list(mailboxId);
      this.#open.set(session, { lock, mailboxId, uidValidity, messages });
      return messages.map(({ sizeOctets }) => sizeOctets);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  #mailbox(session: Pop3Session): OpenMailbox {
    const open = this.#open.get(session);
    if (open === undefined) throw new Pop3Error({ responseCode: "SYS/PERM", text: "no mailbox is open" });
    return open;
  }

  /** UIDs are kept within one UIDVALIDITY (RFC 3501 section 2.3.1.1): both make an identifier that stays. */
  uidl(session: Pop3Session): readonly string[] {
    const { messages, uidValidity } = this.#mailbox(session);
    return messages.map(({ uid }) => `${uidValidity}.${uid}`);
  }

  async retr(session: Pop3Session, number: number): Promise<Source> {
    return (await this.#content(session, number)).stream();
  }

  async top(session: Pop3Session, number: number, lines: number): Promise<Source> {
    return topOf((await this.#content(session, number)).stream(), lines);
  }

  async #content(session: Pop3Session, number: number): Promise<{ stream(): AsyncIterable<Uint8Array> }> {
    const { mailboxId, messages } = this.#mailbox(session);
    const content = await this.#store.open(mailboxId, messages[number - 1]?.uid ?? 0);
    if (content === undefined) throw new Pop3Error({ text: "the message is gone" });
    return content;
  }

  /** Messages are given out as they were stored, with UTF-8 where they have it: nothing changes. */
  utf8(): void {}

  async update(session: Pop3Session, deleted: readonly number[]): Promise<void> {
    const { mailboxId, messages } = this.#mailbox(session);
    const uids = deleted.map((number) => messages[number - 1]?.uid ?? 0);
    if (uids.length > 0) await this.#store.expunge(mailboxId, rangesOf(uids), { all: true, origin: session });
  }

  async close(session: Pop3Session): Promise<void> {
    const open = this.#open.get(session);
    this.#open.delete(session);
    await open?.lock[Symbol.asyncDispose]();
  }
}

function refused(error: unknown): never {
  const reason = error instanceof MailStoreError ? error.reason : undefined;
  if (reason === "in-use")
    throw new Pop3Error({ responseCode: "IN-USE", text: "another session has this mailbox" });
  if (reason === "no-user")
    throw new Pop3Error({ responseCode: "SYS/PERM", text: "this user has no mailbox" });
  throw error;
}
