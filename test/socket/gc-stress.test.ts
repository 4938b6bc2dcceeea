/** Memory whose address the kernel is given stays where it is while the garbage collector runs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { stress } from "./robust.js";

const program = fileURLToPath(new URL("children/gc-stress.js", import.meta.url));

test("messages with random iovecs arrive whole while the collector runs all the time", () => {
  const count = stress ? 200_000 : 10_000;
  const child = spawnSync(process.execPath, ["--expose-gc", program, `${count}`, `${process.pid}`], {
    encoding: "utf8",
    timeout: stress ? 900_000 : 100_000,
  });
  assert.equal(child.status, 0, `seed ${process.pid}: ${child.stderr}`);
  assert.deepEqual(JSON.parse(child.stdout), {
    messages: count,
    wrong: 0,
    packets: (count / 50) * 30,
    wrongPackets: 0,
    lookUps: (count / 500) * 8,
  });
});
