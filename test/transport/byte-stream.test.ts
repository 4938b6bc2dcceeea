/** The pump: nothing is lost, one reader at a time, and a deadline on everything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteQueue } from "../../src/core/byte-queue.js";
import type { Limits } from "../../src/core/limits.js";
import { BrokenError, BusyError, ClosedError, LimitError } from "../../src/index.js";
import { ByteStream, memoryPair } from "../../src/transport/index.js";
import { bytes, deadlineMs, deferred } from "./support.js";

const line = (queue: ByteQueue, limits: Limits) => queue.takeLine(limits.maxLineBytes);
const options = { timeoutMs: deadlineMs };
const text = (value: Uint8Array) => Buffer.from(value).toString();

test("what a deadline or a signal leaves behind goes to the next receive, byte for byte", async () => {
  const [near, far] = memoryPair({ fragmentBytes: 1 });
  const stream = new ByteStream(near);
  await far.write(bytes("on"));
  await assert.rejects(stream.receive(line, { timeoutMs: 20, what: "the line" }), {
    code: "HAWSER_DEADLINE",
    what: "the line",
  });
  const stop = new AbortController();
  const waiting = stream.receive(line, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await far.write(bytes("e\r\ntwo\r\n"));
  assert.equal(text(await stream.receive(line, options)), "one");
  assert.equal(text(await stream.receive(line, options)), "two");
});

test("one receive at a time", async () => {
  const [near, far] = memoryPair();
  const stream = new ByteStream(near);
  const first = stream.receive(line, options);
  await assert.rejects(stream.receive(line, options), BusyError);
  assert.equal(stream.receiveNow(line), undefined);
  await far.write(bytes("one\r\ntwo\r\n"));
  assert.equal(text(await first), "one");
  assert.equal(text(stream.receiveNow(line) ?? new Uint8Array(0)), "two");
});

test("the end in the middle of a value, and again", async () => {
  const [near, far] = memoryPair();
  const stream = new ByteStream(near);
  await far.write(bytes("half"));
  await far.end();
  await assert.rejects(stream.receive(line, options), BrokenError);
  await assert.rejects(stream.receive(line, options), BrokenError);
  assert.equal(text(stream.queue.take(4)), "half");
});

test("a close ends a receive, and one whose caller gave up ends nobody", async () => {
  const [near] = memoryPair();
  const stream = new ByteStream(near);
  await assert.rejects(stream.receive(line, { timeoutMs: 5 }), { code: "HAWSER_DEADLINE" });
  const waiting = stream.receive(line, options);
  await stream.close();
  await assert.rejects(waiting, ClosedError);
  await assert.rejects(stream.receive(line, options), ClosedError);
});

test("the limits of the stream, and of one receive", async () => {
  const [near, far] = memoryPair();
  const stream = new ByteStream(near, { maxLineBytes: 4 });
  await far.write(bytes("four\r\nfive!\r\n"));
  assert.equal(text(await stream.receive(line, options)), "four");
  const wider = { ...stream.limits, maxLineBytes: 5 };
  assert.equal(text(await stream.receive(line, { ...options, limits: wider })), "five!");
  await far.write(bytes("five!\r\n"));
  await assert.rejects(stream.receive(line, options), LimitError);
});

test("a write whose signal was given before sends nothing", async () => {
  const [near, far] = memoryPair();
  const stream = new ByteStream(near);
  const signal = AbortSignal.abort(new Error("before"));
  await assert.rejects(stream.write(bytes("never"), { signal }), /before/);
  await stream.write(bytes("sent\r\n"), options);
  assert.equal(text(await new ByteStream(far).receive(line, options)), "sent");
});

test("a write that nobody reads ends with its deadline", async () => {
  const [near] = memoryPair();
  const stream = new ByteStream(near);
  const flood = async (): Promise<never> => {
    for (;;) await stream.write(new Uint8Array(1_048_576), { timeoutMs: 30 });
  };
  await assert.rejects(flood(), { code: "HAWSER_DEADLINE", what: "sending" });
  await stream.close();
});

test("TLS does not start on bytes that were read and not seen yet", async () => {
  const [near] = memoryPair();
  const arriving = deferred<Uint8Array | undefined>();
  const started: string[] = [];
  const transport = {
    ...{ local: undefined, remote: undefined, tls: undefined, bufferedBytes: 0 },
    read: () => arriving.promise,
    write: near.write.bind(near),
    end: near.end.bind(near),
    close: near.close.bind(near),
    startTls: async (): Promise<never> => {
      started.push("TLS");
      throw new Error("TLS started");
    },
    toNode: near.toNode.bind(near),
    [Symbol.asyncDispose]: near.close.bind(near),
  };
  const stream = new ByteStream(transport);
  await assert.rejects(stream.receive(line, { timeoutMs: 100 }), { code: "HAWSER_DEADLINE" });
  arriving.resolve(bytes("INJECTED\r\n"));
  await assert.rejects(stream.startTls({ role: "client", options: { serverName: "x" } }), BusyError);
  assert.deepEqual(started, []);
});
