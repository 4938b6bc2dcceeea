/** The SMTP client against servers that follow a script. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenError,
  LimitError,
  LocalProtocolError,
  RemoteProtocolError,
  UnsupportedError,
} from "../../src/index.js";
import { SmtpClient, type SmtpClientOptions } from "../../src/smtp/client.js";
import { SmtpError } from "../../src/smtp/errors.js";
import { memoryPair, playServer } from "../../src/testing/index.js";
import type { Transport } from "../../src/transport/types.js";

const name = "client.test";
const hello = (...keywords: readonly string[]): string => {
  const lines = ["mx.test", ...keywords];
  const replies = lines.map((line, index) => `S: 250${index < lines.length - 1 ? "-" : " "}${line}`);
  return ["S: 220 mx.test ready", `C: EHLO ${name}`, ...replies, ""].join("\n");
};
const modern = hello("PIPELINING", "8BITMIME", "SIZE 1000", "DSN", "CHUNKING", "ENHANCEDSTATUSCODES");
const bye = "C: QUIT\nS: 221 2.0.0 bye\n";
const envelope = { from: "a@x.test", to: "b@y.test" };

/** Plays the server of a transcript at three sizes of fragments. */
async function converse(
  transcript: string,
  script: (client: SmtpClient) => Promise<void>,
  options: SmtpClientOptions = {},
): Promise<void> {
  for (const fragmentBytes of [1, 7, 65_536]) {
    const [near, far] = memoryPair({ fragmentBytes });
    const run = async (): Promise<void> => {
      const client = await SmtpClient.over(near, { name, ...options });
      try {
        await script(client);
      } finally {
        await client.close();
      }
    };
    await Promise.all([playServer(transcript, far), run()]);
  }
}

test("RFC 5321 appendix D.1: a typical transaction, in lockstep without PIPELINING", () =>
  converse(
    `${hello()}
C: MAIL FROM:<Smith@bar.com>
S: 250 OK
C: RCPT TO:<Jones@foo.com>
S: 250 OK
C: RCPT TO:<Green@foo.com>
S: 550 No such user here
C: RCPT TO:<Brown@foo.com>
S: 250 OK
C: DATA
S: 354 Start mail input; end with <CRLF>.<CRLF>
C: Blah blah blah...
C: ...etc. etc. etc.
C: .
S: 250 OK
${bye}`.replace("C: ...etc", "C: ....etc"),
    async (client) => {
      const to = ["Jones@foo.com", "Green@foo.com", "Brown@foo.com"];
      const result = await client.send({ from: "Smith@bar.com", to }, "Blah blah blah...\n...etc. etc. etc.");
      assert.deepEqual(result.accepted, ["Jones@foo.com", "Brown@foo.com"]);
      assert.deepEqual(result.rejected, [
        { address: "Green@foo.com", reply: { code: 550, lines: ["No such user here"] } },
      ]);
      await client.quit();
    },
  ));

const group = "C: MAIL FROM:<a@x.test> SIZE=3\nC: RCPT TO:<b@y.test>\nC: DATA\n";
const taken = "S: 250 2.1.0 ok\nS: 250 2.1.5 ok\nS: 354 go\n";

test("RFC 2920: the envelope is one write, and the next one rides behind the body", async () => {
  const [near, far] = memoryPair();
  const writes: string[] = [];
  const watched = Object.create(near, {
    write: {
      value: (data: Uint8Array) => {
        writes.push(Buffer.from(data).toString());
        return near.write(data);
      },
    },
    read: { value: () => near.read() },
    close: { value: () => near.close() },
    tls: { value: undefined },
    local: { value: undefined },
  }) as Transport;
  const transcript = `${modern}${group}${taken}C: x\nC: .\n${group}S: 250 2.0.0 queued as A1\n${taken}C: y\nC: .\nS: 250 ok\n${bye}`;
  const run = async (): Promise<void> => {
    const client = await SmtpClient.over(watched, { name });
    const sent = await Promise.all([client.send(envelope, "x\r\n"), client.send(envelope, "y\r\n")]);
    assert.deepEqual(
      sent.map(({ queueId }) => queueId),
      ["A1", undefined],
    );
    await client.quit();
  };
  await Promise.all([playServer(transcript, far), run()]);
  const lines = "MAIL FROM:<a@x.test> SIZE=3\r\nRCPT TO:<b@y.test>\r\nDATA\r\n";
  assert.deepEqual(writes, [`EHLO ${name}\r\n`, lines, `x\r\n.\r\n${lines}`, "y\r\n.\r\n", "QUIT\r\n"]);
});

