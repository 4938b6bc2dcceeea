/** MIME structures with offsets: RFC 2045, 2046, 2231; RFC 9051 sections 6.4.5 and 7.5.2. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  asciiParameter,
  type BodyPart,
  type MessageStructure,
  partAt,
  type SectionText,
  scanParameters,
  scanStructure,
  sectionRange,
} from "../../src/mail/structure.js";

const message = (lines: readonly string[]): Uint8Array => Buffer.from(lines.join("\r\n"), "utf8");

/** A part in one line: `mixed(text/plain 3, message/rfc822[text/plain 1])`. */
function shape(part: BodyPart): string {
  if (part.type === "multipart") return `${part.subtype}(${part.parts.map(shape).join(", ")})`;
  const inner = part.message === undefined ? ` ${part.octets}` : `[${shape(part.message.root)}]`;
  return `${part.type}/${part.subtype}${inner}`;
}

const full = message([
  "From: Alice <a@x.example>",
  "To: b@x.example, Team: c@x.example;",
  "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=",
  "Date: Fri, 27 Nov 2026 20:18:13 +0000",
  "Message-ID: <1@x.example>",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="outer"',
  "",
  "preamble",
  "--outer",
  "Content-Type: multipart/alternative; boundary=inner",
  "",
  "--inner",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: 8bit",
  "",
  "Hellö",
  "--inner",
  'Content-Type: TEXT/HTML; charset="us-ascii"',
  "",
  "<p>Hello</p>",
  "",
  "--inner--",
  "--outer  ",
  "Content-Type: message/rfc822",
  "Content-Disposition: attachment; filename*=utf-8''a%C3%BC.eml",
  "Content-Description: the other one",
  "",
  "Subject: inner",
  "From: d@x.example",
  "Content-Type: multipart/mixed; boundary=deep",
  "",
  "--deep",
  "",
  "deepest",
  "--deep--",
  "--outer",
  "Content-Type: application/pdf; name=x.pdf",
  "Content-ID: <id@x>",
  "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
  "Content-Language: en, de (German)",
  "Content-Location: http://x.example/ a",
  "Content-Transfer-Encoding: BASE64",
  "",
  "AAAA",
  "--outer--",
  "epilogue",
  "",
]);

function section(
  structure: MessageStructure,
  bytes: Uint8Array,
  numbers: readonly number[],
  text?: SectionText,
): string | undefined {
  const range = sectionRange(structure, numbers, text);
  return range === undefined ? undefined : Buffer.from(bytes.subarray(range.start, range.end)).toString();
}

test("structure: a message with everything", () => {
  const structure = scanStructure(full);
  assert.deepEqual(structure.defects, []);
  assert.equal(
    shape(structure.root),
    "mixed(alternative(text/plain 6, text/html 14), message/rfc822[mixed(text/plain 7)], application/pdf 4)",
  );
  const pdf = partAt(structure, [3]);
  assert.deepEqual(pdf?.parameters, [{ name: "name", value: "x.pdf" }]);
  assert.deepEqual(
    [pdf?.id, pdf?.md5, pdf?.language, pdf?.location, pdf?.encoding, pdf?.lines],
    ["<id@x>", "Q2hlY2sgSW50ZWdyaXR5IQ==", ["en", "de"], "http://x.example/a", "base64", undefined],
  );
  const inner = partAt(structure, [2]);
  assert.deepEqual(inner?.disposition, {
    type: "attachment",
    parameters: [{ name: "filename", value: "aü.eml", charset: "utf-8" }],
  });
  assert.deepEqual([inner?.description, inner?.lines], ["the other one", 8]);
  assert.equal(inner?.message?.envelope.subject, "inner");
  assert.deepEqual([partAt(structure, [1, 1])?.lines, partAt(structure, [1, 2])?.lines], [1, 1]);
});

