import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { Deadline } from "../../src/core/deadline.js";
import {
  BrokenError,
  BusyError,
  ClosedError,
  DeadlineError,
  HawserError,
  LocalProtocolError,
  RemoteProtocolError,
  ReplyError,
} from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import type { Source } from "../../src/core/source.js";
import { collect, readToEnd, transcript } from "../../src/testing/index.js";
import { commandLine } from "../../src/wire/command-line.js";
import { atEverySize, clientPair, readText, utf8, watched } from "./support.js";

const noop = commandLine("NOOP");

atEverySize("a command and its reply, and both in the trace", async (fragmentBytes) => {
  const trace = transcript();
  const { channel, far } = clientPair(fragmentBytes, { trace });
  const reply = channel.exclusive("logging in", () => channel.call(commandLine("PASS", new Secret("tiger"))));
  assert.equal(await readText(far, 12), "PASS tiger\r\n");
  await far.write(utf8("+OK in\r\n"));
  assert.equal(await reply, "+OK in");
  assert.equal(String(trace), "C: PASS [secret]\nS: +OK in\n");
  await channel.close();
});

test("commands that are sent together are one write", async () => {
  const { channel, far } = clientPair();
  const { writes } = watched(channel.stream.transport);
  await channel.send(noop, commandLine("MAIL", "FROM:<>"), noop);
  assert.deepEqual(writes, ["NOOP\r\nMAIL FROM:<>\r\nNOOP\r\n"]);
  assert.equal(await readText(far, 26), writes[0]);
});

test("operations are exclusive: a second one is a BusyError, and does no harm", async () => {
  const { channel, far } = clientPair();
  const first = channel.exclusive("the first", () => channel.call(noop));
  await assert.rejects(
    channel.exclusive("the second", () => channel.call(noop)),
    (error) => error instanceof BusyError && /the first/.test(error.message),
  );
  await far.write(utf8("ok\r\n"));
  assert.equal(await first, "ok");
  const third = channel.exclusive("the third", () => channel.call(noop));
  await far.write(utf8("ok again\r\n"));
  assert.equal(await third, "ok again");
});

const refusal = { reply: "550 no", command: "RCPT", permanent: true };
for (const error of [new ReplyError("no", refusal), new LocalProtocolError("no")]) {
  test(`a ${error.name} leaves the connection open, and carries the transcript`, async () => {
    const { channel, far } = clientPair();
    const failing = channel.exclusive("it", async () => {
      await channel.call(noop);
      throw error;
    });
    await far.write(utf8("550 no\r\n"));
    await assert.rejects(failing, (thrown) => thrown === error);
    assert.deepEqual(error.transcript, ["C: NOOP", "S: 550 no"]);
    assert.equal(channel.closed, false);
    channel.throwIfUnusable();
  });
}

for (const error of [
  new RemoteProtocolError("odd"),
  new Error("a mistake in the program"),
  new BrokenError("cut"),
]) {
  test(`a ${error.name} in the middle closes the connection: ${error.message}`, async () => {
    const { channel, far } = clientPair();
    const failing = channel.exclusive("it", async () => {
      await channel.send(noop);
      throw error;
    });
    await assert.rejects(failing, (thrown) => thrown === error);
    assert.equal(channel.closed, true);
    await assert.rejects(
      channel.exclusive("it", () => assert.fail("begun")),
      (thrown) => thrown instanceof ClosedError && thrown.cause === error,
    );
    assert.equal(Buffer.from(await readToEnd(far)).toString(), "NOOP\r\n");
  });
}

test("aborted before the first byte, the connection is intact", async () => {
  const { channel, far } = clientPair();
  const { writes } = watched(channel.stream.transport);
  const reason = new Error("no more wanted");
  const signal = AbortSignal.abort(reason);
  const isReason = (error: unknown) => error === reason;
  await assert.rejects(
    channel.exclusive("it", () => channel.call(noop), { signal }),
    isReason,
  );
  await assert.rejects(
    channel.exclusive("it", () => channel.call(noop, { signal })),
    isReason,
  );
  assert.deepEqual(writes, []);
  assert.equal(channel.closed, false);
  const reply = channel.exclusive("it", () => channel.call(noop));
  await far.write(utf8("ok\r\n"));
  assert.equal(await reply, "ok");
});

