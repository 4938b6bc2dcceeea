/** LOGIN: an expired draft that every mail client speaks. The server asks for the name, then for the password. */
import { reveal, Secret } from "../core/secret.js";
import { type Authenticator, authorize } from "./authenticator.js";
import { SaslFailure } from "./failure.js";
import { challengeText, checkText, earlySuccess, responseText, unexpectedChallenge, utf8 } from "./text.js";
import type { PasswordCredentials, SaslClient, SaslServer, SaslServerStep } from "./types.js";

/** The client's half of LOGIN. What the prompts say differs between servers, so that only their order counts. */
export function loginClient(credentials: PasswordCredentials): SaslClient {
  let prompts = 0;
  const answers = [() => credentials.user, () => reveal(credentials.password)];
  return {
    name: "LOGIN",
    exposesPassword: true,
    clientFirst: false,
    async start(): Promise<undefined> {
      checkText(credentials.user, "the user name");
      checkText(reveal(credentials.password), "the password");
      prompts = 0;
    },
    async step(challenge: Uint8Array): Promise<Uint8Array> {
      challengeText(challenge);
      const answer = answers[prompts];
      if (answer === undefined) throw unexpectedChallenge("LOGIN");
      prompts += 1;
      return utf8(answer());
    },
    finish(): void {
      if (prompts < answers.length) throw earlySuccess("LOGIN");
    },
  };
}

/** The server's half of LOGIN. An initial response is the user name, as several clients send it. */
export function loginServer(accounts: Authenticator): SaslServer {
  let asked = false;
  let user: string | undefined;
  let done = false;
  return {
    name: "LOGIN",
    async step(response: Uint8Array | undefined): Promise<SaslServerStep> {
      if (done || (response === undefined && asked)) throw new SaslFailure("malformed");
      asked = true;
      if (response === undefined) return { type: "challenge", data: utf8("Username:") };
      const text = responseText(response);
      if (text === "" || text.includes("\0")) throw new SaslFailure("malformed");
      if (user === undefined) {
        user = text;
        return { type: "challenge", data: utf8("Password:") };
      }
      done = true;
      if ((await accounts.verify?.(user, new Secret(text))) !== true) throw new SaslFailure("credentials");
      return { type: "success", identity: await authorize(accounts, "LOGIN", user, "") };
    },
  };
}
