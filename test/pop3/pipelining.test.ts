/** What goes onto the wire, and when: PIPELINING (RFC 2449 section 6.6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pop3Client } from "../../src/pop3/client.js";
import { memoryPair } from "../../src/transport/memory.js";
import { messages, over, serverOf, storeOf } from "./support.js";

/** A server that notes what comes in one piece, and answers each RETR or DELE when it is told to. */
async function counting(capa: string): Promise<{
  client: Pop3Client;
  writes: string[];
  mostInFlight: () => number;
}> {
  const [near, far] = memoryPair();
  const writes: string[] = [];
  let waiting: string[] = [];
  let most = 0;
  void (async () => {
    await far.write(Buffer.from("+OK\r\n"));
    for (let chunk = await far.read(); chunk !== undefined; chunk = await far.read()) {
      const text = Buffer.from(chunk).toString();
      writes.push(text);
      waiting.push(...text.split("\r\n").filter(Boolean));
      most = Math.max(most, waiting.length);
      for (const line of waiting.splice(0)) await far.write(Buffer.from(answerTo(line, capa)));
      waiting = [];
    }
  })().catch(() => {});
  return { client: await over(near), writes, mostInFlight: () => most };
}

function answerTo(line: string, capa: string): string {
  if (line === "CAPA") return capa;
  return line.startsWith("RETR") ? `+OK\r\n${line}\r\n.\r\n` : "+OK\r\n";
}

const numbers = Array.from({ length: 64 }, (_, index) => index + 1);
const pipelining = "+OK\r\nPIPELINING\r\n.\r\n";

for (const [depth, writes] of [
  [1, 64],
  [16, 7],
  [64, 1],
  [200, 1],
] as const) {
  test(`retrMany with a depth of ${depth}: few writes, and never more under way`, async () => {
    const server = await counting(pipelining);
    const got: number[] = [];
    for await (const { number, body } of server.client.retrMany(numbers, { depth })) {
      assert.equal(await body.text(), `RETR ${number}\r\n`);
      got.push(number);
    }
    assert.deepEqual(got, numbers);
    assert.ok(server.mostInFlight() <= depth);
    assert.equal(server.writes.length - 1, writes);
    await server.client.close();
  });
}

for (const [name, capa] of [
  ["that does not offer it", "+OK\r\nTOP\r\n.\r\n"],
  ["without CAPA", "-ERR what\r\n"],
] as const) {
  test(`nothing is sent ahead to a server ${name}`, async () => {
    const server = await counting(capa);
    for await (const { body } of server.client.retrMany([1, 2, 3])) await body.bytes();
    await server.client.deleMany([1, 2, 3]);
    assert.equal(server.mostInFlight(), 1);
    assert.equal(server.writes.length, 7);
    await server.client.close();
  });
}

test("deleMany is one write for a depth", async () => {
  const server = await counting(pipelining);
  const { deleted } = await server.client.deleMany(numbers);
  assert.deepEqual(deleted, numbers);
  assert.deepEqual([server.mostInFlight(), server.writes.length], [16, 5]);
  await server.client.close();
});

test("the server answers what comes in one piece, in order", async () => {
  const [near, far] = memoryPair();
  const server = await serverOf({ store: await storeOf(["A: 1\r\n\r\nx\r\n"]) });
  const served = server.serve(far);
  await near.write(Buffer.from("USER alice\r\nPASS tiger\r\nSTAT\r\nRETR 1\r\nNOOP\r\nDELE 1\r\nQUIT\r\n"));
  let got = "";
  for (let chunk = await near.read(); chunk !== undefined; chunk = await near.read())
    got += Buffer.from(chunk);
  await near.end();
  await served;
  const words = got.split("\r\n").map((line) => line.split(" ").slice(0, 2).join(" "));
  assert.deepEqual(words, [
    ...[
      "+OK localhost",
      "+OK now",
      "+OK 1",
      "+OK 1",
      "+OK 11",
      "A: 1",
      "",
      "x",
      ".",
      "+OK",
      "+OK message",
      "+OK goodbye",
      "",
    ],
  ]);
});

test("mail that is read slowly holds the server back, and no deadlock comes of it", {
  timeout: 30_000,
}, async () => {
  const large = `A: 1\r\n\r\n${"0123456789abcdef\r\n".repeat(20_000)}`;
  const server = await serverOf({ store: await storeOf([large, large, large, large, messages[0] ?? ""]) });
  const [near, far] = memoryPair();
  void server.serve(far);
  const client = await over(near, { auth: { user: "alice", password: "tiger" } });
  const sizes: number[] = [];
  for await (const { body } of client.retrMany([1, 2, 3, 4, 5])) {
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      await new Promise(setImmediate);
    }
    sizes.push(bytes);
  }
  assert.deepEqual(
    sizes,
    [large, large, large, large, messages[0] ?? ""].map(({ length }) => length),
  );
  await client.quit();
});
