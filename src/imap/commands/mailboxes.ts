/** CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS, NAMESPACE: RFC 9051 section 6.3, RFC 6154, RFC 7889, RFC 8438. */
import type { Command } from "../client-command.js";
import { atom, flag, list, mailbox } from "../codec-parts.js";
import type { MailboxStatus, Namespace } from "../types-response.js";
import { gathering, isAbout, mapped, plain, some } from "./command.js";

/** A mailbox by its name, or by its bytes as the server sent them (`rawMailbox`). */
export type MailboxName = string | Uint8Array;

/** The items of STATUS. */
export type StatusItem =
  | ("MESSAGES" | "RECENT" | "UIDNEXT" | "UIDVALIDITY" | "UNSEEN" | "DELETED" | "SIZE")
  | ("HIGHESTMODSEQ" | "MAILBOXID" | "APPENDLIMIT" | "DELETED-STORAGE");

/** CREATE, with a special use perhaps (RFC 6154 section 3). Gives the mailbox's id where the server tells one (RFC 8474). */
export function create(name: MailboxName, use: readonly string[] = []): Command<string | undefined> {
  const uses = use.length === 0 ? [] : [list(atom("USE"), list(...use.map(flag)))];
  return {
    ...plain("CREATE", mailbox(name), ...uses),
    done: ({ code }) => (code?.name === "MAILBOXID" ? code.id : undefined),
  };
}

/** DELETE */
export function deleteMailbox(name: MailboxName): Command<void> {
  return plain("DELETE", mailbox(name));
}

export function rename(from: MailboxName, to: MailboxName): Command<void> {
  return plain("RENAME", mailbox(from), mailbox(to));
}

export function subscribe(name: MailboxName): Command<void> {
  return plain("SUBSCRIBE", mailbox(name));
}

export function unsubscribe(name: MailboxName): Command<void> {
  return plain("UNSUBSCRIBE", mailbox(name));
}

export function status(name: MailboxName, items: readonly StatusItem[]): Command<MailboxStatus> {
  const parts = [mailbox(name), list(...some(items, "an item").map(atom))];
  const command = gathering("mailbox-status", "STATUS", parts, (response) => isAbout(response, name));
  return mapped(
    command,
    (found) => Object.assign({}, ...found.map((response) => response.status)) as MailboxStatus,
  );
}

/** The three kinds of namespaces: RFC 2342. */
export interface Namespaces {
  readonly personal: readonly Namespace[];
  readonly otherUsers: readonly Namespace[];
  readonly shared: readonly Namespace[];
}

export function namespace(): Command<Namespaces> {
  return mapped(gathering("namespace", "NAMESPACE", []), (found) => {
    const { personal = [], otherUsers = [], shared = [] } = found.at(-1) ?? {};
    return { personal, otherUsers, shared };
  });
}
