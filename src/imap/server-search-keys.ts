/** What search keys mean: RFC 9051 section 6.4.4, RFC 5032, RFC 7162, RFC 8474, RFC 8514. */
import type { MessageInfo, UidRange } from "../mail/store.js";
import type { ImapDate } from "./codec-date.js";
import type { Candidate } from "./server-candidate.js";
import { sentDay } from "./server-dates.js";
import { rangesHave } from "./server-mailbox.js";
import { bad, no } from "./server-refusal.js";
import { uidsOf } from "./server-select.js";
import type { Session } from "./server-session.js";
import type { SearchKey } from "./types-command.js";

/** Whether a message matches. What need not look into the message answers at once. */
export type Test = (candidate: Candidate) => boolean | Promise<boolean>;

/** A key that was made ready: `quick` where it looks into no message. */
interface Compiled {
  readonly quick: boolean;
  readonly test: Test;
}

type Of<Key extends SearchKey["key"], S = SearchKey> = S extends { readonly key: infer K }
  ? Key extends K
    ? S
    : never
  : never;
type Compilers = {
  readonly [Key in SearchKey["key"]]?: (key: Of<Key>, session: Session, nowMs: number) => Compiled;
};

/** The test of a key for the mailbox that is selected. */
export function testOf(session: Session, key: SearchKey): Test {
  return compile(key, session, Date.now()).test;
}

/** Whether a key of this kind stands in it. */
export function hasKey(key: SearchKey, name: SearchKey["key"]): boolean {
  if (key.key === name) return true;
  if (key.key === "AND") return key.keys.some((each) => hasKey(each, name));
  if (key.key === "OR") return hasKey(key.left, name) || hasKey(key.right, name);
  return "operand" in key && hasKey(key.operand, name);
}

function compile(key: SearchKey, session: Session, nowMs: number): Compiled {
  const compiler = compilers[key.key] as ((...args: unknown[]) => Compiled) | undefined;
  if (compiler === undefined) throw bad("there is no such search key here");
  return compiler(key, session, nowMs);
}

function quick(test: (info: MessageInfo, candidate: Candidate) => boolean): Compiled {
  return { quick: true, test: (candidate) => test(candidate.info, candidate) };
}

function slow(test: (candidate: Candidate) => Promise<boolean>): Compiled {
  return { quick: false, test };
}

function flag(name: string, wanted: boolean): () => Compiled {
  return () => quick(({ flags }) => flags.includes(name) === wanted);
}

function keyword({ flag: name }: Of<"KEYWORD" | "UNKEYWORD">, wanted: boolean): Compiled {
  const small = name.toLowerCase();
  return quick(({ flags }) => flags.some((each) => each.toLowerCase() === small) === wanted);
}

/** RFC 3501 has `\Recent`, and RFC 9051 has not. */
function recent(wanted: boolean, unseen: boolean): (key: SearchKey, session: Session) => Compiled {
  return (_, session) => {
    if (session.rev2) throw bad("IMAP4rev2 knows no \\Recent");
    const { selected } = session;
    return quick(
      ({ uid, flags }) => selected.isRecent(uid) === wanted && !(unseen && flags.includes("\\Seen")),
    );
  };
}

const msInDay = 86_400_000;

function dayOf({ year, month, day }: ImapDate): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / msInDay;
}

const relations = {
  before: (day: number, wanted: number) => day < wanted,
  on: (day: number, wanted: number) => day === wanted,
  since: (day: number, wanted: number) => day >= wanted,
};
type Relation = (typeof relations)["on"];

/** Days are those of UTC, in which INTERNALDATE is told. */
function stored(which: "internalDate" | "saveDate", relation: Relation) {
  return ({ date }: { readonly date: ImapDate }) => {
    const wanted = dayOf(date);
    return quick((info) => relation(Math.floor(info[which].getTime() / msInDay), wanted));
  };
}

/** The day that the Date field names, whatever its zone (RFC 9051 section 6.4.4). */
function sent(relation: Relation) {
  return ({ date }: { readonly date: ImapDate }) => {
    const wanted = dayOf(date);
    return slow(async (candidate) => {
      const day = sentDay((await candidate.header()).get("date"));
      return day !== undefined && relation(day, wanted);
    });
  };
}

function inField(name: string) {
  return ({ text }: { readonly text: string }) => fieldHas(name, text);
}

function fieldHas(name: string, text: string): Compiled {
  const wanted = text.toLowerCase();
  return slow(async (candidate) =>
    (await candidate.fields(name)).some((value) => value.toLowerCase().includes(wanted)),
  );
}

function inText(withHeader: boolean) {
  return ({ text }: { readonly text: string }) => {
    const wanted = text.toLowerCase();
    return slow(async (candidate) => {
      for await (const piece of candidate.texts(withHeader))
        if (piece.toLowerCase().includes(wanted)) return true;
      return false;
    });
  };
}

