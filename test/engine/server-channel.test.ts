import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenError, DeadlineError, LimitError, RemoteProtocolError } from "../../src/core/errors.js";
import { type Fault, FaultPlan } from "../../src/engine/faults.js";
import { collect, readToEnd, transcript } from "../../src/testing/index.js";
import { makeCertificates } from "../certificates.js";
import { atEverySize, line, readText, serverPair, utf8, watched } from "./support.js";

const certificates = await makeCertificates();

atEverySize("commands that come together are answered together", async (fragmentBytes) => {
  const { channel, near } = serverPair(fragmentBytes);
  const { writes } = watched(channel.stream.transport);
  await near.write(utf8("A\r\nB\r\nC\r\n"));
  while (channel.stream.transport.bufferedBytes < 9) await new Promise((resolve) => setImmediate(resolve));
  for (const name of ["A", "B", "C"]) {
    assert.equal(await channel.receive(line), name);
    await channel.reply(`250 ${name}\r\n`);
  }
  const next = channel.receive(line);
  assert.equal(await readText(near, 21), "250 A\r\n250 B\r\n250 C\r\n");
  // A byte at a time each read may be the last: then what is known is sent.
  if (fragmentBytes > 9) assert.equal(writes.length, 1);
  await near.write(utf8("D\r\n"));
  assert.equal(await next, "D");
});

test("replies that are many do not pile up until the client is silent", async () => {
  const { channel, near } = serverPair();
  const { writes } = watched(channel.stream.transport);
  const read = readText(near, 70_000);
  for (let count = 0; count < 10; count += 1) await channel.reply(`250 ${"x".repeat(7000)}\r\n`);
  assert.equal(writes.length, 1);
  await channel.flush();
  assert.equal((await read).length >= 70_000, true);
});

test("what is said is in the trace, with the bytes of bodies counted", async () => {
  const trace = transcript();
  const { channel, near } = serverPair(7, { trace });
  await near.write(utf8("..a\r\n.\r\n"));
  await channel.body().bytes();
  await channel.replyWithBody("215-list\r\n215 follows\r\n", [".b\r\n", utf8("c")]);
  await channel.flush();
  const wire = "215-list\r\n215 follows\r\n..b\r\nc\r\n.\r\n";
  assert.equal(await readText(near, wire.length), wire);
  assert.equal(String(trace), "C: [4 bytes]\nS: 215-list\nS: 215 follows\nS: [5 bytes]\n");
});

atEverySize("a body that is left, or not read at all, is never taken for commands", async (fragmentBytes) => {
  for (const way of ["unread", "left", "half"]) {
    const { channel, near } = serverPair(fragmentBytes);
    await near.write(utf8(`${"QUIT\r\n".repeat(200)}.\r\nNOOP\r\n`));
    const body = channel.body();
    if (way === "left") for await (const _ of body) break;
    if (way === "half") await body[Symbol.asyncIterator]().next();
    assert.equal(await channel.receive(line), "NOOP", way);
  }
});

test("a body beyond its limit ends the conversation; it is not taken for commands either", async () => {
  const { channel, near } = serverPair();
  await near.write(utf8(`${"QUIT\r\n".repeat(200)}.\r\nNOOP\r\n`));
  await assert.rejects(channel.body({ maxBodyBytes: 1199 }).bytes(), LimitError);
  await assert.rejects(channel.receive(line), LimitError);
  const exact = serverPair();
  await exact.near.write(utf8(`${"QUIT\r\n".repeat(200)}.\r\n`));
  assert.equal((await exact.channel.body({ maxBodyBytes: 1200 }).bytes()).length, 1200);
});

test("a client that is silent too long, in a command or in a body", async () => {
  const { channel, near } = serverPair(7, { idleMs: 20 });
  await near.write(utf8("half"));
  await assert.rejects(channel.receive(line, { timeoutMs: undefined }), DeadlineError);
  await assert.rejects(channel.body().bytes(), DeadlineError);
});

test("a source that fails: another reply while nothing has left, the end of the connection after", async () => {
  const early = serverPair();
  const broken = (bytes: number) =>
    (async function* () {
      yield "x".repeat(bytes);
      throw new Error("the disk");
    })();
  await early.channel.reply("250 before\r\n");
  await assert.rejects(early.channel.replyWithBody("215 here it comes\r\n", broken(10)), /the disk/);
  await early.channel.reply("451 sorry\r\n");
  await early.channel.flush();
  assert.equal(await readText(early.near, 23), "250 before\r\n451 sorry\r\n");
  const late = serverPair();
  const [received] = await Promise.all([
    readToEnd(late.near),
    assert.rejects(late.channel.replyWithBody("215 here it comes\r\n", broken(100_000)), /the disk/),
  ]);
  assert.ok(!Buffer.from(received).toString().endsWith("\r\n.\r\n"));
});

test("hanging up: the last reply arrives, though the client sent more than was read", async () => {
  const { channel, near } = serverPair(7);
  await near.write(utf8("QUIT\r\nMORE\r\nAND MORE\r\n"));
  assert.equal(await channel.receive(line), "QUIT");
  await channel.reply("221 bye\r\n");
  const hangUp = channel.hangUp();
  assert.equal(await readText(near, 9), "221 bye\r\n");
  assert.equal((await readToEnd(near)).length, 0);
  await near.end();
  await hangUp;
});

