import assert from "node:assert/strict";
import { test } from "node:test";
import { formatResponseBytes } from "../../src/imap/codec-format.js";
import { parseResponse } from "../../src/imap/codec-response.js";
import type { BodyMultipart, BodySinglePart, FetchAttributes } from "../../src/imap/types.js";
import { frameOf, parseEveryWay, text } from "./support.js";

function fetched(items: string): FetchAttributes {
  const response = parseEveryWay(`* 12 FETCH (${items})\r\n`);
  assert.ok(response.type === "fetch");
  assert.equal(response.sequence, 12);
  assert.deepEqual(response.defects, []);
  if (response.attributes.other === undefined) {
    const sent = formatResponseBytes({ type: "fetch", sequence: 12, attributes: response.attributes });
    assert.deepEqual(parseResponse(frameOf(sent)), response);
  }
  return response.attributes;
}

const simple: readonly (readonly [name: string, items: string, want: FetchAttributes])[] = [
  ["flags", "FLAGS (\\SEEN $X \\*)", { flags: ["\\Seen", "$X", "\\*"] }],
  ["numbers", "UID 4294967295 RFC822.SIZE 44827", { uid: 4294967295, size: 44827 }],
  [
    "RFC 9051 section 7.5.2: INTERNALDATE",
    'INTERNALDATE "17-Jul-1996 02:44:25 -0700"',
    { internalDate: new Date("1996-07-17T09:44:25Z") },
  ],
  [
    "a day with a space",
    'INTERNALDATE " 1-Jan-2020 00:00:00 +0130"',
    { internalDate: new Date("2019-12-31T22:30:00Z") },
  ],
  ["RFC 7162: MODSEQ beyond 2^53", "MODSEQ (18446744073709551615)", { modSeq: 18446744073709551615n }],
  [
    "RFC 8474",
    "EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9)",
    { emailId: "M6d99ac3275bb4e", threadId: "T64b478a75b7ea9" },
  ],
  ["RFC 8474: no thread", "THREADID NIL", { threadId: null }],
  [
    "RFC 8514",
    'SAVEDATE "01-Feb-2020 10:00:00 +0000" uid 3',
    { saveDate: new Date("2020-02-01T10:00:00Z"), uid: 3 },
  ],
  ["RFC 8514: NIL", "SAVEDATE NIL", { saveDate: null }],
  ["RFC 8970", 'PREVIEW "Dear \\"Joe\\""', { preview: 'Dear "Joe"' }],
  ["RFC 8970: a literal", "PREVIEW {6}\r\ngrüß", { preview: "grüß" }],
  [
    "Gmail",
    'X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888 X-GM-LABELS (\\Inbox "Some Label" x)',
    {
      gmailMessageId: 1278455344230334865n,
      gmailThreadId: 1266894439832287888n,
      gmailLabels: ["\\Inbox", "Some Label", "x"],
    },
  ],
  ["BINARY.SIZE", "BINARY.SIZE[2.1] 700", { binarySize: [{ part: "2.1", octets: 700 }] }],
  ["seen: spaces within (Exchange)", " FLAGS () UID 3 ", { flags: [], uid: 3 }],
  ["nothing", "", {}],
];

for (const [name, items, want] of simple) {
  test(`fetch: ${name}`, () => assert.deepEqual(fetched(items), want));
}

