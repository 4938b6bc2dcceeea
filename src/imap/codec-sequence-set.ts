/** Sets of message numbers as ranges that are never expanded: RFC 9051 section 9 (`sequence-set`), RFC 4315 (`uid-set`). */
import { LimitError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";

/** The largest message in the mailbox, `*` on the wire. */
export const star: number = Number.POSITIVE_INFINITY;

const maxNumber = 0xffff_ffff;
const defaultMaxRanges = 100_000;

/** A range of a set, both ends in it. `last` is `Infinity` for `*`. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** What sets of sequence numbers and of UIDs have in common. Immutable; memory is that of the ranges, not of the numbers. */
abstract class NumberSet<Self> implements Iterable<number> {
  /** first, last, first, last, … in the order given. */
  protected readonly bounds: readonly number[];
  #sorted: readonly number[] | undefined;

  protected constructor(bounds: readonly number[]) {
    this.bounds = bounds;
  }

  protected abstract make(bounds: readonly number[]): Self;

  /** The ranges in the order given, which is what pairs the two sets of COPYUID. */
  get ranges(): readonly NumberRange[] {
    return pairs(this.bounds);
  }

  /** How many numbers there are; `Infinity` with a `*` in it. */
  get size(): number {
    const sorted = this.#normal();
    let size = 0;
    for (let at = 0; at < sorted.length; at += 2)
      size +=
        (sorted[at] as number) === star ? star : (sorted[at + 1] as number) - (sorted[at] as number) + 1;
    return size;
  }

  /** Whether there is no number in it. `$` counts as empty: its numbers are not known here. */
  get isEmpty(): boolean {
    return this.bounds.length === 0;
  }

  /** The smallest number; undefined when empty. */
  get min(): number | undefined {
    return this.#normal()[0];
  }

  /** The largest number, `Infinity` for `*`; undefined when empty. */
  get max(): number | undefined {
    return this.#normal().at(-1);
  }

  /** Whether the number is in it. A range that ends with `*` has every number from its start. */
  has(value: number): boolean {
    const sorted = this.#normal();
    let low = 0;
    let high = sorted.length / 2 - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (value < (sorted[middle * 2] as number)) high = middle - 1;
      else if (value > (sorted[middle * 2 + 1] as number)) low = middle + 1;
      else return true;
    }
    return false;
  }

  /** All numbers of both. */
  union(other: { readonly ranges: readonly NumberRange[] }): Self {
    return this.make(normalize([...this.bounds, ...flat(other.ranges)]));
  }

  /** This set with one more number, or with a range. */
  add(first: number, last: number = first): Self {
    return this.make(normalize([...this.bounds, ...checkedRange(first, last)]));
  }

  /** The same numbers, sorted and joined. */
  normalized(): Self {
    return this.make(this.#normal());
  }

  /** The set with `*` replaced by the largest number in the mailbox; `5:*` with a largest of 3 is `3:5` (RFC 9051 section 9). */
  resolve(largest: number): Self {
    const bounds: number[] = [];
    for (const { first, last } of pairs(this.bounds)) {
      if (last === star) bounds.push(...inOrder(first === star ? largest : first, largest));
      else bounds.push(first, last);
    }
    return this.make(bounds);
  }

  /** The numbers one by one, in the order given. @throws {LocalProtocolError} the set has a `*`: resolve it first. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let at = 0; at < this.bounds.length; at += 2) {
      const last = this.bounds[at + 1] as number;
      if (last === star) throw new LocalProtocolError("a set with * has no known end: resolve it first");
      for (let value = this.bounds[at] as number; value <= last; value += 1) yield value;
    }
  }

  /** `1:3,5,9:*` */
  toString(): string {
    const words: string[] = [];
    for (let at = 0; at < this.bounds.length; at += 2)
      words.push(formatRange(this.bounds[at] as number, this.bounds[at + 1] as number));
    return words.join(",");
  }

  /** The text of the set, so that JSON holds it as the wire does. */
  toJSON(): string {
    return this.toString();
  }

  #normal(): readonly number[] {
    this.#sorted ??= normalize(this.bounds);
    return this.#sorted;
  }
}

/** A set of message sequence numbers, or `$`: the result that the server kept of a SEARCH (RFC 5182). */
export class SequenceSet extends NumberSet<SequenceSet> {
  readonly kind: "sequence" = "sequence";
  /** `$`, the saved result: RFC 9051 section 6.4.4.1. Its numbers are known to the server alone. */
  readonly saved: boolean;

  private constructor(bounds: readonly number[], saved = false) {
    super(bounds);
    this.saved = saved;
  }

  /** `$` */
  static readonly searchResult: SequenceSet = new SequenceSet([], true);
  /** `1:*` */
  static readonly all: SequenceSet = new SequenceSet([1, star]);

  /** A set of numbers, in any order and with repetitions. @throws {LocalProtocolError} a number is not in 1 to 2^32 - 1. */
  static of(numbers: Iterable<number>): SequenceSet {
    return new SequenceSet(fromNumbers(numbers));
  }

