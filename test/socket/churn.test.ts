/** Sockets that come and go: nothing is left open, and a number that comes back belongs to its new socket alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { type AddressLike, recvFds, Socket, sendFds, socketPair } from "../../src/socket/index.js";
import { isPending, listener, openDescriptors, stress, turn, udpSocket, until, within } from "./robust.js";

/** What this process has open now, settled. */
async function settled(): Promise<Record<string, string>> {
  await turn();
  return openDescriptors();
}

test("ten thousand open-close cycles leave the descriptors as they were", async () => {
  const { server, address } = listener();
  const run = async (cycles: number) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) await oneCycle(cycle, server, address);
  };
  await run(100);
  const before = await settled();
  await run(10_000);
  assert.deepEqual(await settled(), before);
  server.close();
});

/** One of several short lives. */
async function oneCycle(cycle: number, server: Socket, address: AddressLike): Promise<void> {
  switch (cycle % 8) {
    case 0: {
      using client: Socket = new Socket();
      const [, [conn]] = await Promise.all([client.connect(address), server.accept()]);
      return conn.close();
    }
    case 1: {
      const [a, b] = socketPair();
      const waiting = a.recv(1).catch((error: { code: string }) => error.code);
      await turn();
      a.close();
      b.close();
      assert.equal(await waiting, "EBADF");
      return;
    }
    case 2: {
      using s = udpSocket();
      using copy = s.dup();
      await s.sendto(new Uint8Array(1), s.getsockname());
      await copy.recv(1);
      return;
    }
    case 3: {
      const [a, b] = socketPair();
      await sendFds(a, new Uint8Array(1), [b.fileno()]);
      const { fds } = await recvFds(b, 1, 1);
      Socket.fromFd(fds[0] as number).close();
      a.close();
      return b.close();
    }
    case 4: {
      using s: Socket = new Socket(AF_UNIX_STREAM);
      await assert.rejects(s.connect("/nonexistent/hawser"), { code: "ENOENT" });
      return;
    }
    case 5: {
      const [a, b] = socketPair();
      const adopted = Socket.fromFd(a.detach());
      const controller = new AbortController();
      const waiting = adopted.recv(1, { signal: controller.signal }).catch(() => {});
      controller.abort();
      await waiting;
      adopted.close();
      return b.close();
    }
    case 6: {
      // More is sent than asked for: the kernel closes what does not fit.
      const [a, b] = socketPair();
      await sendFds(a, new Uint8Array(1), [a.fileno(), b.fileno(), a.fileno()]);
      for (const fd of (await recvFds(b, 1, 1)).fds) Socket.fromFd(fd).close();
      a.close();
      return b.close();
    }
    default: {
      const [a, b] = socketPair();
      await a.toNodeSocket().destroy();
      return b.close();
    }
  }
}

const AF_UNIX_STREAM = 1;

test("a number that comes back at once is served to its new socket", async () => {
  for (let round = 0; round < 500; round += 1) {
    const [a, b] = socketPair();
    const fd = a.fileno();
    const old = a.recv(1, { timeoutMs: 5000 }).catch((error: { code: string }) => error.code);
    if (round % 2 === 0) assert.ok(await isPending(old));
    b.sendallSync(new Uint8Array(1));
    a.close();
    const [c, d] = socketPair();
    assert.equal(c.fileno(), fd);
    const fresh = c.recv(10, { timeoutMs: 5000 });
    d.sendallSync(Uint8Array.of(2, 2));
    assert.deepEqual(await fresh, Uint8Array.of(2, 2));
    assert.ok(
      ["EBADF", 1].includes(await old.then((value) => (typeof value === "string" ? value : value.length))),
    );
    for (const s of [b, c, d]) s.close();
  }
});

test("four workers open and close the same numbers without cross-talk", async () => {
  const before = await settled();
  const cycles = stress ? 100_000 / 4 : 10_000 / 4;
  const program = new URL("./children/churn.js", import.meta.url);
  const workers = [0, 1, 2, 3].map((mark) => new Worker(program, { workerData: { mark, cycles } }));
  const ends = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
  const counts = workers.map(
    (worker) =>
      new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      }),
  );
  const results = await within(Promise.all(counts), "four workers", stress ? 300_000 : 60_000);
  assert.deepEqual(results, [cycles, cycles, cycles, cycles]);
  await within(Promise.all(ends), "the end of four workers");
  const sockets = (open: Record<string, string>) =>
    Object.values(open).filter((to) => to.startsWith("socket:")).length;
  await until(() => sockets(openDescriptors()) === sockets(before), "their sockets to be closed");
});
