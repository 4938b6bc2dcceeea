/** Messages as dot blocks: whatever the cuts, the same message. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { LimitError } from "../../src/core/errors.js";
import { defaultLimits } from "../../src/core/limits.js";
import { everyCut, wholeBody } from "../../src/testing/every-cut.js";
import { DotBlockEncoder, dotBlockDecoder } from "../../src/wire/dot-block.js";
import { over, scripted } from "./support.js";

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

const wires: readonly [name: string, wire: string, want: string][] = [
  ["an empty message", ".\r\n", ""],
  ["one line", "a\r\n.\r\n", "a\r\n"],
  ["a bare dot that was stuffed", "..\r\n.\r\n", ".\r\n"],
  ["dots that were stuffed", "..a\r\n...\r\n....\r\n.\r\n", ".a\r\n..\r\n...\r\n"],
  ["a dot with a bare LF before it", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"],
  ["a dot with a bare LF behind it", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n"],
  ["a dot and two CRs", "a\r\n.\r\rb\r\n.\r\n", "a\r\n\r\rb\r\n"],
  ["CR CR LF before it", "a\r\r\n.\r\n", "a\r\r\n"],
  ["a dot in the line", "a.\r\n.\r\n", "a.\r\n"],
];

for (const [name, wire, want] of wires) {
  test(`the end of a message at every cut: ${name}`, () => {
    assert.deepEqual(everyCut(wholeBody(dotBlockDecoder), wire).map(latin1), [want]);
  });
}

test("10,000 random messages come out the same however they are cut", () => {
  const alphabet = fc.constantFrom(".", "..", "\r\n", "\r", "\n", "\r\n.", "\r\n..", "\r\n.\r\n", "a", "bc");
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), cuts, (parts, sizes) => {
      const message = Buffer.from(parts.join(""), "latin1");
      const encoder = new DotBlockEncoder();
      const wire = Buffer.concat([encoder.encode(message), encoder.finish(), Buffer.from("+OK next\r\n")]);
      const whole = decoded([wire]);
      // What the encoder makes of lone CR and LF is its own affair; here: the same bytes at each cut.
      assert.equal(decoded(cut(wire, sizes)), whole);
      assert.equal(decoded([...wire].map((byte) => Uint8Array.of(byte))), whole);
      assert.equal(whole, `${withCrLf(latin1(message))}|+OK next\r\n`);
    }),
    { numRuns: 10_000 },
  );
});

function withCrLf(text: string): string {
  const lines = text.replace(/\r\n|\r|\n/g, "\r\n");
  return lines === "" || lines.endsWith("\r\n") ? lines : `${lines}\r\n`;
}

function* cut(wire: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < wire.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield wire.subarray(at, at + size);
    at += size;
  }
}

function decoded(chunks: Iterable<Uint8Array>): string {
  const queue = new ByteQueue();
  const decode = dotBlockDecoder();
  let text = "";
  let ended = false;
  for (const chunk of chunks) {
    queue.push(chunk);
    while (!ended) {
      const piece = decode(queue, defaultLimits);
      if (piece === undefined) break;
      ended = piece === null;
      if (piece !== null) text += latin1(piece);
    }
  }
  return `${text}|${latin1(queue.peek())}`;
}

test("lines of 1 MiB are taken, up to a cap that can be set", async () => {
  const line = "x".repeat(1_048_576);
  const answers = [`+OK\r\n${line}\r\nshort\r\n.\r\n`];
  const plain = scripted(answers);
  const client = await over(plain.near);
  assert.equal((await (await client.retr(1)).bytes()).length, line.length + 9);
  await client.close();
  for (const [maxMessageLineBytes, fits] of [
    [1_048_576, true],
    [1_048_574, false],
  ] as const) {
    const server = scripted(answers);
    const limited = await over(server.near, { maxMessageLineBytes });
    const body = await limited.retr(1);
    if (fits) assert.equal((await body.bytes()).length, line.length + 9);
    else await assert.rejects(body.bytes(), LimitError);
    assert.equal(limited.closed, !fits);
    await limited.close();
  }
});

test("a message is handed out as it comes, and what is left unread is dropped", async () => {
  const server = scripted(["+OK\r\nfirst\r\n", "+OK\r\nall\r\n.\r\n", "+OK\r\n"]);
  const client = await over(server.near);
  const body = await client.retr(1);
  for await (const piece of body) {
    assert.equal(latin1(piece), "first\r\n");
    await server.far.write(Buffer.from("second\r\n.\r\n"));
    break;
  }
  {
    await using _ = await client.retr(2);
  }
  await client.noop();
  await client.close();
});
