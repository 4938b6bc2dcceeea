/** Programs of this repository as child processes: their output, their end, and a deadline on every wait. */
import { type ChildProcessWithoutNullStreams, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

/** Everything here takes well under a second; a busy machine gets twenty. */
const deadlineMs = 20_000;

/** The folder that holds package.json. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program. Disposing kills it, if it still runs. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #output = { stdout: "", stderr: "" };
  readonly #closed: Promise<[number | null, NodeJS.Signals | null]>;

  /** `args` are Node's: a script, and what it is given. */
  constructor(args: readonly string[], options: SpawnOptions = {}) {
    const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...options.env };
    const child = spawn(process.execPath, args, { cwd: root, ...options, env, stdio: "pipe" });
    this.process = child as ChildProcessWithoutNullStreams;
    this.#closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    for (const name of ["stdout", "stderr"] as const) {
      this.process[name].setEncoding("utf8");
      this.process[name].on("data", (chunk: string) => (this.#output[name] += chunk));
    }
    // A program that ends before it has read its input is no failure of the test.
    this.process.stdin.on("error", () => {});
  }

  /** What it has written so far. */
  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  /** Waits until what was written to `stream` matches; rejects when the program ends first. */
  async expect(pattern: RegExp, stream: "stdout" | "stderr" = "stdout"): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(deadlineMs);
    const over = this.#closed.then(() => "over" as const);
    for (;;) {
      const match = pattern.exec(stripVTControlCharacters(this.#output[stream]));
      if (match !== null) return match;
      const next = await Promise.race([once(this.process[stream], "data", { signal }), over]).catch(
        () => "late",
      );
      if (!Array.isArray(next) && !pattern.test(this.#output[stream]))
        throw new Error(`${next}, and no ${pattern} in ${JSON.stringify(this.#output)}`);
    }
  }

  /** Waits for the end. */
  async ended(): Promise<Ended> {
    const late = setTimeout(() => this.process.kill("SIGKILL"), deadlineMs);
    const [code, signal] = await this.#closed;
    clearTimeout(late);
    return { code, signal, ...this.#output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#closed;
  }
}

/** Runs a program to its end, with `input` on stdin. */
export async function run(args: readonly string[], input = "", options: SpawnOptions = {}): Promise<Ended> {
  const child = new Child(args, options);
  child.process.stdin.end(input);
  return child.ended();
}
