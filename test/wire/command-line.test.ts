import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LocalProtocolError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import { commandLine } from "../../src/wire/command-line.js";

test("a verb and its arguments, single spaces between them", () => {
  assert.deepEqual(commandLine("NOOP"), { wire: "NOOP\r\n", shown: "NOOP" });
  assert.deepEqual(commandLine("A", "b", "", "ü 😀"), { wire: "A b ü 😀\r\n", shown: "A b ü 😀" });
});

test("a secret goes onto the wire and is not shown", () => {
  assert.deepEqual(commandLine("PASS", new Secret("tiger")), {
    wire: "PASS tiger\r\n",
    shown: "PASS [secret]",
  });
});

const refused: Readonly<Record<string, string>> = {
  CR: "tig\rer",
  LF: "tig\ner",
  "CR LF": "tig\r\nQUIT",
  NUL: "tig\0er",
  "a high surrogate": "tig\ud83d",
  "a low surrogate": "\ude00er",
  "surrogates the wrong way round": "\ude00\ud83d",
};
for (const [what, text] of Object.entries(refused)) {
  test(`${what} is refused, and not shown`, () => {
    const isGood = (error: unknown) => {
      assert.ok(error instanceof LocalProtocolError);
      assert.doesNotMatch(error.message, /tig|er\b.*QUIT/);
      return true;
    };
    assert.throws(() => commandLine("PASS", text), isGood);
    assert.throws(() => commandLine("PASS", new Secret(text)), isGood);
    assert.throws(() => commandLine("PASS", "ok", text), isGood);
    assert.throws(() => commandLine(text), LocalProtocolError);
  });
}

test("whatever the arguments: one line, or a LocalProtocolError", () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
  const arg = fc
    .array(fc.oneof(unit, fc.constantFrom("\r", "\n", "\0", "a", "😀")))
    .map((units) => units.join(""));
  fc.assert(
    fc.property(fc.array(arg), (args) => {
      try {
        const { wire } = commandLine("X", ...args);
        assert.match(wire, /^[^\r\n\0]*\r\n$/);
        assert.equal(Buffer.from(wire).toString(), wire);
      } catch (error) {
        assert.ok(error instanceof LocalProtocolError);
      }
    }),
  );
});
