/** SEARCH, ESEARCH, SORT, THREAD: RFC 9051 section 7.3.4, RFC 3501 section 7.2.5, RFC 4731, RFC 5256, RFC 9394. */
import { SequenceSet } from "./codec-sequence-set.js";
import type { TokenReader } from "./codec-tokens.js";
import type { EsearchData, ImapResponse, Thread } from "./types-response.js";

const open = 0x28;
const close = 0x29;

/** SEARCH or SORT: numbers, and perhaps `(MODSEQ n)` (RFC 7162 section 3.1.5). */
export function searchResponse(r: TokenReader, type: "search" | "sort"): ImapResponse {
  const ids: number[] = [];
  let modSeq: bigint | undefined;
  for (r.spaces(); !r.done; r.spaces()) {
    if (r.byte === open) modSeq = searchModSeq(r);
    else ids.push(r.number());
    if (ids.length > r.limits.maxItems) r.fail("a list of messages is too long");
  }
  return { type, ids, modSeq, defects: r.defects };
}

function searchModSeq(r: TokenReader): bigint {
  r.expect(open);
  if (!r.acceptWord("MODSEQ")) r.fail("MODSEQ was due");
  r.sp();
  const modSeq = r.number64();
  r.expect(close);
  return modSeq;
}

/** esearch-response */
export function esearchResponse(r: TokenReader): ImapResponse {
  r.spaces();
  const tag = r.byte === open ? searchCorrelator(r) : undefined;
  r.spaces();
  const uid = r.acceptWord("UID");
  const data: EsearchData = {};
  for (r.spaces(); !r.done; r.spaces()) {
    const name = r.atom().toUpperCase();
    r.sp();
    esearchItem(r, name, data);
  }
  return { type: "esearch", tag, uid, data, defects: r.defects };
}

/** search-correlator: `(TAG "a1")`. */
function searchCorrelator(r: TokenReader): string {
  r.expect(open);
  if (!r.acceptWord("TAG")) r.fail("TAG was due");
  r.sp();
  const tag = r.astring();
  // RFC 7377 adds MAILBOX and UIDVALIDITY; what stands there is let pass.
  for (r.spaces(); r.byte !== close; r.spaces()) r.skipValue();
  r.expect(close);
  return tag;
}

function esearchItem(r: TokenReader, name: string, data: EsearchData): void {
  if (name === "MIN") data.min = r.number();
  else if (name === "MAX") data.max = r.number();
  else if (name === "COUNT") data.count = r.number();
  else if (name === "ALL") data.all = set(r);
  else if (name === "MODSEQ") data.modSeq = r.number64();
  else if (name === "PARTIAL") data.partial = partial(r);
  else r.skipValue();
}

function set(r: TokenReader): SequenceSet {
  return SequenceSet.parse(r.setText(), r.limits.maxItems);
}

/** PARTIAL: `(1:100 5,7:9)` or `(-1:-100 NIL)` (RFC 9394 section 3.1). */
function partial(r: TokenReader): { range: string; ids: SequenceSet | null } {
  r.expect(open);
  const range = r.atom();
  r.sp();
  const ids = r.nil() ? null : set(r);
  r.expect(close);
  return { range, ids };
}

/** A thread while it is being read. */
interface Growing {
  id: number | undefined;
  children: Growing[];
}

/**
 * thread-data: `(2)(3 6 (4 23)(44 7 96))`. A chain of answers is a flat run of numbers on the wire and is one level deeper
 * each in the tree, so neither is walked by recursion: a thread of 100,000 answers is no reason to fall over.
 */
export function threadResponse(r: TokenReader): ImapResponse {
  const threads: Growing[] = [];
  /** For each open parenthesis, the list that its first message joins, and the message that was read last. */
  const stack: { readonly under: Growing[]; last: Growing | undefined }[] = [];
  for (r.spaces(); !r.done; r.spaces()) {
    const top = stack.at(-1);
    if (r.accept(open)) {
      if (stack.length >= r.limits.maxDepth * 8) r.fail("threads are too deep");
      stack.push({ under: top === undefined ? threads : childrenOf(top), last: undefined });
    } else if (top === undefined) r.fail("a thread was due");
    else if (r.accept(close)) stack.pop();
    else top.last = addAnswer(top, r.number());
  }
  if (stack.length > 0) r.fail("a thread is not closed");
  return { type: "thread", threads, defects: r.defects };
}

/** Where branches go: below the last message, or, for `((3)(5))`, below one that is not there. */
function childrenOf(top: { readonly under: Growing[]; last: Growing | undefined }): Growing[] {
  if (top.last === undefined) {
    top.last = { id: undefined, children: [] };
    top.under.push(top.last);
  }
  return top.last.children;
}

function addAnswer(top: { readonly under: Growing[]; last: Growing | undefined }, id: number): Growing {
  const answer: Growing = { id, children: [] };
  (top.last?.children ?? top.under).push(answer);
  return answer;
}

/** `(2)(3 6 (4 23)(44 7 96))`: the inverse. Without recursion, for a thread is as deep as whoever writes mail likes. */
export function formatThreads(threads: readonly Thread[]): string {
  const out: string[] = [];
  const waiting: (string | Thread)[] = inBrackets(threads);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "string") out.push(next);
    else for (const part of inBrackets(formatChain(next, out))) waiting.push(part);
  }
  return out.join("");
}

/** Each thread in its brackets, the last first, as they wait on a stack. */
function inBrackets(threads: readonly Thread[]): (string | Thread)[] {
  return threads.flatMap((thread) => ["(", thread, ")"]).reverse();
}

/** Writes the messages that answer each other one by one, and returns the branches behind them. */
function formatChain(thread: Thread, out: string[]): readonly Thread[] {
  const ids: number[] = [];
  for (let at: Thread | undefined = thread; at !== undefined; at = at.children[0]) {
    if (at.id !== undefined) ids.push(at.id);
    if (at.children.length <= 1 && at.id !== undefined) continue;
    out.push(ids.join(" "), ids.length > 0 && at.children.length > 0 ? " " : "");
    return at.children;
  }
  out.push(ids.join(" "));
  return [];
}
