/** What MAIL and RCPT may carry besides a path: each extension's parameters, both directions. */
import { LocalProtocolError, RemoteProtocolError, UnsupportedError } from "../core/errors.js";
import { checkedArgument } from "../wire/command-line.js";
import { formatXtext, parseXtext } from "./codec-path.js";
import type { DsnNotify, MailOptions, SmtpExtensions, SmtpRecipient } from "./types.js";

/** RFC 3461 section 4.4. */
const maxEnvelopeIdChars = 100;
/** RFC 3461 section 4.2. */
const maxOriginalRecipientChars = 500;

/**
 * The parameters of MAIL, each with the space before it.
 *
 * @throws {UnsupportedError} the server does not offer what is asked for.
 * @throws {LocalProtocolError} a value cannot be sent.
 */
export function formatMailParameters(options: MailOptions, extensions: SmtpExtensions): string {
  return [
    bodyParameter(options, extensions),
    returnParameter(options, extensions),
    envelopeIdParameter(options, extensions),
    requireTlsParameter(options, extensions),
    holdParameter(options, extensions),
    deliverByParameter(options, extensions),
    priorityParameter(options, extensions),
    senderParameter(options, extensions),
  ].join("");
}

function need(offered: boolean, extension: string): void {
  if (!offered) throw new UnsupportedError(extension, `the server does not offer ${extension}`);
}

/** RFC 6152 section 2, RFC 3030 section 3. */
function bodyParameter({ body }: MailOptions, extensions: SmtpExtensions): string {
  if (body === undefined || body === "7bit") return "";
  if (body === "binarymime") need(extensions.binaryMime && extensions.chunking, "BINARYMIME");
  else need(extensions.eightBitMime, "8BITMIME");
  return ` BODY=${body.toUpperCase()}`;
}

/** RFC 3461 section 4.3. */
function returnParameter({ returnContent }: MailOptions, extensions: SmtpExtensions): string {
  if (returnContent === undefined) return "";
  need(extensions.dsn, "DSN");
  return returnContent === "full" ? " RET=FULL" : " RET=HDRS";
}

/** RFC 3461 section 4.4. */
function envelopeIdParameter({ envelopeId }: MailOptions, extensions: SmtpExtensions): string {
  if (envelopeId === undefined) return "";
  need(extensions.dsn, "DSN");
  const xtext = formatXtext(checkedArgument(envelopeId, "ENVID"));
  if (xtext.length > maxEnvelopeIdChars)
    throw new LocalProtocolError(`envelopeId is longer than ${maxEnvelopeIdChars} characters`);
  return ` ENVID=${xtext}`;
}

/** RFC 8689 section 2. */
function requireTlsParameter({ requireTls }: MailOptions, extensions: SmtpExtensions): string {
  if (requireTls !== true) return "";
  need(extensions.requireTls, "REQUIRETLS");
  return " REQUIRETLS";
}

/** RFC 4865 section 4. */
function holdParameter({ holdForSeconds, holdUntil }: MailOptions, extensions: SmtpExtensions): string {
  if (holdForSeconds === undefined && holdUntil === undefined) return "";
  need(extensions.futureRelease !== undefined, "FUTURERELEASE");
  if (holdForSeconds !== undefined && holdUntil !== undefined)
    throw new LocalProtocolError("holdForSeconds and holdUntil exclude each other");
  if (holdForSeconds !== undefined)
    return ` HOLDFOR=${whole(holdForSeconds, 1, 999_999_999, "holdForSeconds")}`;
  return ` HOLDUNTIL=${holdUntil?.toISOString().replace(/\.\d+Z$/, "Z")}`;
}

/** RFC 2852 section 4: `BY=120;R`. */
function deliverByParameter({ deliverBy }: MailOptions, extensions: SmtpExtensions): string {
  if (deliverBy === undefined) return "";
  need(extensions.deliverBySeconds !== undefined, "DELIVERBY");
  const seconds = whole(deliverBy.seconds, -999_999_999, 999_999_999, "deliverBy.seconds");
  if (deliverBy.mode === "return" && seconds < Math.max(1, extensions.deliverBySeconds ?? 0))
    throw new LocalProtocolError("deliverBy.seconds is less than the server takes");
  return ` BY=${seconds};${deliverBy.mode === "return" ? "R" : "N"}${deliverBy.trace === true ? "T" : ""}`;
}

/** RFC 6710 section 3. */
function priorityParameter({ priority }: MailOptions, extensions: SmtpExtensions): string {
  if (priority === undefined) return "";
  need(extensions.mtPriority !== undefined, "MT-PRIORITY");
  return ` MT-PRIORITY=${whole(priority, -9, 9, "priority")}`;
}

/** RFC 4954 section 5. */
function senderParameter({ authenticatedSender }: MailOptions, extensions: SmtpExtensions): string {
  if (authenticatedSender === undefined) return "";
  need(extensions.auth.size > 0, "AUTH");
  const value = authenticatedSender === "" ? "<>" : authenticatedSender;
  return ` AUTH=${formatXtext(checkedArgument(value, "AUTH"))}`;
}

function whole(value: number, min: number, max: number, name: string): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new LocalProtocolError(`${name} must be a whole number from ${min} to ${max}`);
}

