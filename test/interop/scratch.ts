/** A folder and the programs that run in it: all of it gone at the end. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Certificates, makeCertificates } from "../certificates.js";

/** Where a run keeps its files. Every folder down to it can be searched by others, as most servers change their user. */
export class Scratch implements Disposable {
  readonly folder: string;
  readonly certificates: Certificates;
  readonly #children: ChildProcess[] = [];
  readonly #endings: (() => void)[] = [];
  readonly #launcher: readonly string[];

  private constructor(folder: string, certificates: Certificates, launcher: readonly string[]) {
    this.folder = folder;
    this.certificates = certificates;
    this.#launcher = launcher;
  }

  /** `launcher` is what the servers' command lines begin with, such as taskset(1). */
  static async make(launcher: readonly string[] = []): Promise<Scratch> {
    const folder = mkdtempSync("/tmp/hawser-interop-");
    chmodSync(folder, 0o755);
    const certificates = await makeCertificates();
    const scratch = new Scratch(folder, certificates, launcher);
    scratch.write("chain.pem", `${certificates.cert}\n${certificates.ca}`);
    scratch.write("key.pem", certificates.key);
    scratch.write("ca.pem", certificates.ca);
    return scratch;
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, text: string, mode = 0o644): string {
    const path = this.path(name);
    writeFileSync(path, text, { mode });
    return path;
  }

  mkdir(name: string): string {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o755);
    return path;
  }

  /** Starts a server that stays in the foreground. */
  start(command: string, args: readonly string[]): ChildProcess {
    const [program = "", ...rest] = [...this.#launcher, command, ...args];
    const child = spawn(program, rest, { stdio: "ignore", detached: true });
    this.#children.push(child);
    return child;
  }

  /** What is to be done at the end. */
  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  [Symbol.dispose](): void {
    for (const ending of this.#endings.reverse()) ending();
    for (const { pid } of this.#children) if (pid !== undefined) endGroup(pid);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A server and the processes that it has made: they are a group of their own. */
function endGroup(pid: number): void {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    try {
      process.kill(-pid, signal);
    } catch {
      return;
    }
    spawnSync("sleep", ["0.2"]);
  }
}

/** Below those that the system gives to clients: none of these is taken between here and the server's start. */
let nextPort = 20_000 + (process.pid % 100) * 100;

/** Ports that nobody listens on now. The servers here cannot choose their own. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (; ports.length < count; nextPort += 1) if (await isFree(nextPort)) ports.push(nextPort);
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Whether a program is there, and Debian's package that brings it if not. */
export function isInstalled(program: string): boolean {
  return (
    spawnSync("sh", ["-c", `command -v ${program}`], { env: { ...process.env, PATH: searchPath } }).status ===
    0
  );
}

/** Servers live where only root's PATH looks. */
export const searchPath: string = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
