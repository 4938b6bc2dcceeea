/** A codec must give the same values however the network cuts its bytes. */
import assert from "node:assert/strict";
import { ByteQueue } from "../core/byte-queue.js";
import type { Decoder } from "../core/decoder.js";
import { HawserError } from "../core/errors.js";
import { defaultLimits, type Limits } from "../core/limits.js";

/** Up to this size a wire is cut at every offset. */
const allCutsBytes = 2048;
/** Beyond it: so many evenly spread, or fewer, down to 64, so that a large wire takes no longer than a small one. */
const maxSpreadCuts = 1024;
/** And all of those so near to either end. */
const endBytes = 32;

/** What a decoder made of its bytes. */
interface Outcome<T> {
  readonly values: readonly T[];
  /** The stable code of what was thrown. */
  readonly code?: string;
  readonly error?: HawserError;
  /** The bytes that were not taken; after an error there is nothing to say of them. */
  readonly leftBytes?: number;
}

/**
 * Runs a decoder over `wire` as a whole, byte by byte, and cut in two at every offset (beyond 2 KiB at some of them), and returns the values that it gives each time. What it leaves must be the end of what it was fed, and as
 * much each time.
 *
 * A decoder of a body gives other pieces at other cuts: {@link wholeBody} joins them.
 *
 * @throws {HawserError} what the decoder throws, if it throws an error of the same `code` each time.
 * @throws {AssertionError} some cut gives other values, another error, or one that is no `HawserError`.
 *
 * @example
 * ```ts
 * const lines = everyCut(() => (queue, limits) => queue.takeLine(limits.maxLineBytes), "a\r\nb\r\n");
 * assert.deepEqual(lines.map(String), ["a", "b"]);
 * ```
 */
export function everyCut<T>(
  makeDecoder: () => Decoder<T>,
  wire: string | Uint8Array,
  limits: Partial<Limits> = {},
): T[] {
  const bytes = typeof wire === "string" ? new TextEncoder().encode(wire) : wire;
  const all = { ...defaultLimits, ...limits };
  const whole = decodeAll(makeDecoder(), [bytes], all);
  const same = (how: string, pieces: readonly Uint8Array[]) =>
    assert.deepEqual(
      facts(decodeAll(makeDecoder(), pieces, all)),
      facts(whole),
      `${how} it differs from whole`,
    );
  same(
    "byte by byte",
    [...bytes.keys()].map((at) => bytes.slice(at, at + 1)),
  );
  for (const at of cuts(bytes.length)) same(`cut at ${at}`, [bytes.slice(0, at), bytes.slice(at)]);
  if (whole.error !== undefined) throw whole.error;
  return [...whole.values];
}

/** A decoder of a body's pieces as one of the whole body, for {@link everyCut}. */
export function wholeBody(makeDecoder: () => Decoder<Uint8Array | null>): () => Decoder<Uint8Array> {
  return () => {
    let decode = makeDecoder();
    let pieces: Uint8Array[] = [];
    return (queue, limits) => {
      for (;;) {
        const piece = decode(queue, limits);
        if (piece === undefined) return undefined;
        if (piece !== null) {
          pieces.push(piece);
          continue;
        }
        const whole = new Uint8Array(Buffer.concat(pieces));
        decode = makeDecoder();
        pieces = [];
        return whole;
      }
    };
  };
}

function decodeAll<T>(decode: Decoder<T>, pieces: readonly Uint8Array[], limits: Limits): Outcome<T> {
  const queue = new ByteQueue();
  const values: T[] = [];
  let fed = Buffer.alloc(0);
  try {
    for (const piece of pieces) {
      queue.push(piece);
      for (;;) {
        const value = decode(queue, limits);
        if (value === undefined) break;
        values.push(value);
      }
    }
  } catch (error) {
    if (!(error instanceof HawserError)) throw notHawser(error);
    return { values, code: error.code, error };
  }
  fed = Buffer.concat(pieces);
  const left = queue.peek();
  assert.ok(
    fed.subarray(fed.length - left.length).equals(left),
    "what is left is not the end of what was fed",
  );
  return { values, leftBytes: left.length };
}

function notHawser(cause: unknown): assert.AssertionError {
  const error = new assert.AssertionError({
    message: `a decoder threw ${String(cause)}, which is no HawserError`,
  });
  error.cause = cause;
  return error;
}

function facts<T>({ values, code, leftBytes }: Outcome<T>): Outcome<T> {
  return { values, ...(code !== undefined && { code }), ...(leftBytes !== undefined && { leftBytes }) };
}

/** Offsets strictly within: all of them, or some. */
function cuts(length: number): Iterable<number> {
  const spread = Math.max(64, Math.min(maxSpreadCuts, (allCutsBytes * allCutsBytes) / length));
  const step = length <= allCutsBytes ? 1 : length / spread;
  const chosen = new Set<number>();
  for (let at = 1; at < length; at += step) chosen.add(Math.floor(at));
  for (let near = 1; near < Math.min(endBytes, length); near += 1) chosen.add(near).add(length - near);
  return chosen;
}
