/** A process that has run out of descriptors goes on accepting, at next to no cost, and recovers by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedEnd, runChild } from "./robust.js";

interface Seen {
  readonly code: string;
  readonly message: string;
  readonly cpuShare: number;
  readonly warnings: number;
  /** The time in which those came. */
  readonly withinMs: number;
  readonly recovered: boolean;
  readonly iterated: number;
  readonly syncCode: string;
}

test("accept without descriptors: the error is seen, the processor rests, and accepting goes on", async () => {
  const end = await runChild("emfile", { through: ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"] });
  const seen = JSON.parse(checkedEnd(end)) as Seen;
  assert.equal(seen.code, "EMFILE");
  assert.match(seen.message, /too many descriptors open.*ulimit -n/);
  assert.ok(seen.cpuShare < 0.05, `${seen.cpuShare * 100} % of the processor`);
  // A rest takes 100 ms. On a busy machine the whole lasts longer, and has more of them.
  assert.ok(seen.warnings >= 1 && seen.warnings < seen.withinMs / 50, `${seen.warnings} warnings`);
  assert.ok(seen.recovered);
  assert.equal(seen.iterated, 3);
  assert.equal(seen.syncCode, "EMFILE");
});
