/** The arguments of commands that servers read, one function for each shape: RFC 9051 section 6 and the extensions. */
import { Secret } from "../core/secret.js";
import { idFields } from "./codec-extensions.js";
import { fetchItem, fetchItems, fetchModifiers } from "./codec-fetch-items.js";
import { mailbox as mailboxNamed, mailboxOf } from "./codec-mailbox-name.js";
import { searchKeys, searchReturn, sortCriteria } from "./codec-search.js";
import { SequenceSet, UidSet } from "./codec-sequence-set.js";
import type { TokenReader } from "./codec-tokens.js";
import type {
  CommandArguments,
  FetchItem,
  ListArguments,
  NotifyGroup,
  QresyncParameters,
  SearchArguments,
  SelectArguments,
} from "./types-command.js";

const open = 0x28;

/** SP mailbox. A name that does not lead back to what was sent is refused: it would be another mailbox. */
export function mailbox(r: TokenReader): string {
  r.sp();
  const { mailbox: name, rawMailbox } = mailboxNamed(r);
  if (rawMailbox !== undefined || /[\0\r\n]/.test(name)) r.fail("this is no mailbox name");
  return name;
}

/** SP astring */
export function word(r: TokenReader): string {
  r.sp();
  return r.astring();
}

/** SP sequence-set */
export function set(r: TokenReader): SequenceSet {
  r.sp();
  return SequenceSet.parse(r.setText(), r.limits.maxItems);
}

/** SP `(` astrings `)` */
export function words(r: TokenReader): string[] {
  r.sp();
  return r.byte === open ? r.list(() => r.astring()) : [r.astring()];
}

/** AUTHENTICATE: a mechanism, and an initial response perhaps; `=` is an empty one (RFC 4959). */
export function authenticate(r: TokenReader): CommandArguments["AUTHENTICATE"] {
  const mechanism = word(r).toUpperCase();
  if (!r.spaces()) return { mechanism, initialResponse: undefined };
  const sent = r.astringChars();
  if (!/^(?:=|[A-Za-z0-9+/]+={0,2})$/.test(sent)) r.fail("base64 was due");
  return { mechanism, initialResponse: new Secret(sent) };
}

export function login(r: TokenReader): CommandArguments["LOGIN"] {
  return { user: word(r), password: new Secret(word(r)) };
}

/** SELECT, EXAMINE: a mailbox, and `(CONDSTORE)` or `(QRESYNC (…))` (RFC 7162). */
export function select(r: TokenReader): SelectArguments {
  const name = mailbox(r);
  let condStore = false;
  let qresync: QresyncParameters | undefined;
  if (r.spaces()) {
    r.list(() => {
      if (r.acceptWord("CONDSTORE")) condStore = true;
      else if (r.acceptWord("QRESYNC")) qresync = qresyncParameters(r);
      else r.fail("there is no such parameter");
    });
  }
  return { mailbox: name, condStore, qresync };
}

/** `(uidvalidity modseq [known-uids] [(sequences uids)])`: RFC 7162 section 3.2.5. */
function qresyncParameters(r: TokenReader): QresyncParameters {
  r.sp();
  r.expect(open);
  const uidValidity = r.number();
  r.sp();
  const modSeq = r.number64();
  r.spaces();
  const isSet = r.byte >= 0x30 && r.byte <= 0x39;
  const knownUids = isSet ? UidSet.parse(r.setText(), r.limits.maxItems) : undefined;
  r.spaces();
  const match = r.byte === open ? sequenceMatch(r) : undefined;
  r.expect(0x29);
  return { uidValidity, modSeq, knownUids, match };
}

function sequenceMatch(r: TokenReader): NonNullable<QresyncParameters["match"]> {
  r.expect(open);
  const sequences = SequenceSet.parse(r.setText(), r.limits.maxItems);
  r.sp();
  const uids = UidSet.parse(r.setText(), r.limits.maxItems);
  r.expect(0x29);
  return { sequences, uids };
}

/** CREATE: a mailbox, and `(USE (\Drafts))` (RFC 6154). */
export function create(r: TokenReader): CommandArguments["CREATE"] {
  const name = mailbox(r);
  let use: string[] = [];
  if (r.spaces()) {
    r.list(() => {
      if (!r.acceptWord("USE")) r.fail("there is no such parameter");
      r.sp();
      use = r.flagList();
    });
  }
  return { mailbox: name, use };
}

