/** TLS: who is believed, what is agreed upon, and what is refused. */
import assert from "node:assert/strict";
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { BrokenError, BusyError, ClosedError, LocalProtocolError, Secret } from "../../src/index.js";
import { memoryPair, nodeProvider, overTls, readProxyHeader } from "../../src/transport/index.js";
import type { TlsClientOptions, TlsServerOptions, Transport } from "../../src/transport/types.js";
import { makeAuthority } from "../certificates.js";
import { bytes, deadlineMs, inTls, pairOf, readBytes, tcpPair } from "./support.js";

const authority = await makeAuthority();
const stranger = await makeAuthority("another authority");
const server = await authority.issue();
const other = await authority.issue({ commonName: "other.test", dns: ["other.test"], ips: [] });
const ca = authority.ca;
const client = await authority.issue({ commonName: "alice", dns: [], ips: [], client: true });
const forged = await stranger.issue({ commonName: "alice", dns: [], ips: [], client: true });

/** Both halves of a handshake over TCP; each a transport, or what it failed with. */
async function shake(
  clientOptions: TlsClientOptions,
  serverOptions: TlsServerOptions,
): Promise<[PromiseSettledResult<Transport>, PromiseSettledResult<Transport>]> {
  const [near, far] = await tcpPair();
  const options = { timeoutMs: deadlineMs };
  return await Promise.allSettled([
    overTls(near, { role: "client", options: clientOptions }, options),
    overTls(far, { role: "server", options: serverOptions }, options),
  ]);
}

async function closeAll(...results: readonly PromiseSettledResult<Transport>[]): Promise<void> {
  for (const result of results) if (result.status === "fulfilled") await result.value.close();
}

const good = { ca, serverName: "localhost" };
const spki = new X509Certificate(server.cert).publicKey.export({ type: "spki", format: "der" });
const pin = createHash("sha256").update(spki).digest("base64");
const expired = await authority.issue({ expired: true });

const refused: readonly (readonly [name: string, client: TlsClientOptions, server: TlsServerOptions])[] = [
  ["an authority that is not trusted", { ca: stranger.ca, serverName: "localhost" }, server],
  ["an authority that nobody named", { serverName: "localhost" }, server],
  ["another name", good, other],
  ["another address", { ca, serverName: "127.0.0.2" }, server],
  ["an address that is only a name's", { ca, serverName: "127.0.0.1" }, other],
  ["a certificate that has expired", good, expired],
  ["a key that is not pinned", { ...good, pins: [Buffer.alloc(32).toString("base64")] }, server],
  [
    "a key that is not pinned, with nothing else checked",
    { dangerouslyAcceptAnyCertificate: true, pins: ["x"] },
    server,
  ],
  ["pins that are none", { ...good, pins: [] }, server],
];

for (const [name, clientOptions, serverOptions] of refused) {
  test(`the client refuses ${name}`, async () => {
    const [near, far] = await shake(clientOptions, serverOptions);
    assert.equal(near.status, "rejected");
    assert.ok(near.reason instanceof BrokenError, `${near.reason}`);
    assert.equal(near.reason.usable, false);
    await closeAll(far);
  });
}

const accepted: readonly (readonly [name: string, client: TlsClientOptions, server: TlsServerOptions])[] = [
  ["its own authority", good, server],
  ["an address in the certificate", { ca, serverName: "127.0.0.1" }, server],
  ["IPv6 in the certificate", { ca, serverName: "::1" }, server],
  ["brackets around it", { ca, serverName: "[::1]" }, server],
  ["a dot at the name's end", { ca, serverName: "localhost." }, server],
  ["the pinned key", { ...good, pins: ["x", pin] }, server],
  ["the pinned key alone", { dangerouslyAcceptAnyCertificate: true, pins: [pin], serverName: "x" }, server],
  [
    "the certificate of the name it asks for",
    { ca, serverName: "Other.test" },
    { ...server, serverNames: { "other.TEST": other } },
  ],
  ["a wildcard of names", { ca, serverName: "other.test" }, { ...server, serverNames: { "*.test": other } }],
  [
    "the default certificate for a name without its own",
    good,
    { ...server, serverNames: { "other.test": other } },
  ],
];

for (const [name, clientOptions, serverOptions] of accepted) {
  test(`the client takes ${name}`, async () => {
    const [near, far] = await shake(clientOptions, serverOptions);
    assert.equal(near.status, "fulfilled", `${near.status === "rejected" && near.reason}`);
    assert.equal(near.value.tls?.authorized, clientOptions.dangerouslyAcceptAnyCertificate !== true);
    await closeAll(near, far);
  });
}

