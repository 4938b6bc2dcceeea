/** What each method says, and what it makes of the answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitError, LocalProtocolError, UnsupportedError } from "../../src/core/errors.js";
import type { ImapClient } from "../../src/imap/client.js";
import type { Mailbox } from "../../src/imap/client-mailbox.js";
import { astring, atom, list, number } from "../../src/imap/codec-parts.js";
import { UidSet } from "../../src/imap/codec-sequence-set.js";
import { ImapError } from "../../src/imap/errors.js";
import { allCapabilities, talk, talkInMailbox, watched } from "./client-support.js";

interface Case {
  readonly name: string;
  readonly call: (client: ImapClient, mailbox: Mailbox) => Promise<unknown>;
  /** The command without its tag, then the answer; `$` is the tag. Several go in turn. */
  readonly wire: readonly (readonly [said: string, answer: string])[];
  readonly want?: unknown;
}

const ok = "$ OK ok\r\n";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const cases: readonly Case[] = [
  { name: "NOOP", call: (c) => c.noop(), wire: [["NOOP", ok]] },
  {
    name: "ID, RFC 2971",
    call: (c) => c.id({ name: "hawser", version: null }),
    wire: [['ID ("name" "hawser" "version" NIL)', `* ID ("name" "D")\r\n${ok}`]],
    want: { name: "D" },
  },
  { name: "ID of nothing", call: (c) => c.id(), wire: [["ID NIL", `* ID NIL\r\n${ok}`]], want: null },
  {
    name: "NAMESPACE, RFC 2342",
    call: (c) => c.namespace(),
    wire: [["NAMESPACE", `* NAMESPACE (("" "/")) NIL (("Pub/" "/"))\r\n${ok}`]],
    want: {
      personal: [{ prefix: "", delimiter: "/" }],
      otherUsers: [],
      shared: [{ prefix: "Pub/", delimiter: "/" }],
    },
  },
  {
    name: "ENABLE, RFC 5161",
    call: (c) => c.enable(["CONDSTORE"]),
    wire: [["ENABLE CONDSTORE", `* ENABLED CONDSTORE\r\n${ok}`]],
    want: ["CONDSTORE"],
  },
  {
    name: "CREATE with a special use, RFC 6154, and MAILBOXID, RFC 8474",
    call: (c) => c.create("Sent", { use: ["\\Sent"] }),
    wire: [["CREATE Sent (USE (\\Sent))", "$ OK [MAILBOXID (M1)] ok\r\n"]],
    want: "M1",
  },
  { name: "DELETE", call: (c) => c.delete("a b"), wire: [['DELETE "a b"', ok]] },
  { name: "RENAME", call: (c) => c.rename("a", "b"), wire: [["RENAME a b", ok]] },
  { name: "SUBSCRIBE", call: (c) => c.subscribe("a"), wire: [["SUBSCRIBE a", ok]] },
  { name: "UNSUBSCRIBE", call: (c) => c.unsubscribe("a"), wire: [["UNSUBSCRIBE a", ok]] },
  {
    name: "STATUS with SIZE, RFC 8438, HIGHESTMODSEQ, MAILBOXID, APPENDLIMIT, RFC 7889",
    call: (c) => c.status("inbox", ["MESSAGES", "SIZE", "HIGHESTMODSEQ", "MAILBOXID", "APPENDLIMIT"]),
    wire: [
      [
        "STATUS inbox (MESSAGES SIZE HIGHESTMODSEQ MAILBOXID APPENDLIMIT)",
        `* STATUS other (MESSAGES 9)\r\n* STATUS INBOX (MESSAGES 3 SIZE 99 HIGHESTMODSEQ 5 MAILBOXID (F1) APPENDLIMIT NIL)\r\n${ok}`,
      ],
    ],
    want: { messages: 3, size: 99, highestModSeq: 5n, mailboxId: "F1", appendLimit: null },
  },
  {
    name: "LIST-EXTENDED, RFC 5258, LIST-STATUS, RFC 5819, SPECIAL-USE",
    call: (c) =>
      c.list({
        ...{
          pattern: ["a*", "%"],
          reference: "x/",
          subscribed: true,
          specialUse: true,
          recursiveMatch: true,
        },
        ...{ return: ["CHILDREN"], status: ["MESSAGES"] },
      }),
    wire: [
      [
        "LIST (SUBSCRIBED SPECIAL-USE RECURSIVEMATCH) x/ (a* %) RETURN (CHILDREN STATUS (MESSAGES))",
        `* LIST (\\Subscribed) "/" a1 ("CHILDINFO" ("SUBSCRIBED"))\r\n* STATUS a1 (MESSAGES 2)\r\n${ok}`,
      ],
    ],
    want: [
      {
        ...{
          attributes: ["\\Subscribed"],
          delimiter: "/",
          mailbox: "a1",
          childInfo: ["SUBSCRIBED"],
          defects: [],
        },
        status: { messages: 2 },
      },
    ],
  },
  {
    name: "LSUB of IMAP4rev1",
    call: (c) => c.lsub("%"),
    wire: [['LSUB "" %', `* LSUB () "/" a\r\n${ok}`]],
    want: [{ attributes: [], delimiter: "/", mailbox: "a", defects: [] }],
  },
  {
    name: "APPEND with flags and a date, RFC 4315",
    call: (c) => c.append("INBOX", "abc", { flags: ["\\Seen", "$F"], date: new Date(0) }),
    wire: [
      ['APPEND INBOX (\\Seen $F) " 1-Jan-1970 00:00:00 +0000" {3+}\r\nabc', "$ OK [APPENDUID 7 44] ok\r\n"],
    ],
    want: { uidValidity: 7, uids: UidSet.of([44]) },
  },
  {
    name: "APPEND of a stream, and as a literal8 (BINARY)",
    call: (c) => c.append("a", [bytes("ab"), "c\0"], { size: 4, binary: true }),
    wire: [["APPEND a ~{4+}\r\nabc\0", ok]],
  },
  {
    name: "APPEND of several without MULTIAPPEND: one after the other, without waiting",
    call: (c) => c.appendMany("a", [{ source: "1" }, { source: "2" }]),
    wire: [
      ["APPEND a {1+}\r\n1", "$ OK [APPENDUID 7 1] ok\r\n"],
      ["APPEND a {1+}\r\n2", "$ OK [APPENDUID 7 2] ok\r\n"],
    ],
    want: { uidValidity: 7, uids: UidSet.of([1, 2]) },
  },
  {
    name: "SEARCH asks for ranges where it can",
    call: (_, m) =>
      m.search({
        seen: false,
        from: "joe",
        since: new Date("2024-02-03"),
        or: [{ larger: 5 }, { uid: "1:*" }],
      }),
    wire: [
      [
        "UID SEARCH RETURN (ALL) UNSEEN FROM joe SINCE 3-Feb-2024 OR LARGER 5 UID 1:*",
        `* ESEARCH (TAG "$") UID ALL 2,10:11\r\n${ok}`,
      ],
    ],
    want: UidSet.of([2, 10, 11]),
  },
  {
    name: "SEARCH with text beyond ASCII",
    call: (_, m) => m.search({ subject: "ü" }),
    wire: [["UID SEARCH RETURN (ALL) CHARSET UTF-8 SUBJECT {2+}\r\nü", ok]],
    want: UidSet.of([]),
  },
  {
    name: "SEARCH with line ends in its text: whole, as a literal",
    call: (_, m) => m.search({ not: { body: "a\r\nb" }, header: { "X-A": "" }, keyword: ["$F", "G"] }),
    wire: [['UID SEARCH RETURN (ALL) KEYWORD $F KEYWORD G HEADER X-A "" NOT BODY {4+}\r\na\r\nb', ok]],
    want: UidSet.of([]),
  },
  {
    name: "ESEARCH, RFC 4731; SEARCHRES, RFC 5182; PARTIAL, RFC 9394; WITHIN, RFC 5032",
    call: (_, m) =>
      m.search(
        { youngerSeconds: 60, modSeq: 5n },
        { return: ["MIN", "COUNT", "SAVE"], partial: { first: 1, last: 2 } },
      ),
    wire: [
      [
        "UID SEARCH RETURN (MIN COUNT SAVE PARTIAL 1:2) YOUNGER 60 MODSEQ 5",
        `* ESEARCH (TAG "$") UID MIN 2 COUNT 3 PARTIAL (1:2 2:3) MODSEQ 9\r\n${ok}`,
      ],
    ],
    want: { min: 2, max: undefined, count: 3, modSeq: 9n, partial: UidSet.range(2, 3) },
  },
  {
    name: "OBJECTID, RFC 8474; SAVEDATE, RFC 8514; Gmail",
    call: (_, m) =>
      m.search({
        emailId: "M1",
        savedBefore: { year: 2024, month: 1, day: 2 },
        gmailRaw: "has:x",
        gmailMessageId: 5n,
      }),
    wire: [["UID SEARCH RETURN (ALL) EMAILID M1 X-GM-RAW has:x SAVEDBEFORE 2-Jan-2024 X-GM-MSGID 5", ok]],
    want: UidSet.of([]),
  },
  {
    name: "SORT, RFC 5256",
    call: (_, m) => m.sort({}, ["-date", "subject"]),
    wire: [["UID SORT (REVERSE DATE SUBJECT) UTF-8 ALL", `* SORT 3 1 2\r\n${ok}`]],
    want: [3, 1, 2],
  },
  {
    name: "ESORT, RFC 5267",
    call: (_, m) => m.sort({}, ["size"], { return: ["COUNT"], partial: { first: 1, last: 3 } }),
    wire: [
      [
        "UID SORT RETURN (COUNT PARTIAL 1:3) (SIZE) UTF-8 ALL",
        `* ESEARCH (TAG "$") UID COUNT 9 PARTIAL (1:3 7,2:3)\r\n${ok}`,
      ],
    ],
    want: { min: undefined, max: undefined, count: 9, modSeq: undefined, partial: [7, 2, 3] },
  },
  {
    name: "THREAD, RFC 5256",
    call: (_, m) => m.thread({ text: "x" }),
    wire: [["UID THREAD REFERENCES UTF-8 TEXT x", `* THREAD (2 3)(4)\r\n${ok}`]],
    want: [
      { id: 2, children: [{ id: 3, children: [] }] },
      { id: 4, children: [] },
    ],
  },
  {
    name: "STORE, with UNCHANGEDSINCE of RFC 7162",
    call: (_, m) => m.store("5:6", "add", ["\\Seen"], { unchangedSince: 9n }),
    wire: [
      [
        "UID STORE 5:6 (UNCHANGEDSINCE 9) +FLAGS (\\Seen)",
        "* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n$ OK [MODIFIED 6] ok\r\n",
      ],
    ],
    want: { changed: [{ sequence: 1, attributes: { uid: 5, flags: ["\\Seen"] } }], modified: UidSet.of([6]) },
  },
  {
    name: "STORE by sequence numbers, silently",
    call: (_, m) => m.store([1, 2], "replace", [], { uid: false, silent: true }),
    wire: [["STORE 1:2 FLAGS.SILENT ()", ok]],
  },
  {
    name: "STORE of Gmail's labels",
    call: (_, m) => m.storeLabels(1, "remove", ["\\Important", "my label"]),
    wire: [['UID STORE 1 -X-GM-LABELS (\\Important "my label")', ok]],
  },
  {
    name: "COPY, RFC 4315",
    call: (_, m) => m.copy("1:2", "b"),
    wire: [["UID COPY 1:2 b", "$ OK [COPYUID 9 1:2 5:6] ok\r\n"]],
    want: { uidValidity: 9, source: UidSet.range(1, 2), destination: UidSet.range(5, 6) },
  },
  {
    name: "MOVE, RFC 6851",
    call: (_, m) => m.move("$", "b"),
    wire: [["UID MOVE $ b", `* OK [COPYUID 9 1 5] x\r\n* 1 EXPUNGE\r\n${ok}`]],
    want: { uidValidity: 9, source: UidSet.of([1]), destination: UidSet.of([5]) },
  },
  {
    name: "EXPUNGE",
    call: (_, m) => m.expunge(),
    wire: [["EXPUNGE", "* 3 EXPUNGE\r\n* 3 EXPUNGE\r\n$ OK [HIGHESTMODSEQ 8] ok\r\n"]],
    want: { sequences: [3, 3], uids: UidSet.empty, highestModSeq: 8n },
  },
  {
    name: "UID EXPUNGE",
    call: (_, m) => m.expunge("4"),
    wire: [["UID EXPUNGE 4", `* VANISHED 4\r\n${ok}`]],
    want: { sequences: [], uids: UidSet.of([4]), highestModSeq: undefined },
  },
  {
    name: "REPLACE, RFC 8508",
    call: (_, m) => m.replace(4, "new", { flags: ["\\Draft"] }),
    wire: [["UID REPLACE 4 INBOX (\\Draft) {3+}\r\nnew", `* OK [APPENDUID 7 9] x\r\n* 1 EXPUNGE\r\n${ok}`]],
    want: { uidValidity: 7, uids: UidSet.of([9]) },
  },
  {
    name: "GETQUOTA, RFC 9208",
    call: (c) => c.getQuota(""),
    wire: [['GETQUOTA ""', `* QUOTA "" (STORAGE 10 512)\r\n${ok}`]],
    want: { root: "", resources: [{ name: "STORAGE", usage: 10n, limit: 512n }] },
  },
  {
    name: "GETQUOTAROOT",
    call: (c) => c.getQuotaRoot("a"),
    wire: [["GETQUOTAROOT a", `* QUOTAROOT a r1 r2\r\n* QUOTA r1 (MESSAGE 1 2)\r\n${ok}`]],
    want: [
      { root: "r1", resources: [{ name: "MESSAGE", usage: 1n, limit: 2n }] },
      { root: "r2", resources: [] },
    ],
  },
  {
    name: "SETQUOTA",
    call: (c) => c.setQuota("r", { STORAGE: 512 }),
    wire: [["SETQUOTA r (STORAGE 512)", ok]],
  },
  {
    name: "GETACL, RFC 4314",
    call: (c) => c.getAcl("a"),
    wire: [["GETACL a", `* ACL a joe lrs\r\n${ok}`]],
    want: [{ identifier: "joe", rights: "lrs" }],
  },
  {
    name: "SETACL",
    call: (c) => c.setAcl("a", "joe", "lr", { mode: "add" }),
    wire: [["SETACL a joe +lr", ok]],
  },
  { name: "DELETEACL", call: (c) => c.deleteAcl("a", "joe"), wire: [["DELETEACL a joe", ok]] },
  {
    name: "LISTRIGHTS",
    call: (c) => c.listRights("a", "joe"),
    wire: [["LISTRIGHTS a joe", `* LISTRIGHTS a joe la r s\r\n${ok}`]],
    want: { required: "la", optional: ["r", "s"] },
  },
  {
    name: "MYRIGHTS",
    call: (c) => c.myRights("a"),
    wire: [["MYRIGHTS a", `* MYRIGHTS a rwi\r\n${ok}`]],
    want: "rwi",
  },
  {
    name: "GETMETADATA, RFC 5464",
    call: (c) => c.getMetadata("", ["/shared/comment"], { maxSize: 100, depth: "1" }),
    wire: [
      [
        'GETMETADATA (MAXSIZE 100 DEPTH 1) "" (/shared/comment)',
        '* METADATA "" (/shared/comment {2}\r\nhi)\r\n$ OK [METADATA LONGENTRIES 200] ok\r\n',
      ],
    ],
    want: { entries: new Map([["/shared/comment", bytes("hi")]]), longEntries: 200 },
  },
  {
    name: "SETMETADATA",
    call: (c) => c.setMetadata("a", { "/private/x": "v", "/private/y": null }),
    wire: [['SETMETADATA a (/private/x "v" /private/y NIL)', ok]],
  },
  {
    name: "a command by its parts",
    call: async (c) => (await c.command([atom("XDO"), list(astring("a b"), number(3))])).responses,
    wire: [['XDO ("a b" 3)', `* XDID it\r\n${ok}`]],
    want: [{ type: "other", name: "XDID", number: undefined, raw: bytes("it"), defects: [] }],
  },
  { name: "CHECK of IMAP4rev1", call: (_, m) => m.check(), wire: [["CHECK", ok]] },
  { name: "CLOSE", call: (_, m) => m.close(), wire: [["CLOSE", ok]] },
  { name: "UNSELECT, RFC 3691", call: (_, m) => m.unselect(), wire: [["UNSELECT", ok]] },
  {
    name: "the end of a mailbox's scope",
    call: (_, m) => m[Symbol.asyncDispose](),
    wire: [["UNSELECT", ok]],
  },
  {
    name: "SELECT with QRESYNC, RFC 7162, enables it first",
    call: async (c) => {
      const box = await c.select("b", {
        qresync: { uidValidity: 7, modSeq: 20n, knownUids: UidSet.range(1, 9) },
      });
      return [
        box.highestModseq,
        String(box.resync.vanished),
        box.resync.changed.length,
        box.exists,
        box.readOnly,
      ];
    },
    wire: [
      ["ENABLE QRESYNC", `* ENABLED QRESYNC\r\n${ok}`],
      [
        "SELECT b (QRESYNC (7 20 1:9))",
        "* OK [CLOSED] x\r\n* 8 EXISTS\r\n* OK [HIGHESTMODSEQ 9007199254740993] x\r\n* VANISHED (EARLIER) 2:3\r\n* 1 FETCH (UID 1 FLAGS () MODSEQ (30))\r\n$ OK [READ-WRITE] ok\r\n",
      ],
    ],
    want: [9_007_199_254_740_993n, "2:3", 1, 8, false],
  },
  {
    name: "EXAMINE",
    call: async (c) => (await c.select("b", { readOnly: true, condStore: false })).readOnly,
    wire: [["EXAMINE b", "* 8 EXISTS\r\n$ OK [READ-ONLY] ok\r\n"]],
    want: true,
  },
];

