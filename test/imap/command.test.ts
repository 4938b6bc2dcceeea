import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LocalProtocolError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import { type CommandSegment, type FormatOptions, formatCommand } from "../../src/imap/codec-command.js";
import * as part from "../../src/imap/codec-parts.js";
import { SequenceSet, UidSet } from "../../src/imap/codec-sequence-set.js";
import { bytes } from "./support.js";

/** Segments as text; a wait is `…`, a stream its size. */
function wire(segments: readonly CommandSegment[]): string {
  return segments
    .map((segment) => {
      if (segment.type === "bytes") return Buffer.from(segment.bytes).toString("utf8");
      return segment.type === "wait" ? "…" : `<${segment.octets}>`;
    })
    .join("");
}

const section = { part: "1.2", text: "HEADER.FIELDS", fields: ["Date", "a b"] } as const;

const cases: readonly (readonly [
  name: string,
  parts: readonly part.CommandPart[],
  want: string,
  options?: FormatOptions,
])[] = [
  ["no argument", [part.atom("NOOP")], "A1 NOOP\r\n"],
  [
    "astring as atom, quoted",
    [part.astring("joe"), part.astring("a b"), part.astring("")],
    'A1 joe "a b" ""\r\n',
  ],
  ["astring NIL is quoted", [part.astring("nil"), part.astring("a]b")], 'A1 "nil" a]b\r\n'],
  ["quotes and backslashes", [part.string('a"b\\c')], 'A1 "a\\"b\\\\c"\r\n'],
  ["CR LF makes a literal", [part.astring("a\r\nb")], "A1 {4}\r\n…a\r\nb\r\n"],
  ["a lone LF as well", [part.string("a\nb")], "A1 {3}\r\n…a\nb\r\n"],
  ["text beyond ASCII is a literal", [part.string("é")], "A1 {2}\r\n…é\r\n"],
  ["but quoted where UTF-8 is enabled", [part.string("é")], 'A1 "é"\r\n', { utf8: true }],
  ["LITERAL+", [part.string("é"), part.atom("X")], "A1 {2+}\r\né X\r\n", { literals: "plus" }],
  [
    "LITERAL- up to 4096",
    [part.literal(new Uint8Array(4096).fill(0x61))],
    `A1 {4096+}\r\n${"a".repeat(4096)}\r\n`,
    { literals: "minus" },
  ],
  [
    "LITERAL- beyond",
    [part.literal(new Uint8Array(4097).fill(0x61))],
    `A1 {4097}\r\n…${"a".repeat(4097)}\r\n`,
    { literals: "minus" },
  ],
  ["an empty literal", [part.literal(new Uint8Array(0))], "A1 {0}\r\n…\r\n"],
  ["literal8 with a NUL", [part.literal8(bytes("a\0"))], "A1 ~{2}\r\n…a\0\r\n"],
  ["nstring", [part.nstring(null), part.nstring("NIL")], 'A1 NIL "NIL"\r\n'],
  ["numbers", [part.number(0), part.number(18446744073709551615n)], "A1 0 18446744073709551615\r\n"],
  [
    "flags in a list",
    [part.list(part.flag("\\Seen"), part.flag("$Junk")), part.list()],
    "A1 (\\Seen $Junk) ()\r\n",
  ],
  [
    "sets",
    [part.set(UidSet.of([1, 2, 5])), part.set(SequenceSet.searchResult), part.set(SequenceSet.all)],
    "A1 1:2,5 $ 1:*\r\n",
  ],
  [
    "mailboxes in modified UTF-7",
    [part.mailbox("Entwürfe"), part.mailbox("R&D"), part.mailbox("a b")],
    'A1 Entw&APw-rfe R&-D "a b"\r\n',
  ],
  [
    "mailboxes in UTF-8",
    [part.mailbox("Entwürfe"), part.mailbox("R&D")],
    'A1 "Entwürfe" R&D\r\n',
    { utf8: true },
  ],
  [
    "a mailbox as the server sent it",
    [part.mailbox(bytes("R&D")), part.mailbox(Uint8Array.of(0x61, 0xe9))],
    "A1 R&D {2}\r\n…a\ufffd\r\n",
  ],
  [
    "patterns",
    [part.pattern("%"), part.pattern("ü*"), part.pattern("a b%"), part.pattern("")],
    'A1 % &APw-* "a b%" ""\r\n',
  ],
  [
    "dates",
    [part.date({ year: 1994, month: 2, day: 1 }), part.dateTime(new Date("1996-07-07T09:44:25Z"))],
    'A1 1-Feb-1994 " 7-Jul-1996 09:44:25 +0000"\r\n',
  ],
  [
    "sections",
    [
      part.section("BODY.PEEK", section, { offset: 0, octets: 10 }),
      part.section("BODY", { part: "", text: "", fields: [] }),
    ],
    'A1 BODY.PEEK[1.2.HEADER.FIELDS (Date "a b")]<0.10> BODY[]\r\n',
  ],
  ["base64", [part.base64(bytes("\0joe\0pw")), part.base64(new Uint8Array(0))], "A1 AGpvZQBwdw== =\r\n"],
  ["joined", [part.joined(part.atom("X"), part.list(part.number(1)))], "A1 X(1)\r\n"],
];

for (const [name, parts, want, options] of cases) {
  test(`command: ${name}`, () => assert.equal(wire(formatCommand("A1", parts, options).segments), want));
}

