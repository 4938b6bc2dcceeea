/** SEARCH, SORT, THREAD: RFC 9051 section 6.4.4, RFC 4731, RFC 5256, RFC 5267, RFC 7162, RFC 9394. */
import type { Command } from "../client-command.js";
import { atom, type CommandPart } from "../codec-parts.js";
import { searchKeyParts, searchReturnParts, sortCriteriaPart } from "../codec-search.js";
import { SequenceSet } from "../codec-sequence-set.js";
import type { SearchKey, SearchReturn, SortCriterion } from "../types-command.js";
import type { EsearchData, Thread } from "../types-response.js";
import { named } from "./command.js";

/** What all three have in common. */
export interface SearchRequest {
  readonly uid: boolean;
  readonly key: SearchKey;
  /** `UTF-8` where the key has text beyond ASCII and the connection is not UTF-8 as a whole. */
  readonly charset: string | undefined;
  readonly returns: SearchReturn | undefined;
}

/** What was found, in whichever way the server tells it. */
export interface Found extends EsearchData {
  /** In the order that the server gave. Undefined where an ESEARCH told a set. */
  readonly ids?: readonly number[];
}

export function search(request: SearchRequest): Command<Found> {
  const parts = [...charsetParts(request, true), ...searchKeyParts(request.key)];
  return searching("SEARCH", request, parts);
}

export function sort(request: SearchRequest, criteria: readonly SortCriterion[]): Command<Found> {
  const parts = [sortCriteriaPart(criteria), ...charsetParts(request, false), ...searchKeyParts(request.key)];
  return searching("SORT", request, parts);
}

export function thread(request: SearchRequest, algorithm: string): Command<readonly Thread[]> {
  const { words, ...base } = named("THREAD", request.uid, details(request));
  let threads: readonly Thread[] = [];
  return {
    ...base,
    parts: [...words, atom(algorithm), ...charsetParts(request, false), ...searchKeyParts(request.key)],
    take: (response) => {
      if (response.type !== "thread") return false;
      threads = [...threads, ...response.threads];
      return true;
    },
    done: () => threads,
  };
}

/** A SEARCH names its charset only where it must; SORT and THREAD always do (RFC 5256 section 3). */
function charsetParts({ charset }: SearchRequest, optional: boolean): CommandPart[] {
  if (optional) return charset === undefined ? [] : [atom("CHARSET"), atom(charset)];
  return [atom(charset ?? "US-ASCII")];
}

function details({ uid, key, returns }: SearchRequest) {
  const saves = returns?.options.includes("SAVE") === true;
  return { uid, saves, readsSaved: mentions(key, isSavedKey), bySequence: mentions(key, isSequenceKey) };
}

function isSavedKey(key: SearchKey): boolean {
  return "set" in key && key.set.saved;
}

function isSequenceKey(key: SearchKey): boolean {
  return key.key === "SEQUENCE" && !key.set.saved;
}

/** Whether a key, or one within it, is of a kind. */
export function mentions(key: SearchKey, is: (key: SearchKey) => boolean): boolean {
  if (is(key)) return true;
  if ("operand" in key) return mentions(key.operand, is);
  if ("left" in key) return mentions(key.left, is) || mentions(key.right, is);
  return "keys" in key && key.keys.some((one) => mentions(one, is));
}

function searching(
  name: "SEARCH" | "SORT",
  request: SearchRequest,
  parts: readonly CommandPart[],
): Command<Found> {
  const { words, ...base } = named(name, request.uid, details(request));
  const returns = request.returns === undefined ? [] : searchReturnParts(request.returns);
  let found: Found = {};
  return {
    ...base,
    parts: [...words, ...returns, ...parts],
    take: (response) => {
      if (response.type === "esearch") {
        if (response.uid !== request.uid) return false;
        found = { ...found, ...response.data };
        return true;
      }
      if (response.type !== (name === "SEARCH" ? "search" : "sort")) return false;
      const { ids, modSeq } = response as Extract<typeof response, { readonly ids: readonly number[] }>;
      const all = found.ids === undefined ? ids : [...found.ids, ...ids];
      found = modSeq === undefined ? { ...found, ids: all } : { ...found, ids: all, modSeq };
      return true;
    },
    done: () => found,
  };
}

/** The result as a set, from whichever form it came in. */
export function foundSet({ all, ids = [] }: Found): SequenceSet {
  return all ?? SequenceSet.of(ids);
}
