import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { Secret } from "../../src/core/secret.js";
import { formatCommand } from "../../src/imap/codec-command.js";
import { commandFramer } from "../../src/imap/codec-command-framer.js";
import { parseCommand, parseCommandHead } from "../../src/imap/codec-command-parser.js";
import { fetchItemsPart } from "../../src/imap/codec-fetch-items.js";
import { type Frame, imapLimits } from "../../src/imap/codec-framer.js";
import * as part from "../../src/imap/codec-parts.js";
import { searchKeyParts, searchReturnParts, sortCriteriaPart } from "../../src/imap/codec-search.js";
import { SequenceSet, UidSet } from "../../src/imap/codec-sequence-set.js";
import type { ParseOptions } from "../../src/imap/codec-tokens.js";
import type { FetchItem, SearchKey } from "../../src/imap/types.js";
import { bytes } from "./support.js";

/** A command through the framer; every literal is accepted. */
function framed(wire: string | readonly Uint8Array[]): Frame {
  const queue = new ByteQueue();
  const framer = commandFramer();
  for (const chunk of typeof wire === "string" ? [bytes(wire)] : wire) queue.push(chunk);
  for (;;) {
    const event = framer.next(queue, imapLimits);
    assert.ok(event !== undefined);
    if (event.type === "frame") return event.frame;
    framer.accept();
  }
}

const parse = (wire: string, options?: ParseOptions) => parseCommand(framed(`${wire}\r\n`), options);

function normal(value: unknown): unknown {
  if (value instanceof SequenceSet || value instanceof UidSet) return String(value);
  if (value instanceof Secret) return `secret ${value.reveal()}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("latin1")}`;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, normal(one)]));
}

type Want = Readonly<Record<string, unknown>>;
const list = { selection: [], returns: undefined, status: undefined, metadata: undefined };
const plainFetch = { changedSince: undefined, vanished: false, partial: undefined };
const plainSelect = { condStore: false, qresync: undefined };
const search = { returns: undefined, charset: undefined };
const message = { flags: [], date: undefined, binary: false, utf8: false };
const whole = { part: "", text: "", fields: [] };

