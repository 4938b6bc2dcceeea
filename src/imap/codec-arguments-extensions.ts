/** The arguments of QUOTA, ACL, METADATA and NOTIFY commands: RFC 9208, RFC 4314, RFC 5464, RFC 5465. */
import { mailbox, modes, word, words } from "./codec-arguments.js";
import { fetchItem } from "./codec-fetch-items.js";
import { mailbox as mailboxNamed } from "./codec-mailbox-name.js";
import type { TokenReader } from "./codec-tokens.js";
import type { CommandArguments, FetchItem, NotifyGroup } from "./types-command.js";

const open = 0x28;

/** SETQUOTA: a root, `(STORAGE 512)` (RFC 9208 section 4.1.3). */
export function setQuota(r: TokenReader): CommandArguments["SETQUOTA"] {
  const root = word(r);
  r.sp();
  const limits = r.list(() => {
    const name = r.atom().toUpperCase();
    r.sp();
    return { name, limit: r.number64() };
  });
  return { root, limits };
}

/** SETACL: a mailbox, an identifier, and `+lrs`, `-lrs` or `lrs` (RFC 4314 section 3.1). */
export function setAcl(r: TokenReader): CommandArguments["SETACL"] {
  const name = mailbox(r);
  const identifier = word(r);
  const sent = word(r);
  const sign = sent[0];
  if (sign !== "+" && sign !== "-") return { mailbox: name, identifier, mode: "replace", rights: sent };
  return { mailbox: name, identifier, mode: modes[sign], rights: sent.slice(1) };
}

/** GETMETADATA: options before the mailbox (RFC 5464 section 4.2), or behind it as clients once sent them. */
export function getMetadata(r: TokenReader): CommandArguments["GETMETADATA"] {
  const options: MetadataOptions = { maxSize: undefined, depth: "0" };
  r.sp();
  if (r.byte === open) metadataOptions(r, options);
  else r.pos -= 1;
  const name = mailbox(r);
  return { mailbox: name, entries: words(r), ...options };
}

interface MetadataOptions {
  maxSize: number | undefined;
  depth: "0" | "1" | "infinity";
}

function metadataOptions(r: TokenReader, options: MetadataOptions): void {
  r.list(() => {
    const name = r.atom().toUpperCase();
    r.sp();
    if (name === "MAXSIZE") options.maxSize = r.number();
    else if (name === "DEPTH") options.depth = depth(r);
    else r.fail("there is no such option");
  });
}

function depth(r: TokenReader): MetadataOptions["depth"] {
  const sent = r.atom().toLowerCase();
  return (["0", "1", "infinity"] as const).find((one) => one === sent) ?? r.fail("a depth was due");
}

/** SETMETADATA: a mailbox, `(entry value …)`. */
export function setMetadata(r: TokenReader): CommandArguments["SETMETADATA"] {
  const name = mailbox(r);
  r.sp();
  const entries = r.list(() => {
    const entry = r.astring();
    r.sp();
    const value = r.nstringData();
    if (value !== null && !(value instanceof Uint8Array)) r.fail("a value is too large");
    return { name: entry, value };
  });
  return { mailbox: name, entries };
}

/** NOTIFY: NONE, or SET with filters and events (RFC 5465 section 3). */
export function notify(r: TokenReader): CommandArguments["NOTIFY"] {
  r.sp();
  if (r.acceptWord("NONE")) return { status: false, groups: [] };
  if (!r.acceptWord("SET")) r.fail("NONE or SET was due");
  r.sp();
  const status = r.acceptWord("STATUS");
  const groups = r.rest(() => notifyGroup(r));
  return groups.length > 0 ? { status, groups } : r.fail("a filter was due");
}

const simpleFilters = ["SELECTED", "SELECTED-DELAYED", "INBOXES", "PERSONAL", "SUBSCRIBED"] as const;
const nameFilters = ["SUBTREE", "SUBTREE-ONE", "MAILBOXES"] as const;

function notifyGroup(r: TokenReader): NotifyGroup {
  r.expect(open);
  const filter = notifyFilter(r);
  r.sp();
  const fetchOf: FetchItem[] = [];
  const events = r.acceptWord("NONE") ? ["none"] : r.list(() => notifyEvent(r, fetchOf));
  r.spaces();
  r.expect(0x29);
  return { filter, events, fetch: fetchOf };
}

function notifyFilter(r: TokenReader): NotifyGroup["filter"] {
  const simple = simpleFilters.find((one) => r.acceptWord(one));
  if (simple !== undefined) return simple.toLowerCase() as Lowercase<typeof simple>;
  const named = nameFilters.find((one) => r.acceptWord(one)) ?? r.fail("a filter was due");
  r.sp();
  const names = r.byte === open ? r.list(() => mailboxNamed(r).mailbox) : [mailboxNamed(r).mailbox];
  return { type: named.toLowerCase() as Lowercase<typeof named>, mailboxes: names };
}

/** An event; behind MessageNew the FETCH items that are wanted may follow. */
function notifyEvent(r: TokenReader, items: FetchItem[]): string {
  const event = r.atom();
  const from = r.pos;
  if (event.toLowerCase() === "messagenew" && r.spaces() && r.byte === open)
    items.push(...r.list(() => fetchItem(r)));
  else r.pos = from;
  return event;
}
