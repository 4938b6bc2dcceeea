import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RemoteProtocolError } from "../../src/core/errors.js";
import { formatResponseBytes, type OutgoingResponse } from "../../src/imap/codec-format.js";
import { parseGreeting, parseResponse } from "../../src/imap/codec-response.js";
import { SequenceSet, UidSet } from "../../src/imap/codec-sequence-set.js";
import type { ParseOptions } from "../../src/imap/codec-tokens.js";
import type { ImapResponse } from "../../src/imap/types.js";
import { bytes, frameOf, onlyOurErrors, parseEveryWay } from "./support.js";

const seqs = (text: string) => SequenceSet.parse(text);
const uids = (text: string) => UidSet.parse(text);
const raw = (text: string) => Buffer.from(text);

/** What is wanted; `defects: []` unless given. Sets are compared by what they print. */
const cases: readonly (readonly [name: string, wire: string, want: Readonly<Record<string, unknown>>])[] = [
  // Status responses: RFC 9051 section 7.1.
  [
    "greeting",
    "* OK IMAP4rev2 ready",
    { type: "status", tag: undefined, status: "OK", code: undefined, text: "IMAP4rev2 ready" },
  ],
  ["tagged", "A1 OK done", { type: "status", tag: "A1", status: "OK", code: undefined, text: "done" }],
  ["lower case", "a1 no nope", { type: "status", tag: "a1", status: "NO", code: undefined, text: "nope" }],
  ["seen: no text at all", "a1 OK", { type: "status", tag: "a1", status: "OK", code: undefined, text: "" }],
  ["BYE", "* BYE gone", { type: "status", tag: undefined, status: "BYE", code: undefined, text: "gone" }],
  [
    "PREAUTH",
    "* PREAUTH hi joe",
    { type: "status", tag: undefined, status: "PREAUTH", code: undefined, text: "hi joe" },
  ],
  [
    "text that is no UTF-8 stays text",
    "* OK grüße",
    { type: "status", tag: undefined, status: "OK", code: undefined, text: "grüße" },
  ],
  ["continuation", "+ idling", { type: "continuation", code: undefined, text: "idling" }],
  ["seen: a bare +", "+", { type: "continuation", code: undefined, text: "" }],
  ["a challenge", "+ dGVzdA==", { type: "continuation", code: undefined, text: "dGVzdA==" }],
  // Capabilities, flags, numbers.
  [
    "RFC 9051 section 7.2.2",
    "* CAPABILITY IMAP4rev2 STARTTLS AUTH=PLAIN",
    { type: "capability", capabilities: ["IMAP4rev2", "STARTTLS", "AUTH=PLAIN"] },
  ],
  [
    "seen: a trailing space (Exchange)",
    "* CAPABILITY IMAP4 IMAP4rev1 ",
    { type: "capability", capabilities: ["IMAP4", "IMAP4rev1"] },
  ],
  ["RFC 5161", "* ENABLED CONDSTORE QRESYNC", { type: "enabled", capabilities: ["CONDSTORE", "QRESYNC"] }],
  ["RFC 5161: nothing", "* ENABLED", { type: "enabled", capabilities: [] }],
  [
    "FLAGS",
    "* FLAGS (\\ANSWERED \\seen $Forwarded NonJunk)",
    { type: "flags", flags: ["\\Answered", "\\Seen", "$Forwarded", "NonJunk"] },
  ],
  [
    "seen: Gmail's keywords",
    "* FLAGS (\\Answered $NotPhishing [Gmail)",
    { type: "flags", flags: ["\\Answered", "$NotPhishing", "[Gmail"] },
  ],
  ["EXISTS", "* 172 EXISTS", { type: "exists", count: 172 }],
  ["RECENT", "* 1 recent", { type: "recent", count: 1 }],
  ["EXPUNGE", "* 44 EXPUNGE", { type: "expunge", sequence: 44 }],
  [
    "RFC 7162: VANISHED",
    "* VANISHED 405,407:410",
    { type: "vanished", earlier: false, uids: uids("405,407:410") },
  ],
  [
    "RFC 7162: VANISHED (EARLIER)",
    "* VANISHED (EARLIER) 41,43:116",
    { type: "vanished", earlier: true, uids: uids("41,43:116") },
  ],
  // LIST and its kin.
  [
    "RFC 9051 section 7.3.1",
    '* LIST (\\Marked \\NoInferiors) "/" inbox',
    {
      type: "list",
      attributes: ["\\Marked", "\\Noinferiors"],
      delimiter: "/",
      mailbox: "INBOX",
    },
  ],
  [
    "a NIL delimiter",
    '* LIST () NIL "a b"',
    { type: "list", attributes: [], delimiter: null, mailbox: "a b" },
  ],
  [
    "a quoted backslash as delimiter",
    '* LIST () "\\\\" a',
    { type: "list", attributes: [], delimiter: "\\", mailbox: "a" },
  ],
  [
    "modified UTF-7",
    '* LSUB () "." Entw&APw-rfe',
    { type: "lsub", attributes: [], delimiter: ".", mailbox: "Entwürfe" },
  ],
  [
    "a literal name",
    '* LIST () "/" {5}\r\na"b\\c',
    { type: "list", attributes: [], delimiter: "/", mailbox: 'a"b\\c' },
  ],
  [
    "a bracket in a name",
    '* LIST (\\HasChildren) "/" [Gmail]',
    { type: "list", attributes: ["\\HasChildren"], delimiter: "/", mailbox: "[Gmail]" },
  ],
  [
    "RFC 5258: CHILDINFO",
    '* LIST (\\NonExistent) "/" "Foo" ("CHILDINFO" ("SUBSCRIBED"))',
    {
      type: "list",
      attributes: ["\\NonExistent"],
      delimiter: "/",
      mailbox: "Foo",
      childInfo: ["SUBSCRIBED"],
    },
  ],
  [
    "RFC 9051 section 6.3.9.7: OLDNAME",
    '* LIST () "/" "b" ("OLDNAME" ("a"))',
    { type: "list", attributes: [], delimiter: "/", mailbox: "b", oldName: "a" },
  ],
  [
    "RFC 5258: an extended item that is not known",
    '* LIST () "/" b (X-NEW (a (b "c")))',
    {
      type: "list",
      attributes: [],
      delimiter: "/",
      mailbox: "b",
      extended: [{ tag: "X-NEW", raw: raw('(a (b "c"))') }],
    },
  ],
  [
    "STATUS",
    "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)",
    { type: "mailbox-status", mailbox: "blurdybloop", status: { messages: 231, uidNext: 44292 } },
  ],
  [
    "STATUS with all items",
    "* STATUS b (RECENT 1 UIDVALIDITY 2 UNSEEN 3 DELETED 4 SIZE 5 HIGHESTMODSEQ 9007199254740993 MAILBOXID (F22) APPENDLIMIT NIL DELETED-STORAGE 8 X-NEW (1 2))",
    {
      type: "mailbox-status",
      mailbox: "b",
      status: {
        recent: 1,
        uidValidity: 2,
        unseen: 3,
        deleted: 4,
        size: 5,
        highestModSeq: 9007199254740993n,
        mailboxId: "F22",
        appendLimit: null,
        deletedStorage: 8,
      },
    },
  ],
  [
    "seen: Exchange's space behind STATUS",
    "* STATUS b (MESSAGES 1 ) ",
    { type: "mailbox-status", mailbox: "b", status: { messages: 1 } },
  ],
  [
    "RFC 2342",
    '* NAMESPACE (("" "/")("#mh/" "/" "X-PARAM" ("F1"))) NIL (("#public" NIL))',
    {
      type: "namespace",
      personal: [
        { prefix: "", delimiter: "/" },
        { prefix: "#mh/", delimiter: "/" },
      ],
      otherUsers: [],
      shared: [{ prefix: "#public", delimiter: null }],
    },
  ],
  // Search and its kin.
  ["SEARCH", "* SEARCH 2 84 882", { type: "search", ids: [2, 84, 882], modSeq: undefined }],
  ["SEARCH with nothing", "* SEARCH", { type: "search", ids: [], modSeq: undefined }],
  [
    "RFC 7162: SEARCH with MODSEQ",
    "* SEARCH 2 5 (MODSEQ 917162500)",
    { type: "search", ids: [2, 5], modSeq: 917162500n },
  ],
  ["RFC 5256: SORT", "* SORT 84 2 882 ", { type: "sort", ids: [84, 2, 882], modSeq: undefined }],
  [
    "RFC 9051 section 7.3.4",
    '* ESEARCH (TAG "A285") UID MIN 7 MAX 3800 COUNT 5 ALL 4:18,21',
    { type: "esearch", tag: "A285", uid: true, data: { min: 7, max: 3800, count: 5, all: seqs("4:18,21") } },
  ],
  ["ESEARCH with nothing", '* ESEARCH (TAG "A1")', { type: "esearch", tag: "A1", uid: false, data: {} }],
  [
    "RFC 9394: PARTIAL",
    '* ESEARCH (TAG "A01") UID PARTIAL (-1:-100 200:250,252) MODSEQ 5',
    {
      type: "esearch",
      tag: "A01",
      uid: true,
      data: { partial: { range: "-1:-100", ids: seqs("200:250,252") }, modSeq: 5n },
    },
  ],
  [
    "RFC 9394: PARTIAL with nothing",
    "* ESEARCH PARTIAL (1:5 NIL) X-NEW (1 2)",
    { type: "esearch", tag: undefined, uid: false, data: { partial: { range: "1:5", ids: null } } },
  ],
  [
    "RFC 5256: THREAD",
    "* THREAD (2)(3 6 (4 23)(44 7 96))",
    {
      type: "thread",
      threads: [
        { id: 2, children: [] },
        {
          id: 3,
          children: [
            {
              id: 6,
              children: [
                { id: 4, children: [{ id: 23, children: [] }] },
                { id: 44, children: [{ id: 7, children: [{ id: 96, children: [] }] }] },
              ],
            },
          ],
        },
      ],
    },
  ],
  [
    "RFC 5256: THREAD without a root",
    "* THREAD ((3)(5))",
    {
      type: "thread",
      threads: [
        {
          id: undefined,
          children: [
            { id: 3, children: [] },
            { id: 5, children: [] },
          ],
        },
      ],
    },
  ],
  // Extensions.
  [
    "RFC 2971",
    '* ID ("name" "Cyrus" "version" NIL)',
    { type: "id", fields: { name: "Cyrus", version: null } },
  ],
  ["RFC 2971: NIL", "* ID NIL", { type: "id", fields: null }],
  [
    "RFC 9208",
    '* QUOTA "" (STORAGE 10 512 MESSAGE 1 99999999999999999999)',
    {
      type: "quota",
      root: "",
      resources: [
        { name: "STORAGE", usage: 10n, limit: 512n },
        { name: "MESSAGE", usage: 1n, limit: 99999999999999999999n },
      ],
    },
  ],
  [
    "RFC 9208: QUOTAROOT",
    '* QUOTAROOT INBOX "" #user/alice',
    { type: "quota-root", mailbox: "INBOX", roots: ["", "#user/alice"] },
  ],
  [
    "RFC 4314: ACL",
    "* ACL INBOX Fred rwipslxetad Chris lrswi",
    {
      type: "acl",
      mailbox: "INBOX",
      entries: [
        { identifier: "Fred", rights: "rwipslxetad" },
        { identifier: "Chris", rights: "lrswi" },
      ],
    },
  ],
  [
    "RFC 4314: LISTRIGHTS",
    '* LISTRIGHTS ~/Mail/saved smith la r swicdkxte ""',
    {
      type: "list-rights",
      mailbox: "~/Mail/saved",
      identifier: "smith",
      required: "la",
      optional: ["r", "swicdkxte", ""],
    },
  ],
  [
    "RFC 4314: MYRIGHTS",
    "* MYRIGHTS INBOX rwiptsldaex",
    { type: "my-rights", mailbox: "INBOX", rights: "rwiptsldaex" },
  ],
  [
    "RFC 5464",
    '* METADATA "INBOX" (/private/comment "hi" /shared/comment NIL /x {2}\r\n\r\n)',
    {
      type: "metadata",
      mailbox: "INBOX",
      entries: [
        { name: "/private/comment", value: raw("hi") },
        { name: "/shared/comment", value: null },
        { name: "/x", value: raw("\r\n") },
      ],
    },
  ],
  [
    "RFC 5464: changed",
    '* METADATA "" /shared/comment /private/x',
    {
      type: "metadata",
      mailbox: "",
      entries: [
        { name: "/shared/comment", value: undefined },
        { name: "/private/x", value: undefined },
      ],
    },
  ],
  [
    "not known",
    '* XNEW 1 (a "b")',
    { type: "other", name: "XNEW", number: undefined, raw: raw('1 (a "b")') },
  ],
  ["not known, with a number", "* 5 XNEW a", { type: "other", name: "XNEW", number: 5, raw: raw("a") }],
];