const cases: readonly (readonly [wire: string, want: Want])[] = [
  ...["CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "IDLE", "NAMESPACE", "CHECK", "CLOSE", "UNSELECT"].map(
    (name) => [name, {}] as const,
  ),
  ["UNAUTHENTICATE", {}],
  ["COMPRESS DEFLATE", { mechanism: "DEFLATE" }],
  ['LOGIN joe {5}\r\nti"er', { user: "joe", password: 'secret ti"er' }],
  ['login "a b" {2+}\r\npw', { name: "LOGIN", user: "a b", password: "secret pw" }],
  ["AUTHENTICATE plain", { mechanism: "PLAIN", initialResponse: undefined }],
  ["AUTHENTICATE PLAIN AGpvZQBwdw==", { mechanism: "PLAIN", initialResponse: "secret AGpvZQBwdw==" }],
  ["AUTHENTICATE EXTERNAL =", { mechanism: "EXTERNAL", initialResponse: "secret =" }],
  ["SELECT inbox", { mailbox: "INBOX", ...plainSelect }],
  ["EXAMINE Entw&APw-rfe (CONDSTORE)", { mailbox: "Entwürfe", ...plainSelect, condStore: true }],
  [
    "SELECT a (QRESYNC (67890007 90060115194045000 41:211,214:541))",
    {
      mailbox: "a",
      ...plainSelect,
      qresync: {
        uidValidity: 67890007,
        modSeq: 90060115194045000n,
        knownUids: "41:211,214:541",
        match: undefined,
      },
    },
  ],
  [
    "SELECT a (CONDSTORE QRESYNC (1 2 (1,3 5,7)))",
    {
      mailbox: "a",
      condStore: true,
      qresync: { uidValidity: 1, modSeq: 2n, knownUids: undefined, match: { sequences: "1,3", uids: "5,7" } },
    },
  ],
  ["CREATE a", { mailbox: "a", use: [] }],
  ["CREATE a (USE (\\Drafts \\Sent))", { mailbox: "a", use: ["\\Drafts", "\\Sent"] }],
  ["DELETE a", { mailbox: "a" }],
  ['RENAME a "b c"', { from: "a", to: "b c" }],
  ['SUBSCRIBE {3}\r\na"b', { mailbox: 'a"b' }],
  ['LIST "" %', { reference: "", patterns: ["%"], ...list }],
  ['LSUB "#news." "comp.*"', { reference: "#news.", patterns: ["comp.*"], ...list }],
  [
    'LIST (SUBSCRIBED REMOTE) "" ("INBOX" Dr*/% &APw-*) RETURN (CHILDREN STATUS (MESSAGES UNSEEN) METADATA (/a /b) SPECIAL-USE)',
    {
      reference: "",
      patterns: ["INBOX", "Dr*/%", "ü*"],
      selection: ["SUBSCRIBED", "REMOTE"],
      returns: ["CHILDREN", "SPECIAL-USE"],
      status: ["MESSAGES", "UNSEEN"],
      metadata: ["/a", "/b"],
    },
  ],
  ["STATUS blurdybloop (UIDNEXT MESSAGES)", { mailbox: "blurdybloop", items: ["UIDNEXT", "MESSAGES"] }],
  ["APPEND a {3}\r\nabc", { mailbox: "a", messages: [{ ...message, data: "bytes abc" }] }],
  [
    'APPEND a (\\Seen $X) " 7-Feb-1994 21:52:25 -0800" {3+}\r\nabc',
    {
      mailbox: "a",
      messages: [
        { ...message, flags: ["\\Seen", "$X"], date: "1994-02-08T05:52:25.000Z", data: "bytes abc" },
      ],
    },
  ],
  [
    "APPEND a () ~{2}\r\n\0a (\\Seen) UTF8 (~{1}\r\nx)",
    {
      mailbox: "a",
      messages: [
        { ...message, binary: true, data: "bytes \0a" },
        { ...message, flags: ["\\Seen"], binary: true, utf8: true, data: "bytes x" },
      ],
    },
  ],
  [
    'APPEND a CATENATE (URL "/x;UID=1" TEXT {2}\r\nhi)',
    {
      mailbox: "a",
      messages: [{ ...message, data: [{ url: "/x;UID=1" }, { data: "bytes hi", binary: false }] }],
    },
  ],
  ["REPLACE 4 a {1}\r\nx", { message: 4, mailbox: "a", by: { ...message, data: "bytes x" } }],
  [
    "FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])",
    {
      set: "2:4",
      ...plainFetch,
      items: [
        { item: "FLAGS" },
        {
          item: "BODY[]",
          section: { part: "", text: "HEADER.FIELDS", fields: ["DATE", "FROM"] },
          peek: false,
          partial: undefined,
        },
      ],
    },
  ],
  [
    "FETCH 1 FAST",
    {
      set: "1",
      ...plainFetch,
      items: [{ item: "FLAGS" }, { item: "INTERNALDATE" }, { item: "RFC822.SIZE" }],
    },
  ],
  [
    "FETCH 1 full",
    {
      name: "FETCH",
      set: "1",
      ...plainFetch,
      items: ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"].map((item) => ({ item })),
    },
  ],
  [
    "FETCH 1 body.peek[1.2.mime]<5.10>",
    {
      set: "1",
      ...plainFetch,
      items: [
        {
          item: "BODY[]",
          section: { part: "1.2", text: "MIME", fields: [] },
          peek: true,
          partial: { offset: 5, octets: 10 },
        },
      ],
    },
  ],
  [
    "UID FETCH 1:* (UID BINARY.PEEK[1]<0.9> BINARY.SIZE[2] PREVIEW (LAZY) PREVIEW) (CHANGEDSINCE 12345 VANISHED)",
    {
      set: "1:*",
      changedSince: 12345n,
      vanished: true,
      partial: undefined,
      items: [
        { item: "UID" },
        { item: "BINARY[]", part: "1", peek: true, partial: { offset: 0, octets: 9 } },
        { item: "BINARY.SIZE", part: "2" },
        { item: "PREVIEW", lazy: true },
        { item: "PREVIEW", lazy: false },
      ],
    },
  ],
  [
    "UID FETCH $ BODY[] (PARTIAL -1:-30)",
    {
      set: "$",
      changedSince: undefined,
      vanished: false,
      partial: { first: -1, last: -30 },
      items: [{ item: "BODY[]", section: whole, peek: false, partial: undefined }],
    },
  ],
  [
    "STORE 2:4 +FLAGS (\\Deleted)",
    {
      set: "2:4",
      unchangedSince: undefined,
      mode: "add",
      silent: false,
      flags: ["\\Deleted"],
      labels: false,
    },
  ],
  [
    "UID STORE 7 (UNCHANGEDSINCE 12121230045) -FLAGS.SILENT \\Seen $X",
    {
      set: "7",
      unchangedSince: 12121230045n,
      mode: "remove",
      silent: true,
      flags: ["\\Seen", "$X"],
      labels: false,
    },
  ],
  [
    'STORE 1 X-GM-LABELS (foo "a b")',
    {
      set: "1",
      unchangedSince: undefined,
      mode: "replace",
      silent: false,
      flags: ["foo", "a b"],
      labels: true,
    },
  ],
  ["COPY 2:4 MEETING", { set: "2:4", mailbox: "MEETING" }],
  ["UID MOVE $ a", { set: "$", mailbox: "a" }],
  ["EXPUNGE", { set: undefined }],
  ["UID EXPUNGE 3000:3002", { set: "3000:3002" }],
  ["ENABLE qresync X-GOOD", { capabilities: ["QRESYNC", "X-GOOD"] }],
  ['ID ("name" "x" "os" NIL)', { fields: { name: "x", os: null } }],
  ["ID NIL", { fields: null }],
  ['GETQUOTA ""', { root: "" }],
  ["GETQUOTAROOT INBOX", { mailbox: "INBOX" }],
  [
    'SETQUOTA "" (STORAGE 512 MESSAGE 9)',
    {
      root: "",
      limits: [
        { name: "STORAGE", limit: 512n },
        { name: "MESSAGE", limit: 9n },
      ],
    },
  ],
  ["SETACL a smith +cda", { mailbox: "a", identifier: "smith", mode: "add", rights: "cda" }],
  ['SETACL a smith ""', { mailbox: "a", identifier: "smith", mode: "replace", rights: "" }],
  ["DELETEACL a smith", { mailbox: "a", identifier: "smith" }],
  ["GETACL a", { mailbox: "a" }],
  ["LISTRIGHTS a smith", { mailbox: "a", identifier: "smith" }],
  ["MYRIGHTS a", { mailbox: "a" }],
  [
    'GETMETADATA "" /shared/comment',
    { mailbox: "", entries: ["/shared/comment"], maxSize: undefined, depth: "0" },
  ],
  [
    "GETMETADATA (MAXSIZE 1024 DEPTH infinity) a (/x /y)",
    { mailbox: "a", entries: ["/x", "/y"], maxSize: 1024, depth: "infinity" },
  ],
  [
    "SETMETADATA a (/x {2}\r\n\r\n /y NIL)",
    {
      mailbox: "a",
      entries: [
        { name: "/x", value: "bytes \r\n" },
        { name: "/y", value: null },
      ],
    },
  ],
  ["NOTIFY NONE", { status: false, groups: [] }],
  [
    "NOTIFY SET STATUS (selected (MessageNew (uid body.peek[]) MessageExpunge))",
    {
      status: true,
      groups: [
        {
          filter: "selected",
          events: ["MessageNew", "MessageExpunge"],
          fetch: [{ item: "UID" }, { item: "BODY[]", section: whole, peek: true, partial: undefined }],
        },
      ],
    },
  ],
  [
    "NOTIFY SET (subtree Lists (MessageNew)) (mailboxes (a b) NONE)",
    {
      status: false,
      groups: [
        { filter: { type: "subtree", mailboxes: ["Lists"] }, events: ["MessageNew"], fetch: [] },
        { filter: { type: "mailboxes", mailboxes: ["a", "b"] }, events: ["none"], fetch: [] },
      ],
    },
  ],
  ["SEARCH ALL", { ...search, key: { key: "ALL" } }],
  [
    'SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"',
    {
      ...search,
      key: {
        key: "AND",
        keys: [
          { key: "FLAGGED" },
          { key: "SINCE", date: { year: 1994, month: 2, day: 1 } },
          { key: "NOT", operand: { key: "FROM", text: "Smith" } },
        ],
      },
    },
  ],
  [
    "SEARCH CHARSET ISO-8859-1 TEXT {2}\r\nhi",
    { ...search, charset: "ISO-8859-1", key: { key: "TEXT", text: "hi" } },
  ],
  [
    "SEARCH RETURN () (OR SEEN (1:2 LARGER 5)) UID 5:*",
    {
      returns: { options: [] },
      charset: undefined,
      key: {
        key: "AND",
        keys: [
          {
            key: "OR",
            left: { key: "SEEN" },
            right: {
              key: "AND",
              keys: [
                { key: "SEQUENCE", set: "1:2" },
                { key: "LARGER", octets: 5 },
              ],
            },
          },
          { key: "UID", set: "5:*" },
        ],
      },
    },
  ],
  [
    "SEARCH RETURN (SAVE MIN PARTIAL -1:-100) $",
    {
      returns: { options: ["SAVE", "MIN"], partial: { first: -1, last: -100 } },
      charset: undefined,
      key: { key: "SEQUENCE", set: "$" },
    },
  ],
  [
    'SEARCH MODSEQ "/flags/\\\\draft" all 620162338 YOUNGER 259200',
    {
      ...search,
      key: {
        key: "AND",
        keys: [
          { key: "MODSEQ", entry: { name: "/flags/\\draft", scope: "all" }, modSeq: 620162338n },
          { key: "YOUNGER", seconds: 259200 },
        ],
      },
    },
  ],
  [
    'SEARCH EMAILID M1 SAVEDSINCE 01-Jan-2020 SAVEDATESUPPORTED HEADER X-A "" KEYWORD $X FUZZY BODY a',
    {
      ...search,
      key: {
        key: "AND",
        keys: [
          { key: "EMAILID", text: "M1" },
          { key: "SAVEDSINCE", date: { year: 2020, month: 1, day: 1 } },
          { key: "SAVEDATESUPPORTED" },
          { key: "HEADER", field: "X-A", text: "" },
          { key: "KEYWORD", flag: "$X" },
          { key: "FUZZY", operand: { key: "BODY", text: "a" } },
        ],
      },
    },
  ],
  [
    "SORT (REVERSE DATE SUBJECT) UTF-8 SINCE 1-Feb-1994",
    {
      returns: undefined,
      charset: "UTF-8",
      criteria: [
        { by: "DATE", reverse: true },
        { by: "SUBJECT", reverse: false },
      ],
      key: { key: "SINCE", date: { year: 1994, month: 2, day: 1 } },
    },
  ],
  [
    "UID SORT RETURN (ALL) (ARRIVAL) US-ASCII ALL",
    {
      returns: { options: ["ALL"] },
      charset: "US-ASCII",
      criteria: [{ by: "ARRIVAL", reverse: false }],
      key: { key: "ALL" },
    },
  ],
  [
    "THREAD references UTF-8 1:9",
    { returns: undefined, algorithm: "REFERENCES", charset: "UTF-8", key: { key: "SEQUENCE", set: "1:9" } },
  ],
];