test("hanging up does not wait for a client that takes nothing in", async () => {
  const { channel } = serverPair(7, { idleMs: 20 });
  // Nobody reads the other end: its buffers fill.
  const flood = (async () => {
    for (;;) await channel.replyWithBody("", "x".repeat(100_000));
  })();
  await assert.rejects(flood, DeadlineError);
  await channel.hangUp();
  await assert.rejects(channel.stream.transport.read());
});

test("hanging up on a client that is gone is no error", async () => {
  const { channel, near } = serverPair();
  await near.close();
  await channel.reply("221 bye\r\n");
  await channel.hangUp();
});

test("STARTTLS: the answer is sent, and TLS follows", async () => {
  const { channel, near } = serverPair();
  await channel.reply("220 go\r\n");
  const starting = channel.startTls(certificates);
  assert.equal(await readText(near, 8), "220 go\r\n");
  const info = await near.startTls({ role: "client", options: { ca: certificates.ca } });
  assert.equal(info.authorized, true);
  await starting;
  assert.notEqual(channel.tls, undefined);
  await channel.reply("250 in private\r\n");
  await channel.flush();
  assert.equal(await readText(near, 16), "250 in private\r\n");
  await near.close();
});

for (const where of ["the same segment", "the next segment"]) {
  test(`STARTTLS: a command injected behind it, in ${where}, ends the connection before the answer`, async () => {
    const { channel, near } = serverPair();
    await near.write(
      utf8(where === "the same segment" ? "STARTTLS\r\nMAIL FROM:<evil>\r\n" : "STARTTLS\r\n"),
    );
    assert.equal(await channel.receive(line), "STARTTLS");
    if (where === "the next segment") {
      await near.write(utf8("MAIL FROM:<evil>\r\n"));
      while (channel.stream.transport.bufferedBytes === 0)
        await new Promise((resolve) => setImmediate(resolve));
    }
    await channel.reply("220 go\r\n");
    await assert.rejects(channel.startTls(certificates), RemoteProtocolError);
    assert.equal(Buffer.from(await readToEnd(near)).toString(), "");
  });
}

const plan = (fault: Fault) => new FaultPlan([fault]);

/** A server that answers each command with `250 …`, under faults. */
async function served(
  fault: Fault,
  ...commands: string[]
): Promise<{ text: string; reads: string[]; error: unknown }> {
  const { channel, near } = serverPair(65_536, { faults: plan(fault) });
  await near.write(utf8(commands.map((command) => `${command}\r\n`).join("")));
  await near.end();
  const reads = collect(chunks(near));
  let error: unknown;
  try {
    for (let left = commands.length; left > 0; left -= 1) {
      const command = await channel.receive(line);
      if (!(await channel.interfere(command.split(" ", 1)[0] ?? "", command)))
        await channel.reply(`250 ${command}\r\n`);
    }
    await channel.hangUp();
  } catch (thrown) {
    error = thrown;
  }
  return { text: (await reads).join(""), reads: await reads, error };
}

async function* chunks(transport: { read(): Promise<Uint8Array | undefined> }): AsyncGenerator<string> {
  for (let chunk = await transport.read(); chunk !== undefined; chunk = await transport.read())
    yield Buffer.from(chunk).toString();
}

test("no fault, no interference", async () => {
  const { text, error } = await served({ on: "X", drop: true }, "A", "B x");
  assert.deepEqual([text, error], ["250 A\r\n250 B x\r\n", undefined]);
});

test("a fault replies in place of the server, in one line or several", async () => {
  assert.equal((await served({ on: "B", reply: "451 later" }, "A", "B x")).text, "250 A\r\n451 later\r\n");
  const two = await served({ on: /x$/, reply: ["451-later", "451 please"], times: 1 }, "B x", "B x");
  assert.equal(two.text, "451-later\r\n451 please\r\n250 B x\r\n");
});

test("a fault delays: what was said before is sent first", async () => {
  const { text, reads } = await served({ on: "B", delayMs: 5 }, "A", "B");
  assert.equal(text, "250 A\r\n250 B\r\n");
  assert.deepEqual(reads, ["250 A\r\n", "250 B\r\n"]);
});

test("a fault splits its reply, and none before it", async () => {
  const { reads } = await served({ on: "B", splitBytes: 3 }, "A", "B");
  assert.deepEqual(reads, ["250 A\r\n", "250", " B\r\n"]);
  const own = await served({ on: "B", splitBytes: 1, reply: "451 later" }, "A", "B");
  assert.deepEqual(own.reads, ["250 A\r\n", "4", "51 later\r\n"]);
});

test("a fault drops the connection: in place of the reply, or within it", async () => {
  const at = await served({ on: "B", drop: true }, "A", "B", "C");
  assert.equal(at.text, "250 A\r\n");
  assert.ok(at.error instanceof BrokenError);
  const within = await served({ on: "B", drop: true, splitBytes: 5 }, "A", "B", "C");
  assert.equal(within.text, "250 A\r\n250 B");
  assert.ok(within.error instanceof BrokenError);
});

test("a fault lets the TLS handshake fail, once the command was answered", async () => {
  const { channel, near } = serverPair(7, { faults: plan({ on: "STARTTLS", tlsFailure: true, times: 1 }) });
  assert.equal(await channel.interfere("STARTTLS"), false);
  await channel.reply("220 go\r\n");
  const starting = assert.rejects(channel.startTls(certificates), BrokenError);
  assert.equal(await readText(near, 8), "220 go\r\n");
  await assert.rejects(near.startTls({ role: "client", options: { ca: certificates.ca } }), BrokenError);
  await starting;
  assert.equal(channel.takeTlsFailure(), false);
});
