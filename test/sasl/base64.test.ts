import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RemoteProtocolError } from "../../src/core/errors.js";
import { base64Length, decodeBase64, encodeBase64 } from "../../src/sasl/index.js";
import { bytes, text } from "./support.js";

const good: readonly [plain: string, encoded: string][] = [
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"],
];

test("the vectors of RFC 4648 section 10, both ways", () => {
  for (const [plain, encoded] of good) {
    assert.equal(encodeBase64(bytes(plain)), encoded);
    assert.equal(text(decodeBase64(encoded)), plain);
    assert.equal(text(decodeBase64(bytes(encoded))), plain);
    assert.equal(base64Length(plain.length), encoded.length);
  }
});

const bad: readonly [name: string, encoded: string][] = [
  ["no padding", "Zg"],
  ["half the padding", "Zg="],
  ["too much padding", "Zg==="],
  ["padding in front", "=Zg="],
  ["padding in the middle", "Zg==Zm9v"],
  ["nothing but padding", "===="],
  ["bits below the padding", "Zh=="],
  ["a space", "Zm9v Zm9v"],
  ["a line end", "Zm9v\r\n"],
  ["the alphabet of URLs", "_-8="],
  ["a character that is none", "Zm9!"],
  ["a NUL", "Zm9\0"],
  ["a single character", "Z"],
  ["not ASCII", "Zm9\u00e9"],
];

for (const [name, encoded] of bad) {
  test(`base64 is refused: ${name}`, () => {
    for (const form of [encoded, new Uint8Array(Buffer.from(encoded, "latin1"))]) {
      assert.throws(() => decodeBase64(form), RemoteProtocolError);
    }
  });
}

test("what is refused is not shown: it may hold a password", () => {
  assert.throws(
    () => decodeBase64("c2VjcmV0LXBhc3N3b3Jk!"),
    (error) => error instanceof RemoteProtocolError && error.excerpt === "" && !/c2Vj/.test(error.message),
  );
});

test("any bytes round-trip, and any text is decoded or a RemoteProtocolError", () => {
  fc.assert(fc.property(fc.uint8Array(), (data) => assert.deepEqual(decodeBase64(encodeBase64(data)), data)));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("A", "B", "/", "+", "=", " ", "\n", "g") }), (any) => {
      try {
        assert.equal(encodeBase64(decodeBase64(any)), any);
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
      }
    }),
  );
});