test("the name is that of the host that was connected to, unless another is given", async () => {
  const listener = await nodeProvider.listen({}, (transport) => {
    overTls(transport, { role: "server", options: other }).catch(() => {});
  });
  const near = await nodeProvider.connect({ host: "localhost", port: listener.address.port });
  await assert.rejects(overTls(near, { role: "client", options: { ca } }), BrokenError);
  await listener.close();
});

/** Client certificates: with and without, wherever the name leads. */
const asked = { ...server, ca, serverNames: { "other.test": other } };
const demanded = { ...asked, requireClientCertificate: true };
for (const serverName of ["localhost", "other.test"]) {
  for (const [what, options, mine, outcome] of [
    ["demanded and good", demanded, client, true],
    ["demanded and missing", demanded, {}, "refused"],
    ["demanded and forged", demanded, forged, "refused"],
    ["asked for and good", asked, client, true],
    ["asked for and missing", asked, {}, false],
    ["asked for and forged", asked, forged, false],
  ] as const) {
    test(`a client certificate, ${what}, as ${serverName}`, async () => {
      const [near, far] = await shake({ ca, serverName, ...mine }, options);
      if (outcome === "refused") {
        assert.equal(far.status, "rejected");
        assert.ok(far.reason instanceof BrokenError, `${far.reason}`);
      } else {
        assert.equal(far.status, "fulfilled");
        assert.equal(far.value.tls?.authorized, outcome);
        assert.equal(far.value.tls?.peerName, "cert" in mine ? "alice" : undefined);
      }
      await closeAll(near, far);
    });
  }
}

test("what was agreed upon is the same on both sides", async () => {
  const [near, far] = await inTls(
    await tcpPair(),
    { ...good, alpn: ["b", "a"] },
    { ...server, alpn: ["a", "b"], minVersion: "TLSv1.3" },
  );
  const [one, two] = [near.tls, far.tls];
  assert.ok(one !== undefined && two !== undefined);
  assert.equal(one.protocol, "TLSv1.3");
  assert.equal(one.cipher, two.cipher);
  assert.equal(one.alpn, "a");
  assert.equal(two.alpn, "a");
  assert.equal(one.serverName, "localhost");
  assert.equal(two.serverName, "localhost");
  assert.equal(one.peerName, "localhost");
  assert.deepEqual(one.peerCertificate, two.localCertificate);
  assert.deepEqual(one.peerCertificate, new Uint8Array(new X509Certificate(server.cert).raw));
  const label = "EXPORTER-Channel-Binding";
  assert.deepEqual(one.exportKeyingMaterial(32, label), two.exportKeyingMaterial(32, label));
  await near.close();
  assert.throws(() => one.exportKeyingMaterial(32, label), ClosedError);
  await far.close();
});

test("no protocol in common ends the handshake", async () => {
  const [near, far] = await shake({ ...good, alpn: ["a"] }, { ...server, alpn: ["b"] });
  assert.equal(near.status, "rejected");
  await closeAll(near, far);
});

test("a key with a passphrase, which is a secret", async () => {
  const key = createPrivateKey(server.key)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "tiger" })
    .toString();
  const [near, far] = await inTls(await tcpPair(), good, {
    cert: server.cert,
    key,
    passphrase: new Secret("tiger"),
  });
  await near.close();
  await far.close();
  const [one, two] = memoryPair();
  const wrong = { cert: server.cert, key, passphrase: new Secret("lion") };
  await assert.rejects(one.startTls({ role: "server", options: wrong }), (error: Error) => {
    assert.ok(error instanceof LocalProtocolError);
    assert.doesNotMatch(JSON.stringify(error) + error.message, /lion/);
    return true;
  });
  await one.write(bytes("as before"));
  assert.equal(await readBytes(two, 9), "as before");
});

const senseless: readonly (readonly [name: string, upgrade: Parameters<Transport["startTls"]>[0]])[] = [
  ["a certificate that is none", { role: "server", options: { cert: "x", key: "y" } }],
  ["another's key", { role: "server", options: { cert: server.cert, key: other.key } }],
  [
    "demanding certificates of nobody",
    { role: "server", options: { ...server, requireClientCertificate: true } },
  ],
  [
    "a broken certificate for a name",
    { role: "server", options: { ...server, serverNames: { a: { cert: "", key: "" } } } },
  ],
  ["a name with a NUL", { role: "client", options: { ca, serverName: "local\0host" } }],
  ["an empty name", { role: "client", options: { ca, serverName: "" } }],
];
for (const [name, upgrade] of senseless) {
  test(`${name} is refused before anything happens`, async () => {
    const [near, far] = memoryPair();
    await assert.rejects(near.startTls(upgrade), LocalProtocolError);
    await near.write(bytes("hello"));
    assert.equal(await readBytes(far, 5), "hello");
  });
}

