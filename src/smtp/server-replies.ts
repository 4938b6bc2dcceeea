/** What a server says, and how a handler's answers become replies. */
import { HawserError } from "../core/errors.js";
import { formatReply } from "./codec-reply.js";
import { SmtpError } from "./errors.js";
import type { SmtpReply } from "./types.js";
import type { Awaitable, SmtpAnswer } from "./types-server.js";

/** One line with an enhanced code (RFC 3463). */
export function reply(code: number, enhancedCode: string, text: string): SmtpReply {
  return { code, enhancedCode, lines: [text] };
}

type ReplyName =
  | "ok"
  | "senderOk"
  | "recipientOk"
  | "accepted"
  | "goAhead"
  | "bye"
  | "cannotVerify"
  | "failed"
  | "badSequence"
  | "helloFirst"
  | "unknown"
  | "notImplemented"
  | "noCommand"
  | "lineTooLong"
  | "noArgument"
  | "malformed"
  | "unknownParameter"
  | "tlsFirst"
  | "loginFirst"
  | "tooLarge"
  | "relaying"
  | "tooManyErrors"
  | "closing";

/** The replies that have no more to tell. */
export const replies: Readonly<Record<ReplyName, SmtpReply>> = {
  ok: reply(250, "2.0.0", "Ok"),
  senderOk: reply(250, "2.1.0", "Sender ok"),
  recipientOk: reply(250, "2.1.5", "Recipient ok"),
  accepted: reply(250, "2.0.0", "Message accepted"),
  goAhead: { code: 354, lines: ["End data with <CR><LF>.<CR><LF>"] },
  bye: reply(221, "2.0.0", "Bye"),
  cannotVerify: reply(252, "2.5.2", "Cannot VRFY the user, but will take the message and try"),
  failed: reply(451, "4.3.0", "Something went wrong here; try again later"),
  badSequence: reply(503, "5.5.1", "Not now"),
  helloFirst: reply(503, "5.5.1", "Say hello first"),
  unknown: reply(500, "5.5.1", "Unknown command"),
  notImplemented: reply(502, "5.5.1", "Command not implemented"),
  noCommand: reply(500, "5.5.2", "This is no command"),
  lineTooLong: reply(500, "5.5.2", "Line too long"),
  noArgument: reply(501, "5.5.4", "The command takes no argument"),
  malformed: reply(501, "5.5.4", "The argument is malformed"),
  unknownParameter: reply(555, "5.5.4", "A parameter is not known or not offered"),
  tlsFirst: reply(530, "5.7.0", "Must issue a STARTTLS command first"),
  loginFirst: reply(530, "5.7.0", "Authentication required"),
  tooLarge: reply(552, "5.3.4", "The message is larger than this server takes"),
  relaying: reply(550, "5.7.1", "Relaying denied"),
  tooManyErrors: reply(421, "4.7.0", "Too many errors"),
  closing: reply(421, "4.3.2", "The server is closing"),
};

const wires: WeakMap<SmtpReply, string> = new WeakMap(
  Object.values(replies).map((one) => [one, formatReply(one)] as const),
);

/** A reply as it goes onto the wire; those above are formatted once. */
export function wireOf(given: SmtpReply): string {
  return wires.get(given) ?? formatReply(given);
}

/** Calls a handler's method. A promise only where the method gives one. */
export function ask(
  usual: SmtpReply,
  onError: (error: unknown) => void,
  call: () => Awaitable<SmtpAnswer>,
): Awaitable<SmtpReply> {
  try {
    const answer = call();
    if (answer === undefined) return usual;
    if (!(answer instanceof Promise)) return replyOf(answer, usual);
    return answer.then((later) => replyOf(later, usual)).catch((error) => replyOfError(error, onError));
  } catch (error) {
    return replyOfError(error, onError);
  }
}

/**
 * A handler's answer as a reply.
 *
 * @throws {LocalProtocolError} it cannot be sent: a control character, or no code of a reply.
 */
export function replyOf(answer: SmtpAnswer, usual: SmtpReply): SmtpReply {
  if (answer === undefined) return usual;
  const given = typeof answer === "string" ? { ...usual, lines: [answer] } : withEnhancedCode(answer);
  wires.set(given, formatReply(given));
  return given;
}

/** RFC 2034 section 4: with ENHANCEDSTATUSCODES every reply has such a code. */
function withEnhancedCode(given: SmtpReply): SmtpReply {
  const hasNone = given.enhancedCode === undefined && given.code !== 354;
  const category = Math.floor(given.code / 100);
  return hasNone && category !== 3 ? { ...given, enhancedCode: `${category}.0.0` } : given;
}

/** What a handler threw: its refusal, or a failure that is none of the client's business. */
export function replyOfError(error: unknown, onError: (error: unknown) => void): SmtpReply {
  if (error instanceof SmtpError && isRefusal(error.reply)) {
    try {
      return replyOf(error.reply, replies.failed);
    } catch (cause) {
      onError(cause);
      return replies.failed;
    }
  }
  onError(error);
  return replies.failed;
}

/** Whether a reply says no. */
export function isRefusal({ code }: SmtpReply): boolean {
  return code >= 400;
}

/** What the client did, or the network: no affair of whoever runs the server. */
export function isOfTheClient(error: unknown): boolean {
  return error instanceof HawserError && error.fault !== "caller" && error.fault !== "platform";
}
