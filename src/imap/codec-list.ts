/** LIST, LSUB, STATUS, NAMESPACE: RFC 9051 sections 7.3.1 to 7.3.3, RFC 5258, RFC 2342. */
import { mailbox } from "./codec-mailbox-name.js";
import type { TokenReader } from "./codec-tokens.js";
import { decodeUtf7 } from "./codec-utf7.js";
import type { ImapResponse, ListResponse, MailboxStatus, Namespace } from "./types-response.js";

const open = 0x28;

const attributeNames = new Map(
  [
    ...["\\NonExistent", "\\Noinferiors", "\\Noselect", "\\HasChildren", "\\HasNoChildren"],
    ...["\\Marked", "\\Unmarked", "\\Subscribed", "\\Remote", "\\All", "\\Archive", "\\Drafts"],
    ...["\\Flagged", "\\Junk", "\\Sent", "\\Trash", "\\Important", "\\Memos", "\\Scheduled", "\\Snoozed"],
  ].map((name) => [name.toLowerCase(), name]),
);

/** mailbox-list */
export function listResponse(r: TokenReader, type: "list" | "lsub"): ImapResponse {
  r.sp();
  const attributes = r.list(() => mailboxAttribute(r));
  r.sp();
  const delimiter = r.nstring();
  r.sp();
  const name = mailbox(r);
  const extended = r.spaces() && r.byte === open ? extendedItems(r) : {};
  return { type, attributes, delimiter, ...name, ...extended, defects: r.defects };
}

function mailboxAttribute(r: TokenReader): string {
  const sent = r.flag();
  return attributeNames.get(sent.toLowerCase()) ?? sent;
}

interface ExtendedItems {
  childInfo?: readonly string[];
  oldName?: string;
  extended?: NonNullable<ListResponse["extended"]>;
}

/** mbox-list-extended: `("CHILDINFO" ("SUBSCRIBED"))`, `("OLDNAME" ("old"))`. */
function extendedItems(r: TokenReader): ExtendedItems {
  const items: ExtendedItems = {};
  const others: { tag: string; raw: Uint8Array }[] = [];
  r.list(() => {
    const tag = r.astring().toUpperCase();
    r.sp();
    if (tag === "CHILDINFO") items.childInfo = r.list(() => r.astring());
    else if (tag === "OLDNAME") items.oldName = oldName(r);
    else others.push({ tag, raw: r.skipValue() });
  });
  return others.length > 0 ? { ...items, extended: others } : items;
}

function oldName(r: TokenReader): string {
  return r.list(() => mailbox(r).mailbox)[0] ?? r.fail("a name was due");
}

/** mailbox-data: `STATUS` mailbox `(` items `)`. */
export function mailboxStatusResponse(r: TokenReader): ImapResponse {
  r.sp();
  const name = mailbox(r);
  r.sp();
  const status: MailboxStatus = {};
  r.list(() => {
    const item = r.atom().toUpperCase();
    r.sp();
    statusItem(r, item, status);
  });
  return { type: "mailbox-status", ...name, status, defects: r.defects };
}

const numberItems: ReadonlyMap<string, keyof MailboxStatus & StatusNumber> = new Map([
  ["MESSAGES", "messages"],
  ["RECENT", "recent"],
  ["UIDNEXT", "uidNext"],
  ["UIDVALIDITY", "uidValidity"],
  ["UNSEEN", "unseen"],
  ["DELETED", "deleted"],
  ["SIZE", "size"],
  ["DELETED-STORAGE", "deletedStorage"],
]);

type StatusNumber =
  | ("messages" | "recent" | "uidNext" | "uidValidity" | "unseen")
  | ("deleted" | "size" | "deletedStorage");

function statusItem(r: TokenReader, item: string, to: MailboxStatus): void {
  const key = numberItems.get(item);
  if (key !== undefined) to[key] = r.number();
  else if (item === "HIGHESTMODSEQ") to.highestModSeq = r.number64();
  else if (item === "MAILBOXID") to.mailboxId = r.list(() => r.astring())[0] ?? "";
  else if (item === "APPENDLIMIT") to.appendLimit = r.nil() ? null : r.number();
  else r.skipValue();
}

/** namespace-response: personal, other users', shared. */
export function namespaceResponse(r: TokenReader): ImapResponse {
  r.sp();
  const personal = namespaces(r);
  r.sp();
  const otherUsers = namespaces(r);
  r.sp();
  return { type: "namespace", personal, otherUsers, shared: namespaces(r), defects: r.defects };
}

function namespaces(r: TokenReader): Namespace[] {
  return r.nil() ? [] : r.list(() => namespace(r));
}

/** `("INBOX." "." …extensions)` */
function namespace(r: TokenReader): Namespace {
  r.expect(open);
  const sent = r.string();
  r.sp();
  const delimiter = r.nstring();
  for (r.spaces(); r.byte !== 0x29; r.spaces()) r.skipValue();
  r.expect(0x29);
  return { prefix: r.utf8 || !sent.includes("&") ? sent : decodeUtf7(sent), delimiter };
}
