/** ANONYMOUS (RFC 4505): no account, but a trace that says who calls. */
import { LocalProtocolError } from "../core/errors.js";
import type { Authenticator } from "./authenticator.js";
import { SaslFailure } from "./failure.js";
import { oneMessageClient, oneMessageServer } from "./one-message.js";
import { responseText, utf8 } from "./text.js";
import type { AnonymousCredentials, SaslClient, SaslServer } from "./types.js";

/** Section 2: at most 255 characters, and none of the controls (stringprep tables C.2.1, C.2.2). */
const trace = /^[^\p{Cc}\p{Cs}]{0,255}$/u;

/** The client's half of ANONYMOUS. */
export function anonymousClient(credentials: AnonymousCredentials): SaslClient {
  return oneMessageClient("ANONYMOUS", false, () => {
    if (!trace.test(credentials.anonymous))
      throw new LocalProtocolError("the trace has more than 255 characters, or a control character");
    return utf8(credentials.anonymous);
  });
}

/** The server's half of ANONYMOUS. */
export function anonymousServer(accounts: Authenticator): SaslServer {
  return oneMessageServer("ANONYMOUS", async (message) => {
    const anonymous = responseText(message);
    if (!trace.test(anonymous)) throw new SaslFailure("malformed");
    const user = await accounts.anonymous?.(anonymous);
    if (user === undefined) throw new SaslFailure("credentials");
    return { user, authenticatedAs: user, mechanism: "ANONYMOUS", anonymous };
  });
}
