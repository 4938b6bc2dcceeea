/** Whom a server asks about credentials. */
import type { Secret } from "../core/secret.js";
import { SaslFailure } from "./failure.js";
import { tryPrepare } from "./prepare.js";
import type { ScramHash, ScramKeys } from "./scram-keys.js";
import type { Identity } from "./types.js";

/** Why a token is refused, in the terms of RFC 7628 section 3.2.2. */
export interface TokenRefusal {
  /** `invalid_token`, `insufficient_scope`, … */
  readonly status: string;
  /** The scope that the token would need. */
  readonly scope?: string | undefined;
  /** The address of the OpenID configuration document. */
  readonly openidConfiguration?: string | undefined;
}

/** What came along with a token. */
export interface TokenContext {
  readonly mechanism: "XOAUTH2" | "OAUTHBEARER";
  /** Whom the client says it is, or wants to act for. */
  readonly user: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/**
 * Whom a server asks about credentials. Each method is optional, and the methods that are there decide what
 * {@link serverMechanisms} offers. {@link Accounts} is one in memory.
 */
export interface Authenticator {
  /** PLAIN and LOGIN (and POP3's PASS, FTP's PASS, …). It must take the same time for users that do not exist. */
  verify?(user: string, password: Secret): Promise<boolean>;
  /** SCRAM. The keys for an unknown user are made up where it returns `undefined`. */
  scramKeys?(user: string, hash: ScramHash): Promise<ScramKeys | undefined>;
  /** CRAM-MD5 (and POP3's APOP): the password itself. */
  plainPassword?(user: string): Promise<Secret | undefined>;
  /** OAUTHBEARER and XOAUTH2: whose token it is, or why it is refused. */
  verifyToken?(token: Secret, context: TokenContext): Promise<string | TokenRefusal>;
  /** EXTERNAL: the user of a client certificate's subject. */
  external?(subject: string): Promise<string | undefined>;
  /** ANONYMOUS: the user that an anonymous session acts for. */
  anonymous?(trace: string): Promise<string | undefined>;
  /** Whether a user may act for another one. Without it, nobody may. */
  mayActFor?(user: string, authzid: string): Promise<boolean>;
}

/** The identity of a user whose credentials were right. Throws a {@link SaslFailure} when it may not act as asked. */
export async function authorize(
  accounts: Authenticator,
  mechanism: string,
  shownUser: string,
  authzid: string,
): Promise<Identity> {
  const authenticatedAs = (await tryPrepare(shownUser)) ?? shownUser;
  if (authzid === "") return { user: authenticatedAs, authenticatedAs, mechanism };
  const user = await tryPrepare(authzid);
  if (user === undefined) throw new SaslFailure("authorization");
  if (user !== authenticatedAs && (await accounts.mayActFor?.(authenticatedAs, user)) !== true)
    throw new SaslFailure("authorization");
  return { user, authenticatedAs, mechanism };
}
