import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { BrokenError, ClosedError, LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import { Acceptor, type AcceptorOptions, type ListenOptions } from "../../src/engine/acceptor.js";
import { memoryPair } from "../../src/testing/index.js";
import { nodeProvider } from "../../src/transport/node.js";
import { prepended } from "../../src/transport/prepended.js";
import type { Listener, Transport, TransportProvider } from "../../src/transport/types.js";
import { makeCertificates } from "../certificates.js";
import { readText, utf8 } from "./support.js";

const certificates = await makeCertificates();
const safe = { safeInPublic: true };

/** Echoes, and keeps what went wrong. */
function echoing(options: Partial<AcceptorOptions> = {}): { acceptor: Acceptor; errors: unknown[] } {
  const errors: unknown[] = [];
  const serve = async (transport: Transport): Promise<void> => {
    try {
      for (let chunk = await transport.read(); chunk !== undefined; chunk = await transport.read())
        await transport.write(chunk);
      await transport.end();
    } catch (error) {
      // What becomes of a connection is no failure of the server.
      if (!(error instanceof ClosedError || error instanceof BrokenError)) throw error;
    }
  };
  const onError = (error: unknown) => errors.push(error);
  return { acceptor: new Acceptor({ serve, onError, safeInPublic: false, ...options }), errors };
}

/** A provider whose clients are made by hand, from any address. */
function byHand(): { provider: TransportProvider; arrive: (host: string) => Transport } {
  let accept: (transport: Transport) => void = () => {};
  const listener: Listener = {
    address: { host: "memory", port: 1 },
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const provider: TransportProvider = {
    connect: () => Promise.reject(new Error("not here")),
    listen: (_target, onTransport) => {
      accept = onTransport;
      return Promise.resolve(listener);
    },
  };
  const arrive = (host: string): Transport => {
    const [near, far] = memoryPair();
    accept(prepended(far, new Uint8Array(0), { local: far.local, remote: { host, port: 1 } }));
    return near;
  };
  return { provider, arrive };
}

async function isServed(client: Transport): Promise<boolean> {
  try {
    await client.write(utf8("hello"));
    return (await readText(client, 5)) === "hello";
  } catch {
    return false;
  }
}

async function atHand(
  options: ListenOptions,
  run: (arrive: (host: string) => Transport, acceptor: Acceptor) => Promise<void>,
): Promise<void> {
  const { acceptor } = echoing();
  const { provider, arrive } = byHand();
  await acceptor.listen({ provider, ...options });
  await run(arrive, acceptor);
  await acceptor.close();
}

test("connections are served, counted, and forgotten when they end", async () => {
  const { acceptor, errors } = echoing();
  const at = await acceptor.listen({ port: 0 });
  assert.equal(at.host, "127.0.0.1");
  assert.deepEqual(acceptor.addresses, [at]);
  const clients = await Promise.all([1, 2, 3].map(() => nodeProvider.connect(at)));
  for (const client of clients) assert.equal(await isServed(client), true);
  assert.equal(acceptor.connections, 3);
  for (const client of clients) {
    await client.end();
    assert.equal(await client.read(), undefined);
  }
  await acceptor.close({ graceMs: 5000 });
  assert.equal(acceptor.connections, 0);
  assert.deepEqual(errors, []);
});

test("as many clients as allowed, and not one more, in total", async () => {
  await atHand({ maxConnections: 2 }, async (arrive, acceptor) => {
    const [first, second, third] = [arrive("10.0.0.1"), arrive("10.0.0.2"), arrive("10.0.0.3")] as const;
    assert.deepEqual(await Promise.all([first, second, third].map(isServed)), [true, true, false]);
    await first.end();
    while (acceptor.connections === 2) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await isServed(arrive("10.0.0.4")), true);
  });
});

test("as many clients as allowed from one address, and not one more", async () => {
  await atHand({ maxConnectionsPerAddress: 2 }, async (arrive) => {
    const hosts = ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"];
    assert.deepEqual(await Promise.all(hosts.map((host) => isServed(arrive(host)))), [
      true,
      true,
      false,
      true,
    ]);
  });
});

test("a PROXY header is read from listed addresses, and its clients are the ones that are counted", async () => {
  const options = { maxConnectionsPerAddress: 1, proxyFrom: ["10.9.9.9"] };
  await atHand(options, async (arrive) => {
    const through = async (host: string): Promise<boolean> => {
      const balancer = arrive("10.9.9.9");
      await balancer.write(utf8(`PROXY TCP4 ${host} 192.0.2.2 56324 443\r\n`));
      return await isServed(balancer);
    };
    assert.equal(await through("192.0.2.7"), true);
    assert.equal(await through("192.0.2.8"), true);
    assert.equal(await through("192.0.2.7"), false);
  });
});

test("a PROXY header from anybody else is data like any other, and a listed address must send one", async () => {
  const seen: (string | undefined)[] = [];
  const errors: unknown[] = [];
  const serve = async (transport: Transport): Promise<void> => {
    seen.push(transport.remote?.host, await readText(transport, 5));
  };
  const acceptor = new Acceptor({ serve, safeInPublic: false, onError: (error) => errors.push(error) });
  const { provider, arrive } = byHand();
  await acceptor.listen({ provider, proxyFrom: ["10.9.9.9"] });
  await arrive("10.1.1.1").write(utf8("PROXY TCP4 192.0.2.7 192.0.2.2 56324 443\r\n"));
  await arrive("10.9.9.9").write(utf8("EHLO there\r\n"));
  while (acceptor.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(seen[0], "10.1.1.1");
  assert.match(seen[1] ?? "", /^PROXY/);
  assert.equal(seen.length, 2);
  assert.ok(errors[0] instanceof RemoteProtocolError);
  await acceptor.close();
});

for (const host of [
  "0.0.0.0",
  "::",
  "",
  "192.0.2.1",
  "127.evil.example",
  "::ffff:127.0.0.1",
  "localhost.example",
]) {
  test(`a server that is not safe in public does not listen on ${JSON.stringify(host)}`, async () => {
    const { acceptor } = echoing();
    const { provider } = byHand();
    await assert.rejects(acceptor.listen({ host, provider }), LocalProtocolError);
    const open = echoing(safe).acceptor;
    await open.listen({ host, provider });
    await open.close();
  });
}
for (const target of [
  {},
  { host: "127.0.0.1" },
  { host: "127.0.0.53" },
  { host: "::1" },
  { host: "localhost" },
  { path: "/x" },
]) {
  test(`it does listen on ${JSON.stringify(target)}`, async () => {
    const { acceptor } = echoing();
    await acceptor.listen({ ...target, provider: byHand().provider });
    await acceptor.close();
  });
}

test("closing with grace lets clients end; without, it cuts them", async () => {
  const { acceptor } = echoing();
  const at = await acceptor.listen();
  const client = await nodeProvider.connect(at);
  assert.equal(await isServed(client), true);
  const closing = acceptor.close({ graceMs: 60_000 });
  assert.equal(await isServed(client), true);
  await client.end();
  await closing;
  const other = echoing().acceptor;
  const cut = await nodeProvider.connect(await other.listen());
  assert.equal(await isServed(cut), true);
  await other.close();
  assert.equal(other.connections, 0);
  assert.equal(await isServed(cut), false);
  const late = echoing().acceptor;
  const slow = await nodeProvider.connect(await late.listen());
  assert.equal(await isServed(slow), true);
  await late.close({ graceMs: 5 });
  assert.equal(late.connections, 0);
});

test("closing refuses new connections, and listening again", async () => {
  const { acceptor } = echoing();
  const { provider, arrive } = byHand();
  await acceptor.listen({ provider });
  const staying = arrive("10.0.0.1");
  const closing = acceptor.close({ graceMs: 60_000 });
  assert.equal(await isServed(arrive("10.0.0.2")), false);
  await assert.rejects(acceptor.listen({ provider }), ClosedError);
  await staying.end();
  await closing;
});

test("implicit TLS: closing cuts clients in TLS, and those in the middle of the handshake", async () => {
  const { acceptor, errors } = echoing({ implicitTls: certificates });
  const at = await acceptor.listen();
  const silent = await nodeProvider.connect(at);
  const client = await nodeProvider.connect(at);
  await client.startTls({ role: "client", options: { ca: certificates.ca, serverName: "localhost" } });
  assert.equal(await isServed(client), true);
  assert.equal(acceptor.connections, 2);
  await acceptor.close();
  assert.equal(acceptor.connections, 0);
  assert.equal(await isServed(client), false);
  assert.equal(await isServed(silent), false);
  assert.deepEqual(errors, []);
});

test("implicit TLS: whoever speaks in the clear is told to onError, and nobody else suffers", async () => {
  const { acceptor, errors } = echoing({ implicitTls: certificates });
  const at = await acceptor.listen();
  const clear = await nodeProvider.connect(at);
  await clear.write(utf8("EHLO there\r\n"));
  while (errors.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(errors[0] instanceof BrokenError);
  const client = await nodeProvider.connect(at);
  await client.startTls({ role: "client", options: { ca: certificates.ca, serverName: "localhost" } });
  assert.equal(await isServed(client), true);
  await clear.close();
  await acceptor.close();
});

test("a conversation that throws is reported and closed, even where the report throws too", async () => {
  let reports = 0;
  const acceptor = new Acceptor({
    serve: () => Promise.reject(new Error("a mistake in the server")),
    safeInPublic: false,
    onError: () => {
      reports += 1;
      throw new Error("and one in its logging");
    },
  });
  const { host, port } = await acceptor.listen();
  const socket = connect({ host: host ?? "", port: port ?? 0 });
  await new Promise((resolve) =>
    socket
      .on("error", () => {})
      .once("close", resolve)
      .resume(),
  );
  assert.equal(reports, 1);
  await acceptor.close();
});
