/** What the tests of robustness share: deadlines on every wait, child processes, connected pairs, open descriptors. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type AddressLike,
  AF_INET,
  type Family,
  MSG_DONTWAIT,
  Socket,
  type WaitOptions,
} from "../../src/socket/index.js";

/** Long runs, asked for with HAWSER_STRESS=1. */
export const stress: boolean = process.env["HAWSER_STRESS"] === "1";

/** `promise`, or a failure that says what was waited for. */
export function within<T>(promise: Promise<T>, what: string, ms = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What `promise` rejects with; it is a failure when it resolves, or does neither in time. */
export async function rejection(promise: Promise<unknown>, what: string, ms?: number): Promise<unknown> {
  const outcome = await within(
    promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
    what,
    ms,
  );
  if ("error" in outcome) return outcome.error;
  throw new Error(`${what}: resolved with ${String(outcome.value)}`);
}

/** The next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Turns of the event loop until `condition` holds. */
export async function until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
  const endMs = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`${what}: not after ${ms} ms`);
    await turn();
  }
}

/** Whether `promise` is still pending after a few turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settle = () => {
    pending = false;
  };
  promise.then(settle, settle);
  for (let count = 0; count < 3; count += 1) await turn();
  return pending;
}

/** A listener on loopback with a port of the kernel's choice, and its address. */
export function listener(backlog = 128): { server: Socket; address: AddressLike } {
  const server: Socket = new Socket();
  server.bindSync(["127.0.0.1", 0]);
  server.listen(backlog);
  return { server, address: server.getsockname() };
}

/** Two ends of a TCP connection over loopback. */
export function tcpPair(): [client: Socket, server: Socket] {
  const { server, address } = listener();
  try {
    const client: Socket = new Socket();
    client.connectSync(address);
    const [conn] = server.acceptSync({ timeoutMs: 5000 });
    return [client, conn];
  } finally {
    server.close();
  }
}

/** A bound UDP socket. */
export function udpSocket(family: Family = AF_INET, host = "127.0.0.1"): Socket {
  const socket = new Socket(family, 2);
  socket.bindSync([host, 0]);
  return socket;
}

/** Sends until the kernel takes no more; returns how many bytes it took. TCP makes room again by itself. */
export function fill(socket: Socket, chunk: Uint8Array = new Uint8Array(65536)): number {
  for (let sentBytes = 0; ; ) {
    try {
      sentBytes += socket.sendSync(chunk, MSG_DONTWAIT);
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      return sentBytes;
    }
  }
}

/** Reads whatever comes until the end of file, an error or a close; it never rejects. */
export async function drain(socket: Socket, options: WaitOptions = {}): Promise<number> {
  let readBytes = 0;
  try {
    for (;;) {
      const { length } = await socket.recv(65536, options);
      if (length === 0) return readBytes;
      readBytes += length;
    }
  } catch {
    return readBytes;
  }
}

/** The `code` of an error. */
export function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

/** What this process has open, by number: `{ "17": "socket:[1234]" }`, without the descriptor of the look itself. */
export function openDescriptors(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      found[fd] = readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // It was the folder's own descriptor.
    }
  }
  return found;
}

/** How a child process ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** How a child process is started. */
export interface ChildOptions {
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** A command line to start it with, such as `["unshare", "-n"]`. */
  readonly through?: readonly string[];
  /** It is killed, and the wait rejects, after this long. */
  readonly limitMs?: number;
  /** Told what the child writes, as it comes. */
  readonly onStdout?: (text: string, child: ChildProcess) => void;
}

/** Runs `children/<program>` to its end. */
export function runChild(program: string, options: ChildOptions = {}): Promise<ChildEnd> {
  const path = fileURLToPath(new URL(`./children/${program}.js`, import.meta.url));
  const { args = [], nodeArgs = [], env = {}, through = [], limitMs = 30_000 } = options;
  const line = [...through, process.execPath, ...nodeArgs, path, ...args];
  const startMs = performance.now();
  const child = spawn(line[0] as string, line.slice(1), {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
      options.onStdout?.(text, child);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${program} still ran after ${limitMs} ms\n${output.stdout}\n${output.stderr}`));
    }, limitMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output, ms: performance.now() - startMs });
    });
  });
}

/** Throws unless the child ended with 0 of its own accord; returns what it wrote. */
export function checkedEnd({ code, signal, stdout, stderr }: ChildEnd): string {
  if (code === 0) return stdout;
  throw new Error(`the child ended with ${signal ?? code}\n${stdout}\n${stderr}`);
}
