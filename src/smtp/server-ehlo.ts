/** EHLO, HELO and LHLO: who the client is, and what it is offered (RFC 5321 section 4.1.1.1, RFC 2033 section 4.1). */
import { saslLink } from "../engine/sasl-link.js";
import { type SaslLink, serverMechanisms } from "../sasl/index.js";
import { parseHello, xclientAttributes } from "./codec.js";
import { formatEhlo } from "./codec-ehlo.js";
import { ask, isRefusal, replies } from "./server-replies.js";
import type { Session } from "./server-session.js";
import type { SmtpHonours } from "./types-server.js";

/** EHLO and LHLO: extensions are on. */
export async function extendedHello(session: Session, argument: string): Promise<void> {
  if (!(await hello(session, argument))) return;
  session.extended = true;
  session.keywords = keywordsOf(session);
  const greeting = formatEhlo(session.settings.name, session.keywords);
  await session.reply(greeting);
}

/** HELO: no extension is on. */
export async function plainHello(session: Session, argument: string): Promise<void> {
  if (!(await hello(session, argument))) return;
  session.extended = false;
  session.keywords = new Map();
  await session.reply({ code: 250, lines: [session.settings.name] });
}

/** Takes the client's name. Whatever message was begun is given up (RFC 5321 section 4.1.4). */
async function hello(session: Session, argument: string): Promise<boolean> {
  const name = nameOf(argument);
  if (name === undefined) {
    await session.bad(replies.malformed);
    return false;
  }
  const { handler } = session.settings;
  const answer = await ask(replies.ok, session.onError, () => handler.hello?.(name, session));
  if (isRefusal(answer)) {
    await session.reply(answer);
    return false;
  }
  session.reset();
  session.helo = name;
  return true;
}

function nameOf(argument: string): string | undefined {
  try {
    return parseHello(argument);
  } catch {
    return undefined;
  }
}

/** The link of this connection, for logins. */
export function linkOf({ channel, settings }: Session): SaslLink {
  return saslLink(channel.stream.transport, "server", { allowClearText: settings.allowClearTextAuth });
}

/** What this client is offered now, in the order in which it is said. */
function keywordsOf(session: Session): ReadonlyMap<string, string> {
  const { settings, tls } = session;
  const offered: readonly (readonly [string, string | undefined])[] = [
    ["PIPELINING", ""],
    ["SIZE", Number.isFinite(settings.maxMessageBytes) ? `${settings.maxMessageBytes}` : ""],
    ["8BITMIME", ""],
    ["SMTPUTF8", ""],
    ["CHUNKING", ""],
    ["BINARYMIME", settings.hide.includes("CHUNKING") ? undefined : ""],
    ["DSN", ""],
    ["ENHANCEDSTATUSCODES", ""],
    ["STARTTLS", offersStartTls(session) ? "" : undefined],
    ["REQUIRETLS", tls === undefined ? undefined : ""],
    ["AUTH", mechanismsFor(session)],
    ...honoured(settings.handler.honours ?? {}),
    ["LIMITS", limitsOf(session)],
    ["EXPN", settings.handler.expn === undefined ? undefined : ""],
    ["XCLIENT", mayUseXclient(session) ? xclientAttributes.join(" ") : undefined],
  ];
  return new Map(
    offered.filter((one): one is [string, string] => one[1] !== undefined && !settings.hide.includes(one[0])),
  );
}

function honoured(honours: SmtpHonours): (readonly [string, string | undefined])[] {
  const { futureRelease, deliverBySeconds, mtPriority } = honours;
  const release = futureRelease && `${futureRelease.maxIntervalSeconds} ${futureRelease.maxDateTime}`;
  return [
    ["FUTURERELEASE", release],
    [
      "DELIVERBY",
      deliverBySeconds === undefined ? undefined : deliverBySeconds > 0 ? `${deliverBySeconds}` : "",
    ],
    ["MT-PRIORITY", mtPriority],
  ];
}

/** RFC 9422 section 4. */
function limitsOf({ settings }: Session): string {
  const { maxRecipients, maxMessages, maxRecipientDomains } = settings;
  const limits = [
    ["MAILMAX", maxMessages],
    ["RCPTMAX", maxRecipients],
    ["RCPTDOMAINMAX", maxRecipientDomains],
  ] as const;
  return limits
    .filter(([, max]) => Number.isFinite(max))
    .map(([name, max]) => `${name}=${max}`)
    .join(" ");
}

/** Not within TLS (RFC 3207 section 4.2), and not where TLS began with the first byte. */
export function offersStartTls({ settings, tls }: Session): boolean {
  return settings.tls !== undefined && tls === undefined && !settings.hide.includes("STARTTLS");
}

/** The mechanisms for this link, or `undefined` where there are none. */
export function mechanismsFor(session: Session): string | undefined {
  const { accounts } = session.settings;
  const names = accounts === undefined ? [] : serverMechanisms(accounts, linkOf(session));
  return names.length === 0 ? undefined : names.join(" ");
}

/** Whether XCLIENT is for this client: by where it really is, not by what it told before. */
export function mayUseXclient({ settings, channel }: Session): boolean {
  const host = channel.stream.transport.remote?.host?.replace(/^::ffff:(?=\d+\.)/i, "");
  return host !== undefined && settings.xclientFrom?.includes(host) === true;
}
