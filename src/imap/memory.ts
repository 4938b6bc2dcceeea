/** Mail out of a store: the handler that `ImapServer` runs with `store`, and the one to read for writing others. */
import { type MailStore, MailStoreError } from "../mail/store.js";
import type { Authenticator } from "../sasl/index.js";
import type { ImapHandler, ImapMail, ImapSession } from "./types-server.js";

/**
 * Serves the mailboxes of each user of a store. Who logs in by an address means the user whom mail to it reaches.
 *
 * @example
 * ```ts
 * const store = MemoryMailStore.of({ alice: ["Subject: hello\r\n\r\nHello.\r\n"] });
 * const handler = storeHandler(store, Accounts.of({ alice: "secret" }));
 * ```
 */
export function storeHandler(store: MailStore, accounts?: Authenticator): ImapHandler {
  return { accounts, open: (session) => mailOf(store, session) };
}

async function mailOf(store: MailStore, { identity }: ImapSession): Promise<ImapMail> {
  const name = identity?.user ?? "";
  const user = (await store.resolve(name)) ?? name;
  if ((await store.mailbox(user, "INBOX")) === undefined)
    throw new MailStoreError("no-mailbox", "the user has no INBOX");
  return { user, store };
}