test("fetch: sections, origins, NIL, quoted and literal data", () => {
  const { sections, binary, rfc822, rfc822Header } = fetched(
    'BODY[] {3}\r\na\r\n BODY[1.2.MIME] NIL BODY[HEADER.FIELDS (DATE "From")]<0> "x\\"y" BODY[2.HEADER.FIELDS.NOT (A)] {0}\r\n' +
      ' BINARY[1]<4> ~{2}\r\n\0\n RFC822 {1}\r\nx RFC822.HEADER ""',
  );
  assert.deepEqual(
    sections?.map(({ section, origin, data }) => [
      section,
      origin,
      data === null ? null : text(data as Uint8Array),
    ]),
    [
      [{ part: "", text: "", fields: [] }, undefined, "a\r\n"],
      [{ part: "1.2", text: "MIME", fields: [] }, undefined, null],
      [{ part: "", text: "HEADER.FIELDS", fields: ["DATE", "From"] }, 0, 'x"y'],
      [{ part: "2", text: "HEADER.FIELDS.NOT", fields: ["A"] }, undefined, ""],
    ],
  );
  assert.deepEqual(
    binary?.map(({ part, origin, data }) => [part, origin, text(data as Uint8Array)]),
    [["1", 4, "\0\n"]],
  );
  assert.deepEqual([text(rfc822 as Uint8Array), text(rfc822Header as Uint8Array)], ["x", ""]);
});

test("fetch: an item that is not known is kept", () => {
  const { other, uid } = fetched('X-NEW (a "(" {1}\r\n( [b]) UID 3 X-B[1 (2)]<0> NIL');
  assert.deepEqual(
    other?.map(({ name, raw }) => [name, text(raw)]),
    [
      ["X-NEW", '(a "(" {1} [b])'],
      ["X-B", "[1 (2)]<0>"],
      ["NIL", ""],
    ],
  );
  assert.equal(uid, 3);
});

test("RFC 9586: UIDFETCH", () => {
  const response = parseEveryWay("* 25997 UIDFETCH (FLAGS (\\Flagged) MODSEQ (1))\r\n");
  assert.ok(response.type === "fetch");
  assert.deepEqual(
    [response.sequence, response.attributes],
    [undefined, { flags: ["\\Flagged"], modSeq: 1n, uid: 25997 }],
  );
});

const gray = { name: "Terry Gray", route: null, mailbox: "gray", host: "cac.washington.edu" };

test("RFC 9051 section 8: ENVELOPE and BODY", () => {
  const { envelope, body } = fetched(
    'ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ' +
      '((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL ' +
      '"<B27397-0100000@cac.washington.ed>") ' +
      'BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92)',
  );
  assert.deepEqual(envelope, {
    date: "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
    subject: "IMAP4rev2 WG mtg summary and minutes",
    from: [gray],
    sender: [gray],
    replyTo: [gray],
    to: [{ name: null, route: null, mailbox: "imap", host: "cac.washington.edu" }],
    cc: [
      { name: null, route: null, mailbox: "minutes", host: "CNRI.Reston.VA.US" },
      { name: "John Klensin", route: null, mailbox: "KLENSIN", host: "MIT.EDU" },
    ],
    bcc: [],
    inReplyTo: null,
    messageId: "<B27397-0100000@cac.washington.ed>",
  });
  const want: BodySinglePart = {
    ...{ kind: "single", part: "1", type: "text", subtype: "plain", parameters: { charset: "US-ASCII" } },
    ...{ id: null, description: null, encoding: "7bit", octets: 3028, lines: 92, md5: null },
    ...{ envelope: null, body: null, disposition: null, language: null, location: null },
  };
  assert.deepEqual(body, want);
});

