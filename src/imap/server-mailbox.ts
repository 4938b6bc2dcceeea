/**
 * The mailbox that a session has selected, as the client knows it: which UID stands at which sequence number, and what has
 * happened since that the client was not told of. RFC 9051 sections 2.3.1.2 and 7.5.1.
 */
import { normalizeRanges, systemFlags, type UidRange } from "../mail/store.js";
import { type SequenceSet, star, type UidSet } from "./codec-sequence-set.js";

/** What has happened since the client was told last. */
interface PendingChanges {
  /** UIDs that are gone, ascending. */
  readonly gone: readonly number[];
  /** UIDs that are new, ascending. */
  readonly fresh: readonly number[];
  /** UIDs whose flags have changed. */
  readonly flags: ReadonlySet<number>;
}

/** The messages of a session's mailbox by their numbers. */
export class SelectedMailbox {
  readonly mailboxId: string;
  readonly uidValidity: number;
  readonly readOnly: boolean;
  name: string;
  /** The mailbox was deleted while it was selected. */
  deleted = false;
  #uids: number[] = [];
  #gone: UidRange[] = [];
  #fresh: number[] = [];
  #flags: Set<number> = new Set();
  #recent: UidRange[] = [];
  /** The keywords that FLAGS has named, by their small letters. */
  readonly keywords: Map<string, string> = new Map();

  constructor(facts: Pick<SelectedMailbox, "mailboxId" | "uidValidity" | "readOnly" | "name">) {
    this.mailboxId = facts.mailboxId;
    this.uidValidity = facts.uidValidity;
    this.readOnly = facts.readOnly;
    this.name = facts.name;
  }

  /** How many messages the client knows of. */
  get exists(): number {
    return this.#uids.length;
  }

  /** The UIDs in order: the one of sequence number 1 first. */
  get uids(): readonly number[] {
    return this.#uids;
  }

  /** What FLAGS names: the system flags, and the keywords that are in use. */
  get flags(): readonly string[] {
    return [...systemFlags, ...this.keywords.values()];
  }

  get largestUid(): number {
    return this.#uids.at(-1) ?? 0;
  }

  /** Whether anything waits to be told. */
  get hasPending(): boolean {
    return this.#gone.length > 0 || this.#fresh.length > 0 || this.#flags.size > 0;
  }

  /** What is there at the SELECT; changes that were heard of meanwhile and are in it already are dropped. */
  begin(uids: readonly number[]): void {
    this.#uids = [...uids];
    this.#fresh = this.#fresh.filter((uid) => uid > this.largestUid);
    this.#flags.clear();
  }

  /** Notes messages that have come. */
  arrived(uids: Iterable<number>): void {
    const last = this.#fresh.at(-1) ?? this.largestUid;
    for (const uid of uids) if (uid > last) this.#fresh.push(uid);
  }

  flagged(uids: Iterable<number>): void {
    for (const uid of uids) this.#flags.add(uid);
  }

  expunged(ranges: readonly UidRange[]): void {
    this.#gone = [...normalizeRanges([...this.#gone, ...ranges])];
  }

  /** The mailbox is gone, and with it all that was in it. */
  delete(): void {
    this.deleted = true;
    this.expunged([{ first: 1, last: Number.MAX_SAFE_INTEGER }]);
  }

