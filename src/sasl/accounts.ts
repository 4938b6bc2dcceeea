/** Accounts in memory: what a server checks credentials against. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { LocalProtocolError } from "../core/errors.js";
import { reveal, Secret } from "../core/secret.js";
import type { Authenticator, TokenContext, TokenRefusal } from "./authenticator.js";
import { prepare, tryPrepare } from "./prepare.js";
import {
  checkIterations,
  defaultIterations,
  deriveScramKeys,
  fakeScramKeys,
  matchesKeys,
  type ScramHash,
  type ScramKeys,
} from "./scram-keys.js";

/** An account: a password, which is turned into keys, or the keys of one or both hashes. */
export type AccountEntry = string | Secret | ScramKeys | readonly ScramKeys[];

/** What accounts can do besides checking passwords. What is absent is not offered. */
export interface AccountsOptions {
  /** PBKDF2 iterations for keys that are derived here. 10,000 by default, 4096 at least. */
  readonly iterations?: number | undefined;
  /** Keeps the passwords themselves, for CRAM-MD5 and APOP. False by default. */
  readonly keepPlain?: boolean | undefined;
  /**
   * A secret from which salts are made, those of users that do not exist too. Random for each process by default: give
   * one where salts must not tell after a restart who exists.
   */
  readonly seed?: string | Secret | undefined;
  /** Checks a bearer token: whose it is, or why it is refused. */
  readonly verifyToken?:
    | ((token: Secret, context: TokenContext) => Promise<string | TokenRefusal>)
    | undefined;
  /** The user of a client certificate's subject. */
  readonly external?: ((subject: string) => Promise<string | undefined>) | undefined;
  /** The user that anonymous sessions act for. */
  readonly anonymous?: string | undefined;
  /** Whether a user may act for another one. */
  readonly mayActFor?: ((user: string, authzid: string) => Promise<boolean>) | undefined;
}

/** What of a user's keys anyone can see who asks. */
interface KeyShape {
  readonly hash: ScramHash;
  readonly iterations: number;
  readonly saltBytes: number;
}

interface Account {
  readonly keys: readonly ScramKeys[];
  readonly plain: Secret | undefined;
}

/**
 * Accounts in memory. Passwords become SCRAM keys and are then forgotten; a user that does not exist costs the same work
 * as one that does. Names are case-sensitive.
 *
 * @example
 * ```ts
 * const accounts = Accounts.of({ alice: "secret", bob: parseScramKeys(line) });
 * await accounts.verify("alice", "secret"); // true
 * ```
 */
export class Accounts implements Authenticator {
  readonly #options: AccountsOptions;
  readonly #iterations: number;
  readonly #seed: Uint8Array;
  readonly #entries: Map<string, AccountEntry>;
  readonly #failed: string[] = [];
  /** The shapes that keys of accounts have: few, and mostly one for each hash. */
  readonly #keyShapes: KeyShape[] = [];
  #accounts: Promise<Map<string, Account>> | undefined;

  readonly plainPassword?: (user: string) => Promise<Secret | undefined>;
  readonly verifyToken?: (token: Secret, context: TokenContext) => Promise<string | TokenRefusal>;
  readonly external?: (subject: string) => Promise<string | undefined>;
  readonly anonymous?: (trace: string) => Promise<string | undefined>;
  readonly mayActFor?: (user: string, authzid: string) => Promise<boolean>;

  private constructor(entries: Iterable<[string, AccountEntry]>, options: AccountsOptions) {
    const { iterations = defaultIterations, seed, verifyToken, external, anonymous, mayActFor } = options;
    checkIterations(iterations);
    this.#options = options;
    this.#iterations = iterations;
    this.#seed = seed === undefined ? randomBytes(32) : createHash("sha256").update(reveal(seed)).digest();
    // Wrapped at once: what is printed of these accounts shows no password.
    this.#entries = new Map(Array.from(entries, ([user, entry]) => [user, wrapped(entry)]));
    if (options.keepPlain === true) this.plainPassword = (user) => this.#plainPassword(user);
    if (verifyToken !== undefined) this.verifyToken = verifyToken;
    if (external !== undefined) this.external = external;
    if (anonymous !== undefined) this.anonymous = async () => anonymous;
    if (mayActFor !== undefined) this.mayActFor = mayActFor;
  }

  /**
   * Accounts by user name. The keys of all are derived when the first client logs in; {@link Accounts.ready} does it
   * before. For many thousands of users, give keys.
   */
  static of(
    accounts: Readonly<Record<string, AccountEntry>> | Iterable<[string, AccountEntry]>,
    options: AccountsOptions = {},
  ): Accounts {
    const entries = Symbol.iterator in accounts ? accounts : Object.entries(accounts);
    return new Accounts(entries as Iterable<[string, AccountEntry]>, options);
  }

