/**
 * CRAM-MD5 (RFC 2195): `user SP HMAC-MD5(password, challenge)`. Off by default: a server must keep plain passwords for it,
 * nothing proves the server, and who reads along can guess the password at MD5's speed.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { reveal } from "../core/secret.js";
import { type Authenticator, authorize } from "./authenticator.js";
import { SaslFailure } from "./failure.js";
import { challengeText, checkText, earlySuccess, responseText, unexpectedChallenge, utf8 } from "./text.js";
import type { PasswordCredentials, SaslClient, SaslServer, SaslServerStep } from "./types.js";

const name = "CRAM-MD5";
/** The digest has no space, so that the last one ends the name, which may hold some. */
const answer = /^(?<user>[^\0]+) (?<digest>[0-9a-f]{32})$/;

/** The client's half of CRAM-MD5. */
export function cramMd5Client(credentials: PasswordCredentials): SaslClient {
  let answered = false;
  return {
    name,
    exposesPassword: false,
    clientFirst: false,
    async start(): Promise<undefined> {
      checkText(credentials.user, "the user name");
      checkText(reveal(credentials.password), "the password");
      answered = false;
    },
    async step(challenge: Uint8Array): Promise<Uint8Array> {
      // An empty challenge would make the answer a fixed hash of the password.
      if (answered || challengeText(challenge) === "") throw unexpectedChallenge(name);
      answered = true;
      return utf8(`${credentials.user} ${digest(reveal(credentials.password), challenge)}`);
    },
    finish(): void {
      if (!answered) throw earlySuccess(name);
    },
  };
}

/** The server's half of CRAM-MD5; `challenge` is for tests, and random otherwise. */
export function cramMd5Server(
  accounts: Authenticator,
  challenge: Uint8Array = utf8(`<${randomBytes(18).toString("hex")}@hawser>`),
): SaslServer {
  let asked = false;
  let done = false;
  return {
    name,
    async step(response: Uint8Array | undefined): Promise<SaslServerStep> {
      // The server speaks first: an initial response has nothing to answer.
      if (done || (response === undefined) === asked) throw new SaslFailure("malformed");
      asked = true;
      if (response === undefined) return { type: "challenge", data: challenge };
      done = true;
      const user = await verified(accounts, challenge, responseText(response));
      return { type: "success", identity: await authorize(accounts, name, user, "") };
    },
  };
}

async function verified(accounts: Authenticator, challenge: Uint8Array, response: string): Promise<string> {
  const { user, digest: given } = answer.exec(response)?.groups ?? {};
  if (user === undefined || given === undefined) throw new SaslFailure("malformed");
  const password = await accounts.plainPassword?.(user);
  // The same work where there is no such user, against a password that nobody has.
  const wanted = digest(password?.reveal() ?? randomBytes(16).toString("hex"), challenge);
  if (!timingSafeEqual(utf8(given), utf8(wanted))) throw new SaslFailure("credentials");
  return user;
}

function digest(password: string, challenge: Uint8Array): string {
  return createHmac("md5", password).update(challenge).digest("hex");
}