test("aborted after it, the connection is closed", async () => {
  const { channel, far } = clientPair();
  const controller = new AbortController();
  const reason = new Error("no more wanted");
  const failing = channel.exclusive("it", () => channel.call(noop, { signal: controller.signal }));
  await readText(far, 6);
  controller.abort(reason);
  await assert.rejects(failing, (error) => error === reason);
  assert.equal(channel.closed, true);
});

test("aborted between two commands of one operation, the connection is closed", async () => {
  const { channel, far } = clientPair();
  const controller = new AbortController();
  const failing = channel.exclusive("it", async () => {
    await channel.call(noop);
    controller.abort(new Error("no more wanted"));
    await channel.call(noop, { signal: controller.signal });
  });
  await far.write(utf8("ok\r\n"));
  await assert.rejects(failing, /no more wanted/);
  assert.equal(channel.closed, true);
});

test("no reply in time: what was waited for, and the connection is closed", async () => {
  const { channel } = clientPair(7, { replyMs: 20 });
  await assert.rejects(
    channel.exclusive("it", () => channel.call(commandLine("PASS", new Secret("tiger")))),
    (error) => {
      assert.ok(error instanceof DeadlineError);
      assert.equal(error.what, "the reply to PASS");
      assert.equal(error.limitMs, 20);
      assert.deepEqual(error.transcript, ["C: PASS [secret]"]);
      return true;
    },
  );
  assert.equal(channel.closed, true);
});

test("a timeout that is given as undefined is the channel's own", async () => {
  const { channel } = clientPair(7, { replyMs: 20, idleMs: 20 });
  await assert.rejects(channel.reply({ timeoutMs: undefined }), DeadlineError);
  await assert.rejects(
    channel.receive(() => undefined, { timeoutMs: undefined }),
    DeadlineError,
  );
  await assert.rejects(channel.body({ timeoutMs: undefined }).bytes(), DeadlineError);
});

test("a server that takes no commands in does not hold the client for ever", async () => {
  const { channel } = clientPair(7, { idleMs: 20 });
  const flood = channel.exclusive("it", async () => {
    for (;;) await channel.send(commandLine("X", "x".repeat(50_000)));
  });
  await assert.rejects(flood, DeadlineError);
});

atEverySize("a body is read, and the reply behind it is not touched", async (fragmentBytes) => {
  const { channel, far } = clientPair(fragmentBytes);
  let ends = 0;
  const body = channel.body({}, () => {
    ends += 1;
  });
  await far.write(utf8("one\r\n..two\r\n.\r\n+OK next\r\n"));
  assert.equal(await body.text(), "one\r\n.two\r\n");
  assert.equal(ends, 1);
  assert.equal(await channel.exclusive("it", () => channel.reply()), "+OK next");
});

atEverySize(
  "a body that is unread makes the next call a BusyError; left, it is read away",
  async (fragmentBytes) => {
    const { channel, far } = clientPair(fragmentBytes);
    const body = channel.body();
    await far.write(utf8(`${"line\r\n".repeat(1000)}.\r\n+OK next\r\n`));
    await assert.rejects(
      channel.exclusive("it", () => channel.reply()),
      BusyError,
    );
    for await (const _ of body) break;
    assert.equal(await channel.exclusive("it", () => channel.reply()), "+OK next");
  },
);

test("a body within an operation holds the channel beyond it", async () => {
  const { channel, far } = clientPair();
  const body = await channel.exclusive("it", async () => channel.body());
  assert.throws(() => channel.throwIfUnusable(), BusyError);
  await far.write(utf8(".\r\n"));
  assert.equal(await body.text(), "");
  channel.throwIfUnusable();
});

test("a body of which too much is left closes the connection", async () => {
  const { channel, far } = clientPair();
  const body = channel.body();
  const line = utf8(`${"x".repeat(998)}\r\n`.repeat(64));
  const sending = (async () => {
    for (;;) await far.write(line);
  })();
  const broken = assert.rejects(sending, HawserError);
  for await (const _ of body) break;
  assert.equal(channel.closed, true);
  assert.throws(() => channel.throwIfUnusable(), ClosedError);
  await far.close();
  await broken;
});

