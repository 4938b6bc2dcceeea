/** MAIL and RCPT: whom a message is from and to (RFC 5321 sections 4.1.1.2 and 4.1.1.3). */
import { type MailParameters, parseMailParameters, parseRcptParameters } from "./codec-parameters.js";
import { isAscii, parseMailbox, parsePathCommand } from "./codec-path.js";
import { foldDomain } from "./server-options.js";
import { ask, isRefusal, replies, reply } from "./server-replies.js";
import type { Session } from "./server-session.js";
import type { PathCommand, SmtpRecipient, SmtpReply } from "./types.js";
import type { SmtpMail } from "./types-server.js";

/** The parameters that each extension brings, of MAIL and of RCPT. */
const mailParameters: Readonly<Record<string, readonly string[]>> = {
  SIZE: ["SIZE"],
  "8BITMIME": ["BODY"],
  SMTPUTF8: ["SMTPUTF8"],
  DSN: ["RET", "ENVID"],
  REQUIRETLS: ["REQUIRETLS"],
  FUTURERELEASE: ["HOLDFOR", "HOLDUNTIL"],
  DELIVERBY: ["BY"],
  "MT-PRIORITY": ["MT-PRIORITY"],
  AUTH: ["AUTH"],
};
const rcptParameters: Readonly<Record<string, readonly string[]>> = { DSN: ["NOTIFY", "ORCPT"] };

export async function mail(session: Session, argument: string): Promise<void> {
  const early = mailTooEarly(session);
  if (early !== undefined) return await session.reply(early);
  const command = readPath(argument, "FROM");
  if (command === undefined) return await session.bad(replies.malformed);
  if (!areOffered(session, command, mailParameters)) return await session.bad(replies.unknownParameter);
  const parameters = readMail(command.parameters);
  if (parameters === undefined) return await session.bad(replies.malformed);
  const asked = toMail(session, command.path, parameters);
  const refusal = refusalOfMail(session, asked);
  if (refusal !== undefined) return await session.reply(refusal);
  const { handler } = session.settings;
  const answer =
    handler.mail === undefined
      ? replies.senderOk
      : await ask(replies.senderOk, session.onError, () => handler.mail?.(asked, session));
  if (!isRefusal(answer)) begin(session, asked);
  await session.reply(answer);
}

function mailTooEarly(session: Session): SmtpReply | undefined {
  if (session.helo === "") return replies.helloFirst;
  if (session.mail !== undefined) return replies.badSequence;
  if (session.settings.requireAuth === true && session.user === undefined) return replies.loginFirst;
  if (session.messages >= session.settings.maxMessages)
    return reply(452, "4.5.3", "No more messages on this connection");
  return undefined;
}

function readPath(argument: string, keyword: "FROM" | "TO"): PathCommand | undefined {
  try {
    return parsePathCommand(argument, keyword);
  } catch {
    return undefined;
  }
}

function readMail(parameters: ReadonlyMap<string, string>): MailParameters | undefined {
  if (parameters.size === 0) return { smtpUtf8: false };
  try {
    return parseMailParameters(parameters);
  } catch {
    return undefined;
  }
}

/** RFC 5321 section 4.1.1.11: a parameter that was not offered is refused, and so is any after HELO. */
function areOffered(
  { keywords }: Session,
  { parameters }: PathCommand,
  known: Readonly<Record<string, readonly string[]>>,
): boolean {
  if (parameters.size === 0) return true;
  const offered = new Set([...keywords.keys()].flatMap((keyword) => known[keyword] ?? []));
  const binary = /^binarymime$/i.test(parameters.get("BODY") ?? "");
  return [...parameters.keys()].every((name) => offered.has(name)) && (!binary || keywords.has("BINARYMIME"));
}

/** RFC 4954 section 5: who handed a message in is believed of nobody who has not logged in. */
function toMail(session: Session, from: string, parameters: MailParameters): SmtpMail {
  if (parameters.authenticatedSender === undefined || session.user !== undefined)
    return { from, ...parameters };
  return { from, ...parameters, authenticatedSender: "" };
}

