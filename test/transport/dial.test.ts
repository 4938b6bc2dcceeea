/** dial: what it refuses, whom it reaches, and that it ends in time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenError, LocalProtocolError, NameError, RefusedError } from "../../src/index.js";
import {
  bsdProvider,
  dial,
  memoryPair,
  nodeProvider,
  overTls,
  type Resolver,
} from "../../src/transport/index.js";
import type { ConnectTarget, Transport, TransportProvider } from "../../src/transport/types.js";
import { makeCertificates } from "../certificates.js";
import { temporaryPath } from "../socket/support.js";
import { bytes, deadlineMs, deferred, RawServer, readBytes } from "./support.js";

const certificates = await makeCertificates();
const ca = certificates.ca;

async function tlsServer(path?: string): Promise<{ port: number; close(): Promise<void> }> {
  const listener = await nodeProvider.listen(path === undefined ? {} : { path }, (transport) => {
    overTls(transport, { role: "server", options: certificates })
      .then((secure) => secure.write(bytes("hello")))
      .catch(() => {});
  });
  return { port: listener.address.port ?? 0, close: () => listener.close() };
}

const limited = { timeout: deadlineMs };

const senseless: readonly (readonly [name: string, options: Parameters<typeof dial>[0]])[] = [
  ["no port", {}],
  ["port 0", { port: 0 }],
  ["port 65536", { port: 65_536 }],
  ["half a port", { port: 1.5 }],
  ["an empty host", { host: "", port: 1 }],
  ["CR LF in the host", { host: "a\r\nb", port: 1 }],
  ["NUL in the host", { host: "127.0.0.1\0.example", port: 1 }],
  ["a space in the host", { host: "a b", port: 1 }],
  ["a user in the host", { host: "a@b", port: 1 }],
  ["NUL in the path", { path: "/tmp/a\0b" }],
  ["a path and a port", { path: "/tmp/a", port: 1 }],
  ["another scheme of proxy", { port: 1, proxy: "ftp://h" }],
  ["NUL in the local address", { port: 1, localAddress: "\0" }],
];
for (const [name, options] of senseless) {
  test(`${name} is refused before anything is opened`, async () => {
    const provider: TransportProvider = {
      connect: () => assert.fail("connected"),
      listen: () => assert.fail("listening"),
    };
    await assert.rejects(dial({ proxy: false, ...options, provider }), LocalProtocolError);
  });
}

for (const [name, provider] of [
  ["node", nodeProvider],
  ["bsd", bsdProvider],
] as const) {
  test(`${name}: implicit TLS checks the name of the host`, async () => {
    const server = await tlsServer();
    for (const host of ["localhost", "127.0.0.1"]) {
      const transport = await dial({
        ...{ host, port: server.port, proxy: false, provider },
        ...{ tls: "implicit", tlsOptions: { ca } },
      });
      assert.equal(transport.tls?.authorized, true);
      assert.equal(await readBytes(transport, 5), "hello");
      await transport.close();
    }
    const wrong = { host: "127.0.0.2", port: server.port, proxy: false, provider } as const;
    await assert.rejects(dial({ ...wrong, tls: "implicit", tlsOptions: { ca } }), (error: Error) => {
      assert.ok(error instanceof BrokenError || error instanceof RefusedError);
      return true;
    });
    await server.close();
  });

  test(`${name}: refused, unknown, late, aborted`, async () => {
    const server = await RawServer.listen(() => {});
    const { port } = server;
    await server[Symbol.asyncDispose]();
    const at = { host: "127.0.0.1", port, proxy: false, provider } as const;
    await assert.rejects(dial(at), RefusedError);
    await assert.rejects(dial({ ...at, host: "nobody.invalid", connectMs: 20_000 }), NameError);
    await assert.rejects(dial({ ...at, path: temporaryPath(), host: undefined, port: undefined } as never), {
      code: "ENOENT",
    });
    const reason = new Error("enough");
    await assert.rejects(dial({ ...at, signal: AbortSignal.abort(reason) }), reason);
  });

  test(`${name}: the clock is one for connecting and TLS, and what is late is closed`, limited, async () => {
    const gone = deferred<void>();
    await using silent = await RawServer.listen((socket) => socket.on("end", () => gone.resolve()).resume());
    const late = { host: "127.0.0.1", port: silent.port, proxy: false, provider, connectMs: 60 } as const;
    await assert.rejects(dial({ ...late, tls: "implicit", tlsOptions: { ca } }), {
      code: "HAWSER_DEADLINE",
      message: `connecting to 127.0.0.1:${silent.port} timed out after 60 ms`,
    });
    await gone.promise;
  });

  test(`${name}: a Unix socket, with TLS under a name that is given`, async () => {
    const path = temporaryPath();
    const server = await tlsServer(path);
    const options = { path, provider, tls: "implicit", proxy: "socks5://127.0.0.1:1" } as const;
    const transport = await dial({ ...options, tlsOptions: { ca, serverName: "localhost" } });
    assert.equal(await readBytes(transport, 5), "hello");
    await transport.close();
    await assert.rejects(dial({ ...options, tlsOptions: { ca } }), LocalProtocolError);
    await server.close();
  });

  test(`${name}: from a local address`, async () => {
    const accepted = deferred<Transport>();
    await using listener = await provider.listen({}, (transport) => accepted.resolve(transport));
    const options = { port: listener.address.port, host: "127.0.0.1", localAddress: "127.0.0.3" };
    const near = await dial({ ...options, provider, proxy: false });
    assert.equal(near.local?.host, "127.0.0.3");
    const far = await accepted.promise;
    assert.equal(far.remote?.host, "127.0.0.3");
    await Promise.all([near.close(), far.close()]);
  });
}

test("a connection that comes too late is closed", async () => {
  const [near, far] = memoryPair();
  const late = deferred<Transport>();
  const provider: TransportProvider = { connect: () => late.promise, listen: nodeProvider.listen };
  await assert.rejects(dial({ port: 1, proxy: false, provider, connectMs: 10 }), { code: "HAWSER_DEADLINE" });
  late.resolve(near);
  assert.equal(await far.read(), undefined);
});

test("a resolver's addresses are tried in turn, and the name stays the server's", async () => {
  const server = await tlsServer();
  const tried: ConnectTarget[] = [];
  const provider: TransportProvider = {
    connect: (target, op) => {
      tried.push(target);
      return nodeProvider.connect(target, op);
    },
    listen: nodeProvider.listen,
  };
  const resolver: Resolver = {
    addresses: async (host) => {
      assert.equal(host, "localhost");
      return [
        { address: "127.0.0.9", family: 4 },
        { address: "127.0.0.1", family: 4 },
      ];
    },
    mx: () => assert.fail("not asked"),
  };
  const options = { host: "localhost", port: server.port, proxy: false, provider, resolver } as const;
  const transport = await dial(options);
  assert.deepEqual(
    tried.map(({ host }) => host),
    ["127.0.0.9", "127.0.0.1"],
  );
  // The name, as it was asked for, is what a STARTTLS checks.
  const info = await transport.startTls({ role: "client", options: { ca } });
  assert.equal(info.serverName, "localhost");
  await transport.close();
  await server.close();
});
