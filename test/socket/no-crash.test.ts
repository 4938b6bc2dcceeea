/** Nothing that is passed to a socket, in whatever state, takes the process down: fuzz/sockets says what is tried. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { excepted, functions, methodsOf } from "../../fuzz/sockets/steps.js";
import { Socket } from "../../src/socket/index.js";
import { stress } from "./robust.js";

const program = fileURLToPath(new URL("../../fuzz/sockets/run.js", import.meta.url));
const seed = String(Date.now() % 1_000_000);

/** The fuzz in a process of its own, and where that is permitted in a network namespace of its own. */
async function fuzz(steps: number, ...more: string[]): Promise<void> {
  const apart = spawnSync("unshare", ["-n", "true"]).status === 0;
  const line = [process.execPath, program, "--seed", seed, "--steps", String(steps), ...more];
  const [command = "", ...args] = apart ? ["unshare", "-n", ...line, "--raise-loopback"] : line;
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: stress ? 600_000 : 60_000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code, signal] = await once(child, "close");
  assert.deepEqual([code, signal], [0, null], `with --seed ${seed}:\n${output.slice(-4000)}`);
  assert.match(output, new RegExp(`"steps":${steps},`));
}

test("random calls with random arguments on sockets in every state", () => fuzz(stress ? 100_000 : 20_000));

test("the same in a worker thread", () => fuzz(stress ? 100_000 : 5_000, "--worker"));

test("the fuzz finds the methods by itself", () => {
  const names = methodsOf(new Socket()).map(({ name }) => name);
  for (const name of [
    "recv",
    "sendManySync",
    "timeoutMs=",
    "listening",
    "close",
    "Symbol(Symbol.asyncIterator)",
  ]) {
    assert.ok(names.includes(name), name);
  }
  const exported = functions().map(({ name }) => name);
  for (const name of ["new Socket", "socket", "getaddrinfo", "socketPair", "Socket.fromFd"]) {
    assert.ok(exported.includes(name), name);
  }
  assert.deepEqual(Object.keys(excepted), ["sethostname"]);
});