test("RFC 9051 section 7.5.2: a message within, numbered as BODY[…] numbers them", () => {
  const { bodyStructure } = fetched(
    'BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 5 1 NIL NIL NIL NIL)' +
      '("message" "rfc822" NIL "<id>" "desc" "7bit" 900 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
      '(("text" "plain" NIL NIL NIL "7bit" 1 1)("text" "html" NIL NIL NIL "8bit" 2 1) "alternative" ("boundary" "b") NIL ("en" "de") "loc") 30 "md5" ("attachment" ("filename" "a.eml")) "en" NIL)' +
      '("message" "rfc822" NIL NIL NIL "7bit" 90 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("image" "png" ("name" "x") NIL NIL "base64" 70) 3 NIL NIL NIL NIL ("more" (1 2)) 5) ' +
      '"mixed" ("boundary" "c" "Type" "x") ("inline" NIL) NIL NIL)',
  );
  const top = bodyStructure as BodyMultipart;
  assert.deepEqual(
    [top.kind, top.subtype, top.part, top.parameters, top.disposition],
    ["multipart", "mixed", "", { boundary: "c", type: "x" }, { type: "inline", parameters: {} }],
  );
  const [plain, message, single] = top.parts as [BodySinglePart, BodySinglePart, BodySinglePart];
  assert.equal(plain.part, "1");
  assert.deepEqual(
    [message.part, message.lines, message.md5, message.language, message.envelope?.subject],
    ["2", 30, "md5", ["en"], "inner"],
  );
  assert.deepEqual(message.disposition, { type: "attachment", parameters: { filename: "a.eml" } });
  const inner = message.body as BodyMultipart;
  assert.deepEqual(
    [inner.part, inner.language, inner.location, inner.parts.map(({ part }) => part)],
    ["2", ["en", "de"], "loc", ["2.1", "2.2"]],
  );
  assert.deepEqual([single.part, single.body?.part, single.lines], ["3", "3.1", 3]);
});