for (const [wire, want] of cases) {
  test(`parse: ${JSON.stringify(wire)}`, () => {
    const [, uid, name] = /^(UID )?([A-Z]+)/i.exec(wire) ?? [];
    const found = parse(`a1 ${wire}`);
    assert.deepEqual(normal(found), { name, tag: "a1", uid: uid !== undefined, ...want });
  });
}

const bad: readonly string[] = [
  ...[
    "",
    "FOO",
    "UID",
    "UID NOOP",
    "UID SELECT a",
    "NOOP x",
    "LOGIN a",
    "LOGIN a b c",
    "SELECT",
    "SELECT a (X)",
  ],
  ...[
    "SELECT R&D",
    "SELECT {1}\r\n\n",
    "SELECT é",
    "FETCH 0 FLAGS",
    "FETCH 1",
    "FETCH 1 ()",
    "FETCH 1 X",
    "FETCH 1 BODY[",
    "FETCH 1 BODY[X]",
  ],
  ...[
    "FETCH 1 BODY[MIME]<1>",
    "FETCH 1 BODY[]<0.0>",
    "FETCH a FLAGS",
    "FETCH 1 FLAGS (X)",
    "FETCH 1 (FAST)",
    "STORE 1 FLAGS",
    "STORE 1 LABELS ()",
  ],
  ...[
    "SEARCH",
    "SEARCH X",
    "SEARCH ()",
    "SEARCH OR SEEN",
    "SEARCH NOT",
    "SEARCH SINCE 30-Feb-2000",
    "SEARCH OLDER 0",
    "SEARCH RETURN (X) ALL",
  ],
  ...[
    "SORT () UTF-8 ALL",
    "SORT (X) UTF-8 ALL",
    "APPEND a",
    "APPEND a x",
    'APPEND a "x" {1}\r\na',
    "LIST",
    'LIST ""',
    "STATUS a ()",
    "ENABLE",
    "EXPUNGE 1",
    "UID EXPUNGE",
  ],
  ...[
    "NOTIFY SET",
    "NOTIFY SET (x (a))",
    "AUTHENTICATE",
    "AUTHENTICATE PLAIN a b",
    "AUTHENTICATE PLAIN $$",
    "ID x",
    "SETACL a b",
    "GETMETADATA (DEPTH 2) a b",
  ],
  ...["__PROTO__", "CONSTRUCTOR", "toString"],
];

