/**
 * The same few hundred probes in CPython and in hawser, in both forms of its calls: the same values, or errors of the same
 * kind and number. Where the two are meant to differ, that is shown as well, and docs/differences-from-python.md says why.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Outcome, Probe, Result } from "./language.js";
import { differences, probes } from "./probes/index.js";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const oracle = join(root, "test/differential/oracle.py");
const limitMs = 120_000;

type Outcomes = ReadonlyMap<string, readonly Result[]>;

const forms = ["sync", "promise"] as const;
const differing: readonly Probe[] = differences.map(({ id, steps }, index) => ({
  name: `${index} ${id}`,
  steps,
}));

/** Why Python cannot be asked, if it cannot. */
function pythonIsMissing(): string | false {
  const program = "import sys; print(sys.platform, *sys.version_info[:2])";
  const { stdout, error } = spawnSync("python3", ["-c", program], { encoding: "utf8", timeout: 30_000 });
  if (error !== undefined) return "python3 is not installed";
  const [platform, major, minor] = stdout.trim().split(" ");
  if (platform !== "linux") return `python3 runs on ${platform}`;
  return Number(major) === 3 && Number(minor) >= 9 ? false : `python3 is ${major}.${minor}, older than 3.9`;
}

const skip = pythonIsMissing();

/** Runs an interpreter over all probes. One that stops early is reported by the last probe that it finished. */
async function outcomesOf(command: string, ...args: string[]): Promise<Outcomes> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], timeout: limitMs });
  after(() => child.kill("SIGKILL"));
  child.stdin.end(JSON.stringify([...probes, ...differing]));
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) output += chunk;
  const outcomes = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Outcome);
  assert.equal(outcomes.length, probes.length + differing.length, `stopped after ${outcomes.at(-1)?.name}`);
  return new Map(outcomes.map(({ name, results }) => [name, results]));
}

describe("the probes", () => {
  test("there are 300 of them at least, over all groups of behaviour, each with a name of its own", () => {
    assert.ok(probes.length >= 300, `${probes.length} probes`);
    const all = [...probes, ...differing].map(({ name }) => name);
    assert.deepEqual(
      all.filter((name, index) => all.indexOf(name) !== index),
      [],
    );
    const groups = new Set(all.flatMap((name) => name.match(/\bB\d+\b/g) ?? []));
    assert.deepEqual([...groups].sort(), Array.from({ length: 17 }, (_, index) => `B${index + 1}`).sort());
  });
});

/** What a machine may lack: both look there, but hawser knows the common services without. */
const lackServices =
  existsSync("/etc/services") && existsSync("/etc/protocols") ? false : "/etc/services is missing";
const lackIpv6 = existsSync("/proc/net/if_inet6") ? false : "this machine has no IPv6";

function lacking(name: string): string | false {
  if (/getserv|getproto|getnameinfo|"http"|"domain"/.test(name)) return lackServices;
  return name.includes("ipv6-zone") ? lackIpv6 : false;
}

describe("CPython and hawser", { skip }, () => {
  let python: Outcomes = new Map();
  let hawser: readonly Outcomes[] = [];

  before(async () => {
    if (skip !== false) return;
    [python, ...hawser] = await Promise.all([
      outcomesOf("python3", oracle),
      ...forms.map((form) => outcomesOf(process.execPath, join(here, "interpreter.js"), form)),
    ]);
  });

  for (const { name } of probes) {
    test(name, { skip: lacking(name) }, () => {
      const want = python.get(name);
      for (const [index, form] of forms.entries()) {
        assert.deepEqual(hawser[index]?.get(name), want, `hawser's ${form} form differs from Python`);
      }
    });
  }

  for (const [index, { id, python: theirs, hawser: ours }] of differences.entries()) {
    const { name } = differing[index] as Probe;
    test(`differs on purpose: ${id} (${index})`, { skip: lacking(name) }, () => {
      assert.deepEqual(python.get(name)?.at(-1), theirs, "Python");
      for (const [form, outcomes] of hawser.entries()) {
        assert.deepEqual(outcomes.get(name)?.at(-1), ours, `hawser's ${forms[form]} form`);
      }
    });
  }
});

test("docs/differences-from-python.md has a row for each difference, and no other", () => {
  const page = readFileSync(join(root, "docs/differences-from-python.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, id]) => id);
  assert.deepEqual([...rows].sort(), [...new Set(differences.map(({ id }) => id))].sort());
});