test("a Unix socket has no name: one must be given", async () => {
  const [near] = await pairOf(nodeProvider, { path: (await import("../socket/support.js")).temporaryPath() });
  await assert.rejects(near.startTls({ role: "client", options: { ca } }), LocalProtocolError);
  await near.close();
});

test("a handshake that nobody answers ends with its deadline, and the connection with it", async () => {
  const [near, far] = await tcpPair();
  const shaking = near.startTls({ role: "client", options: good }, { timeoutMs: 50 });
  await assert.rejects(shaking, { code: "HAWSER_DEADLINE" });
  await assert.rejects(near.write(bytes("x")));
  await far.read();
  assert.equal(await far.read().catch(() => undefined), undefined);
  await near.close();
  await far.close();
});

test("an abort ends a handshake with its reason", async () => {
  const [near, far] = await tcpPair();
  const reason = new Error("enough");
  const stop = new AbortController();
  const shaking = near.startTls({ role: "client", options: good }, { signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(shaking, reason);
  await near.close();
  await far.close();
});

test("closing in the middle of a handshake rejects it", async () => {
  const [near, far] = await tcpPair();
  const shaking = near.startTls({ role: "client", options: good });
  await near.close();
  await assert.rejects(shaking, ClosedError);
  await far.close();
});

test("a peer that leaves, or speaks something else, ends the handshake", async () => {
  for (const answer of ["", "250 what?\r\n"]) {
    const [near, far] = await tcpPair();
    const shaking = near.startTls({ role: "client", options: good });
    const rejected = assert.rejects(shaking, BrokenError);
    await far.read();
    await far.write(bytes(answer));
    await far.end();
    await rejected;
    await near.close();
    await far.close();
  }
});

test("TLS in TLS is refused by startTls, and a read that waits makes it busy", async () => {
  const [near, far] = await inTls(await tcpPair(), good, server);
  await assert.rejects(near.startTls({ role: "client", options: good }), BusyError);
  await near.close();
  await far.close();
  const [one, two] = memoryPair();
  const waiting = one.read();
  await assert.rejects(one.startTls({ role: "client", options: good }), BusyError);
  await two.write(bytes("a"));
  assert.deepEqual(await waiting, Buffer.from("a"));
});

test("what was written before STARTTLS arrives before the handshake", async () => {
  const [near, far] = await tcpPair();
  const big = new Uint8Array(4_000_000);
  const writes = [near.write(big), near.write(bytes("go"))];
  const shaking = near.startTls({ role: "server", options: server }, { timeoutMs: deadlineMs });
  const text = await readBytes(far, 4_000_002);
  assert.ok(text.endsWith("\0go"));
  await far.startTls({ role: "client", options: good }, { timeoutMs: deadlineMs });
  await shaking;
  await Promise.all(writes);
  await near.close();
  await far.close();
});

for (const [name, make] of [
  ["memory", async () => memoryPair()],
  ["memory in single bytes", async () => memoryPair({ fragmentBytes: 1 })],
  ["tcp", () => tcpPair()],
] as const) {
  test(`a PROXY header and TLS in one segment, over ${name}`, async () => {
    const [near, far] = await make();
    // The client's first write is the header, and what it has of TLS follows in the same turn.
    const header = near.write(bytes("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"));
    const shaking = overTls(near, { role: "client", options: good }, { timeoutMs: deadlineMs });
    await new Promise((resolve) => setImmediate(resolve));
    const named = await readProxyHeader(far);
    const secure = await overTls(named, { role: "server", options: server }, { timeoutMs: deadlineMs });
    const mine = await shaking;
    await header;
    assert.equal(secure.remote?.host, "192.0.2.1");
    await secure.write(bytes("hello"));
    assert.equal(await readBytes(mine, 5), "hello");
    // The acceptor closes what it has accepted, and that is the transport underneath.
    await far.close();
    assert.equal(await mine.read().catch(() => undefined), undefined);
    await mine.close();
  });
}