/** Shapes that real servers have sent. Each comes with UID in front and behind, and both must be there in the end. */
const malformed: readonly (readonly [name: string, item: string, defect: RegExp])[] = [
  [
    "ENVELOPE with NIL fields missing at the end (seen: qiye.163)",
    'ENVELOPE ("d" "s" NIL NIL NIL NIL NIL NIL)',
    /missing/,
  ],
  ["ENVELOPE NIL (seen: Yandex)", "ENVELOPE NIL", /no list/],
  ["ENVELOPE empty", "ENVELOPE ()", /missing/],
  [
    "ENVELOPE with a field too many (seen: GMX)",
    'ENVELOPE ("d" "s" NIL NIL NIL NIL NIL NIL NIL "<id>" "x" NIL)',
    /more fields/,
  ],
  ["ENVELOPE that is not closed", 'ENVELOPE ("d" "s" NIL NIL NIL NIL NIL NIL NIL "<id>"', /not closed/],
  ["ENVELOPE closed twice", 'ENVELOPE ("d" "s" NIL NIL NIL NIL NIL NIL NIL "<id>"))', /too many/],
  [
    "an atom as subject",
    'ENVELOPE ("d" subject NIL NIL NIL NIL NIL NIL NIL "<id>")',
    /the subject is an atom/,
  ],
  ["a number as subject", 'ENVELOPE ("d" 5 NIL NIL NIL NIL NIL NIL NIL "<id>")', /the subject is an atom/],
  ["a list as subject", 'ENVELOPE ("d" ("s") NIL NIL NIL NIL NIL NIL NIL "<id>")', /the subject is a list/],
  [
    "an empty address list (seen: Exchange)",
    'ENVELOPE ("d" "s" () NIL NIL NIL NIL NIL NIL "<id>")',
    /from is an empty list/,
  ],
  ["a string as address list", 'ENVELOPE ("d" "s" "a@b" NIL NIL NIL NIL NIL NIL "<id>")', /from is no list/],
  [
    "NIL in an address list",
    'ENVELOPE ("d" "s" (NIL ("n" NIL "m" "h")) NIL NIL NIL NIL NIL NIL "<id>")',
    /is no list/,
  ],
  [
    "an address of three fields",
    'ENVELOPE ("d" "s" (("n" "m" "h")) NIL NIL NIL NIL NIL NIL "<id>")',
    /a host is missing/,
  ],
  [
    "an address of five fields",
    'ENVELOPE ("d" "s" (("n" NIL "m" "h" "x")) NIL NIL NIL NIL NIL NIL "<id>")',
    /more fields/,
  ],
  ["an empty address", 'ENVELOPE ("d" "s" (()) NIL NIL NIL NIL NIL NIL "<id>")', /missing/],
  ["a string without an end", 'ENVELOPE ("d" "s NIL NIL)', /no end/],
  ["BODYSTRUCTURE NIL", "BODYSTRUCTURE NIL", /no list/],
  ["BODYSTRUCTURE empty", "BODYSTRUCTURE ()", /empty list/],
  ["a string as BODYSTRUCTURE", 'BODYSTRUCTURE "text"', /no list/],
  [
    "an empty parameter list (seen: qiye.163)",
    'BODYSTRUCTURE ("text" "plain" () NIL NIL "7bit" 1 1 NIL NIL NIL NIL)',
    /parameter list is empty/,
  ],
  [
    "a string as parameters",
    'BODYSTRUCTURE ("text" "plain" "x" NIL NIL "7bit" 1 1)',
    /parameters are no list/,
  ],
  [
    "a parameter without a value",
    'BODYSTRUCTURE ("text" "plain" ("charset") NIL NIL "7bit" 1 1)',
    /value is missing/,
  ],
  [
    "a list as a parameter's value",
    'BODYSTRUCTURE ("text" "plain" ("a" ("b")) NIL NIL "7bit" 1 1)',
    /value is a list/,
  ],
  [
    "a NIL subtype (seen: Gmail)",
    'BODYSTRUCTURE ("application" NIL NIL NIL NIL "base64" 1)',
    /no type or subtype/,
  ],
  ["a NIL type", 'BODYSTRUCTURE (NIL NIL NIL NIL NIL "7bit" 1)', /no type or subtype/],
  ["a NIL encoding (seen: Yandex)", 'BODYSTRUCTURE ("text" "plain" NIL NIL NIL NIL 1 1)', /no encoding/],
  ["an atom as encoding", 'BODYSTRUCTURE ("text" "plain" NIL NIL NIL 7BIT 1 1)', /an encoding is an atom/],
  ["NIL octets", 'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" NIL)', /octets of a part is no number/],
  ["-1 octets", 'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" -1)', /octets of a part is no number/],
  [
    "quoted octets",
    'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" "12")',
    /octets of a part is a string/,
  ],
  [
    "octets beyond all numbers",
    'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" 99999999999999999999)',
    /is no number/,
  ],
  ["no octets", 'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64")', /octets of a part is missing/],
  [
    "text without lines (seen: Exchange)",
    'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 12 NIL ("inline" NIL) NIL NIL)',
    /lines of a part are missing/,
  ],
  [
    "NIL lines",
    'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 12 NIL NIL NIL NIL NIL)',
    /lines of a part are missing/,
  ],
  [
    "lines of an image",
    'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" 12 3 NIL NIL NIL NIL)',
    /has lines/,
  ],
  [
    "message/rfc822 as any file (seen: GMX)",
    'BODYSTRUCTURE ("message" "rfc822" NIL NIL NIL "7bit" 99 NIL NIL NIL NIL)',
    /no envelope/,
  ],
  [
    "message/rfc822 with a NIL envelope",
    'BODYSTRUCTURE ("message" "rfc822" NIL NIL NIL "7bit" 99 NIL ("text" "plain" NIL NIL NIL "7bit" 1 1) 3)',
    /no envelope/,
  ],
  [
    "message/rfc822 with a NIL body",
    'BODYSTRUCTURE ("message" "rfc822" NIL NIL NIL "7bit" 99 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) NIL 3)',
    /no body/,
  ],
  ["a multipart without parts (seen: Gmail)", 'BODYSTRUCTURE ("mixed" ("boundary" "b") NIL NIL)', /no parts/],
  [
    "a multipart by name",
    'BODYSTRUCTURE ("multipart" "mixed" ("boundary" "b") NIL NIL "7bit" 0)',
    /no parts/,
  ],
  ["a NIL in place of the parts", 'BODYSTRUCTURE (NIL "mixed" ("boundary" "b") NIL NIL)', /no parts/],
  ["a multipart without a subtype", 'BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 1 1))', /no subtype/],
  ["an empty part", 'BODYSTRUCTURE (() "mixed")', /empty list/],
  ["a NIL part", 'BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 1 1) NIL "mixed")', /a part is NIL/],
  [
    "a string as disposition",
    'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" 1 NIL "attachment" NIL NIL)',
    /disposition is no list/,
  ],
  [
    "an empty disposition",
    'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" 1 NIL () NIL NIL)',
    /disposition is an empty list/,
  ],
  [
    "a disposition without parameters",
    'BODYSTRUCTURE ("image" "png" NIL NIL NIL "base64" 1 NIL ("inline") NIL NIL)',
    /no parameters/,
  ],
  [
    "BODYSTRUCTURE that is not closed",
    'BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 1 1) "mixed" NIL NIL NIL',
    /not closed/,
  ],
  ["BODYSTRUCTURE closed twice", 'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 1 1))', /too many/],
  [
    "a literal's mark without a literal",
    'BODYSTRUCTURE ("text" "plain" NIL {5} NIL "7bit" 1 1)',
    /literal was due/,
  ],
  ["an INTERNALDATE that is none", 'INTERNALDATE "yesterday"', /no date/],
  ["FLAGS without a list", "FLAGS \\Seen", /was due/],
  ["a MODSEQ without parentheses", "MODSEQ 5", /not in parentheses/],
  ["a nested structure beyond all depth", `BODYSTRUCTURE ${"(".repeat(200)}${")".repeat(200)}`, /too deep/],
];