test("structure: the envelope", () => {
  const { envelope } = scanStructure(full);
  assert.equal(envelope.subject, "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=");
  assert.equal(envelope.date, "Fri, 27 Nov 2026 20:18:13 +0000");
  assert.equal(envelope.messageId, "<1@x.example>");
  assert.equal(envelope.inReplyTo, undefined);
  assert.deepEqual(envelope.sender, envelope.from);
  assert.deepEqual(envelope.replyTo, envelope.from);
  assert.deepEqual([envelope.to.map((each) => each.kind), envelope.cc], [["mailbox", "group"], []]);
});

const sections: readonly [
  numbers: readonly number[],
  text: SectionText | undefined,
  want: string | RegExp | undefined,
][] = [
  [[], undefined, Buffer.from(full).toString()],
  [[], "HEADER", /^From: Alice[\s\S]*boundary="outer"\r\n\r\n$/],
  [[], "TEXT", /^preamble[\s\S]*epilogue\r\n$/],
  [[], "MIME", undefined],
  [[1], undefined, /^--inner\r\n[\s\S]*--inner--$/],
  [[1, 1], undefined, "Hellö"],
  [[1, 1], "MIME", "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"],
  [[1, 1], "HEADER", undefined],
  [[1, 2], undefined, "<p>Hello</p>\r\n"],
  [[1, 3], undefined, undefined],
  [[1, 1, 1], undefined, undefined],
  [[2], undefined, /^Subject: inner[\s\S]*--deep--$/],
  [
    [2],
    "HEADER",
    "Subject: inner\r\nFrom: d@x.example\r\nContent-Type: multipart/mixed; boundary=deep\r\n\r\n",
  ],
  [[2], "TEXT", "--deep\r\n\r\ndeepest\r\n--deep--"],
  [[2], "MIME", /^Content-Type: message\/rfc822\r\n[\s\S]*the other one\r\n\r\n$/],
  [[2, 1], undefined, "deepest"],
  [[2, 1], "MIME", "\r\n"],
  [[3], undefined, "AAAA"],
  [[4], undefined, undefined],
  [[0], undefined, undefined],
];

for (const [numbers, text, want] of sections) {
  test(`structure: BODY[${[...numbers, ...(text === undefined ? [] : [text])].join(".")}]`, () => {
    const got = section(scanStructure(full), full, numbers, text);
    if (want instanceof RegExp) assert.match(got ?? "", want);
    else assert.equal(got, want);
  });
}

test("structure: part 1 of a message without parts is its body", () => {
  const bytes = message(["Subject: x", "", "one", "two"]);
  const structure = scanStructure(bytes);
  assert.equal(section(structure, bytes, [1]), "one\r\ntwo");
  assert.equal(section(structure, bytes, [1, 1]), undefined);
  assert.equal(section(structure, bytes, [2]), undefined);
  assert.deepEqual([structure.root.lines, structure.root.octets], [2, 8]);
});

const multipart = (boundary: string, ...lines: string[]): readonly string[] => [
  `Content-Type: multipart/mixed; boundary=${boundary}`,
  "",
  ...lines,
];

