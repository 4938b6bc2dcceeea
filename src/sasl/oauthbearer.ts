/** OAUTHBEARER (RFC 7628): `n,a=user,^Ahost=…^Aport=…^Aauth=Bearer …^A^A`. */
import { LocalProtocolError } from "../core/errors.js";
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
import { formatGs2Header, parseGs2Header } from "./scram-messages.js";
import type { SaslClient, SaslServer, TokenCredentials } from "./types.js";

/** Section 3.2.3: the answer to the challenge that tells of an error. */
const acknowledgement = new Uint8Array([1]);

/** The client's half of OAUTHBEARER. */
export function oauthBearerClient(credentials: TokenCredentials): SaslClient {
  return oauthClient(credentials, {
    name: "OAUTHBEARER",
    acknowledgement,
    message: (token) => formatMessage(credentials, token),
  });
}

/** The server's half of OAUTHBEARER. */
export function oauthBearerServer(accounts: Authenticator): SaslServer {
  return oauthServer(accounts, {
    name: "OAUTHBEARER",
    parse,
    refusal: ({ status, scope, openidConfiguration }) => ({
      status,
      scope,
      "openid-configuration": openidConfiguration,
    }),
  });
}

function formatMessage({ user, host, port }: TokenCredentials, token: string): string {
  checkValue(user, "the user name");
  if (host !== undefined) checkValue(host, "the host");
  if (port !== undefined && !isPort(port)) throw new LocalProtocolError(`${port} is not a port`);
  return [
    formatGs2Header("n", user),
    ...(host === undefined ? [] : [`host=${host}`]),
    ...(port === undefined ? [] : [`port=${port}`]),
    `auth=Bearer ${token}`,
    separator,
  ].join(separator);
}

function parse(text: string): OAuthRequest | undefined {
  const header = parseGs2Header(text);
  // Section 3.1: a separator stands behind the header, and no channel binding is defined.
  if (header === undefined || text[header.text.length] !== separator) return undefined;
  if (header.binding !== "n" && header.binding !== "y") return undefined;
  const values = keyValues(text.slice(header.text.length + 1));
  const token = bearerToken(values?.get("auth"));
  const port = values?.get("port");
  if (token === undefined || (port !== undefined && !/^\d{1,5}$/.test(port))) return undefined;
  return {
    token,
    user: header.authzid === "" ? undefined : header.authzid,
    host: values?.get("host"),
    port: port === undefined ? undefined : Number(port),
  };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}