test("the connection ends within a body: a BrokenError with the transcript, and it is closed", async () => {
  const { channel, far } = clientPair();
  const body = channel.body();
  await far.write(utf8("half\r\n"));
  await far.end();
  await assert.rejects(
    body.bytes(),
    (error) => error instanceof BrokenError && error.transcript !== undefined,
  );
  assert.equal(channel.closed, true);
});

async function* generated(): AsyncGenerator<string | Uint8Array> {
  yield "one\n.t";
  yield utf8("wo\r");
  yield "\nthree";
}
const sources: Readonly<Record<string, () => Source>> = {
  string: () => "one\n.two\r\nthree",
  bytes: () => utf8("one\n.two\r\nthree"),
  array: () => ["one\n.two\r", "\nthree"],
  generator: generated,
  Readable: () => Readable.from(generated()),
  ReadableStream: () => new Blob(["one\n.two\r\nthree"]).stream() as ReadableStream<Uint8Array>,
};
for (const [kind, make] of Object.entries(sources)) {
  test(`a body is sent from: ${kind}`, async () => {
    const trace = transcript();
    const { channel, far } = clientPair(7, { trace });
    const { writes } = watched(channel.stream.transport);
    const sending = channel.exclusive("it", () => channel.sendBody(make(), undefined, commandLine("QUIT")));
    const wire = "one\r\n..two\r\nthree\r\n.\r\nQUIT\r\n";
    assert.equal(await readText(far, wire.length), wire);
    assert.equal(await sending, 15);
    assert.equal(writes.length, 1);
    assert.equal(String(trace), "C: [15 bytes]\nC: QUIT\n");
  });
}

const failing: Readonly<Record<string, [() => Source, (error: unknown) => boolean]>> = {
  "a source that throws in the middle": [
    async function* () {
      yield "x".repeat(100_000);
      throw new Error("no more to read");
    },
    (error) => error instanceof Error && error.message === "no more to read",
  ],
  "a source of things that are no bytes": [
    () => ["x", 7] as never,
    (error) => error instanceof BrokenError && !error.usable && error.cause instanceof LocalProtocolError,
  ],
};
for (const [name, [make, isRight]] of Object.entries(failing)) {
  test(`${name} closes the connection: half a message is never taken for one`, async () => {
    for (const isAlone of [true, false]) {
      const { channel, far } = clientPair();
      const send = () => channel.sendBody(make(), undefined);
      const sending = isAlone ? channel.exclusive("it", send) : send();
      const [received] = await Promise.all([readToEnd(far), assert.rejects(sending, isRight)]);
      assert.doesNotMatch(Buffer.from(received).toString(), /\r\n\.\r\n$/);
      assert.equal(channel.closed, true);
    }
  });
}

test("a source that stalls ends with the deadline of the whole", async () => {
  const { channel } = clientPair();
  const controller = new AbortController();
  using deadline = new Deadline("sending a message", { signal: controller.signal });
  const stalled = async function* () {
    yield "x";
    controller.abort(new Error("no more wanted"));
    await new Promise(() => {});
  };
  await assert.rejects(
    channel.exclusive("it", () => channel.sendBody(stalled(), deadline)),
    /no more wanted/,
  );
  assert.equal(channel.closed, true);
});

test("closed is closed", async () => {
  const { channel } = clientPair();
  await channel.close();
  await channel.close();
  assert.equal(channel.closed, true);
  await assert.rejects(
    channel.exclusive("it", async () => {}),
    ClosedError,
  );
});

test("STARTTLS with bytes that came before it ends the connection", async () => {
  for (const isRead of [true, false]) {
    const { channel, far } = clientPair();
    await far.write(utf8(isRead ? "220 go\r\n250 injected\r\n" : "250 injected\r\n"));
    if (isRead) assert.equal(await channel.reply(), "220 go");
    else
      while (channel.stream.transport.bufferedBytes === 0)
        await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(
      channel.exclusive("it", () => channel.startTls({ serverName: "localhost" })),
      RemoteProtocolError,
    );
    assert.equal(channel.closed, true);
    await collect([far.close()]);
  }
});
