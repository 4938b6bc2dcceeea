/** The clocks of RFC 5321 section 4.5.3.2 and of the caller: each fires, and says what it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineError } from "../../src/index.js";
import type { SmtpClient } from "../../src/smtp/client.js";
import { SmtpPool } from "../../src/smtp/pool.js";
import { memoryPair, playServer } from "../../src/testing/index.js";
import type { Transport, TransportProvider } from "../../src/transport/types.js";
import { envelope, message, over, paired } from "./client-support.js";

const minute = 60_000;
const hello = "S: 220 x\nC: EHLO client.test\nS: 250-x\nS: 250 CHUNKING\n";
const mail = "C: MAIL FROM:<a@client.test>\n";
const rcpt = `${mail}S: 250 ok\nC: RCPT TO:<b@server.test>\n`;
const data = `${rcpt}S: 250 ok\nC: DATA\n`;
const body = `${data}S: 354 go\nC: Subject: x\nC:\nC: x\nC: .\n`;
const bdat = `${rcpt}S: 250 ok\nC: BDAT 17 LAST\nC: Subject: x\nC:\nC: x\n`;
const login = "S: 220 x\nC: EHLO client.test\nS: 250-x\nS: 250 AUTH PLAIN\nC: AUTH PLAIN AGEAYg==\n";

const send = (client: SmtpClient): Promise<unknown> => client.send(envelope, message);
const nothing = (): Promise<void> => Promise.resolve();
const auth = { auth: { user: "a", password: "b" }, allowClearText: true };

/** What the server has said when it falls silent, and when the client gives up by default. */
const clocks: readonly (readonly [
  what: string,
  script: string,
  limitMs: number,
  call: (client: SmtpClient) => Promise<unknown>,
  options?: object,
])[] = [
  ["the greeting", "", 5 * minute, nothing],
  ["the reply to EHLO", "S: 220 x\nC: EHLO client.test\n", 5 * minute, nothing],
  ["the reply to AUTH", login, 5 * minute, nothing, auth],
  ["the reply to MAIL", hello + mail, 5 * minute, send],
  ["the reply to RCPT", hello + rcpt, 5 * minute, send],
  ["the reply to DATA", hello + data, 2 * minute, send],
  ["the reply to the message", hello + body, 10 * minute, send],
  [
    "the reply to the message",
    hello + bdat,
    10 * minute,
    (client) => client.send(envelope, message, { transfer: "bdat" }),
  ],
  ["the reply to NOOP", `${hello}C: NOOP\n`, 5 * minute, (client) => client.noop()],
  ["the reply to QUIT", `${hello}C: QUIT\n`, 5 * minute, (client) => client.quit()],
  ["the reply to DATA", `${hello}C: DATA\n`, 2 * minute, (client) => client.data("x")],
  [
    "the reply to the message",
    `${hello}C: DATA\nS: 354 go\nC: x\nC: .\n`,
    10 * minute,
    (client) => client.data("x"),
  ],
];

/** Lets everything happen that does not wait for a clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

for (const [what, script, limitMs, call, options] of clocks)
  test(`${what}: ${limitMs / minute} minutes (RFC 5321 section 4.5.3.2)${options === auth ? ", AUTH" : ""}`, async ({
    mock,
  }) => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const [near, far] = memoryPair();
    const served = playServer(`${script}C: never\n`, far, { timeoutMs: 100 * minute }).catch(() => {});
    const outcome: { error?: unknown } = {};
    const run = async (): Promise<void> => {
      // The defaults of the library, and not those of the tests.
      const unset = { replyMs: undefined, dataMs: undefined, finalMs: undefined, idleMs: undefined };
      await call(await over(near, { ...unset, ...options }));
    };
    const ended = run().catch((caught: unknown) => {
      outcome.error = caught;
    });
    await settle();
    mock.timers.tick(limitMs - 1);
    await settle();
    assert.ok(!("error" in outcome), "not before its time");
    mock.timers.tick(1);
    await settle();
    await ended;
    const { error } = outcome;
    assert.ok(error instanceof DeadlineError, String(error));
    assert.deepEqual([error.what, error.limitMs, error.fault], [what, limitMs, "time"]);
    await far.close();
    await served;
  });

/** The near side of a pair whose writes never find room. */
function stuck(transport: Transport): Transport {
  return new Proxy(transport, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "write") return typeof value === "function" ? value.bind(target) : value;
      return (bytes: Uint8Array) => (bytes.length > 1000 ? new Promise<void>(() => {}) : target.write(bytes));
    },
  });
}

