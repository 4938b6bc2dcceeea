/** How a client logs in: AUTH (RFC 5034), APOP and USER/PASS (RFC 1939 section 7). */
import { createHash } from "node:crypto";
import type { OpOptions } from "../core/deadline.js";
import { AuthError, HawserError, LocalProtocolError } from "../core/errors.js";
import { reveal, Secret } from "../core/secret.js";
import type { CommandChannel } from "../engine/command-channel.js";
import {
  authenticate,
  base64Length,
  type Credentials,
  choose,
  decodeBase64,
  encodeBase64,
  type PasswordCredentials,
  type SaslClient,
  type SaslLink,
  type SaslProfile,
  type SaslStep,
} from "../sasl/index.js";
import { checkedArgument, commandLine } from "../wire/command-line.js";
import { maxCommandBytes } from "./codec.js";
import { loginError, Pop3Error } from "./errors.js";
import type { Pop3Capabilities, Pop3Reply } from "./types.js";

type Channel = CommandChannel<Pop3Reply>;

/** What a login depends on. */
export interface LoginContext extends OpOptions {
  readonly channel: Channel;
  readonly capabilities: Pop3Capabilities;
  readonly link: SaslLink;
  /** The greeting's timestamp, where APOP is allowed. */
  readonly timestamp: string | undefined;
}

/** @throws {LocalProtocolError} something in the credentials cannot be sent. Nothing was sent. */
export function checkCredentials(credentials: Credentials): void {
  for (const value of Object.values(credentials) as unknown[])
    if (typeof value === "string" || value instanceof Secret) checkedArgument(reveal(value), "the login");
}

/** Logs in by SASL alone. */
export async function loginBySasl(credentials: Credentials, context: LoginContext): Promise<void> {
  const { capabilities, link } = context;
  await bySasl(choose(capabilities.sasl, credentials, link), context);
}

/** Logs in by the best way that both sides have: SASL, APOP, USER and PASS. */
export async function logIn(credentials: Credentials, context: LoginContext): Promise<void> {
  const { link, timestamp, capabilities } = context;
  const client = mechanismOrError(credentials, context);
  if (!(client instanceof HawserError)) return await bySasl(client, context);
  if (
    !("password" in credentials) ||
    credentials.mechanism !== undefined ||
    credentials.authzid !== undefined
  )
    throw client;
  if (timestamp !== undefined) return await byApop(credentials, timestamp, context);
  // A server without USER in its list would refuse, and the password would have been shown for nothing.
  if (capabilities.keywords.size > 0 && !capabilities.user) throw client;
  checkClearText(link);
  await byPassword(credentials, context);
}

function mechanismOrError(
  credentials: Credentials,
  { capabilities, link }: LoginContext,
): SaslClient | HawserError {
  try {
    return choose(capabilities.sasl, credentials, link);
  } catch (error) {
    if (error instanceof AuthError || error instanceof LocalProtocolError) return error;
    throw error;
  }
}

/** @throws {LocalProtocolError} a password would cross a link that is not encrypted, and nobody has allowed that. */
export function checkClearText(link: SaslLink): void {
  if (link.encrypted || link.allowClearText === true) return;
  throw new LocalProtocolError(
    "PASS would send the password over a connection that is not encrypted: use TLS, or allow it with allowClearText: true",
  );
}

async function bySasl(client: SaslClient, context: LoginContext): Promise<void> {
  try {
    await authenticate(saslProfile(client.name, context), client, context.link);
  } catch (error) {
    throw refused(error, context);
  }
}

async function byApop(
  credentials: PasswordCredentials,
  timestamp: string,
  context: LoginContext,
): Promise<void> {
  const digest = apopDigest(timestamp, credentials.password);
  await call(context, "APOP", apopName(credentials.user), new Secret(digest));
}

async function byPassword({ user, password }: PasswordCredentials, context: LoginContext): Promise<void> {
  await call(context, "USER", user);
  await call(context, "PASS", secretOf(password));
}

async function call(context: LoginContext, verb: string, ...args: (string | Secret)[]): Promise<void> {
  const line = commandLine(verb, ...args);
  const reply = await context.channel.call(line, context);
  if (reply.status !== "+OK") throw refused(new Pop3Error(reply, { command: line.shown }), context);
}

function refused(error: unknown, { capabilities }: LoginContext): unknown {
  return error instanceof Pop3Error ? loginError(error, capabilities.authResponseCode) : error;
}

/** A name for APOP: a space would end it early. */
export function apopName(user: string): string {
  if (/^[^\s]+$/.test(user)) return user;
  throw new LocalProtocolError("APOP takes no user name with a space in it, and no empty one");
}

/** RFC 1939 section 7: MD5 over the timestamp and the password, in hexadecimal. */
export function apopDigest(timestamp: string, password: string | Secret): string {
  return createHash("md5")
    .update(timestamp + reveal(password))
    .digest("hex");
}

/** A password on its way: wrapped, so that no trace shows it. */
export function secretOf(password: string | Secret): Secret {
  return typeof password === "string" ? new Secret(password) : password;
}

/** RFC 5034 section 4: the mechanism and its messages in base64, `=` for an empty initial response. */
function saslProfile(mechanism: string, context: LoginContext): SaslProfile {
  const { channel } = context;
  const step = async (wire: string, shown: string, command: string): Promise<SaslStep> =>
    stepOf(await channel.call({ wire: `${wire}\r\n`, shown }, context), command);
  return {
    maxInitialBytes: maxInitialBytes(mechanism),
    begin: (name, initial) => {
      const response = initial === undefined ? "" : ` ${encodeBase64(initial) || "="}`;
      const shown = `AUTH ${name}`;
      return step(shown + response, response === "" ? shown : `${shown} [secret]`, shown);
    },
    respond: (data) => step(encodeBase64(data), "[secret]", `AUTH ${mechanism}`),
    cancel: async () => {
      await channel.call({ wire: "*\r\n", shown: "*" }, context);
    },
  };
}

/** The whole command must fit in 255 octets (RFC 5034 section 4); a longer response waits for the challenge. */
function maxInitialBytes(mechanism: string): number {
  const room = maxCommandBytes - "AUTH  ".length - mechanism.length;
  const bytes = 3 * Math.floor(room / 4);
  return base64Length(bytes) <= room ? bytes : 0;
}

function stepOf(reply: Pop3Reply, command: string): SaslStep {
  if (reply.status === "-ERR") throw new Pop3Error(reply, { command });
  if (reply.status === "+OK") return { type: "success" };
  return { type: "challenge", data: decodeBase64(reply.text) };
}
