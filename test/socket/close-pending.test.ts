/** close() while a call pends: it rejects once, with EBADF, and nothing keeps the process alive. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketError } from "../../src/index.js";
import { type PendingCase, pendingCases } from "./pending.js";
import { checkedEnd, isPending, rejection, runChild } from "./robust.js";

async function closeWhilePending({ name, prepare }: PendingCase, calls: number): Promise<void> {
  const pending = await prepare();
  try {
    const promises = Array.from({ length: calls }, () => pending.call({}));
    // Told of each settlement: a second one would be a second call.
    for (const promise of promises) assert.ok(await isPending(promise), `${name} does not wait`);
    pending.socket.close();
    for (const promise of promises) {
      const error = await rejection(promise, name, 1000);
      assert.ok(error instanceof SocketError, `${name}: ${error}`);
      assert.equal(error.code, "EBADF", name);
    }
  } finally {
    pending.close();
  }
}

for (const pendingCase of pendingCases) {
  // connectEx gives the errno in place of the error.
  if (pendingCase.name === "connectEx") continue;
  test(`close() rejects a pending ${pendingCase.name} with EBADF`, () => closeWhilePending(pendingCase, 1));
}

test("close() rejects every one of several pending calls", async () => {
  for (const pendingCase of pendingCases) {
    if (/connect/.test(pendingCase.name)) continue;
    await closeWhilePending(pendingCase, 5);
  }
});

test("close() makes a pending connectEx answer EBADF", async () => {
  const pending = await (pendingCases.find(({ name }) => name === "connectEx") as PendingCase).prepare();
  const promise = pending.call({});
  assert.ok(await isPending(promise));
  pending.socket.close();
  assert.equal(await promise, 9);
  pending.close();
});

test("a process that closed its sockets under pending calls ends by itself", async () => {
  const end = await runChild("close-pending", { limitMs: 20_000 });
  assert.equal(checkedEnd(end), `${pendingCases.length} closed\n`, end.stderr);
  assert.equal(end.stderr, "");
});
