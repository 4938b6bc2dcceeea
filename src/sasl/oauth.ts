/** What XOAUTH2 and OAUTHBEARER share: where tokens come from, and how a refusal is told and understood. */
import { AuthError, LocalProtocolError, type ReplyError } from "../core/errors.js";
import { reveal, Secret } from "../core/secret.js";
import { type Authenticator, authorize, type TokenContext, type TokenRefusal } from "./authenticator.js";
import { SaslFailure } from "./failure.js";
import { challengeText, earlySuccess, nothing, responseText, unexpectedChallenge, utf8 } from "./text.js";
import type { SaslClient, SaslServer, SaslServerStep, TokenCredentials } from "./types.js";

/** The end of each part of a message (RFC 7628 section 3.1: kvsep). */
export const separator = "\x01";
/** RFC 6750 section 2.1: b64token, and what else providers were seen to issue that is printable. */
const tokenText = /^[!-~]+$/;

/**
 * The server refused a token and said why. `cause` is the protocol's own error; its `reply`, `command` and `permanent` are
 * repeated here.
 */
export class OAuthError extends AuthError {
  /** `invalid_token`, `401`, …: what the server said, if anything. */
  readonly status: string | undefined;
  /** The scope that a token would need. */
  readonly scope: string | undefined;
  /** The scheme that the server takes: `bearer`. */
  readonly schemes: string | undefined;
  /** Where the OpenID configuration stands. */
  readonly openidConfiguration: string | undefined;

  constructor(cause: ReplyError, details: OAuthDetails) {
    const { reply, command, permanent, usable } = cause;
    const said = [details.status, details.scope].filter((text) => text !== undefined).join(", scope ");
    super(`the server refused the token${said === "" ? "" : `: ${said}`}`, {
      ...{ reply, command, permanent, usable, cause },
    });
    this.status = details.status;
    this.scope = details.scope;
    this.schemes = details.schemes;
    this.openidConfiguration = details.openidConfiguration;
    if (cause.transcript !== undefined) this.transcript = cause.transcript;
  }
}

/** What the JSON of a refusal holds: text of the server's, cleaned of control characters. */
export interface OAuthDetails {
  readonly status?: string | undefined;
  readonly scope?: string | undefined;
  readonly schemes?: string | undefined;
  readonly openidConfiguration?: string | undefined;
}

/** In what the two mechanisms differ, for a client. */
export interface OAuthClientShape {
  readonly name: "XOAUTH2" | "OAUTHBEARER";
  /** The initial response with a token. */
  message(token: string): string;
  /** What answers the challenge that tells of an error. */
  readonly acknowledgement: Uint8Array;
}

/** The client's half of both. */
export function oauthClient(credentials: TokenCredentials, shape: OAuthClientShape): SaslClient {
  return new OAuthClient(credentials, shape);
}

class OAuthClient implements SaslClient {
  readonly name: string;
  readonly exposesPassword: boolean = true;
  readonly clientFirst: boolean = true;
  readonly #credentials: TokenCredentials;
  readonly #shape: OAuthClientShape;
  #token: string | undefined;
  #details: OAuthDetails | undefined;
  #renewed = false;

  constructor(credentials: TokenCredentials, shape: OAuthClientShape) {
    this.name = shape.name;
    this.#credentials = credentials;
    this.#shape = shape;
  }

