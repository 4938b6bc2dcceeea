/** Messages: where they end, how large they may be, chunks, and LMTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SmtpError } from "../../src/smtp/errors.js";
import type { SmtpHandler } from "../../src/smtp/types-server.js";
import { fragments, Host } from "./server-support.js";

/** Line ends that others have taken for the end of a message (CVE-2023-51764 to -51766, CVE-2024-27305). */
const smuggling: readonly string[] = [
  ...["\n.\n", "\r.\r", "\r.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r"],
  ...["\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n"],
];

for (const end of smuggling)
  test(`${JSON.stringify(end)} ends no message`, async () => {
    const hidden = `${end}MAIL FROM:<evil@x.test>\r\nRCPT TO:<b@server.test>\r\nDATA\r\nevil`;
    for (const bytes of fragments) {
      await using host = new Host();
      await using talk = await host.memory(bytes).upTo("rcpt");
      await talk.expect(["DATA", "354"], [`first${hidden}\r\n.`, "250 2.0.0"], ["NOOP", "250"]);
      assert.equal(host.mail.messages.length, 1);
      // A dot that begins a line after a true CR LF is the added one.
      assert.equal(
        host.mail.messages[0]?.text,
        `first${hidden.replace(/^\r\n\./, "\r\n").replace(/^\r\r\n\./, "\r\r\n")}\r\n`,
      );
    }
  });

test("CR LF . CR LF ends a message, so the control has two", async () => {
  for (const bytes of fragments) {
    await using host = new Host();
    await using talk = await host.memory(bytes).upTo("rcpt");
    await talk.expect(["DATA", "354"]);
    const replies = await talk.say(
      "first\r\n.",
      ...["MAIL FROM:<evil@x.test>", "RCPT TO:<b@server.test>", "DATA", "evil\r\n."],
    );
    assert.deepEqual(
      replies.map((reply) => reply.slice(0, 3)),
      ["250", "250", "250", "354", "250"],
    );
    assert.deepEqual(
      host.mail.messages.map(({ text }) => text),
      ["first\r\n", "evil\r\n"],
    );
  }
});

test("bare line ends are refused where the server is told so", async () => {
  for (const bytes of fragments)
    for (const [text, want] of [
      ["a\r\nb\r\n", "250"],
      ["a\nb\r\n", "554 5.6.0"],
      ["a\rb\r\n", "554 5.6.0"],
      ["a\r\r\n", "554 5.6.0"],
      ["\n\r\n", "554 5.6.0"],
    ] as const) {
      await using host = new Host({ bareLineEnds: "refuse" });
      await using talk = await host.memory(bytes).upTo("rcpt");
      await talk.expect(["DATA", "354"], [`${text}.`, want], ["NOOP", "250"]);
      assert.equal(host.mail.messages.length, want === "250" ? 1 : 0);
    }
});

test("text lines are limited where the server is told so, and within a byte", async () => {
  for (const bytes of fragments)
    for (const [chars, want] of [
      [998, "250"],
      [999, "500 5.6.0"],
    ] as const) {
      await using host = new Host({ maxTextLineBytes: 1000 });
      await using talk = await host.memory(bytes).upTo("rcpt");
      await talk.expect(["DATA", "354"], [`ok\r\n${"x".repeat(chars)}\r\nok\r\n.`, want]);
    }
});

test("the size limit holds while data arrive, to the byte, and the connection stays", async () => {
  for (const bytes of fragments)
    for (const [size, want] of [
      [999, "250 2.0.0"],
      [1000, "250 2.0.0"],
      [1001, "552 5.3.4"],
      [5000, "552 5.3.4"],
    ] as const) {
      await using host = new Host({ maxMessageBytes: 1000 });
      await using talk = await host.memory(bytes).upTo("rcpt");
      await talk.expect(["DATA", "354"], [`${"x".repeat(size - 2)}\r\n.`, want]);
      await talk.expect(["MAIL FROM:<> SIZE=1001", "552 5.3.4"], ["MAIL FROM:<> SIZE=1000", "250"]);
      await talk.expect(["RCPT TO:<b@server.test>", "250"]);
      await talk.send(`BDAT ${size} LAST\r\n${"x".repeat(size)}`);
      assert.ok((await talk.reply()).startsWith(want));
      assert.equal(host.mail.messages.length, want.startsWith("250") ? 2 : 0);
      assert.deepEqual(host.errors, []);
    }
});

