/** Both halves of an exchange joined in memory, and servers that say what a script says. */
import { createHook } from "node:async_hooks";
import { AuthError } from "../../src/core/errors.js";
import {
  Accounts,
  type AccountsOptions,
  admit,
  authenticate,
  type Identity,
  type SaslClient,
  SaslFailure,
  type SaslLink,
  type SaslProfile,
  type SaslServer,
  type SaslStep,
} from "../../src/sasl/index.js";

export const clear: SaslLink = { encrypted: false };
export const encrypted: SaslLink = { encrypted: true };
export const bound: SaslLink = {
  encrypted: true,
  channelBinding: { type: "tls-exporter", data: new Uint8Array(32).fill(7) },
};

/** Accounts with as few iterations as there may be. */
export function accountsOf(
  entries: Parameters<typeof Accounts.of>[0] = { alice: "secret" },
  options: AccountsOptions = {},
): Accounts {
  return Accounts.of(entries, { iterations: 4096, ...options });
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(data: Uint8Array | undefined): string | undefined {
  return data === undefined ? undefined : new TextDecoder().decode(data);
}

/** A refusal such as a protocol's own error. */
export function refusal(reply: string, permanent = true): AuthError<string> {
  return new AuthError(`refused: ${reply}`, { reply, command: "AUTH", permanent });
}

/** How the joined halves behave. */
export interface JoinOptions {
  readonly successData?: boolean;
  readonly maxInitialBytes?: number;
}

/** A profile whose server is in this process: `begin` starts its exchange, and each step waits for what it says next. */
export class Joined implements SaslProfile {
  /** What crossed, in order: `C:` and `S:`. */
  readonly said: string[] = [];
  readonly maxInitialBytes: number | undefined;
  identity: Identity | undefined;
  failure: unknown;
  readonly #server: (mechanism: string) => SaslServer;
  readonly #successData: boolean;
  #next: PromiseWithResolvers<SaslStep> = withResolvers();
  #response: PromiseWithResolvers<Uint8Array> = withResolvers();

  constructor(server: (mechanism: string) => SaslServer, options: JoinOptions = {}) {
    this.#server = server;
    this.#successData = options.successData ?? false;
    this.maxInitialBytes = options.maxInitialBytes;
  }

  begin(mechanism: string, initial?: Uint8Array): Promise<SaslStep> {
    this.said.push(`C: ${mechanism}${initial === undefined ? "" : ` ${text(initial)}`}`);
    this.#next = withResolvers();
    void this.#serve(mechanism, initial);
    return this.#next.promise;
  }

  respond(data: Uint8Array): Promise<SaslStep> {
    this.said.push(`C: ${text(data)}`);
    this.#next = withResolvers();
    this.#response.resolve(data);
    return this.#next.promise;
  }

  async cancel(): Promise<void> {
    this.said.push("C: *");
    this.#next = withResolvers();
    this.#response.reject(new SaslFailure("cancelled"));
    await this.#next.promise.catch(() => {});
  }

  async #serve(mechanism: string, initial: Uint8Array | undefined): Promise<void> {
    try {
      const profile = {
        successData: this.#successData,
        challenge: (data: Uint8Array) => {
          this.said.push(`S: ${text(data)}`);
          this.#response = withResolvers();
          this.#next.resolve({ type: "challenge", data });
          return this.#response.promise;
        },
      };
      const { identity, data } = await admit(profile, this.#server(mechanism), initial);
      this.identity = identity;
      this.#next.resolve({ type: "success", data });
    } catch (error) {
      this.failure = error;
      this.#next.reject(refusal("535"));
    }
  }
}

/** Logs in against a server's half; the server's identity or failure. */
export async function converse(
  client: SaslClient,
  server: SaslServer,
  options: JoinOptions = {},
): Promise<Joined> {
  const joined = new Joined(() => server, options);
  await authenticate(joined, client, encrypted);
  return joined;
}

/** A server that says what it is told to, and notes what it gets. An error stands for a refusal. */
export function scripted(
  ...steps: (SaslStep | Error)[]
): SaslProfile & { readonly got: (string | undefined)[] } {
  const got: (string | undefined)[] = [];
  const next = async (): Promise<SaslStep> => {
    const step = steps.shift();
    if (step === undefined) throw new Error("the script is over");
    if (step instanceof Error) throw step;
    return step;
  };
  return {
    got,
    begin: (mechanism, initial) => {
      got.push(mechanism, text(initial));
      return next();
    },
    respond: (data) => {
      got.push(text(data));
      return next();
    },
    cancel: async () => void got.push("*"),
  };
}

export function challenge(data: string): SaslStep {
  return { type: "challenge", data: bytes(data) };
}

export function success(data?: string): SaslStep {
  return { type: "success", data: data === undefined ? undefined : bytes(data) };
}

/** How often PBKDF2 ran during the work. */
export async function countPbkdf2(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === "PBKDF2REQUEST") count += 1;
    },
  }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return count;
}

/** What a promise rejects with; an error where it does not. */
export async function rejection(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it did not reject");
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((...both) => {
    [resolve, reject] = both;
  });
  promise.catch(() => {}); // it may reject while nobody waits yet
  return { promise, resolve, reject };
}
