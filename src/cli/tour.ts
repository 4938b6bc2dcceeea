/** `hawser tour`: what the package can do, shown on this machine in a few seconds. */
import { basename, relative } from "node:path";
import { styleText } from "node:util";
import { type Command, InvalidArgumentError } from "commander";
import { DeadlineError, SocketError, UnsupportedError, version } from "../index.js";
import { exitCodes } from "./exit-codes.js";
import { interruptible } from "./interrupt.js";
import { print, table } from "./output.js";
import { mailScenes } from "./tour-mail.js";
import { type Scene, type Speaker, socketScenes, withFolder } from "./tour-scenes.js";

/** Each scene takes some milliseconds; one that hangs must not hang the tour. */
const sceneMs = 10_000;

const scenes: readonly Scene[] = [...socketScenes, ...mailScenes];

interface Line {
  readonly speaker: Speaker;
  readonly text: string;
}

/** How a scene went. */
interface Result {
  readonly name: string;
  readonly shows: string;
  readonly status: "ok" | "skipped" | "failed";
  /** Why it was skipped or failed. */
  readonly reason?: string;
  readonly ms: number;
  readonly transcript: readonly Line[];
}

type Style = Parameters<typeof styleText>[0];

const speakerStyles: Readonly<Record<Speaker, Style>> = { C: "cyan", S: "green", "*": "dim" };
const statusStyles: Readonly<Record<Result["status"], Style>> = {
  ok: "green",
  skipped: "yellow",
  failed: "red",
};

export function register(program: Command): void {
  program
    .command("tour")
    .description("Show what hawser can do: real conversations over this machine's loopback.")
    .argument("[scene...]", "some of the scenes; all of them by default", chosenScenes)
    .option("--json", "one JSON document in place of text")
    .addHelpText(
      "after",
      `\nScenes:\n  ${scenes.map(({ name }) => name).join(" ")}\n\nExample:\n  hawser tour echo udp`,
    )
    .showHelpAfterError("(hawser tour --help says more)")
    .action((chosen: readonly Scene[] | undefined, options: { readonly json?: true }) =>
      interruptible((signal) => tour(chosen?.length ? chosen : scenes, options.json === true, signal)),
    );
}

/** Commander's parser of one more name. */
function chosenScenes(name: string, before: readonly Scene[] = []): readonly Scene[] {
  const scene = scenes.find((candidate) => candidate.name === name);
  if (scene !== undefined) return [...before, scene];
  throw new InvalidArgumentError(`There are ${scenes.map((known) => known.name).join(", ")}.`);
}

async function tour(chosen: readonly Scene[], json: boolean, signal: AbortSignal): Promise<void> {
  const startMs = performance.now();
  if (!json)
    print(`hawser ${version}: ${chosen.length} short conversations over real sockets, all on this machine`);
  const results: Result[] = [];
  for (const scene of chosen) {
    if (!json) print(`\n${styleText("bold", scene.name)}: ${scene.shows}`);
    const result = await play(scene, signal, json ? () => {} : printLine);
    signal.throwIfAborted();
    results.push(result);
  }
  const ms = round(performance.now() - startMs);
  if (json)
    print(JSON.stringify({ schemaVersion: 1, version, ok: isGood(results), ms, scenes: results }, null, 2));
  else summarize(results, ms);
  if (!isGood(results)) process.exitCode = exitCodes.other;
}

/** Good is: nothing failed, and something was shown. */
function isGood(results: readonly Result[]): boolean {
  return results.every(({ status }) => status !== "failed") && results.some(({ status }) => status === "ok");
}

async function play(scene: Scene, interrupt: AbortSignal, tell: (line: Line) => void): Promise<Result> {
  const transcript: Line[] = [];
  const note = (speaker: Speaker, text: string) => {
    transcript.push({ speaker, text });
    tell({ speaker, text });
  };
  const startMs = performance.now();
  const outcome = await attempt(scene, interrupt, note);
  if (outcome.reason !== undefined) tell({ speaker: "*", text: `${outcome.status}: ${outcome.reason}` });
  const { name, shows } = scene;
  return { name, shows, ...outcome, ms: round(performance.now() - startMs), transcript };
}

async function attempt(
  scene: Scene,
  interrupt: AbortSignal,
  tell: (speaker: Speaker, text: string) => void,
): Promise<Pick<Result, "status" | "reason">> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DeadlineError(scene.name, sceneMs)), sceneMs);
  const signal = AbortSignal.any([interrupt, late.signal]);
  try {
    await withFolder((folder) => scene.run({ tell, signal, folder }));
    return { status: "ok" };
  } catch (error) {
    // Without any sockets there is nothing to show, and saying so once is enough.
    if (error instanceof UnsupportedError && error.capability === "level-1 sockets") throw error;
    return { status: isLacking(error) ? "skipped" : "failed", reason: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

/** What this machine or this user cannot do is no failure. */
function isLacking(error: unknown): boolean {
  if (error instanceof UnsupportedError) return true;
  return (
    error instanceof SocketError &&
    ["EPERM", "EACCES", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENOSYS"].includes(error.code)
  );
}

function printLine({ speaker, text }: Line): void {
  const mark = speaker === "*" ? "*" : `${speaker}:`;
  print(styleText(speakerStyles[speaker], `${mark} ${text}`));
}

function summarize(results: readonly Result[], ms: number): void {
  print("");
  const rows = results.map(({ name, shows, ms, status }) => [
    name,
    shows,
    `${ms.toFixed(1)} ms`.padStart(8),
    status,
  ]);
  const [head = "", ...lines] = table([["scene", "what it shows", "time", "result"], ...rows]);
  print(styleText("bold", head));
  lines.forEach((line, index) => {
    const { status = "failed", reason } = results[index] ?? {};
    print(
      line.slice(0, -status.length) +
        styleText(statusStyles[status], status) +
        (reason ? ` (${reason})` : ""),
    );
  });
  const count = (wanted: Result["status"]) => results.filter(({ status }) => status === wanted).length;
  print(
    `\n${count("ok")} shown, ${count("skipped")} skipped, ${count("failed")} failed, in ${(ms / 1000).toFixed(2)} s`,
  );
  print("\nWhat to try next:");
  for (const line of next()) print(line);
}

/** What to try next, as this very command is called: it need not be installed. */
function next(): string[] {
  const [, script = ""] = process.argv;
  const hawser = basename(script) === "main.js" ? `node ${relative(process.cwd(), script)}` : "hawser";
  return table([
    [`  ${hawser} echo --verbose`, "a server to play with"],
    [`  echo hello | ${hawser} nc localhost 10000`, "and a client, in another terminal"],
    [`  ${hawser} resolve localhost http`, "what a name stands for"],
    [`  ${hawser} help`, "what else there is"],
  ]);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
