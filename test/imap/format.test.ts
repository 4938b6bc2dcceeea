import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LocalProtocolError } from "../../src/core/errors.js";
import { formatResponse, formatResponseBytes, type OutgoingResponse } from "../../src/imap/codec-format.js";
import { parseResponse } from "../../src/imap/codec-response.js";
import { SequenceSet, UidSet } from "../../src/imap/codec-sequence-set.js";
import type { BodyStructure, Envelope, Thread } from "../../src/imap/types.js";
import { bytes, frameOf } from "./support.js";

const wire = (response: OutgoingResponse, utf8 = false) =>
  Buffer.from(formatResponseBytes(response, { utf8 })).toString("utf8");
const status = { type: "status", tag: "A1", status: "OK", code: undefined, text: "done" } as const;

const written: readonly (readonly [name: string, response: OutgoingResponse, want: string])[] = [
  ["tagged", status, "A1 OK done\r\n"],
  [
    "untagged with a code",
    { ...status, tag: undefined, code: { name: "UIDNEXT", value: 5 } },
    "* OK [UIDNEXT 5] done\r\n",
  ],
  ["text that looks like a code", { ...status, text: "[ALERT] x" }, "A1 OK  [ALERT] x\r\n"],
  ["an empty continuation", { type: "continuation", code: undefined, text: "" }, "+ \r\n"],
  ["SEARCH with nothing", { type: "search", ids: [], modSeq: undefined }, "* SEARCH\r\n"],
  [
    "ESEARCH leaves an empty ALL out",
    { type: "esearch", tag: "A1", uid: true, data: { count: 0, all: SequenceSet.of([]) } },
    '* ESEARCH (TAG "A1") UID COUNT 0\r\n',
  ],
  [
    "a name beyond ASCII",
    { type: "list", attributes: [], delimiter: "/", mailbox: "ü" },
    '* LIST () "/" &APw-\r\n',
  ],
  [
    "a name that needs a literal",
    { type: "list", attributes: [], delimiter: "/", mailbox: `${"x".repeat(1001)}"` },
    `* LIST () "/" {1002}\r\n${"x".repeat(1001)}"\r\n`,
  ],
  [
    "FETCH: sections are literals",
    {
      type: "fetch",
      sequence: 1,
      attributes: {
        sections: [{ section: { part: "1", text: "MIME", fields: [] }, origin: 3, data: bytes("a\r\n") }],
      },
    },
    "* 1 FETCH (BODY[1.MIME]<3> {3}\r\na\r\n)\r\n",
  ],
  [
    "FETCH: BINARY is a literal8",
    {
      type: "fetch",
      sequence: 1,
      attributes: { binary: [{ part: "", origin: undefined, data: bytes("\0") }] },
    },
    "* 1 FETCH (BINARY[] ~{1}\r\n\0)\r\n",
  ],
  [
    "RFC 9586: UIDFETCH",
    { type: "fetch", sequence: undefined, attributes: { uid: 9, flags: [] } },
    "* 9 UIDFETCH (FLAGS ())\r\n",
  ],
];

for (const [name, response, want] of written) {
  test(`format: ${name}`, () => assert.equal(wire(response), want));
}

test("a response with UTF-8 enabled needs no modified UTF-7", () => {
  assert.equal(
    wire({ type: "list", attributes: [], delimiter: "/", mailbox: "ü &" }, true),
    '* LIST () "/" "ü &"\r\n',
  );
});

test("a section can go out as a stream", () => {
  const stream = (async function* () {})();
  const section = {
    section: { part: "", text: "", fields: [] },
    origin: undefined,
    data: { octets: 9, stream },
  } as const;
  const response = { type: "fetch", sequence: 1, attributes: { uid: 4, sections: [section] } } as const;
  assert.deepEqual(
    formatResponse(response).map((segment) =>
      segment.type === "bytes" ? Buffer.from(segment.bytes).toString() : segment.octets,
    ),
    ["* 1 FETCH (UID 4 BODY[] {9}\r\n", 9, ")\r\n"],
  );
  assert.throws(() => formatResponseBytes(response), LocalProtocolError);
});

