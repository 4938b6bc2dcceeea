/** SELECT, EXAMINE, CLOSE, UNSELECT: RFC 9051 sections 6.3.2, 6.3.3, 6.4.1, 6.4.2; resynchronization by RFC 7162. */
import { hierarchyDelimiter, type MailboxStatus, type MessageInfo } from "../mail/store.js";
import { SequenceSet, UidSet } from "./codec-sequence-set.js";
import { claimRecent, flagsLine } from "./server-announce.js";
import type { Done } from "./server-auth.js";
import { enableCondStore, offers } from "./server-capability.js";
import { rangesOfSet, SelectedMailbox } from "./server-mailbox.js";
import { bad } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { QresyncParameters, SelectArguments } from "./types-command.js";

export async function select(session: Session, command: SelectArguments): Promise<Done> {
  return await open(session, command, false);
}

export async function examine(session: Session, command: SelectArguments): Promise<Done> {
  return await open(session, command, true);
}

async function open(session: Session, command: SelectArguments, readOnly: boolean): Promise<Done> {
  const { qresync } = command;
  if (qresync !== undefined && !session.qresync) throw bad("ENABLE QRESYNC comes first");
  const hadOne = session.mailbox !== undefined;
  // A SELECT that fails leaves no mailbox selected (RFC 9051 section 6.3.2).
  session.unselect();
  if (hadOne) session.status("OK", "the mailbox before is closed", { name: "CLOSED" });
  const info = await session.existing(command.mailbox);
  const mailbox = new SelectedMailbox({ ...info, readOnly });
  // From here on changes are heard: the state is read after it, so that none falls in between.
  session.mailbox = mailbox;
  try {
    if (command.condStore) await enableCondStore(session);
    const status = await session.store.status(mailbox.mailboxId);
    const messages = await session.store.list(mailbox.mailboxId);
    mailbox.begin(messages.map(({ uid }) => uid));
    await describe(session, mailbox, status, messages);
    if (qresync?.uidValidity === info.uidValidity) await resynchronize(session, mailbox, qresync);
  } catch (error) {
    session.unselect();
    throw error;
  }
  return { code: { name: readOnly ? "READ-ONLY" : "READ-WRITE" } };
}

async function describe(
  session: Session,
  mailbox: SelectedMailbox,
  status: MailboxStatus,
  messages: readonly MessageInfo[],
): Promise<void> {
  for (const keyword of status.keywords) mailbox.keywords.set(keyword.toLowerCase(), keyword);
  if (mailbox.readOnly && status.recentFrom <= mailbox.largestUid)
    mailbox.claim({ first: status.recentFrom, last: mailbox.largestUid });
  await claimRecent(session, mailbox, mailbox.largestUid);
  session.respond({ type: "flags", flags: mailbox.flags });
  session.respond({ type: "exists", count: mailbox.exists });
  if (session.rev2) tellName(session, mailbox, status);
  else tellUnseen(session, mailbox, messages);
  const permanent = mailbox.readOnly ? [] : [...mailbox.flags, "\\*"];
  session.status("OK", "flags that stay", { name: "PERMANENTFLAGS", flags: permanent });
  session.status("OK", "this mailbox's UIDs", { name: "UIDVALIDITY", value: status.uidValidity });
  const uidNext = Math.max(status.uidNext, mailbox.largestUid + 1);
  session.status("OK", "the next UID", { name: "UIDNEXT", value: uidNext });
  session.status("OK", "this far", { name: "HIGHESTMODSEQ", modSeq: status.highestModSeq });
  session.status("OK", "this mailbox", { name: "MAILBOXID", id: status.mailboxId });
}

/** RFC 9051 section 6.3.2 has the LIST that RFC 3501 does not know. */
function tellName(session: Session, mailbox: SelectedMailbox, { specialUse }: MailboxStatus): void {
  const attributes = [...specialUse];
  session.respond({ type: "list", attributes, delimiter: hierarchyDelimiter, mailbox: mailbox.name });
}

function tellUnseen(session: Session, mailbox: SelectedMailbox, messages: readonly MessageInfo[]): void {
  session.respond({ type: "recent", count: mailbox.recentCount });
  const index = messages.findIndex(({ flags }) => !flags.includes("\\Seen"));
  if (index < 0) return;
  session.status("OK", "the first unseen message", { name: "UNSEEN", value: index + 1 });
}

/** RFC 7162 section 3.2.5: what has vanished, and what has changed, since the client was here. */
async function resynchronize(
  session: Session,
  mailbox: SelectedMailbox,
  { modSeq, knownUids }: QresyncParameters,
): Promise<void> {
  const known = rangesOfSet(knownUids ?? UidSet.all);
  const vanished = (await session.store.vanished?.(mailbox.mailboxId, modSeq, known)) ?? [];
  tellVanished(session, vanished);
  for (const message of await session.store.list(mailbox.mailboxId, known, { changedSince: modSeq }))
    if (mailbox.sequenceOf(message.uid) > 0)
      session.connection.text(flagsLine(session, mailbox, message, { uid: true }));
}

/** `VANISHED (EARLIER)` with the ranges, which are not expanded. */
export function tellVanished(
  session: Session,
  ranges: readonly { readonly first: number; readonly last: number }[],
): void {
  if (ranges.length === 0) return;
  const uids = UidSet.parse(ranges.map(({ first, last }) => `${first}:${last}`).join(","), ranges.length);
  session.respond({ type: "vanished", earlier: true, uids: uids.normalized() });
}

/** CLOSE removes what is marked as deleted, and tells nobody here of it. */
export async function close(session: Session): Promise<Done> {
  const { selected } = session;
  const expunge = !selected.readOnly && !selected.deleted;
  session.unselect();
  if (!expunge) return {};
  const { modSeq } = await session.store.expunge(selected.mailboxId, undefined, { origin: session });
  return session.qresync ? { code: { name: "HIGHESTMODSEQ", modSeq } } : {};
}

export async function unselect(session: Session): Promise<void> {
  session.unselect();
}

/** A set of the selected mailbox as UIDs; `$` is what SEARCH has saved. */
export function uidsOf(
  session: Session,
  set: SequenceSet,
  uid: boolean,
): readonly { readonly first: number; readonly last: number }[] {
  if (set.saved && !offers(session, "SEARCHRES")) throw bad("there is no $ here");
  const of = set.saved
    ? session.savedResult.length === 0
      ? undefined
      : SequenceSet.of(session.savedResult)
    : set;
  if (of === undefined) return [];
  const ranges = session.selected.resolve(of, uid || set.saved);
  if (ranges === undefined) throw bad("there is no message of this number");
  return ranges;
}