const shapes: readonly { name: string; lines: readonly string[]; want: string; defect?: string }[] = [
  { name: "nothing", lines: [""], want: "text/plain 0" },
  { name: "only a body", lines: ["", "x"], want: "text/plain 1" },
  {
    name: "RFC 2046 5.1.1: a header that is empty",
    lines: multipart("b", "--b", "", "x", "--b--"),
    want: "mixed(text/plain 1)",
  },
  {
    name: "RFC 2046 5.1.5: a digest",
    lines: ["Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: x", "", "y", "--b--"],
    want: "digest(message/rfc822[text/plain 1])",
  },
  {
    name: "an empty part",
    lines: multipart("b", "--b", "Content-Type: text/html", "", "--b", "", "", "--b--"),
    want: "mixed(text/html 0, text/plain 0)",
  },
  {
    name: "a prefix is not the boundary",
    lines: multipart("b", "--b", "", "--bc", "--b--"),
    want: "mixed(text/plain 4)",
  },
  {
    name: "inner boundary begins like the outer",
    lines: multipart("b", "--b", ...multipart("bb", "--bb", "", "x", "--bb--"), "--b--"),
    want: "mixed(mixed(text/plain 1))",
  },
  {
    name: "the same boundary inside",
    lines: multipart("b", "--b", ...multipart("b", "--b", "", "x", "--b--"), "--b", "", "yy", "--b--"),
    want: "mixed(mixed(text/plain 1), text/plain 2)",
  },
  {
    name: "a boundary that ends with dashes",
    lines: multipart("b--", "--b--", "", "x", "--b----"),
    want: "mixed(text/plain 1)",
  },
  {
    name: "a boundary in a quoted string with a space",
    lines: ['Content-Type: multipart/mixed; boundary="a b"', "", "--a b", "", "x", "--a b--"],
    want: "mixed(text/plain 1)",
  },
  {
    name: "a boundary beyond ASCII",
    lines: ['Content-Type: multipart/mixed; boundary="ü"', "", "--ü", "", "x", "--ü--"],
    want: "mixed(text/plain 1)",
  },
  {
    name: "boundaries in the epilogue",
    lines: multipart("b", "--b", "", "x", "--b--", "--b", "", "y"),
    want: "mixed(text/plain 1)",
  },
  {
    name: "the outer ends the inner",
    lines: multipart("o", "--o", ...multipart("i", "--i", "", "x"), "--o", "", "y", "--o--"),
    want: "mixed(mixed(text/plain 1), text/plain 1)",
    defect: "boundary",
  },
  {
    name: "no last boundary",
    lines: multipart("b", "--b", "", "x"),
    want: "mixed(text/plain 1)",
    defect: "boundary",
  },
  { name: "no part at all", lines: multipart("b", "x"), want: "mixed(text/plain 1)", defect: "boundary" },
  {
    name: "no boundary parameter",
    lines: ["Content-Type: multipart/mixed", "", "x"],
    want: "mixed(text/plain 1)",
    defect: "boundary",
  },
  {
    name: "a part's header without end",
    lines: multipart("b", "--b", "Content-Type: text/html", "--b--"),
    want: "mixed(text/html 0)",
  },
  {
    name: "a message's header without end",
    lines: multipart("b", "--b", "Content-Type: message/rfc822", "", "Subject: x", "--b--"),
    want: "mixed(message/rfc822[text/plain 0])",
  },
  {
    name: "a message of nothing",
    lines: ["Content-Type: message/rfc822", "", ""],
    want: "message/rfc822[text/plain 0]",
  },
  {
    name: "a message in base64",
    lines: ["Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "AAAA"],
    want: "application/octet-stream 4",
    defect: "encoding",
  },
  {
    name: "message/global",
    lines: ["Content-Type: message/global", "", "Subject: ü", "", "x"],
    want: "message/global[text/plain 1]",
  },
  {
    name: "a type without subtype",
    lines: ["Content-Type: text", "", "x"],
    want: "text/plain 1",
    defect: "content-type",
  },
  { name: "an empty type", lines: ["Content-Type: ", "", "x"], want: "text/plain 1", defect: "content-type" },
  {
    name: "a type with three words",
    lines: ["Content-Type: text/plain/x", "", "x"],
    want: "text/plain 1",
    defect: "content-type",
  },
  {
    name: "two types: the first counts",
    lines: ["Content-Type: text/html", "Content-Type: text/plain", "", "x"],
    want: "text/html 1",
  },
  {
    name: "a comment in the type",
    lines: ["Content-Type: text/html (really; x=y)", "", "x"],
    want: "text/html 1",
  },
  {
    name: "an open quoted string",
    lines: ['Content-Type: text/html; x="y', "", "x"],
    want: "text/html 1",
    defect: "content-type",
  },
  {
    name: "a parameter without value",
    lines: ["Content-Type: text/html; x; y=1", "", "x"],
    want: "text/html 1",
    defect: "content-type",
  },
  {
    name: "a line that is no field",
    lines: ["nonsense", "Content-Type: text/html", "", "x"],
    want: "text/html 1",
    defect: "header",
  },
  { name: "a bad address", lines: ["From: <a@", "", "x"], want: "text/plain 1", defect: "address" },
  {
    name: "a long boundary",
    lines: multipart("b".repeat(80), `--${"b".repeat(80)}`, "", "x", `--${"b".repeat(80)}--`),
    want: "mixed(text/plain 1)",
    defect: "boundary",
  },
  {
    name: "a boundary beyond all measure",
    lines: multipart("b".repeat(2000), "x"),
    want: "mixed(text/plain 1)",
    defect: "boundary",
  },
  {
    name: "an encoded multipart",
    lines: [
      "Content-Type: multipart/mixed; boundary=b",
      "Content-Transfer-Encoding: base64",
      "",
      "--b",
      "",
      "x",
      "--b--",
    ],
    want: "mixed(text/plain 1)",
    defect: "encoding",
  },
];

for (const { name, lines, want, defect } of shapes) {
  test(`structure: ${name}`, () => {
    for (const end of ["\r\n", "\n"]) {
      const bytes = Buffer.from(lines.join(end));
      const structure = scanStructure(bytes);
      assert.equal(shape(structure.root), want);
      checkRanges(structure, bytes.length);
      const kinds = new Set(structure.defects.map((each) => each.kind));
      assert.deepEqual([...kinds], defect === undefined ? [] : [defect]);
    }
  });
}

/** Ranges lie inside each other and in order; a multipart has parts, and a message its message. */
function checkRanges({ root, sizeOctets, headers }: MessageStructure, length: number): void {
  assert.equal(sizeOctets, length);
  assert.deepEqual(root.header, headers.range);
  const visit = (part: BodyPart, from: number, to: number): void => {
    assert.ok(part.header.start >= from && part.header.end >= part.header.start);
    assert.ok(part.body.start >= part.header.end && part.body.end >= part.body.start && part.body.end <= to);
    assert.equal(part.octets, part.body.end - part.body.start);
    assert.equal(part.parts.length > 0, part.type === "multipart");
    assert.equal(
      part.message !== undefined,
      part.type === "message" && /^(rfc822|global)$/.test(part.subtype),
    );
    let at = part.body.start;
    for (const child of part.parts) {
      visit(child, at, part.body.end);
      at = child.body.end;
    }
    if (part.message !== undefined) visit(part.message.root, part.body.start, part.body.end);
  };
  visit(root, 0, length);
}

test("structure: any bytes give a structure whose ranges fit", () => {
  const piece = fc.constantFrom(
    ..."\r\n",
    "\r\n",
    "\r\n\r\n",
    "--a",
    "--a--",
    "--b",
    "--b--",
    "\r\n--a\r\n",
    "\n--b\n",
    "\r\n--a--\r\n",
    "Content-Type: multipart/mixed; boundary=a\r\n\r\n",
    "Content-Type: multipart/digest; boundary=b\r\n\r\n",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: text/html; charset*0*=utf-8''%20",
    "From: <a@",
    "x",
    "é",
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.array(piece, { maxLength: 40 }).map((all) => Buffer.from(all.join(""))),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 4 }), (any, cap) => {
      checkRanges(scanStructure(any), any.length);
      checkRanges(scanStructure(any, { maxDepth: cap, maxParts: cap, maxHeaderBytes: cap * 10 }), any.length);
    }),
    { numRuns: 1000 },
  );
});

