import assert from "node:assert/strict";
import { test } from "node:test";
import { type LimitError, RemoteProtocolError } from "../../src/core/errors.js";
import { type Decoder, everyCut, wholeBody } from "../../src/testing/index.js";
import { dotBlockDecoder } from "../../src/wire/dot-block.js";

const lines = (): Decoder<string> => (queue, limits) => {
  const line = queue.takeLine(limits.maxLineBytes);
  return line === undefined ? undefined : Buffer.from(line).toString();
};

test("values, the same at every cut", () => {
  assert.deepEqual(everyCut(lines, "a\r\nb\r\nc"), ["a", "b"]);
  assert.deepEqual(everyCut(lines, ""), []);
  assert.deepEqual(everyCut(lines, "123456789\n".repeat(500)).length, 500);
  assert.deepEqual(
    everyCut(wholeBody(dotBlockDecoder), "a\r\n.\r\n.\r\n").map((bytes) => bytes.length),
    [3, 0],
  );
});

test("an error that is the same at every cut is thrown", () => {
  const limit = (error: unknown) => (error as LimitError).code === "HAWSER_LIMIT";
  assert.throws(() => everyCut(lines, "a\r\nbcdef\r\n", { maxLineBytes: 3 }), limit);
});

const faulty: Readonly<Record<string, [() => Decoder<unknown>, RegExp]>> = {
  "a decoder that takes what is there for a whole": [
    () => (queue) => (queue.length === 0 ? undefined : String(queue.take(queue.length))),
    /byte by byte it differs from whole/,
  ],
  "a decoder that forgets half of its value at one cut": [
    () => (queue) => {
      // Wrong only where the cut is between CR and LF.
      const bytes = queue.peek();
      if (bytes.at(-1) === 13 && bytes.length > 3) queue.drop(1);
      const line = queue.takeLine(100);
      return line === undefined ? undefined : String(line.length);
    },
    /differs from whole/,
  ],
  "a decoder that throws at some cuts": [
    () => (queue) => {
      if (queue.length === 3) throw new RemoteProtocolError("three");
      return queue.length < 8 ? undefined : String(queue.take(8));
    },
    /differs from whole/,
  ],
  "a decoder that throws a TypeError": [
    () => (queue) => (queue.length > 4 ? (undefined as never as string).length : undefined),
    /no HawserError/,
  ],
};
for (const [name, [make, message]] of Object.entries(faulty)) {
  test(`found: ${name}`, () => {
    assert.throws(
      () => everyCut(make, "abcdef\r\n"),
      (error) => error instanceof assert.AssertionError && message.test(error.message),
    );
  });
}
