/** STORE: RFC 9051 section 6.4.6, RFC 7162 section 3.1.3. */
import type { MessageInfo, StoreFlagsResult } from "../mail/store.js";
import { SequenceSet } from "./codec-sequence-set.js";
import { flagsLine, tellKeywords } from "./server-announce.js";
import type { Done } from "./server-auth.js";
import { enableCondStore } from "./server-capability.js";
import type { CommandFront } from "./server-dispatch.js";
import type { SelectedMailbox } from "./server-mailbox.js";
import { bad } from "./server-refusal.js";
import { uidsOf } from "./server-select.js";
import type { Session } from "./server-session.js";
import type { CommandArguments } from "./types-command.js";

const modes = { add: "add", remove: "remove", replace: "set" } as const;

export async function store(
  session: Session,
  command: CommandArguments["STORE"] & CommandFront,
): Promise<Done> {
  const { writable } = session;
  if (command.labels) throw bad("there are no labels here");
  const ranges = uidsOf(session, command.set, command.uid);
  if (command.unchangedSince !== undefined) await enableCondStore(session);
  // \Recent is the server's affair: a client that gives back all the flags it saw means the others.
  const flags = command.flags.filter((flag) => flag.toLowerCase() !== "\\recent");
  const change = { mode: modes[command.mode], flags, unchangedSince: command.unchangedSince };
  const result = await session.store.storeFlags(writable.mailboxId, ranges, change, { origin: session });
  await tellChanged(session, writable, command, result);
  return outcome(writable, command, result);
}

/** Silent ones hear nothing of flags; with CONDSTORE they hear the mod-sequence of what has changed. */
async function tellChanged(
  session: Session,
  mailbox: SelectedMailbox,
  { silent, uid }: CommandArguments["STORE"] & CommandFront,
  { changed, unchanged }: StoreFlagsResult,
): Promise<void> {
  if (silent && !session.condStore) return;
  const messages = silent ? changed : inOrder(changed, unchanged);
  tellKeywords(session, mailbox, messages);
  for (const message of messages) {
    if (mailbox.sequenceOf(message.uid) === 0) continue;
    session.connection.text(flagsLine(session, mailbox, message, { uid, silent }));
    await session.connection.breathe();
  }
}

function inOrder(a: readonly MessageInfo[], b: readonly MessageInfo[]): readonly MessageInfo[] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  return [...a, ...b].sort((one, other) => one.uid - other.uid);
}

function outcome(
  mailbox: SelectedMailbox,
  { uid }: CommandFront,
  { changed, unchanged, failed }: StoreFlagsResult,
): Done {
  if (failed.length > 0) {
    const set = SequenceSet.of(failed.map((each) => (uid ? each : mailbox.sequenceOf(each))).filter(Boolean));
    return { code: { name: "MODIFIED", set }, text: "some have changed since" };
  }
  const touched = changed.length + unchanged.length;
  return touched === 0 && mailbox.exists > 0 && !uid
    ? { code: { name: "EXPUNGEISSUED" }, text: "the messages are gone" }
    : {};
}
