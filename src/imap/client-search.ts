/** SEARCH, SORT and THREAD for a mailbox: queries in, sets out, in whichever way the server answers. */
import type { OpOptions } from "../core/deadline.js";
import { LocalProtocolError, RemoteProtocolError, UnsupportedError } from "../core/errors.js";
import type { Connection } from "./client-connection.js";
import { charsetOf, type SearchQuery, searchKeyOf } from "./client-search-query.js";
import { SequenceSet, UidSet } from "./codec-sequence-set.js";
import { type Found, foundSet, type SearchRequest, search, sort } from "./commands/search.js";
import type { PartialRange, SearchKey, SearchReturn, SortCriterion } from "./types-command.js";

/** What a search is to tell: RFC 4731, RFC 5182. */
export type ReturnOption = "MIN" | "MAX" | "COUNT" | "ALL" | "SAVE";

/** How a search is done. */
export interface SearchOptions extends OpOptions {
  /** Tells UIDs. Default: true. */
  readonly uid?: boolean | undefined;
  /** What to tell in place of the set. `SAVE` keeps the result as `$`. */
  readonly return?: readonly ReturnOption[] | undefined;
  /** Only this range of the result (RFC 9394). */
  readonly partial?: PartialRange | undefined;
}

/** How a sort is done. */
export interface SortOptions extends OpOptions {
  /** Tells UIDs. Default: true. */
  readonly uid?: boolean | undefined;
  /** What to tell in place of the whole order: RFC 5267 section 3 (ESORT). */
  readonly return?: readonly Exclude<ReturnOption, "ALL">[] | undefined;
  /** Only this range of the order (RFC 5267 section 4.4, RFC 9394). */
  readonly partial?: PartialRange | undefined;
}

/** What a sort with `return` or `partial` tells. */
export interface SortResult extends Pick<SearchResult, "min" | "max" | "count" | "modSeq"> {
  /** The messages of the range, in order. */
  readonly partial?: readonly number[] | undefined;
}

/** How threads are made. */
export interface ThreadOptions extends Pick<SortOptions, "uid" | "signal" | "timeoutMs"> {
  /** Default: REFERENCES. */
  readonly algorithm?: "REFERENCES" | "ORDEREDSUBJECT" | "REFS" | undefined;
}

/** By what messages are sorted. A minus before it turns the order round. */
export type SortKey = SortName | `-${SortName}`;
/** What messages can be sorted by: RFC 5256 section 3, RFC 5957. */
export type SortName =
  | "arrival"
  | "cc"
  | "date"
  | "from"
  | "size"
  | "subject"
  | "to"
  | "displayFrom"
  | "displayTo";

/** What a search with `return` or `partial` tells: what was asked for, where there is anything. */
export interface SearchResult {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly count?: number | undefined;
  readonly all?: UidSet | SequenceSet | undefined;
  readonly modSeq?: bigint | undefined;
  readonly partial?: UidSet | SequenceSet | undefined;
}

/** A search as a command has it. `always` is the charset of a command that must name one. */
export function searchRequest(
  { state }: Connection,
  query: SearchQuery | SearchKey,
  { uid = true }: Pick<SearchOptions, "uid">,
  always?: "UTF-8",
): SearchRequest {
  const key = searchKeyOf(query);
  // RFC 6855 section 3: after ENABLE UTF8=ACCEPT a SEARCH names no charset.
  const charset = always ?? (state.utf8 ? undefined : charsetOf(key));
  return { uid, key, charset, returns: undefined };
}

/** All that match, as a set. An ESEARCH tells it in ranges, which is shorter. */
export async function searchAll(
  connection: Connection,
  query: SearchQuery | SearchKey,
  options: SearchOptions,
): Promise<UidSet | SequenceSet> {
  const partial = options.partial;
  if (partial !== undefined) {
    const found = await searchWith(connection, query, options);
    return found.partial ?? emptySet(options);
  }
  const returns: SearchReturn | undefined = connection.state.has("ESEARCH")
    ? { options: ["ALL"] }
    : undefined;
  const request = { ...searchRequest(connection, query, options), returns };
  return ofKind(foundSet(await connection.run(search(request), options)), options);
}

