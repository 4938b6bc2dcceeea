/** AUTH (RFC 4954): SASL in SMTP's words. */
import {
  admit,
  decodeBase64,
  encodeBase64,
  SaslFailure,
  type SaslFailureReason,
  type SaslServerProfile,
  saslServer,
} from "../sasl/index.js";
import { authResponseDecoder } from "./codec.js";
import { linkOf } from "./server-ehlo.js";
import { replies, reply } from "./server-replies.js";
import type { Session } from "./server-session.js";
import type { SmtpReply } from "./types.js";

/** RFC 4954 sections 4 and 6. */
const refusals: Readonly<Record<SaslFailureReason, SmtpReply>> = {
  credentials: reply(535, "5.7.8", "Authentication credentials invalid"),
  authorization: reply(535, "5.7.8", "Authentication credentials invalid"),
  mechanism: reply(504, "5.5.4", "This mechanism is not offered"),
  encryption: reply(538, "5.7.11", "Encryption is required for this mechanism"),
  malformed: reply(501, "5.5.2", "This is no response of this mechanism"),
  cancelled: reply(501, "5.7.0", "Authentication cancelled"),
};
const welcome: SmtpReply = reply(235, "2.7.0", "Authentication succeeded");
const unavailable: SmtpReply = reply(454, "4.7.0", "Temporary authentication failure");
const tooManyFailures: SmtpReply = reply(421, "4.7.0", "Too many failed logins");

export async function auth(session: Session, argument: string): Promise<void> {
  const { accounts } = session.settings;
  if (accounts === undefined || session.settings.hide.includes("AUTH"))
    return await session.bad(replies.notImplemented);
  if (!session.extended || session.user !== undefined || session.mail !== undefined)
    return await session.reply(session.helo === "" ? replies.helloFirst : replies.badSequence);
  const [, mechanism = "", initial] = /^([A-Za-z0-9_-]{1,20})(?: +(\S+))?$/.exec(argument) ?? [];
  if (mechanism === "") return await session.bad(replies.malformed);
  const exchange = new Exchange(session);
  try {
    const server = saslServer(mechanism, accounts, linkOf(session));
    const first = initial === undefined ? undefined : decode(initial === "=" ? "" : initial);
    const { identity } = await admit(exchange, server, first);
    session.user = identity.user;
    session.clock.finish();
    await session.reply(welcome);
  } catch (error) {
    if (exchange.broken) throw error;
    await refuse(session, error);
  }
}

async function refuse(session: Session, error: unknown): Promise<void> {
  if (!(error instanceof SaslFailure)) {
    session.onError(error);
    return await session.reply(unavailable);
  }
  await session.reply(refusals[error.reason]);
  if (error.reason === "mechanism" || error.reason === "encryption" || error.reason === "cancelled") return;
  session.authFailures += 1;
  if (session.authFailures >= session.settings.maxAuthFailures) await session.reply(tooManyFailures);
}

/** Challenges and responses in lines of base64. */
class Exchange implements SaslServerProfile {
  readonly #session: Session;
  /** RFC 4954 section 4: 235 carries no data. */
  readonly successData = false;
  /** Whether it was the connection that failed. */
  broken = false;

  constructor(session: Session) {
    this.#session = session;
  }

  async challenge(data: Uint8Array): Promise<Uint8Array> {
    const line = await this.#exchange(data);
    const text = Buffer.from(line).toString("latin1");
    this.#session.channel.tracer.note("C", text === "*" ? "*" : "[secret]");
    if (text === "*") throw new SaslFailure("cancelled");
    return decode(text);
  }

  async #exchange(data: Uint8Array): Promise<Uint8Array> {
    try {
      await this.#session.channel.reply(`334 ${encodeBase64(data)}\r\n`);
      return await this.#session.receive(authResponseDecoder);
    } catch (error) {
      this.broken = true;
      throw error;
    }
  }
}

function decode(base64: string): Uint8Array {
  try {
    return decodeBase64(base64);
  } catch {
    throw new SaslFailure("malformed");
  }
}
