/** STARTTLS (RFC 3207) and XCLIENT (Postfix's XCLIENT_README): after both the session begins anew. */
import { parseXclient } from "./codec.js";
import { mayUseXclient, offersStartTls } from "./server-ehlo.js";
import { greet } from "./server-greeting.js";
import { replies, reply } from "./server-replies.js";
import type { Session, Told } from "./server-session.js";

export async function startTls(session: Session): Promise<void> {
  const { tls } = session.settings;
  if (tls === undefined || session.settings.hide.includes("STARTTLS"))
    return await session.bad(replies.notImplemented);
  if (!offersStartTls(session) || session.mail !== undefined) return await session.reply(replies.badSequence);
  await session.reply(reply(220, "2.0.0", "Ready to start TLS"));
  // Bytes that have arrived by now were put in by somebody in between: the channel ends the connection.
  await session.waiting(() => session.channel.startTls(tls));
  session.restart();
}

export async function xclient(session: Session, argument: string): Promise<void> {
  if (!mayUseXclient(session) || session.settings.hide.includes("XCLIENT"))
    return await session.bad(reply(550, "5.7.0", "XCLIENT is not for this client"));
  if (session.mail !== undefined) return await session.reply(replies.badSequence);
  const attributes = readAttributes(argument);
  if (attributes === undefined) return await session.bad(replies.malformed);
  const before = session.told;
  session.restart();
  session.told = toldBy(session, attributes, before);
  session.user = attributes.get("LOGIN");
  await greet(session);
}

type Attributes = ReturnType<typeof parseXclient>;

function readAttributes(argument: string): Attributes | undefined {
  try {
    return parseXclient(argument);
  } catch {
    return undefined;
  }
}

function toldBy(session: Session, attributes: Attributes, before: Told | undefined): Told {
  const known = before?.remote ?? session.remote;
  const host = attributes.get("ADDR")?.replace(/^IPV6:/i, "");
  const port = /^\d{1,5}$/.exec(attributes.get("PORT") ?? "")?.[0];
  const told = attributes.has("ADDR") || attributes.has("PORT");
  return {
    remote: told ? { host: host ?? known?.host, port: port === undefined ? undefined : Number(port) } : known,
    remoteName: attributes.has("NAME") ? attributes.get("NAME") : before?.remoteName,
  };
}