test("a stream goes out where its size was announced", () => {
  const stream = (async function* () {})();
  const { segments, shown } = formatCommand("A1", [
    part.atom("APPEND"),
    part.literal({ octets: 9, stream }),
    part.atom("X"),
  ]);
  assert.equal(wire(segments), "A1 APPEND {9}\r\n…<9> X\r\n");
  assert.equal(shown, "A1 APPEND {9} X");
  assert.throws(() => formatCommand("A1", [part.literal({ octets: -1, stream })]), LocalProtocolError);
  assert.throws(() => formatCommand("A1", [part.literal8({ octets: 1.5, stream })]), LocalProtocolError);
});

test("a secret reaches the wire and no trace, whatever form it takes", () => {
  for (const secret of ["tiger", "ti ger", "ti\r\nger", "tigé"]) {
    for (const make of [part.astring, part.string]) {
      const { segments, shown } = formatCommand("A1", [
        part.atom("LOGIN"),
        part.astring("joe"),
        make(new Secret(secret)),
      ]);
      assert.ok(wire(segments).includes(secret));
      assert.equal(shown, "A1 LOGIN joe [secret]");
    }
  }
  const { segments, shown } = formatCommand("A1", [part.base64(new Secret("tiger"))]);
  assert.deepEqual([wire(segments), shown], ["A1 dGlnZXI=\r\n", "A1 [secret]"]);
  assert.equal(formatCommand("A1", [part.base64(bytes("x"))]).shown, "A1 [secret]");
});

const refused: readonly (readonly [name: string, make: () => part.CommandPart])[] = [
  ...["", "a b", "a\r\n", "a(", 'a"', "a*", "a%", "a\\", "a{", "a]", "é", "a\0", "\x7f"].map(
    (word) => [`atom ${JSON.stringify(word)}`, () => part.atom(word)] as const,
  ),
  ...["", "\\", "\\\\Seen", "a b", "\\Seen\r\n", "\\Seen)", "a]"].map(
    (word) => [`flag ${JSON.stringify(word)}`, () => part.flag(word)] as const,
  ),
  ...["a\0b", "\0"].flatMap((word) => [
    [`astring ${JSON.stringify(word)}`, () => part.astring(word)] as const,
    [`string ${JSON.stringify(word)}`, () => part.string(word)] as const,
    [`nstring ${JSON.stringify(word)}`, () => part.nstring(word)] as const,
    [`secret ${JSON.stringify(word)}`, () => part.astring(new Secret(word))] as const,
    [`literal ${JSON.stringify(word)}`, () => part.literal(bytes(word))] as const,
    [`mailbox ${JSON.stringify(word)}`, () => part.mailbox(word)] as const,
    [`raw mailbox ${JSON.stringify(word)}`, () => part.mailbox(bytes(word))] as const,
    [`pattern ${JSON.stringify(word)}`, () => part.pattern(word)] as const,
  ]),
  ...["a\r", "a\n", "\ud800"].flatMap((word) => [
    [`mailbox ${JSON.stringify(word)}`, () => part.mailbox(word)] as const,
    [`pattern ${JSON.stringify(word)}`, () => part.pattern(word)] as const,
  ]),
  ...[-1, 1.5, Number.NaN, 2 ** 60, -1n].map(
    (value) => [`number ${value}`, () => part.number(value)] as const,
  ),
  ["an empty set", () => part.set(UidSet.empty)],
  ["a section's part", () => part.section("BODY", { part: "1\r\n", text: "", fields: [] })],
  ["a section's part 0", () => part.section("BODY", { part: "0", text: "", fields: [] })],
  ["a section's fields", () => part.section("BODY", { part: "", text: "HEADER.FIELDS", fields: ["a\r\nb"] })],
  ["a section without fields", () => part.section("BODY", { part: "", text: "HEADER.FIELDS", fields: [] })],
  ["a section of what has none", () => part.section("FLAGS", { part: "", text: "", fields: [] })],
  ["MIME without a part", () => part.section("BODY", { part: "", text: "MIME", fields: [] })],
  ["a day that is not", () => part.date({ year: 2023, month: 2, day: 30 })],
  ["a date that is none", () => part.dateTime(new Date(Number.NaN))],
];

for (const [name, make] of refused) {
  test(`refused: ${name}`, () => {
    for (const options of [{}, { utf8: true }, { literals: "plus" }] as const)
      assert.throws(() => formatCommand("A1", [part.atom("X"), make()], options), LocalProtocolError);
  });
}

for (const tag of ["", "a b", "+", "a+", "a\r\n", "é"]) {
  test(`refused: tag ${JSON.stringify(tag)}`, () =>
    assert.throws(() => formatCommand(tag, []), LocalProtocolError));
}

const hostileUnit = fc.constantFrom(
  "\r",
  "\n",
  "\r\n",
  '"',
  "\\",
  "{3}",
  "{3+}",
  "a",
  " ",
  "é",
  "\ud800",
  "*",
  "(",
  ")",
  "\x01",
);

test("property: no string adds a line, whatever is in it", () => {
  fc.assert(
    fc.property(fc.string({ unit: hostileUnit, maxLength: 20 }), fc.boolean(), (value, utf8) => {
      fc.pre(!value.includes("\0"));
      const { segments } = formatCommand("A1", [part.astring(value), part.string(value)], { utf8 });
      // Outside of literals, which a wait stands before, there are only the ends of the marks and of the command.
      let literal = false;
      for (const segment of segments) {
        if (segment.type === "wait") literal = true;
        else if (segment.type === "bytes" && !literal)
          assert.match(Buffer.from(segment.bytes).toString("latin1"), /^[^\r\n\0]*\r\n$/);
        else literal = false;
      }
    }),
    { numRuns: 2000 },
  );
});
