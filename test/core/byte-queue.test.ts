import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { LimitError } from "../../src/core/errors.js";
import { everyCut } from "../../src/testing/index.js";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const text = (of: Uint8Array | undefined): string | undefined =>
  of === undefined ? undefined : Buffer.from(of).toString("latin1");
const loose = () => (queue: ByteQueue, limits: { maxLineBytes: number }) =>
  text(queue.takeLine(limits.maxLineBytes));
const strict = () => (queue: ByteQueue, limits: { maxLineBytes: number }) =>
  text(queue.takeCrLfLine(limits.maxLineBytes));

const lines: readonly [wire: string, loose: string[], strict: string[]][] = [
  ["", [], []],
  ["a", [], []],
  ["a\r\nb\r\n", ["a", "b"], ["a", "b"]],
  ["a\nb\r\n", ["a", "b"], ["a\nb"]],
  ["\r\n\r\n", ["", ""], ["", ""]],
  ["\n\r\n", ["", ""], ["\n"]],
  ["a\r\r\n", ["a\r"], ["a\r"]],
  ["a\rb\n\r\n", ["a\rb", ""], ["a\rb\n"]],
  ["\n\n\n", ["", "", ""], []],
  ["\r\n\n\r\n", ["", "", ""], ["", "\n"]],
];
for (const [wire, wantLoose, wantStrict] of lines) {
  test(`lines of ${JSON.stringify(wire)}, cut everywhere`, () => {
    assert.deepEqual(everyCut(loose, wire), wantLoose);
    assert.deepEqual(everyCut(strict, wire), wantStrict);
  });
}

for (const make of [loose, strict]) {
  test(`${make === loose ? "takeLine" : "takeCrLfLine"} keeps to its limit, exactly`, () => {
    for (const end of make === loose ? ["\r\n", "\n"] : ["\r\n"]) {
      assert.deepEqual(everyCut(make, `1234567${end}`, { maxLineBytes: 8 }), ["1234567"]);
      assert.deepEqual(everyCut(make, `12345678${end}`, { maxLineBytes: 8 }), ["12345678"]);
      assert.throws(() => everyCut(make, `123456789${end}`, { maxLineBytes: 8 }), LimitError);
    }
    assert.throws(() => everyCut(make, "1234567890", { maxLineBytes: 8 }), LimitError, "without an end");
  });
}

test("a lone LF counts towards a strict line's limit", () => {
  assert.deepEqual(everyCut(strict, "1234567\n\r\n", { maxLineBytes: 8 }), ["1234567\n"]);
  assert.throws(() => everyCut(strict, "12345678\n\r\n", { maxLineBytes: 8 }), LimitError);
  assert.throws(() => everyCut(strict, "\n".repeat(10), { maxLineBytes: 8 }), LimitError);
});

test("a change from strict lines to loose ones forgets no line feed", () => {
  const queue = new ByteQueue();
  queue.push(bytes("a\nb"));
  assert.equal(queue.takeCrLfLine(100), undefined);
  assert.equal(text(queue.takeLine(100)), "a");
  queue.push(bytes("\r\n"));
  assert.equal(text(queue.takeCrLfLine(100)), "b");
});

test("take and drop move what was searched along", () => {
  const queue = new ByteQueue();
  queue.push(bytes("abcdef"));
  assert.equal(queue.takeLine(100), undefined);
  queue.drop(2);
  queue.push(bytes("g\nh"));
  assert.equal(text(queue.take(2)), "cd");
  assert.equal(text(queue.takeLine(100)), "efg");
  queue.push(bytes("\n"));
  queue.drop(1);
  assert.equal(text(queue.takeLine(100)), "");
  assert.equal(queue.length, 0);
});

test("take, peek, front and takeSome", () => {
  const queue = new ByteQueue();
  const big = bytes("x".repeat(600));
  queue.push(big);
  queue.push(bytes("y".repeat(600)));
  assert.equal(queue.front().length, 600);
  assert.equal(queue.takeSome(10).length, 10);
  assert.equal(queue.takeSome().length, 590);
  assert.equal(text(queue.peek(2)), "yy");
  assert.equal(queue.peek(10_000).length, 600);
  assert.throws(() => queue.take(601), RangeError);
  assert.throws(() => queue.drop(601), RangeError);
  assert.equal(queue.length, 600);
  queue.drop(600);
  assert.equal(queue.front().length, 0);
  assert.equal(queue.takeSome().length, 0);
  assert.equal(queue.ended, false);
  queue.end();
  assert.equal(queue.ended, true);
});

test("what was handed out stays as it was, whatever comes after", () => {
  const queue = new ByteQueue();
  const kept: [view: Uint8Array, copy: string | undefined][] = [];
  const keep = (view: Uint8Array) => kept.push([view, text(view)]);
  for (let index = 0; index < 3000; index += 1) {
    queue.push(bytes(String(index % 7).repeat(1 + (index % 50))));
    if (index % 3 === 0) keep(queue.peek());
    if (index % 5 === 0) keep(queue.take(Math.min(queue.length, index % 90)));
  }
  for (const [view, copy] of kept) assert.equal(text(view), copy);
});

test("neighbours in one pooled buffer are joined without a copy; strangers are not", () => {
  const pool = Buffer.from("a".repeat(2000));
  const queue = new ByteQueue();
  queue.push(pool.subarray(0, 1000));
  queue.push(pool.subarray(1000, 2000));
  assert.equal(queue.front().length, 2000);
  assert.equal(queue.front().buffer, pool.buffer);
  const other = new ByteQueue();
  other.push(pool.subarray(0, 900));
  other.push(pool.subarray(1000, 2000));
  assert.equal(other.front().length, 900);
  assert.equal(other.peek().length, 1900);
});

test("bytes in two chunks are copied without the rest of the second", () => {
  const [first, second] = [new Uint8Array(1000).fill(1), new Uint8Array(1000).fill(2)];
  const queue = new ByteQueue();
  queue.push(first);
  queue.push(second);
  assert.deepEqual([...queue.take(1010).subarray(998)], [1, 1, ...new Array(10).fill(2)]);
  assert.equal(queue.front().buffer, second.buffer);
  assert.throws(() => queue.take(991), RangeError);
  assert.equal(queue.take(990).length, 990);
});

test("any pieces give the same bytes as the whole", () => {
  const piece = fc.uint8Array({ maxLength: 1200, size: "max" });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.infiniteStream(fc.nat(700)), (pieces, amounts) => {
      const queue = new ByteQueue();
      const out: Uint8Array[] = [];
      for (const one of pieces) {
        queue.push(one);
        const { value = 0 } = amounts.next();
        out.push(queue.take(Math.min(value, queue.length)));
      }
      out.push(queue.take(queue.length));
      assert.ok(Buffer.concat(out).equals(Buffer.concat(pieces)));
    }),
    { numRuns: 200 },
  );
});

for (const take of ["takeLine", "takeCrLfLine"] as const) {
  test(`${take}: a line of 1 MiB that comes a byte at a time is searched once`, () => {
    const queue = new ByteQueue();
    const startMs = performance.now();
    for (let index = 0; index < 1 << 20; index += 1) {
      queue.push(Uint8Array.of(0x78));
      queue[take](1 << 24);
    }
    queue.push(bytes("\r\n"));
    assert.equal(queue[take](1 << 24)?.length, 1 << 20);
    // 0.3 s on a machine at rest; minutes where each byte has the queue searched anew.
    assert.ok(performance.now() - startMs < 20_000);
  });
}