  /**
   * Derives the keys of all accounts.
   *
   * @throws {LocalProtocolError} SASLprep refuses a name or a password. Such an account is there but nobody can log in.
   */
  async ready(): Promise<void> {
    await this.#all();
    if (this.#failed.length > 0)
      throw new LocalProtocolError(
        `SASLprep refuses the name or password of ${this.#failed.map((name) => JSON.stringify(name)).join(", ")}`,
      );
  }

  /**
   * Adds an account, or replaces it.
   *
   * @throws {LocalProtocolError} SASLprep refuses the name or the password.
   */
  async set(user: string, entry: AccountEntry): Promise<void> {
    const accounts = await this.#all();
    const name = await prepare(user, "the user name");
    const account = await this.#account(name, wrapped(entry));
    this.#noteShapes(account);
    accounts.set(name, account);
  }

  /** Removes an account; whether there was one. */
  async delete(user: string): Promise<boolean> {
    return (await this.#all()).delete((await tryPrepare(user)) ?? user);
  }

  /** Whether there is such an account: for a server's own rules, never for what it tells a client. */
  async has(user: string): Promise<boolean> {
    return (await this.#all()).has((await tryPrepare(user)) ?? user);
  }

  /** Whether the password is the user's. It takes one PBKDF2, whether there is such a user or not. */
  async verify(user: string, password: string | Secret): Promise<boolean> {
    const [name, prepared] = [await tryPrepare(user), await tryPrepare(reveal(password))];
    if (name === undefined || prepared === undefined) return false;
    const keys = (await this.#all()).get(name)?.keys;
    const fake = this.#fakeKeys(name, this.#shapes("SHA-256").length > 0 ? "SHA-256" : "SHA-1");
    return await matchesKeys(strongest(keys) ?? fake, prepared);
  }

  /** The keys of a user; made-up ones, which no password matches, where there are none. */
  async scramKeys(user: string, hash: ScramHash): Promise<ScramKeys> {
    const name = (await tryPrepare(user)) ?? user;
    const keys = (await this.#all()).get(name)?.keys.find((one) => one.hash === hash);
    // Made up for users that exist as well, so that both take the same time.
    const fake = this.#fakeKeys(name, hash);
    return keys ?? fake;
  }

  async #plainPassword(user: string): Promise<Secret | undefined> {
    return (await this.#all()).get((await tryPrepare(user)) ?? user)?.plain;
  }

  #all(): Promise<Map<string, Account>> {
    this.#accounts ??= this.#prepareAll();
    return this.#accounts;
  }

  async #prepareAll(): Promise<Map<string, Account>> {
    const accounts = new Map<string, Account>();
    for (const [user, entry] of this.#entries) {
      const name = await tryPrepare(user);
      const account =
        name === undefined ? undefined : await this.#account(name, entry).catch(() => undefined);
      if (name === undefined || account === undefined) this.#failed.push(user);
      else accounts.set(name, account);
      if (account !== undefined) this.#noteShapes(account);
    }
    this.#entries.clear();
    return accounts;
  }

  async #account(name: string, entry: AccountEntry): Promise<Account> {
    if (!(entry instanceof Secret) && typeof entry !== "string")
      return { keys: "hash" in entry ? [entry] : entry, plain: undefined };
    const derive = (hash: ScramHash): Promise<ScramKeys> =>
      deriveScramKeys(hash, entry, { salt: this.#salt(name, hash), iterations: this.#iterations });
    const keys = await Promise.all([derive("SHA-256"), derive("SHA-1")]);
    return { keys, plain: this.#options.keepPlain === true ? new Secret(reveal(entry)) : undefined };
  }

  /** Made as the salts of made-up keys are, so that no restart tells the two apart. */
  #salt(name: string, hash: ScramHash): Uint8Array {
    return fakeScramKeys(name, hash, { seed: this.#seed }).salt;
  }

  /** Looks like the keys of an account that is there: same iterations, a salt of the same size. */
  #fakeKeys(name: string, hash: ScramHash): ScramKeys {
    const shapes = this.#shapes(hash);
    const at = createHmac("sha256", this.#seed).update(name).digest().readUInt32BE();
    return fakeScramKeys(name, hash, {
      ...{ iterations: this.#iterations, ...shapes[at % shapes.length], seed: this.#seed },
    });
  }

  #shapes(hash: ScramHash): readonly KeyShape[] {
    return this.#keyShapes.filter((one) => one.hash === hash);
  }

  #noteShapes({ keys }: Account): void {
    for (const { hash, iterations, salt } of keys) {
      const shape = { hash, iterations, saltBytes: salt.length };
      if (!this.#keyShapes.some((one) => isDeepStrictEqual(one, shape))) this.#keyShapes.push(shape);
    }
  }
}

/** The keys that a password is checked against. */
function strongest(keys: readonly ScramKeys[] | undefined): ScramKeys | undefined {
  return keys?.find(({ hash }) => hash === "SHA-256") ?? keys?.[0];
}

function wrapped(entry: AccountEntry): AccountEntry {
  return typeof entry === "string" ? new Secret(entry) : entry;
}
