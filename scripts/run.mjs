#!/usr/bin/env node
/**
 * The door to every job of this repository: `node scripts/run.mjs JOB [args…]`.
 * It runs `npm ci` when the lockfile is newer than what is installed, compiles when a source is newer than what is
 * compiled, and then becomes the job: the same terminal, signals and exit code. Plain JavaScript without
 * dependencies, for on a fresh clone there is nothing else yet.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const sourceFolders = ["src", "test", "examples", "bench", "fuzz"];
const stamp = "dist/.built";
/** Each job's command line; `build` ends after the compiler. */
const jobs = {
  start: ["dist/src/cli/main.js", "tour"],
  test: ["scripts/test.mjs"],
  check: ["scripts/check.mjs"],
  bench: ["dist/bench/main.js"],
  fuzz: ["dist/fuzz/main.js"],
  consumer: ["scripts/consumer.mjs"],
  interop: ["scripts/interop.mjs"],
  docs: ["node_modules/typedoc/bin/typedoc"],
  build: undefined,
};

const [job = "", ...args] = process.argv.slice(2);
if (!(job in jobs)) fail(`usage: node scripts/run.mjs ${Object.keys(jobs).join("|")} [args…]`, 2);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`hawser needs Node.js 20.19 or later, and this is ${process.versions.node}`, 1);
}
process.chdir(root);
installIfOld();
const built = buildIfOld();
// The checks report a failed compilation as one line among the others.
if (built !== 0 && job !== "check") process.exit(built);
if (jobs[job] !== undefined) become([...jobs[job], ...args]);

function installIfOld() {
  if (!isNewer("package-lock.json", "node_modules/.package-lock.json")) return;
  // Behind a link lie the modules of another checkout, which npm ci would delete.
  if (lstatSync("node_modules", { throwIfNoEntry: false })?.isSymbolicLink()) return;
  say("installing the dependencies…");
  const npm = process.env.npm_execpath ?? "";
  const ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status, stdout, stderr, error } = npm.endsWith("npm-cli.js")
    ? spawnSync(process.execPath, [npm, ...ci], { encoding: "utf8" })
    : spawnSync("npm", ci, { encoding: "utf8", shell: process.platform === "win32" });
  if (status === 0) return;
  const reasons = error?.message ?? `${stdout}${stderr}`.split("\n").slice(0, 20).join("\n");
  fail(`npm ci failed\n${reasons}`, status || 1);
}

/** The compiler's exit code: 0 when there was nothing to do. */
function buildIfOld() {
  const builtMs = modifiedMs(stamp);
  const inputs = ["tsconfig.json", "package.json", "node_modules/.package-lock.json", ...sourceFolders];
  if (inputs.every((input) => newestMs(input) <= builtMs)) return 0;
  say("compiling…");
  const startedAt = new Date();
  removeOrphans();
  const { status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"], {
    stdio: job === "check" ? "ignore" : "inherit",
  });
  if (status !== 0) {
    rmSync(stamp, { force: true });
    return status ?? 1;
  }
  // The time of the start: what was edited while the compiler ran must be compiled again.
  writeFileSync(stamp, "");
  utimesSync(stamp, startedAt, startedAt);
  return 0;
}

/** A deleted test whose output stayed behind would still run, and a deleted module would still be shipped. */
function removeOrphans() {
  for (const folder of sourceFolders) removeOrphansIn(join("dist", folder), folder);
}

function removeOrphansIn(outputFolder, sourceFolder) {
  if (!existsSync(outputFolder)) return;
  for (const entry of readdirSync(outputFolder, { withFileTypes: true })) {
    const output = join(outputFolder, entry.name);
    const source = join(sourceFolder, entry.name);
    if (entry.isDirectory()) removeOrphansIn(output, source);
    else if (!existsSync(source.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts"))) rmSync(output);
  }
  if (!existsSync(sourceFolder) && readdirSync(outputFolder).length === 0) rmdirSync(outputFolder);
}

function become(commandLine) {
  const child = spawn(process.execPath, commandLine, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal has sent its Ctrl-C to the child as well, and a second one would cut its clean-up short.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(error.message, 1));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** The latest modification at or under a path: a folder's own time counts, for a deletion changes nothing else. */
function newestMs(path) {
  let newest = modifiedMs(path);
  if (!existsSync(path) || !statSync(path).isDirectory()) return newest;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    newest = Math.max(
      newest,
      entry.isDirectory() ? newestMs(join(path, entry.name)) : modifiedMs(join(path, entry.name)),
    );
  }
  return newest;
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function isNewer(path, than) {
  return !existsSync(than) || modifiedMs(path) > modifiedMs(than);
}

function say(line) {
  process.stderr.write(`hawser: ${line}\n`);
}

function fail(message, code) {
  say(message);
  process.exit(code);
}