const hostile = ["a\r\nb", "a\nb", "a\0b"];
const fetch = (attributes: Extract<OutgoingResponse, { type: "fetch" }>["attributes"]): OutgoingResponse => ({
  type: "fetch",
  sequence: 1,
  attributes,
});
const refused: readonly (readonly [name: string, response: OutgoingResponse])[] = [
  ...hostile.flatMap((word): (readonly [string, OutgoingResponse])[] => [
    ["text", { ...status, text: word }],
    ["tag", { ...status, tag: word }],
    ["continuation", { type: "continuation", code: undefined, text: word }],
    ["code", { ...status, code: { name: "other", label: "X", text: word } }],
    ["code's label", { ...status, code: { name: "other", label: word, text: "" } }],
    ["BADURL", { ...status, code: { name: "BADURL", value: word } }],
    ["capability", { type: "capability", capabilities: [word] }],
    ["capability code", { ...status, code: { name: "CAPABILITY", capabilities: [word] } }],
    ["flag", { type: "flags", flags: [word] }],
    ["attribute", { type: "list", attributes: [word], delimiter: "/", mailbox: "a" }],
    ["mailbox", { type: "list", attributes: [], delimiter: "/", mailbox: word }],
    [
      "prefix",
      { type: "namespace", personal: [{ prefix: word, delimiter: "/" }], otherUsers: [], shared: [] },
    ],
    ["esearch tag", { type: "esearch", tag: word, uid: false, data: {} }],
    ["quota name", { type: "quota", root: "", resources: [{ name: word, usage: 1n, limit: 1n }] }],
    ["email id", fetch({ emailId: "a\0" })],
    ["fetch flag", fetch({ flags: [word] })],
    ["label", fetch({ gmailLabels: [`\\${word}`] })],
    ["mailbox id", { type: "mailbox-status", mailbox: "a", status: { mailboxId: word } }],
    [
      "section field",
      fetch({
        sections: [
          { section: { part: "", text: "HEADER.FIELDS", fields: [word] }, origin: undefined, data: null },
        ],
      }),
    ],
  ]),
  ["a bracket in a code", { ...status, code: { name: "other", label: "X", text: "a] b" } }],
  ["NUL in a string", fetch({ preview: "\0" })],
  ["NUL in a literal", fetch({ rfc822: bytes("\0") })],
  ["a negative number", { type: "exists", count: -1 }],
  ["a fraction", { type: "search", ids: [1.5], modSeq: undefined }],
  ["octets that are gone", fetch({ rfc822: { streamed: true, octets: 5, index: 0 } })],
  ["a FETCH of nothing", { type: "fetch", sequence: undefined, attributes: {} }],
];

for (const [name, response] of refused) {
  test(`refused: ${name}`, () => assert.throws(() => wire(response), LocalProtocolError));
}

const text = fc.string({ unit: "grapheme", maxLength: 6 }).filter((value) => !value.includes("\0"));
const nstring = fc.option(text, { nil: null });
const address = fc.record({ name: nstring, route: nstring, mailbox: nstring, host: nstring });
const addresses = fc.array(address, { maxLength: 2 });
const envelope: fc.Arbitrary<Envelope> = fc.record({
  ...{ date: nstring, subject: nstring, from: addresses, sender: addresses, replyTo: addresses },
  ...{ to: addresses, cc: addresses, bcc: addresses, inReplyTo: nstring, messageId: nstring },
});
const word = fc.stringMatching(/^[a-z]{1,6}$/);
const parameters = fc.dictionary(word, text, { maxKeys: 2 }).map((found) => ({ ...found }));
const common = {
  parameters,
  disposition: fc.option(fc.record({ type: word, parameters }), { nil: null }),
  language: fc.option(fc.array(word, { minLength: 1, maxLength: 2 }), { nil: null }),
  location: nstring,
};
const fields = {
  id: nstring,
  description: nstring,
  encoding: word,
  octets: fc.nat(),
  md5: nstring,
  ...common,
};

