/** FETCH: RFC 9051 section 6.4.5, RFC 7162 section 3.1.4, RFC 9394, RFC 9586. */
import { type MessageInfo, rangesOf, type UidRange } from "../mail/store.js";
import { formatDateTime } from "./codec-date.js";
import { formatResponse } from "./codec-format.js";
import { fetchStart, tellKeywords } from "./server-announce.js";
import type { Done } from "./server-auth.js";
import { enableCondStore } from "./server-capability.js";
import type { CommandFront } from "./server-dispatch.js";
import { attributesOf } from "./server-fetch-items.js";
import { flagsText } from "./server-flags.js";
import { rangesOfSet, type SelectedMailbox } from "./server-mailbox.js";
import { Pace } from "./server-pace.js";
import { bad } from "./server-refusal.js";
import { tellVanished, uidsOf } from "./server-select.js";
import type { Session } from "./server-session.js";
import type { CommandArguments, FetchItem, PartialRange, PlainFetchItem } from "./types-command.js";

type Fetch = CommandArguments["FETCH"] & CommandFront;

export async function fetch(session: Session, command: Fetch): Promise<Done> {
  const { selected } = session;
  check(session, command);
  const ranges = uidsOf(session, command.set, command.uid);
  const items = itemsOf(session, command);
  if (items.some(({ item }) => item === "MODSEQ")) await enableCondStore(session);
  if (command.vanished) await tellGone(session, command, selected.mailboxId);
  const { changedSince, partial } = command;
  const listed = await session.store.list(selected.mailboxId, ranges, { changedSince });
  const known = listed.filter(({ uid }) => selected.sequenceOf(uid) > 0);
  const messages = partial === undefined ? known : within(known, partial);
  await tellMessages(session, selected, messages, items);
  const isShort = changedSince === undefined && !command.uid && known.length < count(selected, ranges);
  return isShort ? { code: { name: "EXPUNGEISSUED" }, text: "some messages are gone" } : {};
}

function count(mailbox: SelectedMailbox, ranges: readonly UidRange[]): number {
  return [...mailbox.within(ranges)].length;
}

/** No client asks for more; each may be a copy of a header. */
const maxItems = 100;

function check(session: Session, { vanished, uid, changedSince, partial, items }: Fetch): void {
  // RFC 7162 section 3.2.6.
  if (vanished && (!uid || !session.qresync || changedSince === undefined))
    throw bad("VANISHED is for UID FETCH with CHANGEDSINCE, once QRESYNC is enabled");
  if (items.length > maxItems) throw bad("too many items");
  if (partial !== undefined && !uid) throw bad("PARTIAL is for UID FETCH");
  if (items.some(({ item }) => item.startsWith("X-GM-"))) throw bad("there is no such item here");
}

/** UID FETCH asks for the UID, and CHANGEDSINCE for the mod-sequence, without saying so. */
function itemsOf({ uidOnly }: Session, { items, uid, changedSince }: Fetch): readonly FetchItem[] {
  const added: FetchItem[] = [];
  const has = (name: string): boolean => items.some(({ item }) => item === name);
  if (uid && !has("UID") && !uidOnly) added.push({ item: "UID" });
  if (changedSince !== undefined && !has("MODSEQ")) added.push({ item: "MODSEQ" });
  return [...added, ...items];
}

async function tellGone(session: Session, { set, changedSince }: Fetch, mailboxId: string): Promise<void> {
  // A UID beyond the largest that is left may have vanished too: here `*` is no number.
  const asked = set.saved ? rangesOf(session.savedResult) : rangesOfSet(set);
  tellVanished(session, (await session.store.vanished?.(mailboxId, changedSince ?? 0n, asked)) ?? []);
}

/** RFC 9394 section 3.3: from the front, or counted from the end. */
export function within<T>(all: readonly T[], { first, last }: PartialRange): readonly T[] {
  const [from, to] = [Math.abs(first), Math.abs(last)].sort((a, b) => a - b) as [number, number];
  if (first > 0) return all.slice(from - 1, to);
  return all.slice(Math.max(0, all.length - to), Math.max(0, all.length - from + 1));
}

/** FETCH responses that nobody asked for by a command: what NOTIFY wants of new messages. */
export async function tellItems(
  session: Session,
  mailbox: SelectedMailbox,
  uids: readonly number[],
  items: readonly FetchItem[],
): Promise<void> {
  if (mailbox.deleted) return;
  const messages = await session.store.list(mailbox.mailboxId, rangesOf(uids));
  await tellMessages(session, mailbox, messages, items);
}

