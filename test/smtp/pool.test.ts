/** The pool: connections come and go, and no message is lost or doubled. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenError, LocalProtocolError } from "../../src/index.js";
import {
  type CollectedMessage,
  Collector,
  SmtpPool,
  SmtpServer,
  type SmtpServerOptions,
} from "../../src/smtp/index.js";
import { nodeProvider } from "../../src/transport/node.js";
import type { Transport, TransportProvider } from "../../src/transport/types.js";

const mail = { from: "a@x.test", to: "b@y.test" };
const text = (index: number): string => `Subject: ${index}\r\n\r\nbody\r\n`;

/** A provider that keeps the connections that it has made. */
function watched(): TransportProvider & { readonly made: Transport[] } {
  const made: Transport[] = [];
  return {
    made,
    listen: nodeProvider.listen,
    connect: async (target, options) => {
      const transport = await nodeProvider.connect(target, options);
      made.push(transport);
      return transport;
    },
  };
}

interface Scene {
  readonly collector: Collector;
  readonly server: SmtpServer;
  readonly provider: ReturnType<typeof watched>;
}

async function withServer(
  options: Partial<SmtpServerOptions>,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const collector = new Collector();
  await using server = await SmtpServer.listen({ handler: collector, ...options });
  await run({ collector, server, provider: watched() });
}

