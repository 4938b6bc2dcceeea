/** Time, faults, handlers that fail, the end, and that nothing is passed on. */
import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { ClosedError, LocalProtocolError } from "../../src/core/errors.js";
import type { Fault } from "../../src/engine/faults.js";
import { MemoryMailStore } from "../../src/mail/memory-store.js";
import { SmtpError } from "../../src/smtp/errors.js";
import { SmtpServer } from "../../src/smtp/server.js";
import type { SmtpHandler } from "../../src/smtp/types-server.js";
import { nodeProvider } from "../../src/transport/node.js";
import { makeCertificates } from "../certificates.js";
import { accounts, Host, Talk, waitMs } from "./server-support.js";

const certificates = await makeCertificates();

test("a silent client is told so and cut off", async () => {
  await using host = new Host({ idleMs: 500 });
  await using talk = await host.memory().upTo("hello");
  assert.match(await talk.reply(), /^421 4\.4\.2 Idle/);
  await talk.ended();
  await Promise.all(host.served);
});

test("a silent client within a message, within AUTH and within TLS", async () => {
  for (const lines of [["MAIL FROM:<>", "RCPT TO:<a@b.test>", "DATA"], ["AUTH SCRAM-SHA-256"]]) {
    await using host = new Host({ idleMs: 500, accounts: accounts() });
    await using talk = await host.memory().upTo("hello");
    await talk.say(...lines);
    assert.match(await talk.reply(), /^421 4\.4\.2/);
    await talk.ended();
  }
  await using host = new Host({ idleMs: 500, tls: certificates });
  await using talk = await host.memory().upTo("hello");
  await talk.expect(["STARTTLS", "220"]);
  await Promise.all(host.served);
});

