import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HawserError, LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import { formatReplyLines, parseReplyLine, replyCode } from "../../src/wire/reply.js";

const rfc = "RFC 5321 section 4.2";
const parse = (text: string) => parseReplyLine(new Uint8Array(Buffer.from(text, "latin1")), rfc);

const good: readonly [wire: string, code: number, continues: boolean, text: string][] = [
  ["250 OK", 250, false, "OK"],
  ["250-SIZE 1000", 250, true, "SIZE 1000"],
  ["250", 250, false, ""],
  ["250-", 250, true, ""],
  ["250 ", 250, false, ""],
  ["100 x", 100, false, "x"],
  ["599  x", 599, false, " x"],
  ["250 gr\xc3\xbc\xc3\x9fe", 250, false, "grüße"],
  ["250 \xff", 250, false, "\ufffd"],
  ["250 \xef\xbb\xbfx", 250, false, "\ufeffx"],
];
for (const [wire, code, continues, text] of good) {
  test(`a reply line: ${JSON.stringify(wire)}`, () =>
    assert.deepEqual(parse(wire), { code, continues, text }));
}

for (const wire of [
  "",
  "2",
  "25",
  "2 0 x",
  "099 x",
  "600 x",
  "2500 x",
  "250+x",
  "250\tx",
  "abc x",
  " 250 x",
  "-250 x",
]) {
  test(`not a reply line: ${JSON.stringify(wire)}`, () => {
    assert.throws(
      () => parse(wire),
      (error) => error instanceof RemoteProtocolError && error.rfc === rfc,
    );
  });
}

test("format and parse are inverse", () => {
  const line = fc.string().filter((text) => !/[\r\n\0]/.test(text));
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.array(line, { minLength: 1 }), (code, lines) => {
      const parsed = formatReplyLines(code, lines)
        .split("\r\n")
        .slice(0, -1)
        .map((text) => parseReplyLine(Buffer.from(text), rfc));
      assert.deepEqual(
        parsed.map(({ text }) => text),
        lines,
      );
      assert.deepEqual(
        parsed.map(({ continues }) => continues),
        lines.map((_, index) => index < lines.length - 1),
      );
      assert.ok(parsed.every((one) => one.code === code));
    }),
  );
});

test("a reply's line that would be two is refused", () => {
  for (const text of ["a\r\n250 b", "a\nb", "a\rb", "a\0"])
    assert.throws(() => formatReplyLines(250, ["x", text]), LocalProtocolError);
});

test("any bytes give a line or a HawserError", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        assert.equal(parseReplyLine(bytes, rfc).code, replyCode(bytes));
      } catch (error) {
        assert.ok(error instanceof HawserError);
      }
    }),
  );
});
