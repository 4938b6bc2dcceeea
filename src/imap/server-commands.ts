/** From a frame to an answer: a command is read, looked up, carried out and answered. */
import { parseCommand, parseCommandHead } from "./codec-command-parser.js";
import type { Frame, LiteralEvent } from "./codec-framer.js";
import { announce } from "./server-announce.js";
import { type Done, startTls } from "./server-auth.js";
import { capabilitiesOf, offers } from "./server-capability.js";
import { type Verb, verbOf } from "./server-dispatch.js";
import { beginIdle, endIdle } from "./server-idle.js";
import { bad, no, refusalOf } from "./server-refusal.js";
import { maxMessagesFactor, type Session } from "./server-session.js";
import type { BadCommand, ImapCommand } from "./types-command.js";

/** A literal that is no message: a name, a search text, an annotation. */
const maxWordBytes = 65_536;

/** The greeting: RFC 9051 section 7.1. */
export async function greet(session: Session): Promise<void> {
  const { settings, connection } = session;
  try {
    await settings.handler.connect?.(session);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) session.report(error);
    return session.goodbye(refusal?.message ?? "not now");
  }
  if (await connection.interfere("connect", "connect")) return;
  const code = { name: "CAPABILITY", capabilities: capabilitiesOf(session) } as const;
  session.status("OK", `${settings.name} IMAP server ready`, code);
}

/** A literal is due: it is taken or refused before the client is told to send it (RFC 9051 section 4.3). */
export async function decideLiteral(session: Session, event: LiteralEvent): Promise<void> {
  const { tag, name } = parseCommandHead(event.before);
  const refusal =
    session.idleTag === undefined ? refusalOfLiteral(session, name, event) : bad("DONE ends IDLE");
  if (refusal === undefined) {
    session.appending ||= session.hasMail && isAppend(name);
    return session.connection.acceptLiteral(event.nonSync);
  }
  session.appending = false;
  session.connection.tracer.note("C", `${tag ?? ""} ${name} [a literal of ${event.octets} bytes]`);
  session.connection.refuseLiteral();
  if (refusal.status === "BAD" || tag === undefined) session.bad(tag, refusal.message, refusal.code);
  else session.status("NO", refusal.message, refusal.code, tag);
}

function isAppend(name: string): boolean {
  return name === "APPEND" || name === "REPLACE";
}

function refusalOfLiteral(session: Session, name: string, { octets, before }: LiteralEvent) {
  if (!session.hasMail)
    return octets > session.settings.maxPreAuthLiteralBytes ? bad("this is too large", "TOOBIG") : undefined;
  if (!isAppend(name)) return octets > maxWordBytes ? no("this is too large", "TOOBIG") : undefined;
  const max = session.maxMessageBytes;
  if (octets > max) return no(`a message has ${max} octets at most`, "TOOBIG");
  // The list ends with the literal that is asked about.
  const together = before.literals.reduce((sum, literal) => sum + literal.octets, 0);
  return together > maxMessagesFactor * max ? no("the messages together are too large", "TOOBIG") : undefined;
}

/** Carries out a command and answers it. */
export async function carryOut(session: Session, frame: Frame): Promise<void> {
  session.appending = false;
  if (session.idleTag !== undefined) return await endIdle(session, frame);
  const { limits } = session.settings;
  const command = parseCommand(frame, { utf8: session.utf8, limits });
  session.connection.tracer.note("C", shown(command, frame));
  const tag = command.tag ?? "*";
  const line = Buffer.from(frame.text).toString("latin1");
  const stage = command.name === "bad" ? command.verb : command.name;
  if (await session.connection.interfere(stage, line, tag)) return;
  if (command.name === "bad") session.bad(command.tag, command.reason);
  else await answer(session, command);
  session.connection.endReply();
  await session.connection.breathe();
}

async function answer(session: Session, command: ImapCommand): Promise<void> {
  const { tag } = command;
  try {
    if (await special(session, command)) return;
    const verb = checked(session, command);
    const done = await verb.run(session, command as never);
    await tell(session, verb, command.uid);
    finish(session, tag, done ?? undefined, command);
  } catch (error) {
    await failed(session, command, error);
  }
}

/** The commands that are not answered like others. */
async function special(session: Session, command: ImapCommand): Promise<boolean> {
  const { name, tag } = command;
  if (name === "LOGOUT") {
    session.goodbye("goodbye");
    session.status("OK", "LOGOUT completed", undefined, tag);
  } else if (name === "STARTTLS") await startTls(session, tag);
  else if (name === "IDLE") await beginIdle(session, tag);
  else if (name === "COMPRESS") await compress(session, command.mechanism, tag);
  else return false;
  return true;
}

async function compress(session: Session, mechanism: string, tag: string): Promise<void> {
  if (!session.hasMail) throw bad("log in first");
  if (session.connection.compressed) throw no("this is compressed already", "COMPRESSIONACTIVE");
  if (mechanism !== "DEFLATE" || !offers(session, "COMPRESS")) throw bad("there is no such compression");
  if (session.connection.hasInput) throw bad("nothing may follow COMPRESS before its answer");
  session.status("OK", "DEFLATE begins", undefined, tag);
  await session.connection.compress();
}

/** The commands that speak of sequence numbers where UID does not stand before them (RFC 9586 section 3). */
const numbered: ReadonlySet<string> = new Set([
  ...["FETCH", "STORE", "SEARCH", "SORT", "THREAD", "COPY", "MOVE", "REPLACE"],
]);

/** What the command does, where it is for this state. */
function checked(session: Session, { name, uid }: ImapCommand): Verb<never> {
  const verb = verbOf(name);
  const gone = verb?.capability !== undefined && session.hasMail && !offers(session, verb.capability);
  // RFC 9051 appendix E: these two are no more.
  const removed = session.rev2 && (name === "LSUB" || name === "CHECK");
  if (verb === undefined || gone || removed) throw bad("unknown command");
  if (!verb.states.includes(session.state)) throw bad(`${name} is not for the state: ${session.state}`);
  if (session.uidOnly && !uid && numbered.has(name)) throw bad("UIDONLY is enabled", "UIDREQUIRED");
  return verb;
}

async function tell(session: Session, { tells }: Verb<never>, uid: boolean): Promise<void> {
  if (tells !== "nothing") await announce(session, tells === "all" || uid);
  await session.notifications?.push(session);
}

function finish(session: Session, tag: string, done: Done | undefined, { name, uid }: ImapCommand): void {
  const text = done?.text ?? `${uid ? "UID " : ""}${name} completed`;
  session.done(tag, text, done?.code);
}

async function failed(session: Session, command: ImapCommand, error: unknown): Promise<void> {
  if (session.connection.raised(error)) throw error;
  session.refuse(command.tag, error);
  if (session.authFailures < session.settings.maxAuthFailures || session.hasMail) return;
  if (!session.over) session.goodbye("too many logins have failed");
}

/** A command as a trace may show it: without passwords. */
function shown(command: ImapCommand | BadCommand, { text }: Frame): string {
  const { tag = "*" } = command;
  // What is no command may be a password that came at the wrong time.
  if (command.name === "bad") return `${tag} ${command.verb} [not shown]`;
  if (command.name === "LOGIN") return `${tag} LOGIN ${JSON.stringify(command.user)} [secret]`;
  if (command.name !== "AUTHENTICATE") return Buffer.from(text.subarray(0, 600)).toString("utf8");
  const initial = command.initialResponse === undefined ? "" : " [secret]";
  return `${tag} AUTHENTICATE ${command.mechanism}${initial}`;
}