function inRanges(ranges: readonly UidRange[]): Compiled {
  return quick(({ uid }) => rangesHave(ranges, uid));
}

function sequences({ set }: Of<"SEQUENCE">, session: Session): Compiled {
  if (session.uidOnly && !set.saved) throw bad("UIDONLY is enabled", "UIDREQUIRED");
  return inRanges(uidsOf(session, set, false));
}

function negated({ quick: isQuick, test }: Compiled): Compiled {
  const not = (candidate: Candidate): boolean | Promise<boolean> => {
    const result = test(candidate);
    return typeof result === "boolean" ? !result : result.then((yes) => !yes);
  };
  return { quick: isQuick, test: not };
}

/** Those that look into no message go first: they leave less to look into. */
function all(parts: readonly Compiled[]): Compiled {
  const first = parts.filter((part) => part.quick).map(({ test }) => test);
  const then = parts.filter((part) => !part.quick).map(({ test }) => test);
  const isQuick = (candidate: Candidate): boolean => first.every((test) => test(candidate) === true);
  if (then.length === 0) return { quick: true, test: isQuick };
  return slow(async (candidate) => {
    if (!isQuick(candidate)) return false;
    for (const test of then) if (!(await test(candidate))) return false;
    return true;
  });
}

/** One of two is what is not neither. */
function either(left: Compiled, right: Compiled): Compiled {
  return negated(all([negated(left), negated(right)]));
}

const compilers: Compilers = {
  ALL: () => quick(() => true),
  ANSWERED: flag("\\Answered", true),
  DELETED: flag("\\Deleted", true),
  DRAFT: flag("\\Draft", true),
  FLAGGED: flag("\\Flagged", true),
  SEEN: flag("\\Seen", true),
  UNANSWERED: flag("\\Answered", false),
  UNDELETED: flag("\\Deleted", false),
  UNDRAFT: flag("\\Draft", false),
  UNFLAGGED: flag("\\Flagged", false),
  UNSEEN: flag("\\Seen", false),
  NEW: recent(true, true),
  RECENT: recent(true, false),
  OLD: recent(false, false),
  KEYWORD: (key) => keyword(key, true),
  UNKEYWORD: (key) => keyword(key, false),
  BEFORE: stored("internalDate", relations.before),
  ON: stored("internalDate", relations.on),
  SINCE: stored("internalDate", relations.since),
  SAVEDBEFORE: stored("saveDate", relations.before),
  SAVEDON: stored("saveDate", relations.on),
  SAVEDSINCE: stored("saveDate", relations.since),
  SAVEDATESUPPORTED: () => quick(() => true),
  SENTBEFORE: sent(relations.before),
  SENTON: sent(relations.on),
  SENTSINCE: sent(relations.since),
  // RFC 5032 section 3: the bounds belong to both.
  OLDER: ({ seconds }, _, nowMs) =>
    quick(({ internalDate }) => internalDate.getTime() <= nowMs - seconds * 1000),
  YOUNGER: ({ seconds }, _, nowMs) =>
    quick(({ internalDate }) => internalDate.getTime() >= nowMs - seconds * 1000),
  LARGER: ({ octets }) => quick(({ sizeOctets }) => sizeOctets > octets),
  SMALLER: ({ octets }) => quick(({ sizeOctets }) => sizeOctets < octets),
  BCC: inField("bcc"),
  CC: inField("cc"),
  FROM: inField("from"),
  TO: inField("to"),
  SUBJECT: inField("subject"),
  HEADER: ({ field, text }) => fieldHas(field, text),
  BODY: inText(false),
  TEXT: inText(true),
  EMAILID: ({ text }) => quick(({ emailId }) => emailId === text),
  THREADID: ({ text }) => quick(({ threadId }) => threadId === text),
  MODSEQ: ({ modSeq }) => quick((info) => info.modSeq >= modSeq),
  SEQUENCE: sequences,
  UID: ({ set }, session) => inRanges(uidsOf(session, set, true)),
  NOT: ({ operand }, session, nowMs) => negated(compile(operand, session, nowMs)),
  OR: ({ left, right }, session, nowMs) =>
    either(compile(left, session, nowMs), compile(right, session, nowMs)),
  AND: ({ keys }, session, nowMs) => all(keys.map((key) => compile(key, session, nowMs))),
};

/** Text is compared in these alone (RFC 9051 section 6.4.4 asks for UTF-8). @throws {Refusal} BADCHARSET */
export function checkCharset(charset: string | undefined): void {
  if (charset === undefined || /^(?:utf-8|us-ascii)$/i.test(charset)) return;
  throw no("this charset is not known here", { name: "BADCHARSET", charsets: ["UTF-8", "US-ASCII"] });
}
