/** XOAUTH2: what Google and Microsoft took before RFC 7628: `user=…^Aauth=Bearer …^A^A`. */
import type { Authenticator } from "./authenticator.js";
import {
  bearerToken,
  checkValue,
  keyValues,
  type OAuthRequest,
  oauthClient,
  oauthServer,
  separator,
} from "./oauth.js";
import { nothing } from "./text.js";
import type { SaslClient, SaslServer, TokenCredentials } from "./types.js";

/** The client's half of XOAUTH2. The challenge that tells of an error is answered with an empty response. */
export function xoauth2Client(credentials: TokenCredentials): SaslClient {
  return oauthClient(credentials, {
    name: "XOAUTH2",
    acknowledgement: nothing,
    message(token: string): string {
      checkValue(credentials.user, "the user name");
      return `user=${credentials.user}${separator}auth=Bearer ${token}${separator}${separator}`;
    },
  });
}

/** The server's half of XOAUTH2. */
export function xoauth2Server(accounts: Authenticator): SaslServer {
  return oauthServer(accounts, {
    name: "XOAUTH2",
    parse,
    refusal: ({ status, scope }) => ({
      status: status === "invalid_token" ? "401" : status,
      schemes: "bearer",
      scope,
    }),
  });
}

function parse(text: string): OAuthRequest | undefined {
  const values = keyValues(text);
  const token = bearerToken(values?.get("auth"));
  const user = values?.get("user");
  return token === undefined || user === undefined || user === "" ? undefined : { token, user };
}