for (const wire of bad) {
  test(`bad: ${JSON.stringify(wire)}`, () => {
    const found = parse(`a1 ${wire}`);
    assert.ok(found.name === "bad");
    assert.equal(found.tag, "a1");
  });
}

test("bad: no tag, and a tag that is none", () => {
  for (const wire of ["", " a NOOP", "+ NOOP", "a+ NOOP", "* NOOP", "(a NOOP", '"a" NOOP']) {
    const found = parse(wire);
    assert.ok(found.name === "bad" && found.tag === undefined, wire);
  }
});

test("bad: a password that could not be read stands in no reason", () => {
  const found = parse("a1 LOGIN joe tiger more");
  assert.ok(found.name === "bad" && !found.reason.includes("tiger"));
  const other = parse('a1 LOGIN joe "tiger');
  assert.ok(other.name === "bad" && !other.reason.includes("tiger"));
});

test("the head is known before the literals have come", () => {
  const before = { text: bytes("a7 uid  fetch {5}"), literals: [] };
  assert.deepEqual(parseCommandHead(before), { tag: "a7", name: "FETCH", uid: true });
  assert.deepEqual(parseCommandHead({ text: bytes("a7"), literals: [] }), {
    tag: "a7",
    name: "",
    uid: false,
  });
});

test("limit: search keys stand no deeper than maxDepth", () => {
  const limits = { ...imapLimits, maxDepth: 5 };
  const nested = (depth: number) => `a SEARCH ${"NOT ".repeat(depth - 1)}SEEN`;
  assert.equal(parse(nested(5), { limits }).name, "SEARCH");
  assert.equal(parse(nested(6), { limits }).name, "bad");
  assert.equal(parse(`a SEARCH ${"(".repeat(50_000)}SEEN${")".repeat(50_000)}`).name, "bad");
});

