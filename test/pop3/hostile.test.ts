/** Servers and clients that do not keep to the rules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenError,
  DeadlineError,
  HawserError,
  LimitError,
  RemoteProtocolError,
} from "../../src/core/errors.js";
import type { Pop3Client } from "../../src/pop3/client.js";
import { Pop3Error } from "../../src/pop3/errors.js";
import { memoryPair } from "../../src/transport/memory.js";
import { over, scripted, serverOf, until } from "./support.js";

test("a greeting that is none, or a refusal", async () => {
  for (const [greeting, error] of [
    ["220 smtp\r\n", RemoteProtocolError],
    ["+ \r\n", RemoteProtocolError],
    ["-ERR [SYS/TEMP] full\r\n", Pop3Error],
    [`+OK ${"x".repeat(70_000)}`, LimitError],
  ] as const)
    await assert.rejects(over(scripted([], greeting).near), error, greeting.slice(0, 20));
});

/** Once the client has asked: sends the text over and over until the other side gives up. */
async function flood({ far, lines }: ReturnType<typeof scripted>, text: string): Promise<number> {
  await until(() => lines.length > 0);
  await new Promise(setImmediate);
  const piece = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  let bytes = 0;
  try {
    for (; bytes < 500_000_000; bytes += piece.length) await far.write(piece);
  } catch {
    // It gave up, as it should.
  }
  return bytes;
}

test("a line without an end, and a list without an end, cost no more than their limits", {
  timeout: 60_000,
}, async () => {
  for (const [answer, more, limits] of [
    ["+OK ", "x", undefined],
    ["+OK\r\n", "1 1\r\n", { maxReplyBytes: 100_000 }],
    ["+OK\r\n", "1 1\r\n", { maxItems: 1000 }],
    ["+OK\r\n1 ", "x", undefined],
  ] as const) {
    const server = scripted([answer]);
    const client = await over(server.near, { limits });
    const asked = assert.rejects(client.list(), LimitError);
    const [bytes] = await Promise.all([flood(server, more), asked]);
    assert.ok(bytes < 2_000_000, `${bytes} bytes`);
    assert.ok(client.closed);
  }
});

test("a message without an end is a stream: a limit holds it, and leaving it ends the connection", {
  timeout: 60_000,
}, async () => {
  const limited = scripted(["+OK\r\n"]);
  const client = await over(limited.near, { limits: { maxBodyBytes: 1_000_000 } });
  const body = await client.retr(1);
  await Promise.all([flood(limited, "x\r\n"), assert.rejects(body.bytes(), LimitError)]);
  const left = scripted(["+OK\r\n"]);
  const other = await over(left.near);
  const unread = await other.retr(1);
  const [bytes] = await Promise.all([flood(left, "x\r\n"), unread[Symbol.asyncDispose]()]);
  assert.ok(bytes < 8_000_000, `${bytes} bytes`);
  assert.ok(other.closed);
});

test("counts and sizes that are wrong are only numbers", async () => {
  const { near } = scripted([
    "+OK 5 4294967296\r\n",
    "+OK 5 messages\r\n1 4294967296\r\n9 9007199254740991\r\n.\r\n",
    "+OK 4294967296 octets\r\nshort\r\n.\r\n",
  ]);
  const client = await over(near);
  assert.deepEqual(await client.stat(), { count: 5, octets: 4_294_967_296 });
  assert.deepEqual(
    (await client.list()).map(({ number }) => number),
    [1, 9],
  );
  assert.equal(await (await client.retr(1)).text(), "short\r\n");
  await client.close();
});

test("answers that make no sense end the connection", async () => {
  const calls: readonly [answer: string, call: (client: Pop3Client) => Promise<unknown>][] = [
    ["+OK\r\n", (client) => client.stat()],
    ["+OK many messages\r\n", (client) => client.stat()],
    ["+OK 1 99999999999999999999\r\n", (client) => client.stat()],
    ["+OK\r\n", (client) => client.list(1)],
    ["+OK\r\nnonsense\r\n.\r\n", (client) => client.list()],
    ["+OK\r\n1\r\n.\r\n", (client) => client.uidl()],
    ["+ Y2hhbGxlbmdl\r\n", (client) => client.noop()],
    ["+ \r\n", (client) => client.retr(1)],
    ["+OK\r\n!\r\n.\r\n", (client) => client.lang()],
  ];
  for (const [answer, call] of calls) {
    const client = await over(scripted([answer]).near);
    await assert.rejects(call(client), RemoteProtocolError, answer);
    assert.ok(client.closed, answer);
  }
});

test("+OK and then nothing, or the end", async () => {
  for (const call of [
    (client: Pop3Client) => client.list(),
    async (client: Pop3Client) => await (await client.retr(1)).bytes(),
  ]) {
    const silent = await over(scripted(["+OK\r\n"]).near, { replyMs: 300, idleMs: 300 });
    await assert.rejects(call(silent), DeadlineError);
    assert.ok(silent.closed);
    const cut = scripted(["+OK\r\nhalf of it"]);
    const client = await over(cut.near);
    const asked = assert.rejects(call(client), BrokenError);
    const ended = setInterval(() => {
      if (cut.lines.length > 0) void cut.far.end();
    }, 2);
    await asked;
    clearInterval(ended);
    assert.ok(client.closed);
  }
});

test("a refusal leaves the connection usable, whatever its text", async () => {
  const { near } = scripted(["-ERR [X/\x1b[31mRED] \x07 no\r\n", "+OK\r\n"]);
  const client = await over(near);
  await assert.rejects(client.noop(), (error: unknown) => error instanceof Pop3Error && error.usable);
  await client.noop();
  await client.close();
});

/** What a server answers to bytes, until it ends the connection. */
async function answersTo(wire: string | Uint8Array, options: object = {}): Promise<string> {
  const [near, far] = memoryPair();
  const errors: unknown[] = [];
  const server = await serverOf({ onError: (error) => errors.push(error), ...options });
  const served = server.serve(far);
  void near
    .write(typeof wire === "string" ? Buffer.from(wire, "latin1") : wire)
    .then(() => near.end())
    .catch(() => {});
  let got = "";
  for (let chunk = await near.read(); chunk !== undefined; chunk = await near.read())
    got += Buffer.from(chunk).toString("latin1");
  await served;
  await near.close();
  assert.deepEqual(errors, []);
  return got;
}

test("the server: lines that are too long, and lines that are none", async () => {
  assert.match(await answersTo(`USER ${"x".repeat(300)}\r\nQUIT\r\n`), /-ERR the line is too long\r\n$/);
  const got = await answersTo("\r\nFOO\r\nUSER a\nQUIT\r\nUSER \xff\r\nQUIT\r\n");
  assert.deepEqual(got.match(/-ERR/g)?.length, 4);
  assert.match(got, /\+OK goodbye\r\n$/);
});

test("the server: too many bad commands", async () => {
  const got = await answersTo("FOO\r\n".repeat(20), { maxBadCommands: 5 });
  assert.equal(got.match(/-ERR/g)?.length, 5);
  assert.match(got, /one too many\r\n$/);
});

test("the server: random bytes end in order", async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const bytes = Uint8Array.from({ length: 200 }, (_, index) => (seed * 7919 + index * index * 31) % 256);
    await answersTo(bytes);
  }
});

test("errors of a hostile conversation carry its last lines", async () => {
  const client = await over(scripted(["nonsense\r\n"]).near);
  await assert.rejects(client.noop(), (error: unknown) => {
    assert.ok(error instanceof HawserError);
    return error.transcript?.includes("C: NOOP") === true;
  });
});
