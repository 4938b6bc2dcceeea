import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { exitCodeOf, exitCodes } from "../../src/cli/exit-codes.js";
import {
  DeadlineError,
  HawserError,
  InUseError,
  LocalProtocolError,
  NameError,
  RefusedError,
  ResetError,
  SocketError,
  TimedOutError,
  UnsupportedError,
  version,
} from "../../src/index.js";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

async function hawser(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    timeout: 20_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => (output.stdout += chunk));
  child.stderr.on("data", (chunk) => (output.stderr += chunk));
  const [code] = (await once(child, "close")) as [number];
  return { code, ...output };
}

test("hawser --version prints the version and nothing else", async () => {
  for (const flag of ["--version", "-V"]) {
    assert.deepEqual(await hawser(flag), { code: 0, stdout: `${version}\n`, stderr: "" });
  }
});

test("hawser --help lists the subcommands on stdout", async () => {
  const { code, stdout, stderr } = await hawser("--help");
  assert.equal(code, 0);
  assert.equal(stderr, "");
  for (const name of ["tour", "nc", "echo", "resolve"])
    assert.match(stdout, new RegExp(`^ +${name}\\b`, "m"));
});

test("hawser alone is a usage error: the help goes to stderr", async () => {
  const { code, stdout, stderr } = await hawser();
  assert.equal(code, exitCodes.usage);
  assert.equal(stdout, "");
  assert.match(stderr, /^Usage: hawser/);
});

test("an unknown subcommand or option is a usage error, with a suggestion", async () => {
  const misspelt = await hawser("resovle");
  assert.equal(misspelt.code, exitCodes.usage);
  assert.match(misspelt.stderr, /Did you mean resolve\?/);
  assert.equal((await hawser("nc", "--no-such-option")).code, exitCodes.usage);
  assert.equal((await hawser("toString")).code, exitCodes.usage);
});

test("each error has the exit code that curl gives it", () => {
  const facts = (syscall: string) => ({ errno: 1, code: "E", syscall });
  const table: [Error, number][] = [
    [new LocalProtocolError("port 70000"), 2],
    [new NameError("no such host", facts("getaddrinfo")), 6],
    [new RefusedError("refused", facts("connect")), 7],
    [new SocketError("no route", facts("connect")), 7],
    [new InUseError("in use", facts("bind")), 7],
    [new TimedOutError("the kernel gave up", facts("connect")), 28],
    [new DeadlineError("connect", 100), 28],
    [new ResetError("reset", facts("recv")), 1],
    [new UnsupportedError("level-1 sockets", "no koffi"), 1],
    [new HawserError("HAWSER_OTHER", "other"), 1],
    [new AggregateError([new Error("first"), new RefusedError("refused", facts("connect"))]), 7],
    [new AggregateError([]), 1],
    [new Error("a bug"), 1],
  ];
  for (const [error, code] of table) assert.equal(exitCodeOf(error), code, error.message);
});
