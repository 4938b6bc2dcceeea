/** IDLE and NOTIFY hear of deliveries and of other sessions at once: RFC 9051 section 6.3.13, RFC 5465. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, message, stage } from "./server-support.js";

/** The bar is 200 ms; on a busy machine a test allows ten times that. */
const maxLatencyMs = 2000;

async function soon<T>(work: Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const value = await work;
  assert.ok(performance.now() - startedMs < maxLatencyMs, "news was late");
  return value;
}

async function idle(client: Client): Promise<void> {
  await client.write("idle IDLE\r\n");
  assert.equal(await client.line(), "+ idling");
}

test("IDLE hears of SMTP's deliveries", async () => {
  await using on = stage([message("one")]);
  const client = await on.selected();
  await idle(client);
  await on.store.deliver("alice", { content: Buffer.from(message("two")) });
  assert.equal(await soon(client.line()), "* 2 EXISTS");
  assert.equal(await client.line(), "* 2 RECENT");
  await client.write("DONE\r\n");
  assert.deepEqual(await client.answer("idle"), ["OK IDLE completed"]);
});

test("IDLE hears of flags and expunges by other sessions", async () => {
  await using on = stage([message("one"), message("two")]);
  const client = await on.selected();
  const other = await on.selected();
  await idle(client);
  await other.ok("STORE 2 +FLAGS (\\Deleted)");
  assert.equal(await soon(client.line()), "* 2 FETCH (FLAGS (\\Deleted \\Recent))");
  await other.ok("EXPUNGE");
  assert.equal(await soon(client.line()), "* 2 EXPUNGE");
});

test("what happened before IDLE is told as it begins", async () => {
  await using on = stage([message("one")]);
  const client = await on.selected();
  await on.store.deliver("alice", { content: Buffer.from(message("two")) });
  await idle(client);
  assert.equal(await client.line(), "* 2 EXISTS");
});

test("nothing is told between commands to those who have not asked", async () => {
  await using on = stage([message("one")]);
  const client = await on.selected();
  await on.store.deliver("alice", { content: Buffer.from(message("two")) });
  await client.write("a CAPABILITY\r\n");
  assert.match(await client.line(), /^\* CAPABILITY/);
  assert.equal(await client.line(), "* 2 EXISTS");
});

test("NOTIFY: the selected mailbox, with the items of new messages", async () => {
  await using on = stage([message("one")]);
  const client = await on.selected();
  await client.ok(
    "NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge FlagChange))",
  );
  await on.store.deliver("alice", { content: Buffer.from(message("two")) });
  assert.equal(await soon(client.line()), "* 2 EXISTS");
  assert.equal(await client.line(), "* 2 RECENT");
  assert.equal(
    await client.line(),
    "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (Subject)] {16}\r\nSubject: two\r\n\r\n)",
  );
  const other = await on.selected();
  await other.ok("STORE 1 +FLAGS (\\Deleted)");
  assert.equal(await soon(client.line()), "* 1 FETCH (FLAGS (\\Deleted \\Recent))");
  await other.ok("EXPUNGE");
  assert.equal(await soon(client.line()), "* 1 EXPUNGE");
});

test("NOTIFY: SELECTED-DELAYED keeps expunges back", async () => {
  await using on = stage([message("one"), message("two")]);
  const client = await on.selected();
  const other = await on.selected();
  await client.ok("NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge))");
  await other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
  await other.ok("EXPUNGE");
  await on.store.deliver("alice", { content: Buffer.from(message("three")) });
  const lines = await soon(client.until(/RECENT/));
  assert.deepEqual(lines.slice(-2), ["* 3 EXISTS", "* 3 RECENT"]);
  assert.ok(!lines.some((line) => line.endsWith("EXPUNGE")));
  assert.deepEqual(await client.told("NOOP"), ["* 1 EXPUNGE"]);
});

test("NOTIFY: other mailboxes by STATUS, their names by LIST", async () => {
  await using on = stage([message("one")]);
  const client = await on.client();
  const other = await on.client();
  await client.ok(
    "NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))",
  );
  await on.store.deliver("alice", { content: Buffer.from(message("two")) });
  assert.match(
    await soon(client.line()),
    /^\* STATUS INBOX \(MESSAGES 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 2\)$/,
  );
  await other.ok("CREATE new");
  assert.equal(await soon(client.line()), '* LIST () "/" new');
  await other.ok("RENAME new newer");
  assert.equal(await soon(client.line()), '* LIST () "/" newer ("OLDNAME" (new))');
  await other.ok("SUBSCRIBE newer");
  assert.equal(await soon(client.line()), '* LIST (\\Subscribed) "/" newer');
  await other.ok("DELETE newer");
  assert.equal(await soon(client.line()), '* LIST (\\NonExistent) "/" newer');
  await client.ok("CREATE own");
  await client.ok("NOTIFY NONE");
  await on.store.deliver("alice", { content: Buffer.from(message("three")) });
  assert.deepEqual(await client.told("NOOP"), []);
});

test("NOTIFY: the first filter counts, and STATUS tells how all stands", async () => {
  await using on = stage([message("one")]);
  await on.store.createMailbox("alice", "quiet");
  await on.store.createMailbox("alice", "quiet/deep");
  await on.store.createMailbox("alice", "loud");
  const client = await on.client();
  const told = await client.told(
    "NOTIFY SET STATUS (SUBTREE quiet NONE) (PERSONAL (MessageNew MessageExpunge))",
  );
  assert.deepEqual(
    told.map((line) => line.split(" ")[2]),
    ["INBOX", "loud"],
  );
});

test("NOTIFY: what cannot be", async () => {
  await using on = stage();
  const client = await on.client();
  assert.match(
    await client.refused("NOTIFY SET (PERSONAL (AnnotationChange))"),
    /^NO \[BADEVENT \(MessageNew /,
  );
  assert.match(await client.refused("NOTIFY SET (PERSONAL (FlagChange))"), /^BAD/);
  assert.match(await client.refused("NOTIFY SET (PERSONAL (MessageNew (UID) MessageExpunge))"), /^BAD/);
});

test("NOTIFY: a flood is cut short", async () => {
  await using on = stage();
  const client = await on.client();
  await client.ok("NOTIFY SET (PERSONAL (MailboxName))");
  for (let at = 0; at <= 1000; at += 1) await on.store.createMailbox("alice", `m${at}`);
  const lines = await client.until(/NOTIFICATIONOVERFLOW/);
  assert.ok(lines.length <= 1001);
});
