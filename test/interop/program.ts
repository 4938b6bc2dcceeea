/** Other people's programs, run to their end. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { searchPath } from "./scratch.js";

const deadlineMs = 60_000;

/** Runs a program; throws with its output unless it ends well. Returns what it wrote to stdout. */
export async function program(
  command: string,
  args: readonly string[],
  input = "",
  extra: NodeJS.ProcessEnv = {},
): Promise<string> {
  const env = { ...process.env, PATH: searchPath, NODE_TEST_CONTEXT: undefined, ...extra };
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env, timeout: deadlineMs });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await new Promise<number | string | null>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (status, signal) => resolve(status ?? signal));
  });
  if (code !== 0) throw new Error(`${command} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs one of the scripts in `python/` with its arguments as JSON, and reads its answer as JSON. */
export async function python(script: string, argument: object): Promise<unknown> {
  const path = fileURLToPath(new URL(`../../../test/interop/python/${script}`, import.meta.url));
  return JSON.parse(await program("python3", [path, JSON.stringify(argument)]));
}
