/** Every command in every state: RFC 9051 section 3. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImapStore } from "../../src/imap/types-server.js";
import { message, stage } from "./server-support.js";

const N = "not authenticated";
const A = "authenticated";
const S = "selected";

/** A command, the states that it is for, and what it is answered there where that is not OK. */
const table: [command: string, states: string[], answer?: RegExp][] = [
  ["CAPABILITY", [N, A, S]],
  ["NOOP", [N, A, S]],
  ["LOGOUT", [N, A, S]],
  ["ID NIL", [N, A, S]],
  ["LOGIN alice secret", [N]],
  ["AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==", [N]],
  ["STARTTLS", [], /^BAD no STARTTLS here/],
  ["ENABLE CONDSTORE", [A, S]],
  ["UNAUTHENTICATE", [A, S]],
  ["COMPRESS DEFLATE", [A, S]],
  ["SELECT INBOX", [A, S]],
  ["EXAMINE INBOX", [A, S]],
  ["CREATE new", [A, S]],
  ["DELETE old", [A, S]],
  ["RENAME old older", [A, S]],
  ["SUBSCRIBE old", [A, S]],
  ["UNSUBSCRIBE old", [A, S]],
  ['LIST "" *', [A, S]],
  ['LSUB "" *', [A, S]],
  ["NAMESPACE", [A, S]],
  ["STATUS INBOX (MESSAGES)", [A, S]],
  ["APPEND INBOX {5+}\r\nhello", [A, S]],
  ["NOTIFY NONE", [A, S]],
  ['GETQUOTA ""', [A, S]],
  ["GETQUOTAROOT INBOX", [A, S]],
  ['SETQUOTA "" (STORAGE 5)', [A, S], /^NO \[NOPERM\]/],
  ["GETMETADATA INBOX /private/comment", [A, S]],
  ['SETMETADATA INBOX (/private/comment "x")', [A, S]],
  ["CHECK", [S]],
  ["CLOSE", [S]],
  ["UNSELECT", [S]],
  ["EXPUNGE", [S]],
  ["UID EXPUNGE 1", [S]],
  ["FETCH 1 FLAGS", [S]],
  ["UID FETCH 1 FLAGS", [S]],
  ["STORE 1 +FLAGS (\\Seen)", [S]],
  ["UID STORE 1 +FLAGS (\\Seen)", [S]],
  ["SEARCH ALL", [S]],
  ["UID SEARCH ALL", [S]],
  ["SORT (DATE) UTF-8 ALL", [S]],
  ["UID SORT (DATE) UTF-8 ALL", [S]],
  ["THREAD REFERENCES UTF-8 ALL", [S]],
  ["UID THREAD REFERENCES UTF-8 ALL", [S]],
  ["COPY 1 old", [S]],
  ["UID COPY 1 old", [S]],
  ["MOVE 1 old", [S]],
  ["UID MOVE 1 old", [S]],
  ["REPLACE 1 INBOX {5+}\r\nhello", [S]],
  ["UID REPLACE 1 INBOX {5+}\r\nhello", [S]],
  ["GETACL INBOX", [], /^BAD unknown command/],
  ["MYRIGHTS INBOX", [], /^BAD unknown command/],
  ["XYZZY", [], /^BAD unknown command/],
  ["UID NOOP", [], /^BAD unknown command/],
];

for (const state of [N, A, S]) {
  test(`every command in the state: ${state}`, async () => {
    for (const [command, states, answer = /^OK/] of table) {
      await using on = stage([message("one"), message("two")]);
      await on.store.createMailbox("alice", "old");
      const client = on.connect();
      await client.line();
      if (state !== N) await client.ok("LOGIN alice secret");
      if (state === S) await client.ok("SELECT INBOX");
      const last = (await client.send(command)).at(-1) ?? "";
      assert.match(last, states.includes(state) || states.length === 0 ? answer : /^BAD/, command);
      assert.deepEqual(on.errors, []);
    }
  });
}