test("RFC 2920 section 3.1: every recipient was refused, DATA was not: an empty message ends it", () =>
  converse(
    `${modern}${group}S: 250 ok\nS: 550 5.1.1 no\nS: 354 go\nC: .\nS: 554 no recipients\nC: RSET\nS: 250 ok\n${bye}`,
    async (client) => {
      await assert.rejects(client.send(envelope, "x\r\n"), (error) => {
        assert.ok(error instanceof SmtpError);
        assert.deepEqual(
          [error.replyCode, error.enhancedCode, error.recipient, error.permanent, error.usable],
          [550, "5.1.1", "b@y.test", true, true],
        );
        assert.match(error.transcript?.join("\n") ?? "", /C: MAIL FROM/);
        return true;
      });
      assert.equal(client.inDoubt, undefined);
      await client.quit();
    },
  ));

test("a refused MAIL takes its pipelined RCPT and DATA with it, and the session goes on", () =>
  converse(
    `${modern}${group}S: 451 4.3.0 later\nS: 503 MAIL first\nS: 503 MAIL first\nC: RSET\nS: 250 ok\n${group}${taken}C: x\nC: .\nS: 250 ok\n${bye}`,
    async (client) => {
      await assert.rejects(client.send(envelope, "x\r\n"), {
        name: "SmtpError",
        replyCode: 451,
        permanent: false,
      });
      await client.send(envelope, "x\r\n");
      await client.quit();
    },
  ));

test("a message that is refused at its end does not disturb the one that rides behind it", () =>
  converse(
    `${modern}${group}${taken}C: x\nC: .\n${group}S: 552 5.3.4 too big\n${taken}C: y\nC: .\nS: 250 ok\n${bye}`,
    async (client) => {
      const [first, second] = await Promise.allSettled([
        client.send(envelope, "x\r\n"),
        client.send(envelope, "y\r\n"),
      ]);
      assert.equal(first?.status, "rejected");
      assert.equal(second?.status, "fulfilled");
      await client.quit();
    },
  ));

test("allOrNothing: the replies are seen before DATA", () =>
  converse(
    `${modern}C: MAIL FROM:<a@x.test> SIZE=3\nS: 250 ok\nC: RCPT TO:<b@y.test>\nS: 250 ok\nC: RCPT TO:<c@y.test>\nS: 550 no\nC: RSET\nS: 250 ok\n${bye}`,
    async (client) => {
      const to = ["b@y.test", "c@y.test"];
      await assert.rejects(client.send({ ...envelope, to }, "x\r\n", { allOrNothing: true }), {
        replyCode: 550,
      });
      await client.quit();
    },
  ));

test("RFC 3030: BDAT in chunks, the last of them marked", () =>
  converse(
    `${modern}C: MAIL FROM:<a@x.test>  BODY=8BITMIME\nC: RCPT TO:<b@y.test>\nS: 250 ok\nS: 250 ok\nC: BDAT 7 LAST\nC: .\nC: ab\\\nS: 250 ok\n${bye}`
      .replace("<a@x.test>  BODY", "<a@x.test> BODY")
      .replace("BDAT 7", "BDAT 5"),
    async (client) => {
      const stream = (async function* () {
        yield ".\n";
        yield "ab";
      })();
      await client.send(envelope, stream, { transfer: "bdat" });
      await client.quit();
    },
  ));

