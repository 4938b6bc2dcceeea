/** Ctrl-C and SIGTERM: the subcommand cleans up and ends. */
import { constants } from "node:os";
import { exitCodes } from "./exit-codes.js";

/**
 * Runs `work` with a signal that SIGINT and SIGTERM abort. What the abort makes it throw is no error; the exit code says
 * what happened.
 */
export async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    process.exitCode = name === "SIGINT" ? exitCodes.interrupt : 128 + constants.signals[name];
    stop.abort(new Error(`ended by ${name}`));
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}
