#!/usr/bin/env node
/**
 * hawser against real servers and clients: installs those of Debian that are missing, and runs every pairing.
 * `node scripts/interop.mjs [word…]` runs those whose names have all the words.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { installMissing } from "./debian.mjs";

installMissing();
const child = spawn(process.execPath, ["dist/test/interop/main.js", ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
