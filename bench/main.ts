/**
 * hawser against Node's own modules, C, and other people's clients and servers, side by side:
 * `npm run bench -- [sockets] [smtp] [pop3] [imap] [--quick] [--only NAME] [--json] [--strict]`. A missed bar fails the run with `--strict` alone: machines are noisy.
 */
import { parseArgs } from "node:util";
import { type Comparison, verdict } from "./figures.js";
import { imap } from "./imap/index.js";
import { pop3 } from "./pop3/index.js";
import { Compiled } from "./processes.js";
import { smtp } from "./smtp/index.js";
import { sockets } from "./sockets/index.js";
import { formatComparison, formatTable } from "./table.js";
import type { Plan, Workload } from "./workload.js";

const suites: Readonly<Record<string, readonly Workload[]>> = { sockets, smtp, pop3, imap };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
const workloads = chosen(positionals.length === 0 ? Object.keys(suites) : positionals, options.only);
const comparisons = await measure(workloads);
console.log(options.json ? asJson(comparisons) : `\n${formatTable(comparisons)}`);
if (options.strict && comparisons.some((comparison) => verdict(comparison) === "missed"))
  process.exitCode = 1;

function chosen(suiteNames: readonly string[], only: readonly string[]): Workload[] {
  const known = suiteNames.flatMap((name) => suites[name] ?? fail(name, Object.keys(suites)));
  for (const name of only) {
    if (!known.some((workload) => workload.name === name))
      fail(
        name,
        known.map((workload) => workload.name),
      );
  }
  return known.filter(({ name }) => only.length === 0 || only.includes(name));
}

function fail(name: string, names: readonly string[]): never {
  console.error(`the bench has no ${name}: there are ${names.join(", ")}`);
  process.exit(2);
}

async function measure(workloads: readonly Workload[]): Promise<Comparison[]> {
  using c = new Compiled();
  const plan: Plan = options.quick
    ? { rounds: 1, seconds: 0.5, warmUpSeconds: 0.3, quick: true, c }
    : { rounds: 5, seconds: 1, warmUpSeconds: 1, quick: false, c };
  const all: Comparison[] = [];
  for (const workload of workloads) {
    console.error(`${workload.name}: ${workload.title}`);
    const startMs = performance.now();
    const comparisons = await workload.run(plan);
    for (const comparison of comparisons) console.error(`  ${formatComparison(comparison)}`);
    console.error(`  ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    all.push(...comparisons);
  }
  return all;
}

function asJson(comparisons: readonly Comparison[]): string {
  const results = comparisons.map((comparison) => ({ ...comparison, verdict: verdict(comparison) }));
  return JSON.stringify({ node: process.version, arch: process.arch, results }, null, 2);
}
