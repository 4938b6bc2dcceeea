/** IDLE and NOTIFY: what is heard, what interrupts, and how it ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineError, LocalProtocolError } from "../../src/core/errors.js";
import type { MailboxEvent } from "../../src/imap/client-events.js";
import { allCapabilities, talk, talkInMailbox, watched } from "./client-support.js";

test("events come typed, and the signal ends IDLE in good order", async () => {
  const { client, server, mailbox } = await talkInMailbox({ fragmentBytes: 7 });
  const stop = new AbortController();
  const events: MailboxEvent[] = [];
  const listening = (async () => {
    for await (const event of mailbox.idle({ signal: stop.signal })) {
      events.push(event);
      if (events.length === 5) stop.abort();
    }
  })();
  const { tag, text } = await server.command();
  assert.equal(text, "IDLE");
  await server.send(
    "+ idling\r\n* 4 EXISTS\r\n* 2 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Seen) UID 5)\r\n* VANISHED 7:8\r\n* OK [ALERT] fire\r\n",
  );
  assert.equal(await server.line(), "DONE");
  await server.send(`${tag} OK done\r\n`);
  await watched(listening);
  assert.deepEqual(
    events.map(({ type }) => type),
    ["exists", "expunge", "fetch", "vanished", "alert"],
  );
  assert.equal(mailbox.exists, 1);
  const noop = client.noop();
  await server.expect("NOOP", "$ OK ok\r\n");
  await watched(noop);
});

test("a command ends IDLE for as long as it takes", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  const events = mailbox.idle();
  const first = events.next();
  const { tag } = await server.command();
  await server.send("+ idling\r\n* 9 EXISTS\r\n");
  assert.deepEqual((await watched(first)).value, { type: "exists", count: 9 });
  const all = Promise.all([client.noop(), client.status("a", ["MESSAGES"])]);
  assert.equal(await server.line(), "DONE");
  await server.send(`${tag} OK done\r\n`);
  await server.expect("NOOP", "* 10 EXISTS\r\n$ OK ok\r\n");
  await server.expect("STATUS a (MESSAGES)", "* STATUS a (MESSAGES 1)\r\n$ OK ok\r\n");
  await watched(all);
  assert.deepEqual((await watched(events.next())).value, { type: "exists", count: 10 });
  const again = await server.command();
  assert.equal(again.text, "IDLE");
  await server.send("+ idling\r\n");
  await events.return?.();
  assert.equal(await server.line(), "DONE");
  await server.send(`${again.tag} OK done\r\n`);
});

test("IDLE is begun anew in time, and a peer that is gone is found out", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  const events = mailbox.idle({ reissueMs: 20, replyMs: 40 });
  const next = events.next();
  next.catch(() => {});
  const first = await server.command();
  await server.send("+ idling\r\n");
  assert.equal(await server.line(), "DONE");
  await server.send(`${first.tag} OK done\r\n`);
  assert.equal((await server.command()).text, "IDLE");
  await server.send("+ idling\r\n");
  assert.equal(await server.line(), "DONE");
  // No answer any more: the peer is half open.
  await assert.rejects(watched(next), DeadlineError);
  assert.ok((await client.closed) instanceof DeadlineError);
  assert.throws(() => mailbox.idle({ reissueMs: 30 * 60_000 }), LocalProtocolError);
});

test("idle silence is no silence: replyMs counts for answers alone", async () => {
  const { server, mailbox } = await talkInMailbox({ client: { replyMs: 40 } });
  const events = mailbox.idle();
  const next = events.next();
  const { tag } = await server.command();
  await server.send("+ idling\r\n");
  await new Promise((resolve) => setTimeout(resolve, 120));
  await server.send("* 5 EXISTS\r\n");
  assert.equal((await watched(next)).done, false);
  await events.return?.();
  assert.equal(await server.line(), "DONE");
  await server.send(`${tag} OK ok\r\n`);
});

test("IDLE that is left before the server has agreed is ended when it does", async () => {
  const { server, mailbox } = await talkInMailbox();
  const events = mailbox.idle();
  const { tag } = await server.command();
  await events.return?.();
  await server.send("+ idling\r\n");
  assert.equal(await server.line(), "DONE");
  await server.send(`${tag} OK done\r\n`);
  assert.deepEqual(await watched(events.next()), { done: true, value: undefined });
});

test("events that nobody reads do not pile up", async () => {
  const { server, mailbox } = await talkInMailbox();
  const events = mailbox.idle();
  await server.command();
  await server.send(`+ idling\r\n${"* 1 FETCH (FLAGS (\\Seen))\r\n".repeat(25_000)}`);
  await server.send("* 77 EXISTS\r\n");
  const types = new Set<string>();
  for (;;) {
    const { value } = await watched(events.next());
    types.add(value.type);
    if (value.type === "exists") break;
  }
  assert.ok(types.has("overflow"));
  await events.return?.();
});

test("NOTIFY tells of other mailboxes without IDLE", async () => {
  const { client, server } = await talk({ capabilities: allCapabilities });
  const beginning = client.notify(
    [
      { mailboxes: "selected", events: ["MessageNew", "MessageExpunge"], fetch: ["FLAGS"] },
      { mailboxes: { subtree: ["a", "b c"] }, events: ["MessageNew", "MessageExpunge", "MailboxName"] },
      { mailboxes: "personal", events: [] },
    ],
    { status: true },
  );
  await server.expect(
    'NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge)) (subtree (a "b c") (MessageNew MessageExpunge MailboxName)) (personal NONE)',
    '* STATUS a (MESSAGES 1)\r\n$ OK ok\r\n* STATUS a (MESSAGES 2)\r\n* LIST (\\NoSelect) "/" new ("OLDNAME" (old))\r\n',
  );
  const events = await watched(beginning);
  const seen: MailboxEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen[1], { type: "status", mailbox: "a", status: { messages: 2 } });
  assert.deepEqual(seen[2], { type: "list", mailbox: "new", attributes: ["\\Noselect"], oldName: "old" });
  await server.expect("NOTIFY NONE", "$ OK ok\r\n");
  await client.close();
});
