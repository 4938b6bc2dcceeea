/** What a server offers, and the halves that answer. */
import { anonymousServer } from "./anonymous.js";
import type { Authenticator } from "./authenticator.js";
import { cramMd5Server } from "./cram-md5.js";
import { externalServer } from "./external.js";
import { SaslFailure } from "./failure.js";
import { loginServer } from "./login.js";
import { oauthBearerServer } from "./oauthbearer.js";
import { plainServer } from "./plain.js";
import { scramNames, scramServer } from "./scram.js";
import { bindingsOf, carriesPasswords, type SaslLink, type SaslServer } from "./types.js";
import { xoauth2Server } from "./xoauth2.js";

interface Mechanism {
  readonly name: string;
  readonly exposesPassword: boolean;
  /** Whether accounts and link can serve it, encryption left aside. */
  serves(accounts: Authenticator, link: SaslLink): boolean;
  make(accounts: Authenticator, link: SaslLink): SaslServer;
}

/** All mechanisms, best first. */
const mechanisms: readonly Mechanism[] = [
  ...scramNames.map(
    (name): Mechanism => ({
      name,
      exposesPassword: false,
      serves: (accounts, link) =>
        accounts.scramKeys !== undefined && (!name.endsWith("-PLUS") || bindingsOf(link).length > 0),
      make: (accounts, link) => scramServer(name, accounts, link),
    }),
  ),
  mechanism("EXTERNAL", false, "external", externalServer, hasCertificate),
  mechanism("OAUTHBEARER", true, "verifyToken", oauthBearerServer),
  mechanism("XOAUTH2", true, "verifyToken", xoauth2Server),
  mechanism("PLAIN", true, "verify", plainServer),
  mechanism("LOGIN", true, "verify", loginServer),
  mechanism("CRAM-MD5", false, "plainPassword", (accounts) => cramMd5Server(accounts)),
  mechanism("ANONYMOUS", false, "anonymous", anonymousServer),
];

/**
 * What a server may offer on this link, best first. Passwords and tokens only where nobody reads along, or where that is
 * allowed; -PLUS where the link has channel binding; EXTERNAL where it has a client's certificate.
 */
export function serverMechanisms(accounts: Authenticator, link: SaslLink): string[] {
  return mechanisms
    .filter((one) => one.serves(accounts, link) && (!one.exposesPassword || carriesPasswords(link)))
    .map(({ name }) => name);
}

/**
 * The server's half of a mechanism that a client named, in any case.
 *
 * @throws {SaslFailure} it is not offered on this link: reason `encryption` where TLS would change that, else `mechanism`.
 */
export function saslServer(name: string, accounts: Authenticator, link: SaslLink): SaslServer {
  const found = mechanisms.find((one) => one.name === name.toUpperCase());
  if (found === undefined || !found.serves(accounts, link)) throw new SaslFailure("mechanism");
  if (found.exposesPassword && !carriesPasswords(link)) throw new SaslFailure("encryption");
  return found.make(accounts, link);
}

function mechanism(
  name: string,
  exposesPassword: boolean,
  ability: keyof Authenticator,
  make: (accounts: Authenticator, link: SaslLink) => SaslServer,
  also: (link: SaslLink) => boolean = () => true,
): Mechanism {
  const serves = (accounts: Authenticator, link: SaslLink): boolean =>
    accounts[ability] !== undefined && also(link);
  return { name, exposesPassword, serves, make };
}

function hasCertificate(link: SaslLink): boolean {
  return link.peerCertificateSubject !== undefined;
}