function refusalOfMail({ settings }: Session, asked: SmtpMail): SmtpReply | undefined {
  // RFC 6531 section 3.5.
  if (!asked.smtpUtf8 && !isAscii(asked.from)) return reply(550, "5.6.7", "This address needs SMTPUTF8");
  // RFC 1870 section 6.1.
  if ((asked.sizeOctets ?? 0) > settings.maxMessageBytes) return replies.tooLarge;
  const { futureRelease, deliverBySeconds = 0 } = settings.handler.honours ?? {};
  const longest = futureRelease?.maxIntervalSeconds ?? 0;
  const latest = Date.parse(futureRelease?.maxDateTime ?? "");
  if ((asked.holdForSeconds ?? 0) > longest || (asked.holdUntil?.getTime() ?? 0) > latest)
    return reply(501, "5.5.4", "Messages are not held for so long");
  if (asked.deliverBy?.mode === "return" && asked.deliverBy.seconds < Math.max(1, deliverBySeconds))
    return reply(501, "5.5.4", "Messages are not delivered so soon");
  return undefined;
}

function begin(session: Session, asked: SmtpMail): void {
  session.mail = asked;
  // Whoever hands mail in is no client that only holds a connection.
  session.clock.finish();
}

export async function rcpt(session: Session, argument: string): Promise<void> {
  if (session.mail === undefined || session.receiving !== undefined)
    return await session.reply(replies.badSequence);
  const answer = await recipientAnswer(session, argument);
  if (answer === replies.malformed || answer === replies.unknownParameter) return await session.bad(answer);
  if (isRefusal(answer)) session.refusedRecipients += 1;
  await session.reply(answer);
}

async function recipientAnswer(session: Session, argument: string): Promise<SmtpReply> {
  const command = readPath(argument, "TO");
  if (command === undefined) return replies.malformed;
  if (!areOffered(session, command, rcptParameters)) return replies.unknownParameter;
  const recipient = readRecipient(command);
  if (recipient === undefined) return replies.malformed;
  const refusal = refusalOfRecipient(session, command);
  if (refusal !== undefined) return refusal;
  const { handler } = session.settings;
  const answer =
    handler.rcpt === undefined
      ? replies.recipientOk
      : await ask(replies.recipientOk, session.onError, () => handler.rcpt?.(recipient, session));
  if (!isRefusal(answer)) session.recipients.push(recipient);
  return answer;
}

function readRecipient({ path, parameters }: PathCommand): SmtpRecipient | undefined {
  if (parameters.size === 0) return { address: path };
  try {
    return { address: path, ...parseRcptParameters(parameters) };
  } catch {
    return undefined;
  }
}

function refusalOfRecipient(session: Session, { path, sourceRoute }: PathCommand): SmtpReply | undefined {
  if (session.mail?.smtpUtf8 !== true && !isAscii(path))
    return reply(553, "5.6.7", "This address needs SMTPUTF8");
  if (sourceRoute || !isForUs(session, path)) return replies.relaying;
  // RFC 5321 section 4.5.3.1.10: the others are delivered, and the client tries this one again.
  if (session.recipients.length >= session.settings.maxRecipients)
    return reply(452, "4.5.3", "Too many recipients");
  return isOneDomainTooMany(session, path) ? reply(452, "4.5.3", "Too many domains") : undefined;
}

/**
 * Whether the address stands for somebody here. `user%other@here`, `other!user@here` and `"user@other"@here` ask to pass a
 * message on, whatever domains there are. Postmaster needs no domain (RFC 5321 section 4.5.1).
 */
function isForUs({ settings }: Session, path: string): boolean {
  const mailbox = parseMailbox(path);
  if (mailbox === undefined || /[%!@]/.test(mailbox.localPart)) return false;
  return mailbox.domain === "" || settings.domains?.has(foldDomain(mailbox.domain)) !== false;
}

function isOneDomainTooMany({ settings, recipients }: Session, path: string): boolean {
  if (settings.maxRecipientDomains === Number.POSITIVE_INFINITY) return false;
  const domains = [...recipients.map(({ address }) => address), path].map(domainOf);
  return new Set(domains).size > settings.maxRecipientDomains;
}

function domainOf(address: string): string {
  return foldDomain(address.slice(address.lastIndexOf("@") + 1));
}
