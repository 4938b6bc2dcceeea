/** The table of commands, and the loop that goes by it. */
import { LimitError, RemoteProtocolError } from "../core/errors.js";
import { commandDecoder, parseCommand } from "./codec.js";
import { auth } from "./server-auth.js";
import { bdat, data, skipBdat } from "./server-data.js";
import { extendedHello, plainHello } from "./server-ehlo.js";
import { greet } from "./server-greeting.js";
import { mail, rcpt } from "./server-mail.js";
import { ask, isOfTheClient, replies } from "./server-replies.js";
import type { Session } from "./server-session.js";
import { startTls, xclient } from "./server-tls.js";
import type { SmtpCommand } from "./types.js";

interface Command {
  run(session: Session, argument: string): Promise<void>;
  /** Whether it stands alone on its line. */
  readonly alone?: boolean;
  /** Whether it is taken before TLS by a server that requires it (RFC 3207 section 4). */
  readonly beforeTls?: boolean;
  /** The protocol that it belongs to, where it is not of both. */
  readonly only?: "smtp" | "lmtp";
  /** What still has to be read where a fault has answered. */
  skip?(session: Session, argument: string): Promise<void>;
}

/** RFC 5321 section 4.1.1; BDAT of RFC 3030, AUTH of RFC 4954, STARTTLS of RFC 3207, LHLO of RFC 2033. */
const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["EHLO", { run: extendedHello, beforeTls: true, only: "smtp" }],
  ["HELO", { run: plainHello, beforeTls: true, only: "smtp" }],
  ["LHLO", { run: extendedHello, beforeTls: true, only: "lmtp" }],
  ["MAIL", { run: mail }],
  ["RCPT", { run: rcpt }],
  ["DATA", { run: data, alone: true }],
  ["BDAT", { run: bdat, skip: skipBdat }],
  ["RSET", { run: rset, alone: true }],
  ["VRFY", { run: vrfy }],
  ["EXPN", { run: expn }],
  ["HELP", { run: help }],
  ["NOOP", { run: (session) => session.reply(replies.ok), beforeTls: true }],
  ["QUIT", { run: quit, alone: true, beforeTls: true }],
  ["STARTTLS", { run: startTls, alone: true, beforeTls: true }],
  ["AUTH", { run: auth }],
  ["XCLIENT", { run: xclient, beforeTls: true }],
]);

/** Commands that are known and not for this server (RFC 5321 appendix F, RFC 821). */
const oldCommands: ReadonlySet<string> = new Set(["SEND", "SOML", "SAML", "TURN", "ETRN", "ATRN"]);

/** The whole conversation. It ends in good order whatever the client does. */
export async function converse(session: Session): Promise<void> {
  try {
    session.clock.begin("logging in", session.settings.preAuthMs);
    if (!session.over) await greet(session);
    const decode = commandDecoder(session.settings.maxCommandLineBytes);
    while (!session.over) {
      const line = await session.nextCommand(decode);
      await obey(session, line);
      if (session.closing) await session.reply(replies.closing);
    }
    await session.waiting(() => session.channel.hangUp());
  } catch (error) {
    await breakOff(session, error);
  } finally {
    await session.end();
  }
}

/** What ended the conversation in its middle. */
async function breakOff(session: Session, error: unknown): Promise<void> {
  if (!isOfTheClient(error)) session.settings.onError(error);
  if (session.over) return;
  if (error instanceof LimitError) await session.reply(replies.lineTooLong);
  // A client that has only finished its own half is still owed what was said.
  if (error instanceof LimitError || session.channel.stream.queue.ended)
    await session.waiting(() => session.channel.hangUp());
}

function obey(session: Session, line: Uint8Array | "too long"): Promise<void> {
  if (line === "too long") return session.bad(replies.lineTooLong);
  const command = read(session, line);
  if (command === undefined) return session.bad(replies.noCommand);
  const found = commands.get(command.verb);
  return session.settings.faults === undefined
    ? run(session, found, command)
    : runUnlessFaulty(session, found, command);
}

async function runUnlessFaulty(
  session: Session,
  found: Command | undefined,
  command: SmtpCommand,
): Promise<void> {
  const { verb, argument } = command;
  if (!(await session.interfered(verb, argument === "" ? verb : `${verb} ${argument}`)))
    return await run(session, found, command);
  await found?.skip?.(session, argument);
}

function run(session: Session, found: Command | undefined, { verb, argument }: SmtpCommand): Promise<void> {
  const protocol = protocolOf(session);
  if (found === undefined || (found.only ?? protocol) !== protocol)
    return session.bad(oldCommands.has(verb) ? replies.notImplemented : replies.unknown);
  if (session.settings.requireTls === true && session.tls === undefined && found.beforeTls !== true)
    return refuseBeforeTls(session, found, argument);
  if (found.alone === true && argument !== "") return session.bad(replies.noArgument);
  return found.run(session, argument);
}

function read(session: Session, line: Uint8Array): SmtpCommand | undefined {
  try {
    const command = parseCommand(line);
    session.channel.tracer.note("C", shown(command));
    return command;
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    session.channel.tracer.note("C", error.excerpt);
    return undefined;
  }
}

/** A command as it may be shown: the initial response of AUTH is a secret. */
function shown({ verb, argument }: SmtpCommand): string {
  if (verb !== "AUTH") return argument === "" ? verb : `${verb} ${argument}`;
  const [mechanism = "", ...rest] = argument.split(" ");
  return rest.length === 0 ? `AUTH ${mechanism}` : `AUTH ${mechanism} [secret]`;
}

function protocolOf({ settings }: Session): "smtp" | "lmtp" {
  return settings.lmtp ? "lmtp" : "smtp";
}

async function refuseBeforeTls(session: Session, command: Command, argument: string): Promise<void> {
  await command.skip?.(session, argument);
  await session.reply(replies.tlsFirst);
}

async function rset(session: Session): Promise<void> {
  session.reset();
  await session.reply(replies.ok);
}

async function vrfy(session: Session, argument: string): Promise<void> {
  if (argument === "") return await session.bad(replies.malformed);
  const { handler, vrfy: policy } = session.settings;
  if (handler.vrfy !== undefined)
    return await session.reply(
      await ask(replies.ok, session.onError, () => handler.vrfy?.(argument, session)),
    );
  await session.reply(policy === "no" ? replies.notImplemented : replies.cannotVerify);
}

async function expn(session: Session, argument: string): Promise<void> {
  const { handler } = session.settings;
  if (handler.expn === undefined) return await session.bad(replies.notImplemented);
  if (argument === "") return await session.bad(replies.malformed);
  await session.reply(await ask(replies.ok, session.onError, () => handler.expn?.(argument, session)));
}

async function help(session: Session, argument: string): Promise<void> {
  const { handler } = session.settings;
  const known = [...commands].filter(([, { only }]) => only === undefined || only === protocolOf(session));
  const usual = { code: 214, enhancedCode: "2.0.0", lines: [known.map(([verb]) => verb).join(" ")] };
  await session.reply(await ask(usual, session.onError, () => handler.help?.(argument, session)));
}

async function quit(session: Session): Promise<void> {
  await session.reply(replies.bye);
  session.over = true;
}
