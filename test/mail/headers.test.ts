/** Header blocks, encoded words, and writing fields. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HawserError, LocalProtocolError } from "../../src/core/errors.js";
import { scanHeaders } from "../../src/mail/headers.js";
import { formatHeaderField } from "../../src/mail/headers-format.js";
import { decodeWords, encodeWords } from "../../src/mail/headers-words.js";

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

test("headers: folded, doubled, spaced fields", () => {
  const bytes = latin1("Subject: one\r\n\ttwo \r\nX:\r\nReceived: a\r\nReceived :b\r\n\r\nbody: no\r\n");
  const headers = scanHeaders(bytes);
  assert.equal(headers.get("subject"), "one\ttwo");
  assert.equal(headers.get("x"), "");
  assert.deepEqual(headers.all("RECEIVED"), ["a", "b"]);
  assert.equal(headers.get("body"), undefined);
  assert.equal(headers.has("x"), true);
  assert.deepEqual(headers.range, { start: 0, end: bytes.length - 10 });
  assert.equal(headers.complete, true);
  assert.deepEqual(headers.defects, []);
});

test("headers: picked fields are the bytes as they stand", () => {
  const bytes = latin1("A: 1\r\nB: 2\r\n 3\r\nC: 4\r\n\r\n");
  const text = (ranges: readonly { start: number; end: number }[]): string =>
    ranges.map(({ start, end }) => Buffer.from(bytes.subarray(start, end)).toString()).join("");
  assert.equal(text(scanHeaders(bytes).pick(["b", "Z", "a"])), "A: 1\r\nB: 2\r\n 3\r\n");
  assert.equal(text(scanHeaders(bytes).pick(["b"], { not: true })), "A: 1\r\nC: 4\r\n");
});

const blocks: readonly {
  name: string;
  text: string;
  fields: readonly string[];
  end?: number;
  defects: number;
}[] = [
  { name: "nothing", text: "", fields: [], defects: 0 },
  { name: "only an empty line", text: "\r\nbody", fields: [], end: 2, defects: 0 },
  { name: "lone LFs", text: "A: 1\nB: 2\n\nbody", fields: ["A", "B"], end: 11, defects: 0 },
  { name: "no empty line", text: "A: 1\r\nB: 2", fields: ["A", "B"], defects: 0 },
  { name: "a From line of mbox", text: "From a@b Mon\r\nA: 1\r\n\r\n", fields: ["A"], defects: 1 },
  { name: "a folded line first", text: " x\r\nA: 1\r\n\r\n", fields: ["A"], defects: 1 },
  {
    name: "a line that is no field",
    text: "A: 1\r\nnonsense\r\n folded\r\nB: 2\r\n\r\n",
    fields: ["A", "B"],
    defects: 1,
  },
  { name: "a name with a space", text: "A b: 1\r\n\r\n", fields: [], defects: 1 },
  // A parser that trims NBSP would take this for a second From.
  { name: "a name with NBSP", text: "\xa0From: x\r\n\r\n", fields: [], defects: 1 },
  { name: "CR CR LF is no empty line", text: "A: 1\r\n\r\r\nB: 2\r\n\r\n", fields: ["A", "B"], defects: 1 },
];

for (const { name, text, fields, end, defects } of blocks) {
  test(`headers: ${name}`, () => {
    const headers = scanHeaders(latin1(text));
    assert.deepEqual(
      headers.fields.map((field) => field.name),
      fields,
    );
    if (end !== undefined) assert.equal(headers.range.end, end);
    assert.equal(headers.defects.length > 0, defects > 0);
  });
}

test("headers: UTF-8 where it is valid, latin1 where not", () => {
  assert.equal(scanHeaders(Buffer.from("S: grüße \ufffd\r\n\r\n")).get("s"), "grüße \ufffd");
  assert.equal(scanHeaders(latin1("S: gr\xfc\xdfe\r\n\r\n")).get("s"), "grüße");
});

test("headers: no more is read than the limits allow", () => {
  const many = latin1(`${"A: 1\r\n".repeat(100)}\r\nbody`);
  const few = scanHeaders(many, { maxFields: 10 });
  assert.equal(few.fields.length, 10);
  assert.deepEqual(few.defects, ["the header is larger than is read"]);
  assert.equal(few.range.end, many.length - 4);
  assert.equal(scanHeaders(many, { maxHeaderBytes: 60 }).fields.length, 10);
  assert.equal(scanHeaders(many, { maxFields: 100, maxHeaderBytes: 600 }).fields.length, 100);
});

test("headers: any bytes give fields that lie in order within them", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(..."A:b \t\r\n\n-é") }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (any) => {
      const headers = scanHeaders(any);
      let at = 0;
      for (const field of headers.fields) {
        assert.ok(field.start >= at && field.valueStart > field.start && field.end >= field.valueStart);
        assert.doesNotMatch(headers.value(field), /[\r\n]/);
        at = field.end;
      }
      assert.ok(at <= headers.range.end && headers.range.end <= any.length);
    }),
  );
});

const words: readonly [name: string, text: string, want: string][] = [
  ["RFC 2047 section 8: spaces between words go", "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"],
  ["RFC 2047 section 8: text between stays", "=?ISO-8859-1?Q?a?= b", "a b"],
  ["RFC 2047 section 8: _ is a space", "=?ISO-8859-1?Q?a_b?=", "a b"],
  ["RFC 2047 section 8: other sets", "=?ISO-8859-8?b?7eXs+SDv4SDp7Oj08A==?=", "םולש ןב ילטפנ"],
  ["RFC 2231 section 5: a language", "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"],
  ["folded between", "=?utf-8?B?w7w=?=\r\n =?utf-8?B?w58=?=", "üß"],
  ["a character over two words", "=?utf-8?B?w7zD?= =?utf-8?B?nw==?=", "üß"],
  ["two sets side by side", "=?utf-8?Q?=C3=BC?= =?iso-8859-1?Q?=DF?=", "üß"],
  ["not a word: unknown encoding", "=?utf-8?X?a?=", "=?utf-8?X?a?="],
  ["not a word: no end", "=?utf-8?Q?a", "=?utf-8?Q?a"],
  ["a broken escape stays", "=?utf-8?Q?a=C?=", "a=C"],
  ["a space in a word (seen: old senders)", "=?utf-8?Q?a b?=", "a b"],
  ["an unknown set is latin1", "=?x-none?Q?=FC?=", "ü"],
  ["empty", "=?utf-8?Q??=", ""],
  ["two words without space", "=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"],
];

for (const [name, text, want] of words) {
  test(`encoded words: ${name}`, () => assert.equal(decodeWords(text), want));
}

test("encoded words: the hook reads what TextDecoder does not know", () => {
  const decodeCharset = (charset: string, bytes: Uint8Array): string => `${charset}:${bytes.length}`;
  assert.equal(decodeWords("=?x-mine?Q?abc?=", { decodeCharset }), "x-mine:3");
});

test("encoded words: what is encoded is decoded again, in words of 75 characters", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(..."aü€😀=? _\r\n") }),
  );
  fc.assert(
    fc.property(text, (any) => {
      const encoded = encodeWords(any);
      assert.equal(decodeWords(encoded), any);
      if (encoded !== any) for (const word of encoded.split(" ")) assert.ok(word.length <= 75);
      assert.doesNotMatch(encoded, /[\r\n]/);
    }),
  );
});

test("encoded words: time grows with the text", () => {
  for (const piece of ["=?", "=?a?Q?", "=?utf-8?Q?a?= ", "=?a?Q?a b ", "=?utf-8?B?w7w=?=", "=?a?b?=?"]) {
    const started = performance.now();
    decodeWords(piece.repeat(300_000 / piece.length));
    assert.ok(performance.now() - started < 5000, `${piece} takes ${performance.now() - started} ms`);
  }
});

test("headers: fields are folded, and read again as they were", () => {
  const value = fc
    .array(fc.string({ unit: fc.constantFrom(..."abcü"), minLength: 1, maxLength: 30 }))
    .map((all) => all.join(" "));
  fc.assert(
    fc.property(value, (text) => {
      const field = formatHeaderField("Subject", text);
      for (const line of field.split("\r\n")) assert.ok(line.length <= 78, line);
      assert.equal(scanHeaders(Buffer.from(`${field}\r\n`)).get("subject"), text);
    }),
  );
});

test("headers: a field cannot be ended by its name or value", () => {
  for (const bad of ["a\r\nBcc: x", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\vb"]) {
    assert.throws(() => formatHeaderField("Subject", bad), LocalProtocolError);
    assert.throws(() => formatHeaderField(bad, "x"), LocalProtocolError);
  }
  for (const name of ["", "a b", "a:", "ä"]) assert.throws(() => formatHeaderField(name, "x"), HawserError);
});