const subjects = (messages: readonly CollectedMessage[]): string[] =>
  messages.map(({ bytes }) => /Subject: (\d+)/.exec(Buffer.from(bytes).toString())?.[1] ?? "").sort();

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`).sort();

test("300 messages over at most 3 connections, each of them once", () =>
  withServer({}, async ({ collector, server, provider }) => {
    await using pool = new SmtpPool({
      port: server.port,
      host: "127.0.0.1",
      tls: "none",
      provider,
      maxConnections: 3,
    });
    await Promise.all(numbers(300).map((number) => pool.send(mail, text(Number(number)))));
    assert.deepEqual(subjects(collector.messages), numbers(300));
    assert.ok(provider.made.length <= 3 && pool.connections <= 3);
  }));

test("an idle connection that was cut costs no message", () =>
  withServer({}, async ({ collector, server, provider }) => {
    await using pool = new SmtpPool({
      port: server.port,
      host: "127.0.0.1",
      tls: "none",
      provider,
      maxConnections: 1,
    });
    await pool.send(mail, text(0));
    for (let index = 1; index <= 5; index += 1) {
      // Cut behind the pool's back, as a server or a firewall does.
      await provider.made.at(-1)?.close();
      await pool.send(mail, text(index));
    }
    assert.deepEqual(subjects(collector.messages), numbers(6));
  }));

for (const stage of ["MAIL", "RCPT", "DATA"]) {
  test(`a server that drops the connection at ${stage} costs no message`, () =>
    withServer({ faults: [{ on: stage, drop: true, times: 2 }] }, async ({ collector, server }) => {
      await using pool = new SmtpPool({
        port: server.port,
        host: "127.0.0.1",
        tls: "none",
        maxConnections: 1,
      });
      await Promise.all([0, 1, 2].map((index) => pool.send(mail, text(index))));
      assert.deepEqual(subjects(collector.messages), numbers(3));
    }));
}

test("a message whose reply never came is not sent twice", () =>
  withServer({ faults: [{ on: "message", drop: true, times: 1 }] }, async ({ collector, server }) => {
    await using pool = new SmtpPool({ port: server.port, host: "127.0.0.1", tls: "none", maxConnections: 1 });
    await assert.rejects(
      pool.send(mail, text(0)),
      (error) => error instanceof BrokenError && error.sent === "perhaps",
    );
    await pool.send(mail, text(1));
    assert.deepEqual(subjects(collector.messages).filter((subject) => subject === "0").length <= 1, true);
  }));

test("five idle connections that were all cut cost no message, though it is tried on each", () =>
  withServer({}, async ({ collector, server, provider }) => {
    const options = { port: server.port, host: "127.0.0.1", tls: "none", provider } as const;
    await using pool = new SmtpPool({ ...options, maxConnections: 5, attempts: 1 });
    await Promise.all(numbers(20).map((number) => pool.send(mail, text(Number(number)))));
    assert.equal(pool.connections, 5);
    for (const transport of provider.made) await transport.close();
    await pool.send(mail, text(20));
    assert.deepEqual(subjects(collector.messages), numbers(21));
  }));

test("a server that allows fewer connections than the pool: those that stand carry all messages", () =>
  withServer({ maxConnections: 2 }, async ({ collector, server, provider }) => {
    const options = { port: server.port, host: "127.0.0.1", tls: "none", provider } as const;
    await using pool = new SmtpPool({ ...options, maxConnections: 5 });
    // One stands before the others are asked for; a server that lets nobody in is another story.
    await pool.send(mail, text(0));
    await Promise.all(numbers(100).map((number) => pool.send(mail, text(Number(number)))));
    assert.equal(collector.messages.length, 101);
    assert.equal(pool.connections, 2);
    assert.ok(provider.made.length <= 5, `${provider.made.length} were tried`);
  }));

test("a pool that is being closed sends what it has and takes no more", () =>
  withServer({ faults: [{ on: "MAIL", delayMs: 20 }] }, async ({ collector, server }) => {
    const pool = new SmtpPool({ port: server.port, host: "127.0.0.1", tls: "none", maxConnections: 1 });
    const sent = Promise.all([0, 1, 2].map((index) => pool.send(mail, text(index))));
    const closed = pool.close();
    await assert.rejects(pool.send(mail, text(3)), { code: "HAWSER_CLOSED" });
    await sent;
    await closed;
    assert.deepEqual(subjects(collector.messages), numbers(3));
  }));

test("under steady load maxLifetimeMs ends connections as well", () =>
  withServer({}, async ({ collector, server, provider }) => {
    const options = { port: server.port, host: "127.0.0.1", tls: "none", provider } as const;
    await using pool = new SmtpPool({ ...options, maxConnections: 1, maxLifetimeMs: 1 });
    await Promise.all(numbers(200).map((number) => pool.send(mail, text(Number(number)))));
    assert.equal(collector.messages.length, 200);
    assert.ok(provider.made.length > 1);
  }));

test("421 retires its connection, and the message goes over another", () =>
  withServer(
    { faults: [{ on: "MAIL", reply: "421 4.3.2 restarting", times: 1 }] },
    async ({ collector, server, provider }) => {
      await using pool = new SmtpPool({
        port: server.port,
        host: "127.0.0.1",
        tls: "none",
        provider,
        maxConnections: 1,
      });
      await Promise.all([0, 1, 2, 3].map((index) => pool.send(mail, text(index))));
      assert.deepEqual(subjects(collector.messages), numbers(4));
      assert.equal(provider.made.length, 2);
    },
  ));

test("a stream that was begun is not sent again from its middle", () =>
  withServer(
    { faults: [{ on: "message", reply: "421 4.3.2 restarting", times: 1 }] },
    async ({ collector, server }) => {
      await using pool = new SmtpPool({ port: server.port, host: "127.0.0.1", tls: "none" });
      const stream = (async function* () {
        yield text(7);
      })();
      await assert.rejects(pool.send(mail, stream), { replyCode: 421 });
      assert.deepEqual(subjects(collector.messages).length <= 1, true);
    },
  ));

test("a refusal is the message's own affair", () =>
  withServer({ faults: [{ on: "RCPT", reply: "550 5.1.1 no", times: 1 }] }, async ({ server, provider }) => {
    await using pool = new SmtpPool({
      port: server.port,
      host: "127.0.0.1",
      tls: "none",
      provider,
      maxConnections: 1,
    });
    const [first, second] = await Promise.allSettled([pool.send(mail, text(0)), pool.send(mail, text(1))]);
    assert.deepEqual([first?.status, second?.status], ["rejected", "fulfilled"]);
    assert.equal(provider.made.length, 1);
  }));

test("maxMessages and maxLifetimeMs end connections", () =>
  withServer({}, async ({ server, provider }) => {
    const options = {
      port: server.port,
      host: "127.0.0.1",
      tls: "none",
      provider,
      maxConnections: 1,
    } as const;
    {
      await using pool = new SmtpPool({ ...options, maxMessages: 3 });
      for (let index = 0; index < 7; index += 1) await pool.send(mail, text(index));
    }
    assert.equal(provider.made.length, 3);
    await using pool = new SmtpPool({ ...options, maxLifetimeMs: 0 });
    for (let index = 0; index < 3; index += 1) await pool.send(mail, text(index));
    assert.equal(provider.made.length, 6);
  }));

test("messagesPerSecond holds messages back", () =>
  withServer({}, async ({ server }) => {
    await using pool = new SmtpPool({
      port: server.port,
      host: "127.0.0.1",
      tls: "none",
      messagesPerSecond: 100,
    });
    const startMs = performance.now();
    await Promise.all(numbers(31).map((number) => pool.send(mail, text(Number(number)))));
    assert.ok(performance.now() - startMs >= 280, "thirty gaps of 10 ms, but for the rounding of timers");
  }));

test("drain waits, an abort takes a waiting message back, and a closed pool takes no more", () =>
  withServer({ faults: [{ on: "MAIL", delayMs: 20 }] }, async ({ server }) => {
    const pool = new SmtpPool({ port: server.port, host: "127.0.0.1", tls: "none", maxConnections: 1 });
    const abort = new AbortController();
    const sent = Promise.all([0, 1, 2].map((index) => pool.send(mail, text(index))));
    const withdrawn = pool.send(mail, text(3), { signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    await assert.rejects(withdrawn, /changed my mind/);
    assert.equal(pool.pending, 3);
    await assert.rejects(pool.drain({ timeoutMs: 1 }), { code: "HAWSER_DEADLINE" });
    await assert.rejects(pool.drain({ signal: AbortSignal.abort(new Error("no patience")) }), /no patience/);
    await pool.drain();
    assert.equal(pool.pending, 0);
    assert.equal((await sent).length, 3);
    await pool.close();
    await assert.rejects(pool.send(mail, text(4)), { code: "HAWSER_CLOSED" });
    assert.equal(pool.connections, 0);
  }));

test("a server that is not there: every message learns of it", async () => {
  await using pool = new SmtpPool({ host: "127.0.0.1", port: 1, tls: "none", maxConnections: 2 });
  const results = await Promise.allSettled([0, 1, 2, 3].map((index) => pool.send(mail, text(index))));
  assert.deepEqual(
    results.map((result) => result.status === "rejected" && result.reason.code),
    Array(4).fill("ECONNREFUSED"),
  );
});

test("10,000 messages that wait cost no more than themselves", () =>
  withServer({ handler: { data: () => undefined } }, async ({ server }) => {
    await using pool = new SmtpPool({
      port: server.port,
      host: "127.0.0.1",
      tls: "none",
      maxConnections: 2,
      maxMessages: 100_000,
    });
    const message = text(1);
    const before = process.memoryUsage().heapUsed;
    const sent = numbers(10_000).map(() => pool.send(mail, message));
    const waitingBytes = process.memoryUsage().heapUsed - before;
    assert.ok(waitingBytes < 50 * 1024 * 1024, `${waitingBytes} bytes`);
    await Promise.all(sent);
  }));

test("numbers that make no sense are refused", () => {
  assert.throws(() => new SmtpPool({ maxConnections: 0 }), LocalProtocolError);
  assert.throws(() => new SmtpPool({ messagesPerSecond: Number.NaN }), LocalProtocolError);
});
