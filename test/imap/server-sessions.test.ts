/** Several sessions on one mailbox: sequence numbers, expunges, what is recent. RFC 9051 section 7.5.1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, stage } from "./server-support.js";

const five = ["one", "two", "three", "four", "five"].map((subject) => message(subject));

test("an expunge is not told while FETCH, STORE or SEARCH is answered", async () => {
  await using on = stage(five);
  const one = await on.selected();
  const other = await on.selected();
  await one.ok("STORE 2,4 +FLAGS.SILENT (\\Deleted)");
  assert.deepEqual(await one.told("EXPUNGE"), ["* 2 EXPUNGE", "* 3 EXPUNGE"]);
  // The numbers of the other session are as they were.
  assert.deepEqual(await other.send("FETCH 3,5 (UID)"), [
    "* 3 FETCH (UID 3)",
    "* 5 FETCH (UID 5)",
    "OK FETCH completed",
  ]);
  assert.match((await other.send("FETCH 1:5 (UID)")).at(-1) ?? "", /^OK \[EXPUNGEISSUED\]/);
  assert.deepEqual(await other.told("SEARCH ALL"), ["* SEARCH 1 3 5"]);
  assert.deepEqual(await other.told("STORE 5 +FLAGS (\\Seen)"), ["* 5 FETCH (FLAGS (\\Seen))"]);
  assert.match((await other.send("STORE 2 +FLAGS (\\Seen)")).at(-1) ?? "", /^OK \[EXPUNGEISSUED\]/);
  assert.deepEqual(await other.told("NOOP"), ["* 2 EXPUNGE", "* 3 EXPUNGE"]);
  assert.deepEqual(await other.told("FETCH 1:* (UID)"), [
    "* 1 FETCH (UID 1)",
    "* 2 FETCH (UID 3)",
    "* 3 FETCH (UID 5)",
  ]);
  assert.deepEqual(await one.told("NOOP"), ["* 3 FETCH (FLAGS (\\Seen \\Recent))"]);
});

test("UID commands may tell of expunges, and only then", async () => {
  await using on = stage(five);
  const one = await on.selected();
  const other = await on.selected();
  await one.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
  await one.ok("UID EXPUNGE 1:5");
  assert.deepEqual(await other.told("UID FETCH 2 (FLAGS)"), ["* 2 FETCH (UID 2 FLAGS ())", "* 1 EXPUNGE"]);
});

test("a message that comes while another is expunged", async () => {
  await using on = stage(five);
  const one = await on.selected();
  const inbox = await on.store.mailbox("alice", "INBOX");
  await on.store.expunge(inbox?.mailboxId ?? "", [{ first: 1, last: 2 }], { all: true });
  await on.store.deliver("alice", { content: Buffer.from(message("six")) });
  assert.deepEqual(await one.told("FETCH 5 (UID)"), ["* 5 FETCH (UID 5)", "* 6 EXISTS", "* 6 RECENT"]);
  assert.deepEqual(await one.told("NOOP"), ["* 1 EXPUNGE", "* 1 EXPUNGE"]);
  assert.deepEqual(await one.told("FETCH 4 (UID)"), ["* 4 FETCH (UID 6)"]);
});

test("what came and went before anybody was told is no news", async () => {
  await using on = stage(five);
  const one = await on.selected();
  const inbox = await on.store.mailbox("alice", "INBOX");
  await on.store.deliver("alice", { content: Buffer.from(message("six")) });
  await on.store.expunge(inbox?.mailboxId ?? "", [{ first: 6, last: 6 }], { all: true });
  assert.deepEqual(await one.told("NOOP"), []);
});

test("each message is recent in one session", async () => {
  await using on = stage(five.slice(0, 2));
  const one = await on.selected();
  const other = await on.client();
  assert.ok((await other.ok("SELECT INBOX")).includes("* 0 RECENT"));
  await on.store.deliver("alice", { content: Buffer.from(message("new")) });
  assert.deepEqual(await other.told("NOOP"), ["* 3 EXISTS", "* 1 RECENT"]);
  assert.deepEqual(await one.told("NOOP"), ["* 3 EXISTS", "* 2 RECENT"]);
  assert.deepEqual(await one.told("SEARCH RECENT"), ["* SEARCH 1 2"]);
  assert.deepEqual(await other.told("SEARCH NEW"), ["* SEARCH 3"]);
});

test("a mailbox that is deleted is empty to those who have it selected", async () => {
  await using on = stage();
  const one = await on.client();
  await one.ok("CREATE gone");
  await one.ok("APPEND gone {5+}\r\nhello");
  await one.ok("SELECT gone");
  const other = await on.client();
  await other.ok("DELETE gone");
  assert.deepEqual(await one.told("NOOP"), ["* 1 EXPUNGE"]);
  assert.match(await one.refused("FETCH 1:* FLAGS"), /^NO \[NONEXISTENT\]/);
  await one.ok("CLOSE");
});

test("keywords are named before they are used", async () => {
  await using on = stage(five);
  const one = await on.selected();
  const other = await on.selected();
  const told = await one.told("STORE 1 +FLAGS ($Done)");
  assert.deepEqual(told, [
    "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen $Done)",
    "* 1 FETCH (FLAGS ($Done \\Recent))",
  ]);
  assert.deepEqual(await other.told("NOOP"), [
    "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen $Done)",
    "* 1 FETCH (FLAGS ($Done))",
  ]);
});

test("MOVE: COPYUID first, then the expunges", async () => {
  await using on = stage(five);
  const one = await on.selected();
  await one.ok("CREATE to");
  assert.match(await one.refused("MOVE 1 nowhere"), /^NO \[TRYCREATE\]/);
  const told = await one.told("MOVE 2:3 to");
  assert.match(told[0] ?? "", /^\* OK \[COPYUID \d+ 2:3 1:2\]/);
  assert.deepEqual(told.slice(1), ["* 2 EXPUNGE", "* 2 EXPUNGE"]);
  assert.match((await one.ok("UID COPY 4 to")).at(-1) ?? "", /^OK \[COPYUID \d+ 4 3\] UID COPY completed/);
});

test("numbers that are not there are refused, and * in an empty mailbox is nobody", async () => {
  await using on = stage(five);
  const one = await on.selected();
  assert.match(await one.refused("FETCH 6 FLAGS"), /^BAD there is no message of this number/);
  assert.deepEqual(await one.told("FETCH 9:* (UID)"), ["* 5 FETCH (UID 5)"]);
  assert.deepEqual(await one.told("UID FETCH 9:* (UID)"), ["* 5 FETCH (UID 5)"]);
  assert.deepEqual(await one.told("UID FETCH 77 (FLAGS)"), []);
  const bob = await on.client("bob");
  await bob.ok("SELECT INBOX");
  assert.deepEqual(await bob.told("FETCH 1:* FLAGS"), []);
  assert.deepEqual(await bob.told("UID FETCH 1:* FLAGS"), []);
  assert.match(await bob.refused("FETCH 1 FLAGS"), /^BAD/);
});
