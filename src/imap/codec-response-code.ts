/** resp-text-code: RFC 9051 section 7.1, RFC 5530, RFC 4315, RFC 7162, RFC 5464, RFC 8474, RFC 9585, RFC 9586, RFC 9738. */
import { HawserError } from "../core/errors.js";
import { SequenceSet, UidSet } from "./codec-sequence-set.js";
import { TokenReader } from "./codec-tokens.js";
import type { PlainCode, ResponseCode } from "./types-response.js";

const closeBracket = 0x5d;

const plainCodes: readonly PlainCode[] = [
  ...([
    "ALERT",
    "PARSE",
    "READ-ONLY",
    "READ-WRITE",
    "TRYCREATE",
    "UIDNOTSTICKY",
    "CLOSED",
    "NOTSAVED",
  ] as const),
  ...(["UNAVAILABLE", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED"] as const),
  ...(["CONTACTADMIN", "NOPERM", "INUSE", "EXPUNGEISSUED", "CORRUPTION", "SERVERBUG", "CLIENTBUG"] as const),
  ...([
    "CANNOT",
    "LIMIT",
    "OVERQUOTA",
    "ALREADYEXISTS",
    "NONEXISTENT",
    "HASCHILDREN",
    "UNKNOWN-CTE",
  ] as const),
  ...(["NOMODSEQ", "TOOBIG", "COMPRESSIONACTIVE", "USEATTR", "UIDREQUIRED", "NOTIFICATIONOVERFLOW"] as const),
  ...(["BADCOMPARATOR", "TEMPFAIL", "MAXCONVERTMESSAGES", "ANNOTATE"] as const),
];

const plain = new Map<string, ResponseCode>(plainCodes.map((name) => [name, Object.freeze({ name })]));

type Read = (r: TokenReader) => ResponseCode;

const codes: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["CAPABILITY", (r) => ({ name: "CAPABILITY", capabilities: r.rest(() => r.astringChars()) })],
  ["PERMANENTFLAGS", (r) => ({ name: "PERMANENTFLAGS", flags: r.flagList() })],
  ["UIDNEXT", (r) => ({ name: "UIDNEXT", value: r.number() })],
  ["UIDVALIDITY", (r) => ({ name: "UIDVALIDITY", value: r.number() })],
  ["UNSEEN", (r) => ({ name: "UNSEEN", value: r.number() })],
  ["APPENDLIMIT", (r) => ({ name: "APPENDLIMIT", value: r.number() })],
  ["MESSAGELIMIT", messageLimit],
  ["BADCHARSET", (r) => ({ name: "BADCHARSET", charsets: optionalList(r) })],
  ["BADEVENT", (r) => ({ name: "BADEVENT", events: optionalList(r) })],
  ["APPENDUID", (r) => ({ name: "APPENDUID", uidValidity: number(r), uids: uidSet(r) })],
  [
    "COPYUID",
    (r) => ({ name: "COPYUID", uidValidity: number(r), source: uidSet(r), destination: uidSet(r) }),
  ],
  ["HIGHESTMODSEQ", (r) => ({ name: "HIGHESTMODSEQ", modSeq: r.number64() })],
  ["MODIFIED", (r) => ({ name: "MODIFIED", set: SequenceSet.parse(r.setText(), r.limits.maxItems) })],
  ["METADATA", metadata],
  ["BADURL", (r) => ({ name: "BADURL", value: r.remainder() })],
  ["REFERRAL", (r) => ({ name: "REFERRAL", value: r.remainder() })],
  ["UNDEFINED-FILTER", (r) => ({ name: "UNDEFINED-FILTER", value: r.remainder() })],
  ["NOUPDATE", (r) => ({ name: "NOUPDATE", value: r.astring() })],
  ["MAILBOXID", (r) => ({ name: "MAILBOXID", id: r.list(() => r.astring())[0] ?? r.fail("an id was due") })],
  ["INPROGRESS", inProgress],
]);

/** The code in brackets under the cursor, which stands on `[`; takes the `]` and the space behind it. */
export function responseCode(r: TokenReader): ResponseCode | undefined {
  const from = r.pos + 1;
  const end = codeEnd(r, from);
  if (end === undefined) return undefined;
  r.pos = end + 1;
  r.accept(0x20);
  const inner = new TokenReader({ text: r.text.subarray(from, end), literals: [] }, r);
  return oneCode(inner, r);
}

/** Where the `]` stands that ends the code: not one in a quoted string. */
function codeEnd(r: TokenReader, from: number): number | undefined {
  let quoted = false;
  for (let at = from; at < r.end; at += 1) {
    const byte = r.text[at];
    if (quoted && byte === 0x5c) at += 1;
    else if (byte === 0x22) quoted = !quoted;
    else if (byte === closeBracket && !quoted) return at;
  }
  // A quote without an end: the first bracket will do.
  const first = r.text.indexOf(closeBracket, from);
  return first < 0 ? undefined : first;
}

function oneCode(inner: TokenReader, outer: TokenReader): ResponseCode {
  const label = codeLabel(inner);
  const name = label.toUpperCase();
  const from = inner.pos;
  try {
    const known = plain.get(name);
    if (known !== undefined && inner.done) return known;
    const code = codes.get(name)?.(inner);
    if (code !== undefined && atEnd(inner)) return code;
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    outer.defect(error.message);
  }
  inner.pos = from;
  return { name: "other", label: name, text: inner.remainder() };
}

function atEnd(r: TokenReader): boolean {
  r.spaces();
  return r.done;
}

/** The word in front, and the space behind it. */
function codeLabel(r: TokenReader): string {
  const from = r.pos;
  while (!r.done && r.byte !== 0x20) r.pos += 1;
  const label = r.word(from);
  r.spaces();
  return label;
}

function number(r: TokenReader): number {
  const value = r.number();
  r.sp();
  return value;
}

function uidSet(r: TokenReader): UidSet {
  const set = UidSet.parse(r.setText(), r.limits.maxItems);
  r.spaces();
  return set;
}

function optionalList(r: TokenReader): string[] {
  return r.done ? [] : r.list(() => r.astring());
}

/** MESSAGELIMIT: RFC 9738 section 3.1. */
function messageLimit(r: TokenReader): ResponseCode {
  const value = r.number();
  return { name: "MESSAGELIMIT", value, lowestUid: r.spaces() && !r.done ? r.number() : undefined };
}

/** METADATA: RFC 5464 sections 4.2.1 and 4.3. */
function metadata(r: TokenReader): ResponseCode {
  const detail = r.atom().toUpperCase();
  if (detail === "TOOMANY" || detail === "NOPRIVATE") return { name: "METADATA", detail, value: undefined };
  if (detail !== "LONGENTRIES" && detail !== "MAXSIZE") r.fail("METADATA has no such detail");
  r.sp();
  return { name: "METADATA", detail, value: r.number() };
}

/** INPROGRESS: RFC 9585. */
function inProgress(r: TokenReader): ResponseCode {
  if (r.done) return { name: "INPROGRESS", tag: null, current: null, goal: null };
  r.expect(0x28);
  const tag = r.nstring();
  r.sp();
  const current = r.nil() ? null : r.number();
  r.sp();
  const goal = r.nil() ? null : r.number();
  r.expect(0x29);
  return { name: "INPROGRESS", tag, current, goal };
}