  /** Whether the message was expunged, whether the client knows or not. */
  isGone(uid: number): boolean {
    return rangesHave(this.#gone, uid);
  }

  /** Marks messages as new to everybody: `\Recent`. */
  claim(range: UidRange): void {
    if (range.first <= range.last) this.#recent = [...normalizeRanges([...this.#recent, range])];
  }

  isRecent(uid: number): boolean {
    return rangesHave(this.#recent, uid);
  }

  get recentCount(): number {
    let count = 0;
    for (const { first, last } of this.#recent) count += this.#indexFrom(last + 1) - this.#indexFrom(first);
    return count;
  }

  /** The sequence number of a UID; 0 where the client knows of no such message. */
  sequenceOf(uid: number): number {
    const index = this.#indexFrom(uid);
    return this.#uids[index] === uid ? index + 1 : 0;
  }

  /** The UID at a sequence number. */
  uidAt(sequence: number): number | undefined {
    return this.#uids[sequence - 1];
  }

  /**
   * The UIDs that a set means, as ranges in which no other message stands: undefined where a sequence number is larger
   * than the client may use.
   */
  resolve(set: SequenceSet, uid: boolean): readonly UidRange[] | undefined {
    const found: UidRange[] = [];
    for (const range of set.ranges) {
      const span = uid ? this.#spanOfUids(range) : this.#spanOfSequences(range);
      if (span === undefined) return undefined;
      const [start, end] = [this.#uids[span.from], this.#uids[span.to - 1]];
      if (span.from < span.to && start !== undefined && end !== undefined)
        found.push({ first: start, last: end });
    }
    return normalizeRanges(found);
  }

  #spanOfUids({ first, last }: UidRange): { from: number; to: number } {
    const start = last === star ? Math.min(first, this.largestUid) : first;
    return { from: this.#indexFrom(start), to: this.#indexFrom(last === star ? star : last + 1) };
  }

  /** `*` in an empty mailbox is nobody; RFC 9051 section 9 would have it refused, which helps no client. */
  #spanOfSequences({ first, last }: UidRange): { from: number; to: number } | undefined {
    if (last === star) return { from: Math.max(0, Math.min(first, this.exists) - 1), to: this.exists };
    return last > this.exists ? undefined : { from: first - 1, to: last };
  }

  /** The client's UIDs within ranges, ascending. */
  *within(ranges: readonly UidRange[]): IterableIterator<number> {
    for (const { first, last } of ranges) {
      const end = this.#indexFrom(last + 1);
      for (let at = this.#indexFrom(first); at < end; at += 1) yield this.#uids[at] as number;
    }
  }

  /** Takes what has happened; expunges only where the client may hear of them. */
  take(withExpunges: boolean): PendingChanges {
    const gone = withExpunges ? this.#takeGone() : [];
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const uid of fresh) this.#uids.push(uid);
    const flags = this.#flags;
    this.#flags = new Set();
    return { gone, fresh, flags };
  }

  /** New messages that are gone before anybody was told of them are no news. */
  #takeGone(): number[] {
    if (this.#gone.length === 0) return [];
    this.#fresh = this.#fresh.filter((uid) => !this.isGone(uid));
    const gone = [...this.within(this.#gone)];
    for (const uid of this.#flags) if (this.isGone(uid)) this.#flags.delete(uid);
    this.#gone = [];
    return gone;
  }

  /** Forgets messages that the client has been told are gone; their sequence numbers, each as it is at its turn. */
  remove(gone: readonly number[]): number[] {
    if (gone.length === 0) return [];
    const sequences = gone.map((uid, before) => this.sequenceOf(uid) - before);
    const which = new Set(gone);
    this.#uids = this.#uids.filter((uid) => !which.has(uid));
    return sequences;
  }

  /** The index of the first message whose UID is at least this. */
  #indexFrom(uid: number): number {
    let low = 0;
    let high = this.#uids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#uids[middle] as number) >= uid) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Whether a UID lies in ranges that ascend. */
export function rangesHave(ranges: readonly UidRange[], uid: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as UidRange).last < uid) low = middle + 1;
    else high = middle;
  }
  return (ranges[low]?.first ?? Number.POSITIVE_INFINITY) <= uid;
}

/** A set's ranges for a store: `*` and what is beyond are as large as can be. */
export function rangesOfSet(set: SequenceSet | UidSet): readonly UidRange[] {
  return normalizeRanges(set.ranges.map(({ first, last }) => ({ first, last })));
}
