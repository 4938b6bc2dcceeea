/** The server alone: states, limits, clocks, handlers, faults. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenError } from "../../src/core/errors.js";
import { transcript } from "../../src/core/trace.js";
import type { Fault } from "../../src/engine/faults.js";
import { Pop3Client } from "../../src/pop3/client.js";
import { Pop3Error } from "../../src/pop3/errors.js";
import { Pop3Server } from "../../src/pop3/server.js";
import type { Pop3Handler } from "../../src/pop3/types.js";
import { memoryPair } from "../../src/transport/memory.js";
import { nodeProvider } from "../../src/transport/node.js";
import { makeCertificates } from "../certificates.js";
import { accounts, alice, clientOf, messages, over, serverOf, storeOf } from "./support.js";

/** What a server answers to each line, one line of answer a line of question. */
async function talk(lines: readonly string[], options: object = {}): Promise<string[]> {
  const [near, far] = memoryPair();
  const server = await serverOf(options);
  const served = server.serve(far);
  void near.write(Buffer.from(lines.map((line) => `${line}\r\n`).join(""))).then(() => near.end());
  let got = "";
  for (let chunk = await near.read(); chunk !== undefined; chunk = await near.read())
    got += Buffer.from(chunk);
  await served;
  return got.split("\r\n").slice(1, -1);
}

const login = ["USER alice", "PASS tiger"];

/** RFC 1939 section 3: "O" is an answer, "-" is -ERR, in the two states. */
const table: readonly [line: string, authorization: "O" | "-", transaction: "O" | "-"][] = [
  ["USER bob", "O", "-"],
  ["PASS x", "-", "-"],
  ["APOP a c4c9334bac560ecc979e58001b3e22fb", "-", "-"],
  ["AUTH ANONYMOUS", "-", "-"],
  ["STLS", "-", "-"],
  ["UTF8", "O", "-"],
  ["LANG en", "O", "O"],
  ["LANG xx", "-", "-"],
  ["STAT", "-", "O"],
  ["LIST 1", "-", "O"],
  ["LIST 9", "-", "-"],
  ["LIST x", "-", "-"],
  ["LIST 1 2", "-", "-"],
  ["LIST -1", "-", "-"],
  ["UIDL 1", "-", "O"],
  ["UIDL 0", "-", "-"],
  ["RETR", "-", "-"],
  ["RETR 0", "-", "-"],
  ["RETR 5", "-", "-"],
  ["TOP 1", "-", "-"],
  ["TOP 1 -1", "-", "-"],
  ["DELE 1", "-", "O"],
  ["DELE 99999999999", "-", "-"],
  ["RSET", "-", "O"],
  ["NOOP", "-", "O"],
  ["QUIT", "O", "O"],
  ["RPOP alice", "-", "-"],
  ["constructor", "-", "-"],
  ["__proto__", "-", "-"],
];

for (const [line, early, late] of table) {
  test(`states: ${line}`, async () => {
    const [first = ""] = await talk([line]);
    assert.equal(first.slice(0, 1), early === "O" ? "+" : "-", first);
    const third = (await talk([...login, line]))[2] ?? "";
    assert.equal(third.slice(0, 1), late === "O" ? "+" : "-", third);
  });
}

test("a deleted message is gone from everywhere until RSET", async () => {
  const got = await talk([
    ...login,
    "DELE 2",
    "STAT",
    "LIST 2",
    "RETR 2",
    "TOP 2 0",
    "UIDL 2",
    "DELE 2",
    "RSET",
    "LIST 2",
  ]);
  assert.deepEqual(
    got.slice(2).map((line) => line.slice(0, 3)),
    ["+OK", "+OK", "-ER", "-ER", "-ER", "-ER", "-ER", "+OK", "+OK"],
  );
  assert.match(got[3] ?? "", /^\+OK 3 /);
});

test("AUTH alone lists the mechanisms; CAPA says what there is in each state", async () => {
  const options = { tls: await makeCertificates(), loginDelaySeconds: 0, expireDays: 30 };
  const before = await talk(["CAPA"], options);
  for (const line of [
    "TOP",
    "UIDL",
    "USER",
    "STLS",
    "PIPELINING",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "EXPIRE 30",
    "LOGIN-DELAY 0",
    "UTF8 USER",
    "LANG",
    "IMPLEMENTATION hawser",
  ])
    assert.ok(before.includes(line), line);
  const after = await talk([...login, "CAPA"], options);
  assert.ok(!after.includes("STLS"));
  const listed = await talk(["AUTH"]);
  assert.ok(listed.includes("SCRAM-SHA-256") && listed.includes("PLAIN") && listed.at(-1) === ".");
});

test("what is hidden is not there", async () => {
  const got = await talk([...login, "CAPA", "TOP 1 0"], { hide: ["top", "PIPELINING"] });
  assert.ok(!got.includes("TOP") && !got.includes("PIPELINING"));
  assert.match(got.at(-1) ?? "", /^-ERR/);
});