test("structure: every prefix of a message gives a structure", () => {
  for (let cut = 0; cut <= full.length; cut += 1) checkRanges(scanStructure(full.subarray(0, cut)), cut);
});

function nested(depth: number): Uint8Array {
  const open = Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
  );
  return Buffer.from(`${open.join("")}\r\nx`);
}

function depthOf(part: BodyPart): number {
  const inner = part.message === undefined ? part.parts : [part.message.root];
  return 1 + Math.max(0, ...inner.map(depthOf));
}

test("structure: parts stand in parts up to the limit and no deeper", () => {
  assert.equal(depthOf(scanStructure(nested(31)).root), 32);
  const deep = scanStructure(nested(5000));
  assert.equal(depthOf(deep.root), 33);
  assert.ok(deep.defects.some((defect) => defect.kind === "too-deep"));
  const messages = scanStructure(Buffer.from("Content-Type: message/rfc822\r\n\r\n".repeat(5000)));
  assert.equal(depthOf(messages.root), 33);
});

test("structure: no more parts than the limit", () => {
  const bytes = message(multipart("b", ...Array.from({ length: 50 }, () => "--b\r\n\r\nx"), "--b--"));
  assert.equal(scanStructure(bytes, { maxParts: 51 }).root.parts.length, 50);
  const few = scanStructure(bytes, { maxParts: 10 });
  assert.equal(few.root.parts.length, 9);
  assert.ok(few.defects.some((defect) => defect.kind === "too-many-parts"));
});

