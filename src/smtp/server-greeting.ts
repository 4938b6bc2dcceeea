/** The first word (RFC 5321 section 3.1). */
import { ask, isRefusal } from "./server-replies.js";
import type { Session } from "./server-session.js";
import type { SmtpReply } from "./types.js";

/** Greets the client, or turns it away and ends the session. */
export async function greet(session: Session): Promise<void> {
  if (await session.interfered("connect")) return;
  const { handler } = session.settings;
  const answer = await ask(greetingOf(session), session.onError, () => handler.connect?.(session));
  await session.reply(isRefusal(answer) ? answer : greeting(session, answer));
  if (isRefusal(answer)) session.over = true;
}

function greetingOf({ settings }: Session): SmtpReply {
  return { code: 220, lines: [`${settings.name} ${settings.lmtp ? "LMTP" : "ESMTP"} ready`] };
}

/** The greeting begins with the server's name, and has no enhanced code (RFC 2034 section 3). */
function greeting(session: Session, { lines }: SmtpReply): SmtpReply {
  const own = lines[0]?.startsWith(session.settings.name) === true;
  return own
    ? { code: 220, lines }
    : { code: 220, lines: lines.map((line) => `${session.settings.name} ${line}`) };
}
