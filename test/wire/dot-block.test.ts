import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { LimitError } from "../../src/core/errors.js";
import { defaultLimits } from "../../src/core/limits.js";
import { everyCut, wholeBody } from "../../src/testing/index.js";
import { DotBlockEncoder, dotBlockDecoder } from "../../src/wire/dot-block.js";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const blocks = (wire: string | Uint8Array, limits = {}): string[] =>
  everyCut(wholeBody(dotBlockDecoder), typeof wire === "string" ? bytes(wire) : wire, limits).map((body) =>
    Buffer.from(body).toString("latin1"),
  );

function encode(...pieces: readonly (string | Uint8Array)[]): string {
  const encoder = new DotBlockEncoder();
  const parts = pieces.map((piece) => encoder.encode(typeof piece === "string" ? bytes(piece) : piece));
  return Buffer.concat([...parts, encoder.finish()]).toString("latin1");
}

const decoded: readonly [wire: string, want: string[]][] = [
  [".\r\n", [""]],
  ["a\r\n.\r\n", ["a\r\n"]],
  ["..\r\n.\r\n", [".\r\n"]],
  ["...\r\n.\r\n", ["..\r\n"]],
  [".a\r\n.\r\n", ["a\r\n"]],
  ["a\r\n..b\r\n..\r\nc..\r\n.\r\n", ["a\r\n.b\r\n.\r\nc..\r\n"]],
  ["a\r\n.\r\nb\r\n.\r\nc", ["a\r\n", "b\r\n"]],
  ["\r\n\r\n.\r\n", ["\r\n\r\n"]],
  [".\rx\r\n.\r\n", ["\rx\r\n"]],
  ["a\r\n.", []],
  ["a\r\n.\r", []],
  [`${"..\r\n".repeat(40)}.\r\n`, [".\r\n".repeat(40)]],
];
for (const [wire, want] of decoded) {
  test(`a block off the wire: ${JSON.stringify(wire.slice(0, 40))}`, () =>
    assert.deepEqual(blocks(wire), want));
}

const encoded: readonly [text: string, want: string][] = [
  ["", ".\r\n"],
  ["a", "a\r\n.\r\n"],
  ["a\r\n", "a\r\n.\r\n"],
  ["a\n", "a\r\n.\r\n"],
  ["a\r", "a\r\n.\r\n"],
  [".", "..\r\n.\r\n"],
  ["a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"],
  ["a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"],
  ["\r\r\n\n", "\r\n\r\n\r\n.\r\n"],
  [".a..b\r\n..\r\n", "..a..b\r\n...\r\n.\r\n"],
];
for (const [text, want] of encoded) {
  test(`a block onto the wire: ${JSON.stringify(text)}, cut everywhere`, () => {
    for (let at = 0; at <= text.length; at += 1)
      assert.equal(encode(text.slice(0, at), text.slice(at)), want);
    assert.equal(encode(...text), want);
  });
}

/** smtpsmug and SMTP-Smuggling-Tools: what some server took for the end of a message. */
const smuggled: Readonly<Record<string, string>> = {
  "LF.LF": "\n.\n",
  "CR.CR": "\r.\r",
  "CR.LF": "\r.\n",
  "LF.CR": "\n.\r",
  "LF.CRLF": "\n.\r\n",
  "CRLF.LF": "\r\n.\n",
  "CR.CRLF": "\r.\r\n",
  "CRLF.CR": "\r\n.\r",
  "CRLF NUL .CRLF": "\r\n\0.\r\n",
  "CRLF . NUL CRLF": "\r\n.\0\r\n",
  "CRLF.CRCRLF": "\r\n.\r\r\n",
  "CRCRLF.CRCRLF": "\r\r\n.\r\r\n",
};
assert.equal(Object.keys(smuggled).length, 12);
for (const [name, end] of Object.entries(smuggled)) {
  const text = `one${end}MAIL FROM:<x@y>\r\n`;
  test(`smuggling: ${name} does not end a block that is received`, () => {
    const want = text.replace("\r\n.", "\r\n");
    assert.deepEqual(blocks(`${text}.\r\n`), [want]);
  });
  test(`smuggling: ${name} in a body is sent as one block without a lone CR or LF`, () => {
    for (let at = 0; at <= text.length; at += 1) {
      const wire = encode(text.slice(0, at), text.slice(at));
      assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n/);
      assert.deepEqual(wire.match(/(?<=^|\n)\.\r\n/g), [".\r\n"], "one end");
      assert.deepEqual(blocks(wire), [normal(text)]);
    }
  });
}
test("smuggling, the working control: CRLF.CRLF does end a block", () => {
  assert.deepEqual(blocks("one\r\n.\r\nMAIL FROM:<x@y>\r\n.\r\n"), ["one\r\n", "MAIL FROM:<x@y>\r\n"]);
  assert.deepEqual(blocks(encode("one\r\n.\r\nMAIL FROM:<x@y>\r\n")), ["one\r\n.\r\nMAIL FROM:<x@y>\r\n"]);
});

