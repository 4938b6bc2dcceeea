/** Sockets that the garbage collector finds open: the warning says where each was made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../child.js";

interface Report {
  readonly expected: readonly (readonly [made: string, line: number])[];
  readonly leftOpen: number;
  readonly warnings: readonly { readonly name: string; readonly code: string; readonly message: string }[];
}

const program = fileURLToPath(new URL("children/leaks.js", import.meta.url));

test("each socket that is lost open is closed with a warning of the line that made it, and no other is", async () => {
  const { code, stdout, stderr } = await run(["--expose-gc", program]);
  assert.equal(code, 0, stderr);
  const { expected, warnings, leftOpen } = JSON.parse(stdout) as Report;
  assert.equal(leftOpen, 0);
  for (const { name, code } of warnings) assert.deepEqual([name, code], ["ResourceWarning", "HAWSER_LEAK"]);
  const said = warnings.map(({ message }) => {
    const pattern =
      /^a socket \(descriptor \d+, ([a-z ]+?)(?: at .*\/(\w+\.\w+):(\d+):\d+\)?)?\) was garbage-collected/;
    const [, made, file, line] = pattern.exec(message) ?? assert.fail(message);
    assert.equal(file, line === undefined ? undefined : "leaks.js");
    return [made, Number(line ?? 0)] as const;
  });
  const sorted = (rows: readonly (readonly [string | undefined, number])[]) => rows.map(String).sort();
  assert.deepEqual(sorted(said), sorted(expected));
  assert.ok(expected.length >= 6);
});
