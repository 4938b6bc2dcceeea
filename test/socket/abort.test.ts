/** Every waiting call under an AbortSignal and under timeoutMs: how soon it ends, with what, and what it leaves behind. */
import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { DeadlineError, LocalProtocolError, WouldBlockError } from "../../src/index.js";
import { type Socket, socketPair } from "../../src/socket/index.js";
import { type PendingCall, type PendingCase, pendingCases } from "./pending.js";
import { isPending, rejection, turn, within } from "./robust.js";

/** What a call that is to run out of time is given. */
const timeoutMs = 100;

type Trial = (pending: PendingCall, pendingCase: PendingCase) => Promise<void>;

function forEachCase(title: string, trial: Trial): void {
  for (const pendingCase of pendingCases) {
    test(`${pendingCase.name}: ${title}`, async () => {
      const pending = await pendingCase.prepare();
      try {
        await trial(pending, pendingCase);
      } finally {
        pending.close();
      }
    });
  }
}

/** The call succeeds once the other side does its part; a slow one at least waits once more. */
async function checkUsable(pending: PendingCall, { name, slow }: PendingCase): Promise<void> {
  if (slow) {
    const waiting = pending.call({ timeoutMs: 5000 });
    waiting.catch(() => {});
    assert.ok(await isPending(waiting));
    return;
  }
  const retried = pending.call({ timeoutMs: 5000 });
  await pending.unblock();
  await within(retried, `${name}, once more`);
}

function checkNoListener(signal: AbortSignal, name: string): void {
  assert.equal(getEventListeners(signal, "abort").length, 0, `${name} left a listener on the signal`);
}

forEachCase("a signal that is aborted already rejects with its reason", async (pending, pendingCase) => {
  const { name } = pendingCase;
  const reason = { told: name };
  const signal = AbortSignal.abort(reason);
  assert.equal(await rejection(pending.call({ signal }), name), reason);
  assert.throws(
    () => pending.callSync({ signal }),
    (error) => error === reason,
  );
  checkNoListener(signal, name);
  await checkUsable(pending, pendingCase);
});

forEachCase("an abort while waiting rejects at once with the reason", async (pending, pendingCase) => {
  const { name } = pendingCase;
  const controller = new AbortController();
  const { signal } = controller;
  const promises = [pending.call({ signal }), pending.call({ signal })];
  for (const promise of promises) assert.ok(await isPending(promise));
  const reason = new Error("enough");
  const abortedMs = performance.now();
  controller.abort(reason);
  for (const promise of promises) assert.equal(await rejection(promise, name, 1000), reason);
  const tookMs = performance.now() - abortedMs;
  assert.ok(tookMs < 50, `${tookMs} ms`);
  checkNoListener(signal, name);
  await checkUsable(pending, pendingCase);
});

forEachCase("a signal that is never aborted keeps no listener", async (pending, pendingCase) => {
  const { name } = pendingCase;
  const { signal } = new AbortController();
  const promise = pending.call({ signal });
  assert.ok(await isPending(promise));
  assert.ok(getEventListeners(signal, "abort").length > 0);
  if (name === "connectEx") pending.close();
  else await pending.unblock();
  await within(promise, name);
  checkNoListener(signal, name);
});

forEachCase("timeoutMs ends the wait with a DeadlineError", async (pending, pendingCase) => {
  const { name, what } = pendingCase;
  const startMs = performance.now();
  const error = await rejection(pending.call({ timeoutMs }), name);
  checkDeadline(error, performance.now() - startMs, what);
  const syncStartMs = performance.now();
  const syncError = thrownBy(() => pending.callSync({ timeoutMs }));
  checkDeadline(syncError, performance.now() - syncStartMs, what);
  await checkUsable(pending, pendingCase);
});

forEachCase("the socket's own timeoutMs counts, and an option overrides it", async (pending, pendingCase) => {
  const { name, what } = pendingCase;
  pending.socket.timeoutMs = timeoutMs;
  const startMs = performance.now();
  const error = await rejection(pending.call({}), name);
  checkDeadline(error, performance.now() - startMs, what);
  const patient = pending.call({ timeoutMs: null });
  assert.ok(await isPending(patient));
  patient.catch(() => {});
  if (pendingCase.slow) return;
  await pending.unblock();
  await within(patient, name);
});

