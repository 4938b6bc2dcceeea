/** COPY, MOVE, EXPUNGE: RFC 9051 sections 6.4.3, 6.4.7, 6.4.8 and 6.4.9; UIDPLUS (RFC 4315), MOVE (RFC 6851). */
import { type CopyResult, rangesOf, type UidRange } from "../mail/store.js";
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
  const code = copyUid(await moveTo(session, writable.mailboxId, ranges, target.mailboxId));
  if (code !== undefined) session.status("OK", "moved", code);
  return await toldWithModSeq(session);
}

/** A store that cannot move copies, and then removes what it has copied (RFC 6851 section 3.3). */
async function moveTo(
  session: Session,
  from: string,
  ranges: readonly UidRange[],
  to: string,
): Promise<CopyResult> {
  const { store } = session;
  const options = { origin: session };
  if (store.move !== undefined) return await store.move(from, ranges, to, options);
  const result = await store.copy(from, ranges, to, options);
  await store.expunge(from, rangesOf(result.source), { ...options, all: true });
  return result;
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
