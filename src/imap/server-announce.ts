/** Telling a client what has happened to its mailbox: RFC 9051 sections 5.2, 7.4 and 7.5.1, RFC 7162. */
import { type MessageInfo, rangesOf } from "../mail/store.js";
import { UidSet } from "./codec-sequence-set.js";
import { flagsText } from "./server-flags.js";
import type { SelectedMailbox } from "./server-mailbox.js";
import type { Session } from "./server-session.js";

/**
 * Tells what has happened. Expunges only where the client may hear of them: never while FETCH, STORE or SEARCH is answered,
 * for their sequence numbers would move under the client's feet.
 */
export async function announce(session: Session, withExpunges: boolean): Promise<void> {
  const { mailbox } = session;
  if (mailbox === undefined || !mailbox.hasPending) return;
  const { gone, fresh, flags } = mailbox.take(withExpunges);
  tellGone(session, mailbox, gone);
  if (fresh.length > 0) await tellFresh(session, mailbox, fresh);
  if (flags.size > 0) await tellFlags(session, mailbox, flags);
}

function tellGone(session: Session, mailbox: SelectedMailbox, gone: readonly number[]): void {
  if (gone.length === 0) return;
  const sequences = mailbox.remove(gone);
  session.savedResult = session.savedResult.filter((uid) => mailbox.sequenceOf(uid) > 0);
  if (session.qresync || session.uidOnly)
    session.respond({ type: "vanished", earlier: false, uids: UidSet.of(gone) });
  else session.connection.text(sequences.map((sequence) => `* ${sequence} EXPUNGE\r\n`).join(""));
}

async function tellFresh(
  session: Session,
  mailbox: SelectedMailbox,
  fresh: readonly number[],
): Promise<void> {
  await claimRecent(session, mailbox, fresh.at(-1) ?? 0);
  session.respond({ type: "exists", count: mailbox.exists });
  if (!session.rev2) session.respond({ type: "recent", count: mailbox.recentCount });
  await session.notifications?.tellNew(session, mailbox, fresh);
}

/** The first session that is told of messages sees them as `\Recent` (RFC 3501 section 2.3.2). */
export async function claimRecent(
  session: Session,
  mailbox: SelectedMailbox,
  lastUid: number,
): Promise<void> {
  if (mailbox.deleted || mailbox.readOnly || session.rev2) return;
  const first = await session.store.claimRecent(mailbox.mailboxId);
  mailbox.claim({ first, last: lastUid });
}

async function tellFlags(
  session: Session,
  mailbox: SelectedMailbox,
  flags: ReadonlySet<number>,
): Promise<void> {
  if (mailbox.deleted) return;
  const known = [...flags].filter((uid) => mailbox.sequenceOf(uid) > 0).sort((a, b) => a - b);
  const messages = await session.store.list(mailbox.mailboxId, rangesOf(known));
  tellKeywords(session, mailbox, messages);
  for (const message of messages) session.connection.text(flagsLine(session, mailbox, message));
}

/** The FETCH that says which flags a message has now. */
export function flagsLine(
  session: Session,
  mailbox: SelectedMailbox,
  message: MessageInfo,
  options: { readonly uid?: boolean; readonly silent?: boolean } = {},
): string {
  const items: string[] = [];
  if (!session.uidOnly && (options.uid === true || session.qresync || session.rev2))
    items.push(`UID ${message.uid}`);
  if (options.silent !== true) items.push(`FLAGS ${flagsText(session, mailbox, message)}`);
  if (session.condStore) items.push(`MODSEQ (${message.modSeq})`);
  return `${fetchStart(session, mailbox, message.uid)}${items.join(" ")})\r\n`;
}

/** `* 5 FETCH (`, or `* 17 UIDFETCH (` where sequence numbers are not used (RFC 9586). */
export function fetchStart(session: Session, mailbox: SelectedMailbox, uid: number): string {
  return session.uidOnly ? `* ${uid} UIDFETCH (` : `* ${mailbox.sequenceOf(uid)} FETCH (`;
}

/** FLAGS comes again when a message has a keyword that it did not name (RFC 9051 section 7.3.5). */
export function tellKeywords(
  session: Session,
  mailbox: SelectedMailbox,
  messages: readonly MessageInfo[],
): void {
  const lists = new Set(messages.map(({ flags }) => flags));
  const fresh = [...lists].flat().filter((flag) => isNewKeyword(mailbox, flag));
  if (fresh.length === 0) return;
  for (const keyword of fresh) mailbox.keywords.set(keyword.toLowerCase(), keyword);
  session.respond({ type: "flags", flags: mailbox.flags });
}

function isNewKeyword(mailbox: SelectedMailbox, flag: string): boolean {
  return !flag.startsWith("\\") && !mailbox.keywords.has(flag.toLowerCase());
}

/** Tells a client that idles, or has asked for news, what there is. */
export async function pushChanges(session: Session): Promise<void> {
  if (session.over || !session.hasMail || !session.pushes) return;
  const { notifications, mailbox } = session;
  const wants =
    notifications === undefined ? "all" : notifications.selectedNow(session.idleTag !== undefined);
  if (mailbox !== undefined && wants !== "nothing") await announce(session, wants === "all");
  await notifications?.push(session);
  await session.connection.flush();
}