test("a handler's optional methods are the capabilities; what it throws is not told", async () => {
  const seen: unknown[] = [];
  const handler: Pop3Handler = {
    open: () => [5, 5],
    retr: (_, number) => {
      if (number === 1) return "a\r\n";
      throw new Error("the password of the database is hunter2");
    },
    update: () => {
      throw new Pop3Error({ responseCode: "SYS/TEMP", text: "some stayed" });
    },
  };
  const server = await serverOf({ handler, onError: (error) => seen.push(error) });
  const { client } = await clientOf(server);
  const { top, uidl, utf8, lang } = await client.capa();
  assert.deepEqual([top, uidl, utf8, lang], [false, false, false, false]);
  await assert.rejects(client.uidl(), Pop3Error);
  await assert.rejects(client.top(1, 0), Pop3Error);
  assert.equal(await (await client.retr(1)).text(), "a\r\n");
  await assert.rejects(client.retr(2), (error: unknown) => {
    assert.ok(error instanceof Pop3Error);
    assert.doesNotMatch(error.message, /hunter2/);
    return error.responseCode === "SYS/TEMP";
  });
  assert.equal(seen.length, 1);
  await assert.rejects(client.quit(), /some stayed/);
  assert.ok(client.closed);
});

test("a source that fails: before anything was sent a refusal, later the end", async () => {
  const seen: unknown[] = [];
  const handler: Pop3Handler = {
    open: () => [1, 1],
    retr: async function* (_, number) {
      if (number === 2) yield new Uint8Array(200_000).fill(0x61);
      throw new Error("disk");
    } as Pop3Handler["retr"],
    update: () => {},
  };
  const server = await serverOf({ handler, onError: (error) => seen.push(error) });
  const { client } = await clientOf(server);
  await assert.rejects(client.retr(1), Pop3Error);
  const body = await client.retr(2);
  await assert.rejects(body.bytes(), BrokenError);
  assert.equal(seen.length, 2);
});

test("connect turns a client away; close is called once for each open", async () => {
  let turnAway = true;
  const calls: string[] = [];
  const handler: Pop3Handler = {
    connect: () => {
      if (turnAway) throw new Pop3Error({ responseCode: "SYS/TEMP", text: "not today" });
    },
    open: () => {
      calls.push("open");
      return [];
    },
    retr: () => "",
    update: (_, deleted) => void calls.push(`update ${deleted.length}`),
    close: () => void calls.push("close"),
  };
  const server = await serverOf({ handler });
  await assert.rejects(clientOf(server), /not today/);
  turnAway = false;
  const first = await clientOf(server);
  await first.client.quit();
  const second = await clientOf(server);
  await second.client.close();
  await second.served;
  assert.deepEqual(calls, ["open", "update 0", "close", "open", "close"]);
});

test("clocks: a silent client is let go, without a word and without deleting", async () => {
  const store = await storeOf();
  const server = await serverOf({ store, idleMs: 500 });
  const { client, served } = await clientOf(server);
  await client.dele(1);
  await served;
  await assert.rejects(client.noop());
  const again = await clientOf(await serverOf({ store }));
  assert.equal((await again.client.stat()).count, 4);
  await again.client.quit();
});

test("clocks: before the login all commands share one", { timeout: 10_000 }, async () => {
  const [near, far] = memoryPair();
  const served = (await serverOf({ preAuthMs: 60 })).serve(far);
  let isOver = false;
  void served.then(() => {
    isOver = true;
  });
  // A byte now and then is no way to stay.
  while (!isOver) {
    await near.write(Buffer.from("CAPA\r\n")).catch(() => {});
    await Promise.race([near.read().catch(() => {}), served]);
  }
  await served;
});

const stages: readonly [
  fault: Fault,
  call: (client: Pop3Client) => Promise<unknown>,
  error: RegExp | typeof BrokenError,
][] = [
  [{ on: "STAT", reply: "-ERR [SYS/TEMP] later" }, (client) => client.stat(), /later/],
  [{ on: /^LIST/, drop: true }, (client) => client.list(), BrokenError],
  [{ on: "NOOP", splitBytes: 2, drop: true }, (client) => client.noop(), BrokenError],
  [{ on: "RETR", reply: "nonsense" }, (client) => client.retr(1), /neither/],
  [{ on: "UIDL", reply: ["+OK", "1 a", "x", "."] }, (client) => client.uidl(), /malformed/],
];

for (const [fault, call, error] of stages) {
  test(`faults: ${JSON.stringify({ ...fault, on: String(fault.on) })}`, async () => {
    const { client } = await clientOf(await serverOf({ faults: [fault] }));
    await assert.rejects(call(client), error);
    await client.close();
  });
}

