/** STORE, COPY, MOVE, EXPUNGE: RFC 9051 sections 6.4.3, 6.4.6 to 6.4.9, RFC 4315, RFC 7162. */
import type { Command } from "../client-command.js";
import { type ChosenSet, isChosen, isSaved } from "../client-set.js";
import { atom, flag, list, mailbox, number, set } from "../codec-parts.js";
import { SequenceSet, UidSet } from "../codec-sequence-set.js";
import type { ImapResponse, ResponseCode } from "../types-response.js";
import { named, signOf } from "./command.js";
import type { MailboxName } from "./mailboxes.js";
import type { ChangedMessage } from "./select.js";

/** How flags are stored. */
export interface StoreOptions {
  /** The server does not tell the new flags. Default: false. */
  readonly silent?: boolean | undefined;
  /** Leaves messages alone that have changed since: RFC 7162 section 3.1.3. They stand in `modified`. */
  readonly unchangedSince?: bigint | undefined;
}

/** What became of a STORE. */
export interface Stored {
  /** The messages that the server told of, with their flags as they are now. */
  readonly changed: readonly ChangedMessage[];
  /** With `unchangedSince`: the messages that were left alone. UIDs in a UID STORE. */
  readonly modified: SequenceSet | UidSet;
}

/** What a STORE does with the flags it names. */
export type StoreMode = "add" | "remove" | "replace";

export function store(
  chosen: ChosenSet,
  item: "FLAGS" | "X-GM-LABELS",
  mode: StoreMode,
  values: readonly string[],
  { silent = false, unchangedSince }: StoreOptions,
  exists: () => number,
): Command<Stored> {
  const { words, ...base } = named("STORE", chosen.uid, { readsSaved: isSaved(chosen.set) });
  const changed: ChangedMessage[] = [];
  return {
    ...base,
    parts: [
      ...[...words, set(chosen.set)],
      ...(unchangedSince === undefined ? [] : [list(atom("UNCHANGEDSINCE"), number(unchangedSince))]),
      atom(`${signOf(mode)}${item}${silent ? ".SILENT" : ""}`),
      list(...values.map((value) => (item === "FLAGS" ? flag(value) : labelPart(value)))),
    ],
    take: (response) => {
      if (response.type !== "fetch") return false;
      const { sequence, attributes } = response;
      if (!isChosen(chosen, { sequence, uid: attributes.uid }, exists())) return false;
      changed.push({ sequence, attributes });
      return true;
    },
    done: ({ code }) => {
      const modified = code?.name === "MODIFIED" ? code.set : SequenceSet.of([]);
      return { changed, modified: chosen.uid ? UidSet.empty.union(modified) : modified };
    },
  };
}

/** A label of Gmail is a mailbox name, or a system label such as `\Important`. */
function labelPart(label: string): ReturnType<typeof flag> {
  return /^\\[A-Za-z]+$/.test(label) ? flag(label) : mailbox(label);
}

/** Where messages went: RFC 4315 section 3. `source` and `destination` go pairwise. */
export interface Copied {
  readonly uidValidity: number;
  readonly source: UidSet;
  readonly destination: UidSet;
}

/** COPY and MOVE. MOVE (RFC 6851) tells the UIDs in an untagged OK, before it tells what is gone. */
export function transfer(
  name: "COPY" | "MOVE",
  chosen: ChosenSet,
  to: MailboxName,
): Command<Copied | undefined> {
  const { words, ...base } = named(name, chosen.uid, { readsSaved: isSaved(chosen.set) });
  let early: Copied | undefined;
  return {
    ...base,
    parts: [...words, set(chosen.set), mailbox(to)],
    take: (response) => {
      const found = response.type === "status" ? copied(response.code) : undefined;
      early ??= found;
      return found !== undefined || (name === "MOVE" && isRemoval(response));
    },
    done: ({ code }) => copied(code) ?? early,
  };
}

function copied(code: ResponseCode | undefined): Copied | undefined {
  if (code?.name !== "COPYUID") return undefined;
  return { uidValidity: code.uidValidity, source: code.source, destination: code.destination };
}

function isRemoval({ type }: ImapResponse): boolean {
  return type === "expunge" || type === "vanished";
}

/** What an EXPUNGE has removed. */
export interface Expunged {
  /** As the server told them: each number is that at its moment. Empty where it told UIDs. */
  readonly sequences: readonly number[];
  /** Where the server tells UIDs (QRESYNC, UIDONLY). */
  readonly uids: UidSet;
  readonly highestModSeq: bigint | undefined;
}

/** EXPUNGE, or with a set UID EXPUNGE (RFC 4315 section 2.1). */
export function expunge(uids: UidSet | SequenceSet | undefined): Command<Expunged> {
  const details = uids === undefined ? {} : { readsSaved: isSaved(uids) };
  const { words, ...base } = named("EXPUNGE", uids !== undefined, details);
  const sequences: number[] = [];
  let vanished = UidSet.empty;
  return {
    ...base,
    parts: uids === undefined ? words : [...words, set(uids)],
    take: (response) => {
      if (response.type === "expunge") sequences.push(response.sequence);
      else if (response.type === "vanished" && !response.earlier) vanished = vanished.union(response.uids);
      else return false;
      return true;
    },
    done: ({ code }) => ({
      ...{
        sequences,
        uids: vanished,
        highestModSeq: code?.name === "HIGHESTMODSEQ" ? code.modSeq : undefined,
      },
    }),
  };
}
