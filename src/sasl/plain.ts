/** PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`. */
import { reveal, Secret } from "../core/secret.js";
import { type Authenticator, authorize } from "./authenticator.js";
import { SaslFailure } from "./failure.js";
import { oneMessageClient, oneMessageServer } from "./one-message.js";
import { checkText, responseText, utf8 } from "./text.js";
import type { PasswordCredentials, SaslClient, SaslServer } from "./types.js";

/** The client's half of PLAIN. The text goes out as it is: preparing it is the verifier's task (section 2). */
export function plainClient(credentials: PasswordCredentials): SaslClient {
  return oneMessageClient("PLAIN", true, () => {
    const { user, authzid = "" } = credentials;
    const password = reveal(credentials.password);
    checkText(user, "the user name");
    checkText(password, "the password");
    if (authzid !== "") checkText(authzid, "the authorization identity");
    return utf8(`${authzid}\0${user}\0${password}`);
  });
}

/** The server's half of PLAIN. */
export function plainServer(accounts: Authenticator): SaslServer {
  return oneMessageServer("PLAIN", async (message) => {
    const parts = responseText(message).split("\0");
    const [authzid = "", user = "", password = ""] = parts;
    if (parts.length !== 3 || user === "" || password === "") throw new SaslFailure("malformed");
    if ((await accounts.verify?.(user, new Secret(password))) !== true) throw new SaslFailure("credentials");
    return authorize(accounts, "PLAIN", user, authzid);
  });
}
