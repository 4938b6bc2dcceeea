/** APPEND and REPLACE: RFC 9051 section 6.3.12, RFC 3502, RFC 6855 section 4, RFC 8508. */
import type { NewMessage } from "../mail/store.js";
import { UidSet } from "./codec-sequence-set.js";
import { announce } from "./server-announce.js";
import type { Done } from "./server-auth.js";
import type { CommandFront } from "./server-dispatch.js";
import { bad, no } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { AppendMessage, CommandArguments } from "./types-command.js";
import type { ResponseCode } from "./types-response.js";

export async function append(
  session: Session,
  { mailbox, messages }: CommandArguments["APPEND"],
): Promise<Done> {
  return { code: await appendTo(session, mailbox, messages) };
}

async function appendTo(
  session: Session,
  mailbox: string,
  messages: readonly AppendMessage[],
): Promise<ResponseCode> {
  const given = messages.map((message) => newMessage(session, message));
  const { mailboxId } = await session.existing(mailbox, "TRYCREATE");
  const { uidValidity, uids } = await session.store.append(mailboxId, given, { origin: session });
  return { name: "APPENDUID", uidValidity, uids: UidSet.of(uids) };
}

function newMessage(session: Session, { data, flags, date, utf8 }: AppendMessage): NewMessage {
  if (!(data instanceof Uint8Array)) throw bad("CATENATE is not offered here");
  if (utf8 && !session.utf8) throw bad("UTF8 is not enabled");
  if (data.length === 0) throw no("an empty message is none");
  if (data.length > session.maxMessageBytes) throw no("this is too large", "TOOBIG");
  const kept = flags.filter((flag) => flag.toLowerCase() !== "\\recent");
  return { content: data, flags: kept, internalDate: date };
}

/** The new message comes in, and the old one goes out, in one command. */
export async function replace(
  session: Session,
  { message, uid, mailbox, by }: CommandArguments["REPLACE"] & CommandFront,
): Promise<Done> {
  const { writable } = session;
  const old = uid ? message : writable.uidAt(message);
  if (old === undefined || writable.sequenceOf(old) === 0) throw no("there is no such message", "CANNOT");
  const code = await appendTo(session, mailbox, [by]);
  session.status("OK", "replaced", code);
  const ranges = [{ first: old, last: old }];
  await session.store.expunge(writable.mailboxId, ranges, { all: true, origin: session });
  await announce(session, true);
  return {};
}
