/**
 * Long random runs: `npm run fuzz [-- sockets codecs] [--seconds N] [--steps N] [--seed N]`. Each runs in a process of its own,
 * which must end by itself, with 0. The seed is printed: with it the same choices are made again.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const programs: Readonly<Record<string, string>> = {
  sockets: "./sockets/run.js",
  codecs: "./codecs/run.js",
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "300" },
    steps: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

for (const name of positionals.length === 0 ? Object.keys(programs) : positionals) {
  const program = programs[name];
  if (program === undefined) {
    console.error(`there is no fuzz called ${name}: there are ${Object.keys(programs).join(", ")}`);
    process.exit(2);
  }
  run(name, program);
}

function run(name: string, program: string): void {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const { seconds, steps, seed } = options;
  console.log(`${name}: seed ${seed}, ${steps} steps, ${seconds} s at most`);
  // In a network namespace of its own nothing that is sent leaves the process.
  const apart = spawnSync("unshare", ["-n", "true"]).status === 0;
  const line = [process.execPath, path, "--seed", seed, "--steps", steps, "--seconds", seconds];
  const [command = "", ...args] = apart ? ["unshare", "-n", ...line, "--raise-loopback"] : line;
  const { status, signal } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 0) return;
  console.error(`${name}: ended with ${signal ?? status}; again with --seed ${seed}`);
  process.exitCode = 1;
}