/** Sends a byte at a time until the server says something. */
async function dribble(talk: Talk, text: string): Promise<string> {
  let stopped = false;
  const reply = talk.reply().finally(() => {
    stopped = true;
  });
  for (let index = 0; !stopped; index += 1) {
    await talk.send(text[index % text.length] ?? "x").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return await reply;
}

test("slowloris: a command that never ends, commands that lead nowhere, and a message that never ends", async () => {
  await using slowLine = new Host({ idleMs: 500 });
  assert.match(await dribble(await slowLine.memory().upTo("hello"), "x"), /^421 4\.4\.2 Idle/);
  await using slowLogin = new Host({ preAuthMs: 500 });
  await using talk = await slowLogin.memory().upTo("hello");
  for (let reply = ""; !reply.startsWith("421"); reply = await dribble(talk, "NOOP\r\n"))
    assert.match(reply, /^$|^250/);
  await talk.ended();
  await using slowMessage = new Host({ messageMs: 500 });
  const message = await slowMessage.memory().upTo("rcpt");
  await message.expect(["DATA", "354"]);
  assert.match(await dribble(message, "x"), /^421 4\.4\.2 Too slow: the message/);
  assert.deepEqual(slowMessage.mail.messages, []);
});

test("whoever has handed in mail is not held to the time for logging in", async () => {
  await using host = new Host({ preAuthMs: 500 });
  await using talk = await host.memory().upTo("rcpt");
  await new Promise((resolve) => setTimeout(resolve, 800));
  await talk.expect(["NOOP", "250"]);
});

const faultCases: readonly (readonly [string, Fault, (talk: Talk, host: Host) => Promise<void>])[] = [
  [
    "a greeting of refusal",
    { on: "connect", reply: "554 5.3.2 go away" },
    async (talk) => assert.equal(await talk.reply(), "554 5.3.2 go away"),
  ],
  [
    "RCPT refused twice",
    { on: "RCPT", reply: "451 4.3.0 later", times: 2 },
    async (talk) => {
      await talk.upTo("mail");
      await talk.expect(
        ["RCPT TO:<a@b.test>", "451"],
        ["RCPT TO:<a@b.test>", "451"],
        ["RCPT TO:<a@b.test>", "250"],
      );
    },
  ],
  [
    "one sender refused, by a pattern, in several lines",
    { on: /^MAIL FROM:<slow@/i, reply: ["450-4.2.0 busy", "450 4.2.0 try later"] },
    async (talk) => {
      await talk.upTo("hello");
      await talk.expect(["MAIL FROM:<slow@b.test>", "450-4.2.0 busy|450"], ["MAIL FROM:<a@b.test>", "250"]);
    },
  ],
  [
    "a delay",
    { on: "NOOP", delayMs: 60 },
    async (talk) => {
      await talk.upTo("hello");
      const startedMs = performance.now();
      await talk.expect(["NOOP", "250"]);
      assert.ok(performance.now() - startedMs >= 55);
    },
  ],
  [
    "a reply in two pieces",
    { on: "EHLO", splitBytes: 5 },
    async (talk) => {
      await talk.upTo("hello");
    },
  ],
  [
    "a reply cut off in its middle",
    { on: "NOOP", splitBytes: 2, drop: true },
    async (talk) => {
      await talk.upTo("hello");
      await assert.rejects(talk.say("NOOP"));
    },
  ],
  [
    "the connection dropped at DATA",
    { on: "DATA", drop: true },
    async (talk) => {
      await talk.upTo("rcpt");
      await assert.rejects(talk.say("DATA"));
    },
  ],
  [
    "the connection dropped as the message begins",
    { on: "content", drop: true },
    async (talk, host) => {
      await talk.upTo("rcpt");
      await talk.expect(["DATA", "354"]);
      await assert.rejects(talk.say("x\r\n."));
      assert.equal(host.mail.messages.length, 0);
    },
  ],
  [
    "a message that is refused and not taken",
    { on: "content", reply: "452 4.3.1 full", times: 1 },
    async (talk, host) => {
      await talk.upTo("rcpt");
      await talk.expect(["DATA", "354"], ["QUIT\r\n.", "452 4.3.1 full"], ["MAIL FROM:<>", "250"]);
      assert.equal(host.mail.messages.length, 0);
    },
  ],
  [
    "a message that was taken, and its answer lost",
    { on: "message", drop: true },
    async (talk, host) => {
      await talk.upTo("rcpt");
      await talk.expect(["DATA", "354"]);
      await assert.rejects(talk.say("x\r\n."));
      assert.equal(host.mail.messages.length, 1);
    },
  ],
  [
    "a chunk refused: its bytes are no commands",
    { on: "BDAT", reply: "451 4.3.0 no", times: 1 },
    async (talk) => {
      await talk.upTo("rcpt");
      await talk.expect(["BDAT 6 LAST\r\nQUIT", "451"], ["NOOP", "250"]);
    },
  ],
  [
    "a TLS handshake that fails",
    { on: "STARTTLS", tlsFailure: true },
    async (talk) => {
      await talk.upTo("hello");
      await talk.expect(["STARTTLS", "220"]);
      await assert.rejects(talk.secure(certificates.ca));
    },
  ],
];

for (const [name, fault, check] of faultCases)
  test(`fault: ${name}`, async () => {
    await using host = new Host({ faults: [fault], tls: certificates });
    await using talk = host.memory();
    await check(talk, host);
    assert.deepEqual(host.errors, []);
  });

test("fault: by chance, and the same with the same seed", async () => {
  const runs = [];
  for (const faultSeed of [7, 7, 8]) {
    await using host = new Host({ faults: [{ on: "NOOP", reply: "451 no", chance: 0.5 }], faultSeed });
    await using talk = await host.memory().upTo("greeting");
    runs.push(
      (await talk.say(...Array.from({ length: 40 }, () => "NOOP"))).map((reply) => reply.slice(0, 3)).join(),
    );
  }
  assert.equal(runs[0], runs[1]);
  assert.notEqual(runs[0], runs[2]);
  assert.match(runs[0] ?? "", /250.*451|451.*250/);
});

test("what a handler throws: an SmtpError is said, anything else is 451 and its text stays here", async () => {
  const stages: readonly (keyof SmtpHandler & ("mail" | "rcpt" | "data" | "vrfy" | "expn" | "help"))[] = [
    ...(["mail", "rcpt", "data", "vrfy", "expn", "help"] as const),
  ];
  const lines = {
    mail: "MAIL FROM:<a@b.test>",
    rcpt: "RCPT TO:<b@c.test>",
    data: "DATA",
    vrfy: "VRFY x",
    expn: "EXPN x",
    help: "HELP",
  };
  const throws: readonly (readonly [unknown, string, boolean])[] = [
    [new SmtpError({ code: 550, enhancedCode: "5.7.9", lines: ["my words"] }), "550 5.7.9 my words", false],
    [new SmtpError({ code: 450, lines: ["my words"] }), "450 4.0.0 my words", false],
    [new Error("secret"), "451 4.3.0", true],
    ["secret", "451 4.3.0", true],
    [new SmtpError({ code: 550, lines: ["secret\r\n250 fine"] }), "451 4.3.0", true],
  ];
  for (const stage of stages)
    for (const later of [false, true])
      for (const [thrown, want, told] of throws) {
        const fail = (): never | Promise<never> => {
          if (later) return Promise.reject(thrown);
          throw thrown;
        };
        await using host = new Host({ handler: { data: () => {}, [stage]: fail } });
        await using talk = await host.memory().upTo("hello");
        for (const before of ["mail", "rcpt", "data"] as const) {
          if (before === stage || !["rcpt", "data"].includes(stage)) break;
          await talk.expect([lines[before], "250"]);
        }
        if (stage === "data") await talk.expect(["DATA", "354"], ["x\r\n.", want], ["NOOP", "250"]);
        else await talk.expect([lines[stage], want], ["NOOP", "250"]);
        assert.deepEqual(host.errors.length, told ? 1 : 0);
      }
});

test("what a handler answers cannot end a line: text with CR or LF is a failure of its own", async () => {
  await using host = new Host({ handler: { mail: () => "ok\r\n250 more" } });
  await using talk = await host.memory().upTo("hello");
  await talk.expect(["MAIL FROM:<a@b.test>", "451 4.3.0"], ["NOOP", "250"]);
  assert.ok(host.errors[0] instanceof LocalProtocolError);
});

test("a handler turns a client away, says 421, or refuses a name", async () => {
  const refuse = (code: number) => () => {
    throw new SmtpError({ code, lines: ["no"] });
  };
  await using atOnce = new Host({ handler: { connect: refuse(554) } });
  await using first = atOnce.memory();
  assert.equal(await first.reply(), "554 5.0.0 no");
  await first.ended();
  await using later = new Host({ handler: { mail: refuse(421) } });
  await using second = await later.memory().upTo("hello");
  await second.expect(["MAIL FROM:<>", "421"]);
  await second.ended();
  await using picky = new Host({ handler: { hello: refuse(550) } });
  await using third = await picky.memory().upTo("greeting");
  await third.expect(["EHLO x", "550"], ["MAIL FROM:<>", "503"]);
});

test("reset and close are told of, once each; the session's signal is given", async () => {
  const told: string[] = [];
  const signals: AbortSignal[] = [];
  const handler: SmtpHandler = {
    mail: (_, session) => void signals.push(session.signal),
    reset: () => void told.push("reset"),
    close: () => void told.push("close"),
  };
  await using host = new Host({ handler });
  const talk = await host.memory().upTo("mail");
  await talk.expect(
    ["RSET", "250"],
    ["RSET", "250"],
    ["MAIL FROM:<>", "250"],
    ["EHLO again", "250"],
    ["QUIT", "221"],
  );
  await talk.ended();
  await talk.transport.close();
  await Promise.all(host.served);
  assert.deepEqual(told, ["reset", "reset", "close"]);
  assert.ok(signals[0]?.aborted);
});

test("closing: waiting clients are told 421; one in the middle of a message may end it", async () => {
  let read = (): void => {};
  const reading = new Promise<void>((resolve) => {
    read = resolve;
  });
  const handler: SmtpHandler = {
    async data({ content }) {
      read();
      await content.bytes();
    },
  };
  const host = new Host({ handler });
  await using idle = await host.tcp();
  await idle.upTo("hello");
  await using busy = await host.memory().upTo("rcpt");
  await busy.expect(["DATA", "354"]);
  await reading;
  const closed = host.server.close({ graceMs: waitMs });
  assert.match(await idle.reply(), /^421 4\.3\.2/);
  await idle.ended();
  void closed;
  await host[Symbol.asyncDispose]();
  await closed;
});

test("closing in good order over TCP", async () => {
  await using server = await SmtpServer.listen({
    port: 0,
    handler: { data: async ({ content }) => void (await content.bytes()) },
  });
  await using talk = new Talk(await nodeProvider.connect(server.address, { timeoutMs: waitMs }));
  await talk.upTo("rcpt");
  await talk.expect(["DATA", "354"]);
  await talk.send("half");
  const closed = server.close({ graceMs: waitMs });
  await talk.expect(["\r\n.", "250"]);
  assert.match(await talk.reply(), /^421 4\.3\.2/);
  await talk.ended();
  await talk.transport.close();
  await closed;
  await assert.rejects(server.listen({ port: 0 }), ClosedError);
});

test("no code path opens a connection", async () => {
  const connect = Socket.prototype.connect;
  const connected: unknown[] = [];
  await using host = new Host({ domains: ["server.test"] });
  await using talk = await host.tcp();
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    connected.push(args);
    return Reflect.apply(connect, this, args) as Socket;
  } as typeof connect;
  try {
    await talk.upTo("mail");
    await talk.expect(
      ["RCPT TO:<a@elsewhere.test>", "550 5.7.1"],
      ["RCPT TO:<@elsewhere.test:a@server.test>", "550"],
    );
    await talk.expect(
      ["RCPT TO:<a@server.test>", "250"],
      ["DATA", "354"],
      ["x\r\n.", "250"],
      ["VRFY a@elsewhere.test", "252"],
    );
    await talk.expect(["QUIT", "221"]);
  } finally {
    Socket.prototype.connect = connect;
  }
  assert.deepEqual(connected, []);
});

