/** Messages as callers name them. */
import { HawserError, LocalProtocolError } from "../core/errors.js";
import { SequenceSet, star, UidSet } from "./codec-sequence-set.js";

/** Messages: a set, its text (`"1:5,9:*"`, or `"$"` for the saved search result), a number, or several numbers. */
export type MessageSet = UidSet | SequenceSet | string | number | Iterable<number>;

/** The set, and whether it holds UIDs. */
export interface ChosenSet {
  readonly set: UidSet | SequenceSet;
  readonly uid: boolean;
}

/**
 * Reads a set. Unless said otherwise it holds UIDs, but for a `SequenceSet`.
 *
 * @throws {LocalProtocolError} it is no set, or holds the other kind of number.
 */
export function chosenSet(messages: MessageSet, uid?: boolean): ChosenSet {
  if (messages instanceof SequenceSet) {
    if (uid === true && !messages.saved) throw new LocalProtocolError("a SequenceSet holds no UIDs");
    return { set: messages, uid: uid ?? messages.saved };
  }
  if (messages instanceof UidSet) {
    if (uid === false) throw new LocalProtocolError("a UidSet holds no sequence numbers");
    return { set: messages, uid: true };
  }
  return { set: newSet(messages, uid ?? true), uid: uid ?? true };
}

function newSet(messages: Exclude<MessageSet, UidSet | SequenceSet>, uid: boolean): UidSet | SequenceSet {
  const kind = uid ? UidSet : SequenceSet;
  if (typeof messages === "number") return kind.of([messages]);
  if (typeof messages !== "string") return kind.of(messages);
  try {
    return messages === "$" ? SequenceSet.searchResult : kind.parse(messages);
  } catch (cause) {
    if (!(cause instanceof HawserError)) throw cause;
    throw new LocalProtocolError(`${JSON.stringify(messages)} is no set of messages`, { cause });
  }
}

/** Whether the set is `$`, whose numbers the server alone knows. */
export function isSaved(set: UidSet | SequenceSet): boolean {
  return set.kind === "sequence" && set.saved;
}

/** Whether a message is in a set: by its number, or, with a `*` in the set, because it is the last one. */
export function isChosen({ set, uid }: ChosenSet, numbers: MessageNumbers, exists: number): boolean {
  if (isSaved(set)) return true;
  const value = uid ? numbers.uid : numbers.sequence;
  if (value === undefined) return false;
  if (set.has(value)) return true;
  return set.max === star && (numbers.sequence === undefined || numbers.sequence === exists);
}

/** By what a response names a message. */
export interface MessageNumbers {
  readonly sequence: number | undefined;
  readonly uid: number | undefined;
}