test("RFC 2033: LMTP answers for each recipient", () =>
  converse(
    `S: 220 lmtp.test\nC: LHLO ${name}\nS: 250-lmtp.test\nS: 250 PIPELINING\nC: MAIL FROM:<a@x.test>\nC: RCPT TO:<b@y.test>\nC: RCPT TO:<c@y.test>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: x\nC: .\nS: 250 2.0.0 b has it\nS: 452 4.2.2 c is full\n${bye}`,
    async (client) => {
      const { accepted, rejected, replies } = await client.send(
        { ...envelope, to: ["b@y.test", "c@y.test"] },
        "x\r\n",
      );
      assert.deepEqual(accepted, ["b@y.test"]);
      assert.deepEqual(
        rejected.map(({ address, reply }) => [address, reply.enhancedCode]),
        [["c@y.test", "4.2.2"]],
      );
      assert.equal(replies?.get("c@y.test")?.code, 452);
      await client.quit();
    },
    { lmtp: true },
  ));

test("RFC 5321 section 3.2: a server that does not know EHLO is greeted with HELO", () =>
  converse(
    `S: 220 old\nC: EHLO ${name}\nS: 500 what?\nC: HELO ${name}\nS: 250 old\n${bye}`,
    async (client) => {
      assert.equal(client.extensions.pipelining, false);
      await client.quit();
    },
  ));

test("every extension's parameters are on the wire", () =>
  converse(
    `${hello("DSN", "SIZE", "REQUIRETLS", "FUTURERELEASE 432000 2030-01-01T00:00:00Z", "DELIVERBY 60", "MT-PRIORITY MIXER", "SMTPUTF8", "8BITMIME")}
C: MAIL FROM:<a@x.test> SIZE=3 RET=HDRS ENVID=QQ+2B1 REQUIRETLS HOLDFOR=60 BY=120;RT MT-PRIORITY=-3 SMTPUTF8
S: 250 ok
C: RCPT TO:<jörg@y.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;j+2Bg@y.test
S: 250 ok
C: DATA
S: 354 go
C: x
C: .
S: 250 ok
${bye}`,
    async (client) => {
      await client.send(
        {
          from: "a@x.test",
          to: [{ address: "jörg@y.test", notify: ["success", "delay"], originalRecipient: "j+g@y.test" }],
          returnContent: "headers",
          envelopeId: "QQ+1",
          requireTls: true,
          holdForSeconds: 60,
          deliverBy: { seconds: 120, mode: "return", trace: true },
          priority: -3,
        },
        "x\r\n",
      );
      await client.quit();
    },
  ));

function hasCause(error: unknown, Class: new (...args: never[]) => Error): boolean {
  return error instanceof Class || (error instanceof Error && hasCause(error.cause, Class));
}

const refusedBeforeAnyByte: readonly [string, object, Parameters<SmtpClient["send"]>[1], unknown][] = [
  ["DSN that is not offered", { envelopeId: "x" }, "x", UnsupportedError],
  ["REQUIRETLS that is not offered", { requireTls: true }, "x", UnsupportedError],
  ["a hold that is not offered", { holdForSeconds: 5 }, "x", UnsupportedError],
  ["a deadline that is not offered", { deliverBy: { seconds: 5, mode: "notify" } }, "x", UnsupportedError],
  ["a priority that is not offered", { priority: 1 }, "x", UnsupportedError],
  ["8-bit text where 8BITMIME is not offered", {}, "Subject: x\r\n\r\n\u00fc", UnsupportedError],
  ["a UTF-8 header where SMTPUTF8 is not offered", {}, "Subject: \u00fc\r\n\r\nx", UnsupportedError],
  ["a UTF-8 local part where SMTPUTF8 is not offered", { to: "\u00fc@y.test" }, "x", UnsupportedError],
  ["a binary message where BINARYMIME is not offered", { body: "binarymime" }, "x", UnsupportedError],
  ["a message above SIZE", {}, "x".repeat(1001), LimitError],
  ["more recipients than LIMITS allow", { to: ["a@x.test", "b@x.test", "c@x.test"] }, "x", LimitError],
  ["no recipient", { to: [] }, "x", LocalProtocolError],
  ["a recipient that is no mailbox", { to: "nobody" }, "x", LocalProtocolError],
  [
    "an address that would be a second command",
    { to: "a@x.test>\r\nRCPT TO:<evil@x.test" },
    "x",
    LocalProtocolError,
  ],
];

