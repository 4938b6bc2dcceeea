/** The shape of the mechanisms that are one message from the client: PLAIN, EXTERNAL, ANONYMOUS. */
import { SaslFailure } from "./failure.js";
import { nothing, unexpectedChallenge } from "./text.js";
import type { Identity, SaslClient, SaslServer, SaslServerStep } from "./types.js";

/** A client that says one thing and has no answer to any challenge. */
export function oneMessageClient(
  name: string,
  exposesPassword: boolean,
  message: () => Uint8Array,
): SaslClient {
  return {
    name,
    exposesPassword,
    clientFirst: true,
    start: async () => message(),
    step: async () => {
      throw unexpectedChallenge(name);
    },
    finish: () => {},
  };
}

/** A server that asks with an empty challenge where no initial response came, and then decides. */
export function oneMessageServer(
  name: string,
  decide: (message: Uint8Array) => Promise<Identity>,
): SaslServer {
  let asked = false;
  let done = false;
  return {
    name,
    async step(response: Uint8Array | undefined): Promise<SaslServerStep> {
      if (done || (response === undefined && asked)) throw new SaslFailure("malformed");
      asked = true;
      if (response === undefined) return { type: "challenge", data: nothing };
      done = true;
      return { type: "success", identity: await decide(response) };
    },
  };
}
