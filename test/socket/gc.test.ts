/** Messages under garbage collection: addresses that stand in iovecs and headers are nothing that the collector knows of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedEnd, runChild, stress } from "./robust.js";

const messages = stress ? 1_000_000 : 100_000;

for (const mode of ["messages", "batches", "streams", "names"] as const) {
  test(`${mode}: nothing is lost and nothing changed while memory is collected`, async () => {
    // Look-ups and small batches cost more each: a tenth of them takes as long.
    const count = mode === "names" ? messages / 50 : messages / (mode === "messages" ? 2 : 4);
    const end = await runChild("gc", {
      args: [mode, String(count)],
      nodeArgs: ["--expose-gc"],
      limitMs: stress ? 600_000 : 60_000,
    });
    assert.equal(checkedEnd(end), `${count} intact\n`, end.stderr);
  });
}