for (const [what, options, message, error] of refusedBeforeAnyByte) {
  test(`${what} is refused before a byte is sent`, () =>
    converse(`${hello("SIZE 1000", "LIMITS RCPTMAX=2 MAILMAX=9")}${bye}`, async (client) => {
      await assert.rejects(client.send({ ...envelope, ...options }, message), error as typeof Error);
      await client.quit();
    }));
}

test("a domain that is not ASCII goes as its A-labels", () =>
  converse(
    `${hello()}C: MAIL FROM:<a@x.test>\nS: 250 ok\nC: RCPT TO:<b@xn--bcher-kva.test>\nS: 250 ok\nC: DATA\nS: 354 go\nC: x\nC: .\nS: 250 ok\n${bye}`,
    async (client) => {
      await client.send({ from: "a@x.test", to: "b@bücher.test" }, "x\r\n");
      await client.quit();
    },
  ));

test("a stream with an 8-bit byte for a server without 8BITMIME ends the connection: nothing was accepted", () =>
  converse(
    `${hello()}C: MAIL FROM:<a@x.test>\nS: 250 ok\nC: RCPT TO:<b@y.test>\nS: 250 ok\nC: DATA\nS: 354 go\n`,
    async (client) => {
      await assert.rejects(
        client.send(envelope, [new Uint8Array([0x78]), new Uint8Array([0xfc])]),
        (error) => error instanceof BrokenError && error.sent === "no" && hasCause(error, UnsupportedError),
      );
      assert.equal(client.closed, true);
    },
  ));

test("421 ends the connection, and no other refusal does", () =>
  converse(`${hello()}C: NOOP\nS: 502 no\nC: NOOP\nS: 421 4.3.2 closing\n`, async (client) => {
    await assert.rejects(client.noop(), { replyCode: 502, usable: true });
    await assert.rejects(client.noop(), { replyCode: 421, usable: false });
    assert.equal(client.closed, true);
    await assert.rejects(client.noop(), { code: "HAWSER_CLOSED" });
  }));

test("a greeting of 554 is an SmtpError", async () => {
  const [near, far] = memoryPair();
  await Promise.all([
    playServer("S: 554 no service for you\n", far),
    assert.rejects(SmtpClient.over(near, { name }), { replyCode: 554 }),
  ]);
});

test("tls: starttls, and the server does not offer it: an error, and no AUTH", async () => {
  const [near, far] = memoryPair();
  const auth = { user: "u", password: "p" };
  await Promise.all([
    playServer(hello("AUTH PLAIN"), far),
    assert.rejects(SmtpClient.over(near, { name, auth, tls: "starttls" }), UnsupportedError),
  ]);
});

test("a password does not cross a clear link, whatever the server offers", () =>
  converse(`${hello("AUTH PLAIN LOGIN")}${bye}`, async (client) => {
    await assert.rejects(client.auth({ user: "u", password: "p" }), LocalProtocolError);
    await client.quit();
  }));

for (const [how, injected] of [
  ["in the segment of the reply", "S: 220 go\nS: 250 injected\n"],
  ["a whole EHLO reply", "S: 220 go\nS: 250-evil\nS: 250 AUTH PLAIN\n"],
] as const) {
  test(`bytes ${how} to STARTTLS are fatal (NO STARTTLS, RFC 3207 section 6)`, async () => {
    const [near, far] = memoryPair();
    const served = playServer(`${hello("STARTTLS")}C: STARTTLS\n${injected}`, far).catch(() => {});
    await assert.rejects(
      SmtpClient.over(near, { name, tls: "starttls", host: "localhost" }),
      RemoteProtocolError,
    );
    await served;
  });
}

test("the peer's end says whether the message may have been accepted", async () => {
  const before = `${modern}${group}S: 250 ok\nS: 250 ok\n`;
  await converse(before, async (client) => {
    await assert.rejects(
      client.send(envelope, "x\r\n"),
      (error) => error instanceof BrokenError && error.sent === "no",
    );
    assert.equal(client.inDoubt, undefined);
  });
  await converse(`${modern}${group}${taken}C: x\nC: .\n`, async (client) => {
    await assert.rejects(
      client.send(envelope, "x\r\n"),
      (error) => error instanceof BrokenError && error.sent === "perhaps",
    );
    assert.equal(client.inDoubt?.from, "a@x.test");
  });
});

