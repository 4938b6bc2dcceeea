/** What every mail store must do. A store's test calls this with a factory that makes it empty but for its users. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allUids,
  type MailChange,
  type MailStore,
  MailStoreError,
  type MailStoreLimits,
  type MailStoreReason,
  type MessageInfo,
  type NewMessage,
  type UidRange,
} from "../../src/mail/store.js";
import { watch } from "../../src/mail/watch.js";

/** Makes a store with the users `alice@example.test` and `bob@example.test` and nothing else. */
export type StoreFactory = (limits?: Partial<MailStoreLimits>) => Promise<MailStore>;

const alice = "alice@example.test";
const bob = "bob@example.test";

export function mail(text: string, more: Omit<NewMessage, "content"> = {}): NewMessage {
  return { content: Buffer.from(text), ...more };
}

const range = (first: number, last: number = first): readonly UidRange[] => [{ first, last }];

function refuses(reason: MailStoreReason): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MailStoreError);
    assert.equal(error.reason, reason);
    assert.deepEqual([error.code, error.sent, error.usable], ["HAWSER_MAIL_STORE", "no", true]);
    return true;
  };
}

const uidsOf = (messages: readonly MessageInfo[]): readonly number[] =>
  messages.map((message) => message.uid);

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

export function storeContract(name: string, make: StoreFactory): void {
  const it = (what: string, run: (store: MailStore, inbox: string) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      await using store = await make();
      const inbox = await store.mailbox(alice, "INBOX");
      assert.ok(inbox !== undefined);
      await run(store, inbox.mailboxId);
    });
  };

  it("users and who is meant by an address", async (store) => {
    assert.deepEqual(await store.users(), [alice, bob]);
    assert.equal(await store.resolve("Alice@EXAMPLE.test"), alice);
    for (const nobody of [
      "carol@example.test",
      "alice",
      "alice@other.test",
      "",
      "@",
      "a%example.test@example.test",
    ])
      assert.equal(await store.resolve(nobody), undefined);
    await assert.rejects(store.createUser(alice.toUpperCase()), refuses("exists"));
    await assert.rejects(store.createUser("a\r\nb"), refuses("bad-name"));
    await store.createUser("carol");
    assert.equal((await store.mailboxes("carol"))[0]?.name, "INBOX");
    await store.deleteUser("carol");
    await assert.rejects(store.mailboxes("carol"), refuses("no-user"));
  });

  it("a message is kept byte for byte", async (store, inbox) => {
    const bytes = Uint8Array.from({ length: 256 * 5 }, (_, index) => index % 256);
    await store.append(inbox, { content: bytes });
    bytes.fill(0);
    const content = await store.open(inbox, 1);
    assert.deepEqual(
      [...((await content?.bytes()) ?? [])].slice(250, 260),
      [250, 251, 252, 253, 254, 255, 0, 1, 2, 3],
    );
    assert.equal(content?.sizeOctets, 1280);
    assert.deepEqual([...((await content?.bytes(254, 258)) ?? [])], [254, 255, 0, 1]);
    assert.equal((await content?.bytes(1270, 9999))?.length, 10);
    assert.equal((await content?.bytes(20, 10))?.length, 0);
    const parts: Uint8Array[] = [];
    for await (const part of content?.stream(1, 1279) ?? []) parts.push(part);
    assert.deepEqual(Buffer.concat(parts), Buffer.from(await content.bytes()).subarray(1, 1279));
    assert.equal(await store.open(inbox, 2), undefined);
  });

  it("a streamed message is kept whole, whatever its chunks, and its chunks may be reused", async (store, inbox) => {
    const shared = new Uint8Array(1);
    async function* byteByByte(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 10_000; at += 1) {
        shared[0] = at % 251;
        yield shared;
      }
    }
    await store.append(inbox, { content: byteByByte(), sizeOctets: 10_000 });
    const bytes = (await (await store.open(inbox, 1))?.bytes()) ?? new Uint8Array(0);
    assert.deepEqual(bytes, Buffer.from(Uint8Array.from({ length: 10_000 }, (_, at) => at % 251)));
  });

  it("an append answers UIDs, and lists in their order", async (store, inbox) => {
    const date = new Date("2020-01-02T03:04:05Z");
    const envelope = {
      mailFrom: "",
      rcptTo: [alice],
      receivedAt: date,
      helo: "client.test",
      remoteAddress: "::1",
    };
    const first = await store.append(inbox, [
      mail("a"),
      mail("bb", { flags: ["\\seen", "$Work"], internalDate: date }),
    ]);
    const second = await store.append(inbox, mail("ccc", { envelope }));
    assert.deepEqual(
      [first.uids, second.uids, second.uidValidity === first.uidValidity],
      [[1, 2], [3], true],
    );
    const all = await store.list(inbox);
    assert.deepEqual(
      all.map((each) => [each.uid, each.sizeOctets, each.flags]),
      [
        [1, 1, []],
        [2, 2, ["\\Seen", "$Work"]],
        [3, 3, []],
      ],
    );
    assert.deepEqual([all[1]?.internalDate, all[2]?.internalDate, all[2]?.envelope], [date, date, envelope]);
    assert.ok(all[0] !== undefined && all[0].saveDate instanceof Date);
    const status = await store.status(inbox);
    assert.deepEqual([status.messages, status.unseen, status.sizeOctets, status.uidNext], [3, 2, 6, 4]);
    assert.deepEqual(status.keywords, ["$Work"]);
  });

  it("ranges are looked up and never expanded", async (store, inbox) => {
    await store.append(
      inbox,
      Array.from({ length: 10 }, (_, index) => mail(`${index}`)),
    );
    const list = async (...ranges: UidRange[]): Promise<readonly number[]> =>
      uidsOf(await store.list(inbox, ranges));
    assert.deepEqual(await list(), []);
    assert.deepEqual(await list({ first: 9, last: 4_294_967_295 }), [9, 10]);
    assert.deepEqual(
      await list({ first: 9, last: Number.POSITIVE_INFINITY }, { first: 2, last: 3 }, { first: 3, last: 4 }),
      [2, 3, 4, 9, 10],
    );
    assert.deepEqual(await list({ first: 5, last: 4 }), []);
    assert.deepEqual(uidsOf(await store.list(inbox, allUids, { limit: 3 })), [1, 2, 3]);
  });

  it("an append is all or nothing", async (store, inbox) => {
    const heard: MailChange[] = [];
    using _ = store.subscribe(alice, (change) => heard.push(change));
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x");
      throw new Error("the source broke");
    }
    await assert.rejects(store.append(inbox, [mail("a"), { content: failing() }]), /the source broke/);
    await assert.rejects(
      store.append(inbox, [mail("a"), mail("b", { flags: ["\\Recent"] })]),
      refuses("bad-flag"),
    );
    await assert.rejects(store.append(inbox, mail("a", { sizeOctets: 2 })), refuses("size-mismatch"));
    await assert.rejects(
      store.append(inbox, { content: chunks("ab", "c"), sizeOctets: 2 }),
      refuses("size-mismatch"),
    );
    await assert.rejects(store.append("none", mail("a")), refuses("no-mailbox"));
    const signal = AbortSignal.abort(new Error("given up"));
    await assert.rejects(store.append(inbox, { content: chunks("a") }, { signal }), /given up/);
    assert.deepEqual([await store.list(inbox), heard], [[], []]);
    assert.equal((await store.status(inbox)).uidNext, 1);
  });

  test(`${name}: a message larger than the limit is refused while it comes`, async () => {
    await using store = await make({ maxMessageOctets: 10 });
    const id = (await store.mailbox(alice, "inbox"))?.mailboxId ?? "";
    let pulled = 0;
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (; pulled < 1000; pulled += 1) yield Buffer.from("1234");
      } finally {
        ended = true;
      }
    }
    await assert.rejects(store.append(id, { content: endless() }), refuses("too-large"));
    assert.deepEqual([ended, pulled], [true, 2]);
    await assert.rejects(store.append(id, mail("12345678901")), refuses("too-large"));
    await store.append(id, mail("1234567890"));
    await assert.rejects(store.deliver(alice, mail("12345678901")), refuses("too-large"));
  });

  it("flags are set, added, removed", async (store, inbox) => {
    await store.append(inbox, [mail("a", { flags: ["\\Seen"] }), mail("b"), mail("c")]);
    const before = await store.status(inbox);
    const added = await store.storeFlags(inbox, range(1, 2), { mode: "add", flags: ["\\SEEN", "$Junk"] });
    assert.deepEqual(
      added.changed.map((each) => each.flags),
      [
        ["\\Seen", "$Junk"],
        ["\\Seen", "$Junk"],
      ],
    );
    const again = await store.storeFlags(inbox, range(1, 9), { mode: "add", flags: ["$jUNK"] });
    assert.deepEqual([uidsOf(again.changed), uidsOf(again.unchanged)], [[3], [1, 2]]);
    assert.deepEqual(again.changed[0]?.flags, ["$Junk"]);
    await store.storeFlags(inbox, range(2), { mode: "remove", flags: ["\\Seen"] });
    await store.storeFlags(inbox, range(3), { mode: "set", flags: ["\\Deleted", "\\Deleted"] });
    assert.deepEqual(
      (await store.list(inbox)).map((each) => each.flags),
      [["\\Seen", "$Junk"], ["$Junk"], ["\\Deleted"]],
    );
    const status = await store.status(inbox);
    assert.deepEqual([status.unseen, status.deleted, status.deletedOctets], [2, 1, 1]);
    assert.equal(status.highestModSeq, before.highestModSeq + 4n);
    for (const flag of ["\\Recent", "\\None", "a b", "", "a\r\n", "a(", "ü", "\\"])
      await assert.rejects(
        store.storeFlags(inbox, allUids, { mode: "add", flags: ["$ok", flag] }),
        refuses("bad-flag"),
      );
    assert.equal((await store.status(inbox)).highestModSeq, status.highestModSeq);
  });

  it("what was listed does not change under its reader", async (store, inbox) => {
    await store.append(inbox, mail("a"));
    const [listed] = await store.list(inbox);
    const content = await store.open(inbox, 1);
    await store.storeFlags(inbox, allUids, { mode: "set", flags: ["\\Deleted"] });
    await store.expunge(inbox);
    assert.deepEqual(listed?.flags, []);
    assert.equal(Buffer.from((await content?.bytes()) ?? "").toString(), "a");
  });

  it("CONDSTORE: unchangedSince and changedSince", async (store, inbox) => {
    await store.append(inbox, [mail("a"), mail("b")]);
    const { highestModSeq } = await store.status(inbox);
    await store.storeFlags(inbox, range(1), { mode: "add", flags: ["\\Seen"] });
    const result = await store.storeFlags(inbox, allUids, {
      ...{ mode: "add", flags: ["\\Flagged"], unchangedSince: highestModSeq },
    });
    assert.deepEqual([uidsOf(result.changed), result.failed], [[2], [1]]);
    assert.deepEqual(uidsOf(await store.list(inbox, allUids, { changedSince: highestModSeq })), [1, 2]);
    assert.deepEqual(uidsOf(await store.list(inbox, allUids, { changedSince: highestModSeq + 1n })), [2]);
  });

  it("expunge, and what is remembered of it", async (store, inbox) => {
    await store.append(
      inbox,
      Array.from({ length: 6 }, (_, at) => mail(`${at}`, { flags: at % 2 === 0 ? ["\\Deleted"] : [] })),
    );
    const { highestModSeq } = await store.status(inbox);
    const one = await store.expunge(inbox, range(3, 6));
    assert.deepEqual(one.uids, [
      { first: 3, last: 3 },
      { first: 5, last: 5 },
    ]);
    const two = await store.expunge(inbox, range(4, 6), { all: true });
    assert.deepEqual(two.uids, [
      { first: 4, last: 4 },
      { first: 6, last: 6 },
    ]);
    assert.deepEqual((await store.expunge(inbox, range(3, 6))).uids, []);
    assert.deepEqual(uidsOf(await store.list(inbox)), [1, 2]);
    assert.deepEqual(await store.vanished(inbox, highestModSeq), [{ first: 3, last: 6 }]);
    assert.deepEqual(await store.vanished(inbox, one.modSeq), two.uids);
    assert.deepEqual(await store.vanished(inbox, 0n, range(1, 4)), [{ first: 3, last: 4 }]);
    assert.deepEqual(await store.vanished(inbox, two.modSeq), []);
    assert.deepEqual((await store.append(inbox, mail("new"))).uids, [7]);
  });

  it("copy and move", async (store, inbox) => {
    await store.createMailbox(alice, "Other");
    const other = (await store.mailbox(alice, "Other"))?.mailboxId ?? "";
    const internalDate = new Date("2001-02-03T04:05:06Z");
    await store.append(inbox, [mail("a"), mail("b", { flags: ["\\Seen", "$x"], internalDate }), mail("c")]);
    await store.append(other, mail("there already"));
    const copied = await store.copy(inbox, range(2, 9), other);
    assert.deepEqual(
      [copied.source, copied.destination],
      [
        [2, 3],
        [2, 3],
      ],
    );
    const [source] = await store.list(inbox, range(2));
    const [copy] = await store.list(other, range(2));
    assert.deepEqual(
      [copy?.flags, copy?.internalDate, copy?.emailId],
      [source?.flags, internalDate, source?.emailId],
    );
    const moved = await store.move(inbox, allUids, other);
    assert.deepEqual(
      [moved.source, moved.destination],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    );
    assert.deepEqual(await store.list(inbox), []);
    assert.deepEqual(uidsOf(await store.list(other)), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual((await store.copy(inbox, allUids, other)).source, []);
    assert.deepEqual((await store.move(other, range(1), other)).destination, [7]);
    await assert.rejects(store.copy(other, allUids, "none"), refuses("no-mailbox"));
  });

  it("mailboxes are made, renamed and deleted", async (store) => {
    const names = async (): Promise<readonly string[]> =>
      (await store.mailboxes(alice)).map((each) => each.name);
    const made = await store.createMailbox(alice, "a/b/Gr\u0075\u0308\u00dfe", { specialUse: ["\\Archive"] });
    assert.deepEqual([made.name, made.specialUse, made.subscribed], ["a/b/Grüße", ["\\Archive"], false]);
    assert.deepEqual(await names(), ["INBOX", "a", "a/b", "a/b/Grüße"]);
    await assert.rejects(store.createMailbox(alice, "a/b"), refuses("exists"));
    await assert.rejects(store.createMailbox(alice, "iNbOx"), refuses("exists"));
    assert.equal((await store.createMailbox(alice, "inbox/x")).name, "INBOX/x");
    const renamed = await store.renameMailbox(alice, "a/b", "c/d");
    assert.equal(renamed.name, "c/d");
    assert.deepEqual(await names(), ["INBOX", "INBOX/x", "a", "c", "c/d", "c/d/Grüße"]);
    assert.equal((await store.mailbox(alice, "c/d/Grüße"))?.mailboxId, made.mailboxId);
    await assert.rejects(store.renameMailbox(alice, "c", "c/d/e"), refuses("not-permitted"));
    await assert.rejects(store.renameMailbox(alice, "c", "a"), refuses("exists"));
    await assert.rejects(store.renameMailbox(alice, "none", "x"), refuses("no-mailbox"));
    await store.deleteMailbox(alice, "c");
    assert.deepEqual(await names(), ["INBOX", "INBOX/x", "a", "c/d", "c/d/Grüße"]);
    await assert.rejects(store.deleteMailbox(alice, "inbox"), refuses("not-permitted"));
    await assert.rejects(store.deleteMailbox(alice, "c"), refuses("no-mailbox"));
    for (const bad of ["", "/", "a//b", "a/", "/a", "a\r\nb", "a\0", "\ud800", "x".repeat(1001)])
      await assert.rejects(store.createMailbox(alice, bad), refuses("bad-name"));
  });

  it("a mailbox that is made again is another one", async (store) => {
    const first = await store.createMailbox(alice, "x");
    await store.append(first.mailboxId, mail("a"));
    await store.deleteMailbox(alice, "x");
    const second = await store.createMailbox(alice, "x");
    assert.ok(second.uidValidity > first.uidValidity);
    assert.notEqual(second.mailboxId, first.mailboxId);
    await assert.rejects(store.list(first.mailboxId), refuses("no-mailbox"));
    assert.equal((await store.quota(alice)).storageOctets.used, 0);
  });

  it("renaming INBOX moves its messages", async (store, inbox) => {
    await store.append(inbox, mail("a"));
    const { mailboxId } = await store.renameMailbox(alice, "INBOX", "old");
    assert.deepEqual([uidsOf(await store.list(inbox)), uidsOf(await store.list(mailboxId))], [[], [1]]);
  });

  it("subscriptions are names", async (store) => {
    await store.subscribeMailbox(alice, "none/yet", true);
    assert.deepEqual(await store.subscriptions(alice), ["INBOX", "none/yet"]);
    assert.equal((await store.createMailbox(alice, "none/yet")).subscribed, true);
    await store.subscribeMailbox(alice, "none/yet", false);
    assert.equal((await store.mailbox(alice, "none/yet"))?.subscribed, false);
  });

  it("recent messages are claimed once", async (store, inbox) => {
    await store.append(inbox, [mail("a"), mail("b")]);
    assert.equal(await store.claimRecent(inbox), 1);
    assert.equal(await store.claimRecent(inbox), 3);
    await store.append(inbox, mail("c"));
    assert.equal(await store.claimRecent(inbox), 3);
  });

  it("delivery: each recipient for itself, the content read once", async (store, inbox) => {
    await store.setQuota(bob, { storageOctets: 2 });
    const deliveries = await store.deliver([alice, bob, "nobody@example.test", "ALICE@example.test"], {
      content: chunks("a", "bc"),
    });
    assert.deepEqual(
      deliveries.map((each) => [each.recipient, each.user, each.error?.reason]),
      [
        [alice, alice, undefined],
        [bob, bob, "over-quota"],
        ["nobody@example.test", undefined, "no-user"],
        ["ALICE@example.test", alice, undefined],
      ],
    );
    assert.deepEqual(uidsOf(await store.list(inbox)), [1]);
  });

  it("quota is counted and kept", async (store, inbox) => {
    await store.append(inbox, mail("12345"));
    assert.deepEqual((await store.quota(alice)).storageOctets, { used: 5, limit: undefined });
    await store.setQuota(alice, { storageOctets: 9, messages: 2, mailboxes: 2 });
    await assert.rejects(store.append(inbox, mail("12345")), refuses("over-quota"));
    await assert.rejects(store.copy(inbox, allUids, inbox), refuses("over-quota"));
    await store.append(inbox, mail("1234"));
    await assert.rejects(store.append(inbox, mail("")), refuses("over-quota"));
    await store.createMailbox(alice, "x");
    await assert.rejects(store.createMailbox(alice, "y"), refuses("over-quota"));
    await store.expunge(inbox, range(1), { all: true });
    const { storageOctets, messages, mailboxes } = await store.quota(alice);
    assert.deepEqual(
      [storageOctets, messages, mailboxes],
      [
        { used: 4, limit: 9 },
        { used: 1, limit: 2 },
        { used: 2, limit: 2 },
      ],
    );
  });

  test(`${name}: the store's own limits`, async () => {
    await using store = await make({
      maxMailboxes: 2,
      maxKeywords: 2,
      maxNameOctets: 5,
      maxMetadataOctets: 3,
    });
    const id = (await store.mailbox(alice, "INBOX"))?.mailboxId ?? "";
    await assert.rejects(store.createMailbox(alice, "ü-üx"), refuses("bad-name"));
    await assert.rejects(store.createMailbox(alice, "a/b"), refuses("too-many"));
    assert.equal((await store.mailboxes(alice)).length, 1);
    await store.createMailbox(alice, "a");
    await assert.rejects(store.append(id, mail("", { flags: ["a", "b", "c"] })), refuses("too-many"));
    await store.append(id, mail("", { flags: ["a", "b", "A"] }));
    await assert.rejects(
      store.setMetadata(alice, id, "/private/x", Buffer.from("1234")),
      refuses("too-large"),
    );
  });

  it("metadata", async (store, inbox) => {
    await store.setMetadata(alice, inbox, "/Private/Comment", Buffer.from("mine"));
    await store.setMetadata(alice, undefined, "/shared/comment", Buffer.from("all"));
    assert.deepEqual(
      [...(await store.metadata(alice, inbox))].map(([key, value]) => [key, `${Buffer.from(value)}`]),
      [["/private/comment", "mine"]],
    );
    await store.setMetadata(alice, inbox, "/private/comment", undefined);
    assert.equal((await store.metadata(alice, inbox)).size, 0);
    for (const bad of ["", "x", "/private", "/private/", "/private//x", "/private/*", "/private/a\r\n"])
      await assert.rejects(store.setMetadata(alice, inbox, bad, Buffer.from("x")), refuses("bad-name"));
    await assert.rejects(store.metadata(bob, inbox), refuses("no-mailbox"));
  });

  it("the lock is one session's, and does not hold up deliveries", async (store, inbox) => {
    const lock = await store.lock(alice);
    await assert.rejects(store.lock(alice), refuses("in-use"));
    await using _ = await store.lock(bob);
    await store.deliver(alice, mail("a"));
    assert.deepEqual(uidsOf(await store.list(inbox)), [1]);
    await lock[Symbol.asyncDispose]();
    const next = await store.lock(alice);
    await lock[Symbol.asyncDispose]();
    await assert.rejects(store.lock(alice), refuses("in-use"));
    await next[Symbol.asyncDispose]();
  });

  it("changes are heard by every session, in order, with their origin", async (store, inbox) => {
    const heard: MailChange[][] = Array.from({ length: 50 }, () => []);
    const subscriptions = heard.map((list) => store.subscribe(alice, (change) => list.push(change)));
    const origin = {};
    await store.append(inbox, mail("a"), { origin });
    await store.storeFlags(inbox, allUids, { mode: "add", flags: ["\\Seen"] });
    await store.storeFlags(inbox, allUids, { mode: "add", flags: ["\\Seen"] });
    const x = await store.createMailbox(alice, "x");
    await store.move(inbox, allUids, x.mailboxId);
    await store.renameMailbox(alice, "x", "y");
    await store.deleteMailbox(alice, "y");
    await store.deliver(bob, mail("not alice's"));
    for (const subscription of subscriptions) subscription[Symbol.dispose]();
    await store.append(inbox, mail("unheard"));
    const types = [
      "messages",
      "flags",
      "mailbox-created",
      "messages",
      "expunged",
      "mailbox-renamed",
      "mailbox-deleted",
    ];
    for (const list of heard)
      assert.deepEqual(
        list.map((change) => change.type),
        types,
      );
    assert.ok(heard.flat().every((change) => change.user === alice));
    assert.equal(heard[0]?.[0]?.origin, origin);
    assert.equal(heard[0]?.[1]?.origin, undefined);
  });

  it("a change is whole when it is heard", async (store, inbox) => {
    const seen: Promise<readonly MessageInfo[]>[] = [];
    using _ = store.subscribe(alice, () => seen.push(store.list(inbox)));
    await store.append(inbox, [mail("a"), mail("b")]);
    await store.expunge(inbox, range(1), { all: true });
    assert.deepEqual((await Promise.all(seen)).map(uidsOf), [[1, 2], [2]]);
  });

  it("a listener that throws disturbs nobody", async (store, inbox) => {
    const heard: string[] = [];
    using _a = store.subscribe(alice, () => {
      throw new Error("a listener's fault");
    });
    using _b = store.subscribe(alice, (change) => heard.push(change.type));
    await store.append(inbox, mail("a"));
    assert.deepEqual(heard, ["messages"]);
  });

  it("watch: an iterable of changes that ends with the signal, and says when it overran", async (store, inbox) => {
    const abort = new AbortController();
    await using changes = watch(store, alice, { signal: abort.signal, maxQueued: 3 });
    await store.append(inbox, mail("a"));
    assert.equal((await changes.next()).value?.type, "messages");
    for (let count = 0; count < 5; count += 1) await store.append(inbox, mail("a"));
    assert.equal((await changes.next()).value?.type, "overrun");
    const waiting = [changes.next(), changes.next(), changes.next()];
    abort.abort(new Error("enough"));
    const results = await Promise.allSettled(waiting);
    assert.deepEqual(
      results.map((result) => result.status),
      ["fulfilled", "rejected", "rejected"],
    );
    await assert.rejects(changes.next(), /enough/);
  });

  it("many sessions append, flag, move and expunge at once: nothing is lost", async (store, inbox) => {
    const { mailboxId: other } = await store.createMailbox(alice, "other");
    const uids = new Set<number>();
    using _ = store.subscribe(alice, (change) => {
      if (change.type === "messages" && change.mailboxId === inbox)
        for (const { uid } of change.messages) uids.add(uid);
    });
    const session = async (number: number): Promise<void> => {
      for (let count = 0; count < 20; count += 1) {
        const { uids: own } = await store.append(inbox, { content: chunks(`${number}`, `${count}`) });
        const mine = range(own[0] ?? 0);
        await store.storeFlags(inbox, mine, { mode: "add", flags: ["\\Seen"] });
        if (count % 2 === 0) await store.move(inbox, mine, other);
        else await store.expunge(inbox, mine, { all: true });
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_unused, number) => session(number)));
    const [left, moved] = [await store.list(inbox), await store.list(other)];
    assert.deepEqual([uids.size, left.length, moved.length], [400, 0, 200]);
    assert.equal((await store.quota(alice)).messages.used, 200);
    assert.ok(moved.every((message, at) => message.uid === at + 1 && message.flags.includes("\\Seen")));
  });
}
