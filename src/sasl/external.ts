/** EXTERNAL (RFC 4422 appendix A): the link has shown who the client is. */
import { type Authenticator, authorize } from "./authenticator.js";
import { SaslFailure } from "./failure.js";
import { oneMessageClient, oneMessageServer } from "./one-message.js";
import { checkText, responseText, utf8 } from "./text.js";
import type { ExternalCredentials, SaslClient, SaslLink, SaslServer } from "./types.js";

/** The client's half of EXTERNAL. An empty message asks for the identity of the certificate. */
export function externalClient(credentials: ExternalCredentials): SaslClient {
  return oneMessageClient("EXTERNAL", false, () => {
    const { authzid = "" } = credentials;
    if (authzid !== "") checkText(authzid, "the authorization identity");
    return utf8(authzid);
  });
}

/** The server's half of EXTERNAL. */
export function externalServer(accounts: Authenticator, link: SaslLink): SaslServer {
  return oneMessageServer("EXTERNAL", async (message) => {
    const authzid = responseText(message);
    if (authzid.includes("\0")) throw new SaslFailure("malformed");
    const subject = link.peerCertificateSubject;
    const user = subject === undefined ? undefined : await accounts.external?.(subject);
    if (user === undefined) throw new SaslFailure("credentials");
    return authorize(accounts, "EXTERNAL", user, authzid);
  });
}
