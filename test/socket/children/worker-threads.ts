/** Starts and ends workers in every way, and must be left with as many threads as it had. */
import { readdirSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { until } from "../robust.js";

const program = new URL("./worker-echo.js", import.meta.url);
const threads = () => readdirSync("/proc/self/task").length;

async function run(mode: string, end: (worker: Worker) => unknown): Promise<void> {
  const worker = new Worker(program, { workerData: { mode, count: 0 } });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  if (mode !== "exit" && mode !== "done") await new Promise((resolve) => worker.once("message", resolve));
  await end(worker);
  await ended;
}

// The first one starts whatever Node itself keeps.
await run("closed", (worker) => worker.postMessage("end"));
const before = threads();
await run("busy", (worker) => worker.terminate());
await run("idle", (worker) => worker.terminate());
await run("exit", () => {});
await run("done", () => {});
await run("closed", (worker) => worker.postMessage("end"));
await until(() => threads() <= before, "the threads to end");
console.log(`threads ${threads() - before}`);
