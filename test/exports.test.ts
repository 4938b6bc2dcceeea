/** The public names of every entry point. `HAWSER_UPDATE=1 npm test -- test/exports` writes the list anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const snapshotFile = join(root, "test/exports.snapshot.json");

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, string | { types: string; default: string }>;
};
const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === "string" ? [] : [{ specifier: `hawser${subpath.slice(1)}`, ...target }],
);

async function namesOf(specifier: string): Promise<string[]> {
  return Object.keys((await import(specifier)) as object).sort();
}

test("the exported names are those of the snapshot", async () => {
  const names = Object.fromEntries(
    await Promise.all(entries.map(async ({ specifier }) => [specifier, await namesOf(specifier)] as const)),
  );
  if (process.env["HAWSER_UPDATE"] === "1")
    writeFileSync(snapshotFile, `${JSON.stringify(names, undefined, 2)}\n`);
  assert.deepEqual(names, JSON.parse(readFileSync(snapshotFile, "utf8")));
});

for (const { specifier, types } of entries) {
  test(`${specifier} has no default export, and require() gives the same names as import`, async () => {
    const imported = await namesOf(specifier);
    const required = Object.keys(createRequire(import.meta.url)(specifier) as object);
    assert.ok(!imported.includes("default"));
    assert.deepEqual(required.filter((name) => name !== "__esModule").sort(), imported);
  });

  test(`the types of ${specifier} bring those of Node with them`, () => {
    const declarations = readFileSync(join(root, types), "utf8");
    assert.match(declarations, /^\/\/\/ <reference types="node" preserve="true" \/>/m);
  });
}

test("package.json is exported", () => {
  assert.equal(manifest.exports["./package.json"], "./package.json");
});
