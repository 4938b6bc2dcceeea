/** Every command in every state, what is offered, and how commands are held to the rules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accounts, fragments, Host } from "./server-support.js";

const stages = ["greeting", "hello", "mail", "rcpt"] as const;

/** What each command gets: before EHLO, after it, after MAIL, after RCPT (RFC 5321 section 4.1.4). */
const table: readonly (readonly [string, string, string, string, string])[] = [
  ["EHLO again.test", "250", "250", "250", "250"],
  ["HELO again.test", "250", "250", "250", "250"],
  ["LHLO again.test", "500 5.5.1", "500 5.5.1", "500 5.5.1", "500 5.5.1"],
  ["MAIL FROM:<x@y.test>", "503 5.5.1", "250 2.1.0", "503 5.5.1", "503 5.5.1"],
  ["RCPT TO:<x@y.test>", "503 5.5.1", "503 5.5.1", "250 2.1.5", "250 2.1.5"],
  ["DATA", "503 5.5.1", "503 5.5.1", "503 5.5.1", "354"],
  ["BDAT 0 LAST", "503 5.5.1", "503 5.5.1", "503 5.5.1", "250 2.0.0"],
  ["RSET", "250 2.0.0", "250 2.0.0", "250 2.0.0", "250 2.0.0"],
  ["VRFY alice", "252 2.5.2", "252 2.5.2", "252 2.5.2", "252 2.5.2"],
  ["EXPN list", "502 5.5.1", "502 5.5.1", "502 5.5.1", "502 5.5.1"],
  ["HELP", "214 2.0.0", "214 2.0.0", "214 2.0.0", "214 2.0.0"],
  ["NOOP", "250 2.0.0", "250 2.0.0", "250 2.0.0", "250 2.0.0"],
  ["NOOP with words", "250 2.0.0", "250 2.0.0", "250 2.0.0", "250 2.0.0"],
  ["QUIT", "221 2.0.0", "221 2.0.0", "221 2.0.0", "221 2.0.0"],
  ["STARTTLS", "502 5.5.1", "502 5.5.1", "502 5.5.1", "502 5.5.1"],
  ["AUTH PLAIN", "503 5.5.1", "538 5.7.11", "503 5.5.1", "503 5.5.1"],
  ["XCLIENT ADDR=192.0.2.1", "550 5.7.0", "550 5.7.0", "550 5.7.0", "550 5.7.0"],
  ["TURN", "502 5.5.1", "502 5.5.1", "502 5.5.1", "502 5.5.1"],
  ["FROB", "500 5.5.1", "500 5.5.1", "500 5.5.1", "500 5.5.1"],
  ["", "500 5.5.2", "500 5.5.2", "500 5.5.2", "500 5.5.2"],
  ["DATA now", "501 5.5.4", "501 5.5.4", "501 5.5.4", "501 5.5.4"],
  ["RSET now", "501 5.5.4", "501 5.5.4", "501 5.5.4", "501 5.5.4"],
  ["QUIT now", "501 5.5.4", "501 5.5.4", "501 5.5.4", "501 5.5.4"],
  ["STARTTLS now", "501 5.5.4", "501 5.5.4", "501 5.5.4", "501 5.5.4"],
];

for (const [line, ...wants] of table) {
  test(`${line === "" ? "(empty line)" : line} in every state`, async () => {
    for (const [index, stage] of stages.entries()) {
      await using host = new Host({ accounts: accounts() });
      await using talk = await host.memory().upTo(stage);
      await talk.expect([line, wants[index] ?? ""]);
      if (line === "QUIT") await talk.ended();
    }
  });
}

