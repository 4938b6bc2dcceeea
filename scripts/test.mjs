#!/usr/bin/env node
/**
 * Runs the compiled tests: `node scripts/test.mjs [--name PATTERN] [--verbose] [--concurrency N] [path part…]`.
 * Files are listed from the sources, so that what a deleted test left in dist never runs, and because node:test
 * takes neither globs nor folders before Node 24. Each file is a run of its own, for only the signal of a run stops a
 * file that hangs on every Node. It prints a line a file (`--verbose`: a line a test), each failure in full,
 * the totals in the words of the runner, and what was skipped, with the reason.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { inspect, parseArgs, styleText } from "node:util";

const fileTimeoutMs = process.env.HAWSER_STRESS === "1" ? 1_200_000 : 180_000;
/** How Node 20 and 22 say that `--name` left a test out. */
const notChosen = "test name does not match pattern";
/** A test that does the work of one of CPython's carries its name behind this; scripts/cpython-table.mjs reads them. */
const cpythonPrefix = "cpython: ";
const cpythonResults = "dist/cpython-results.json";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { values: options, positionals: pathParts } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: "string", multiple: true },
    verbose: { type: "boolean", default: false },
    concurrency: { type: "string", default: String(availableParallelism()) },
  },
});
const filtered = pathParts.length > 0 || options.name !== undefined;
const reporter = options.verbose ? new spec() : undefined;
reporter?.pipe(process.stdout);
const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

const interrupted = new AbortController();
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  process.once(signal, () => {
    interrupted.abort(); // kills the files that run
    process.exit(code);
  });
}

const startedAt = performance.now();
const reports = await runAll(chosenTests(), Number(options.concurrency));
await finish(reports);