test("UTF-8 names and text where they are enabled; text in another charset is decoded", () => {
  const found = parse('a SELECT "Entwürfe &"', { utf8: true });
  assert.ok(found.name === "SELECT" && found.mailbox === "Entwürfe &");
  const latin = parseCommand(
    framed([bytes("a SEARCH CHARSET ISO-8859-1 TEXT {1+}\r\n"), Uint8Array.of(0xe9), bytes("\r\n")]),
  );
  assert.ok(latin.name === "SEARCH" && latin.key.key === "TEXT" && latin.key.text === "é");
});

/** What a client formats, a server reads. */
function roundTrip(parts: readonly part.CommandPart[], utf8 = false) {
  const { segments } = formatCommand("T1", parts, { literals: "plus", utf8 });
  return parseCommand(
    framed(segments.flatMap((segment) => (segment.type === "bytes" ? [segment.bytes] : []))),
    { utf8 },
  );
}

const day = fc.record({
  year: fc.integer({ min: 1970, max: 2100 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
});
const someText = fc.string({ unit: "grapheme", maxLength: 8 }).filter((value) => !value.includes("\0"));
const someSet = fc
  .array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 5 })
  .map((numbers) => SequenceSet.of(numbers));
const { tree } = fc.letrec<{ tree: SearchKey; leaf: SearchKey }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom("ALL", "SEEN", "UNDRAFT", "SAVEDATESUPPORTED").map((key) => ({ key }) as SearchKey),
    fc
      .tuple(fc.constantFrom("FROM", "TEXT", "EMAILID", "X-GM-RAW"), someText)
      .map(([key, text]) => ({ key, text }) as SearchKey),
    fc
      .tuple(fc.constantFrom("BEFORE", "SENTON", "SAVEDSINCE"), day)
      .map(([key, date]) => ({ key, date }) as SearchKey),
    fc.tuple(someText, someText).map(([field, text]) => ({ key: "HEADER", field, text }) as SearchKey),
    fc.nat().map((octets) => ({ key: "SMALLER", octets }) as SearchKey),
    fc.bigInt({ min: 0n, max: 2n ** 64n }).map((modSeq) => ({ key: "MODSEQ", modSeq }) as SearchKey),
    fc.tuple(fc.constantFrom("SEQUENCE", "UID"), someSet).map(([key, set]) => ({ key, set }) as SearchKey),
  ),
  tree: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    tie("leaf"),
    tie("tree").map((operand) => ({ key: "NOT", operand }) as SearchKey),
    fc.tuple(tie("tree"), tie("tree")).map(([left, right]) => ({ key: "OR", left, right }) as SearchKey),
    fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map((keys) => ({ key: "AND", keys }) as SearchKey),
  ),
}));