for (const state of ["greeting", "EHLO", "MAIL", "354", "final"] as const) {
  test(`an abort while the ${state} is awaited rejects with the reason and closes`, async () => {
    const [near, far] = memoryPair();
    const abort = new AbortController();
    const scripts: Record<typeof state, string> = {
      greeting: "",
      EHLO: `S: 220 x\nC: EHLO ${name}\n`,
      MAIL: `${modern}${group}`,
      "354": `${modern}${group}S: 250 ok\nS: 250 ok\n`,
      final: `${modern}${group}${taken}C: x\nC: .\n`,
    };
    const reason = new Error("enough");
    let abortedMs = 0;
    const served = playServer(`${scripts[state]}* now\nC: never\n`, far, {
      onNote: () => {
        abortedMs = performance.now();
        abort.abort(reason);
      },
    }).catch(() => {});
    let client: SmtpClient | undefined;
    const run = async (): Promise<void> => {
      client = await SmtpClient.over(near, { name, signal: abort.signal });
      await client.send(envelope, "x\r\n", { signal: abort.signal });
    };
    await assert.rejects(run(), reason);
    assert.ok(performance.now() - abortedMs < 500, "within ten times 50 ms");
    await served;
    assert.equal(await near.read().catch((error) => error.code), "HAWSER_CLOSED");
    if (client !== undefined) assert.equal(client.inDoubt !== undefined, state === "final");
  });
}

test("an abort before the first byte leaves the connection as it is; a waiting message leaves the queue", () =>
  converse(`${modern}${group}${taken}C: x\nC: .\nS: 250 ok\n${bye}`, async (client) => {
    await assert.rejects(
      client.send(envelope, "x\r\n", { signal: AbortSignal.abort(new Error("no")) }),
      /no/,
    );
    const abort = new AbortController();
    const first = client.send(envelope, "x\r\n");
    const second = client.send(envelope, "y\r\n", { signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    await assert.rejects(second, /changed my mind/);
    await first;
    await client.quit();
  }));

test("a deadline of a message that waits for its reply closes the connection", async () => {
  const [near, far] = memoryPair();
  const served = playServer(`${modern}${group}${taken}C: x\nC: .\nC: never\n`, far).catch(() => {});
  const client = await SmtpClient.over(near, { name });
  await assert.rejects(client.send(envelope, "x\r\n", { timeoutMs: 100 }), { code: "HAWSER_DEADLINE" });
  assert.equal(client.closed, true);
  await served;
});

for (const [what, wire] of [
  ["no code", "hello\r\n"],
  ["a code of FTP's", "150 hi\r\n"],
  ["another code in the middle", "220-a\r\n250 b\r\n"],
  ["an endless line", `220 ${"x".repeat(70_000)}\r\n`],
  ["endless lines", "220-x\r\n".repeat(300_000)],
] as const) {
  test(`a hostile greeting: ${what}`, async () => {
    const [near, far] = memoryPair();
    const served = far.write(Buffer.from(wire)).catch(() => {});
    await assert.rejects(
      SmtpClient.over(near, { name }),
      (error) => error instanceof RemoteProtocolError || error instanceof LimitError,
    );
    await near.close();
    await served;
  });
}

test("verbs by hand: MAIL, RCPT, DATA, RSET, VRFY, EXPN, HELP, NOOP", () =>
  converse(
    `${hello()}C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<postmaster>
S: 250 ok
C: DATA
S: 354 go
C: x
C: .
S: 250 ok
C: RSET
S: 250 ok
C: VRFY smith
S: 252 maybe
C: EXPN list
S: 550 no
C: HELP
S: 214 help yourself
C: NOOP
S: 250 ok
C: XYZZY plugh
S: 250 ok
${bye}`,
    async (client) => {
      await client.mail("");
      await client.rcpt("postmaster");
      await client.data("x");
      await client.rset();
      assert.equal((await client.vrfy("smith")).code, 252);
      await assert.rejects(client.expn("list"), SmtpError);
      await client.help();
      await client.noop();
      await client.command("XYZZY", ["plugh"]);
      await client.quit();
    },
  ));