test("a store: byte for byte, with what SMTP said beside it; unknown users and full mailboxes are refused", async () => {
  const store = MemoryMailStore.of({ "alice@server.test": [], "bob@server.test": [] });
  await store.setQuota("bob@server.test", { messages: 0 });
  await using host = new Host({ store, lmtp: true });
  await using talk = await host.memory().upTo("mail", "LHLO client.test");
  await talk.expect(["RCPT TO:<nobody@server.test>", "550 5.1.1"], ["RCPT TO:<alice@server.test>", "250"]);
  await talk.expect(
    ["RCPT TO:<bob@server.test>", "250"],
    ["DATA", "354"],
    ["Subject: x\r\n\r\n\n..\0\r\n.", "250"],
  );
  assert.match(await talk.reply(), /^452 4\.2\.2/);
  const { text, info } = await store.inbox("alice@server.test").next({ timeoutMs: waitMs });
  assert.equal(text, "Subject: x\r\n\r\n\n..\0\r\n");
  assert.equal(info.envelope?.mailFrom, "a@client.test");
  assert.equal(info.envelope?.protocol, "LMTP");
  assert.equal(info.envelope?.helo, "client.test");
  assert.deepEqual(host.errors, []);
});

test("a store's own limit is the server's, and a message above it leaves nothing behind", async () => {
  const store = MemoryMailStore.of({ "alice@server.test": [] }, { limits: { maxMessageOctets: 100 } });
  await using host = new Host({ store });
  await using talk = await host.memory().upTo("hello");
  await talk.expect(
    ["MAIL FROM:<> SIZE=101", "552"],
    ["MAIL FROM:<>", "250"],
    ["RCPT TO:<alice@server.test>", "250"],
  );
  await talk.expect(["DATA", "354"], [`${"x".repeat(200)}\r\n.`, "552 5.3.4"]);
  const mailbox = await store.mailbox("alice@server.test", "INBOX");
  assert.equal((await store.list(mailbox?.mailboxId ?? "")).length, 0);
  assert.deepEqual(host.errors, []);
});