  /** The numbers from one to the other; `Infinity` for `*`. @throws {LocalProtocolError} an end is no message number. */
  static range(first: number, last: number): SequenceSet {
    return new SequenceSet(checkedRange(first, last));
  }

  /** Reads `1:3,5,9:*` or `$`. @throws {RemoteProtocolError} it is none. @throws {LimitError} more than `maxRanges`. */
  static parse(text: string, maxRanges: number = defaultMaxRanges): SequenceSet {
    return text === "$" ? SequenceSet.searchResult : new SequenceSet(parseBounds(text, maxRanges));
  }

  protected override make(bounds: readonly number[]): SequenceSet {
    return new SequenceSet(bounds);
  }

  override toString(): string {
    return this.saved ? "$" : super.toString();
  }
}

/** A set of unique identifiers. */
export class UidSet extends NumberSet<UidSet> {
  readonly kind: "uid" = "uid";

  private constructor(bounds: readonly number[]) {
    super(bounds);
  }

  static readonly empty: UidSet = new UidSet([]);
  /** `1:*` */
  static readonly all: UidSet = new UidSet([1, star]);

  /** A set of UIDs, in any order and with repetitions. @throws {LocalProtocolError} a number is not in 1 to 2^32 - 1. */
  static of(numbers: Iterable<number>): UidSet {
    return new UidSet(fromNumbers(numbers));
  }

  /** The UIDs from one to the other; `Infinity` for `*`. @throws {LocalProtocolError} an end is no UID. */
  static range(first: number, last: number): UidSet {
    return new UidSet(checkedRange(first, last));
  }

  /** Reads `1:3,5,9:*`. @throws {RemoteProtocolError} it is none. @throws {LimitError} more than `maxRanges` ranges. */
  static parse(text: string, maxRanges: number = defaultMaxRanges): UidSet {
    return new UidSet(parseBounds(text, maxRanges));
  }

  protected override make(bounds: readonly number[]): UidSet {
    return new UidSet(bounds);
  }
}

function pairs(bounds: readonly number[]): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (let at = 0; at < bounds.length; at += 2)
    ranges.push({ first: bounds[at] as number, last: bounds[at + 1] as number });
  return ranges;
}

function flat(ranges: readonly NumberRange[]): number[] {
  return ranges.flatMap(({ first, last }) => [first, last]);
}

function inOrder(first: number, last: number): [number, number] {
  return first <= last ? [first, last] : [last, first];
}

function checkedRange(first: number, last: number): [number, number] {
  return inOrder(checked(first), checked(last));
}

function checked(value: number): number {
  if (value === star || (Number.isInteger(value) && value >= 1 && value <= maxNumber)) return value;
  throw new LocalProtocolError(`${value} is no message number: 1 to ${maxNumber}`);
}

/** Sorted and joined in one pass where the numbers come sorted, as they nearly always do. */
function fromNumbers(numbers: Iterable<number>): number[] {
  const bounds: number[] = [];
  let sorted = true;
  for (const value of numbers) {
    checked(value);
    const last = bounds.at(-1);
    if (last !== undefined && value === last + 1) bounds[bounds.length - 1] = value;
    else if (value !== last) bounds.push(value, value);
    if (last !== undefined && value < last) sorted = false;
  }
  return sorted ? bounds : normalize(bounds);
}

function normalize(bounds: readonly number[]): number[] {
  const joined: number[] = [];
  for (const { first, last } of sortedPairs(bounds)) {
    const end = joined.at(-1);
    if (end !== undefined && first <= end + 1) joined[joined.length - 1] = Math.max(end, last);
    else joined.push(first, last);
  }
  return joined;
}

function sortedPairs(bounds: readonly number[]): NumberRange[] {
  const ranges = pairs(bounds);
  // Not a subtraction: Infinity less Infinity is no number.
  return ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
}

function formatRange(first: number, last: number): string {
  if (first === last) return formatNumber(first);
  return `${formatNumber(first)}:${formatNumber(last)}`;
}

function formatNumber(value: number): string {
  return value === star ? "*" : String(value);
}

function parseBounds(text: string, maxRanges: number): number[] {
  const bounds: number[] = [];
  let at = 0;
  for (;;) {
    if (bounds.length >= maxRanges * 2) throw new LimitError("a set of ranges", maxRanges);
    const comma = text.indexOf(",", at);
    const word = text.slice(at, comma < 0 ? text.length : comma);
    const colon = word.indexOf(":");
    if (colon < 0) bounds.push(parseNumber(word), parseNumber(word));
    else bounds.push(...inOrder(parseNumber(word.slice(0, colon)), parseNumber(word.slice(colon + 1))));
    if (comma < 0) return bounds;
    at = comma + 1;
  }
}

function parseNumber(word: string): number {
  if (word === "*") return star;
  const value = /^[0-9]{1,10}$/.test(word) ? Number(word) : 0;
  if (value >= 1 && value <= maxNumber) return value;
  throw new RemoteProtocolError("a set holds what is no message number", {
    excerpt: word,
    rfc: "RFC 9051 section 9",
  });
}