test("a message above the limit is never held: the handler's stream ends with a LimitError", async () => {
  let seenBytes = 0;
  const failures: unknown[] = [];
  const handler: SmtpHandler = {
    async data({ content }) {
      try {
        for await (const piece of content) seenBytes += piece.length;
      } catch (error) {
        failures.push(error);
        throw error;
      }
    },
  };
  await using host = new Host({ handler, maxMessageBytes: 100_000 });
  await using talk = await host.memory().upTo("rcpt");
  await talk.expect(["DATA", "354"]);
  for (let index = 0; index < 100; index += 1) await talk.send("x".repeat(100_000));
  await talk.expect(["\r\n.", "552 5.3.4"], ["NOOP", "250"]);
  assert.ok(seenBytes <= 100_000, `${seenBytes}`);
  assert.equal((failures[0] as { code: string }).code, "HAWSER_LIMIT");
});

test("a handler that reads nothing, or stops early, or refuses early: the rest is drained", async () => {
  const handlers: readonly (readonly [SmtpHandler["data"], string])[] = [
    [() => "not read", "250 2.0.0 not read"],
    [
      async ({ content }) => {
        for await (const _ of content) break;
        return "stopped";
      },
      "250 2.0.0 stopped",
    ],
    [
      () => {
        throw new SmtpError({ code: 554, lines: ["spam"] });
      },
      "554 5.0.0 spam",
    ],
  ];
  for (const bytes of fragments)
    for (const [data, want] of handlers) {
      await using host = new Host({ handler: { data } as SmtpHandler });
      await using talk = await host.memory(bytes).upTo("rcpt");
      await talk.expect(["DATA", "354"], [`${"line\r\n".repeat(5000)}.`, want], ["NOOP", "250"]);
    }
});

test("a slow handler holds the client back, and is not taken for an idle client", async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let seenBytes = 0;
  await using host = new Host({
    idleMs: 400,
    messageMs: 400,
    handler: {
      async data({ content }) {
        await held;
        for await (const piece of content) seenBytes += piece.length;
      },
    },
  });
  await using talk = await host.memory().upTo("rcpt");
  await talk.expect(["DATA", "354"]);
  await talk.send(`${"line\r\n".repeat(100)}.\r\n`);
  setTimeout(release, 1000);
  assert.match(await talk.reply(), /^250/);
  assert.equal(seenBytes, 600);
});

test("BDAT (RFC 3030): chunks of any size, with anything in them", async () => {
  for (const bytes of fragments) {
    await using host = new Host();
    await using talk = await host.memory(bytes).upTo("hello");
    await talk.expect(["MAIL FROM:<a@b.test> BODY=BINARYMIME", "250"], ["RCPT TO:<b@server.test>", "250"]);
    await talk.send("BDAT 12\r\nfirst\r\n.\r\nQUBDAT 0\r\nBDAT 6\r\nIT\r\n\0\nNOOP\r\nBDAT 0 LAST\r\n");
    const replies = [];
    for (let index = 0; index < 5; index += 1) replies.push(await talk.reply());
    assert.deepEqual(replies, [
      ...["250 2.0.0 12 octets received", "250 2.0.0 0 octets received", "250 2.0.0 6 octets received"],
      ...["250 2.0.0 Ok", "250 2.0.0 Message accepted"],
    ]);
    assert.equal(host.mail.messages[0]?.text, "first\r\n.\r\nQUIT\r\n\0\n");
    assert.equal(host.mail.messages[0]?.envelope.body, "binarymime");
  }
});

test("BDAT and the other commands do not mix", async () => {
  await using host = new Host();
  await using talk = await host.memory().upTo("rcpt");
  await talk.expect(
    ["BDAT 4\r\nab", "250"], // its CR LF is of the chunk
    ["DATA", "503"],
    ["RCPT TO:<c@server.test>", "503"],
    ["MAIL FROM:<>", "503"],
    ["RSET", "250"],
    ["BDAT 4 LAST\r\nab", "503"],
    ["MAIL FROM:<> BODY=BINARYMIME", "250"],
    ["RCPT TO:<c@server.test>", "250"],
    ["DATA", "503"],
    ["BDAT 4 LAST\r\nab", "250"],
    ["BDAT 4\r\nab", "503"],
    ["BDAT x", "501"],
  );
  await talk.ended();
  assert.deepEqual(
    host.mail.messages.map(({ text }) => text),
    ["ab\r\n"],
  );
  assert.deepEqual(host.errors, []);
});

test("a message that is refused in its middle: the chunks that follow are read and refused", async () => {
  for (const bytes of fragments) {
    await using host = new Host({ maxMessageBytes: 10 });
    await using talk = await host.memory(bytes).upTo("rcpt");
    await talk.send("BDAT 6\r\n123456BDAT 6\r\n123456BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\nNOOP\r\n");
    const replies = [];
    for (let index = 0; index < 5; index += 1) replies.push((await talk.reply()).slice(0, 3));
    assert.deepEqual(replies, ["250", "552", "503", "503", "250"]);
  }
});