function normal(value: unknown): unknown {
  if (value instanceof SequenceSet || value instanceof UidSet) return `${value.kind} ${value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("latin1")}`;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, normal(one)]));
}

/** Through the server's half and back. */
function again(response: ImapResponse, options: ParseOptions = {}): unknown {
  return parseResponse(frameOf(formatResponseBytes(response as OutgoingResponse, options)), options);
}

for (const [name, wire, want] of cases) {
  if (want["type"] === "other" || "extended" in want) continue;
  test(`format and parse: ${name}`, () => {
    const response = parseResponse(frameOf(`${wire}\r\n`));
    assert.deepEqual(normal(again(response)), normal(response));
    assert.deepEqual(normal(again(response, { utf8: true })), normal(response));
  });
}

for (const [name, wire, want] of cases) {
  test(`response: ${name}`, () => {
    assert.deepEqual(normal(parseEveryWay(`${wire}\r\n`)), normal({ ...want, defects: [] }));
  });
}

const codes: readonly (readonly [wire: string, want: Readonly<Record<string, unknown>>])[] = [
  ...[
    "ALERT",
    "READ-ONLY",
    "TRYCREATE",
    "AUTHENTICATIONFAILED",
    "NOMODSEQ",
    "CLOSED",
    "OVERQUOTA",
    "USEATTR",
  ].map((name) => [name, { name }] as const),
  ...["UIDREQUIRED", "NOTIFICATIONOVERFLOW", "UNKNOWN-CTE", "COMPRESSIONACTIVE", "HASCHILDREN"].map(
    (name) => [name, { name }] as const,
  ),
  ["alert", { name: "ALERT" }],
  ["CAPABILITY IMAP4rev1 X", { name: "CAPABILITY", capabilities: ["IMAP4rev1", "X"] }],
  ["PERMANENTFLAGS (\\Deleted \\*)", { name: "PERMANENTFLAGS", flags: ["\\Deleted", "\\*"] }],
  ["UIDNEXT 4392", { name: "UIDNEXT", value: 4392 }],
  ["UIDVALIDITY 3857529045", { name: "UIDVALIDITY", value: 3857529045 }],
  ["UNSEEN 12", { name: "UNSEEN", value: 12 }],
  ["BADCHARSET", { name: "BADCHARSET", charsets: [] }],
  ["BADCHARSET (US-ASCII UTF-8)", { name: "BADCHARSET", charsets: ["US-ASCII", "UTF-8"] }],
  ["BADEVENT (MessageNew)", { name: "BADEVENT", events: ["MessageNew"] }],
  ["APPENDUID 38505 3955", { name: "APPENDUID", uidValidity: 38505, uids: uids("3955") }],
  [
    "COPYUID 38505 304,319:320 3956:3958",
    { name: "COPYUID", uidValidity: 38505, source: uids("304,319:320"), destination: uids("3956:3958") },
  ],
  ["HIGHESTMODSEQ 18446744073709551615", { name: "HIGHESTMODSEQ", modSeq: 18446744073709551615n }],
  ["MODIFIED 7,9", { name: "MODIFIED", set: seqs("7,9") }],
  ["METADATA LONGENTRIES 2199", { name: "METADATA", detail: "LONGENTRIES", value: 2199 }],
  ["METADATA TOOMANY", { name: "METADATA", detail: "TOOMANY", value: undefined }],
  ["BADURL imap://x/y z", { name: "BADURL", value: "imap://x/y z" }],
  ["REFERRAL imap://u;AUTH=*@h/", { name: "REFERRAL", value: "imap://u;AUTH=*@h/" }],
  ['NOUPDATE "B02"', { name: "NOUPDATE", value: "B02" }],
  ["MAILBOXID (F2212ea87-6097)", { name: "MAILBOXID", id: "F2212ea87-6097" }],
  ["INPROGRESS", { name: "INPROGRESS", tag: null, current: null, goal: null }],
  ['INPROGRESS ("A1" 454 1000)', { name: "INPROGRESS", tag: "A1", current: 454, goal: 1000 }],
  ["INPROGRESS (NIL 5 NIL)", { name: "INPROGRESS", tag: null, current: 5, goal: null }],
  ["MESSAGELIMIT 1000 23221", { name: "MESSAGELIMIT", value: 1000, lowestUid: 23221 }],
  ['X-NEW a "]" b', { name: "other", label: "X-NEW", text: 'a "]" b' }],
  ["", { name: "other", label: "", text: "" }],
];

