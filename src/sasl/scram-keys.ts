/** The keys of SCRAM (RFC 5802 section 3): what a server keeps in place of a password, and how they are derived. */
import { createHash, createHmac, hkdfSync, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { LocalProtocolError } from "../core/errors.js";
import { reveal, type Secret } from "../core/secret.js";
import { decodeBase64, encodeBase64 } from "./base64.js";
import { prepare } from "./prepare.js";

/** The hash functions of SCRAM, by their names in mechanisms. */
export type ScramHash = "SHA-1" | "SHA-256";

/**
 * What a server keeps for a user and a hash. A thief can impersonate the server with them and try passwords, but not log
 * in: store them as carefully as any password hash.
 */
export interface ScramKeys {
  readonly hash: ScramHash;
  readonly salt: Uint8Array;
  /** How often PBKDF2 hashes: 4096 at least. */
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** How keys are derived. */
export interface ScramKeyOptions {
  /** 16 random bytes by default. */
  readonly salt?: Uint8Array | undefined;
  /** 10,000 by default; 4096 at least. */
  readonly iterations?: number | undefined;
}

/** RFC 5802 section 5.1 and RFC 7677 section 4: fewer make guessing too cheap. */
export const minIterations = 4096;
export const defaultIterations = 10_000;
const defaultSaltBytes = 16;
const hashes: Readonly<Record<ScramHash, { readonly node: string; readonly bytes: number }>> = {
  "SHA-1": { node: "sha1", bytes: 20 },
  "SHA-256": { node: "sha256", bytes: 32 },
};
const pbkdf2Async = promisify(pbkdf2);

/**
 * Derives the keys of a password, on a thread of its own.
 *
 * @throws {LocalProtocolError} SASLprep refuses the password, or there are fewer than 4096 iterations.
 */
export async function deriveScramKeys(
  hash: ScramHash,
  password: string | Secret,
  options: ScramKeyOptions = {},
): Promise<ScramKeys> {
  const { salt = randomBytes(defaultSaltBytes), iterations = defaultIterations } = options;
  checkIterations(iterations);
  const prepared = await prepare(reveal(password), "the password");
  return keysOf(hash, salt, iterations, await saltedPassword(hash, prepared, salt, iterations));
}

/** Throws unless the count is a whole number of 4096 at least, and one that PBKDF2 takes. */
export function checkIterations(iterations: number): void {
  if (!Number.isInteger(iterations) || iterations < minIterations || iterations > 0x7fffffff)
    throw new LocalProtocolError(`${iterations} iterations: SCRAM needs ${minIterations} at least`);
}

/** `Hi(Normalize(password), salt, i)`: PBKDF2, off the event loop. */
export function saltedPassword(
  hash: ScramHash,
  prepared: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Uint8Array> {
  return pbkdf2Async(prepared, salt, iterations, hashes[hash].bytes, hashes[hash].node);
}

/** The keys that come of a salted password. */
export function keysOf(hash: ScramHash, salt: Uint8Array, iterations: number, salted: Uint8Array): ScramKeys {
  const storedKey = digest(hash, hmac(hash, salted, "Client Key"));
  return { hash, salt, iterations, storedKey, serverKey: hmac(hash, salted, "Server Key") };
}

/** Whether the keys are those of the password; a wrong password takes as long as the right one. */
export async function matchesKeys(keys: ScramKeys, prepared: string): Promise<boolean> {
  const { hash, salt, iterations } = keys;
  const tried = keysOf(hash, salt, iterations, await saltedPassword(hash, prepared, salt, iterations));
  return sameBytes(tried.storedKey, keys.storedKey);
}

const seedOfProcess = randomBytes(32);

/**
 * Keys for a user that does not exist: no password matches them, and they are the same each time, so that asking twice
 * tells nothing. `seed` makes them outlive the process.
 */
export function fakeScramKeys(
  user: string,
  hash: ScramHash,
  like: { readonly iterations?: number; readonly saltBytes?: number; readonly seed?: Uint8Array } = {},
): ScramKeys {
  const { iterations = defaultIterations, saltBytes = defaultSaltBytes, seed = seedOfProcess } = like;
  const bytes = (what: string, count: number): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", seed, `${what}\0${hash}\0${user}`, "hawser", count));
  const keyBytes = hashes[hash].bytes;
  return {
    hash,
    salt: bytes("salt", saltBytes),
    iterations,
    storedKey: bytes("stored key", keyBytes),
    serverKey: bytes("server key", keyBytes),
  };
}

/** The keys as text for a file or a database (RFC 5803): `SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY`. */
export function formatScramKeys(keys: ScramKeys): string {
  const [salt, stored, server] = [keys.salt, keys.storedKey, keys.serverKey].map(encodeBase64);
  return `SCRAM-${keys.hash}$${keys.iterations}:${salt}$${stored}:${server}`;
}

const keysText =
  /^SCRAM-(?<hash>SHA-1|SHA-256)\$(?<iterations>[1-9]\d{3,9}):(?<salt>[^$:]+)\$(?<stored>[^$:]+):(?<server>[^$:]+)$/;

/**
 * The inverse of {@link formatScramKeys}; PostgreSQL and Dovecot write the same form.
 *
 * @throws {LocalProtocolError} the text is something else. It is not shown.
 */
export function parseScramKeys(text: string): ScramKeys {
  const found = keysText.exec(text)?.groups;
  const hash: ScramHash = found?.["hash"] === "SHA-1" ? "SHA-1" : "SHA-256";
  const bytes = (name: string): Uint8Array => storedBytes(found?.[name] ?? "");
  const [salt, storedKey, serverKey] = [bytes("salt"), bytes("stored"), bytes("server")];
  if (salt.length === 0 || [storedKey, serverKey].some((key) => key.length !== hashes[hash].bytes))
    throw new LocalProtocolError("not SCRAM keys in the form of RFC 5803");
  const iterations = Number(found?.["iterations"]);
  checkIterations(iterations);
  return { hash, salt, iterations, storedKey, serverKey };
}

/** HMAC of the mechanism's hash. */
export function hmac(hash: ScramHash, key: Uint8Array, text: string): Uint8Array {
  return createHmac(hashes[hash].node, key).update(text).digest();
}

/** The mechanism's hash. */
export function digest(hash: ScramHash, bytes: Uint8Array): Uint8Array {
  return createHash(hashes[hash].node).update(bytes).digest();
}

/** Whether two byte strings are equal, in a time that does not depend on where they differ. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** The bytes of one XOR those of the other, which is as long. */
export function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, at) => byte ^ (other[at] ?? 0));
}

function storedBytes(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch {
    return new Uint8Array(0);
  }
}
