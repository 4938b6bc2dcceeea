/** The codec of DICT: tables at every cut, and properties. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  commandDecoder,
  formatDefinition,
  formatWord,
  parseDefinition,
  parseWords,
  replyDecoder,
} from "../../examples/dict/codec.js";
import { HawserError, LimitError, RemoteProtocolError } from "../../src/core/errors.js";
import { everyCut } from "../../src/testing/index.js";

const replies: readonly [name: string, wire: string, want: object][] = [
  ["section 2.4.1", "250 ok\r\n", { code: 250, text: "ok" }],
  ["a code alone", "250\r\n", { code: 250, text: "" }],
  ["section 2.4.3", "113 help\r\none\r\n..two\r\n.\r\n", { code: 113, text: "help", lines: ["one", ".two"] }],
  ["no text", "110 none\r\n.\r\n", { code: 110, text: "none", lines: [] }],
  ["UTF-8", "250 Grüße\r\n", { code: 250, text: "Grüße" }],
];

for (const [name, wire, want] of replies) {
  test(`reply: ${name}`, () => {
    assert.deepEqual(everyCut(replyDecoder, wire), [want]);
  });
}

for (const wire of ["hello\r\n", "25 ok\r\n", "250-ok\r\n", "950 ok\r\n"]) {
  test(`no reply: ${JSON.stringify(wire)}`, () => {
    assert.throws(() => everyCut(replyDecoder, wire), RemoteProtocolError);
  });
}

test("limits: a line, a text, and a command of 1024 octets", () => {
  assert.throws(() => everyCut(replyDecoder, `250 ${"x".repeat(100)}`, { maxLineBytes: 64 }), LimitError);
  const text = `112 info\r\n${"x\r\n".repeat(30)}`;
  assert.throws(() => everyCut(replyDecoder, text, { maxReplyBytes: 64 }), LimitError);
  assert.equal(everyCut(() => commandDecoder, `${"x".repeat(1022)}\r\n`)[0]?.length, 1022);
  assert.throws(() => everyCut(() => commandDecoder, `${"x".repeat(1023)}\r\n`), LimitError);
});

test("words (section 2.2)", () => {
  assert.deepEqual(parseWords(" DEFINE  * 'a \\'b' \"c\\\"d\" "), ["DEFINE", "*", "a 'b", 'c"d']);
  for (const line of ['"open', "a'b", '"a"b', "a\\"])
    assert.throws(() => parseWords(line), RemoteProtocolError);
});

test("words and definitions: format and parse are inverse", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (word, database, title) => {
      assert.deepEqual(parseWords(formatWord(word)), [word]);
      const definition = { word, database, title, lines: [] };
      assert.deepEqual(
        parseDefinition({ code: 151, text: formatDefinition(definition), lines: [] }),
        definition,
      );
    }),
  );
});

test("whatever the bytes are, they give values or errors of hawser's", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom("", "151 ", "250 "), (bytes, start) => {
      try {
        everyCut(replyDecoder, Buffer.concat([Buffer.from(start), bytes, Buffer.from("\r\n.\r\n")]));
      } catch (error) {
        assert.ok(error instanceof HawserError);
      }
    }),
  );
});
