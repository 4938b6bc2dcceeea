/** What an attacker in between may send in the clear, ahead of TLS: it never becomes part of the conversation in TLS. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenError, BusyError, RemoteProtocolError } from "../../src/index.js";
import { ByteStream } from "../../src/transport/byte-stream.js";
import type { Transport } from "../../src/transport/types.js";
import { makeCertificates } from "../certificates.js";
import { bsdProvider, bytes, deadlineMs, memoryPair, tcpPair } from "./support.js";

const certificates = await makeCertificates();
const line = (queue: { takeLine(max: number): Uint8Array | undefined }) => queue.takeLine(512);
const client = { role: "client", options: { ca: certificates.ca, serverName: "localhost" } } as const;
const server = { role: "server", options: certificates } as const;
const options = { timeoutMs: deadlineMs };

const kinds: readonly (readonly [name: string, make: () => Promise<[Transport, Transport]>])[] = [
  ["memory", async () => memoryPair()],
  ["memory in single bytes", async () => memoryPair({ fragmentBytes: 1 })],
  ["node", () => tcpPair()],
  ["bsd", () => tcpPair(bsdProvider)],
];

async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

for (const [kind, make] of kinds) {
  for (const upgrade of [client, server]) {
    const who = `${kind}, the ${upgrade.role}`;

    test(`${who}: bytes in the same segment as the line that leads to TLS`, async () => {
      const [near, far] = await make();
      const stream = new ByteStream(near);
      await far.write(bytes("go\r\nINJECTED\r\n"));
      assert.equal(Buffer.from(await stream.receive(line, options)).toString(), "go");
      // In single bytes the rest may still be on its way: then it meets the handshake, which cannot be.
      await assert.rejects(stream.startTls(upgrade, options), refusal);
      await assert.rejects(near.write(bytes("x")));
      await far.close();
      await near.close();
    });

    test(`${who}: bytes in the next segment`, async () => {
      const [near, far] = await make();
      const stream = new ByteStream(near);
      await far.write(bytes("go\r\n"));
      await stream.receive(line, options);
      await far.write(bytes("INJECTED\r\n"));
      await turns();
      await assert.rejects(stream.startTls(upgrade, options), refusal);
      await assert.rejects(near.write(bytes("x")));
      await far.close();
      await near.close();
    });

    test(`${who}: bytes after the handshake has begun`, async () => {
      const [near, far] = await make();
      const stream = new ByteStream(near);
      await far.write(bytes("go\r\n"));
      await stream.receive(line, options);
      const shaking = assert.rejects(stream.startTls(upgrade, options), BrokenError);
      await far.write(bytes("INJECTED\r\n"));
      await shaking;
      await far.close();
      await near.close();
    });
  }

  test(`${kind}: a read whose caller gave up keeps TLS from starting, and loses no byte`, async () => {
    const [near, far] = await make();
    const stream = new ByteStream(near);
    await assert.rejects(stream.receive(line, { timeoutMs: 100 }), { code: "HAWSER_DEADLINE" });
    await assert.rejects(stream.startTls(client, options), BusyError);
    await far.write(bytes("kept\r\n"));
    assert.equal(Buffer.from(await stream.receive(line, options)).toString(), "kept");
    await near.close();
    await far.close();
  });
}

function refusal(error: Error): boolean {
  return error instanceof RemoteProtocolError || error instanceof BrokenError;
}

test("bytes that are there when TLS is to start are named as what they are", async () => {
  const [near, far] = memoryPair();
  await far.write(bytes("go\r\nRSET\r\n"));
  const stream = new ByteStream(near);
  await stream.receive(line, options);
  await assert.rejects(stream.startTls(client, options), {
    code: "HAWSER_REMOTE_PROTOCOL",
    excerpt: "RSET\\x0d\\x0a",
  });
});