for (const [wire, want] of codes) {
  test(`code: [${wire}]`, () => {
    const response = parseEveryWay(`A1 NO [${wire}] text\r\n`);
    assert.ok(response.type === "status");
    assert.deepEqual(normal(response.code), normal(want));
    assert.deepEqual([response.tag, response.text, response.defects], ["A1", "text", []]);
    assert.deepEqual(normal(again(response)), normal(response));
  });
}

const flawed: readonly (readonly [name: string, wire: string, want: Readonly<Record<string, unknown>>])[] = [
  [
    "a code whose data is broken",
    "a OK [UIDNEXT x] t",
    { type: "status", tag: "a", code: { name: "other", label: "UIDNEXT", text: "x" } },
  ],
  [
    "a code without an end",
    "a OK [UIDNEXT 5 t",
    { type: "status", tag: "a", code: undefined, text: "[UIDNEXT 5 t" },
  ],
  ["a tagged line that says nothing", "a1 WHAT is this", { type: "malformed", tag: "a1" }],
  ["a bare tag", "a1", { type: "malformed", tag: "a1" }],
  ["a tagged BYE", "a1 BYE x", { type: "malformed", tag: "a1" }],
  ["a LIST that breaks off", "* LIST (", { type: "other", name: "LIST" }],
  [
    "EXISTS with a number that is too large",
    "* 99999999999999999999 EXISTS",
    { type: "other", name: "EXISTS" },
  ],
  ["a SEARCH with a word in it", "* SEARCH 1 x", { type: "other", name: "SEARCH" }],
  [
    "a name in UTF-8 that should not be (seen: Exchange)",
    '* LIST () "/" "Entwürfe"',
    { type: "list", mailbox: "Entwürfe", rawMailbox: raw("Entwürfe") },
  ],
  ["a bare & (seen: Courier)", '* LIST () "/" R&D', { type: "list", mailbox: "R&D", rawMailbox: raw("R&D") }],
];