test("a client that goes away within a message: the handler's stream breaks, and nobody is told of an error", async () => {
  for (const begin of ["DATA\r\nhalf", "BDAT 100\r\nhalf", "BDAT 4\r\nhalf"]) {
    const codes: unknown[] = [];
    let closed = 0;
    let onBegun = (): void => {};
    const begun = new Promise<void>((resolve) => {
      onBegun = resolve;
    });
    const handler: SmtpHandler = {
      async data({ content }) {
        onBegun();
        await content.bytes().catch((error: { code: unknown }) => {
          codes.push(error.code);
          throw error;
        });
      },
      close: () => {
        closed += 1;
      },
    };
    await using host = new Host({ handler });
    await using talk = await host.memory().upTo("rcpt");
    await talk.send(begin);
    await begun;
    await talk.transport.close();
    await Promise.all(host.served);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(codes, ["HAWSER_BROKEN"], begin);
    assert.equal(closed, 1);
    assert.deepEqual(host.errors, []);
  }
});

test("a client that has ended its half gets all its answers", async () => {
  await using host = new Host();
  await using talk = host.memory();
  await talk.send("HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@server.test>\r\nDATA\r\nx\r\n.\r\n");
  await talk.transport.end();
  for (const want of ["220", "250", "250", "250", "354", "250"])
    assert.equal((await talk.reply()).slice(0, 3), want);
  await talk.ended();
});

test("LMTP (RFC 2033): LHLO alone, and an answer for each recipient", async () => {
  const handler: SmtpHandler = {
    rcpt({ address }) {
      if (address.startsWith("no")) throw new SmtpError({ code: 550, enhancedCode: "5.1.1", lines: ["no"] });
    },
    async data({ envelope, content }) {
      await content.bytes();
      return envelope.to.map(({ address }) =>
        address.startsWith("full")
          ? new SmtpError({ code: 452, enhancedCode: "4.2.2", lines: ["full"] })
          : `<${address}> ok`,
      );
    },
  };
  for (const bytes of fragments)
    for (const lines of [["DATA", "x\r\n."], ["BDAT 3 LAST\r\nx"]]) {
      await using host = new Host({ handler, lmtp: true });
      await using talk = host.memory(bytes);
      assert.match(await talk.reply(), /^220 localhost LMTP/);
      await talk.expect(["EHLO x", "500"], ["HELO x", "500"], ["LHLO x", "250"], ["MAIL FROM:<>", "250"]);
      await talk.expect(["DATA", "503"], ["RCPT TO:<no@x.test>", "550"], ["DATA", "554"]);
      await talk.expect(
        ["RCPT TO:<a@x.test>", "250"],
        ["RCPT TO:<full@x.test>", "250"],
        ["RCPT TO:<b@x.test>", "250"],
      );
      if (lines[0] === "DATA") await talk.expect(["DATA", "354"]);
      await talk.send(lines[0] === "DATA" ? "x\r\n.\r\n" : "BDAT 3 LAST\r\nx\r\n");
      assert.deepEqual(
        [await talk.reply(), await talk.reply(), await talk.reply()],
        ["250 2.0.0 <a@x.test> ok", "452 4.2.2 full", "250 2.0.0 <b@x.test> ok"],
      );
      await talk.expect(["NOOP", "250"]);
    }
});

test("a server of SMTP says the first refusal for all", async () => {
  await using host = new Host({
    handler: { data: () => ["fine", new SmtpError({ code: 452, enhancedCode: "4.2.2", lines: ["full"] })] },
  });
  await using talk = await host.memory().upTo("rcpt");
  await talk.expect(["RCPT TO:<c@server.test>", "250"], ["DATA", "354"], [".", "452 4.2.2 full"]);
});

test("trace headers only on request (RFC 5321 section 4.4)", async () => {
  await using host = new Host({ name: "mx.test", addTraceHeaders: true });
  await using talk = await host.memory().upTo("rcpt");
  await talk.expect(["DATA", "354"], ["Subject: x\r\n\r\nx\r\n.", "250"]);
  const { text } = await host.mail.next();
  assert.match(
    text,
    /^Return-Path: <a@client\.test>\r\nReceived: from client\.test \(\[127\.0\.0\.1\]\)\r\n\tby mx\.test with ESMTP;\r\n\t\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\nSubject: x\r\n\r\nx\r\n$/,
  );
});