/** What `return` asks for. Without ESEARCH, all but SAVE is worked out here. */
export async function searchWith(
  connection: Connection,
  query: SearchQuery | SearchKey,
  options: SearchOptions,
): Promise<SearchResult> {
  const { return: wanted = [], partial } = options;
  const { state } = connection;
  const request = searchRequest(connection, query, options);
  if (partial !== undefined && !state.has("PARTIAL")) throw unsupported("PARTIAL");
  if (wanted.includes("SAVE") && !state.has("SEARCHRES")) throw unsupported("SEARCHRES");
  if (!state.has("ESEARCH"))
    return workedOut(await connection.run(search(request), options), wanted, options);
  const found = await connection.run(search({ ...request, returns: { options: wanted, partial } }), options);
  return answered(found, options);
}

function unsupported(capability: string): UnsupportedError {
  return new UnsupportedError(capability, `the server does not offer ${capability}`, { usable: true });
}

function answered(found: Found, options: SearchOptions): SearchResult {
  const { min, max, count, all, modSeq, partial } = found;
  // RFC 4731 section 3.1: there is no ALL where nothing was found.
  const wantsAll = options.return?.includes("ALL") === true || found.ids !== undefined;
  return {
    ...{ min, max, count, modSeq },
    ...(wantsAll && { all: ofKind(all ?? foundSet(found), options) }),
    ...(partial !== undefined && {
      partial: partial.ids === null ? emptySet(options) : ofKind(partial.ids, options),
    }),
  };
}

function workedOut(found: Found, wanted: readonly ReturnOption[], options: SearchOptions): SearchResult {
  const all = ofKind(foundSet(found), options);
  return {
    ...(wanted.includes("MIN") && { min: all.min }),
    ...(wanted.includes("MAX") && { max: all.max }),
    ...(wanted.includes("COUNT") && { count: all.size }),
    ...((wanted.includes("ALL") || wanted.length === 0) && { all }),
    modSeq: found.modSeq,
  };
}

function ofKind(set: SequenceSet, { uid = true }: SearchOptions): UidSet | SequenceSet {
  return uid ? UidSet.empty.union(set) : set;
}

function emptySet(options: SearchOptions): UidSet | SequenceSet {
  return ofKind(SequenceSet.of([]), options);
}

/** SORT: the whole order, or what `return` and `partial` ask for. */
export async function sortMessages(
  connection: Connection,
  query: SearchQuery | SearchKey,
  by: readonly SortKey[],
  options: SortOptions,
): Promise<readonly number[] | SortResult> {
  const request = searchRequest(connection, query, options, "UTF-8");
  const criteria = sortCriteria(by);
  const { return: wanted, partial } = options;
  if (wanted === undefined && partial === undefined)
    return (await connection.run(sort(request, criteria), options)).ids ?? [];
  if (!connection.state.has("ESORT")) throw unsupported("ESORT");
  const returns = { options: wanted ?? [], partial };
  const found = await connection.run(sort({ ...request, returns }, criteria), options);
  const { min, max, count, modSeq } = found;
  return { min, max, count, modSeq, partial: partial && inOrder(found.partial?.ids ?? undefined, partial) };
}

/** A set in the order that the server gave. @throws {RemoteProtocolError} it has more than the range could. */
function inOrder(set: SequenceSet | undefined, { first, last }: PartialRange): readonly number[] {
  if (set === undefined) return [];
  if (set.size > Math.abs(last - first) + 1)
    throw new RemoteProtocolError("a PARTIAL has more than was asked for", { rfc: "RFC 5267 section 4.4" });
  return [...set];
}

const sortNames: Readonly<Record<SortName, SortCriterion["by"]>> = {
  ...{ arrival: "ARRIVAL", cc: "CC", date: "DATE", from: "FROM", size: "SIZE", subject: "SUBJECT", to: "TO" },
  ...{ displayFrom: "DISPLAYFROM", displayTo: "DISPLAYTO" },
};

/** @throws {LocalProtocolError} there is no such key, or none at all. */
function sortCriteria(keys: readonly SortKey[]): SortCriterion[] {
  if (keys.length === 0) throw new LocalProtocolError("a sort needs a key");
  return keys.map((key) => {
    const name = (key.startsWith("-") ? key.slice(1) : key) as SortName;
    if (!Object.hasOwn(sortNames, name))
      throw new LocalProtocolError(`there is no sort key ${JSON.stringify(key)}`);
    return { by: sortNames[name], reverse: key.startsWith("-") };
  });
}
