/** Every way of sending carries MSG_NOSIGNAL: a broken connection is an error, never a signal that ends the process. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./children/every-send.js", import.meta.url));

test("sendto, sendmsg and sendmmsg all carry MSG_NOSIGNAL", (t) => {
  const log = join(tmpdir(), `hawser-no-signal-${process.pid}`);
  const node = [process.execPath, program];
  const { status, stderr, error } = spawnSync(
    "strace",
    ["-f", "-e", "trace=sendto,sendmsg,sendmmsg", "-o", log, ...node],
    { encoding: "utf8", timeout: 60_000 },
  );
  if (error !== undefined) return t.skip(`no strace: ${error.message}`);
  if (/ptrace|not permitted/i.test(stderr))
    return t.skip(`strace cannot trace here: ${stderr.split("\n")[0]}`);
  assert.equal(status, 0, stderr);
  const calls = readFileSync(log, "utf8").match(/^\d+ +send.*$/gm) ?? [];
  rmSync(log);
  const count = (call: string) => calls.filter((line) => line.includes(`${call}(`)).length;
  assert.deepEqual([count("sendto"), count("sendmsg"), count("sendmmsg")], [6, 4, 2]);
  for (const line of calls) assert.match(line, /MSG_NOSIGNAL/);
});
