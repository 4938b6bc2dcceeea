/** SEARCH: RFC 9051 section 6.4.4, RFC 4731 and RFC 9394 (what is returned), RFC 5182 (what is kept). */

import { SequenceSet } from "./codec-sequence-set.js";
import { type Candidate, candidatesOf } from "./server-candidate.js";
import { enableCondStore } from "./server-capability.js";
import type { CommandFront } from "./server-dispatch.js";
import { within } from "./server-fetch.js";
import { Pace } from "./server-pace.js";
import { bad, Refusal } from "./server-refusal.js";
import { checkCharset, hasKey, testOf } from "./server-search-keys.js";
import type { Session } from "./server-session.js";
import type { SearchArguments, SearchKey, SearchReturn } from "./types-command.js";
import type { EsearchData } from "./types-response.js";

export async function search(session: Session, command: SearchArguments & CommandFront): Promise<void> {
  const returns = returnsOf(session, command);
  // RFC 6855 section 3: all is UTF-8 by then.
  if (command.charset !== undefined && session.enabled.has("UTF8=ACCEPT"))
    throw bad("a charset is not for UTF8=ACCEPT");
  try {
    const found = await find(session, command);
    await tellFound(session, command, "search", found, returns);
  } catch (error) {
    // RFC 5182 section 2.1: a search that fails leaves nothing behind.
    if (returns?.options.includes("SAVE") && !(error instanceof Refusal && error.status === "BAD"))
      session.savedResult = [];
    throw error;
  }
}

/** RFC 9051 section 6.4.4: without RETURN, IMAP4rev2 answers as to RETURN (ALL), and IMAP4rev1 with SEARCH. */
export function returnsOf({ rev2 }: Session, { returns }: SearchArguments): SearchReturn | undefined {
  const given = returns ?? (rev2 ? { options: ["ALL" as const] } : undefined);
  if (given === undefined) return undefined;
  const { options, partial } = given;
  if (options.includes("UPDATE") || options.includes("CONTEXT")) throw bad("there is no CONTEXT here");
  if (partial !== undefined && options.includes("ALL")) throw bad("PARTIAL and ALL exclude each other");
  return options.length === 0 && partial === undefined ? { options: ["ALL"] } : given;
}

/** The messages that match, in their order. */
export async function find(session: Session, { charset, key }: SearchArguments): Promise<Candidate[]> {
  checkCharset(charset);
  const { selected } = session;
  if (hasKey(key, "MODSEQ")) await enableCondStore(session);
  const test = testOf(session, key);
  const found: Candidate[] = [];
  const pace = new Pace();
  for (const candidate of await candidatesOf(session, selected)) {
    const result = test(candidate);
    if (typeof result === "boolean" ? result : await result) found.push(candidate);
    if (typeof result !== "boolean") await pace.step();
  }
  return found;
}

/** What was found, in the order that it has. */
export async function tellFound(
  session: Session,
  command: { readonly tag: string; readonly uid: boolean; readonly key: SearchKey },
  type: "search" | "sort",
  found: readonly Candidate[],
  returns: SearchReturn | undefined,
): Promise<void> {
  const { uid } = command;
  const ids = found.map(({ info, sequence }) => (uid ? info.uid : sequence));
  const tellsModSeq = hasKey(command.key, "MODSEQ");
  if (returns === undefined) {
    const modSeq = tellsModSeq && found.length > 0 ? highest(found) : undefined;
    session.respond({ type, ids, modSeq });
    return;
  }
  if (returns.options.includes("SAVE")) session.savedResult = saved(found, returns);
  const data = dataOf(ids, returns);
  if (tellsModSeq && found.length > 0) data.modSeq = highest(told(found, returns));
  const onlySaves = returns.partial === undefined && returns.options.every((option) => option === "SAVE");
  if (!onlySaves) session.respond({ type: "esearch", tag: command.tag, uid, data });
}

function highest(found: readonly Candidate[]): bigint {
  let most = 0n;
  for (const { info } of found) if (info.modSeq > most) most = info.modSeq;
  return most;
}

/** RFC 4731 section 3.2: of MIN and MAX alone, the mod-sequence is of these messages. */
function told(found: readonly Candidate[], { options, partial }: SearchReturn): readonly Candidate[] {
  if (options.includes("ALL") || options.includes("COUNT") || partial !== undefined) return found;
  return ends(found, options);
}

function ends(found: readonly Candidate[], options: SearchReturn["options"]): readonly Candidate[] {
  const first = options.includes("MIN") ? found.slice(0, 1) : [];
  const last = options.includes("MAX") ? found.slice(-1) : [];
  return [...new Set([...first, ...last])];
}

/** RFC 5182 section 2.1, RFC 9394 section 3.1: what is kept is what was asked for. */
function saved(found: readonly Candidate[], { options, partial }: SearchReturn): readonly number[] {
  const whole = options.includes("ALL") || options.includes("COUNT");
  const onlyEnds = !whole && partial === undefined && (options.includes("MIN") || options.includes("MAX"));
  const kept = onlyEnds
    ? ends(found, options)
    : !whole && partial !== undefined
      ? within(found, partial)
      : found;
  return kept.map(({ info }) => info.uid).sort((a, b) => a - b);
}

function dataOf(ids: readonly number[], { options, partial }: SearchReturn): EsearchData {
  const data: EsearchData = {};
  const [min, max] = [ids[0], ids.at(-1)];
  if (options.includes("MIN") && min !== undefined) data.min = min;
  if (options.includes("MAX") && max !== undefined) data.max = max;
  if (options.includes("COUNT")) data.count = ids.length;
  if (options.includes("ALL") && ids.length > 0) data.all = inOrder(ids);
  if (partial !== undefined) {
    const some = within(ids, partial);
    data.partial = {
      range: `${partial.first}:${partial.last}`,
      ids: some.length === 0 ? null : inOrder(some),
    };
  }
  return data;
}

/** A set whose order is that of the numbers: only what ascends is a range (RFC 5267 section 3). */
function inOrder(ids: readonly number[]): SequenceSet {
  const words: string[] = [];
  for (let at = 0; at < ids.length; ) {
    const start = at;
    while (ids[at + 1] === (ids[at] as number) + 1) at += 1;
    words.push(start === at ? String(ids[at]) : `${ids[start]}:${ids[at]}`);
    at += 1;
  }
  return SequenceSet.parse(words.join(","), words.length);
}