test("property: a search goes from client to server as it is", () => {
  fc.assert(
    fc.property(tree, fc.boolean(), (key, utf8) => {
      const found = roundTrip(
        [
          part.atom("SEARCH"),
          ...searchReturnParts({ options: ["MIN"] }),
          part.atom("CHARSET"),
          part.atom("UTF-8"),
          ...searchKeyParts(key),
        ],
        utf8,
      );
      assert.ok(found.name === "SEARCH", found.name);
      assert.deepEqual(normal(found.key), normal(key));
    }),
    { numRuns: 500 },
  );
});

test("FETCH items and sort criteria go from client to server as they are", () => {
  const items: FetchItem[] = [
    { item: "FLAGS" },
    { item: "PREVIEW", lazy: true },
    {
      item: "BODY[]",
      section: { part: "1", text: "HEADER.FIELDS", fields: ["a b", "c"] },
      peek: true,
      partial: { offset: 1, octets: 2 },
    },
    { item: "BINARY[]", part: "2.1", peek: false, partial: undefined },
    { item: "BINARY.SIZE", part: "" },
  ];
  const fetch = roundTrip([part.atom("FETCH"), part.set(UidSet.of([4])), fetchItemsPart(items)]);
  assert.ok(fetch.name === "FETCH");
  assert.deepEqual(fetch.items, items);
  const criteria = [{ by: "DISPLAYFROM", reverse: true }] as const;
  const sort = roundTrip([
    part.atom("SORT"),
    sortCriteriaPart(criteria),
    part.atom("UTF-8"),
    part.atom("ALL"),
  ]);
  assert.ok(sort.name === "SORT");
  assert.deepEqual(sort.criteria, criteria);
});

test("property: names, logins and any bytes", () => {
  const name = someText.filter((value) => !/[\r\n]/.test(value) && value !== "");
  fc.assert(
    fc.property(name, someText, fc.boolean(), (mailbox, password, utf8) => {
      const select = roundTrip([part.atom("SELECT"), part.mailbox(mailbox)], utf8);
      assert.ok(select.name === "SELECT" && (select.mailbox === mailbox || select.mailbox === "INBOX"));
      const login = roundTrip(
        [part.atom("LOGIN"), part.astring("joe"), part.astring(new Secret(password))],
        utf8,
      );
      assert.ok(login.name === "LOGIN" && login.password.reveal() === password);
    }),
    { numRuns: 1000 },
  );
  const wires = cases.map(([wire]) => bytes(`a1 ${wire.replace(/~?\{\d+\+?\}\r\n/g, "")}`));
  const change = fc.tuple(
    fc.nat(60),
    fc.constantFrom(0x28, 0x29, 0x22, 0x5c, 0x20, 0x7b, 0x5b, 0x5d, 0, 0x39, 0xff, 0x2a),
  );
  fc.assert(
    fc.property(fc.constantFrom(...wires), fc.array(change), (wire, changes) => {
      const changed = Uint8Array.from(wire);
      for (const [at, byte] of changes) if (at < changed.length) changed[at] = byte;
      parseCommand({ text: changed, literals: [] });
    }),
    { numRuns: 3000 },
  );
});
