/** Messages under garbage collection: addresses that stand in iovecs and headers are nothing that the collector knows of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedEnd, runChild, stress } from "./robust.js";

const messages = stress ? 1_000_000 : 100_000;

for (const mode of ["messages", "batches", "streams", "names"] as const) {
  test(`${mode}: nothing is lost and nothing changed while memory is collected`, async () => {
    // Some two operations a message; look-ups cost a lot more each.
    const count = messages / { messages: 2, batches: 4, streams: 4, names: 50 }[mode];
    const end = await runChild("gc", {
      args: [mode, String(count)],
      nodeArgs: ["--expose-gc"],
      limitMs: stress ? 600_000 : 60_000,
    });
    assert.equal(checkedEnd(end), `${count} intact\n`, end.stderr);
  });
}
