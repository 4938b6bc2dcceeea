/** DATA and BDAT: the message itself (RFC 5321 section 4.1.1.4, RFC 3030). */
import { dotBlockDecoder } from "../wire/dot-block.js";
import { chunkDecoder, parseBdat } from "./codec.js";
import { Receiving } from "./server-content.js";
import { isRefusal, replies, reply } from "./server-replies.js";
import type { Session } from "./server-session.js";
import type { SmtpReply } from "./types.js";
import type { SmtpTransaction } from "./types-server.js";

export async function data(session: Session): Promise<void> {
  const { envelope } = session;
  const refusal = refusalOfContent(session, envelope);
  if (refusal !== undefined || envelope === undefined)
    return await session.reply(refusal ?? replies.badSequence);
  // RFC 3030 section 3: a binary message could hold what ends a dot block.
  if (session.receiving !== undefined || envelope.body === "binarymime")
    return await session.reply(replies.badSequence);
  await session.reply(replies.goAhead);
  const answered = await session.interfered("content");
  if (answered) return await drop(session, dotBlockDecoder());
  const receiving = new Receiving(session, envelope);
  session.receiving = receiving;
  await receiving.take(dotBlockDecoder());
  await complete(session, receiving);
}

/** Why no message can come now. */
function refusalOfContent(session: Session, envelope: SmtpTransaction | undefined): SmtpReply | undefined {
  if (envelope === undefined) return replies.badSequence;
  if (envelope.to.length === 0)
    return session.refusedRecipients > 0 ? reply(554, "5.5.1", "No valid recipients") : replies.badSequence;
  if (session.settings.handler.data === undefined) return reply(554, "5.3.2", "No message is taken here");
  return undefined;
}

/** Answers for the message as a whole; with LMTP for each recipient (RFC 2033 section 4.2). */
async function complete(session: Session, receiving: Receiving): Promise<void> {
  const answers = await receiving.finish();
  session.forget();
  session.messages += 1;
  session.badCommands = 0;
  if (await session.interfered("message")) return;
  if (session.settings.lmtp) for (const answer of answers) await session.reply(answer);
  else await session.reply(answers.find(isRefusal) ?? answers[0] ?? replies.accepted);
}

/** Reads what comes and keeps nothing of it. The message that it belonged to is given up. */
async function drop(session: Session, decode: ReturnType<typeof dotBlockDecoder>): Promise<void> {
  session.reset();
  session.clock.begin("the message", session.settings.messageMs);
  while ((await session.receive(decode)) !== null);
  session.clock.finish();
}

/** A chunk. Its bytes come whatever the answer is, so they are read first (RFC 3030 section 2). */
export async function bdat(session: Session, argument: string): Promise<void> {
  const chunk = readChunk(argument);
  if (chunk === undefined) {
    // Where the chunk ends is unknown, and what follows must not be taken for commands.
    await session.reply(replies.malformed);
    session.over = true;
    return;
  }
  const decode = chunkDecoder(chunk.bytes);
  const receiving = await receivingChunks(session, decode);
  if (receiving === undefined) return;
  await receiving.take(decode);
  if (receiving.early !== undefined) return await refuseChunks(session, receiving, chunk.last);
  if (chunk.last) await complete(session, receiving);
  else await session.reply(reply(250, "2.0.0", `${chunk.bytes} octets received`));
}

/** Skips the chunk of a BDAT that a fault has answered. */
export async function skipBdat(session: Session, argument: string): Promise<void> {
  const chunk = readChunk(argument);
  if (chunk === undefined) session.over = true;
  else await drop(session, chunkDecoder(chunk.bytes));
}

function readChunk(argument: string): ReturnType<typeof parseBdat> | undefined {
  try {
    return parseBdat(argument);
  } catch {
    return undefined;
  }
}

/** The message that the chunk belongs to: one that was begun, or a new one. `undefined`: it was refused. */
async function receivingChunks(
  session: Session,
  decode: ReturnType<typeof chunkDecoder>,
): Promise<Receiving | undefined> {
  if (session.receiving !== undefined) return session.receiving;
  const { envelope } = session;
  const offered = !session.settings.hide.includes("CHUNKING");
  const refusal = offered ? refusalOfContent(session, envelope) : replies.notImplemented;
  if (refusal !== undefined || envelope === undefined) {
    await drop(session, decode);
    await session.reply(refusal ?? replies.badSequence);
    return undefined;
  }
  if (await session.interfered("content")) {
    await drop(session, decode);
    return undefined;
  }
  session.receiving = new Receiving(session, envelope);
  return session.receiving;
}

/** The message has failed. The chunks that are under way find no message and are refused (RFC 3030 section 2). */
async function refuseChunks(session: Session, receiving: Receiving, last: boolean): Promise<void> {
  const refusal = receiving.early ?? replies.failed;
  const { envelope } = session;
  await receiving.cancel();
  session.forget();
  const times = session.settings.lmtp && last ? (envelope?.to.length ?? 1) : 1;
  for (let index = 0; index < times; index += 1) await session.reply(refusal);
}