test("IDLE is for those who have logged in, and DONE ends it", async () => {
  await using on = stage();
  const client = on.connect();
  await client.line();
  assert.match(await client.refused("IDLE"), /^BAD/);
  await client.ok("LOGIN alice secret");
  await client.write("i IDLE\r\n");
  assert.equal(await client.line(), "+ idling");
  await client.write("done\r\n");
  assert.deepEqual(await client.answer("i"), ["OK IDLE completed"]);
  await client.write("j IDLE\r\n");
  await client.line();
  await client.write("NOOP\r\n");
  assert.deepEqual(await client.answer("j"), ["BAD DONE ends IDLE"]);
});

test("a SELECT that fails leaves nothing selected", async () => {
  await using on = stage([message("one")]);
  const client = await on.selected();
  assert.match(await client.refused("SELECT nowhere"), /^NO \[NONEXISTENT\]/);
  assert.match(await client.refused("FETCH 1 FLAGS"), /^BAD FETCH is not for the state: authenticated/);
});

test("what is examined is not changed", async () => {
  await using on = stage([{ content: message("one"), flags: ["\\Deleted"] }]);
  await on.store.createMailbox("alice", "old");
  const client = await on.client();
  assert.match((await client.ok("EXAMINE INBOX")).at(-1) ?? "", /^OK \[READ-ONLY\]/);
  for (const command of ["STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 old"])
    assert.match(await client.refused(command), /^NO \[NOPERM\]/, command);
  assert.deepEqual(await client.told("FETCH 1 BODY[TEXT]"), ["* 1 FETCH (BODY[TEXT] {8}\r\nHello.\r\n)"]);
  await client.ok("CLOSE");
  assert.equal(
    (await on.store.status((await on.store.mailbox("alice", "INBOX"))?.mailboxId ?? "")).messages,
    1,
  );
});

test("what is hidden is unknown", async () => {
  await using on = stage([message("one")], { hide: ["MOVE", "IDLE", "IMAP4rev2", "COMPRESS"] });
  await on.store.createMailbox("alice", "old");
  const client = await on.selected();
  const [line = ""] = await client.told("CAPABILITY");
  assert.doesNotMatch(line, /MOVE|IDLE|rev2|COMPRESS/);
  for (const command of ["MOVE 1 old", "IDLE", "COMPRESS DEFLATE"])
    assert.match(await client.refused(command), /^BAD/, command);
  assert.deepEqual(await client.told("ENABLE IMAP4rev2"), ["* ENABLED"]);
});

test("capabilities come from the store's methods", async () => {
  await using full = stage();
  const { store: whole } = full;
  const needed = [
    ...["mailboxes", "mailbox", "status", "createMailbox", "deleteMailbox", "renameMailbox", "list", "open"],
    ...[
      "subscribeMailbox",
      "subscriptions",
      "claimRecent",
      "append",
      "storeFlags",
      "copy",
      "expunge",
      "subscribe",
    ],
  ] as const;
  const methods = needed.map((name) => [
    name,
    (whole[name as keyof typeof whole] as () => unknown).bind(whole),
  ]);
  const store = { limits: whole.limits, ...Object.fromEntries(methods) } as ImapStore;
  const handler = { open: () => ({ user: "alice", store }) };
  await using on = stage([], { store: undefined, handler });
  const client = await on.client();
  const [line = ""] = await client.told("CAPABILITY");
  assert.doesNotMatch(line, / (?:QRESYNC|QUOTA|METADATA|ACL)/);
  assert.match(
    (await full.client().then((other) => other.told("CAPABILITY")))[0] ?? "",
    / QRESYNC .*METADATA QUOTA/,
  );
  // A copy and an expunge stand in for the move that the store does not have.
  await client.ok("APPEND INBOX {5+}\r\nhello");
  await client.ok("CREATE to");
  await client.ok("SELECT INBOX");
  const moved = await client.told("MOVE 1 to");
  assert.match(moved[0] ?? "", /^\* OK \[COPYUID \d+ 1 1\]/);
  assert.deepEqual(moved.slice(1), ["* 1 EXPUNGE"]);
});

test("what a handler throws is not told", async () => {
  await using on = stage([message("one")]);
  const client = await on.selected();
  on.store.open = () => Promise.reject(new TypeError("the disk burns"));
  assert.equal(await client.refused("FETCH 1 BODY[]"), "NO [SERVERBUG] something went wrong here");
  assert.equal(on.errors.length, 1);
  assert.match(String(on.errors[0]), /the disk burns/);
  await client.ok("NOOP");
});