forEachCase("timeoutMs 0 never waits", async (pending, pendingCase) => {
  const { name } = pendingCase;
  if (name === "connectEx") {
    assert.equal(await pending.call({ timeoutMs: 0 }), 11);
    assert.equal(pending.callSync({ timeoutMs: 0 }), 11);
  } else {
    // A file cannot be sent without waiting, and half of one would be of no use.
    const expected = name === "sendFile" ? LocalProtocolError : WouldBlockError;
    assert.ok((await rejection(pending.call({ timeoutMs: 0 }), name)) instanceof expected);
    assert.throws(() => pending.callSync({ timeoutMs: 0 }), expected);
  }
  await checkUsable(pending, pendingCase);
});

function thrownBy(call: () => unknown): unknown {
  try {
    return assert.fail(`returned ${call()}`);
  } catch (error) {
    return error;
  }
}

function checkDeadline(error: unknown, tookMs: number, what: string): void {
  assert.ok(error instanceof DeadlineError, `${error}`);
  assert.equal(error.what, what);
  assert.equal(error.limitMs, timeoutMs);
  assert.ok(tookMs >= timeoutMs - 1 && tookMs < 10 * timeoutMs, `${tookMs} ms`);
}

test("ten thousand pending calls with deadlines cost one timer, and all of them end", async () => {
  const sockets: Socket[] = Array.from({ length: 400 }, () => socketPair() as [Socket, Socket]).flat();
  let timers = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === "Timeout") timers += 1;
    },
  });
  hook.enable();
  try {
    const startMs = performance.now();
    const calls = sockets.flatMap((s) => Array.from({ length: 13 }, () => s.recv(1, { timeoutMs: 1000 })));
    assert.ok(timers <= 1, `${timers} timers`);
    const outcomes = await Promise.allSettled(calls);
    const tookMs = performance.now() - startMs;
    const late = outcomes.filter(({ status, ...rest }) => status !== "rejected" || !isDeadline(rest));
    assert.deepEqual(late, []);
    assert.equal(outcomes.length, 10_400);
    assert.ok(tookMs >= 999 && tookMs < 10_000, `${tookMs} ms`);
    // One at a time: each fires when the earliest is due, and is then set for the next.
    assert.ok(timers < 400, `${timers} timers`);
  } finally {
    hook.disable();
    for (const socket of sockets) socket.close();
  }
});

function isDeadline(outcome: object): boolean {
  return (outcome as { reason?: unknown }).reason instanceof DeadlineError;
}

test("an earlier deadline ends first, whatever the order of the calls", async () => {
  const [a, b] = socketPair();
  const ended: number[] = [];
  const waits = [90, 30, 60, 0.5].map((timeoutMs) =>
    a.recv(1, { timeoutMs }).catch(() => void ended.push(timeoutMs)),
  );
  await within(Promise.all(waits), "four deadlines");
  assert.deepEqual(ended, [0.5, 30, 60, 90]);
  a.close();
  b.close();
});

test("a call that can be made is made, though the event loop comes to it after its time", async () => {
  const [a, b] = socketPair();
  const rest = new Int32Array(new SharedArrayBuffer(4));
  // Between the immediates and the next timers: the deadline is looked at before the socket is.
  await turn();
  const received = a.recv(5, { timeoutMs: 20 });
  const behind = a.recv(5, { timeoutMs: 20 });
  b.sendSync(new Uint8Array([1, 2, 3, 4, 5]));
  Atomics.wait(rest, 0, 0, 40);
  assert.deepEqual(await within(received, "what was sent in time"), new Uint8Array([1, 2, 3, 4, 5]));
  assert.ok((await rejection(behind, "the one behind it")) instanceof DeadlineError);
  a.close();
  b.close();
});

test("one signal serves a thousand calls without a warning", async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on("warning", warn);
  const [a, b] = socketPair();
  const controller = new AbortController();
  const calls = Array.from({ length: 1000 }, () => a.recv(1, { signal: controller.signal }));
  assert.ok(await isPending(calls[999] as Promise<unknown>));
  controller.abort();
  await Promise.allSettled(calls);
  assert.deepEqual(warnings, []);
  process.off("warning", warn);
  a.close();
  b.close();
});
