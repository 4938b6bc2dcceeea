/** FETCH: typed by its items, in any order of events, and never in its own way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitError, LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import type { Body } from "../../src/engine/body.js";
import type { Envelope } from "../../src/imap/types.js";
import { talkInMailbox, watched } from "./client-support.js";

const envelope = '(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)';

for (const fragmentBytes of [1, 7, 65_536]) {
  test(`messages are typed by the items, in fragments of ${fragmentBytes}`, async () => {
    const { server, mailbox } = await talkInMailbox({ fragmentBytes });
    const done = server.expect(
      "UID FETCH 1:* (UID FLAGS ENVELOPE RFC822.SIZE MODSEQ BODY.PEEK[] BODY[1.MIME]<0.3>)",
      `* 1 FETCH (UID 5 FLAGS (\\Seen) ENVELOPE ${envelope} RFC822.SIZE 9 MODSEQ (9007199254740993) BODY[] {3}\r\nabc BODY[1.MIME]<0> "x y")\r\n` +
        "* 2 FETCH (FLAGS (\\Flagged))\r\n" +
        `* 2 FETCH (BODY[1.MIME]<0> NIL BODY[] NIL MODSEQ (2) UID 6 FLAGS () RFC822.SIZE 0 ENVELOPE ${envelope})\r\n$ OK ok\r\n`,
    );
    const messages = await watched(
      mailbox
        .fetch("1:*", ["FLAGS", "ENVELOPE", "RFC822.SIZE", "MODSEQ", "BODY.PEEK[]", "BODY[1.MIME]<0.3>"])
        .all(),
    );
    await done;
    const [first, second] = messages;
    assert.equal(messages.length, 2);
    const typed: readonly string[] | undefined = first?.flags;
    assert.deepEqual(typed, ["\\Seen"]);
    const about: Envelope | undefined = first?.envelope;
    assert.equal(about?.subject, "s");
    assert.equal(first?.uid, 5);
    assert.equal(first?.sequence, 1);
    assert.equal(first?.modSeq, 9_007_199_254_740_993n);
    assert.deepEqual(first?.sections["BODY.PEEK[]"], new Uint8Array([97, 98, 99]));
    assert.equal(Buffer.from(first?.sections["BODY[1.MIME]<0.3>"] ?? []).toString(), "x y");
    assert.equal(second?.sections["BODY.PEEK[]"], null);
    assert.equal(second?.size, 0);
  });
}

test("what the server tells on its own does not answer a FETCH", async () => {
  const { server, mailbox } = await talkInMailbox();
  const done = server.expect(
    "UID FETCH 5 (UID ENVELOPE)",
    `* 1 FETCH (FLAGS (\\Seen) UID 5)\r\n* 2 FETCH (UID 6 ENVELOPE ${envelope})\r\n* 1 FETCH (UID 5 ENVELOPE ${envelope})\r\n$ OK ok\r\n`,
  );
  const found = await watched(mailbox.fetch(5, ["ENVELOPE"]).all());
  await done;
  assert.deepEqual(
    found.map(({ uid }) => uid),
    [5],
  );
});

test("an answer in several responses is put together; what never comes is named", async () => {
  const { server, mailbox } = await talkInMailbox();
  const done = server.expect(
    /UID FETCH/,
    `* 1 FETCH (UID 5 ENVELOPE ${envelope})\r\n* 2 FETCH (UID 6 ENVELOPE ${envelope})\r\n* 1 FETCH (UID 5 RFC822.SIZE 4)\r\n$ OK ok\r\n`,
  );
  const found = await watched(mailbox.fetch("1:*", ["ENVELOPE", "RFC822.SIZE"]).all());
  await done;
  assert.equal(found.length, 2);
  assert.equal(found[0]?.size, 4);
  assert.deepEqual(found[1]?.defects, ["size is missing"]);
});

test("several FETCHes at once each get their own", async () => {
  const { server, mailbox } = await talkInMailbox();
  const all = Promise.all([5, 6, 7].map((uid) => mailbox.fetchOne(uid, ["RFC822.SIZE"])));
  const tags: string[] = [];
  for (const uid of [5, 6, 7]) {
    const { tag, text } = await server.command();
    assert.equal(text, `UID FETCH ${uid} (UID RFC822.SIZE)`);
    tags.push(tag);
  }
  await server.send(
    [7, 5, 6].map((uid) => `* ${uid - 4} FETCH (UID ${uid} RFC822.SIZE ${uid})\r\n`).join("") +
      tags.map((tag) => `${tag} OK ok\r\n`).join(""),
  );
  assert.deepEqual(
    (await watched(all)).map((message) => message?.size),
    [5, 6, 7],
  );
});

test("a command inside the loop completes, however much is to come", async () => {
  const body = "x".repeat(64 * 1024);
  const { server, mailbox } = await talkInMailbox(
    { fragmentBytes: 65_536, client: { maxHeldBytes: 4_000_000 } },
    200,
  );
  const asked: string[] = [];
  const serving = server.serve((text) => {
    const [, set] = /^UID FETCH (\S+) /.exec(text) ?? [];
    if (set === undefined) return undefined;
    asked.push(set);
    const uids = set.split(",").flatMap((range) => {
      const [first = 0, last = first] = range.split(":").map(Number);
      return Array.from({ length: last - first + 1 }, (_, at) => first + at);
    });
    const answers = uids.map((uid) => `* ${uid} FETCH (UID ${uid} BODY[] {${body.length}}\r\n${body})\r\n`);
    return `${answers.join("")}$ OK ok\r\n`;
  });
  const seen: number[] = [];
  const loop = async (): Promise<void> => {
    for await (const { uid, sections } of mailbox.fetch("1:200", ["BODY.PEEK[]"])) {
      assert.equal(sections["BODY.PEEK[]"]?.length, body.length);
      seen.push(uid);
      if (seen.length % 50 === 1) await mailbox.store(uid, "add", ["\\Seen"]);
    }
  };
  await watched(loop());
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, at) => at + 1),
  );
  assert.ok(asked.length > 1, "what was let go was asked for again");
  await mailbox.selected;
  await server.close();
  await serving;
});

test("leaving the loop leaves the connection usable", async () => {
  const { client, server, mailbox } = await talkInMailbox({}, 1000);
  const serving = server.serve((text) =>
    /^UID FETCH/.test(text)
      ? `${Array.from({ length: 1000 }, (_, at) => `* ${at + 1} FETCH (UID ${at + 1} BODY[] {10}\r\n0123456789)\r\n`).join("")}$ OK ok\r\n`
      : undefined,
  );
  const work = async (): Promise<void> => {
    for await (const { uid } of mailbox.fetch("1:*", ["BODY.PEEK[]"])) if (uid === 2) break;
    await client.noop();
    for await (const { uid } of mailbox.fetch("1:*", ["BODY.PEEK[]"], { as: "stream" })) if (uid === 2) break;
    await client.noop();
  };
  await watched(work());
  await client.logout();
  await serving;
  assert.equal(await client.closed, undefined);
});

test("leaving the loop with more to come than may be drained closes the connection", async () => {
  const { client, server, mailbox } = await talkInMailbox(
    { fragmentBytes: 16_384, client: { maxDrainBytes: 100_000 } },
    1000,
  );
  const serving = server.serve((text) =>
    /^UID FETCH/.test(text)
      ? `${Array.from({ length: 1000 }, (_, at) => `* ${at + 1} FETCH (UID ${at + 1} BODY[] {1000}\r\n${"y".repeat(1000)})\r\n`).join("")}$ OK ok\r\n`
      : undefined,
  );
  for await (const { uid } of mailbox.fetch("1:*", ["BODY.PEEK[]"])) if (uid === 1) break;
  assert.ok((await watched(client.closed)) instanceof LimitError);
  await server.close();
  await serving;
});

test("sections stream; what the server sends behind them is there in the end", async () => {
  const { server, mailbox } = await talkInMailbox();
  const large = "z".repeat(2_000_000);
  const done = server.expect(
    "UID FETCH 5:6 (UID FLAGS BODY.PEEK[] BODY.PEEK[2])",
    `* 1 FETCH (UID 5 BODY[] {${large.length}}\r\n${large} BODY[2] "two" FLAGS (\\Seen))\r\n` +
      '* 2 FETCH (UID 6 FLAGS () BODY[] "small" BODY[2] NIL)\r\n$ OK ok\r\n',
  );
  const texts: string[][] = [];
  const loop = async (): Promise<void> => {
    const items = ["FLAGS", "BODY.PEEK[]", "BODY.PEEK[2]"] as const;
    for await (const message of mailbox.fetch("5:6", items, { as: "stream" })) {
      const whole: Body = message.sections["BODY.PEEK[]"];
      texts.push([await whole.text(), await message.sections["BODY.PEEK[2]"].text(), String(message.flags)]);
    }
  };
  await watched(loop());
  await done;
  assert.deepEqual(texts, [
    [large, "two", "\\Seen"],
    ["small", "", ""],
  ]);
});

test("a command while a streamed section is unread completes, and the section says so if it was too large", async () => {
  const { client, server, mailbox } = await talkInMailbox({
    fragmentBytes: 65_536,
    client: { maxHeldBytes: 1_000_000 },
  });
  const large = "z".repeat(4_000_000);
  const serving = server.serve((text) =>
    text.startsWith("UID FETCH")
      ? `* 1 FETCH (UID 5 BODY[] {${large.length}}\r\n${large})\r\n$ OK ok\r\n`
      : undefined,
  );
  const loop = async (): Promise<void> => {
    for await (const { sections } of mailbox.fetch(5, ["BODY.PEEK[]"], { as: "stream" })) {
      await client.noop();
      await assert.rejects(sections["BODY.PEEK[]"].bytes(), LimitError);
    }
    await client.noop();
  };
  await watched(loop());
  await client.logout();
  await serving;
});

test("a slow reader stops the reading, and nothing is lost", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  const large = Buffer.alloc(3_000_000, "q");
  const serving = (async () => {
    const { tag } = await server.command();
    await server.send(`* 1 FETCH (UID 5 BODY[] {${large.length}}\r\n`);
    for (let at = 0; at < large.length; at += 10_000) await server.send(large.subarray(at, at + 10_000));
    await server.send(`)\r\n${tag} OK ok\r\n`);
    await server.serve();
  })();
  const work = async (): Promise<void> => {
    for await (const { sections } of mailbox.fetch(5, ["BODY.PEEK[]"], { as: "stream" })) {
      let bytes = 0;
      for await (const piece of sections["BODY.PEEK[]"]) {
        bytes += piece.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(bytes, large.length);
    }
  };
  await watched(work());
  await client.logout();
  await serving;
});

test("a held section that is too large ends the loop, and the connection goes on", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  const large = "z".repeat(3_000_000);
  const serving = server.serve((text) =>
    text.startsWith("UID FETCH")
      ? `* 1 FETCH (UID 5 BODY[] {${large.length}}\r\n${large})\r\n$ OK ok\r\n`
      : undefined,
  );
  await assert.rejects(watched(mailbox.fetch(5, ["BODY.PEEK[]"], { maxBytes: 2_000_000 }).all()), LimitError);
  const [whole] = await watched(mailbox.fetch(5, ["BODY.PEEK[]"]).all());
  assert.equal(whole?.sections["BODY.PEEK[]"]?.length, large.length);
  await client.logout();
  await serving;
});

test("modifiers, sequence numbers, and sets of nothing", async () => {
  const { server, mailbox } = await talkInMailbox();
  const done = (async () => {
    await server.expect(
      "UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 5 VANISHED)",
      "* VANISHED (EARLIER) 2:3\r\n* 1 FETCH (UID 1 FLAGS () MODSEQ (6))\r\n$ OK ok\r\n",
    );
    await server.expect("FETCH 1:2 (UID FLAGS) (PARTIAL -1:-1)", "* 2 FETCH (UID 8 FLAGS ())\r\n$ OK ok\r\n");
    await server.expect("UID FETCH $ (UID FLAGS)", "* 2 FETCH (UID 8 FLAGS ())\r\n$ OK ok\r\n");
  })();
  const changes = mailbox.fetch("1:9", ["FLAGS"], { changedSince: 5n, vanished: true });
  assert.equal((await watched(changes.all())).length, 1);
  assert.equal(String(changes.vanished), "2:3");
  const last = mailbox.fetch("1:2", ["FLAGS"], { uid: false, partial: { first: -1, last: -1 } });
  assert.deepEqual((await watched(last.all()))[0]?.uid, 8);
  assert.equal((await watched(mailbox.fetch("$", ["FLAGS"]).all())).length, 1);
  assert.deepEqual(await mailbox.fetch([], ["FLAGS"]).all(), []);
  await done;
});

test("what is no item and no set is refused before a byte is sent", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  for (const item of [
    "NOTHING",
    "BODY[",
    "BODY[1.0]x",
    "BODY[1] UID",
    "FLAGS)",
    "BODY[HEADER.FIELDS (A\r\nB)]",
  ])
    assert.throws(() => mailbox.fetch("1", [item as "FLAGS"]), LocalProtocolError, item);
  for (const set of ["", "0", "a", "1;2", "1\r\n", "4294967296"])
    assert.throws(() => mailbox.fetch(set, ["FLAGS"]), LocalProtocolError, set);
  const next = server.expect("NOOP", "$ OK ok\r\n");
  await client.noop();
  await next;
});

test("far more answers than messages are a breach", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  const answers = Array.from({ length: 5_000 }, () => "* 1 FETCH (UID 1 FLAGS ())\r\n").join("");
  const serving = server.serve((text) =>
    text.startsWith("UID FETCH") ? `${answers}$ OK ok\r\n` : undefined,
  );
  await assert.rejects(watched(mailbox.fetch("1:*", ["FLAGS"]).all()), RemoteProtocolError);
  assert.ok((await client.closed) instanceof RemoteProtocolError);
  await server.close();
  await serving;
});
