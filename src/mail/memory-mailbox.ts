/** One mailbox in memory: its messages in the order of their UIDs, and what happened to them. */
import type { StoredContent } from "./memory-content.js";
import {
  allUids,
  type CopyResult,
  canonicalFlag,
  gapsOf,
  intersectRanges,
  type MailboxInfo,
  type MailboxStatus,
  MailStoreError,
  type MessageInfo,
  normalizeRanges,
  rangesOf,
  type SmtpEnvelope,
  type StoreFlagsResult,
  sortFlags,
  type UidRange,
} from "./store.js";

/** RFC 3501: UIDs are 32-bit numbers. */
const largestUid = 0xffffffff;
/** How many expunges are remembered one by one. */
const maxVanished = 100_000;
/** How many different sets of flags are shared. */
const maxFlagLists = 10_000;

/** A message: it is replaced, and never changed, so that whoever listed it keeps what was listed. */
export class MessageRecord implements MessageInfo {
  readonly uid: number;
  readonly flags: readonly string[];
  readonly internalDate: Date;
  readonly saveDate: Date;
  readonly modSeq: bigint;
  readonly content: StoredContent;
  readonly envelope?: SmtpEnvelope | undefined;

  constructor(facts: Omit<MessageRecord, "sizeOctets" | "emailId" | "threadId">) {
    this.uid = facts.uid;
    this.flags = facts.flags;
    this.internalDate = facts.internalDate;
    this.saveDate = facts.saveDate;
    this.modSeq = facts.modSeq;
    this.content = facts.content;
    if (facts.envelope !== undefined) this.envelope = facts.envelope;
  }

  get sizeOctets(): number {
    return this.content.sizeOctets;
  }

  get emailId(): string {
    return this.content.emailId;
  }

  get threadId(): string | undefined {
    return this.content.threadId;
  }
}

/** What is known of a message before it has a UID. */
export interface IncomingMessage {
  readonly content: StoredContent;
  readonly flags: readonly string[];
  readonly internalDate: Date;
  readonly envelope?: SmtpEnvelope | undefined;
}

/** What all mailboxes of a user hold together. */
export interface Usage {
  octets: number;
  messages: number;
}

/** A mailbox. All its methods finish at once, so that nothing comes between the steps of a change. */
export class MemoryMailbox {
  readonly mailboxId: string;
  readonly uidValidity: number;
  name: string;
  specialUse: readonly string[] = [];
  highestModSeq = 1n;
  uidNext = 1;
  recentFrom = 1;
  readonly #usage: Usage;
  readonly #maxKeywords: number;
  #messages: MessageRecord[] = [];
  #sizeOctets = 0;
  #unseen = 0;
  #deleted = 0;
  #deletedOctets = 0;
  /** Every keyword in the spelling in which it first came, by its small letters. */
  readonly #keywords = new Map<string, string>();
  /** One list for each set of flags, so that 10,000 unread messages share one. */
  readonly #flagLists = new Map<string, readonly string[]>();
  #vanished: (UidRange & { readonly modSeq: bigint })[] = [];
  #forgottenModSeq = 0n;

  constructor(facts: {
    mailboxId: string;
    uidValidity: number;
    name: string;
    usage: Usage;
    maxKeywords: number;
  }) {
    this.mailboxId = facts.mailboxId;
    this.uidValidity = facts.uidValidity;
    this.name = facts.name;
    this.#usage = facts.usage;
    this.#maxKeywords = facts.maxKeywords;
  }

  info(subscribed: boolean): MailboxInfo {
    const { mailboxId, name, uidValidity, uidNext, highestModSeq, specialUse } = this;
    return { mailboxId, name, uidValidity, uidNext, highestModSeq, specialUse, subscribed };
  }

