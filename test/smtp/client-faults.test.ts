/** What a server does wrong, one thing at a time, and what the client makes of it. */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { transcript } from "../../src/core/trace.js";
import type { Fault } from "../../src/engine/faults.js";
import { BrokenError } from "../../src/index.js";
import { SmtpClient } from "../../src/smtp/client.js";
import { SmtpError } from "../../src/smtp/errors.js";
import { memoryPair, playServer } from "../../src/testing/index.js";
import { makeCertificates } from "../certificates.js";
import { envelope, message, over, paired } from "./client-support.js";
import { Host } from "./server-support.js";

const certificates = await makeCertificates();
const tlsOptions = { ca: certificates.ca, serverName: "localhost" };

const refuses = (replyCode: number, enhancedCode?: string) => (error: unknown) =>
  error instanceof SmtpError && error.replyCode === replyCode && error.enhancedCode === enhancedCode;
const isCut = (sent: "no" | "perhaps") => (error: unknown) =>
  error instanceof BrokenError && error.sent === sent;

/** Each kind of fault at the stages of a message: what `send` rejects with, and how many messages the server has then. */
const cases: readonly (readonly [
  fault: Fault,
  error: ((error: unknown) => boolean) | undefined,
  taken: number,
  closed: boolean,
])[] = [
  [{ on: "MAIL", reply: "451 4.3.0 later" }, refuses(451, "4.3.0"), 0, false],
  [{ on: "RCPT", reply: ["450-4.2.0 busy", "450 4.2.0 later"] }, refuses(450, "4.2.0"), 0, false],
  [{ on: "DATA", reply: "452 4.3.1 full" }, refuses(452, "4.3.1"), 0, false],
  [{ on: "content", reply: "552 5.3.4 too big" }, refuses(552, "5.3.4"), 0, false],
  [{ on: "message", reply: "554 5.7.1 spam" }, refuses(554, "5.7.1"), 1, false],
  [{ on: "MAIL", reply: "421 4.3.2 closing" }, refuses(421, "4.3.2"), 0, true],
  [{ on: "message", reply: "421 4.3.2 closing" }, refuses(421, "4.3.2"), 1, true],
  [{ on: "MAIL", drop: true }, isCut("no"), 0, true],
  [{ on: "RCPT", drop: true }, isCut("no"), 0, true],
  [{ on: "DATA", drop: true }, isCut("no"), 0, true],
  [{ on: "RCPT", splitBytes: 2, drop: true }, isCut("no"), 0, true],
  [{ on: "message", drop: true }, isCut("perhaps"), 1, true],
  [{ on: "message", splitBytes: 5, drop: true }, isCut("perhaps"), 1, true],
  [
    { on: "MAIL", reply: "nonsense" },
    (error) => (error as { code: string }).code === "HAWSER_REMOTE_PROTOCOL",
    0,
    true,
  ],
  [{ on: "message", reply: "354 go on" }, refuses(354), 1, false],
  [{ on: "MAIL", splitBytes: 4 }, undefined, 1, false],
  [{ on: "message", splitBytes: 1 }, undefined, 1, false],
  [{ on: "RCPT", delayMs: 5 }, undefined, 1, false],
];

for (const [fault, error, taken, closed] of cases)
  test(`fault: ${JSON.stringify(fault)}`, () =>
    paired(
      async (client, host) => {
        const sent = client.send(envelope, message);
        if (error === undefined) await sent;
        else await assert.rejects(sent, error);
        assert.equal(client.closed, closed);
        assert.equal(host.mail.messages.length, taken);
        assert.equal(client.inDoubt !== undefined, closed && taken === 1 && "drop" in fault);
        // What went wrong with one message is over with it.
        if (!closed) await client.send(envelope, message);
      },
      { faults: [{ ...fault, times: 1 }] },
    ));

test("fault: the greeting, EHLO, AUTH and QUIT", async () => {
  const connecting = (fault: Fault): Promise<void> => paired(() => Promise.resolve(), { faults: [fault] });
  await assert.rejects(connecting({ on: "connect", reply: "554 5.3.2 go away" }), { replyCode: 554 });
  await assert.rejects(connecting({ on: "connect", reply: "421 4.3.2 later" }), { replyCode: 421 });
  await assert.rejects(connecting({ on: "connect", drop: true }), BrokenError);
  await assert.rejects(connecting({ on: "EHLO", drop: true }), BrokenError);
  await connecting({ on: "connect", splitBytes: 3 });
  await connecting({ on: "EHLO", reply: "502 5.5.1 what?", times: 1 });
  await paired((client) => assert.rejects(client.quit(), BrokenError), {
    faults: [{ on: "QUIT", drop: true }],
  });
});