for (const [name, wire, want] of flawed) {
  test(`flawed: ${name}`, () => {
    const response = parseEveryWay(`${wire}\r\n`) as unknown as Record<string, unknown>;
    for (const [key, value] of Object.entries(want))
      assert.deepEqual(normal(response[key]), normal(value), key);
    if (!wire.includes("[UIDNEXT 5")) assert.ok((response["defects"] as string[]).length > 0);
  });
}

test("names are UTF-8 where that is enabled, and & is &", () => {
  const response = parseEveryWay('* LIST () "/" "Entwürfe &AOk-"\r\n', { utf8: true });
  assert.ok(response.type === "list");
  assert.deepEqual([response.mailbox, response.rawMailbox], ["Entwürfe &AOk-", undefined]);
});

test("a name that is no UTF-8 keeps its bytes", () => {
  const wire = Buffer.from('* LIST () "/" "a\xff"\r\n', "latin1");
  const response = parseResponse(frameOf(wire), { utf8: true });
  assert.ok(response.type === "list");
  assert.deepEqual(response.rawMailbox, Uint8Array.of(0x61, 0xff));
});

for (const wire of ["", " ", "(", "*", "*x", "\x80 OK", '"a" OK']) {
  test(`no response: ${JSON.stringify(wire)}`, () => {
    assert.throws(
      () => parseResponse({ text: Buffer.from(wire, "latin1"), literals: [] }),
      RemoteProtocolError,
    );
  });
}

