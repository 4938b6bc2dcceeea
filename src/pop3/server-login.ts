/** How a client logs in: USER and PASS, APOP (RFC 1939 section 7), AUTH (RFC 5034), STLS before it (RFC 2595). */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { RemoteProtocolError } from "../core/errors.js";
import {
  admit,
  decodeBase64,
  encodeBase64,
  type Identity,
  plainServer,
  prepare,
  SaslFailure,
  type SaslServerProfile,
  saslServer,
  serverMechanisms,
} from "../sasl/index.js";
import { Pop3Error } from "./errors.js";
import type { Conversation } from "./server-conversation.js";

/** RFC 5034 section 4 sets no limit of its own for responses: a token of some KiB fits, a flood does not. */
const maxResponseBytes = 22_000;
const encoder: TextEncoder = new TextEncoder();

/** Whether USER and PASS serve on this connection. */
export function takesPasswords({ settings, link }: Conversation): boolean {
  return settings.accounts.verify !== undefined && (link.encrypted || link.allowClearText === true);
}

/** Every name gets the same answer: which of them exist is nobody's business (RFC 1939 section 7). */
export async function user(conversation: Conversation, name: string): Promise<void> {
  if (name === "") return await conversation.bad("USER takes a name");
  if (!takesPasswords(conversation)) return await conversation.refuse("no passwords here in the clear");
  conversation.userName = name;
  await conversation.ok("now the password");
}

/** The argument is the password with all its spaces. */
export async function pass(conversation: Conversation, password: string): Promise<void> {
  const { userName, settings } = conversation;
  conversation.userName = undefined;
  if (userName === undefined) return await conversation.bad("USER comes first");
  if (!takesPasswords(conversation)) return await conversation.refuse("no passwords here in the clear");
  await logIn(conversation, async () => {
    const step = await plainServer(settings.accounts).step(encoder.encode(`\0${userName}\0${password}`));
    if (step.type !== "success") throw new SaslFailure("malformed");
    return { ...step.identity, mechanism: "USER" };
  });
}

/** `APOP mrose c4c9334bac560ecc979e58001b3e22fb`. */
export async function apop(conversation: Conversation, argument: string): Promise<void> {
  const [, name, digest] = /^(\S+) +([0-9a-fA-F]{32})$/.exec(argument) ?? [];
  if (name === undefined || digest === undefined)
    return await conversation.bad("APOP takes a name and a digest");
  await logIn(conversation, async () => await apopIdentity(conversation, name, digest.toLowerCase()));
}

async function apopIdentity(
  { settings, timestamp }: Conversation,
  name: string,
  digest: string,
): Promise<Identity> {
  const password = await settings.accounts.plainPassword?.(name);
  // The same work where there is no such user, against a password that nobody has.
  const secret = password?.reveal() ?? randomBytes(16).toString("hex");
  const wanted = createHash("md5").update(`${timestamp}${secret}`).digest("hex");
  if (!timingSafeEqual(encoder.encode(digest), encoder.encode(wanted))) throw new SaslFailure("credentials");
  const prepared = await prepare(name, "the user name");
  return { user: prepared, authenticatedAs: prepared, mechanism: "APOP" };
}

/** `AUTH` alone lists the mechanisms, as servers older than RFC 5034 do; `AUTH PLAIN [initial response]` begins. */
export async function auth(conversation: Conversation, argument: string): Promise<void> {
  const { settings, link } = conversation;
  if (argument === "")
    return await conversation.list(
      "mechanisms follow",
      serverMechanisms(settings.accounts, link).map(toLine),
    );
  const [, name, initial] = /^([A-Za-z0-9_-]{1,20})(?: +(\S+))?$/.exec(argument) ?? [];
  if (name === undefined) return await conversation.bad("AUTH takes a mechanism");
  await logIn(conversation, async () => {
    const server = saslServer(name, settings.accounts, link);
    const first = initial === undefined ? undefined : responseOf(initial === "=" ? "" : initial);
    return (await admit(profileOf(conversation), server, first)).identity;
  });
}

function toLine(mechanism: string): string {
  return `${mechanism}\r\n`;
}

function profileOf(conversation: Conversation): SaslServerProfile {
  const { channel, settings } = conversation;
  return {
    successData: false,
    challenge: async (data) => {
      await channel.reply(`+ ${encodeBase64(data)}\r\n`);
      const line = await channel.receive((queue) => queue.takeCrLfLine(maxResponseBytes), {
        what: "a response",
        timeoutMs: Math.min(settings.idleMs, settings.preAuthMs),
      });
      const text = Buffer.from(line).toString("latin1");
      channel.tracer.note("C", text === "*" ? "*" : "[secret]");
      if (text === "*") throw new SaslFailure("cancelled");
      return responseOf(text);
    },
  };
}

function responseOf(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (error) {
    throw error instanceof RemoteProtocolError ? new SaslFailure("malformed") : error;
  }
}

/** Lets a client in, or tells it why not. */
async function logIn(conversation: Conversation, identify: () => Promise<Identity>): Promise<void> {
  let identity: Identity;
  try {
    identity = await identify();
  } catch (error) {
    if (!(error instanceof SaslFailure)) throw error;
    return await refuse(conversation, error);
  }
  checkDelay(conversation, identity.user);
  await conversation.open(identity);
  conversation.logins.set(identity.user, Date.now());
  const octets = conversation.octets.reduce((sum, each) => sum + each, 0);
  await conversation.ok(`${conversation.octets.length} messages (${octets} octets)`);
}

async function refuse(conversation: Conversation, { reason, message }: SaslFailure): Promise<void> {
  if (reason === "mechanism" || reason === "encryption") return await conversation.bad(message);
  if (reason === "cancelled") return await conversation.refuse(message);
  conversation.authFailures += 1;
  conversation.over = conversation.authFailures >= conversation.settings.maxAuthFailures;
  await conversation.refuse(message, "AUTH");
}

/** RFC 2449 section 6.5. */
function checkDelay({ settings, logins }: Conversation, name: string): void {
  const { loginDelaySeconds = 0 } = settings;
  const sinceMs = Date.now() - (logins.get(name) ?? 0);
  if (sinceMs >= loginDelaySeconds * 1000) return;
  throw new Pop3Error({
    responseCode: "LOGIN-DELAY",
    text: `wait ${loginDelaySeconds} seconds between logins`,
  });
}

/** Bytes that came behind STLS end the connection: somebody else may have put them there. */
export async function stls(conversation: Conversation): Promise<void> {
  const { settings, channel } = conversation;
  if (settings.tls === undefined || conversation.channel.tls !== undefined)
    return await conversation.bad("no STLS here");
  await conversation.ok("begin TLS now");
  await channel.startTls(settings.tls);
  conversation.userName = undefined;
}
