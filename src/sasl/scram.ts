/**
 * SCRAM-SHA-1 (RFC 5802), SCRAM-SHA-256 (RFC 7677), and with channel binding their -PLUS. The password never crosses the
 * link, and the server proves that it knows the keys.
 */
import { randomBytes } from "node:crypto";
import { AuthError, LimitError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import { reveal } from "../core/secret.js";
import { type Authenticator, authorize } from "./authenticator.js";
import { encodeBase64 } from "./base64.js";
import { SaslFailure } from "./failure.js";
import { prepare, tryPrepare } from "./prepare.js";
import {
  checkIterations,
  digest,
  fakeScramKeys,
  hmac,
  keysOf,
  minIterations,
  type ScramHash,
  type ScramKeys,
  saltedPassword,
  sameBytes,
  xor,
} from "./scram-keys.js";
import {
  type ClientFinal,
  type ClientFirst,
  escapeName,
  formatGs2Header,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
  type ServerFirst,
} from "./scram-messages.js";
import { challengeText, earlySuccess, nothing, responseText, unexpectedChallenge, utf8 } from "./text.js";
import {
  bindingsOf,
  type ChannelBinding,
  type PasswordCredentials,
  type SaslClient,
  type SaslLink,
  type SaslServer,
  type SaslServerStep,
} from "./types.js";

/** The four mechanisms, strongest first. */
export const scramNames = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1"] as const;

/** The name of a mechanism of the SCRAM family that is known here. */
export type ScramName = (typeof scramNames)[number];

/** What a client may set. */
export interface ScramClientOptions {
  /** The most iterations that a server may ask for, checked before any work is done. 600,000 by default. */
  readonly maxIterations?: number | undefined;
  /** Whether the server offers a -PLUS mechanism: without it, a client that could bind says that it was not offered. */
  readonly plusOffered?: boolean | undefined;
  /** For tests with the vectors of the RFCs; 24 random bytes otherwise. */
  readonly nonce?: string | undefined;
}

const defaultMaxIterations = 600_000;
const rfc = "RFC 5802 section 5";

/** The client's half of SCRAM. */
export function scramClient(
  name: ScramName,
  credentials: PasswordCredentials,
  link: SaslLink,
  options: ScramClientOptions = {},
): SaslClient {
  return new ScramClient(name, credentials, link, options);
}

/** The server's half of SCRAM; `nonce` is for tests, and random otherwise. */
export function scramServer(
  name: ScramName,
  accounts: Authenticator,
  link: SaslLink,
  nonce: string = newNonce(),
): SaslServer {
  return new ScramServer(name, accounts, link, nonce);
}

class ScramClient implements SaslClient {
  readonly name: string;
  readonly exposesPassword: boolean = false;
  readonly clientFirst: boolean = true;
  readonly #hash: ScramHash;
  readonly #credentials: PasswordCredentials;
  readonly #options: ScramClientOptions;
  readonly #binding: ChannelBinding | undefined;
  readonly #header: string;
  #nonce = "";
  #bare = "";
  #expects: "nothing" | "server-first" | "server-final" | "success" = "nothing";
  #signature: Uint8Array = nothing;

  constructor(
    name: ScramName,
    credentials: PasswordCredentials,
    link: SaslLink,
    options: ScramClientOptions,
  ) {
    const [available] = bindingsOf(link);
    if (isPlus(name) && available === undefined)
      throw new LocalProtocolError(`${name} needs the channel binding of a TLS connection`);
    this.name = name;
    this.#hash = hashOf(name);
    this.#credentials = credentials;
    this.#options = options;
    this.#binding = isPlus(name) ? available : undefined;
    const flag = this.#binding?.type ?? (available === undefined || options.plusOffered ? "n" : "y");
    this.#header = formatGs2Header(flag, credentials.authzid ?? "");
    if (options.maxIterations !== undefined) checkIterations(options.maxIterations);
  }

  async start(): Promise<Uint8Array> {
    const { user, password, authzid = "" } = this.#credentials;
    const prepared = await prepare(user, "the user name");
    // Its form is needed later; what can never be right is refused before anything is sent.
    await prepare(reveal(password), "the password");
    if (authzid.includes("\0")) throw new LocalProtocolError("the authorization identity has a NUL in it");
    this.#nonce = this.#options.nonce ?? newNonce();
    this.#bare = `n=${escapeName(prepared)},r=${this.#nonce}`;
    this.#expects = "server-first";
    return utf8(`${this.#header}${this.#bare}`);
  }

  async step(challenge: Uint8Array): Promise<Uint8Array> {
    const text = challengeText(challenge);
    const expects = this.#expects;
    this.#expects = "nothing";
    if (expects === "server-first") return await this.#answerFirst(text);
    if (expects !== "server-final") throw unexpectedChallenge(this.name);
    this.#checkFinal(text);
    return nothing;
  }

  finish(data?: Uint8Array): void {
    if (this.#expects === "server-final" && data !== undefined) this.#checkFinal(challengeText(data));
    if (this.#expects !== "success") throw earlySuccess(this.name);
  }

  async #answerFirst(text: string): Promise<Uint8Array> {
    const first = this.#checkedFirst(text);
    const salted = await this.#salted(first);
    const binding = encodeBase64(Buffer.concat([utf8(this.#header), this.#binding?.data ?? nothing]));
    const withoutProof = `c=${binding},r=${first.nonce}`;
    const authMessage = `${this.#bare},${text},${withoutProof}`;
    const { storedKey, serverKey } = keysOf(this.#hash, first.salt, first.iterations, salted);
    const proof = xor(hmac(this.#hash, salted, "Client Key"), hmac(this.#hash, storedKey, authMessage));
    this.#signature = hmac(this.#hash, serverKey, authMessage);
    this.#expects = "server-final";
    return utf8(`${withoutProof},p=${encodeBase64(proof)}`);
  }

  /** Everything that can be wrong is found before PBKDF2 starts. */
  #checkedFirst(text: string): ServerFirst {
    const first = parseServerFirst(text);
    if (first === undefined) throw broken("a server-first-message that cannot be read", text);
    if (!first.nonce.startsWith(this.#nonce) || first.nonce.length === this.#nonce.length)
      throw broken("a nonce that does not continue the client's", text);
    const { maxIterations = defaultMaxIterations } = this.#options;
    if (first.iterations > maxIterations) throw new LimitError("the SCRAM iteration count", maxIterations);
    if (first.iterations < minIterations)
      throw broken(`fewer than ${minIterations} iterations`, text, "RFC 7677 section 4");
    return first;
  }

  async #salted({ salt, iterations }: ServerFirst): Promise<Uint8Array> {
    const prepared = await prepare(reveal(this.#credentials.password), "the password");
    return await saltedPassword(this.#hash, prepared, salt, iterations);
  }

  #checkFinal(text: string): void {
    this.#expects = "nothing";
    const final = parseServerFinal(text);
    if (final === undefined) throw broken("a server-final-message that cannot be read", text);
    if ("error" in final) throw refused(final.error);
    if (!sameBytes(final.signature, this.#signature))
      throw broken("a wrong server signature: the server does not know the password", undefined);
    this.#expects = "success";
  }
}

class ScramServer implements SaslServer {
  readonly name: string;
  readonly #hash: ScramHash;
  readonly #accounts: Authenticator;
  readonly #link: SaslLink;
  readonly #ownNonce: string;
  #expects: "start" | "client-first" | "client-final" | "nothing" = "start";
  #first: ClientFirst | undefined;
  #keys: ScramKeys | undefined;
  #serverFirst = "";

  constructor(name: ScramName, accounts: Authenticator, link: SaslLink, nonce: string) {
    this.name = name;
    this.#hash = hashOf(name);
    this.#accounts = accounts;
    this.#link = link;
    this.#ownNonce = nonce;
  }

  async step(response: Uint8Array | undefined): Promise<SaslServerStep> {
    const expects = this.#expects;
    this.#expects = "nothing";
    if (response === undefined) {
      if (expects !== "start") throw new SaslFailure("malformed");
      this.#expects = "client-first";
      return { type: "challenge", data: nothing };
    }
    const text = responseText(response);
    if (expects === "start" || expects === "client-first") return await this.#answerFirst(text);
    if (expects === "client-final") return await this.#answerFinal(text);
    throw new SaslFailure("malformed");
  }

  async #answerFirst(text: string): Promise<SaslServerStep> {
    const first = parseClientFirst(text);
    if (first === undefined) throw new SaslFailure("malformed");
    this.#checkBinding(first.header.binding);
    const user = await tryPrepare(first.user);
    if (user === undefined) throw new SaslFailure("credentials");
    const keys = (await this.#accounts.scramKeys?.(user, this.#hash)) ?? fakeScramKeys(user, this.#hash);
    this.#first = first;
    this.#keys = keys;
    const nonce = `${first.nonce}${this.#ownNonce}`;
    this.#serverFirst = `r=${nonce},s=${encodeBase64(keys.salt)},i=${keys.iterations}`;
    this.#expects = "client-final";
    return { type: "challenge", data: utf8(this.#serverFirst) };
  }

  /** RFC 5802 section 6: `y` means that someone took -PLUS out of the list that this server sent. */
  #checkBinding(flag: string): void {
    const available = bindingsOf(this.#link);
    const named = flag !== "n" && flag !== "y";
    if (isPlus(this.name) !== named) throw new SaslFailure("malformed");
    if (named && !available.some(({ type }) => type === flag)) throw new SaslFailure("mechanism");
    if (flag === "y" && available.length > 0)
      throw new SaslFailure("mechanism", "channel binding is supported, and the client believes it is not");
  }

  async #answerFinal(text: string): Promise<SaslServerStep> {
    const final = parseClientFinal(text);
    const [first, keys] = [this.#first, this.#keys];
    if (final === undefined || first === undefined || keys === undefined) throw new SaslFailure("malformed");
    this.#checkFinal(final, first);
    const authMessage = `${first.bare},${this.#serverFirst},${final.withoutProof}`;
    if (!proves(keys, authMessage, final.proof)) throw new SaslFailure("credentials");
    const identity = await authorize(this.#accounts, this.name, first.user, first.header.authzid);
    const signature = encodeBase64(hmac(this.#hash, keys.serverKey, authMessage));
    return { type: "success", identity, data: utf8(`v=${signature}`) };
  }

  #checkFinal(final: ClientFinal, { header, nonce }: ClientFirst): void {
    const data = bindingsOf(this.#link).find(({ type }) => type === header.binding)?.data ?? nothing;
    if (final.nonce !== `${nonce}${this.#ownNonce}`) throw new SaslFailure("credentials");
    // Another TLS connection stands between the two where these differ.
    if (!sameBytes(final.binding, Buffer.concat([utf8(header.text), data])))
      throw new SaslFailure("credentials");
  }
}

/** Whether the proof holds the key whose hash is stored (section 3). */
function proves(keys: ScramKeys, authMessage: string, proof: Uint8Array): boolean {
  const signature = hmac(keys.hash, keys.storedKey, authMessage);
  if (proof.length !== signature.length) return false;
  return sameBytes(digest(keys.hash, xor(proof, signature)), keys.storedKey);
}

function hashOf(name: ScramName): ScramHash {
  return name.includes("SHA-256") ? "SHA-256" : "SHA-1";
}

function isPlus(name: string): boolean {
  return name.endsWith("-PLUS");
}

function newNonce(): string {
  return encodeBase64(randomBytes(24));
}

function broken(what: string, excerpt: string | undefined, rule: string = rfc): RemoteProtocolError {
  return new RemoteProtocolError(`SCRAM: ${what}`, { rfc: rule, ...(excerpt !== undefined && { excerpt }) });
}

/** Section 7 lists the names of errors; what is none of them is not shown. */
function refused(error: string): AuthError<string> {
  const shown = /^[a-z-]{1,60}$/.test(error) ? error : "other-error";
  return new AuthError(`the server refused the SCRAM proof: ${shown}`, {
    reply: shown,
    command: "AUTH",
    permanent: true,
  });
}