for (const fragmentBytes of [1, 65_536]) {
  for (const { name, call, wire, want } of cases) {
    test(`${name} (fragments of ${fragmentBytes})`, async () => {
      const options = { fragmentBytes, capabilities: allCapabilities };
      const { client, server, mailbox } = await talkInMailbox(options);
      const answering = (async () => {
        for (const [said, answer] of wire) {
          const { tag, text } = await server.command();
          assert.equal(text.replace(/ \(CONDSTORE\)$/, ""), said);
          await server.send(answer.replaceAll("$", tag));
        }
      })();
      const [result] = await watched(Promise.all([call(client, mailbox), answering]));
      if (want !== undefined) assert.deepEqual(plain(result), plain(want));
      await client.close();
    });
  }
}

/** Sets compare by what they hold. */
function plain(value: unknown): unknown {
  if (value instanceof UidSet) return `uids ${value.normalized()}`;
  if (value instanceof Uint8Array || value instanceof Map || value === null || typeof value !== "object")
    return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

test("MULTIAPPEND, RFC 3502: one command for all", async () => {
  const { client, server } = await talk({ capabilities: "IMAP4rev1 LITERAL+ MULTIAPPEND" });
  const done = server.expect("APPEND a {1+}\r\n1 (\\Seen) {1+}\r\n2", "$ OK [APPENDUID 7 5:6] ok\r\n");
  const result = await client.appendMany("a", [{ source: "1" }, { source: "2", flags: ["\\Seen"] }]);
  assert.equal(String(result?.uids), "5:6");
  await done;
});

test("a source that is shorter or longer than was said closes the connection", async () => {
  for (const size of [2, 4]) {
    const { client, server } = await talk();
    const serving = server.serve();
    await assert.rejects(watched(client.append("a", [bytes("abc")], { size })), (error) => {
      assert.ok(error instanceof LocalProtocolError && !error.usable);
      return true;
    });
    assert.ok((await watched(client.closed)) instanceof LocalProtocolError);
    await serving;
    assert.deepEqual(server.received, []);
  }
});

test("literals wait for the server where it has neither LITERAL+ nor LITERAL-", async () => {
  const { client, server } = await talk({ capabilities: "IMAP4rev1" });
  const [result] = await watched(
    Promise.all([client.append("a", "abc").then(() => "stored"), server.expect("APPEND a {3}\r\nabc", ok)]),
  );
  assert.equal(result, "stored");
  const minus = await talk({ capabilities: "IMAP4rev1 LITERAL-" });
  const small = minus.client.append("a", "x".repeat(4096));
  assert.match((await minus.server.command()).text, /^APPEND a \{4096\+\}/);
  await minus.server.send("A1 OK ok\r\n");
  await watched(small);
  const large = minus.client.append("a", "x".repeat(4097));
  assert.match((await minus.server.command()).text, /^APPEND a \{4097\}/);
  await minus.server.send("A2 OK ok\r\n");
  await watched(large);
});

test("UTF8=ACCEPT, RFC 6855: a message with UTF-8 in its header, and a search without a charset", async () => {
  const { client, server, mailbox } = await talkInMailbox({
    capabilities: "IMAP4rev1 LITERAL+ ENABLE UTF8=ACCEPT",
  });
  const utf8 = { utf8: true };
  await assert.rejects(client.append("a", "Subject: ü\r\n\r\n", utf8), UnsupportedError);
  const done = (async () => {
    await server.expect("ENABLE UTF8=ACCEPT", `* ENABLED UTF8=ACCEPT\r\n${ok}`);
    await server.expect("APPEND a UTF8 (~{15+}\r\nSubject: ü\r\n\r\n)", ok);
    await server.expect('UID SEARCH SUBJECT "ü"', `* SEARCH\r\n${ok}`);
  })();
  await client.enable(["UTF8=ACCEPT"]);
  await client.append("a", "Subject: ü\r\n\r\n", utf8);
  assert.ok((await mailbox.search({ subject: "ü" })).isEmpty);
  await done;
});

test("APPENDLIMIT is kept before anything is sent, RFC 7889", async () => {
  const { client } = await talk({ capabilities: "IMAP4rev1 APPENDLIMIT=10" });
  await assert.rejects(client.append("a", "x".repeat(11)), LimitError);
});

test("what the server does not offer is said before anything is sent", async () => {
  const { client, server, mailbox } = await talkInMailbox({ capabilities: "IMAP4rev1" });
  const calls: (() => unknown)[] = [
    ...[() => mailbox.sort({}, ["date"]), () => mailbox.thread({}), () => mailbox.unselect()],
    ...[() => mailbox.move(1, "a"), () => mailbox.expunge(1), () => mailbox.replace(1, "x")],
    ...[() => client.compress(), () => client.startTls(), () => client.notify([])],
    ...[() => client.select("a", { qresync: { uidValidity: 1, modSeq: 1n } })],
    ...[
      () => mailbox.search({}, { return: ["SAVE"] }),
      () => mailbox.search({}, { partial: { first: 1, last: 2 } }),
    ],
  ];
  for (const call of calls) await assert.rejects(async () => call(), UnsupportedError);
  assert.throws(() => mailbox.idle(), UnsupportedError);
  const noop = client.noop();
  await server.expect("NOOP", ok);
  await noop;
});

test("without extensions: LIST, LSUB and STATUS in their place; MOVE by COPY; SEARCH worked out", async () => {
  const { client, server, mailbox } = await talkInMailbox({ capabilities: "IMAP4rev1 UIDPLUS" });
  const serving = server.serve((text) => {
    if (text === 'LIST "" *')
      return `* LIST () "/" a\r\n* LIST (\\Noselect) "/" b\r\n* LIST (\\Sent) "/" c\r\n${ok}`;
    if (text === 'LSUB "" *') return `* LSUB () "/" a\r\n${ok}`;
    if (text.startsWith("STATUS a")) return `* STATUS a (MESSAGES 1)\r\n${ok}`;
    if (text.startsWith("STATUS c")) return "$ NO not today\r\n";
    if (text.startsWith("UID COPY")) return "$ OK [COPYUID 1 2 3] ok\r\n";
    return text.startsWith("UID SEARCH") ? `* SEARCH 5 3 9\r\n${ok}` : undefined;
  });
  const listed = await watched(client.list({ status: ["MESSAGES"] }));
  assert.deepEqual(
    listed.map(({ mailbox: name, status }) => [name, status?.messages]),
    [
      ["a", 1],
      ["b", undefined],
      ["c", undefined],
    ],
  );
  assert.deepEqual((await client.list({ subscribed: true })).length, 1);
  assert.deepEqual(
    (await client.list({ specialUse: true })).map(({ mailbox: name }) => name),
    ["c"],
  );
  assert.equal(String((await mailbox.move("2", "x"))?.destination), "3");
  assert.equal(String(await mailbox.search({})), "3,5,9");
  const { min, max, count } = await mailbox.search({}, { return: ["MIN", "MAX", "COUNT"] });
  assert.deepEqual([min, max, count], [3, 9, 3]);
  assert.deepEqual(
    server.received.filter(({ text }) => /^UID (?:COPY|STORE|EXPUNGE)/.test(text)).map(({ text }) => text),
    ["UID COPY 2 x", "UID STORE 2 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 2"],
  );
  await client.logout();
  await serving;
});

test("NO and BAD are ImapErrors with their codes", async () => {
  const { client, server } = await talk();
  const done = (async () => {
    await server.expect(/./, "$ NO [OVERQUOTA] full\r\n");
    await server.expect(/./, "$ BAD what\r\n");
  })();
  await assert.rejects(client.create("x"), (error) => {
    assert.ok(error instanceof ImapError);
    assert.deepEqual(
      [error.status, error.responseCode, error.text, error.command, error.usable],
      ["NO", { name: "OVERQUOTA" }, "full", "CREATE", true],
    );
    return true;
  });
  await assert.rejects(client.noop(), (error) => error instanceof ImapError && error.status === "BAD");
  await done;
});

test("another mailbox is selected: the one before is over; a failed SELECT leaves none", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  const done = (async () => {
    await server.expect(/^SELECT b/, "* 1 EXISTS\r\n$ OK ok\r\n");
    await server.expect(/^SELECT c/, "$ NO [NONEXISTENT] none\r\n");
  })();
  const other = await client.select("b");
  assert.equal(mailbox.selected, false);
  assert.throws(() => mailbox.fetch("1", ["FLAGS"]), /no longer selected/);
  await assert.rejects(client.select("c"), ImapError);
  assert.equal(other.selected, false);
  assert.equal(client.state, "authenticated");
  await done;
});
