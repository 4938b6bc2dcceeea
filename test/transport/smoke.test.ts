import assert from "node:assert/strict";
import { test } from "node:test";
import { overTls } from "../../src/transport/duplex.js";
import { memoryPair } from "../../src/transport/memory.js";
import { nodeProvider } from "../../src/transport/node.js";
import type { Transport } from "../../src/transport/types.js";
import { makeCertificates } from "../certificates.js";

const certs = await makeCertificates();
async function echo(t: Transport): Promise<void> {
  for (let c = await t.read(); c !== undefined; c = await t.read()) await t.write(c);
  await t.end();
}
async function talk(t: Transport): Promise<void> {
  const data = new Uint8Array(200_000).map((_, i) => i % 251);
  void t.write(data).then(() => t.end());
  const got: Uint8Array[] = [];
  for (let c = await t.read(); c !== undefined; c = await t.read()) got.push(c);
  assert.deepEqual(Buffer.concat(got), Buffer.from(data));
  await t.close();
}
for (const fragmentBytes of [7, 65536]) {
  test(`memory ${fragmentBytes}`, async () => {
    const [a, b] = memoryPair({ fragmentBytes });
    await Promise.all([echo(b), talk(a)]);
  });
  test(`memory tls ${fragmentBytes}`, async () => {
    const [a, b] = memoryPair({ fragmentBytes });
    const [ca, cb] = await Promise.all([
      a.startTls({ role: "client", options: { ca: certs.ca } }),
      b.startTls({ role: "server", options: certs }),
    ]);
    assert.equal(ca.authorized, true);
    assert.deepEqual(
      ca.exportKeyingMaterial(32, "EXPORTER-Channel-Binding"),
      cb.exportKeyingMaterial(32, "EXPORTER-Channel-Binding"),
    );
    await Promise.all([echo(b), talk(a)]);
  });
}
test("tcp, tcp tls", async () => {
  for (const tls of [false, true]) {
    await using l = await nodeProvider.listen({}, async (t) => {
      await echo(tls ? await overTls(t, { role: "server", options: certs }) : t);
      await t.close();
    });
    const t = await nodeProvider.connect(l.address);
    await talk(
      tls ? await overTls(t, { role: "client", options: { ca: certs.ca, serverName: "localhost" } }) : t,
    );
  }
});