test("faults: a split reply, a delay, the greeting, TLS that fails, so many times", async () => {
  const { client } = await clientOf(
    await serverOf({
      faults: [
        { on: "STAT", splitBytes: 3 },
        { on: "NOOP", delayMs: 1 },
        { on: "RSET", reply: "-ERR no", times: 1 },
      ],
    }),
  );
  assert.equal((await client.stat()).count, 4);
  await client.noop();
  await assert.rejects(client.rset(), Pop3Error);
  await client.rset();
  await client.quit();
  await assert.rejects(
    clientOf(await serverOf({ faults: [{ on: "connect", reply: "-ERR [SYS/PERM] gone" }] })),
    /gone/,
  );
  const tls = await makeCertificates();
  const server = await serverOf({ tls, faults: [{ on: "STLS", tlsFailure: true }] });
  await assert.rejects(
    clientOf(server, { tls: "starttls", tlsOptions: { ca: tls.ca, serverName: "localhost" } }),
    BrokenError,
  );
});

test("faults: by chance, the same with the same seed", async () => {
  const run = async (faultSeed: number): Promise<string> => {
    const server = await serverOf({ faults: [{ on: "NOOP", reply: "-ERR no", chance: 0.5 }], faultSeed });
    const { client } = await clientOf(server);
    let told = "";
    for (let index = 0; index < 40; index += 1)
      told += await client.noop().then(
        () => "+",
        () => "-",
      );
    await client.quit();
    return told;
  };
  const first = await run(7);
  assert.match(first, /\+.*-|-.*\+/);
  assert.equal(await run(7), first);
  assert.notEqual(await run(8), first);
});

/** Version 2 of the header: from 192.0.2.1:56324 to 192.0.2.2:25. */
const binaryHeader = Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000201c0000202dc040019", "hex");

for (const [version, header] of [
  ["1", Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 56324 110\r\n")],
  ["2", binaryHeader],
] as const)
  for (const mode of ["none", "implicit"] as const)
    test(`PROXY header, version ${version}, TLS ${mode}: the session is that of the client that is named`, async () => {
      const remotes: unknown[] = [];
      const handler: Pop3Handler = {
        connect: (session) => void remotes.push(session.remoteAddress),
        open: () => [1],
        uidl: () => ["a"],
        retr: () => "x",
        update: () => {},
      };
      const tls = await makeCertificates();
      await using server = await Pop3Server.listen({
        ...{ port: 0, accounts, handler, proxyFrom: ["127.0.0.1"], allowClearTextAuth: true },
        ...(mode === "implicit" && { tls: { ...tls, mode } }),
      });
      const balancer = {
        listen: nodeProvider.listen,
        connect: async (...args: Parameters<typeof nodeProvider.connect>) => {
          const transport = await nodeProvider.connect(...args);
          await transport.write(header);
          return transport;
        },
      };
      const { host, port } = server.address;
      const client = await Pop3Client.connect({
        ...{ host, port, tls: mode, tlsOptions: tls, provider: balancer, proxy: false, auth: alice },
        allowClearText: true,
      });
      assert.equal((await client.stat()).count, 1);
      await client.quit();
      assert.deepEqual(remotes, ["192.0.2.1"]);
    });

test("a server's trace shows the conversation and no secret", async () => {
  const trace = transcript();
  const server = await serverOf({ trace, apop: true });
  for (const auth of [alice, { ...alice, mechanism: "PLAIN" }, { ...alice, mechanism: "LOGIN" }]) {
    const { client, served } = await clientOf(server, { auth });
    await client.quit();
    await served;
  }
  const { client } = await clientOf(await serverOf({ trace, hide: ["SASL"] }));
  await client.quit();
  const text = String(trace);
  assert.match(text, /C: PASS \[secret\]\n/);
  assert.match(text, /C: AUTH PLAIN \[secret\]\n/);
  for (const secret of [
    "tiger",
    Buffer.from("tiger").toString("base64"),
    Buffer.from("\0alice\0tiger").toString("base64"),
  ])
    assert.ok(!text.includes(secret), secret);
});

test("UTF8: names, passwords and texts beyond ASCII", async () => {
  const [near, far] = memoryPair();
  void (await serverOf()).serve(far);
  const client = await over(near, { allowClearText: true });
  await client.utf8();
  await client.user("müller");
  await assert.rejects(client.pass("pässwort"), { code: "HAWSER_AUTH" });
  await client.quit();
});

test("10,000 messages are listed at once", async () => {
  const octets = Array.from({ length: 10_000 }, (_, index) => index + 1);
  const handler: Pop3Handler = {
    open: () => octets,
    uidl: () => octets.map((each) => `.uid-${each}`),
    retr: () => "",
    update: () => {},
  };
  const { client } = await clientOf(await serverOf({ handler }));
  assert.equal((await client.list()).length, 10_000);
  assert.deepEqual((await client.uidl()).at(-1), { number: 10_000, uid: ".uid-10000" });
  await client.quit();
});

test("loopback: the address, the count of clients, the end", async () => {
  const server = await Pop3Server.listen({
    port: 0,
    accounts,
    store: await storeOf(),
    allowClearTextAuth: true,
  });
  const { host, port } = server.address;
  assert.equal(host, "127.0.0.1");
  const client = await Pop3Client.connect({ host, port, tls: "none", auth: alice, allowClearText: true });
  assert.equal(server.connections, 1);
  assert.equal(await (await client.retr(1)).text(), messages[0]);
  await server.close();
  await assert.rejects(client.noop());
  assert.equal(server.connections, 0);
});
