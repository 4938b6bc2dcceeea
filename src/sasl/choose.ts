/** Which mechanism a client uses. */
import { AuthError, LocalProtocolError } from "../core/errors.js";
import { anonymousClient } from "./anonymous.js";
import { cramMd5Client } from "./cram-md5.js";
import { clearTextRefused } from "./exchange.js";
import { externalClient } from "./external.js";
import { loginClient } from "./login.js";
import { oauthBearerClient } from "./oauthbearer.js";
import { plainClient } from "./plain.js";
import { type ScramClientOptions, type ScramName, scramClient, scramNames } from "./scram.js";
import {
  bindingsOf,
  type Credentials,
  carriesPasswords,
  type PasswordCredentials,
  type SaslClient,
  type SaslLink,
} from "./types.js";
import { xoauth2Client } from "./xoauth2.js";

/** How a client chooses. */
export type ChooseOptions = Pick<ScramClientOptions, "maxIterations">;

type Makers = ReadonlyMap<string, () => SaslClient>;

/**
 * The best mechanism that the server offers and the credentials serve: SCRAM with channel binding, SCRAM, PLAIN, LOGIN;
 * OAUTHBEARER, XOAUTH2; EXTERNAL; ANONYMOUS. Where the credentials name a `mechanism`, it is that or none. CRAM-MD5 is
 * used only when named.
 *
 * @throws {AuthError} the server offers none that serves. Nothing was sent.
 * @throws {LocalProtocolError} those that serve would show the password on a link that is not encrypted; or the named
 * mechanism does not exist or does not fit the credentials.
 */
export function choose(
  offered: Iterable<string>,
  credentials: Credentials,
  link: SaslLink,
  options: ChooseOptions = {},
): SaslClient {
  const names = new Set(Array.from(offered, (name) => name.toUpperCase()));
  const plusOffered = [...names].some((name) => name.startsWith("SCRAM-") && name.endsWith("-PLUS"));
  const makers = makersFor(credentials, link, { ...options, plusOffered });
  const wanted = wantedNames(credentials, makers);
  const clients = wanted.filter((name) => names.has(name)).map((name) => makers.get(name)?.());
  const client = clients.find((one) => one !== undefined && (!one.exposesPassword || carriesPasswords(link)));
  if (client !== undefined) return client;
  if (clients[0] !== undefined) throw clearTextRefused(clients[0].name);
  throw nothingServes(names, wanted);
}

/** How to make each mechanism that the credentials and the link could serve, best first. */
function makersFor(credentials: Credentials, link: SaslLink, options: ScramClientOptions): Makers {
  if ("password" in credentials) return passwordMakers(credentials, link, options);
  if ("token" in credentials)
    return new Map([
      ["OAUTHBEARER", () => oauthBearerClient(credentials)],
      ["XOAUTH2", () => xoauth2Client(credentials)],
    ]);
  if ("anonymous" in credentials) return new Map([["ANONYMOUS", () => anonymousClient(credentials)]]);
  return new Map([["EXTERNAL", () => externalClient(credentials)]]);
}

function passwordMakers(
  credentials: PasswordCredentials,
  link: SaslLink,
  options: ScramClientOptions,
): Makers {
  const scrams = scramNames.filter((name) => !name.endsWith("-PLUS") || bindingsOf(link).length > 0);
  const scram = (name: ScramName): [string, () => SaslClient] => [
    name,
    () => scramClient(name, credentials, link, options),
  ];
  const makers: [string, () => SaslClient][] = [
    ...scrams.map(scram),
    ["PLAIN", () => plainClient(credentials)],
  ];
  // These two cannot say whom to act for.
  if ((credentials.authzid ?? "") === "")
    makers.push(["LOGIN", () => loginClient(credentials)], ["CRAM-MD5", () => cramMd5Client(credentials)]);
  return new Map(makers);
}

function wantedNames(credentials: Credentials, makers: Makers): string[] {
  const named = "mechanism" in credentials ? credentials.mechanism?.toUpperCase() : undefined;
  if (named === undefined) return [...makers.keys()].filter((name) => name !== "CRAM-MD5");
  if (!makers.has(named))
    throw new LocalProtocolError(
      `the mechanism ${JSON.stringify(named)} does not fit the credentials or the connection: ` +
        `possible are ${[...makers.keys()].join(", ")}`,
    );
  return [named];
}

const maxShownNames = 20;

function nothingServes(names: ReadonlySet<string>, wanted: readonly string[]): AuthError<undefined> {
  // Names come from the network: what is none is not shown (RFC 4422 section 3.1).
  const shown = [...names].filter((name) => /^[A-Z0-9_-]{1,20}$/.test(name)).slice(0, maxShownNames);
  const offers = shown.length === 0 ? "no mechanism" : shown.join(", ");
  return new AuthError(`the server offers ${offers}; possible would be ${wanted.join(", ")}`, {
    ...{ reply: undefined, command: "AUTH", permanent: true, sent: "no" },
  });
}
