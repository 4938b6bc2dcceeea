/** The two loops that carry an exchange: a client over its protocol's profile, and a server over its own. */
import { LocalProtocolError, ReplyError } from "../core/errors.js";
import { SaslFailure } from "./failure.js";
import { earlySuccess } from "./text.js";
import {
  carriesPasswords,
  type Identity,
  type SaslClient,
  type SaslLink,
  type SaslProfile,
  type SaslServer,
  type SaslServerProfile,
  type SaslStep,
} from "./types.js";

/**
 * Logs in: runs the client's half of a mechanism over a protocol. Where the server refuses a token and the caller has a
 * function that gets one, that is called once more, and the login is tried once more on the same connection.
 *
 * @throws {ReplyError} the server refused (the protocol's own error, or an {@link OAuthError} around it).
 * @throws {RemoteProtocolError} the server broke the mechanism's rules, or did not prove that it knows the password.
 * @throws {LocalProtocolError} the mechanism shows the password, and the link is not encrypted. Nothing was sent.
 */
export async function authenticate(
  profile: SaslProfile,
  client: SaslClient,
  link: Pick<SaslLink, "encrypted" | "allowClearText">,
): Promise<void> {
  if (client.exposesPassword && !carriesPasswords(link)) throw clearTextRefused(client.name);
  for (;;) {
    const refusal = await attempt(profile, client);
    if (refusal === undefined) return;
    const error = client.refused === undefined ? refusal : await client.refused(refusal);
    if (error !== undefined) throw error;
  }
}

/** The error for a password that would cross a clear link. */
export function clearTextRefused(mechanism: string): LocalProtocolError {
  return new LocalProtocolError(
    `${mechanism} would send the password or token over a connection that is not encrypted: ` +
      "use TLS, or allow it with allowClearText: true",
  );
}

/** One exchange. Returns the server's refusal, and throws everything else. */
async function attempt(profile: SaslProfile, client: SaslClient): Promise<ReplyError | undefined> {
  const initial = await client.start();
  let reply = await orRefusal(begin(profile, client.name, initial));
  while (!(reply instanceof ReplyError) && reply.type === "challenge") {
    const answer = await answerOrCancel(profile, client, reply.data);
    reply = await orRefusal(profile.respond(answer));
  }
  if (reply instanceof ReplyError) return reply;
  await client.finish(reply.data);
  return undefined;
}

/** The server's refusal as a value, so that no error of the client's half is taken for one. */
async function orRefusal(step: Promise<SaslStep>): Promise<SaslStep | ReplyError> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof ReplyError) return error;
    throw error;
  }
}

async function begin(
  profile: SaslProfile,
  mechanism: string,
  initial: Uint8Array | undefined,
): Promise<SaslStep> {
  if (initial === undefined || fits(profile, initial)) return await profile.begin(mechanism, initial);
  // What the first challenge says is not looked at: it should be empty, and some servers greet in it.
  const { type } = await profile.begin(mechanism);
  if (type === "success") throw earlySuccess(mechanism);
  return await profile.respond(initial);
}

function fits({ maxInitialBytes }: SaslProfile, initial: Uint8Array): boolean {
  return maxInitialBytes === undefined || (maxInitialBytes > 0 && initial.length <= maxInitialBytes);
}

async function answerOrCancel(
  profile: SaslProfile,
  client: SaslClient,
  challenge: Uint8Array,
): Promise<Uint8Array> {
  try {
    return await client.step(challenge);
  } catch (error) {
    // Why the exchange ends is what the caller must hear, whatever becomes of the cancelling.
    await profile.cancel().catch(() => {});
    throw error;
  }
}

/** What a server's exchange ended with. */
export interface Admission {
  readonly identity: Identity;
  /** Goes out with the protocol's success; only where the profile said that it can. */
  readonly data?: Uint8Array | undefined;
}

/**
 * Lets a client in: runs the server's half of a mechanism over a protocol. The protocol sends its own success or failure.
 *
 * @throws {SaslFailure} it did not come to that; everything else that a profile or an account throws goes through.
 */
export async function admit(
  profile: SaslServerProfile,
  server: SaslServer,
  initial?: Uint8Array,
): Promise<Admission> {
  let step = await server.step(initial);
  while (step.type === "challenge") step = await server.step(await profile.challenge(step.data));
  const { identity, data } = step;
  if (data === undefined || profile.successData) return { identity, data };
  // RFC 4422 section 3.6: the data go out as a challenge, and the client answers with nothing.
  if ((await profile.challenge(data)).length > 0) throw new SaslFailure("malformed");
  return { identity };
}
