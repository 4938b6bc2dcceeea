/** Mailboxes made, removed, renamed, subscribed and counted: RFC 9051 sections 6.3.4 to 6.3.8 and 6.3.11. */
import { hierarchyDelimiter, type MailboxStatus } from "../mail/store.js";
import type { Done } from "./server-auth.js";
import { enableCondStore } from "./server-capability.js";
import { bad, no } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { CommandArguments } from "./types-command.js";
import type { MailboxStatus as StatusItems } from "./types-response.js";

/** RFC 6154 section 2, RFC 8457. */
const specialUses: ReadonlyMap<string, string> = new Map(
  ["\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash", "\\Important"].map((use) => [
    use.toLowerCase(),
    use,
  ]),
);

/** A delimiter at the end says that there will be mailboxes below (RFC 9051 section 6.3.4). */
function withoutEnd(name: string): string {
  return name.length > 1 && name.endsWith(hierarchyDelimiter) ? name.slice(0, -1) : name;
}

export async function create(session: Session, { mailbox, use }: CommandArguments["CREATE"]): Promise<Done> {
  const specialUse = use.map((each) => specialUses.get(each.toLowerCase()));
  if (specialUse.includes(undefined)) throw no("there is no such use", "USEATTR");
  const info = await session.store.createMailbox(session.user, withoutEnd(mailbox), {
    specialUse: specialUse.filter((each) => each !== undefined),
    origin: session,
  });
  return { code: { name: "MAILBOXID", id: info.mailboxId } };
}

export async function deleteMailbox(
  session: Session,
  { mailbox }: CommandArguments["DELETE"],
): Promise<void> {
  await session.store.deleteMailbox(session.user, mailbox, { origin: session });
}

export async function rename(session: Session, { from, to }: CommandArguments["RENAME"]): Promise<void> {
  await session.store.renameMailbox(session.user, from, withoutEnd(to), { origin: session });
}

export async function subscribe(session: Session, { mailbox }: CommandArguments["SUBSCRIBE"]): Promise<void> {
  await session.store.subscribeMailbox(session.user, mailbox, true, { origin: session });
}

export async function unsubscribe(
  session: Session,
  { mailbox }: CommandArguments["UNSUBSCRIBE"],
): Promise<void> {
  await session.store.subscribeMailbox(session.user, mailbox, false, { origin: session });
}

export async function status(
  session: Session,
  { mailbox, items }: CommandArguments["STATUS"],
): Promise<void> {
  checkStatusItems(session, items);
  const info = await session.existing(mailbox);
  if (items.includes("HIGHESTMODSEQ")) await enableCondStore(session);
  await tellStatus(session, info.mailboxId, mailbox, items);
}

/** What each item is; `undefined` where it is no longer asked for (RFC 9051 appendix E). */
const statusItems: Readonly<
  Record<string, (status: MailboxStatus, session: Session) => StatusItems | Promise<StatusItems>>
> = {
  MESSAGES: ({ messages }) => ({ messages }),
  RECENT: async (status, session) => ({ recent: await countRecent(status, session) }),
  UIDNEXT: ({ uidNext }) => ({ uidNext }),
  UIDVALIDITY: ({ uidValidity }) => ({ uidValidity }),
  UNSEEN: ({ unseen }) => ({ unseen }),
  DELETED: ({ deleted }) => ({ deleted }),
  SIZE: ({ sizeOctets }) => ({ size: sizeOctets }),
  "DELETED-STORAGE": ({ deletedOctets }) => ({ deletedStorage: deletedOctets }),
  HIGHESTMODSEQ: ({ highestModSeq }) => ({ highestModSeq }),
  APPENDLIMIT: (_, session) => ({ appendLimit: session.maxMessageBytes }),
  MAILBOXID: ({ mailboxId }) => ({ mailboxId }),
};

async function countRecent({ mailboxId, recentFrom }: MailboxStatus, { store }: Session): Promise<number> {
  return (await store.list(mailboxId, [{ first: recentFrom, last: Number.POSITIVE_INFINITY }])).length;
}

/** @throws {Refusal} an item is not known. */
export function checkStatusItems(session: Session, items: readonly string[]): void {
  const known = items.every(
    (item) => Object.hasOwn(statusItems, item) && !(session.rev2 && item === "RECENT"),
  );
  if (!known) throw bad("there is no such item of STATUS");
}

/** Adds a STATUS response. */
export async function tellStatus(
  session: Session,
  mailboxId: string,
  mailbox: string,
  items: readonly string[],
): Promise<void> {
  const counted = await session.store.status(mailboxId);
  let found: StatusItems = {};
  for (const item of items) found = { ...found, ...(await statusItems[item]?.(counted, session)) };
  session.respond({ type: "mailbox-status", mailbox, status: found });
}