test("a server that begins with anything but a greeting is refused", () => {
  assert.equal(parseGreeting(frameOf("* OK hi\r\n")).status, "OK");
  assert.equal(parseGreeting(frameOf("* PREAUTH hi\r\n")).status, "PREAUTH");
  for (const wire of ["a OK hi", "* NO hi", "* BAD hi", "* 1 EXISTS", "+ hi"])
    assert.throws(() => parseGreeting(frameOf(`${wire}\r\n`)), RemoteProtocolError);
});

test("a thread of 100,000 answers is read without recursion", () => {
  const response = parseResponse(
    frameOf(`* THREAD (${Array.from({ length: 100_000 }, (_, n) => n + 1).join(" ")})\r\n`),
  );
  assert.equal(response.type, "thread");
});

test("property: changed bytes give a response or a HawserError", () => {
  const wires = cases.map(([, wire]) => bytes(wire.replace(/\{\d+\}\r\n/, "")));
  fc.assert(
    fc.property(
      fc.constantFrom(...wires),
      fc.array(
        fc.tuple(
          fc.nat(80),
          fc.constantFrom(0x28, 0x29, 0x22, 0x5c, 0x20, 0x7b, 0x7d, 0x5b, 0x5d, 0, 0x39, 0xff, 0x2a),
        ),
      ),
      (wire, changes) => {
        const changed = Uint8Array.from(wire);
        for (const [at, byte] of changes) if (at < changed.length) changed[at] = byte;
        onlyOurErrors(() => parseResponse({ text: changed, literals: [] }));
      },
    ),
    { numRuns: 3000 },
  );
});