  status(subscribed: boolean): MailboxStatus {
    return {
      ...this.info(subscribed),
      ...{ messages: this.#messages.length, unseen: this.#unseen, sizeOctets: this.#sizeOctets },
      keywords: [...this.#keywords.values()].sort(),
      ...{ deleted: this.#deleted, deletedOctets: this.#deletedOctets, recentFrom: this.recentFrom },
    };
  }

  find(uid: number): MessageRecord | undefined {
    const found = this.#messages[this.#firstFrom(uid)];
    return found?.uid === uid ? found : undefined;
  }

  list(
    ranges: readonly UidRange[] = allUids,
    changedSince?: bigint,
    limit: number = Number.POSITIVE_INFINITY,
  ): readonly MessageRecord[] {
    let found: readonly MessageRecord[] = this.#within(ranges);
    if (changedSince !== undefined) found = found.filter((message) => message.modSeq > changedSince);
    return found.length > limit ? found.slice(0, limit) : found;
  }

  /**
   * The flags in this mailbox's spelling; throws `bad-flag` or `too-many` and then remembers no keyword.
   */
  flagsOf(flags: readonly string[]): readonly string[] {
    const canonical = flags.map(canonicalFlag);
    const fresh = new Map<string, string>();
    for (const flag of canonical) {
      const small = flag.toLowerCase();
      if (!flag.startsWith("\\") && !this.#keywords.has(small) && !fresh.has(small)) fresh.set(small, flag);
    }
    if (fresh.size > 0 && this.#keywords.size + fresh.size > this.#maxKeywords)
      throw new MailStoreError("too-many", `a mailbox has more than ${this.#maxKeywords} keywords`);
    for (const [small, flag] of fresh) this.#keywords.set(small, flag);
    return this.#shared(canonical.map((flag) => this.#keywords.get(flag.toLowerCase()) ?? flag));
  }

  /** Adds messages and gives them UIDs. */
  add(messages: readonly IncomingMessage[], saveDate: Date): readonly MessageRecord[] {
    if (this.uidNext + messages.length - 1 > largestUid)
      throw new MailStoreError("too-many", "a mailbox has given out its last UID");
    if (messages.length === 0) return [];
    const modSeq = this.#nextModSeq();
    const records = messages.map((message, index) => {
      return new MessageRecord({ ...message, uid: this.uidNext + index, saveDate, modSeq });
    });
    this.uidNext += records.length;
    for (const record of records) this.#messages.push(record);
    for (const record of records) this.#count(record, 1);
    return records;
  }

  storeFlags(
    ranges: readonly UidRange[],
    mode: "set" | "add" | "remove",
    flags: readonly string[],
    unchangedSince: bigint | undefined,
  ): StoreFlagsResult {
    const given = this.flagsOf(flags);
    const after = remembered((before: readonly string[]) => this.#shared(combine(before, mode, given)));
    const changed: MessageRecord[] = [];
    const unchanged: MessageRecord[] = [];
    const failed: number[] = [];
    const modSeq = this.highestModSeq + 1n;
    for (const message of this.#within(ranges)) {
      const next = after(message.flags);
      if (unchangedSince !== undefined && message.modSeq > unchangedSince) failed.push(message.uid);
      else if (sameFlags(next, message.flags)) unchanged.push(message);
      else changed.push(new MessageRecord({ ...message, flags: next, modSeq }));
    }
    this.#replace(changed);
    return { changed, unchanged, failed };
  }

  /** Removes messages; what is removed is given back. */
  remove(ranges: readonly UidRange[], which: (message: MessageRecord) => boolean): readonly MessageRecord[] {
    const gone = this.#within(ranges).filter(which);
    if (gone.length === 0) return gone;
    const uids = new Set(gone.map((message) => message.uid));
    this.#messages = this.#messages.filter((message) => !uids.has(message.uid));
    for (const message of gone) this.#count(message, -1);
    const modSeq = this.#nextModSeq();
    for (const range of rangesOf(uids)) this.#vanished.push({ ...range, modSeq });
    this.#forget();
    return gone;
  }

  /** Copies messages in here; the caller removes them there where it is a move. */
  copyFrom(
    messages: readonly MessageRecord[],
    saveDate: Date,
  ): { records: readonly MessageRecord[]; result: CopyResult } {
    this.flagsOf(messages.flatMap((message) => message.flags));
    const incoming = messages.map((message) => ({
      ...incomingOf(message),
      flags: this.flagsOf(message.flags),
    }));
    const records = this.add(incoming, saveDate);
    const source = messages.map((message) => message.uid);
    const destination = records.map((record) => record.uid);
    return { records, result: { uidValidity: this.uidValidity, source, destination } };
  }

  vanished(sinceModSeq: bigint, ranges: readonly UidRange[] = allUids): readonly UidRange[] {
    const gone =
      sinceModSeq < this.#forgottenModSeq
        ? gapsOf(uidsOf(this.#messages), { first: 1, last: this.uidNext - 1 })
        : normalizeRanges(
            this.#vanished
              .slice(this.#vanishedAfter(sinceModSeq))
              .map(({ first, last }) => ({ first, last })),
          );
    return intersectRanges(gone, normalizeRanges(ranges));
  }

  /** Takes everything out of the user's usage, when the mailbox is deleted. */
  discard(): void {
    for (const message of this.#messages) this.#count(message, -1);
    this.#messages = [];
  }

  #within(ranges: readonly UidRange[]): MessageRecord[] {
    const spans = normalizeRanges(ranges).map(({ first, last }) =>
      this.#messages.slice(this.#firstFrom(first), this.#firstFrom(last + 1)),
    );
    return spans.length === 1 && spans[0] !== undefined ? spans[0] : spans.flat();
  }

  /** The index of the first message whose UID is at least this. */
  #firstFrom(uid: number): number {
    return firstIndex(this.#messages, (message) => message.uid >= uid);
  }

  #vanishedAfter(modSeq: bigint): number {
    return firstIndex(this.#vanished, (range) => range.modSeq > modSeq);
  }

  #replace(changed: readonly MessageRecord[]): void {
    if (changed.length === 0) return;
    this.#nextModSeq();
    for (const message of changed) {
      const at = this.#firstFrom(message.uid);
      const before = this.#messages[at];
      if (before !== undefined) this.#count(before, -1);
      this.#messages[at] = message;
      this.#count(message, 1);
    }
  }

  #nextModSeq(): bigint {
    this.highestModSeq += 1n;
    return this.highestModSeq;
  }

  #count(message: MessageRecord, sign: 1 | -1): void {
    const octets = sign * message.sizeOctets;
    this.#sizeOctets += octets;
    this.#usage.octets += octets;
    this.#usage.messages += sign;
    if (!message.flags.includes("\\Seen")) this.#unseen += sign;
    if (!message.flags.includes("\\Deleted")) return;
    this.#deleted += sign;
    this.#deletedOctets += octets;
  }

  #shared(flags: readonly string[]): readonly string[] {
    const sorted = sortFlags(flags);
    const key = sorted.join(" ");
    const known = this.#flagLists.get(key);
    if (known !== undefined) return known;
    if (this.#flagLists.size >= maxFlagLists) this.#flagLists.clear();
    this.#flagLists.set(key, Object.freeze(sorted));
    return sorted;
  }

  #forget(): void {
    if (this.#vanished.length <= maxVanished) return;
    const dropped = this.#vanished.splice(0, this.#vanished.length - maxVanished / 2);
    this.#forgottenModSeq = dropped.at(-1)?.modSeq ?? this.#forgottenModSeq;
  }
}

/** A message as another mailbox takes it in. */
function incomingOf({ content, flags, internalDate, envelope }: MessageRecord): IncomingMessage {
  return { content, flags, internalDate, envelope };
}

function* uidsOf(messages: readonly MessageRecord[]): Iterable<number> {
  for (const message of messages) yield message.uid;
}

function combine(
  before: readonly string[],
  mode: "set" | "add" | "remove",
  given: readonly string[],
): readonly string[] {
  if (mode === "set") return given;
  return mode === "add" ? [...before, ...given] : before.filter((flag) => !given.includes(flag));
}

function sameFlags(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((flag, index) => flag === b[index]));
}

/** The function with its answers remembered, by the identity of what it was asked. */
function remembered<K, V>(ask: (key: K) => V): (key: K) => V {
  const answers = new Map<K, V>();
  return (key) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(key);
    answers.set(key, answer);
    return answer;
  };
}

/** Binary search: the first index for which this holds, given that it holds for all behind. */
function firstIndex<T>(sorted: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && holds(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
