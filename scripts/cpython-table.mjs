#!/usr/bin/env node
/**
 * docs/cpython.md: which of the behaviours that CPython 3.11's test_socket.py checks are shown by a test of ours.
 *
 *   node scripts/cpython-table.mjs           writes the page from the results of the last whole `npm test`
 *   node scripts/cpython-table.mjs --check   exit code 1 when a behaviour is neither shown nor listed as not
 *                                            applicable, or when the page is out of date
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const inventoryFile = "test/socket/cpython/inventory.txt";
const notApplicableFile = "test/socket/cpython/not-applicable.json";
const resultsFile = "dist/cpython-results.json";
const pageFile = "docs/cpython.md";

if (!existsSync(resultsFile)) {
  console.error(`${resultsFile} is not there: run npm test first`);
  process.exit(2);
}
const inventory = readFileSync(inventoryFile, "utf8").split("\n").filter(Boolean);
const notApplicable = readJson(notApplicableFile, {});
const shown = readResults();
const rows = inventory.map((id) => ({ id, ...stateOf(id) }));
const problems = [...findProblems(rows)];
const page = pageOf(rows);

if (process.argv.includes("--check")) {
  if (!existsSync(pageFile) || readFileSync(pageFile, "utf8") !== page) {
    problems.push(`${pageFile} is out of date: node scripts/cpython-table.mjs`);
  }
} else {
  writeFileSync(pageFile, page);
  console.log(`${pageFile}: ${summary(rows)}`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function readJson(file, otherwise) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : otherwise;
}

/** What the tests say of each id: several may carry it, and a name may go on with a note on how the behaviour is shown. */
function readResults() {
  const found = new Map();
  for (const [name, { status, reason }] of Object.entries(readJson(resultsFile, {}))) {
    const [, id, note] = /^(\S+)(?:\s+[–—-]\s+(.+))?/.exec(name);
    const known = found.get(id) ?? { statuses: [], notes: [], reasons: [] };
    known.statuses.push(status);
    if (note !== undefined) known.notes.push(note);
    if (reason !== undefined) known.reasons.push(reason);
    found.set(id, known);
  }
  return found;
}

function stateOf(id) {
  const { statuses = [], notes = [], reasons = [] } = shown.get(id) ?? {};
  if (statuses.includes("fail")) return { state: "missing", why: "a test fails" };
  if (statuses.includes("pass")) return { state: "shown", notes };
  if (id in notApplicable) return { state: "not applicable", why: notApplicable[id] };
  return { state: "missing", why: statuses.length > 0 ? `skipped: ${reasons.join(", ")}` : "no test" };
}

function* findProblems(rows) {
  for (const { id, state, why } of rows) if (state === "missing") yield `${id}: ${why}`;
  for (const id of Object.keys(notApplicable)) {
    if (!inventory.includes(id)) yield `${notApplicableFile}: ${id} is not in ${inventoryFile}`;
    else if (shown.get(id)?.statuses.includes("pass"))
      yield `${notApplicableFile}: ${id} is shown by a test all the same`;
  }
}

function count(rows, wanted) {
  return rows.filter(({ state }) => state === wanted).length;
}

function summary(rows) {
  const counts = ["shown", "not applicable", "missing"].map((state) => `${count(rows, state)} ${state}`);
  return `${rows.length} behaviours, ${counts.join(", ")}`;
}

function classesOf(rows) {
  const classes = new Map();
  for (const row of rows) {
    const [name] = row.id.split(".");
    classes.set(name, [...(classes.get(name) ?? []), row]);
  }
  return [...classes];
}

function tableRow(name, rows) {
  const counts = [rows.length, ...["shown", "not applicable", "missing"].map((state) => count(rows, state))];
  return `| ${name} | ${counts.map((number) => number || "").join(" | ")} |`;
}

function section(title, rows, text) {
  if (rows.length === 0) return [];
  return ["", `## ${title}`, "", ...rows.map((row) => `- \`${row.id}\`: ${text(row)}`)];
}

function pageOf(rows) {
  const beyond = [...shown.keys()].filter((id) => !inventory.includes(id)).sort();
  const lines = [
    "# CPython's socket tests",
    "",
    "Python's `socket` module is what `hawser/socket` is measured by. `test_socket.py` of CPython 3.11.7 checks the",
    `${rows.length} behaviours below on Linux; those of kernel modules that are rarely there (CAN, SCTP, TIPC, RDS, Bluetooth, …)`,
    "are left out. Each is the work of a test here that carries its name: `npm test -- --name 'cpython: BasicTCPTest'`",
    "runs those of a class. What differs on purpose stands in [differences-from-python.md](differences-from-python.md).",
    "",
    `**${summary(rows)}.**`,
    "",
    "| class | behaviours | shown | not applicable | missing |",
    "|---|---:|---:|---:|---:|",
    ...classesOf(rows).map(([name, its]) => tableRow(name, its)),
    tableRow("**all**", rows),
    ...section(
      "Not applicable",
      rows.filter(({ state }) => state === "not applicable"),
      ({ why }) => why,
    ),
    ...section(
      "Missing",
      rows.filter(({ state }) => state === "missing"),
      ({ why }) => why,
    ),
    ...section(
      "Shown in another form",
      rows.filter(({ notes = [] }) => notes.length > 0),
      ({ notes }) => notes.join("; "),
    ),
    ...(beyond.length === 0
      ? []
      : [
          "",
          `Shown as well, from later versions of CPython: ${beyond.map((id) => `\`${id}\``).join(", ")}.`,
        ]),
    "",
    "This page is made by `scripts/cpython-table.mjs` from the results of `npm test`.",
  ];
  return `${lines.join("\n")}\n`;
}
