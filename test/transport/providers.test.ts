/** What is particular to a provider: breaks, addresses, listeners, files, and handing over to Node. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { test } from "node:test";
import { Acceptor } from "../../src/engine/acceptor.js";
import {
  BrokenError,
  BusyError,
  InUseError,
  LocalProtocolError,
  RefusedError,
  SocketError,
} from "../../src/index.js";
import { dial, memoryPair } from "../../src/transport/index.js";
import { makeCertificates } from "../certificates.js";
import { temporaryPath } from "../socket/support.js";
import {
  bsdProvider,
  bytes,
  deferred,
  nodeProvider,
  rawConnect,
  readAll,
  readBytes,
  tcpPair,
  unixPair,
} from "./support.js";

for (const [name, provider] of [
  ["node", nodeProvider],
  ["bsd", bsdProvider],
] as const) {
  test(`${name}: a reset is a BrokenError whose cause is the SocketError`, async () => {
    const accepted = deferred<import("../../src/transport/types.js").Transport>();
    await using listener = await provider.listen({}, (transport) => accepted.resolve(transport));
    const raw = await rawConnect(listener.address.port ?? 0);
    const far = await accepted.promise;
    const waiting = far.read();
    raw.resetAndDestroy();
    await assert.rejects(waiting, (error: Error) => {
      assert.ok(error instanceof BrokenError, `${error}`);
      assert.ok(error.cause instanceof SocketError);
      assert.equal(error.cause.code, "ECONNRESET");
      return true;
    });
    await assert.rejects(far.read(), BrokenError);
    await assert.rejects(far.write(bytes("x")), BrokenError);
    await far.end();
    await far.close();
  });

  test(`${name}: a refused connection is the SocketError itself`, async () => {
    const listener = await provider.listen({}, () => {});
    await listener.close();
    await listener.close();
    await assert.rejects(provider.connect(listener.address), RefusedError);
  });

  test(`${name}: an address that is taken, and one that is none`, async () => {
    await using listener = await provider.listen({}, () => {});
    await assert.rejects(
      provider.listen(listener.address, () => {}),
      InUseError,
    );
    await assert.rejects(
      provider.listen({ port: 65_536 }, () => {}),
      LocalProtocolError,
    );
    await assert.rejects(provider.connect({ host: "127.0.0.1" }), LocalProtocolError);
  });

  test(`${name}: both ends know both addresses`, async () => {
    const [near, far] = await tcpPair(provider);
    assert.equal(near.remote?.port, far.local?.port);
    assert.equal(near.local?.port, far.remote?.port);
    assert.equal(far.remote?.host, "127.0.0.1");
    await Promise.all([near.close(), far.close()]);
    const [one, two] = await unixPair(provider);
    assert.equal(one.remote?.path, two.local?.path);
    await Promise.all([one.close(), two.close()]);
  });

  test(`${name}: the path of a Unix listener goes with it`, async () => {
    const path = temporaryPath();
    const listener = await provider.listen({ path }, () => {});
    assert.ok(existsSync(path));
    await listener.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!existsSync(path));
  });

  test(`${name}: IPv6`, async () => {
    const accepted = deferred<import("../../src/transport/types.js").Transport>();
    await using listener = await provider.listen({ host: "::1" }, (transport) => accepted.resolve(transport));
    const near = await provider.connect({ host: "::1", port: listener.address.port });
    const far = await accepted.promise;
    assert.equal(far.remote?.host, "::1");
    await Promise.all([near.close(), far.close()]);
  });

  test(`${name}: a stream of Node's gets what was not read, and close still ends it`, async () => {
    const [near, far] = await tcpPair(provider);
    await near.write(bytes("one two"));
    assert.equal((await readBytes(far, 1))[0], "o");
    const stream = far.toNode();
    await near.end();
    let text = "";
    stream.on("data", (piece) => {
      text += piece;
    });
    await new Promise((resolve) => stream.once("end", resolve));
    assert.ok("one two".endsWith(text));
    stream.write("back");
    assert.equal(await readBytes(near, 4), "back");
    await far.close();
    assert.ok(stream.destroyed);
    await near.close();
  });

  test(`${name}: nothing changes hands while a read waits`, async () => {
    const [near, far] = await tcpPair(provider);
    const waiting = near.read();
    assert.throws(() => near.toNode(), BusyError);
    await far.write(bytes("x"));
    assert.equal((await waiting)?.length, 1);
    await Promise.all([near.close(), far.close()]);
  });
}

test("bsd: a file is sent, in its place among the writes", async () => {
  const path = temporaryPath();
  writeFileSync(path, "0123456789".repeat(50_000));
  await using file = await open(path);
  const [near, far] = await tcpPair(bsdProvider);
  assert.ok(near.sendFile !== undefined);
  const before = near.write(bytes("before"));
  const sending = near.sendFile(file, { offset: 10, count: 400_000 });
  const behind = near.write(bytes("after")).then(() => near.end());
  const text = await readAll(far);
  assert.equal(await sending, 400_000);
  await Promise.all([before, behind]);
  assert.equal(text.length, 400_011);
  assert.ok(text.startsWith("before0123") && text.endsWith("789after"));
  await assert.rejects(near.sendFile(-1), LocalProtocolError);
  await Promise.all([near.close(), far.close()]);
});

test("what arrived with the end goes to Node's streams as well", async () => {
  const [near, far] = memoryPair();
  await near.write(bytes("all of it"));
  await near.end();
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  let text = "";
  for await (const piece of far.toNode()) text += piece;
  assert.equal(text, "all of it");
});

test("an acceptor closes the clients that it serves in TLS", async () => {
  const certificates = await makeCertificates();
  const failures: unknown[] = [];
  const acceptor = new Acceptor({
    serve: async (transport) => {
      while ((await transport.read()) !== undefined);
    },
    implicitTls: certificates,
    safeInPublic: false,
    onError: (error) => failures.push(error),
  });
  const { port } = await acceptor.listen({ port: 0 });
  const tlsOptions = { ca: certificates.ca };
  const client = await dial({ host: "localhost", port, tls: "implicit", tlsOptions, proxy: false });
  await client.write(bytes("hello"));
  await acceptor.close();
  assert.equal(await client.read().catch(() => undefined), undefined);
  assert.equal(acceptor.connections, 0);
  await client.close();
});