for (const [name, item, defect] of malformed) {
  test(`malformed: ${name}`, () => {
    const response = parseEveryWay(`* 3 FETCH (UID 7 ${item} RFC822.SIZE 5)\r\n`);
    assert.ok(response.type === "fetch");
    assert.match(response.defects.join("; "), defect);
    assert.equal(response.attributes.uid, 7);
    if (!item.includes('"s NIL')) assert.equal(response.attributes.size, 5);
  });
}

test("malformed: a literal in place of a quoted string is none", () => {
  const { envelope } = fetched("ENVELOPE ({1}\r\nd {3}\r\na\r\n NIL NIL NIL NIL NIL NIL NIL {4}\r\n<id>)");
  assert.deepEqual([envelope?.date, envelope?.subject, envelope?.messageId], ["d", "a\r\n", "<id>"]);
});

test("malformed: what can be read is read", () => {
  const read = (item: string) => {
    const response = parseResponse(frameOf(`* 3 FETCH (${item})\r\n`));
    assert.ok(response.type === "fetch");
    return response.attributes;
  };
  const { bodyStructure } = read(
    'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 12 NIL ("inline" NIL) NIL NIL)',
  );
  assert.equal(bodyStructure?.disposition?.type, "inline");
  const { envelope } = read(
    'ENVELOPE ("d" "s" (("n" NIL "m" "h" "x")) () "x" ((NIL NIL "t" "h")) NIL NIL NIL "<id>")',
  );
  assert.deepEqual(
    [envelope?.from[0]?.host, envelope?.to[0]?.mailbox, envelope?.messageId],
    ["h", "t", "<id>"],
  );
  const mixed = read(
    'BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" NIL 1) NIL ("image" "png" NIL NIL NIL "base64" 3) "mixed")',
  ).bodyStructure as BodyMultipart;
  assert.deepEqual(
    mixed.parts.map(({ type }) => type),
    ["text", "image"],
  );
});

test("a parameter called __proto__ does no harm", () => {
  const response = parseResponse(
    frameOf('* 3 FETCH (BODY ("text" "plain" ("__proto__" "x" "a" "b") NIL NIL "7bit" 1 1))\r\n'),
  );
  assert.ok(response.type === "fetch");
  assert.deepEqual(response.attributes.body?.parameters, { a: "b" });
  assert.deepEqual(response.defects, ["a parameter is called __proto__"]);
});