/** The parameters of RCPT (RFC 3461 section 4.1 and 4.2), each with the space before it. */
export function formatRcptParameters(recipient: SmtpRecipient, extensions: SmtpExtensions): string {
  const { notify, originalRecipient } = recipient;
  if (notify === undefined && originalRecipient === undefined) return "";
  need(extensions.dsn, "DSN");
  return `${notifyParameter(notify)}${originalParameter(originalRecipient)}`;
}

function notifyParameter(notify: DsnNotify | undefined): string {
  if (notify === undefined) return "";
  if (notify === "never") return " NOTIFY=NEVER";
  const known = notify.every((when) => /^(success|failure|delay)$/.test(when));
  if (notify.length === 0 || !known)
    throw new LocalProtocolError('notify is "never", or some of "success", "failure" and "delay"');
  return ` NOTIFY=${notify.join(",").toUpperCase()}`;
}

function originalParameter(original: string | undefined): string {
  if (original === undefined) return "";
  const [, type = "rfc822", address = ""] =
    /^(?:([A-Za-z0-9-]+);)?(.+)$/s.exec(checkedArgument(original, "ORCPT")) ?? [];
  const parameter = ` ORCPT=${type};${formatXtext(address)}`;
  if (address === "" || parameter.length > maxOriginalRecipientChars)
    throw new LocalProtocolError("originalRecipient is empty or too long");
  return parameter;
}

/** MAIL's parameters as the server understands them. */
export interface MailParameters extends MailOptions {
  readonly sizeOctets?: number | undefined;
  readonly smtpUtf8: boolean;
}

const bodies = ["7bit", "8bitmime", "binarymime"] as const;
const events = ["success", "failure", "delay"] as const;

/** How each parameter of MAIL is read. A server answers 555 to any other (RFC 5321 section 4.1.1.11). */
const mailReaders: Readonly<Record<string, (value: string) => Partial<MailParameters>>> = {
  SIZE: (value) => ({ sizeOctets: readNumber(value, /^\d{1,20}$/, "SIZE") }),
  BODY: (value) => ({ body: readWord(value, bodies, "BODY") }),
  SMTPUTF8: () => ({ smtpUtf8: true }),
  REQUIRETLS: () => ({ requireTls: true }),
  RET: (value) => ({
    returnContent: readWord(value, ["full", "hdrs"], "RET") === "full" ? "full" : "headers",
  }),
  ENVID: (value) => ({ envelopeId: parseXtext(value) }),
  HOLDFOR: (value) => ({ holdForSeconds: readNumber(value, /^[1-9]\d{0,8}$/, "HOLDFOR") }),
  HOLDUNTIL: (value) => ({ holdUntil: readDate(value) }),
  BY: (value) => ({ deliverBy: readDeliverBy(value) }),
  "MT-PRIORITY": (value) => ({ priority: readNumber(value, /^-?\d$/, "MT-PRIORITY") }),
  AUTH: (value) => ({ authenticatedSender: parseXtext(value).replace(/^<>$/, "") }),
};

/**
 * Reads the parameters of MAIL. Those that the server does not know must have been refused before.
 *
 * @throws {RemoteProtocolError} a value is malformed. The session goes on: the caller answers 501.
 */
export function parseMailParameters(parameters: ReadonlyMap<string, string>): MailParameters {
  let read: MailParameters = { smtpUtf8: false };
  for (const [name, value] of parameters) read = { ...read, ...mailReaders[name]?.(value) };
  return read;
}

/** Reads the parameters of RCPT. */
export function parseRcptParameters(parameters: ReadonlyMap<string, string>): Omit<SmtpRecipient, "address"> {
  const notify = parameters.get("NOTIFY");
  const original = parameters.get("ORCPT");
  return {
    ...(notify !== undefined && { notify: readNotify(notify) }),
    ...(original !== undefined && { originalRecipient: readOriginal(original) }),
  };
}

function readNotify(value: string): DsnNotify {
  const words = value.toLowerCase().split(",");
  if (words.length === 1 && words[0] === "never") return "never";
  return words.map((word) => readWord(word, events, "NOTIFY"));
}

function readOriginal(value: string): string {
  const [, type = "", xtext = ""] = /^([A-Za-z0-9-]+);(.+)$/.exec(value) ?? [];
  if (type === "") throw malformed("ORCPT", value);
  return `${type};${parseXtext(xtext)}`;
}

function readNumber(value: string, form: RegExp, name: string): number {
  if (!form.test(value)) throw malformed(name, value);
  return Number(value);
}

function readWord<T extends string>(value: string, words: readonly T[], name: string): T {
  const found = words.find((word) => word === value.toLowerCase());
  if (found === undefined) throw malformed(name, value);
  return found;
}

function readDate(value: string): Date {
  const date = new Date(value);
  if (!/^\d{4}-\d\d-\d\dT/.test(value) || Number.isNaN(date.getTime())) throw malformed("HOLDUNTIL", value);
  return date;
}

function readDeliverBy(value: string): NonNullable<MailOptions["deliverBy"]> {
  const [, seconds = "", mode = "", trace] = /^(-?\d{1,9});([RN])(T?)$/i.exec(value) ?? [];
  if (seconds === "") throw malformed("BY", value);
  return {
    seconds: Number(seconds),
    mode: mode.toUpperCase() === "R" ? "return" : "notify",
    ...(trace !== "" && { trace: true }),
  };
}

function malformed(name: string, value: string): RemoteProtocolError {
  return new RemoteProtocolError(`the parameter ${name} is malformed`, {
    excerpt: value,
    rfc: "RFC 5321 section 4.1.2",
  });
}