for (const transfer of ["data", "bdat"] as const)
  test(`a block of the message that the server does not take: 3 minutes (section 4.5.3.2.5), by ${transfer}`, async ({
    mock,
  }) => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const [near, far] = memoryPair();
    const script = transfer === "data" ? `${data}S: 354 go\n` : `${rcpt}S: 250 ok\n`;
    const served = playServer(`${hello}${script}C: never\n`, far, { timeoutMs: 100 * minute }).catch(
      () => {},
    );
    const client = await over(stuck(near), { idleMs: undefined });
    const outcome: { error?: unknown } = {};
    const sent = client.send(envelope, "x".repeat(100_000), { transfer }).catch((caught: unknown) => {
      outcome.error = caught;
    });
    await settle();
    mock.timers.tick(3 * minute - 1);
    await settle();
    assert.ok(!("error" in outcome));
    mock.timers.tick(1);
    await settle();
    await sent;
    const { error } = outcome;
    assert.ok(error instanceof DeadlineError && error.what === "sending" && error.limitMs === 3 * minute);
    await far.close();
    await served;
  });

test("timeoutMs is for the whole of a message, whatever it waits for", async () => {
  for (const [stage, doubt] of [
    ["MAIL", false],
    ["RCPT", false],
    ["DATA", false],
    ["message", true],
  ] as const)
    await paired(
      async (client) => {
        const startMs = performance.now();
        await assert.rejects(client.send(envelope, message, { timeoutMs: 50 }), (error) => {
          assert.ok(error instanceof DeadlineError, String(error));
          assert.equal(error.sent, doubt ? "perhaps" : "no");
          return true;
        });
        assert.ok(performance.now() - startMs < 1000);
        assert.deepEqual([client.closed, client.inDoubt !== undefined], [true, doubt]);
      },
      { faults: [{ on: stage, delayMs: 400 }] },
    );
});

test("timeoutMs counts while a message waits for its turn, and the others are not disturbed", () =>
  paired(
    async (client, host) => {
      const others = [client.send(envelope, "1"), client.send(envelope, "2")];
      // The second one's envelope rides behind the first; the third is only in the queue.
      const late = client.send(envelope, "3", { timeoutMs: 40 });
      others.push(client.send(envelope, "4"));
      await assert.rejects(late, DeadlineError);
      assert.equal(client.closed, false);
      assert.equal((await Promise.all(others)).length, 3);
      assert.deepEqual(
        host.mail.messages.map(({ text }) => text.trim()),
        ["1", "2", "4"],
      );
    },
    { faults: [{ on: "message", delayMs: 150, times: 1 }] },
  ));

test("an abort reaches a message whose envelope rides at once; the one before it is still sent", () =>
  paired(
    async (client, host) => {
      const abort = new AbortController();
      const first = client.send(envelope, "1");
      const second = client.send(envelope, "2", { signal: abort.signal });
      while (host.mail.messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
      let firstIsDone = false;
      void first.then(() => {
        firstIsDone = true;
      });
      abort.abort(new Error("enough"));
      await assert.rejects(second, /enough/);
      assert.equal(firstIsDone, false);
      assert.deepEqual((await first).accepted, ["b@server.test"]);
      assert.equal(client.inDoubt, undefined);
    },
    { faults: [{ on: "message", delayMs: 400, times: 1 }] },
  ));

test("a source that gives nothing does not outlive the clock, by DATA and by BDAT", {
  timeout: 10_000,
}, async () => {
  for (const transfer of ["data", "bdat"] as const)
    await paired(async (client) => {
      const silent = async function* (): AsyncGenerator<string> {
        yield "x";
        await new Promise(() => {});
      };
      await assert.rejects(client.send(envelope, silent(), { transfer, timeoutMs: 50 }), DeadlineError);
      assert.deepEqual([client.closed, client.inDoubt], [true, undefined]);
    });
});

test("a function for tokens that does not answer does not outlive the signal", () =>
  paired(
    async (client) => {
      const abort = new AbortController();
      const token = (): Promise<string> => {
        setImmediate(() => abort.abort(new Error("enough")));
        return new Promise(() => {});
      };
      await assert.rejects(client.auth({ user: "a", token }, { signal: abort.signal }), /enough/);
      assert.ok(client.closed);
    },
    { accounts: { verifyToken: async () => "a" } as never, allowClearTextAuth: true },
    { allowClearText: true },
  ));

test("a reply to RSET that does not come holds nobody", () =>
  paired(
    async (client) => {
      const refused = client.send(envelope, message, { timeoutMs: 50 });
      await assert.rejects(refused, { replyCode: 550 });
      assert.ok(client.closed);
    },
    {
      hide: ["PIPELINING"],
      faults: [
        { on: "RCPT", reply: "550 no" },
        { on: "RSET", delayMs: 400 },
      ],
    },
  ));

test("a pool's timeoutMs counts while a message waits for a connection", async () => {
  const never: TransportProvider = {
    connect: (_, { signal } = {}) =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    listen: () => Promise.reject(new Error("not here")),
  };
  const pool = new SmtpPool({ host: "127.0.0.1", port: 25, tls: "none", provider: never, proxy: false });
  await assert.rejects(pool.send(envelope, message, { timeoutMs: 20 }), DeadlineError);
  assert.equal(pool.pending, 0);
  await pool.close();
});