/** The sources that the command line asks for, each of them compiled. */
function chosenTests() {
  const sources = readdirSync("test", { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => pathParts.length === 0 || pathParts.some((part) => path.includes(part)))
    .sort();
  if (sources.length === 0) fail(`no test file has ${pathParts.join(" or ")} in its path`);
  const missing = sources.filter((source) => !existsSync(compiled(source)));
  if (missing.length > 0) fail(`not compiled: ${missing.join(", ")} (npm run build)`);
  return sources;
}

async function runAll(sources, atOnce) {
  const waiting = [...sources];
  const done = [];
  const worker = async () => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      const report = await runFile(source);
      print(report);
      done.push(report);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return done;
}

/** Runs one file and sorts its events: a test whose subtests failed, and a failing "todo", are not failures. */
async function runFile(source) {
  const report = { source, passes: [], failures: [], totals: [], output: "", events: [], ms: 0 };
  const startMs = performance.now();
  const late = AbortSignal.timeout(fileTimeoutMs);
  const signal = AbortSignal.any([late, interrupted.signal]);
  const testNamePatterns = options.name?.map((pattern) => new RegExp(pattern));
  const stream = run({ files: [compiled(source)], signal, ...(testNamePatterns && { testNamePatterns }) });
  for await (const { type, data } of stream) {
    if (type === "test:diagnostic" && data.nesting === 0) report.totals.push(data.message);
    // A summary for each file is of no use beside the one at the end.
    else if (type === "test:summary") continue;
    else report.events.push({ type, data });
    if (type === "test:stdout" || type === "test:stderr") report.output += data.message;
    if (type === "test:pass" && data.skip !== notChosen) report.passes.push(data);
    if (type === "test:fail" && isCause(data)) report.failures.push(data);
  }
  if (late.aborted) report.output += `\nstopped: still running after ${fileTimeoutMs / 1000} s\n`;
  report.ms = performance.now() - startMs;
  return report;
}

function isCause({ todo, details }) {
  return todo === undefined && details.error?.failureType !== "subtestsFailed";
}

/** A file's line; what it wrote is of interest only when it failed. */
function print({ source, passes, failures, output, events, ms }) {
  if (reporter !== undefined) for (const event of events) reporter.write(event);
  if (reporter !== undefined || passes.length + failures.length === 0) return;
  const skips = passes.filter(isSkipped).length;
  const tests = [...passes, ...failures].filter(({ details }) => details.type !== "suite").length;
  const counts = [
    `${tests} tests`,
    failures.length > 0 && `${failures.length} failed`,
    skips > 0 && `${skips} skipped`,
  ];
  const mark = failures.length > 0 ? paint("red", "✖") : paint("green", "✔");
  console.log(`${mark} ${source}  ${counts.filter(Boolean).join(", ")}  ${(ms / 1000).toFixed(2)} s`);
  if (failures.length > 0 && output.trim() !== "") console.log(indent(output.trim()));
}

async function finish(reports) {
  if (reporter !== undefined) await finished(reporter.end());
  else
    for (const { source, failures } of reports)
      for (const failure of failures) console.log(describe(failure, source));
  printTotals(reports);
  printSkipped(reports.flatMap(({ passes }) => passes.filter(isSkipped)));
  writeCpythonResults(reports);
  if (reports.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

function describe({ name, line, details: { error } }, source) {
  const at = line > 1 ? `${compiled(source)}:${line}` : source;
  const ended = error?.signal ?? error?.exitCode;
  const why =
    ended === undefined
      ? inspect(error?.cause ?? error, { colors: colours })
      : `the file ended with ${ended}`;
  return `\n${paint("red", `✖ ${name}`)} (${at})\n${indent(why)}`;
}

/** Adds up what each run says of itself (`tests 12`, `pass 11`, …); a sentence of the runner is kept as it is. */
function printTotals(reports) {
  const sums = new Map();
  const sentences = [];
  for (const { source, totals } of reports) {
    for (const total of totals) {
      const [, what, count] = /^(\w+) ([\d.]+)$/.exec(total) ?? [];
      if (what === undefined) sentences.push(`${source}: ${total}`);
      else sums.set(what, (sums.get(what) ?? 0) + Number(count));
    }
  }
  sums.set("duration_ms", Math.round(performance.now() - startedAt));
  const lines = [...sentences, ...Array.from(sums, ([what, count]) => `${what} ${count}`)];
  console.log(`\n${lines.map((line) => `ℹ ${line}`).join("\n")}`);
}

function printSkipped(tests) {
  if (tests.length === 0) return;
  const byReason = new Map();
  for (const { name, skip } of tests) {
    const reason = typeof skip === "string" && skip !== "" ? skip : "no reason given";
    byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  }
  console.log(`\n${tests.length} skipped:`);
  for (const [reason, names] of byReason) console.log(`  ${reason}\n${indent(indent(names.join("\n")))}`);
}

/** `{ "Class.method": { status, reason? } }`. A run of some of the files says nothing about the others. */
function writeCpythonResults(reports) {
  const results =
    filtered && existsSync(cpythonResults) ? JSON.parse(readFileSync(cpythonResults, "utf8")) : {};
  const note = ({ name, skip }, status) => {
    if (!name.startsWith(cpythonPrefix)) return;
    results[name.slice(cpythonPrefix.length)] = { status, ...(typeof skip === "string" && { reason: skip }) };
  };
  for (const { passes, failures } of reports) {
    for (const test of passes) note(test, isSkipped(test) ? "skip" : "pass");
    for (const test of failures) note(test, "fail");
  }
  const sorted = Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return;
  writeFileSync(cpythonResults, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`);
}

function isSkipped({ skip }) {
  return skip !== undefined;
}

function compiled(source) {
  return join("dist", source.replace(/\.ts$/, ".js"));
}

function indent(text) {
  return text.replace(/^/gm, "  ");
}

function paint(colour, text) {
  return colours ? styleText(colour, text) : text;
}

function fail(message) {
  console.error(`hawser: ${message}`);
  process.exit(1);
}
