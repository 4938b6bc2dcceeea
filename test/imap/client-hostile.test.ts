/** Servers that break the rules or send without end: a typed error each, and bounded memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { HawserError, LimitError, RemoteProtocolError } from "../../src/core/errors.js";
import { ImapClient } from "../../src/imap/client.js";
import { ImapError } from "../../src/imap/errors.js";
import { memoryPair } from "../../src/transport/memory.js";
import { Scripted, talk, talkInMailbox, watched } from "./client-support.js";

/** Sends the same again and again until the client hangs up, or `times`. */
async function flood(server: Scripted, piece: string, times: number): Promise<void> {
  const block = Buffer.from(piece.repeat(Math.max(1, Math.floor(65_536 / piece.length))));
  const blocks = Math.ceil((piece.length * times) / block.length);
  try {
    for (let at = 0; at < blocks; at += 1) await server.send(block);
  } catch {
    // The client has had enough.
  }
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** By how much more memory was held at any time while the work went on. What only waits for the collector is not held. */
async function growthOf(work: () => Promise<void>): Promise<number> {
  const held = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  let most = before;
  const look = (): void => {
    most = Math.max(most, held());
  };
  const looking = setInterval(look, 10);
  try {
    await work();
    look();
  } finally {
    clearInterval(looking);
  }
  return most - before;
}

const mebi = 1_048_576;

const breaches: readonly (readonly [name: string, said: string])[] = [
  ["an unknown tag", "Z9 OK what\r\n"],
  ["an answer to a command that is not sent yet", "A1 OK ok\r\nA2 OK ok\r\n"],
  ["PREAUTH in the middle", "* PREAUTH welcome\r\n"],
  ["a continuation that nobody waits for", "+ go on\r\n"],
  ["a line that is no response", "\r\n"],
  ["a tagged line that says nothing", "A1 MAYBE\r\n"],
];

for (const [name, said] of breaches) {
  test(`${name} is a breach of the protocol`, async () => {
    const { client, server } = await talk();
    const noop = client.noop();
    const enabling = noop.then(() => client.noop());
    await server.command();
    await server.send(said);
    await assert.rejects(watched(Promise.all([noop, enabling])), RemoteProtocolError);
    assert.ok((await client.closed) instanceof RemoteProtocolError);
    await server.close();
  });
}

test("an OK for a literal that was not asked for is a breach; a NO is a refusal, and the stream goes on", async () => {
  const refused = await talk({ capabilities: "IMAP4rev1" });
  const append = refused.client.append("INBOX", "Subject: x\r\n\r\n");
  const line = await refused.server.line();
  assert.match(line, /^A1 APPEND INBOX \{14\}$/);
  await refused.server.send("A1 NO [TRYCREATE] no such mailbox\r\n");
  await assert.rejects(
    watched(append),
    (error) => error instanceof ImapError && error.responseCode?.name === "TRYCREATE",
  );
  const noop = refused.client.noop();
  assert.equal(await refused.server.line(), "A2 NOOP");
  await refused.server.send("A2 OK ok\r\n");
  await watched(noop);
  const lied = await talk({ capabilities: "IMAP4rev1" });
  const other = lied.client.append("INBOX", "Subject: x\r\n\r\n");
  await lied.server.line();
  await lied.server.send("A1 OK done\r\n");
  await assert.rejects(watched(other), RemoteProtocolError);
});

test("a million FETCHes that nobody asked for", async () => {
  const { client, server } = await talkInMailbox();
  const growth = await growthOf(async () => {
    const flooding = flood(server, "* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n", 1_000_000);
    assert.ok((await watched(client.closed)) instanceof RemoteProtocolError);
    await server.close();
    await flooding;
  });
  assert.ok(growth < 32 * mebi, `${growth}`);
});

test("messages that go without end, whatever EXISTS had said", async () => {
  const { client, server } = await talkInMailbox({ client: { maxUnclaimed: 1_000 } }, 4_000_000_000);
  const flooding = flood(server, "* 1 EXPUNGE\r\n", 100_000);
  assert.ok((await watched(client.closed)) instanceof RemoteProtocolError);
  await server.close();
  await flooding;
});

test("a LIST without end", async () => {
  const { client, server } = await talk({ client: { maxHeldBytes: 4 * mebi } });
  const growth = await growthOf(async () => {
    const listing = client.list();
    await server.command();
    let n = 0;
    const flooding = (async () => {
      try {
        for (;;) {
          let block = "";
          for (let at = 0; at < 1000; at += 1) block += `* LIST () "/" mailbox-${n + at}\r\n`;
          n += 1000;
          await server.send(block);
        }
      } catch {
        // The client has had enough.
      }
    })();
    await assert.rejects(watched(listing), LimitError);
    await server.close();
    await flooding;
  });
  assert.ok(growth < 32 * mebi, `${growth}`);
});

const limits: readonly (readonly [name: string, said: string, repeated: string])[] = [
  ["a line without an end", "* OK ", "x".repeat(1000)],
  ["a literal of 4 GiB that nobody asked for", "* 1 FETCH (UID 1 BODY[] {4294967296}\r\n", "x".repeat(1000)],
  ["a literal of 4 GiB in a list", '* LIST () "/" {4294967296}\r\n', "x".repeat(1000)],
  ["a response of many literals", "* 1 FETCH (", `BODY[1] {1000}\r\n${"x".repeat(1000)} `],
];

for (const [name, said, repeated] of limits) {
  test(`${name} ends in a LimitError`, async () => {
    const { client, server } = await talkInMailbox();
    const noop = client.noop();
    await server.command();
    const growth = await growthOf(async () => {
      const flooding = server.send(said).then(() => flood(server, repeated, 100_000));
      await assert.rejects(watched(noop), LimitError);
      await server.close();
      await flooding.catch(() => {});
    });
    assert.ok(growth < 32 * mebi, `${growth}`);
  });
}

test("many literals take linear time", async () => {
  const cpuOf = async (literals: number): Promise<number> => {
    const { client, server, mailbox } = await talkInMailbox();
    const items = "BODY[1] {1}\r\nx ".repeat(literals);
    const before = process.cpuUsage();
    const fetching = mailbox.fetch(1, ["BODY.PEEK[1]"]).all();
    const { tag } = await server.command();
    await server.send(`* 1 FETCH (UID 1 ${items})\r\n${tag} OK ok\r\n`);
    await watched(fetching);
    const { user, system } = process.cpuUsage(before);
    await client.close();
    return user + system;
  };
  const least = async (literals: number): Promise<number> =>
    Math.min(await cpuOf(literals), await cpuOf(literals), await cpuOf(literals));
  await least(5_000);
  // Eight times as many: 8 times the work where it is linear, 64 times where it is quadratic.
  const [one, eight] = [await least(5_000), await least(40_000)];
  assert.ok(eight < 24 * one, `${one} µs, then ${eight} µs`);
});

test("whatever a server says, only our errors come of it, and nothing hangs", async () => {
  const pieces = [
    "* ",
    "A1 ",
    "OK ",
    "NO",
    "[",
    "]",
    "\r\n",
    "+ ",
    "{3}\r\n",
    "FETCH ",
    "(",
    ")",
    '"',
    "1 ",
    "UID ",
    "BODY[]",
    "SEARCH",
    "é",
  ];
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (let round = 0; round < 150; round += 1) {
    const [near, far] = memoryPair({});
    const server = new Scripted(far);
    await server.send("* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n");
    const client = await ImapClient.over(near, { allowPreauth: true, enable: [] });
    const work = client
      .select("INBOX")
      .then(async (box) => await box.fetch("1:*", ["FLAGS", "BODY[]"]).all());
    const said = Array.from({ length: 30 }, () => pieces[random(pieces.length)]).join("");
    await server.send(`* 2 EXISTS\r\n${random(2) === 0 ? "A1 OK ok\r\n" : ""}${said}`);
    await server.stream.transport.end();
    await watched(work).catch((error: unknown) => assert.ok(error instanceof HawserError, String(error)));
    await client.close();
    await server.close();
  }
});