/** Arguments, after EHLO and where RCPT needs it after MAIL. */
const mailArguments: readonly (readonly [string, string])[] = [
  ["MAIL FROM:<>", "250"],
  ["MAIL FROM: <a@b.test>", "250"], // seen: many clients put a space there
  ["mail from:<a@b.test>", "250"],
  ["MAIL FROM:<a@b.test> SIZE=1000 BODY=8BITMIME", "250"],
  ["MAIL FROM:<a@b.test> BODY=BINARYMIME", "250"],
  ["MAIL FROM:<a@b.test> RET=HDRS ENVID=x+2By", "250"],
  ["MAIL FROM:<ä@b.test> SMTPUTF8", "250"],
  ["MAIL FROM:<ä@b.test>", "550 5.6.7"],
  ["MAIL FROM:a@b.test", "501 5.5.4"],
  ["MAIL TO:<a@b.test>", "501 5.5.4"],
  ["MAIL FROM:<a b@c.test>", "501 5.5.4"],
  ["MAIL FROM:<a@b.test> SIZE=x", "501 5.5.4"],
  ["MAIL FROM:<a@b.test> SIZE=1 SIZE=2", "501 5.5.4"],
  ["MAIL FROM:<a@b.test> FROB=1", "555 5.5.4"],
  ["MAIL FROM:<a@b.test> HOLDFOR=10", "555 5.5.4"],
  ["MAIL FROM:<a@b.test> REQUIRETLS", "555 5.5.4"],
  ["MAIL FROM:<a@b.test> SIZE=99999999999", "552 5.3.4"],
];
const rcptArguments: readonly (readonly [string, string])[] = [
  ["RCPT TO:<b@server.test>", "250"],
  ["RCPT TO:<postmaster>", "250"],
  ["RCPT TO:<b@server.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@server.test", "250"],
  ["RCPT TO:<b@server.test> NOTIFY=NEVER,DELAY", "501 5.5.4"],
  ["RCPT TO:<b@server.test> SIZE=1", "555 5.5.4"],
  ["RCPT TO:<>", "501 5.5.4"],
  ["RCPT TO:<ä@server.test>", "553 5.6.7"],
  ["RCPT TO:<b@elsewhere.test>", "550 5.7.1"],
  ["RCPT TO:<@server.test:b@elsewhere.test>", "550 5.7.1"],
  ["RCPT TO:<@other.test:b@server.test>", "550 5.7.1"],
  ["RCPT TO:<b%elsewhere.test@server.test>", "550 5.7.1"],
  ["RCPT TO:<elsewhere.test!b@server.test>", "550 5.7.1"],
  ['RCPT TO:<"b@elsewhere.test"@server.test>', "550 5.7.1"],
  ["RCPT TO:<b@SERVER.test>", "250"],
];

for (const [cases, stage] of [
  [mailArguments, "hello"],
  [rcptArguments, "mail"],
] as const)
  for (const [line, want] of cases)
    test(`${line} -> ${want}`, async () => {
      await using host = new Host({ domains: ["server.test"] });
      await using talk = await host.memory().upTo(stage);
      await talk.expect([line, want]);
    });

test("after HELO no extension is on: RFC 5321 section 4.1.1.11", async () => {
  await using host = new Host();
  await using talk = await host.memory().upTo("hello", "HELO client.test");
  await talk.expect(["MAIL FROM:<a@b.test> SIZE=1", "555"], ["MAIL FROM:<a@b.test>", "250"]);
  await talk.expect(["RCPT TO:<b@server.test>", "250"], ["DATA", "354"], ["x\r\n.", "250"]);
  assert.equal((await host.mail.next()).protocol, "SMTP");
});

test("a conversation at every fragment size, with pipelining and a refused recipient (RFC 2920)", async () => {
  for (const bytes of fragments) {
    await using host = new Host({ domains: ["server.test"] });
    await using talk = await host.memory(bytes).upTo("hello");
    const replies = await talk.say(
      "MAIL FROM:<a@client.test> SIZE=10",
      "RCPT TO:<b@server.test>",
      "RCPT TO:<c@elsewhere.test>",
      "RCPT TO:<d@server.test>",
      "DATA",
    );
    assert.deepEqual(
      replies.map((reply) => reply.slice(0, 3)),
      ["250", "250", "550", "250", "354"],
    );
    // The next envelope rides behind the body.
    await talk.send(
      "Subject: x\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<e@elsewhere.test>\r\nDATA\r\nQUIT\r\n",
    );
    const more = [];
    for (let index = 0; index < 5; index += 1) more.push((await talk.reply()).slice(0, 9));
    assert.deepEqual(more, ["250 2.0.0", "250 2.1.0", "550 5.7.1", "554 5.5.1", "221 2.0.0"]);
    const { envelope, text } = await host.mail.next();
    assert.equal(text, "Subject: x\r\n\r\n.dot\r\n");
    assert.deepEqual(
      envelope.to.map(({ address }) => address),
      ["b@server.test", "d@server.test"],
    );
    await talk.ended();
  }
});

