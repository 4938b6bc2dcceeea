/** What a SASL exchange is made of (RFC 4422), without any protocol: two halves, a link, and the steps between them. */
import type { ReplyError } from "../core/errors.js";
import type { Secret } from "../core/secret.js";

/** The client's half of one mechanism. A new one is made for each login. */
export interface SaslClient {
  /** The mechanism's registered name: `SCRAM-SHA-256`. */
  readonly name: string;
  /** Whether the peer, and whoever reads along, learns the password or token. Refused on a clear link. */
  readonly exposesPassword: boolean;
  /** Whether the client speaks first. */
  readonly clientFirst: boolean;
  /**
   * Begins, or begins again. Returns the initial response, `undefined` where the server speaks first.
   *
   * @throws {LocalProtocolError} the user name or password has characters that the mechanism cannot carry.
   */
  start(): Promise<Uint8Array | undefined>;
  /**
   * Answers a challenge.
   *
   * @throws {RemoteProtocolError} the challenge breaks the mechanism's rules.
   * @throws {LimitError} the server asks for more work or sends more bytes than allowed.
   */
  step(challenge: Uint8Array): Promise<Uint8Array>;
  /**
   * The server reported success, with additional data where the protocol carries them.
   *
   * @throws {RemoteProtocolError} success came too early, or the server did not prove that it knows the password.
   */
  finish(data?: Uint8Array): Promise<void> | void;
  /**
   * The server refused. Returns the error that the caller is to see, or `undefined` where {@link SaslClient.start} is
   * worth calling once more, for there is a fresh token.
   */
  refused?(error: ReplyError): Promise<ReplyError | undefined>;
}

/** What the server's half of a mechanism answers. */
export type SaslServerStep =
  | { readonly type: "challenge"; readonly data: Uint8Array }
  | { readonly type: "success"; readonly identity: Identity; readonly data?: Uint8Array | undefined };

/** The server's half of one mechanism. A new one is made for each attempt. */
export interface SaslServer {
  /** The mechanism's registered name. */
  readonly name: string;
  /**
   * Takes a response; `undefined` at the start when the client sent no initial response (an empty one is not absent).
   *
   * @throws {SaslFailure} the exchange failed. What it says is safe to log and does not tell users from non-users.
   */
  step(response: Uint8Array | undefined): Promise<SaslServerStep>;
}

/** Who a client has proved to be. */
export interface Identity {
  /** Whom the session acts for: the authorization identity where one was asked for and allowed, else the same as below. */
  readonly user: string;
  /** Whose credentials were shown. */
  readonly authenticatedAs: string;
  /** The mechanism that was used. */
  readonly mechanism: string;
  /** The trace that an anonymous user gave: an address or a token, nothing that was checked. */
  readonly anonymous?: string | undefined;
}

/** What a protocol's reply to a client's step was. */
export type SaslStep =
  | { readonly type: "challenge"; readonly data: Uint8Array }
  | { readonly type: "success"; readonly data?: Uint8Array | undefined };

/**
 * What a protocol's client writes: how its commands and replies carry an exchange. All data are raw bytes; base64 and the
 * sign for an empty response (`=`) are the profile's. What it sends here is secret: it stands masked in every trace.
 */
export interface SaslProfile {
  /**
   * The longest initial response that the command can carry, in bytes before base64. 0: none, not even an empty one;
   * absent: any. A longer one goes out as the answer to an empty challenge.
   */
  readonly maxInitialBytes?: number | undefined;
  /** Sends the command with the mechanism and the initial response. Throws the protocol's `ReplyError` on a no. */
  begin(mechanism: string, initial?: Uint8Array): Promise<SaslStep>;
  /** Sends a response. Throws the protocol's `ReplyError` on a no. */
  respond(data: Uint8Array): Promise<SaslStep>;
  /** Cancels the exchange (`*`) and takes the server's reply to that. */
  cancel(): Promise<void>;
}

/** What a protocol's server writes. */
export interface SaslServerProfile {
  /** Whether the protocol's success can carry data. Where it cannot, they go out as a challenge before it. */
  readonly successData: boolean;
  /** Sends a challenge and takes the response. Throws a `SaslFailure` of reason `cancelled` when the client cancels. */
  challenge(data: Uint8Array): Promise<Uint8Array>;
}

/** Bytes that only the two ends of one TLS connection know (RFC 5056). */
export interface ChannelBinding {
  /** `tls-exporter` (RFC 9266) for TLS 1.3; `tls-server-end-point` (RFC 5929) where that is not to be had. */
  readonly type: "tls-exporter" | "tls-server-end-point";
  readonly data: Uint8Array;
}

/** The connection below, as far as a login depends on it. */
export interface SaslLink {
  /** Whether nobody can read along: TLS, or a socket that does not leave the machine. */
  readonly encrypted: boolean;
  /** Sends, or takes, passwords and tokens over a link that is not encrypted. False by default. */
  readonly allowClearText?: boolean | undefined;
  /** For the -PLUS mechanisms, best first: the client uses the first, the server accepts any. */
  readonly channelBinding?: ChannelBinding | readonly ChannelBinding[] | undefined;
  /** Whom the client's verified certificate is for. EXTERNAL is offered only with it. */
  readonly peerCertificateSubject?: string | undefined;
}

/** A user name and a password: SCRAM, PLAIN, LOGIN, and CRAM-MD5 where it is named. */
export interface PasswordCredentials {
  readonly user: string;
  readonly password: string | Secret;
  /** Act for another user, where the server allows it. */
  readonly authzid?: string | undefined;
  /** Use this mechanism and no other. */
  readonly mechanism?: string | undefined;
}

/** Why a token is asked for. */
export interface TokenRequest {
  /** The server refused the token of before: a cached one is of no use. */
  readonly renew: boolean;
}

/** A token, or where to get one. A function is called once more, with `renew`, when the server refuses its token. */
export type TokenSource =
  | string
  | Secret
  | ((request: TokenRequest) => string | Secret | Promise<string | Secret>);

/** An OAuth 2 bearer token: OAUTHBEARER, else XOAUTH2. */
export interface TokenCredentials {
  readonly user: string;
  readonly token: TokenSource;
  readonly mechanism?: "XOAUTH2" | "OAUTHBEARER" | undefined;
  /** The host connected to, which OAUTHBEARER repeats. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** No account: a trace, which is an address or any token, and may be empty. */
export interface AnonymousCredentials {
  readonly anonymous: string;
}

/** The identity that the link has established: a client certificate. */
export interface ExternalCredentials {
  readonly external: true;
  readonly authzid?: string | undefined;
}

/** What a client logs in with. */
export type Credentials = PasswordCredentials | TokenCredentials | AnonymousCredentials | ExternalCredentials;

/** The channel bindings of a link, best first. */
export function bindingsOf(link: SaslLink): readonly ChannelBinding[] {
  const { channelBinding } = link;
  if (channelBinding === undefined) return [];
  return "type" in channelBinding ? [channelBinding] : channelBinding;
}

/** Whether a password may cross the link. */
export function carriesPasswords(link: SaslLink): boolean {
  return link.encrypted || link.allowClearText === true;
}
