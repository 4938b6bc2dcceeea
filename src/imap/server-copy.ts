/** COPY, MOVE, EXPUNGE: RFC 9051 sections 6.4.3, 6.4.7, 6.4.8 and 6.4.9; UIDPLUS (RFC 4315), MOVE (RFC 6851). */
import type { CopyResult } from "../mail/store.js";
import { UidSet } from "./codec-sequence-set.js";
import { announce } from "./server-announce.js";
import type { Done } from "./server-auth.js";
import type { CommandFront } from "./server-dispatch.js";
import { no } from "./server-refusal.js";
import { uidsOf } from "./server-select.js";
import type { Session } from "./server-session.js";
import type { CommandArguments } from "./types-command.js";
import type { ResponseCode } from "./types-response.js";

export async function copy(
  session: Session,
  { set, uid, mailbox }: CommandArguments["COPY"] & CommandFront,
): Promise<Done> {
  const { selected } = session;
  const ranges = uidsOf(session, set, uid);
  const target = await session.existing(mailbox, "TRYCREATE");
  const options = { origin: session };
  const result = await session.store.copy(selected.mailboxId, ranges, target.mailboxId, options);
  const code = copyUid(result);
  return code === undefined ? {} : { code };
}

/** RFC 6851 section 4.3: COPYUID comes untagged, before the expunges. */
export async function move(
  session: Session,
  { set, uid, mailbox }: CommandArguments["MOVE"] & CommandFront,
): Promise<Done> {
  const { writable } = session;
  const ranges = uidsOf(session, set, uid);
  const target = await session.existing(mailbox, "TRYCREATE");
  if (target.mailboxId === writable.mailboxId) throw no("the messages are there already", "CANNOT");
  const options = { origin: session };
  const result = await session.store.move?.(writable.mailboxId, ranges, target.mailboxId, options);
  const code = result === undefined ? undefined : copyUid(result);
  if (code !== undefined) session.status("OK", "moved", code);
  return await toldWithModSeq(session);
}

function copyUid({ uidValidity, source, destination }: CopyResult): ResponseCode | undefined {
  if (source.length === 0) return undefined;
  return { name: "COPYUID", uidValidity, source: UidSet.of(source), destination: UidSet.of(destination) };
}

/** EXPUNGE, and UID EXPUNGE of some messages alone. */
export async function expunge(
  session: Session,
  { set }: CommandArguments["EXPUNGE"] & CommandFront,
): Promise<Done> {
  const { writable } = session;
  const ranges = set === undefined ? undefined : uidsOf(session, set, true);
  await session.store.expunge(writable.mailboxId, ranges, { origin: session });
  return await toldWithModSeq(session);
}

/** RFC 7162 section 3.2.7: who keeps a copy is told how far it reaches once the expunges are told. */
async function toldWithModSeq(session: Session): Promise<Done> {
  if (!session.condStore) return {};
  await announce(session, true);
  const { highestModSeq } = await session.store.status(session.selected.mailboxId);
  return { code: { name: "HIGHESTMODSEQ", modSeq: highestModSeq } };
}