test("replies to a batch leave in one write", async () => {
  await using host = new Host();
  await using talk = await host.memory().upTo("hello");
  let writes = 0;
  const { read } = talk.transport;
  talk.transport.read = async () => {
    writes += 1;
    return await read.call(talk.transport);
  };
  await talk.say(
    "MAIL FROM:<a@b.test>",
    ...Array.from({ length: 50 }, () => "RCPT TO:<b@server.test>"),
    "NOOP",
  );
  assert.equal(writes, 1);
});

test("what is offered", async () => {
  await using host = new Host({
    name: "mx.test",
    maxMessageBytes: 1000,
    maxMessages: 9,
    accounts: accounts(),
  });
  await using talk = host.memory();
  assert.equal(await talk.reply(), "220 mx.test ESMTP ready");
  assert.deepEqual((await talk.say("EHLO client.test"))[0]?.split("|"), [
    ...["250-mx.test", "250-PIPELINING", "250-SIZE 1000", "250-8BITMIME", "250-SMTPUTF8", "250-CHUNKING"],
    ...["250-BINARYMIME", "250-DSN", "250-ENHANCEDSTATUSCODES"],
    ...["250-AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5", "250 LIMITS MAILMAX=9 RCPTMAX=1000"],
  ]);
});

test("a handler's methods and honours are offered, and nothing else", async () => {
  const honours = {
    futureRelease: { maxIntervalSeconds: 3600, maxDateTime: "2100-01-01T00:00:00Z" },
    deliverBySeconds: 60,
    mtPriority: "MIXER",
  };
  await using host = new Host({
    handler: { honours, expn: (list) => `members of ${list}`, vrfy: () => "250 is it", help: () => "none" },
    hide: ["chunking", "SIZE"],
  });
  await using talk = await host.memory().upTo("greeting");
  const offered = (await talk.say("EHLO client.test"))[0]?.split("|").map((line) => line.slice(4));
  for (const keyword of [
    "FUTURERELEASE 3600 2100-01-01T00:00:00Z",
    "DELIVERBY 60",
    "MT-PRIORITY MIXER",
    "EXPN",
  ])
    assert.ok(offered?.includes(keyword), keyword);
  for (const keyword of ["CHUNKING", "BINARYMIME", "SIZE"])
    assert.ok(!offered?.some((line) => line.startsWith(keyword)));
  await talk.expect(
    ["EXPN all", "250 2.0.0 members of all"],
    ["VRFY x", "250 2.0.0 250 is it"],
    ["HELP", "214 2.0.0 none"],
  );
  await talk.expect(
    ["MAIL FROM:<a@b.test> SIZE=10", "555"],
    ["MAIL FROM:<a@b.test> HOLDFOR=3601", "501"],
    ["MAIL FROM:<a@b.test> HOLDUNTIL=2100-01-02T00:00:00Z", "501"],
    ["MAIL FROM:<a@b.test> BY=59;R", "501"],
    ["MAIL FROM:<a@b.test> HOLDFOR=3600 BY=60;R MT-PRIORITY=-3", "250"],
    ["RCPT TO:<b@c.test>", "250"],
    ["BDAT 4\r\nab", "502"],
    ["DATA", "503"],
  );
});