/** LIST, plain or extended: RFC 9051 section 6.3.9. */
export function list(r: TokenReader): ListArguments {
  r.sp();
  const selection = r.byte === open ? r.list(() => r.atom().toUpperCase()) : [];
  r.spaces();
  const reference = mailboxNamed(r).mailbox;
  r.sp();
  const patterns = r.byte === open ? r.list(() => listMailbox(r)) : [listMailbox(r)];
  const found = {
    reference,
    patterns,
    selection,
    returns: undefined,
    status: undefined,
    metadata: undefined,
  };
  if (!r.spaces()) return found;
  if (!r.acceptWord("RETURN")) r.fail("RETURN was due");
  r.sp();
  return { ...found, ...listReturns(r) };
}

/** list-mailbox: an astring in which `*` and `%` may stand bare. */
function listMailbox(r: TokenReader): string {
  if (r.atString) return mailboxNamed(r).mailbox;
  const from = r.pos;
  while (!r.done && r.byte !== 0x20 && r.byte !== open && r.byte !== 0x29) r.pos += 1;
  if (r.pos === from) r.fail("a pattern was due");
  return mailboxOf(r, r.bytes(from)).mailbox;
}

function listReturns(r: TokenReader): Pick<ListArguments, "returns" | "status" | "metadata"> {
  let status: string[] | undefined;
  let metadata: string[] | undefined;
  const returns: string[] = [];
  r.list(() => {
    const option = r.atom().toUpperCase();
    if (option === "STATUS") status = statusItems(r);
    else if (option === "METADATA") metadata = words(r);
    else returns.push(option);
  });
  return { returns, status, metadata };
}

/** SP `(` status items `)` */
export function statusItems(r: TokenReader): string[] {
  r.sp();
  const items = r.list(() => r.atom().toUpperCase());
  return items.length > 0 ? items : r.fail("an item was due");
}

export function fetch(r: TokenReader): CommandArguments["FETCH"] {
  const numbers = set(r);
  r.sp();
  return { set: numbers, items: fetchItems(r), ...fetchModifiers(r) };
}

const modes = { "+": "add", "-": "remove" } as const;

/** `+` or `-` under the cursor, or neither. */
function mode(r: TokenReader): "add" | "remove" | "replace" {
  if (r.accept(0x2b)) return modes["+"];
  return r.accept(0x2d) ? modes["-"] : "replace";
}

/** STORE: `(UNCHANGEDSINCE n)` perhaps, then `+FLAGS.SILENT` and flags, in parentheses or not. */
export function store(r: TokenReader): CommandArguments["STORE"] {
  const numbers = set(r);
  r.sp();
  const unchangedSince = r.byte === open ? unchangedSinceModifier(r) : undefined;
  r.spaces();
  const how = mode(r);
  const name = r.atom().toUpperCase();
  const [, what, silent] = /^(FLAGS|X-GM-LABELS)(\.SILENT)?$/.exec(name) ?? r.fail("FLAGS was due");
  r.sp();
  const labels = what === "X-GM-LABELS";
  const one = labels ? () => (r.byte === 0x5c ? r.flag() : r.astring()) : () => r.flag();
  const flags = r.byte === open ? r.list(one) : r.rest(one);
  return { set: numbers, unchangedSince, mode: how, silent: silent !== undefined, flags, labels };
}

function unchangedSinceModifier(r: TokenReader): bigint | undefined {
  return r.list(() => {
    if (!r.acceptWord("UNCHANGEDSINCE")) r.fail("there is no such modifier");
    r.sp();
    return r.number64();
  })[0];
}

/** SEARCH: RETURN, CHARSET, then keys. */
export function search(r: TokenReader): SearchArguments {
  const returns = returnOptions(r);
  r.sp();
  let charset: string | undefined;
  if (r.acceptWord("CHARSET")) {
    charset = word(r);
    r.sp();
  }
  return { returns, charset, key: searchKeys(r, charset) };
}

function returnOptions(r: TokenReader): SearchArguments["returns"] {
  const from = r.pos;
  if (r.spaces() && r.acceptWord("RETURN")) {
    r.sp();
    return searchReturn(r);
  }
  r.pos = from;
  return undefined;
}

export function sort(r: TokenReader): CommandArguments["SORT"] {
  const returns = returnOptions(r);
  r.sp();
  const criteria = sortCriteria(r);
  const charset = word(r);
  r.sp();
  return { returns, criteria, charset, key: searchKeys(r, charset) };
}

export function thread(r: TokenReader): CommandArguments["THREAD"] {
  const algorithm = word(r).toUpperCase();
  const charset = word(r);
  r.sp();
  return { returns: undefined, algorithm, charset, key: searchKeys(r, charset) };
}

export function id(r: TokenReader): CommandArguments["ID"] {
  r.sp();
  return { fields: idFields(r) };
}

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
