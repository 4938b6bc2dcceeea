/** The fuzz of level 1, to be run in a process of its own: it must end by itself, with 0. */
import { closeSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isMainThread, Worker } from "node:worker_threads";
import * as api from "../../src/socket/index.js";
import { Random } from "../random.js";
import {
  addressOf,
  close,
  endPool,
  make,
  note,
  otherDescriptors,
  raiseLoopback,
  type Subject,
} from "./pool.js";
import { argumentsFor, type Callable, functions, isAllowed, methodsOf } from "./steps.js";

const { values: settings } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "20000" },
    seconds: { type: "string", default: "3600" },
    trace: { type: "boolean", default: false },
    "raise-loopback": { type: "boolean", default: false },
    worker: { type: "boolean", default: false },
  },
});

// Random paths are bound as Unix sockets: they must not land in the folder that this is started from.
if (isMainThread) {
  const folder = mkdtempSync(join(tmpdir(), "hawser-fuzz-"));
  process.chdir(folder);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
}

const { Socket } = api;
type Socket = api.Socket;

/** How long what waits may go on waiting once everything is closed. */
const settleMs = 10_000;

class Fuzz {
  readonly #random: Random;
  readonly #functions = functions();
  readonly #methods = new Map<object, Callable[]>();
  readonly #others = otherDescriptors();
  readonly #pending = new Map<Promise<unknown>, string>();
  readonly #things: { close(): unknown }[] = [];
  readonly outcomes = { calls: 0, threw: 0, rejected: 0, resolved: 0 };
  readonly failures: string[] = [];
  #subjects: Subject[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  async run(steps: number, endMs: number): Promise<number> {
    for (let step = 0; step < steps; step += 1) {
      if (performance.now() > endMs || this.failures.length > 20) return step;
      if (this.#subjects.length < 30) this.#begin(await make(this.#random));
      this.#step();
      if (this.#random.chance(0.02)) this.#retire(this.#random.below(this.#subjects.length));
      if (step % 20 === 0) await turn();
      if (step % 1000 === 0) this.#tidy();
    }
    return steps;
  }

  /** Closes everything; what still waits must end. */
  async finish(): Promise<void> {
    while (this.#subjects.length > 0) this.#retire(0);
    this.#tidy();
    endPool();
    for (const fd of this.#others) closeSync(fd);
    const endMs = performance.now() + settleMs;
    const pending = () => [...this.#pending.values()].filter((what) => !/^(stolen|foreign)/.test(what));
    while (pending().length > 0 && performance.now() < endMs) await turn();
    for (const what of pending()) this.failures.push(`still pending: ${what}`);
  }

  #begin(subjects: readonly Subject[]): void {
    this.#subjects.push(...subjects);
    for (const { after, ...rushed } of subjects) {
      for (let count = rushed.rush ?? 0; count > 0; count -= 1) this.#step(rushed);
      after?.();
    }
  }

  #step(chosen?: Subject): void {
    const random = this.#random;
    const known = this.#subjects.slice(0, 8).map(addressOf).filter(Boolean);
    const subject = chosen ?? (random.chance(0.85) ? random.pick(this.#subjects) : undefined);
    const callables = subject === undefined ? this.#functions : this.#methodsOf(subject.target);
    const callable = random.pick(callables);
    if (subject?.forbidden?.has(callable.name)) return;
    const args = argumentsFor(random, callable, known);
    if (subject === undefined) this.#adaptFunction(callable, args);
    else if (callable.blocks) limitWait(subject.target);
    this.#call(callable, args, subject?.kind ?? "function");
    subject?.after?.();
    Socket.defaultTimeoutMs = 20;
  }

  #methodsOf(target: object): Callable[] {
    const known = this.#methods.get(target) ?? methodsOf(target);
    this.#methods.set(target, known);
    return known;
  }

  /** Some functions are of use only with a descriptor or a socket. */
  #adaptFunction({ name }: Callable, args: unknown[]): void {
    if (name === "Socket.fromFd")
      args[0] = this.#random.pick([...this.#others, -1, 1e9, NaN, 900_000, args[0] ?? "0"]);
    // A number that is open but none of ours would be adopted, and closed.
    if (name === "Socket.fromFd" && typeof args[0] === "number" && args[0] >= 0 && args[0] < 800_000)
      args[0] = this.#random.pick(this.#others);
    if (/^(send|recv)Fds/.test(name)) {
      const { target } = this.#random.pick(this.#subjects.filter(({ neverEnds }) => !neverEnds));
      if (name.endsWith("Sync")) limitWait(target);
      args[0] = target;
      if (name.startsWith("send"))
        args[2] = this.#random.pick([[this.#others[0]], [], [-1], [900_000], "x", [NaN]]);
    }
    if (name === "new SocketFile") args[0] = () => new Socket();
  }

  #call(callable: Callable, args: unknown[], kind: string): void {
    const what = `${kind}.${callable.name}`;
    if (settings.trace) note(2, `${what}(${args.map(short).join(", ")})`);
    this.outcomes.calls += 1;
    try {
      this.#take(callable.call(args), what, callable.name);
    } catch (error) {
      this.outcomes.threw += 1;
      this.#judge(error, what, callable.name, args);
    }
  }

  #judge(error: unknown, what: string, name: string, args: readonly unknown[]): void {
    if (isAllowed(error, name)) return;
    const stack = error instanceof Error ? error.stack : String(error);
    this.failures.push(`${what}(${args.map(short).join(", ")}): ${stack}`);
  }

