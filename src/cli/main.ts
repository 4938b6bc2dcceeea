#!/usr/bin/env node
/** The `hawser` command: finds the subcommand, runs it, and turns whatever it throws into an exit code. */
import { inspect } from "node:util";
import { Command, CommanderError } from "commander";
import { version } from "../index.js";
import { exitCodeOf, exitCodes } from "./exit-codes.js";

/** A file of this folder that adds one subcommand. */
interface Subcommand {
  register(program: Command): void;
}

/** The subcommands in the order of `--help`. Each is loaded when it is asked for, so that `--version` stays quick. */
const subcommands: Readonly<Record<string, () => Promise<Subcommand>>> = {
  tour: () => import("./tour.js"),
  nc: () => import("./nc.js"),
  echo: () => import("./echo.js"),
  resolve: () => import("./resolve.js"),
  send: () => import("./send.js"),
  ls: () => import("./ls.js"),
  get: () => import("./get.js"),
};

async function main(args: readonly string[]): Promise<void> {
  const program = new Command("hawser")
    .description("Real sockets and Internet protocols on the command line.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .showSuggestionAfterError()
    .showHelpAfterError("(hawser --help says more)")
    .exitOverride();
  for (const load of needed(args)) (await load()).register(program);
  if (args.length === 0) program.help({ error: true });
  await program.parseAsync(args, { from: "user" });
}

/** The one subcommand that was named, or all of them where the help or a suggestion needs their names. */
function needed(args: readonly string[]): (() => Promise<Subcommand>)[] {
  const [first = ""] = args;
  if (first === "-V" || first === "--version") return [];
  const named = Object.hasOwn(subcommands, first) ? subcommands[first] : undefined;
  return named === undefined ? Object.values(subcommands) : [named];
}

function report(error: unknown): never {
  if (error instanceof CommanderError) {
    process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  }
  const message = error instanceof Error && error.message !== "" ? error.message : String(error);
  const detail = /\bhawser\b/.test(process.env["NODE_DEBUG"] ?? "") ? `\n${inspect(error)}` : "";
  process.stderr.write(`hawser: ${message}${detail}\n`);
  process.exit(process.exitCode === exitCodes.interrupt ? exitCodes.interrupt : exitCodeOf(error));
}

/** A reader that went away, as in `hawser nc … | head -1`, is no error worth a word. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.ok);
});

/** A subcommand that listens to SIGINT itself cleans up and ends by its own; a second SIGINT ends it at once. */
process.once("SIGINT", () => {
  if (process.listenerCount("SIGINT") === 0) process.exit(exitCodes.interrupt);
  process.exitCode = exitCodes.interrupt;
  process.once("SIGINT", () => process.exit(exitCodes.interrupt));
});

main(process.argv.slice(2)).catch(report);