test("envelope parameters reach the handler", async () => {
  await using host = new Host();
  await using talk = await host.memory().upTo("hello");
  await talk.expect(
    ["MAIL FROM:<ä@b.test> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=eve@c.test", "555"],
    ["MAIL FROM:<ä@b.test> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb", "250"],
    ["RCPT TO:<ö@b.test> NOTIFY=FAILURE ORCPT=utf-8;x", "250"],
    ["DATA", "354"],
    [".", "250"],
  );
  const { envelope, protocol } = await host.mail.next();
  assert.deepEqual(envelope, {
    ...{
      from: "ä@b.test",
      sizeOctets: 9,
      body: "8bitmime",
      smtpUtf8: true,
      returnContent: "full",
      envelopeId: "a+b",
    },
    to: [{ address: "ö@b.test", notify: ["failure"], originalRecipient: "utf-8;x" }],
  });
  assert.equal(protocol, "UTF8SMTP");
});

test("a command line may be as long as allowed, and one byte more is refused; the session goes on", async () => {
  for (const bytes of fragments) {
    await using host = new Host({ maxCommandLineBytes: 600 });
    await using talk = await host.memory(bytes).upTo("greeting");
    await talk.expect(
      [`NOOP ${"x".repeat(593)}`, "250"],
      [`NOOP ${"x".repeat(594)}`, "500 5.5.2 Line too long"],
      [`NOOP ${"x".repeat(bytes === 1 ? 13_000 : 100_000)}\rRSET\nQUIT`, "500 5.5.2 Line too long"],
      ["NOOP", "250"],
    );
  }
});

test("a command line without end is an attack: the connection ends", async () => {
  await using host = new Host();
  await using talk = await host.memory().upTo("greeting");
  await talk.send("x".repeat(1_200_000));
  assert.match(await talk.reply(), /^500 5.5.2/);
  await talk.ended();
});

test("a bare CR, a bare LF, a NUL and what is no UTF-8 make a command that is none, and not two", async () => {
  for (const bytes of fragments)
    for (const line of ["NOOP\nQUIT", "NOOP\rQUIT", "NOOP\r\rQUIT", "NOOP\0", "NOOP\n", "NOOP\r"]) {
      await using host = new Host();
      await using talk = await host.memory(bytes).upTo("greeting");
      await talk.expect([line, "500 5.5.2"], ["NOOP", "250 2.0.0"]);
    }
  await using host = new Host();
  await using talk = await host.memory().upTo("greeting");
  await talk.send(Uint8Array.of(0x4e, 0xff, 0x0d, 0x0a));
  assert.match(await talk.reply(), /^500 5.5.2/);
});

test("too many wrong commands end the connection; a message that is taken forgives them", async () => {
  await using host = new Host({ maxBadCommands: 3 });
  await using talk = await host.memory().upTo("rcpt");
  await talk.expect(["FROB", "500"], ["FROB", "500"], ["FROB", "500"], ["DATA", "354"], [".", "250"]);
  await talk.expect(["FROB", "500"], ["FROB", "500"], ["FROB", "500"], ["FROB", "421 4.7.0"]);
  await talk.ended();
});

test("recipients, their domains and messages are limited", async () => {
  await using host = new Host({ maxRecipients: 100, maxRecipientDomains: 2, maxMessages: 1 });
  await using talk = await host.memory().upTo("mail");
  const replies = await talk.say(
    ...Array.from({ length: 101 }, (_, index) => `RCPT TO:<u${index}@server.test>`),
  );
  assert.deepEqual([...new Set(replies.slice(0, 100))], ["250 2.1.5 Recipient ok"]);
  assert.match(replies[100] ?? "", /^452 4\.5\.3/);
  await talk.expect(["RSET", "250"], ["MAIL FROM:<>", "250"], ["RCPT TO:<a@x.test>", "250"]);
  await talk.expect(
    ["RCPT TO:<a@y.test>", "250"],
    ["RCPT TO:<a@z.test>", "452 4.5.3"],
    ["RCPT TO:<b@X.test>", "250"],
  );
  await talk.expect(["DATA", "354"], [".", "250"], ["MAIL FROM:<>", "452 4.5.3"]);
});

test("VRFY can be refused", async () => {
  await using host = new Host({ vrfy: "no" });
  await using talk = await host.memory().upTo("greeting");
  await talk.expect(["VRFY alice", "502"], ["VRFY", "501"]);
});