test("structure: time grows with the message", () => {
  const deep = Buffer.from(nested(30)).toString();
  for (const piece of [
    "--b\r\n",
    "--b29\r\n\r\n",
    "\r\n--",
    "-",
    "--x\r\n",
    "a\r\n",
    "--b29\r\nContent-Type: message/rfc822\r\n\r\n",
  ]) {
    const bytes = Buffer.from(deep + piece.repeat(4_000_000 / piece.length));
    const started = performance.now();
    scanStructure(bytes);
    assert.ok(performance.now() - started < 5000, `${piece} takes ${performance.now() - started} ms`);
  }
});

const parameters: readonly [name: string, text: string, value: string, want: readonly object[]][] = [
  [
    "RFC 2231 section 3",
    'message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/x"',
    "message/external-body",
    [
      { name: "access-type", value: "URL" },
      { name: "url", value: "ftp://cs.utk.edu/x" },
    ],
  ],
  [
    "RFC 2231 section 4",
    "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
    "application/x-stuff",
    [{ name: "title", value: "This is ***fun***", charset: "us-ascii", language: "en-us" }],
  ],
  [
    "RFC 2231 section 4.1",
    "a/b; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
    "a/b",
    [{ name: "title", value: "This is even more ***fun*** isn't it!", charset: "us-ascii", language: "en" }],
  ],
  ["continuations out of order", "a/b; x*1=2; x*0=1; x*3=4", "a/b", [{ name: "x", value: "12" }]],
  [
    "the encoded form wins",
    "a/b; x=plain; x*=utf-8''%C3%BC",
    "a/b",
    [{ name: "x", value: "ü", charset: "utf-8" }],
  ],
  ["of two the first counts", "a/b; x=1; x=2", "a/b", [{ name: "x", value: "1" }]],
  [
    "parentheses in a name (seen: Outlook)",
    "a/b; name=Invoice(1).pdf",
    "a/b",
    [{ name: "name", value: "Invoice(1).pdf" }],
  ],
  [
    "spaces without quotes (seen: old senders)",
    "a/b; name=my file.pdf ; y=1",
    "a/b",
    [
      { name: "name", value: "my file.pdf" },
      { name: "y", value: "1" },
    ],
  ],
  ["quoted pairs", 'a/b; x="a\\"b\\\\c;d"', "a/b", [{ name: "x", value: 'a"b\\c;d' }]],
  ["spaces around =", "a/b ; x = 1", "a/b", [{ name: "x", value: "1" }]],
  [
    "names of Object.prototype",
    "a/b; __proto__=1; constructor=2",
    "a/b",
    [
      { name: "__proto__", value: "1" },
      { name: "constructor", value: "2" },
    ],
  ],
];

for (const [name, text, value, want] of parameters) {
  test(`parameters: ${name}`, () => {
    const scan = scanParameters(text);
    assert.equal(scan.value, value);
    assert.deepEqual(scan.parameters, want);
  });
}

test("parameters: as ASCII for IMAP, and back", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(text, (value) => {
      const { name, value: ascii } = asciiParameter({ name: "filename", value });
      assert.match(ascii, /^[ -~]*$/);
      if (name === "filename*")
        assert.equal(scanParameters(`attachment; ${name}=${ascii}`).parameters[0]?.value, value);
    }),
  );
});
