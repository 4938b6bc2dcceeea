/** Lists of UID ranges, which are never expanded: a peer may say `1:4294967295`. */
import type { UidRange } from "./store-types.js";

/** Every UID that there may be. */
export const allUids: readonly UidRange[] = [{ first: 1, last: Number.POSITIVE_INFINITY }];

/** The ranges in ascending order, joined where they overlap or touch; empty and inverted ones are dropped. */
export function normalizeRanges(ranges: readonly UidRange[]): readonly UidRange[] {
  const sorted = ranges.filter(({ first, last }) => first <= last).sort((a, b) => a.first - b.first);
  const joined: UidRange[] = [];
  for (const range of sorted) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + 1) joined.push(range);
    else if (range.last > before.last) joined[joined.length - 1] = { first: before.first, last: range.last };
  }
  return joined;
}

/** Ascending UIDs as ranges. */
export function rangesOf(uids: Iterable<number>): readonly UidRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const uid of uids) {
    const before = ranges.at(-1);
    if (before !== undefined && uid === before.last + 1) before.last = uid;
    else ranges.push({ first: uid, last: uid });
  }
  return ranges;
}

/** What lies in both lists, which must be normal (see {@link normalizeRanges}). */
export function intersectRanges(a: readonly UidRange[], b: readonly UidRange[]): readonly UidRange[] {
  const both: UidRange[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const left = a[i] ?? allUids[0];
    const right = b[j] ?? allUids[0];
    if (left === undefined || right === undefined) break;
    const first = Math.max(left.first, right.first);
    const last = Math.min(left.last, right.last);
    if (first <= last) both.push({ first, last });
    if (left.last < right.last) i += 1;
    else j += 1;
  }
  return both;
}

/** What of `within` the ascending UIDs do not cover. */
export function gapsOf(uids: Iterable<number>, within: UidRange): readonly UidRange[] {
  const gaps: UidRange[] = [];
  let first = within.first;
  for (const uid of uids) {
    if (uid > first) gaps.push({ first, last: Math.min(uid - 1, within.last) });
    first = Math.max(first, uid + 1);
    if (first > within.last) break;
  }
  if (first <= within.last) gaps.push({ first, last: within.last });
  return gaps.filter((gap) => gap.first <= gap.last);
}
