/** The processes that the bench measures and measures with: each is pinned to a core, ended by its id, never waited for in vain. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Work } from "./figures.js";

/** How long any value of a process may be waited for, in milliseconds. */
const valueTimeoutMs = 60_000;

/** Which of two cores: what is measured runs on the first, its peer on the second. */
export type Core = 0 | 1;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A running program that reports in lines of the form `name value`. */
export class Peer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #values = new Map<string, number>();
  readonly #ended: Promise<string>;
  #output = "";
  #wake: () => void = () => {};

  constructor(command: readonly string[]) {
    const [file = "", ...args] = command;
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line));
    child.stderr.on("data", (chunk) => {
      this.#output += chunk;
    });
    this.#ended = new Promise((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code, signal) => resolve(`${file} ended with ${signal ?? code}\n${this.#output}`));
    });
    this.#ended.then(() => running.delete(child));
  }

  /** The value that the program prints under `name`. */
  async value(name: string): Promise<number> {
    const timeout = new Promise<string>((resolve) => {
      setTimeout(() => resolve(`no "${name}" came within ${valueTimeoutMs} ms`), valueTimeoutMs).unref();
    });
    const failed = Promise.race([this.#ended, timeout]);
    for (;;) {
      const value = this.#values.get(name);
      if (value !== undefined) return value;
      const news = new Promise<undefined>((resolve) => {
        this.#wake = () => resolve(undefined);
      });
      const failure = await Promise.race([news, failed]);
      if (failure !== undefined && !this.#values.has(name)) throw new Error(failure);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #take(line: string): void {
    const [name = "", value] = line.split(" ");
    this.#values.set(name, Number(value));
    this.#wake();
  }
}

const pinning = availableParallelism() > 1 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;

/** What a command line begins with that is to stay on one core: nothing where the machine has no two, or no taskset(1). */
export function pinned(core: Core): readonly string[] {
  return pinning ? ["taskset", "-c", `${core}`] : [];
}

/** Starts a command line, on one core. */
export function start(core: Core, command: readonly string[]): Peer {
  return new Peer([...pinned(core), ...command]);
}

/** Starts one of the programs in the suites' folders `peers` under this Node. */
export function startNode(core: Core, peer: URL, ...args: (string | number)[]): Peer {
  return start(core, [process.execPath, "--expose-gc", fileURLToPath(peer), ...args.map(String)]);
}

/** Starts a script under Python. */
export function startPython(core: Core, script: URL, ...args: (string | number)[]): Peer {
  return start(core, ["python3", fileURLToPath(script), ...args.map(String)]);
}

/** What a peer tells of its work, at whose end it ends. */
export async function workOf(started: Peer): Promise<Work> {
  await using peer = started;
  const cpuMs = await peer.value("cpu_ms");
  return { cpuMs, ms: await peer.value("ms") };
}

/** The C peers, compiled into a folder that goes with the bench. */
export class Compiled implements Disposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "hawser-bench-"));
  readonly #binaries = new Map<string, string>();
  readonly compiler: string = process.env["CC"] || "cc";
  /** False when there is no compiler: then what needs one is skipped, or a Node program takes its part. */
  readonly available: boolean = spawnSync(this.compiler, ["--version"]).status === 0;

  /** Starts `sockets/<name>.c`. */
  start(core: Core, name: string, ...args: (string | number)[]): Peer {
    return start(core, [this.#binary(name), ...args.map(String)]);
  }

  /** Starts `sockets/<name>.c`, or the Node program that stands in for it where there is no compiler. */
  startOr(core: Core, name: string, standIn: URL, ...args: (string | number)[]): Peer {
    return this.available ? this.start(core, name, ...args) : startNode(core, standIn, name, ...args);
  }

  #binary(name: string): string {
    const known = this.#binaries.get(name);
    if (known !== undefined) return known;
    const source = fileURLToPath(new URL(`../../bench/sockets/${name}.c`, import.meta.url));
    const binary = join(this.#folder, name);
    const { status, stderr } = spawnSync(this.compiler, ["-O2", "-o", binary, source], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${this.compiler} cannot compile ${source}:\n${stderr}`);
    this.#binaries.set(name, binary);
    return binary;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
