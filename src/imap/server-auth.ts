/** How a client gets in: LOGIN, AUTHENTICATE (RFC 9051 section 6.2, RFC 4959), STARTTLS before it, UNAUTHENTICATE after it. */
import { RemoteProtocolError } from "../core/errors.js";
import {
  admit,
  decodeBase64,
  encodeBase64,
  type Identity,
  plainServer,
  SaslFailure,
  type SaslFailureReason,
  type SaslServerProfile,
  saslServer,
} from "../sasl/index.js";
import { capabilitiesOf, offersStartTls, takesPasswords } from "./server-capability.js";
import { bad, no, type Refusal } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { CommandArguments } from "./types-command.js";
import type { ResponseCode } from "./types-response.js";

/** How a command ends well. */
export interface Done {
  readonly text?: string;
  readonly code?: ResponseCode;
}

/** A token of some KiB fits, a flood does not. */
const maxResponseBytes = 22_000;
const encoder: TextEncoder = new TextEncoder();

const refusals: Readonly<Record<SaslFailureReason, () => Refusal>> = {
  credentials: () => no("these credentials are not good", "AUTHENTICATIONFAILED"),
  authorization: () => no("these credentials are not good", "AUTHENTICATIONFAILED"),
  mechanism: () => no("this mechanism is not offered", "CANNOT"),
  encryption: () => no("this mechanism needs TLS", "PRIVACYREQUIRED"),
  malformed: () => bad("this is no response of this mechanism"),
  cancelled: () => bad("cancelled"),
};

export async function login(session: Session, { user, password }: CommandArguments["LOGIN"]): Promise<Done> {
  if (!takesPasswords(session)) throw no("no passwords here in the clear", "PRIVACYREQUIRED");
  return await letIn(session, async () => {
    const message = encoder.encode(`\0${user}\0${password.reveal()}`);
    const step = await plainServer(session.settings.accounts).step(message);
    if (step.type !== "success") throw new SaslFailure("malformed");
    return { ...step.identity, mechanism: "LOGIN" };
  });
}

export async function authenticate(
  session: Session,
  { mechanism, initialResponse }: CommandArguments["AUTHENTICATE"],
): Promise<Done> {
  return await letIn(session, async () => {
    const server = saslServer(mechanism, session.settings.accounts, session.link);
    const sent = initialResponse?.reveal();
    const initial = sent === undefined ? undefined : decoded(sent === "=" ? "" : sent);
    return (await admit(profileOf(session), server, initial)).identity;
  });
}

function profileOf(session: Session): SaslServerProfile {
  const { connection } = session;
  return {
    // RFC 9051 section 6.2.2: a tagged OK has no room for data.
    successData: false,
    challenge: async (data) => {
      connection.text(`+ ${encodeBase64(data)}\r\n`);
      const line = await connection.receive((queue) => queue.takeLine(maxResponseBytes), {
        what: "a response",
        timeoutMs: session.timeoutMs(),
      });
      const text = Buffer.from(line).toString("latin1");
      connection.tracer.note("C", text === "*" ? "*" : "[secret]");
      if (text === "*") throw new SaslFailure("cancelled");
      return decoded(text);
    },
  };
}

function decoded(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (error) {
    throw error instanceof RemoteProtocolError ? new SaslFailure("malformed") : error;
  }
}

/** Lets a client in, or says why not. */
async function letIn(session: Session, identify: () => Promise<Identity>): Promise<Done> {
  let identity: Identity;
  try {
    identity = await identify();
  } catch (error) {
    if (!(error instanceof SaslFailure)) throw error;
    countFailure(session, error);
    throw refusals[error.reason]();
  }
  await session.open(identity);
  return { code: { name: "CAPABILITY", capabilities: capabilitiesOf(session) }, text: "welcome" };
}

function countFailure(session: Session, { reason }: SaslFailure): void {
  if (reason === "mechanism" || reason === "encryption" || reason === "cancelled") return;
  session.authFailures += 1;
}

/** Bytes that came behind STARTTLS end the connection: somebody else may have put them there. */
export async function startTls(session: Session, tag: string): Promise<void> {
  const { tls } = session.settings;
  if (tls === undefined || !offersStartTls(session)) throw bad("no STARTTLS here");
  session.status("OK", "begin TLS now", undefined, tag);
  await session.connection.startTls(tls);
  // RFC 9051 section 11.1: what was said before counts for nothing.
  session.enabled.clear();
}

/** RFC 8437: all is as it was before the login, but for TLS and compression. */
export async function unauthenticate(session: Session): Promise<void> {
  await session.leave();
}
