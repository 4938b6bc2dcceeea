/** Sockets in worker threads: under load, and through every way that a thread can end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { type AddressLike, Socket } from "../../src/socket/index.js";
import { checkedEnd, openDescriptors, runChild, stress, turn, until, within } from "./robust.js";

const program = new URL("./children/worker-echo.js", import.meta.url);

function start(mode: string, data: object = {}): Worker {
  return new Worker(program, { workerData: { mode, count: 0, ...data } });
}

/** The next message of a worker; its error and its end reject. */
function message<T>(worker: Worker, limitMs = 30_000): Promise<T> {
  const received = new Promise<T>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker ended with ${code}`)));
  });
  return within(received, "a message of the worker", limitMs);
}

function exit(worker: Worker): Promise<number> {
  return within(new Promise<number>((resolve) => worker.once("exit", resolve)), "the worker's end", 10_000);
}

/** The sockets that this process has open. */
function openSockets(): number {
  return Object.values(openDescriptors()).filter((target) => target.startsWith("socket:")).length;
}

test("eight workers echo under load, every byte of it", async () => {
  const workers: Worker[] = [];
  const started = (mode: string, data: object = {}): Worker => {
    const worker = start(mode, data);
    workers.push(worker);
    return worker;
  };
  try {
    const servers = Array.from({ length: 4 }, () => started("echo"));
    const addresses = await Promise.all(servers.map((worker) => message<AddressLike>(worker)));
    // Each reply has a deadline of its own in the client: a reply that does not come is told by that.
    const count = stress ? 20_000 : 500;
    const limitMs = stress ? 600_000 : 60_000;
    const clients = addresses.flatMap((address) => [
      started("client", { address, count }),
      started("client", { address, count }),
    ]);
    const counts = await Promise.all(clients.map((worker) => message<number>(worker, limitMs)));
    assert.deepEqual(
      counts,
      clients.map(() => count),
    );
    const ended = servers.map(exit);
    for (const worker of servers) worker.postMessage("close");
    assert.deepEqual(await Promise.all(ended), [0, 0, 0, 0]);
  } finally {
    // After a failure they would go on, and the run of this file with them.
    for (const worker of workers) await within(worker.terminate(), "terminate");
  }
});

test("a worker that is terminated after it closed its sockets ends cleanly", async () => {
  for (let round = 0; round < 5; round += 1) {
    const worker = start("closed");
    await message(worker);
    await within(worker.terminate(), "terminate");
  }
});

/** How often each is tried: in "closing" an error in the order of things shows in one round of twenty. */
const terminations = { busy: 20, lookups: 6, making: 6, closing: 60 };

for (const mode of ["busy", "lookups", "making", "closing"] as const) {
  test(`a worker that is terminated under load (${mode}) takes nobody with it, and leaves nothing open`, async () => {
    const before = openSockets();
    const rounds = stress ? 100 : terminations[mode];
    for (let round = 0; round < rounds; round += 1) {
      const worker = start(mode);
      try {
        const address = await message<AddressLike>(worker);
        // One of its connections comes from here.
        using s: Socket = new Socket();
        await s.connect(address, { timeoutMs: 5000 });
        // The end comes at any point of what the worker does.
        for (let turns = 0; turns < round; turns += 1) await turn();
      } finally {
        // Also after a failure: the worker would go on for ever, and the run of this file with it.
        await within(worker.terminate(), "terminate");
      }
    }
    await until(() => openSockets() === before, "the worker's sockets to be closed");
  });
}

test("the peers of a terminated worker see its connections end", async () => {
  const worker = start("idle", { count: 20 });
  const address = await message<AddressLike>(worker);
  const peers = Array.from({ length: 20 }, () => new Socket() as Socket);
  for (const peer of peers) await peer.connect(address);
  assert.equal(await message(worker), 20);
  const ends = peers.map((peer) => peer.recv(1, { timeoutMs: 10_000 }));
  await within(worker.terminate(), "terminate");
  for (const end of ends) assert.equal((await end).length, 0);
  using late: Socket = new Socket();
  await assert.rejects(late.connect(address), { code: "ECONNREFUSED" });
  for (const peer of peers) peer.close();
});

test("a worker that ends by itself ends at once, and its sockets with it", async () => {
  const before = openSockets();
  const startMs = performance.now();
  const worker = start("done");
  assert.equal(await exit(worker), 0);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < 3000, `${tookMs} ms`);
  await until(() => openSockets() === before, "its sockets to be closed");
});

test("process.exit() in a worker ends that worker alone", async () => {
  for (let round = 0; round < (stress ? 50 : 5); round += 1) assert.equal(await exit(start("exit")), 7);
});

test("descriptor numbers that come back in a worker do no harm", async () => {
  const worker = start("reuse", { count: 200 });
  assert.equal(await message<number>(worker), 200);
  assert.equal(await exit(worker), 0);
});

test("the helper thread ends with its worker, and the process can end", async () => {
  const end = await runChild("worker-threads", { limitMs: 30_000 });
  assert.equal(checkedEnd(end), "threads 0\n", end.stderr);
  assert.equal(end.stderr, "");
});
