/**
 * SASL (RFC 4422): how a client proves who it is, without any protocol. SMTP, POP3, IMAP and NNTP each carry these
 * exchanges in their own commands by one small profile.
 *
 * Mechanisms, both halves of each: SCRAM-SHA-1 (RFC 5802), SCRAM-SHA-256 (RFC 7677) and their -PLUS with the channel
 * bindings of RFC 9266 and RFC 5929, PLAIN (RFC 4616), LOGIN, EXTERNAL (RFC 4422), ANONYMOUS (RFC 4505), OAUTHBEARER
 * (RFC 7628), XOAUTH2, and CRAM-MD5 (RFC 2195) where it is asked for. Names and passwords are prepared by SASLprep
 * (RFC 4013).
 *
 * @example A client
 * ```ts
 * const client = choose(["SCRAM-SHA-256", "PLAIN"], { user: "alice", password: "secret" }, { encrypted: true });
 * await authenticate(profile, client, { encrypted: true });
 * ```
 *
 * @example A server
 * ```ts
 * const accounts = Accounts.of({ alice: "secret" });
 * serverMechanisms(accounts, { encrypted: false }); // ["SCRAM-SHA-256", "SCRAM-SHA-1"]
 * const server = saslServer("SCRAM-SHA-256", accounts, { encrypted: false });
 * const { identity } = await admit(serverProfile, server, initialResponse);
 * identity.user; // "alice"
 * ```
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export { type AccountEntry, Accounts, type AccountsOptions } from "./accounts.js";
export { anonymousClient, anonymousServer } from "./anonymous.js";
export type { Authenticator, TokenContext, TokenRefusal } from "./authenticator.js";
export { base64Length, decodeBase64, encodeBase64 } from "./base64.js";
export { type ChooseOptions, choose } from "./choose.js";
export { cramMd5Client, cramMd5Server } from "./cram-md5.js";
export { type Admission, admit, authenticate } from "./exchange.js";
export { externalClient, externalServer } from "./external.js";
export { SaslFailure, type SaslFailureReason } from "./failure.js";
export { loginClient, loginServer } from "./login.js";
export { saslServer, serverMechanisms } from "./mechanisms.js";
export { type OAuthDetails, OAuthError } from "./oauth.js";
export { oauthBearerClient, oauthBearerServer } from "./oauthbearer.js";
export { plainClient, plainServer } from "./plain.js";
export { prepare } from "./prepare.js";
export { type ScramClientOptions, type ScramName, scramClient, scramNames, scramServer } from "./scram.js";
export {
  deriveScramKeys,
  fakeScramKeys,
  formatScramKeys,
  parseScramKeys,
  type ScramHash,
  type ScramKeyOptions,
  type ScramKeys,
} from "./scram-keys.js";
export type {
  AnonymousCredentials,
  ChannelBinding,
  Credentials,
  ExternalCredentials,
  Identity,
  PasswordCredentials,
  SaslClient,
  SaslLink,
  SaslProfile,
  SaslServer,
  SaslServerProfile,
  SaslServerStep,
  SaslStep,
  TokenCredentials,
  TokenRequest,
  TokenSource,
} from "./types.js";
export { xoauth2Client, xoauth2Server } from "./xoauth2.js";
