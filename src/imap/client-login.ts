/** LOGIN and AUTHENTICATE: RFC 9051 sections 6.2.2 and 6.2.3, RFC 4959. */
import type { OpOptions } from "../core/deadline.js";
import { AuthError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import { Secret } from "../core/secret.js";
import { saslLink } from "../engine/sasl-link.js";
import {
  authenticate,
  type Credentials,
  choose,
  decodeBase64,
  encodeBase64,
  type SaslLink,
  type SaslProfile,
  type SaslStep,
} from "../sasl/index.js";
import { type Command, refusalOf } from "./client-command.js";
import type { Connection } from "./client-connection.js";
import { astring, atom, base64, type CommandPart } from "./codec-parts.js";
import type { ContinuationResponse, StatusResponse } from "./types-response.js";

/** How a client logs in. */
export interface LoginOptions extends OpOptions {
  /** Sends a password although nobody keeps others from reading it. False by default. */
  readonly allowClearText?: boolean | undefined;
}

/**
 * Logs in with the best mechanism that both sides have, or with LOGIN where the server offers none for a password.
 *
 * @throws {AuthError} the server refused the credentials, or offers no way for them.
 * @throws {LocalProtocolError} the password would cross the network in the clear, or the server forbids LOGIN. Nothing was
 * sent.
 */
export async function login(
  connection: Connection,
  credentials: Credentials,
  options: LoginOptions,
): Promise<void> {
  const link = saslLink(connection.transport, "client", options);
  const { mechanisms } = connection.state;
  if ("password" in credentials && credentials.mechanism === undefined && !mechanisms.some(isForPasswords))
    return await loginCommand(connection, credentials.user, credentials.password, link, options);
  const client = choose(mechanisms, credentials, link);
  await authenticate(profileOf(connection, options), client, link);
}

function isForPasswords(mechanism: string): boolean {
  return /^(?:PLAIN|LOGIN|SCRAM-.+)$/.test(mechanism);
}

/** LOGIN, which has nothing but a name and a password. */
export async function loginCommand(
  connection: Connection,
  user: string,
  password: string | Secret,
  link: SaslLink,
  options: OpOptions,
): Promise<void> {
  if (connection.state.has("LOGINDISABLED"))
    throw new LocalProtocolError(
      "the server forbids LOGIN here (LOGINDISABLED): it wants TLS or another mechanism",
    );
  if (!link.encrypted && link.allowClearText !== true)
    throw new LocalProtocolError(
      "LOGIN would send the password over a connection that is not encrypted: use TLS, or allow it with allowClearText: true",
    );
  const secret = password instanceof Secret ? password : new Secret(password);
  const parts = [atom("LOGIN"), astring(user), astring(secret)];
  await connection.run(authenticating(connection, "LOGIN", parts, undefined), options);
}

/** What was offered before a login is over with it, unless the server says it anew. */
function authenticating<T>(
  { state }: Connection,
  name: string,
  parts: readonly CommandPart[],
  result: T,
): Command<T> {
  let told = false;
  return {
    ...{ name, parts, effects: { alone: true } },
    take: (response) => {
      told ||= response.type === "capability";
      return response.type === "capability";
    },
    done: ({ code }) => {
      state.state = "authenticated";
      if (!told && code?.name !== "CAPABILITY") state.forgetCapabilities();
      return result;
    },
    refused: (status) => authError(status, name),
  };
}

function authError(status: StatusResponse, command: string): AuthError {
  const refusal = refusalOf(status, command);
  return new AuthError(refusal.message, {
    ...{ reply: refusal.reply, command, permanent: refusal.permanent, cause: refusal },
  });
}

/** One AUTHENTICATE after the other over the connection; `OpOptions` are those of the whole login. */
function profileOf(connection: Connection, options: OpOptions): SaslProfile {
  let exchange: Exchange | undefined;
  const running = (): Exchange => {
    if (exchange === undefined) throw new LocalProtocolError("no AUTHENTICATE is under way");
    return exchange;
  };
  return {
    ...(connection.state.has("SASL-IR") ? {} : { maxInitialBytes: 0 }),
    begin: (mechanism, initial) => {
      exchange = new Exchange(connection, mechanism, initial, options);
      return exchange.next();
    },
    respond: (data) => running().respond(encodeBase64(data)),
    cancel: async () => {
      await running()
        .respond("*")
        .catch(() => {});
    },
  };
}

/** A command that goes back and forth. */
class Exchange {
  readonly #connection: Connection;
  readonly #outcome: Promise<SaslStep>;
  #challenge: { readonly promise: Promise<SaslStep>; resolve(step: SaslStep): void } = deferred();

  constructor(
    connection: Connection,
    mechanism: string,
    initial: Uint8Array | undefined,
    options: OpOptions,
  ) {
    this.#connection = connection;
    const first = initial === undefined ? [] : [base64(initial)];
    const parts = [atom("AUTHENTICATE"), atom(mechanism), ...first];
    const command: Command<SaslStep> = {
      ...authenticating<SaslStep>(connection, "AUTHENTICATE", parts, { type: "success" }),
      continued: (response) => this.#continued(response),
    };
    this.#outcome = connection.run(command, options);
    this.#outcome.catch(() => {});
  }

  /** @throws {RemoteProtocolError} the challenge is no base64. */
  #continued({ text }: ContinuationResponse): void {
    this.#challenge.resolve({ type: "challenge", data: decodeBase64(text.trim()) });
  }

  /** A challenge, or the end. */
  async next(): Promise<SaslStep> {
    return await Promise.race([this.#challenge.promise, this.#outcome]);
  }

  async respond(text: string): Promise<SaslStep> {
    if (this.#connection.isOver) return await this.#outcome;
    this.#challenge = deferred();
    this.#connection.sendLine(text, text === "*" ? "*" : "[secret]");
    return await this.next();
  }
}

function deferred(): { readonly promise: Promise<SaslStep>; resolve(step: SaslStep): void } {
  let resolve!: (step: SaslStep) => void;
  const promise = new Promise<SaslStep>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** PREAUTH where it was not expected: whoever answers may not be who was asked (RFC 9051 section 11.1). */
export function unexpectedPreauth(): RemoteProtocolError {
  return new RemoteProtocolError(
    "the server says PREAUTH: it takes the session for logged in without a login",
    {
      rfc: "RFC 9051 section 7.1.4",
    },
  );
}