  async start(): Promise<Uint8Array> {
    this.#details = undefined;
    this.#token ??= await this.#fetchToken(false);
    return utf8(this.#shape.message(this.#token));
  }

  /** The only challenge there is tells why the token is refused; the failure itself follows its acknowledgement. */
  async step(challenge: Uint8Array): Promise<Uint8Array> {
    const text = challengeText(challenge);
    if (this.#token === undefined || this.#details !== undefined) throw unexpectedChallenge(this.name);
    this.#details = readDetails(text, this.#token);
    return this.#shape.acknowledgement;
  }

  finish(): void {
    if (this.#token === undefined || this.#details !== undefined) throw earlySuccess(this.name);
  }

  async refused(error: ReplyError): Promise<ReplyError | undefined> {
    const details = this.#details;
    if (isWorthRenewing(error, details) && (await this.#renew())) return undefined;
    return details === undefined ? error : new OAuthError(error, details);
  }

  /** Whether there is another token than the one that was refused. */
  async #renew(): Promise<boolean> {
    if (this.#renewed || typeof this.#credentials.token !== "function") return false;
    this.#renewed = true;
    const before = this.#token;
    this.#token = await this.#fetchToken(true);
    return this.#token !== before;
  }

  async #fetchToken(renew: boolean): Promise<string> {
    const { token } = this.#credentials;
    const text = reveal(typeof token === "function" ? await token({ renew }) : token);
    if (!tokenText.test(text)) throw new LocalProtocolError("the token is empty or not printable ASCII");
    return text;
  }
}

/** A status that a fresh token would not change, such as a missing scope, is final. */
function isWorthRenewing(error: ReplyError, details: OAuthDetails | undefined): boolean {
  const expired = ["400", "401", "invalid_token", "expired_token"];
  const { status } = details ?? {};
  return error.usable && error.permanent && (status === undefined || expired.includes(status));
}

/** What the JSON says; nothing where it is none. A server that repeats the token does not get it into a log. */
function readDetails(text: string, token: string): OAuthDetails {
  const json = parseObject(text);
  const field = (name: string): string | undefined => {
    const value = json[name];
    if (typeof value !== "string" && typeof value !== "number") return undefined;
    return clean(String(value).replaceAll(token, "[secret]"));
  };
  return {
    status: field("status"),
    scope: field("scope"),
    schemes: field("schemes"),
    openidConfiguration: field("openid-configuration"),
  };
}

const maxDetailChars = 500;

function clean(text: string): string {
  return text.slice(0, maxDetailChars).replaceAll(/[^ -~]/g, "?");
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A client's message, read. */
export interface OAuthRequest {
  readonly token: Secret;
  readonly user: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** In what the two mechanisms differ, for a server. */
export interface OAuthServerShape {
  readonly name: "XOAUTH2" | "OAUTHBEARER";
  /** Reads the client's message; `undefined` where it is malformed. */
  parse(text: string): OAuthRequest | undefined;
  /** The JSON that tells of a refusal. */
  refusal(refusal: TokenRefusal): Readonly<Record<string, string | undefined>>;
}

/** The server's half of both: a refusal goes out as a challenge, and fails when that is acknowledged. */
export function oauthServer(accounts: Authenticator, shape: OAuthServerShape): SaslServer {
  const { name } = shape;
  let expects: "start" | "message" | "acknowledgement" | "nothing" = "start";
  return {
    name,
    async step(response: Uint8Array | undefined): Promise<SaslServerStep> {
      const expected = expects;
      expects = "nothing";
      if (response === undefined) {
        if (expected !== "start") throw new SaslFailure("malformed");
        expects = "message";
        return { type: "challenge", data: nothing };
      }
      if (expected === "acknowledgement") throw new SaslFailure("credentials");
      const request = expected === "nothing" ? undefined : shape.parse(responseText(response));
      if (request === undefined) throw new SaslFailure("malformed");
      const verdict = await verdictOn(accounts, name, request);
      if (typeof verdict === "string") {
        const identity = await authorize(accounts, name, verdict, request.user ?? "");
        return { type: "success", identity };
      }
      expects = "acknowledgement";
      return { type: "challenge", data: utf8(JSON.stringify(shape.refusal(verdict))) };
    },
  };
}

async function verdictOn(
  accounts: Authenticator,
  mechanism: TokenContext["mechanism"],
  { token, user, host, port }: OAuthRequest,
): Promise<string | TokenRefusal> {
  const verdict = await accounts.verifyToken?.(token, { mechanism, user, host, port });
  return verdict ?? { status: "invalid_token" };
}

/** The token of an `auth=Bearer …` value; the scheme's case does not matter (RFC 7235 section 2.1). */
export function bearerToken(value: string | undefined): Secret | undefined {
  const token = /^bearer +(?<token>[!-~]+) *$/i.exec(value ?? "")?.groups?.["token"];
  return token === undefined ? undefined : new Secret(token);
}

/** The `key=value` parts of a message; `undefined` where it does not end with two separators. */
export function keyValues(text: string): ReadonlyMap<string, string> | undefined {
  if (!text.endsWith(separator + separator)) return undefined;
  const pairs = text.slice(0, -2).split(separator);
  const found = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1 || found.has(pair.slice(0, at))) return undefined;
    found.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return found;
}

/** Throws where a value holds a separator or a NUL. */
export function checkValue(value: string, what: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the separator is one
  if (value === "" || /[\0\x01]/.test(value))
    throw new LocalProtocolError(`${what} is empty or has a control character`);
}