test("fault: TLS that fails, with STARTTLS", () =>
  assert.rejects(
    paired(
      () => Promise.resolve(),
      { tls: certificates, faults: [{ on: "STARTTLS", tlsFailure: true }] },
      {
        tls: "starttls",
        tlsOptions,
      },
    ),
    BrokenError,
  ));

test("fault: STARTTLS refused, and the client goes no further", async () => {
  const trace = transcript();
  const faults = [{ on: "STARTTLS", reply: "454 4.7.0 not now" }];
  const auth = { user: "a", password: "b" };
  await assert.rejects(
    paired(
      () => Promise.resolve(),
      { tls: certificates, faults },
      { tls: "starttls", tlsOptions, auth, trace },
    ),
    { replyCode: 454 },
  );
  assert.deepEqual(
    trace.lines.filter((line) => line.startsWith("C:")),
    ["C: EHLO client.test", "C: STARTTLS"],
  );
});

test("fault: by chance, the same with the same seed", async () => {
  const run = async (faultSeed: number): Promise<string> => {
    let told = "";
    await paired(
      async (client) => {
        for (let index = 0; index < 30; index += 1)
          told += await client.send(envelope, message).then(
            () => "+",
            () => "-",
          );
      },
      { faults: [{ on: "RCPT", reply: "451 no", chance: 0.5 }], faultSeed },
    );
    return told;
  };
  const first = await run(7);
  assert.match(first, /\+.*-|-.*\+/);
  assert.equal(await run(7), first);
  assert.notEqual(await run(8), first);
});