async function tellMessages(
  session: Session,
  mailbox: SelectedMailbox,
  listed: readonly MessageInfo[],
  items: readonly FetchItem[],
): Promise<void> {
  const seen = await markSeen(session, mailbox, listed, items);
  const messages = listed.map((message) => seen.get(message.uid) ?? message);
  if (items.some(({ item }) => item === "FLAGS")) tellKeywords(session, mailbox, messages);
  const short = shortItems(items);
  if (short !== undefined) return await tellShort(session, mailbox, messages, short);
  await tellLong(session, mailbox, messages, items, seen);
}

/** What reads a message has seen it (RFC 9051 section 6.4.5): the flag is set before the text is sent. */
async function markSeen(
  session: Session,
  { mailboxId, readOnly }: SelectedMailbox,
  messages: readonly MessageInfo[],
  items: readonly FetchItem[],
): Promise<ReadonlyMap<number, MessageInfo>> {
  const unseen =
    readOnly || !items.some(reads) ? [] : messages.filter(({ flags }) => !flags.includes("\\Seen"));
  if (unseen.length === 0) return new Map();
  const ranges = rangesOf(unseen.map(({ uid }) => uid));
  const change = { mode: "add", flags: ["\\Seen"] } as const;
  const { changed } = await session.store.storeFlags(mailboxId, ranges, change, { origin: session });
  return new Map(changed.map((message) => [message.uid, message]));
}

function reads(item: FetchItem): boolean {
  if (item.item === "BODY[]" || item.item === "BINARY[]") return !item.peek;
  return item.item === "RFC822" || item.item === "RFC822.TEXT";
}

/** How the items that need no look into the message are written. */
const short: Partial<
  Record<PlainFetchItem, (message: MessageInfo, session: Session, mailbox: SelectedMailbox) => string>
> = {
  UID: ({ uid }, { uidOnly }) => (uidOnly ? "" : `UID ${uid}`),
  FLAGS: (message, session, mailbox) => `FLAGS ${flagsText(session, mailbox, message)}`,
  INTERNALDATE: ({ internalDate }) => `INTERNALDATE "${formatDateTime(internalDate)}"`,
  "RFC822.SIZE": ({ sizeOctets }) => `RFC822.SIZE ${sizeOctets}`,
  MODSEQ: ({ modSeq }) => `MODSEQ (${modSeq})`,
  EMAILID: ({ emailId }) => `EMAILID (${emailId})`,
  THREADID: ({ threadId }) => (threadId === undefined ? "THREADID NIL" : `THREADID (${threadId})`),
  SAVEDATE: ({ saveDate }) => `SAVEDATE "${formatDateTime(saveDate)}"`,
};

type Short = NonNullable<(typeof short)[PlainFetchItem]>;

function shortItems(items: readonly FetchItem[]): readonly Short[] | undefined {
  const found = [...new Set(items.map(({ item }) => short[item as PlainFetchItem]))];
  return found.includes(undefined) ? undefined : (found as Short[]);
}

/** FLAGS of 10,000 messages: lines of text, and nothing else. */
async function tellShort(
  session: Session,
  mailbox: SelectedMailbox,
  messages: readonly MessageInfo[],
  items: readonly Short[],
): Promise<void> {
  const { connection } = session;
  for (const message of messages) {
    let line = "";
    for (const item of items) {
      const text = item(message, session, mailbox);
      if (text !== "") line += line === "" ? text : ` ${text}`;
    }
    connection.text(`${fetchStart(session, mailbox, message.uid)}${line})\r\n`);
    if (connection.isFull) await connection.flush();
  }
}

async function tellLong(
  session: Session,
  mailbox: SelectedMailbox,
  messages: readonly MessageInfo[],
  items: readonly FetchItem[],
  seen: ReadonlyMap<number, MessageInfo>,
): Promise<void> {
  const pace = new Pace();
  for (const message of messages) {
    const content = await session.store.open(mailbox.mailboxId, message.uid);
    if (content === undefined) continue;
    const wanted = seen.has(message.uid) ? [...items, { item: "FLAGS" } as const] : items;
    const attributes = await attributesOf(session, mailbox, message, content, wanted);
    const sequence = session.uidOnly ? undefined : mailbox.sequenceOf(message.uid);
    const uid = session.uidOnly ? { uid: message.uid } : {};
    const response = { type: "fetch", sequence, attributes: { ...attributes, ...uid } } as const;
    await session.connection.respond(formatResponse(response, { utf8: session.utf8 }));
    await session.connection.breathe();
    await pace.step();
  }
}
