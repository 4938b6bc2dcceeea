/** IDLE: RFC 9051 section 6.3.13. While it lasts, news is told as it comes. */
import type { Frame } from "./codec-framer.js";
import { pushChanges } from "./server-announce.js";
import { offers } from "./server-capability.js";
import { bad } from "./server-refusal.js";
import type { Session } from "./server-session.js";

/** Begins to idle; what has happened before is told at once. */
export async function beginIdle(session: Session, tag: string): Promise<void> {
  if (!session.hasMail) throw bad("log in first");
  if (!offers(session, "IDLE")) throw bad("unknown command");
  session.connection.text("+ idling\r\n");
  session.idleTag = tag;
  await pushChanges(session);
}

/** DONE ends it. Anything else is an error that ends it too. */
export async function endIdle(session: Session, { text }: Frame): Promise<void> {
  const tag = session.idleTag;
  const line = Buffer.from(text.subarray(0, 100)).toString("latin1");
  const isDone = /^done$/i.test(line);
  session.connection.tracer.note("C", isDone ? line : "[not shown]");
  if (isDone) await pushChanges(session);
  session.idleTag = undefined;
  if (await session.connection.interfere("DONE", line, tag)) return;
  if (isDone) session.status("OK", "IDLE completed", undefined, tag);
  else session.bad(tag, "DONE ends IDLE");
}