/** What arrives of a text: line ends made CR LF, the last one added. */
function normal(text: string): string {
  const lines = text.replace(/\r\n|\r|\n/g, "\r\n");
  return lines === "" || lines.endsWith("\r\n") ? lines : `${lines}\r\n`;
}

const wireBytes = fc.array(fc.constantFrom("\r", "\n", ".", "a", "\0", "\r\n", "\r\n."), { maxLength: 40 });

test("any text in any pieces: what arrives is the text with its line ends made CR LF", () => {
  fc.assert(
    fc.property(fc.array(wireBytes, { maxLength: 6 }), (pieces) => {
      const texts = pieces.map((piece) => piece.join(""));
      assert.deepEqual(blocks(encode(...texts)), [normal(texts.join(""))]);
    }),
    { numRuns: 200 },
  );
});

test("any bytes off the wire decode as a plain reading of RFC 5321 section 4.5.2 does, at every cut", () => {
  const reference = (wire: string): string[] => {
    const found: string[] = [];
    let body = "";
    for (const line of wire.split(/(?<=\r\n)/)) {
      if (line === ".\r\n") {
        found.push(body);
        body = "";
      } else body += line.startsWith(".") ? line.slice(1) : line;
    }
    return found;
  };
  fc.assert(
    fc.property(wireBytes, (parts) => assert.deepEqual(blocks(parts.join("")), reference(parts.join("")))),
    { numRuns: 300 },
  );
});

test("the limit of a body: one below, at it, one above", () => {
  assert.deepEqual(blocks("1234\r\n.\r\n", { maxBodyBytes: 7 }), ["1234\r\n"]);
  assert.deepEqual(blocks("1234\r\n.\r\n", { maxBodyBytes: 6 }), ["1234\r\n"]);
  assert.throws(() => blocks("1234\r\n.\r\n", { maxBodyBytes: 5 }), LimitError);
  assert.throws(() => blocks("1234567", { maxBodyBytes: 6 }), LimitError);
  assert.deepEqual(blocks("..234\r\n.\r\n", { maxBodyBytes: 6 }), [".234\r\n"], "added dots do not count");
});

test("a clean piece is sent as it is, without a copy", () => {
  const clean = bytes("a\r\nb.\r\n");
  assert.equal(new DotBlockEncoder().encode(clean), clean);
});

test("lines that are all stuffed cost a few times what plain ones do, not dozens", () => {
  const decodeMs = (line: string): number => {
    const wire = Buffer.from(`${line.repeat(400_000)}.\r\n`);
    const startMs = performance.now();
    const queue = new ByteQueue();
    const decode = dotBlockDecoder();
    for (let at = 0; at < wire.length; at += 65_536) {
      queue.push(Buffer.from(wire.subarray(at, at + 65_536)));
      while (decode(queue, defaultLimits) instanceof Uint8Array);
    }
    assert.equal(queue.length, 0);
    return performance.now() - startMs;
  };
  decodeMs("warm up\r\n");
  const plain = decodeMs("0123456789 01\r\n");
  const stuffed = decodeMs("..0123456789 0\r\n");
  assert.ok(stuffed < 2000 && stuffed < 40 * plain + 100, `${plain} ms plain, ${stuffed} ms stuffed`);
});
