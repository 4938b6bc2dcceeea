import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import { decodeUtf7, encodeUtf7 } from "../../src/imap/codec-utf7.js";

for (const [name, wire] of [
  ["~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"], // RFC 3501 section 5.1.3
  ["Entwürfe", "Entw&APw-rfe"],
  ["R&D", "R&-D"],
  ["&", "&-"],
  ["&&", "&-&-"],
  ["é&", "&AOk-&-"],
  ["&é", "&-&AOk-"],
  ["😀", "&2D3eAA-"],
  ["a\tb\x7f", "a&AAk-b&AH8-"],
  ["", ""],
  ["ü-ü", "&APw--&APw-"],
] as const) {
  test(`modified UTF-7: ${JSON.stringify(name)}`, () => {
    assert.equal(encodeUtf7(name), wire);
    assert.equal(decodeUtf7(wire), name);
  });
}

for (const [why, wire] of [
  ["a shift without an end", "a&AOk"],
  ["a bare &", "R&D"],
  ["ASCII in a shift", "&AGE-"],
  ["ASCII in a shift beside what needs one", "&AOkAYQ-"],
  ["& in a shift", "&ACY-"],
  ["stray bits", "&AOl-"],
  ["padding", "&AOk=-"],
  ["a slash for a comma", "&U/BTFw-"],
  ["half a unit", "&AA-"],
  ["a lone high surrogate", "&2D0-"],
  ["a lone low surrogate", "&3gA-"],
  ["two shifts side by side", "&AOk-&AOk-"],
  ["NUL", "&AAA-"],
  ["CR LF", "&AA0ACg-"],
  ["8-bit", "é"],
  ["a control character", "a\tb"],
] as const) {
  test(`modified UTF-7 refuses ${why}`, () => assert.throws(() => decodeUtf7(wire), RemoteProtocolError));
}

for (const name of ["a\0", "a\r", "a\n", "\ud83d", "\ude00a"]) {
  test(`no mailbox is called ${JSON.stringify(name)}`, () => {
    assert.throws(() => encodeUtf7(name), LocalProtocolError);
  });
}

test("property: 10,000 random names go round", () => {
  const name = fc.string({
    unit: fc.oneof(fc.string({ unit: "grapheme", maxLength: 1 }), fc.constantFrom("&", "-", "é", "日")),
  });
  fc.assert(
    fc.property(name, (one) => {
      fc.pre(!/[\0\r\n]/.test(one));
      const wire = encodeUtf7(one);
      assert.match(wire, /^[\x20-\x7e]*$/);
      assert.equal(decodeUtf7(wire), one);
    }),
    { numRuns: 10_000 },
  );
});

test("property: what decodes encodes to the same, and nothing throws otherwise", () => {
  const wire = fc.string({ unit: fc.constantFrom("&", "-", "A", "O", "k", "w", ",", "é", "2", "D") });
  fc.assert(
    fc.property(wire, (one) => {
      let name: string;
      try {
        name = decodeUtf7(one);
      } catch (error) {
        assert.ok(error instanceof RemoteProtocolError);
        return;
      }
      assert.equal(encodeUtf7(name), one);
    }),
    { numRuns: 5000 },
  );
});