for (const transfer of ["data", "bdat"] as const)
  test(`a server that refuses and hangs up while the message is still coming, by ${transfer}: its words are the error`, {
    timeout: 30_000,
  }, async () => {
    const extensions = "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write("220 mx\r\n");
      let bytes = 0;
      socket.on("data", (data) => {
        const text = data.toString("latin1");
        bytes += data.length;
        if (text.startsWith("EHLO")) socket.write(extensions);
        else if (text.startsWith("MAIL"))
          socket.write(transfer === "data" ? "250 ok\r\n250 ok\r\n354 go\r\n" : "250 ok\r\n250 ok\r\n");
        else if (bytes > 100_000 && !socket.writableEnded) {
          socket.end("552 5.3.4 too big\r\n");
          socket.pause();
        }
        // The client is still writing when the connection goes.
        if (socket.writableEnded) setTimeout(() => socket.resetAndDestroy(), 50);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const client = await SmtpClient.connect({ host: "127.0.0.1", port, tls: "none", name: "client.test" });
    const endless = async function* () {
      for (let index = 0; index < 5000; index += 1) yield `${"x".repeat(70)}\r\n`.repeat(200);
    };
    const options = transfer === "bdat" ? { transfer } : {};
    const source = transfer === "bdat" ? "x".repeat(80_000_000) : endless();
    await assert.rejects(client.send(envelope, source, options), (error) => {
      assert.ok(error instanceof SmtpError, String(error));
      assert.deepEqual([error.replyCode, error.enhancedCode, error.usable], [552, "5.3.4", false]);
      return true;
    });
    assert.equal(client.inDoubt, undefined);
    assert.equal(client.closed, true);
    await new Promise((resolve) => server.close(resolve));
  });

test("LMTP: a goodbye in the middle of the replies stands for those that are missing, and nobody is lost", async () => {
  const [near, far] = memoryPair();
  const script = `S: 220 x
C: LHLO client.test
S: 250 x
C: MAIL FROM:<a@client.test> 
S: 250 ok
C: RCPT TO:<1@x.test>
S: 250 ok
C: RCPT TO:<2@x.test>
S: 250 ok
C: RCPT TO:<3@x.test>
S: 250 ok
C: DATA
S: 354 go
C: x
C: .
S: 250 ok
S: 421 4.3.2 closing
`.replace("test> \n", "test>\n");
  const served = playServer(script, far);
  const client = await over(near, { lmtp: true });
  const to = ["1@x.test", "2@x.test", "3@x.test"];
  const { accepted, rejected } = await client.send({ from: "a@client.test", to }, "x");
  assert.deepEqual(accepted, ["1@x.test"]);
  assert.deepEqual(
    rejected.map(({ address, reply }) => [address, reply.code]),
    [
      ["2@x.test", 421],
      ["3@x.test", 421],
    ],
  );
  assert.equal(client.closed, true);
  await served;
});

test("LMTP: an end in the middle of the replies leaves in doubt those that had none", async () => {
  const [near, far] = memoryPair();
  const script = ["S: 220 x", "C: LHLO client.test", "S: 250 x", "C: MAIL FROM:<a@client.test>", "S: 250 ok"];
  for (const address of ["1@x.test", "2@x.test"]) script.push(`C: RCPT TO:<${address}>`, "S: 250 ok");
  script.push("C: DATA", "S: 354 go", "C: x", "C: .", "S: 250 ok", "");
  const served = playServer(script.join("\n"), far);
  const client = await over(near, { lmtp: true });
  const to = ["1@x.test", "2@x.test"];
  await assert.rejects(client.send({ from: "a@client.test", to }, "x"), isCut("perhaps"));
  assert.deepEqual(client.inDoubt, { from: "a@client.test", to: [{ address: "2@x.test" }] });
  await served;
});

test("BDAT: a chunk that is refused ends the message, and not the connection", () => {
  let read = 0;
  const endless = async function* () {
    for (; read < 1000; read += 1) yield "x".repeat(100_000);
  };
  return paired(
    async (client, host) => {
      await assert.rejects(client.send(envelope, endless(), { transfer: "bdat" }), { replyCode: 552 });
      assert.ok(read < 20, `${read} pieces were read`);
      await client.send(envelope, message, { transfer: "bdat" });
      assert.deepEqual(
        host.mail.messages.map(({ text }) => text),
        [message],
      );
    },
    { maxMessageBytes: 300_000 },
  );
});

test("a source that fails: by BDAT the connection ends too, and nothing was accepted", async () => {
  for (const transfer of ["data", "bdat"] as const)
    await paired(async (client, host) => {
      const failing = async function* () {
        yield "x".repeat(300_000);
        throw new Error("the disk is gone");
      };
      await assert.rejects(client.send(envelope, failing(), { transfer }), /the disk is gone/);
      assert.deepEqual([client.closed, client.inDoubt], [true, undefined]);
      await Promise.all(host.served);
      assert.equal(host.mail.messages.length, 0);
    }, {});
});

test("use after close is a ClosedError, of every kind", () =>
  paired(async (client) => {
    const first = client.send(envelope, message);
    const second = client.send(envelope, message);
    await client.close();
    await assert.rejects(first, { code: "HAWSER_CLOSED", sent: "no" });
    await assert.rejects(second, { code: "HAWSER_BROKEN", sent: "no" });
    await assert.rejects(client.send(envelope, message), { code: "HAWSER_CLOSED" });
    await assert.rejects(client.noop(), { code: "HAWSER_CLOSED" });
    await assert.rejects(client.quit(), { code: "HAWSER_CLOSED" });
    await client.close();
    await client[Symbol.asyncDispose]();
  }));

test("a message that waits for its reply when the client is closed is in doubt", async () => {
  let arrived = (): void => {};
  const there = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await paired(
    async (client) => {
      const sent = client.send(envelope, message);
      await there;
      await client.close();
      release();
      await assert.rejects(sent, { code: "HAWSER_CLOSED", sent: "perhaps" });
      assert.deepEqual(client.inDoubt?.to, [{ address: "b@server.test" }]);
    },
    {
      handler: {
        data: async ({ content }) => {
          await content.bytes();
          arrived();
          await held;
        },
      },
    },
  );
});

test("a server that hangs up in good order after pipelined commands: the last replies arrive over TCP", async () => {
  for (const end of ["QUIT\r\nNOOP\r\nNOOP\r\n", ""]) {
    await using host = new Host();
    const { port } = await host.server.listen({ port: 0 });
    const socket = connect({ port: port ?? 0, host: "127.0.0.1", allowHalfOpen: true });
    let text = "";
    socket.on("data", (data) => {
      text += data.toString();
    });
    const ended = new Promise<void>((resolve, reject) => {
      socket.once("end", resolve);
      socket.once("error", reject);
    });
    const body = "x\r\n".repeat(100_000);
    socket.end(`EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@server.test>\r\nDATA\r\n${body}.\r\n${end}`);
    await ended;
    const codes = text.match(/^\d{3}(?= )/gm) ?? [];
    assert.deepEqual(codes, ["220", "250", "250", "250", "354", "250", ...(end === "" ? [] : ["221"])]);
    socket.destroy();
  }
});