  /** Looks after what a call returned: promises are awaited, sockets and descriptors closed. */
  #take(result: unknown, what: string, name: string): void {
    if (result instanceof Promise) this.#watch(result, what, name);
    else if (result instanceof Socket) this.#adopt(result);
    else if (Array.isArray(result)) for (const item of result) this.#take(item, what, name);
    else if (typeof result === "number" && name === "detach" && result >= 0) closeSync(result);
    else if (typeof result === "object" && result !== null) this.#takeObject(result, what, name);
  }

  #takeObject(result: object, what: string, name: string): void {
    if ("fds" in result) for (const fd of result.fds as number[]) closeSync(fd);
    else if ("ancillary" in result) for (const fd of api.fdsOf(result.ancillary as never)) closeSync(fd);
    if ("next" in result && typeof result.next === "function") {
      if (name.endsWith("Sync")) return;
      this.#watch(Promise.resolve(result.next()), `${what}, next`, name);
      if ("return" in result && typeof result.return === "function")
        this.#watch(Promise.resolve(result.return()), `${what}, return`, name);
    }
    if ("destroy" in result && typeof result.destroy === "function") {
      if ("on" in result && typeof result.on === "function") result.on("error", () => {});
      result.destroy();
    } else if ("listen" in result || "setBroadcast" in result)
      (result as unknown as { close(): void }).close();
    if (result instanceof api.SocketFile) this.#takeFile(result as api.SocketFile, what);
  }

  /** A file is put to use at once, and closed later on. */
  #takeFile(file: api.SocketFile, what: string): void {
    const blocking = (name: string) => name.endsWith("Sync") || /dispose|asyncIterator/i.test(name);
    const usable = methodsOf(file).filter(({ name }) => !blocking(name));
    for (let count = 0; count < 5; count += 1) {
      const callable = this.#random.pick(usable);
      this.#call(callable, argumentsFor(this.#random, callable, []), `${what}, file`);
    }
    this.#things.push({ close: () => this.#watch(file.close({ timeoutMs: 20 }), "file.close", "close") });
  }

  #watch(promise: Promise<unknown>, what: string, name: string): void {
    this.#pending.set(promise, what);
    promise.then(
      (value) => {
        this.#pending.delete(promise);
        this.outcomes.resolved += 1;
        this.#take(value, what, name);
      },
      (error: unknown) => {
        this.#pending.delete(promise);
        this.outcomes.rejected += 1;
        this.#judge(error, what, name, []);
      },
    );
  }

  #adopt(socket: Socket): void {
    if (this.#subjects.some(({ target }) => target === socket)) return;
    this.#subjects.push({ kind: "made", target: socket, retire: () => close(socket) });
  }

  #retire(index: number): void {
    const [subject] = this.#subjects.splice(index, 1);
    if (subject === undefined) return;
    subject.retire();
    this.#methods.delete(subject.target);
  }

  #tidy(): void {
    for (const thing of this.#things.splice(0)) thing.close();
  }
}

/** A call that blocks is to block for a few milliseconds only. */
function limitWait(target: Socket): void {
  try {
    target.timeoutMs = 3;
  } catch {
    // It is closed: nothing will block.
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function short(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array && Object.getPrototypeOf(value) !== null) return "[bytes]";
  try {
    return (typeof value === "symbol" ? String(value) : (JSON.stringify(value) ?? typeof value)).slice(0, 80);
  } catch {
    return typeof value;
  }
}

async function main(): Promise<void> {
  if (settings["raise-loopback"]) raiseLoopback();
  const before = readdirSync("/proc/self/fd").length;
  const fuzz = new Fuzz(Number(settings.seed));
  const steps = await fuzz.run(Number(settings.steps), performance.now() + Number(settings.seconds) * 1000);
  await fuzz.finish();
  const left = readdirSync("/proc/self/fd").length - before;
  // The reactor keeps one, in a worker its helper thread has an event loop, and Node's own server may still have some.
  if (left > (isMainThread ? 5 : 12)) fuzz.failures.push(`${left} descriptors are left open`);
  for (const failure of fuzz.failures) note(2, failure);
  note(1, JSON.stringify({ steps, left, isMainThread, ...fuzz.outcomes, failures: fuzz.failures.length }));
  if (fuzz.failures.length > 0) process.exitCode = 1;
  // What keeps the process alive now should not.
  setTimeout(() => {
    note(2, `still alive: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(5);
  }, 10_000).unref();
}

process.on("uncaughtException", (error) => {
  note(2, `uncaught: ${error.stack}`);
  process.exit(3);
});
process.on("unhandledRejection", (error) => {
  note(2, `unhandled: ${error instanceof Error ? error.stack : error}`);
  process.exit(4);
});
// Sockets that a step lost are reported as leaks; that is what they are meant to be.
process.removeAllListeners("warning").on("warning", () => {});

if (settings.worker && isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  worker.on("exit", (code) => {
    process.exitCode = code;
  });
} else await main();