/** Trees without part numbers; `numbered` puts in those that a parser finds. */
const { body } = fc.letrec<{ body: BodyStructure }>((tie) => ({
  body: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.record({
      kind: fc.constant("single"),
      part: fc.constant(""),
      type: fc.constant("image"),
      subtype: word,
      lines: fc.constant(null),
      envelope: fc.constant(null),
      body: fc.constant(null),
      ...fields,
    }),
    fc.record({
      kind: fc.constant("single"),
      part: fc.constant(""),
      type: fc.constant("text"),
      subtype: word,
      lines: fc.nat(),
      envelope: fc.constant(null),
      body: fc.constant(null),
      ...fields,
    }),
    fc.record({
      kind: fc.constant("single"),
      part: fc.constant(""),
      type: fc.constant("message"),
      subtype: fc.constant("rfc822"),
      lines: fc.nat(),
      envelope,
      body: tie("body"),
      ...fields,
    }),
    fc.record({
      kind: fc.constant("multipart"),
      part: fc.constant(""),
      type: fc.constant("multipart"),
      subtype: word,
      parts: fc.array(tie("body"), { minLength: 1, maxLength: 3 }),
      ...common,
    }),
  ) as fc.Arbitrary<BodyStructure>,
}));

function numbered(of: BodyStructure, part: string): BodyStructure {
  const prefix = part === "" ? "" : `${part}.`;
  if (of.kind === "multipart")
    return { ...of, part, parts: of.parts.map((one, at) => numbered(one, `${prefix}${at + 1}`)) };
  const own = part === "" ? "1" : part;
  const inner = of.body;
  return { ...of, part: own, body: inner && numbered(inner, inner.kind === "multipart" ? own : `${own}.1`) };
}

/** fast-check makes some objects without a prototype. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

test("property: format, parse: envelopes and structures are the same again, without a defect", () => {
  fc.assert(
    fc.property(envelope, body, fc.boolean(), (sent, tree, utf8) => {
      const structure = plain(numbered(tree, ""));
      const response = fetch({ uid: 1, envelope: sent, bodyStructure: structure });
      const found = parseResponse(frameOf(formatResponseBytes(response, { utf8 })));
      assert.ok(found.type === "fetch");
      assert.deepEqual(found.attributes.envelope, plain(sent));
      assert.deepEqual(found.attributes.bodyStructure, structure);
      assert.deepEqual(found.defects, []);
    }),
    { numRuns: 400 },
  );
});

test("COPYUID keeps the order by which its sets are paired", () => {
  const code = {
    name: "COPYUID",
    uidValidity: 1,
    source: UidSet.parse("9,1:2"),
    destination: UidSet.parse("5:7"),
  } as const;
  assert.equal(wire({ ...status, code }), "A1 OK [COPYUID 1 9,1:2 5:7] done\r\n");
});

test("a thread as deep as somebody likes, branching at every level, is written and read without recursion", () => {
  let thread: Thread = { id: 1, children: [] };
  for (let id = 2; id < 100_000; id += 2) thread = { id, children: [{ id: id + 1, children: [] }, thread] };
  const wire = formatResponseBytes({ type: "thread", threads: [thread] });
  assert.equal(Buffer.from(wire).toString().match(/\d+/g)?.length, 99_999);
});

test("RFC 9051 section 9: a tag may hold a bracket, and ESEARCH repeats it", () => {
  const wire = formatResponseBytes({ type: "esearch", tag: "a]1", uid: true, data: { count: 5 } });
  assert.equal(Buffer.from(wire).toString(), '* ESEARCH (TAG "a]1") UID COUNT 5\r\n');
});
