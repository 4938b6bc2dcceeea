/** The contract of transports, as checks that any of them must pass. */
import assert from "node:assert/strict";
import { BrokenError, BusyError, ClosedError, HawserError } from "../core/errors.js";
import type { Transport } from "../transport/types.js";

/** Two ends of one connection. */
export type TransportPair = readonly [Transport, Transport];

/** One check of the contract, for any test runner. */
export interface TransportCheck {
  readonly name: string;
  /** Resolves if the transport keeps to the rule, and rejects with what is wrong. */
  run(): Promise<void>;
}

/** What {@link checkTransport} must know of the transports. */
export interface CheckTransportOptions {
  /** More than both ends and the network between them hold unread, in bytes. Default 16 MiB. */
  readonly floodBytes?: number;
}

/**
 * The checks of the contract of {@link Transport}. `make` gives a new connection, both of whose ends are under test.
 *
 * @example
 * ```ts
 * for (const { name, run } of checkTransport(() => memoryPair())) test(`memory: ${name}`, run);
 * ```
 */
export function checkTransport(
  make: () => TransportPair | Promise<TransportPair>,
  { floodBytes = 16_777_216 }: CheckTransportOptions = {},
): readonly TransportCheck[] {
  const once = async (check: Check, turned: boolean): Promise<void> => {
    const [one, other] = await make();
    try {
      await within(() => (turned ? check(other, one, floodBytes) : check(one, other, floodBytes)));
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  };
  return checks.map(([name, check]) => ({
    name,
    async run(): Promise<void> {
      await once(check, false);
      await once(check, true);
    },
  }));
}

type Check = (near: Transport, far: Transport, floodBytes: number) => Promise<void>;

/** No check may last longer than this. */
const limitMs = 30_000;

async function within(work: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const checks: readonly (readonly [name: string, check: Check])[] = [
  ["bytes arrive, in both directions", bytesArrive],
  ["many bytes arrive both ways at once, in order", manyBytes],
  ["the order of writes that are not waited for is kept", ordered],
  ["writes that wait are settled with an end behind them", endBehindWrites],
  ["end is seen behind the last byte, and the other direction goes on", halfClose],
  ["end and close may be called again", repeated],
  ["an empty write writes nothing", emptyWrite],
  ["a second read is refused, and the first goes on", oneReader],
  ["close rejects a read that waits, once", closeRejectsRead],
  ["close rejects a write that waits", closeRejectsWrite],
  ["nothing can be done after close", afterClose],
  ["writing after end is refused", afterEnd],
  ["the other end sees a close as an end or a break", peerCloses],
  ["writes that wait end when the other end goes", peerLeavesWriter],
  ["a write waits for a reader that is slow", backpressure],
  ["what was read stays as it is", kept],
  ["an end that waits for its writes is finished by close", endThenClose],
];

async function bytesArrive(near: Transport, far: Transport): Promise<void> {
  await near.write(Uint8Array.of(1, 2, 3));
  assert.deepEqual(await readExactly(far, 3), [1, 2, 3]);
  await far.write(Uint8Array.of(4));
  assert.deepEqual(await readExactly(near, 1), [4]);
}

async function manyBytes(near: Transport, far: Transport, floodBytes: number): Promise<void> {
  const there = pattern(Math.min(400_000, floodBytes / 16), 3);
  const back = pattern(there.length, 5);
  await Promise.all([sendAll(near, there), sendAll(far, back), checkAll(near, back), checkAll(far, there)]);
}

async function sendAll(transport: Transport, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; at += 70_001) await transport.write(data.subarray(at, at + 70_001));
  await transport.end();
}

async function checkAll(transport: Transport, data: Uint8Array): Promise<void> {
  assert.ok((await readToEnd(transport)).equals(data), "the bytes are others");
}

function pattern(bytes: number, seed: number): Uint8Array {
  return new Uint8Array(bytes).map((_, index) => (index * seed) % 251);
}

async function ordered(near: Transport, far: Transport): Promise<void> {
  const writes = Array.from({ length: 200 }, (_, index) => near.write(Uint8Array.of(index)));
  const ended = Promise.all(writes).then(() => near.end());
  assert.deepEqual(
    [...(await readToEnd(far))],
    Array.from({ length: 200 }, (_, index) => index),
  );
  await ended;
}

async function halfClose(near: Transport, far: Transport): Promise<void> {
  await near.write(Uint8Array.of(7));
  await near.end();
  assert.deepEqual([...(await readToEnd(far))], [7]);
  assert.equal(await far.read(), undefined);
  await far.write(Uint8Array.of(8, 9));
  await far.end();
  assert.deepEqual([...(await readToEnd(near))], [8, 9]);
}

async function endBehindWrites(near: Transport, far: Transport, floodBytes: number): Promise<void> {
  const data = new Uint8Array(floodBytes / 4);
  const writes = [near.write(data), near.write(data), near.end()];
  assert.equal((await readToEnd(far)).length, 2 * data.length);
  await Promise.all(writes);
}

async function repeated(near: Transport, far: Transport): Promise<void> {
  await Promise.all([near.end(), near.end()]);
  await near.end();
  assert.equal(await far.read(), undefined);
  await Promise.all([near.close(), near.close()]);
  await near.close();
  await near.end();
  await near[Symbol.asyncDispose]();
}

async function emptyWrite(near: Transport, far: Transport): Promise<void> {
  await near.write(new Uint8Array(0));
  await near.write(Uint8Array.of(1));
  assert.deepEqual(await readExactly(far, 1), [1]);
}

async function oneReader(near: Transport, far: Transport): Promise<void> {
  const first = near.read();
  await assert.rejects(near.read(), BusyError);
  await far.write(Uint8Array.of(5));
  assert.deepEqual([...((await first) ?? [])], [5]);
}

async function closeRejectsRead(near: Transport): Promise<void> {
  let rejections = 0;
  const waiting = near.read().catch((error: unknown) => {
    rejections += 1;
    throw error;
  });
  const refused = assert.rejects(waiting, ClosedError);
  await near.close();
  await refused;
  assert.equal(rejections, 1);
}

async function closeRejectsWrite(near: Transport): Promise<void> {
  const refused = assert.rejects(fill(near), ClosedError);
  await turns();
  await near.close();
  await refused;
}

/** Writes until no more is taken. */
async function fill(transport: Transport): Promise<never> {
  const block = new Uint8Array(1_048_576);
  for (;;) await transport.write(block);
}

/** Some turns of the event loop, in which what is under way gets on. */
async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function afterClose(near: Transport, far: Transport): Promise<void> {
  await far.write(Uint8Array.of(1));
  await near.close();
  await assert.rejects(near.read(), ClosedError);
  await assert.rejects(near.write(Uint8Array.of(1)), ClosedError);
  await assert.rejects(near.startTls({ role: "client", options: { serverName: "x" } }), ClosedError);
  assert.throws(() => near.toNode(), ClosedError);
  assert.equal(near.bufferedBytes, 0);
}

async function afterEnd(near: Transport, far: Transport): Promise<void> {
  await near.end();
  await assert.rejects(near.write(Uint8Array.of(1)), ClosedError);
  assert.equal(await far.read(), undefined);
}

async function peerCloses(near: Transport, far: Transport): Promise<void> {
  const waiting = far.read();
  await near.close();
  await assertOver(waiting);
}

/** The end, or an error of ours that says that the connection broke. */
async function assertOver(waiting: Promise<unknown>): Promise<void> {
  try {
    assert.equal(await waiting, undefined);
  } catch (error) {
    assert.ok(error instanceof BrokenError, `expected a BrokenError, not ${error}`);
    assert.equal(error.usable, false);
  }
}

async function peerLeavesWriter(near: Transport, far: Transport): Promise<void> {
  const refused = fill(near).then(
    () => assert.fail("written"),
    (error: unknown) => assert.ok(error instanceof BrokenError, `expected a BrokenError, not ${error}`),
  );
  await turns();
  await far.close();
  await refused;
}

async function backpressure(near: Transport, far: Transport, floodBytes: number): Promise<void> {
  let written = 0;
  const writing = (async () => {
    for (; written < 64; written += 1) await near.write(new Uint8Array(floodBytes / 64));
    await near.end();
  })();
  await turns(100);
  assert.ok(written < 64, "everything was taken though nobody reads");
  const whole = await readToEnd(far);
  await writing;
  assert.equal(whole.length, floodBytes);
}

async function kept(near: Transport, far: Transport, floodBytes: number): Promise<void> {
  const pieces: { readonly live: Uint8Array; readonly copy: Uint8Array }[] = [];
  const writing = sendAll(near, pattern(Math.min(400_000, floodBytes / 16), 7));
  for (let piece = await far.read(); piece !== undefined; piece = await far.read())
    pieces.push({ live: piece, copy: piece.slice() });
  await writing;
  for (const { live, copy } of pieces) assert.ok(Buffer.from(copy).equals(live), "written to again");
}

async function endThenClose(near: Transport): Promise<void> {
  const filling = assert.rejects(fill(near), HawserError);
  await turns();
  const ending = near.end();
  await near.close();
  await ending;
  await filling;
}

async function readExactly(transport: Transport, count: number): Promise<number[]> {
  const bytes: number[] = [];
  while (bytes.length < count) {
    const piece = await transport.read();
    if (piece === undefined) assert.fail(`the end after ${bytes.length} of ${count} bytes`);
    assert.ok(piece.length > 0, "a read gave no bytes");
    bytes.push(...piece);
  }
  return bytes;
}

async function readToEnd(transport: Transport): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = await transport.read();
    if (piece === undefined) return Buffer.concat(pieces);
    assert.ok(piece.length > 0, "a read gave no bytes");
    pieces.push(piece);
  }
}
