/** The arguments of commands that servers read, one function for each shape: RFC 9051 section 6 and the extensions. */
import { Secret } from "../core/secret.js";
import { idFields } from "./codec-extensions.js";
import { fetchItems, fetchModifiers } from "./codec-fetch-items.js";
import { mailbox as mailboxNamed, mailboxOf } from "./codec-mailbox-name.js";
import { searchKeys, searchReturn, sortCriteria } from "./codec-search.js";
import { SequenceSet, UidSet } from "./codec-sequence-set.js";
import type { TokenReader } from "./codec-tokens.js";
import type {
  CommandArguments,
  ListArguments,
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

/** LOGIN: a user and a password. */
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

/** FETCH: a set, items, modifiers perhaps. */
export function fetch(r: TokenReader): CommandArguments["FETCH"] {
  const numbers = set(r);
  r.sp();
  return { set: numbers, items: fetchItems(r), ...fetchModifiers(r) };
}

/** What `+` and `-` stand for. */
export const modes: { readonly "+": "add"; readonly "-": "remove" } = { "+": "add", "-": "remove" };

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

/** SORT: RETURN perhaps, criteria, a charset, keys (RFC 5256). */
export function sort(r: TokenReader): CommandArguments["SORT"] {
  const returns = returnOptions(r);
  r.sp();
  const criteria = sortCriteria(r);
  const charset = word(r);
  r.sp();
  return { returns, criteria, charset, key: searchKeys(r, charset) };
}

/** THREAD: an algorithm, a charset, keys (RFC 5256). */
export function thread(r: TokenReader): CommandArguments["THREAD"] {
  const algorithm = word(r).toUpperCase();
  const charset = word(r);
  r.sp();
  return { returns: undefined, algorithm, charset, key: searchKeys(r, charset) };
}

/** ID: NIL or fields (RFC 2971). */
export function id(r: TokenReader): CommandArguments["ID"] {
  r.sp();
  return { fields: idFields(r) };
}
