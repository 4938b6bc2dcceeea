#!/usr/bin/env node
/**
 * Every check that is not a test, each as one line with its time: `node scripts/check.mjs [name…]`. What a check
 * prints is shown only when it fails; all of them run, and the exit code is 1 if any failed.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const tool = (path, ...args) => [process.execPath, join("node_modules", path), ...args];
const script = (path, ...args) => [process.execPath, join("scripts", path), ...args];

const checks = {
  types: tool("typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit"),
  format: tool("@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."),
  law: script("test.mjs", "test/architecture", "test/exports", "test/version"),
  publint: tool("publint/src/cli.js", "--strict"),
  attw: tool("@arethetypeswrong/cli/dist/index.js", "--pack", ".", "--profile", "esm-only"),
  knip: tool("knip/bin/knip.js", "--no-progress"),
  constants: script("constants.mjs", "--check"),
  docs: tool("typedoc/bin/typedoc", "--emit", "none", "--treatWarningsAsErrors"),
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
const unknown = names.filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(`no check is called ${unknown.join(", ")}: there are ${Object.keys(checks).join(", ")}`);
  process.exit(2);
}
// Two at once: most of them are busy with one core.
const running = [];
let failed = 0;
for (const name of names) {
  if (running.length === 2) await running.shift();
  running.push(check(name));
}
await Promise.all(running);
process.exitCode = failed > 0 ? 1 : 0;

async function check(name) {
  const startMs = performance.now();
  const { code, output } = await execute(checks[name]);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const mark = code === 0 ? paint("green", "✔") : paint("red", "✖");
  console.log(`${mark} ${name.padEnd(10)} ${seconds.padStart(5)} s`);
  if (code === 0) return;
  failed += 1;
  console.log(output.trimEnd().replace(/^/gm, "    "));
}

function paint(colour, text) {
  return process.stdout.isTTY && process.env.NO_COLOR === undefined ? styleText(colour, text) : text;
}

function execute([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code, output }));
  });
}
