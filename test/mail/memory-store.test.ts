/** The store in memory: the contract, and what it has besides. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineError } from "../../src/core/errors.js";
import { MemoryMailStore } from "../../src/mail/memory-store.js";
import { allUids, MailStoreError } from "../../src/mail/store.js";
import { mail, storeContract } from "./store-contract.js";

const alice = "alice@example.test";

storeContract("MemoryMailStore", async (limits) =>
  MemoryMailStore.of({ [alice]: [], "bob@example.test": [] }, { limits }),
);

test("MemoryMailStore: begins with messages", async () => {
  const store = MemoryMailStore.of({
    [alice]: [
      "Subject: ü\r\n\r\n",
      Buffer.from("raw"),
      { content: "x", flags: ["\\Seen"], internalDate: new Date(0) },
    ],
  });
  const { mailboxId } = (await store.mailbox(alice, "INBOX")) ?? { mailboxId: "" };
  const list = await store.list(mailboxId);
  assert.deepEqual(
    list.map((each) => [each.sizeOctets, each.flags]),
    [
      [15, []],
      [3, []],
      [1, ["\\Seen"]],
    ],
  );
  assert.equal(list[2]?.internalDate.getTime(), 0);
});

test("MemoryMailStore: the inbox hands out each message once, and waits", async () => {
  const store = MemoryMailStore.of({ [alice]: ["seeded"] });
  const inbox = store.inbox(alice);
  const waiting = [
    inbox.next({ timeoutMs: 5000 }),
    store.inbox(alice.toUpperCase()).next({ timeoutMs: 5000 }),
  ];
  await store.deliver(alice, mail("one"));
  await store.deliver(alice, mail("two"));
  await store.deliver(alice, mail("three"));
  assert.deepEqual(
    (await Promise.all(waiting)).map((each) => each.text),
    ["one", "two"],
  );
  for await (const { text } of inbox) {
    assert.equal(text, "three");
    break;
  }
});

test("MemoryMailStore: waiting ends with the clock or the signal, and loses no message", async () => {
  const store = MemoryMailStore.of({ [alice]: [] });
  const inbox = store.inbox(alice);
  await assert.rejects(inbox.next({ timeoutMs: 1 }), DeadlineError);
  const abort = new AbortController();
  const waiting = inbox.next({ signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await store.deliver(alice, mail("kept"));
  await assert.rejects(inbox.next({ signal: abort.signal }), /enough/);
  assert.equal((await inbox.next({ timeoutMs: 5000 })).text, "kept");
});

test("MemoryMailStore: a message that is expunged before it is handed out is passed over", async () => {
  const store = MemoryMailStore.of({ [alice]: [] });
  await store.deliver(alice, mail("gone"));
  const { mailboxId } = (await store.mailbox(alice, "INBOX")) ?? { mailboxId: "" };
  await store.expunge(mailboxId, allUids, { all: true });
  await store.deliver(alice, mail("there"));
  assert.equal((await store.inbox(alice).next({ timeoutMs: 5000 })).text, "there");
});

test("MemoryMailStore: aliases, details and domains", async () => {
  const store = MemoryMailStore.of(
    { [alice]: [], carol: [] },
    { aliases: { "Postmaster@example.test": alice }, domains: ["Example.test"] },
  );
  const table: readonly [string, string | undefined][] = [
    ["alice+lists@example.test", alice],
    ["postmaster@EXAMPLE.test", alice],
    ["carol@example.test", "carol"],
    ["carol+x@example.test", "carol"],
    ["carol@elsewhere.test", undefined],
    ["alice@elsewhere.test", undefined],
    ["carol", "carol"],
  ];
  for (const [recipient, user] of table) assert.equal(await store.resolve(recipient), user, recipient);
});

test("MemoryMailStore: acceptAny takes whatever comes, as a new user", async () => {
  const store = new MemoryMailStore({ acceptAny: true });
  const waiting = store.inbox("new@anywhere.test").next({ timeoutMs: 5000 });
  await store.deliver("new@anywhere.test", mail("hello"));
  assert.equal((await waiting).text, "hello");
  assert.equal(await store.resolve("local"), undefined);
  assert.throws(() => new MemoryMailStore().inbox("none"), MailStoreError);
});

test("MemoryMailStore: conversations have one thread", async () => {
  const store = MemoryMailStore.of({
    [alice]: [
      "Message-ID: <1@x>\r\n\r\n",
      "Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\n",
      "Message-ID: <3@x>\r\nReferences: <1@x>\r\n <2@x>\r\n\r\n",
      "Message-ID: <4@x>\r\n\r\n",
      "\r\n",
    ],
  });
  const { mailboxId } = (await store.mailbox(alice, "INBOX")) ?? { mailboxId: "" };
  const [a, b, c, d, e] = (await store.list(mailboxId)).map((each) => each.threadId);
  assert.deepEqual([b, c, e], [a, a, undefined]);
  assert.notEqual(a, d);
  for (const id of [a, d]) assert.match(id ?? "", /^[A-Za-z0-9_-]{1,255}$/);
});

test("MemoryMailStore: UIDVALIDITY ascends though the clock stands still", async () => {
  const store = new MemoryMailStore({ now: () => new Date(1_000_000) });
  await store.createUser("a");
  const { uidValidity } = await store.createMailbox("a", "x");
  await store.deleteMailbox("a", "x");
  assert.equal((await store.createMailbox("a", "x")).uidValidity, uidValidity + 1);
});

test("MemoryMailStore: onListenerError hears of listeners that throw", async () => {
  const errors: unknown[] = [];
  const store = MemoryMailStore.of({ [alice]: [] }, { onListenerError: (error) => errors.push(error) });
  using _ = store.subscribe(alice, () => {
    throw new Error("a listener's fault");
  });
  await store.deliver(alice, mail("x"));
  assert.match(String(errors[0]), /a listener's fault/);
});

/** Milliseconds, the best of three. */
async function best(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 3; count += 1) {
    const started = performance.now();
    await run();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

test("MemoryMailStore: 10,000 messages are cheap", async () => {
  const seed = Array.from({ length: 10_000 }, (_, index) => `Subject: ${index}\r\n\r\nbody\r\n`);
  const store = MemoryMailStore.of({ [alice]: seed });
  const { mailboxId } = (await store.mailbox(alice, "INBOX")) ?? { mailboxId: "" };
  const listing = await best(async () => {
    await store.status(mailboxId);
    return (await store.list(mailboxId)).map((each) => each.flags.length);
  });
  assert.ok(listing < 100, `listing took ${listing} ms`);
  const singles = await best(async () => {
    for (let uid = 1; uid <= 10_000; uid += 1) await store.list(mailboxId, [{ first: uid, last: uid }]);
  });
  assert.ok(singles < 1000, `10,000 look-ups took ${singles} ms`);
  let mode: "add" | "remove" = "remove";
  const flags = await best(() => {
    mode = mode === "add" ? "remove" : "add";
    return store.storeFlags(mailboxId, allUids, { mode, flags: ["\\Seen"] });
  });
  assert.ok(flags < 1000, `flags took ${flags} ms`);
});

test("MemoryMailStore: a stream in small chunks costs time in proportion to its bytes", async () => {
  const store = MemoryMailStore.of({ [alice]: [] });
  const chunk = Buffer.alloc(16, "x");
  async function* many(count: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < count; at += 1) yield chunk;
  }
  const time = (count: number): Promise<number> => best(() => store.deliver(alice, { content: many(count) }));
  await time(4000);
  const [short, long] = [await time(4000), await time(32_000)];
  assert.ok(long < 8 * 4 * short + 50, `${short} ms became ${long} ms`);
});
