/** CONDSTORE and QRESYNC: RFC 7162, by its examples. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryMailStore } from "../../src/mail/index.js";
import { message, stage } from "./server-support.js";

const four = ["one", "two", "three", "four"].map((subject) => message(subject));

async function highest(store: MemoryMailStore): Promise<bigint> {
  return (await store.mailbox("alice", "INBOX"))?.highestModSeq ?? 0n;
}

test("SELECT tells HIGHESTMODSEQ, and each enabling command enables (section 3.1)", async () => {
  for (const command of [
    "SELECT INBOX (CONDSTORE)",
    "STATUS INBOX (HIGHESTMODSEQ)",
    "FETCH 1 (MODSEQ)",
    "FETCH 1 (FLAGS) (CHANGEDSINCE 1)",
    "STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)",
    "SEARCH MODSEQ 1",
    "ENABLE CONDSTORE",
  ]) {
    await using on = stage(four);
    const client = await on.selected();
    assert.doesNotMatch((await client.told("STORE 2 +FLAGS (\\Flagged)")).join(), /MODSEQ/);
    await client.ok(command);
    assert.match((await client.told("STORE 2 -FLAGS (\\Flagged)")).join(), /MODSEQ \(\d+\)/, command);
  }
});

test("the mod-sequence of a mailbox is told when CONDSTORE is enabled with it selected", async () => {
  await using on = stage(four);
  const client = await on.selected();
  assert.deepEqual(await client.told("ENABLE CONDSTORE"), [
    "* OK [HIGHESTMODSEQ 2] this far",
    "* ENABLED CONDSTORE",
  ]);
  assert.deepEqual(await client.told("ENABLE CONDSTORE"), ["* ENABLED"]);
});

test("UNCHANGEDSINCE: MODIFIED names what was left alone (section 3.1.3)", async () => {
  await using on = stage(four);
  const client = await on.selected();
  const other = await on.selected();
  await client.ok("ENABLE CONDSTORE");
  const modSeq = await highest(on.store);
  await other.ok("STORE 2,4 +FLAGS.SILENT (\\Flagged)");
  const lines = await client.send(`STORE 1:4 (UNCHANGEDSINCE ${modSeq}) +FLAGS.SILENT (\\Deleted)`);
  assert.equal(lines.at(-1), "OK [MODIFIED 2,4] some have changed since");
  assert.deepEqual(lines.slice(0, 2), [
    `* 1 FETCH (MODSEQ (${modSeq + 2n}))`,
    `* 3 FETCH (MODSEQ (${modSeq + 2n}))`,
  ]);
  assert.match(
    (await client.send(`UID STORE 2 (UNCHANGEDSINCE ${modSeq}) FLAGS ()`)).at(-1) ?? "",
    /^OK \[MODIFIED 2\]/,
  );
});

test("FETCH CHANGEDSINCE gives what has changed, with MODSEQ", async () => {
  await using on = stage(four);
  const client = await on.selected();
  const modSeq = await highest(on.store);
  await client.ok("STORE 3 +FLAGS.SILENT (\\Seen)");
  const want = modSeq + 1n;
  assert.deepEqual(await client.told(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq})`), [
    `* OK [HIGHESTMODSEQ ${want}] this far`,
    `* 3 FETCH (UID 3 MODSEQ (${want}) FLAGS (\\Seen \\Recent))`,
  ]);
});

test("SEARCH and SORT with MODSEQ tell the highest of what they found (section 3.1.5)", async () => {
  await using on = stage(four);
  const client = await on.selected();
  await client.ok("ENABLE CONDSTORE");
  await client.ok("STORE 2 +FLAGS.SILENT (\\Seen)");
  await client.ok("STORE 4 +FLAGS.SILENT (\\Seen)");
  const modSeq = await highest(on.store);
  assert.deepEqual(await client.told(`SEARCH MODSEQ ${modSeq - 1n}`), [`* SEARCH 2 4 (MODSEQ ${modSeq})`]);
  assert.deepEqual(await client.told(`SEARCH MODSEQ ${modSeq + 1n}`), ["* SEARCH"]);
  const [min = ""] = await client.told("SEARCH RETURN (MIN) MODSEQ 1 SEEN");
  assert.match(min, new RegExp(`MIN 2 MODSEQ ${modSeq - 1n}$`));
  const [all = ""] = await client.told("SEARCH RETURN (MIN COUNT) MODSEQ 1 SEEN");
  assert.match(all, new RegExp(`MIN 2 COUNT 2 MODSEQ ${modSeq}$`));
  assert.deepEqual(await client.told(`SORT (REVERSE ARRIVAL) UTF-8 MODSEQ ${modSeq}`), [
    `* SORT 4 (MODSEQ ${modSeq})`,
  ]);
});

test("QRESYNC: one SELECT resynchronizes (section 3.2.5)", async () => {
  await using on = stage(four);
  const client = await on.client();
  const info = await on.store.mailbox("alice", "INBOX");
  const [mailboxId, modSeq] = [info?.mailboxId ?? "", info?.highestModSeq ?? 0n];
  await on.store.expunge(mailboxId, [{ first: 2, last: 3 }], { all: true });
  await on.store.storeFlags(mailboxId, [{ first: 4, last: 4 }], { mode: "add", flags: ["\\Seen"] });
  await on.store.deliver("alice", { content: Buffer.from(message("five")) });
  const select = `SELECT INBOX (QRESYNC (${info?.uidValidity} ${modSeq}`;
  assert.match(await client.refused(`${select}))`), /^BAD ENABLE QRESYNC comes first/);
  assert.deepEqual(await client.told("ENABLE QRESYNC"), ["* ENABLED QRESYNC"]);
  const changes = [
    "* VANISHED (EARLIER) 2:3",
    `* 2 FETCH (UID 4 FLAGS (\\Seen \\Recent) MODSEQ (${modSeq + 2n}))`,
    `* 3 FETCH (UID 5 FLAGS (\\Recent) MODSEQ (${modSeq + 3n}))`,
  ];
  const told = await client.told(`${select}))`);
  assert.deepEqual(told.slice(-3), changes);
  assert.ok(told.includes("* 3 EXISTS"));
  const again = await client.told(`${select} 1:3 (1:2 1:2)))`);
  assert.equal(again[0], "* OK [CLOSED] the mailbox before is closed");
  assert.equal(again.at(-1), "* VANISHED (EARLIER) 2:3");
  const otherValidity = await client.told(`SELECT INBOX (QRESYNC (1 ${modSeq}))`);
  assert.ok(!otherValidity.some((line) => line.includes("VANISHED")));
});

test("QRESYNC: VANISHED in place of EXPUNGE, UIDs in FETCH (section 3.2.10)", async () => {
  await using on = stage(four);
  const client = await on.client();
  await client.ok("ENABLE QRESYNC");
  await client.ok("SELECT INBOX");
  const other = await on.selected();
  await other.ok("STORE 2:3 +FLAGS.SILENT (\\Deleted)");
  const modSeq = await highest(on.store);
  assert.deepEqual(await client.told("NOOP"), [
    `* 2 FETCH (UID 2 FLAGS (\\Deleted \\Recent) MODSEQ (${modSeq}))`,
    `* 3 FETCH (UID 3 FLAGS (\\Deleted \\Recent) MODSEQ (${modSeq}))`,
  ]);
  const lines = await client.send("EXPUNGE");
  assert.deepEqual(lines, ["* VANISHED 2:3", `OK [HIGHESTMODSEQ ${modSeq + 1n}] EXPUNGE completed`]);
  assert.deepEqual(await client.told("FETCH 2 (UID)"), ["* 2 FETCH (UID 4)"]);
  assert.deepEqual(await other.told("NOOP"), ["* 2 EXPUNGE", "* 2 EXPUNGE"]);
});

test("UID FETCH (CHANGEDSINCE VANISHED) (section 3.2.6)", async () => {
  await using on = stage(four);
  const client = await on.selected();
  const modSeq = await highest(on.store);
  const command = `UID FETCH 1:4 (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`;
  assert.match(await client.refused(command), /^BAD/);
  await client.ok("ENABLE QRESYNC");
  assert.match(await client.refused(`FETCH 1:4 (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`), /^BAD/);
  await client.ok("STORE 1,3 +FLAGS.SILENT (\\Deleted)");
  await client.ok("EXPUNGE");
  assert.deepEqual(await client.told(command), ["* VANISHED (EARLIER) 1,3"]);
  await client.ok("STORE 2 +FLAGS.SILENT (\\Deleted)");
  await client.ok("EXPUNGE");
  // The largest UID is gone, and 1:* means it all the same.
  const [vanished] = await client.told(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modSeq} VANISHED)`);
  assert.equal(vanished, "* VANISHED (EARLIER) 1,3:4");
});

test("after 100 changes in 10,000 one SELECT is enough", async () => {
  await using on = stage(Array.from({ length: 10_000 }, (_, index) => message(String(index))));
  const info = await on.store.mailbox("alice", "INBOX");
  const [mailboxId, modSeq] = [info?.mailboxId ?? "", info?.highestModSeq];
  for (let uid = 100; uid <= 5000; uid += 100)
    await on.store.expunge(mailboxId, [{ first: uid, last: uid }], { all: true });
  for (let uid = 5100; uid <= 10_000; uid += 100)
    await on.store.storeFlags(mailboxId, [{ first: uid, last: uid }], { mode: "add", flags: ["\\Seen"] });
  const client = await on.client();
  await client.ok("ENABLE QRESYNC");
  const told = await client.told(`SELECT INBOX (QRESYNC (${info?.uidValidity} ${modSeq}))`);
  assert.equal(told.filter((line) => line.includes("FETCH")).length, 50);
  const [vanished = ""] = told.filter((line) => line.includes("VANISHED"));
  assert.equal(vanished.split(",").length, 50);
});

test("mod-sequences beyond 2^53 are kept", async () => {
  await using on = stage(four);
  const client = await on.selected();
  assert.deepEqual(await client.told("SEARCH MODSEQ 9223372036854775806"), [
    "* OK [HIGHESTMODSEQ 2] this far",
    "* SEARCH",
  ]);
});
