import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";
import { LocalProtocolError, SocketError } from "../../../src/core/errors.js";
import { ifIndexToName, ifNameIndex, ifNameToIndex } from "../../../src/socket/names/index.js";

function failsWith(code: string, errno: number): (error: unknown) => boolean {
  return (error) => error instanceof SocketError && error.code === code && error.errno === errno;
}

describe("interfaces", () => {
  test("every interface has a name and an index that lead to each other", () => {
    const list = ifNameIndex();
    assert.ok(list.length > 0);
    for (const [index, name] of list) {
      assert.equal(ifNameToIndex(name), index);
      assert.equal(ifIndexToName(index), name);
    }
  });

  test("those that Node knows are among them", () => {
    const names = new Set(ifNameIndex().map(([, name]) => name));
    for (const name of Object.keys(networkInterfaces())) assert.ok(names.has(name), name);
    assert.ok(names.has("lo"));
  });

  test("an index that no interface has", () => {
    assert.throws(() => ifIndexToName(0), failsWith("ENXIO", 6));
    assert.throws(() => ifIndexToName(0x7ffffff), failsWith("ENXIO", 6));
  });

  test("a name that no interface has", () => {
    assert.throws(() => ifNameToIndex("no-such-if"), failsWith("ENODEV", 19));
    assert.throws(() => ifNameToIndex("x".repeat(100)), failsWith("ENODEV", 19));
    assert.throws(() => ifNameToIndex(""), failsWith("ENODEV", 19));
  });

  test("what is no index or name is refused", () => {
    for (const index of [-1, 2 ** 32, 1.5, "1"])
      assert.throws(() => ifIndexToName(index as number), LocalProtocolError);
    assert.throws(() => ifNameToIndex("lo\0x"), LocalProtocolError);
    assert.throws(() => ifNameToIndex(1 as unknown as string), LocalProtocolError);
  });
});
