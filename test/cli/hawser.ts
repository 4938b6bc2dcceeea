/** The built command as a child process. */
import { join } from "node:path";
import { Child, type Ended, root, run } from "../child.js";

export const main: string = join(root, "dist/src/cli/main.js");

/** Starts `hawser`; its stdin stays open. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  return new Child([main, ...args], { env });
}

/** Runs `hawser` to its end. */
export function hawser(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run([main, ...args], input, { env });
}

/** Runs `hawser`, and asserts that it ended well and said nothing on stderr. */
export async function output(args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await hawser(args, input);
  if (code !== 0 || stderr !== "") throw new Error(`exit code ${code}: ${stderr}`);
  return stdout;
}

/** Waits until a listener has said on which port it listens. */
export async function portOf(child: Child): Promise<string> {
  const [, port = ""] = await child.expect(/ port (\d+)/, "stderr");
  return port;
}
