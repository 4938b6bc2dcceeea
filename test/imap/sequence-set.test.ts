import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LimitError, LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import { SequenceSet, star, UidSet } from "../../src/imap/codec-sequence-set.js";

for (const [wire, size, numbers] of [
  ["1", 1, [1]],
  ["1:3,5", 4, [1, 2, 3, 5]],
  ["4:2", 3, [2, 3, 4]], // RFC 9051 section 9: 2:4 and 4:2 are equivalent
  ["5,1:2", 3, [5, 1, 2]], // the order stays, for COPYUID pairs by it
  ["1:4,2:3", 4, undefined],
  ["4294967295", 1, [4294967295]],
  ["1:4294967295", 4294967295, undefined],
] as const) {
  test(`set ${wire}`, () => {
    const set = UidSet.parse(wire);
    assert.equal(set.size, size);
    if (numbers !== undefined) assert.deepEqual([...set], numbers);
  });
}

for (const wire of [
  "",
  ",",
  "1,",
  "0",
  "1:0",
  "4294967296",
  "a",
  "1::2",
  "1:2:3",
  "-1",
  "1 2",
  "$",
  " 1",
  "1e3",
]) {
  test(`no set: ${JSON.stringify(wire)}`, () => {
    assert.throws(() => UidSet.parse(wire), RemoteProtocolError);
    if (wire !== "$") assert.throws(() => SequenceSet.parse(wire), RemoteProtocolError);
  });
}

test("* is the largest, in either place", () => {
  const set = SequenceSet.parse("5:*,*");
  assert.equal(set.size, Number.POSITIVE_INFINITY);
  assert.deepEqual([set.has(4), set.has(5), set.has(99), set.max], [false, true, true, star]);
  assert.throws(() => [...set], LocalProtocolError);
  assert.equal(SequenceSet.parse("*:5").toString(), "5:*");
  assert.equal(SequenceSet.parse("5:*").resolve(3).toString(), "3:5");
  assert.equal(SequenceSet.parse("1:*").resolve(7).toString(), "1:7");
  assert.equal(SequenceSet.parse("*").resolve(7).toString(), "7");
  assert.equal(SequenceSet.parse("2:4").resolve(3).toString(), "2:4");
});

test("$ is the saved result (RFC 9051 section 6.4.4.1)", () => {
  assert.equal(SequenceSet.parse("$").saved, true);
  assert.equal(String(SequenceSet.searchResult), "$");
});

test("numbers become ranges, sorted and joined", () => {
  assert.equal(String(UidSet.of([1, 2, 3, 5])), "1:3,5");
  assert.equal(String(UidSet.of([5, 3, 2, 1, 2])), "1:3,5");
  assert.equal(String(UidSet.of([])), "");
  assert.equal(String(UidSet.parse("1:3").union(UidSet.parse("4,9"))), "1:4,9");
  assert.equal(String(UidSet.empty.add(7).add(8).add(1, 3)), "1:3,7:8");
  assert.equal(JSON.stringify({ uids: UidSet.range(9, 2) }), '{"uids":"2:9"}');
  for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 32])
    assert.throws(() => UidSet.of([wrong]), LocalProtocolError);
});

test("a set is never expanded: CVE-2025-25186", () => {
  const set = UidSet.parse("1:4294967295");
  assert.ok(set.has(4_000_000_000));
  const first = set[Symbol.iterator]().next();
  assert.equal(first.value, 1);
});

test("limit: ranges", () => {
  assert.equal(UidSet.parse("1,3,5", 3).size, 3);
  assert.throws(() => UidSet.parse("1,3,5,7", 3), LimitError);
});

test("property: format and parse, has and the numbers agree", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (numbers) => {
      const set = UidSet.of(numbers);
      const unique = new Set(numbers);
      assert.deepEqual(
        [...set],
        [...unique].sort((a, b) => a - b),
      );
      assert.equal(set.size, unique.size);
      assert.deepEqual([...UidSet.parse(String(set))], [...set]);
      for (let value = 1; value <= 60; value += 1) assert.equal(set.has(value), unique.has(value));
    }),
  );
});
