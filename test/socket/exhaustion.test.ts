/** When descriptors run out: accepting says so, costs next to nothing meanwhile, and recovers by itself. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SocketError } from "../../src/index.js";
import { AF_INET, AF_UNIX, SOCK_DGRAM, Socket, socketPair } from "../../src/socket/index.js";
import { stress } from "./robust.js";
import { bytes, rejectsWith, tcpPair } from "./support.js";

const program = fileURLToPath(new URL("children/exhausted.js", import.meta.url));

test("EMFILE on accept is reported, costs < 5 % of a processor, and accepting goes on by itself", () => {
  const shell = `ulimit -n 200; exec "$0" "$1"`;
  const child = spawnSync("sh", ["-c", shell, process.execPath, program], {
    encoding: "utf8",
    timeout: 20_000,
  });
  assert.equal(child.status, 0, child.stderr);
  const { code, load, accepted, warnings, warning } = JSON.parse(child.stdout);
  assert.equal(code, "EMFILE");
  assert.equal(warning, "HAWSER_ACCEPT");
  assert.ok(warnings >= 2 && warnings <= 8, `${warnings} warnings in half a second`);
  assert.ok(load < 0.05, `${(100 * load).toFixed(1)} % of a processor`);
  assert.equal(accepted, true);
});

const openDescriptors = () => readdirSync("/proc/self/fd").length;

test("ten thousand sockets opened, used and closed leave no descriptor behind", async () => {
  // The first ones open what stays: the event loop's own descriptors.
  (await tcpPair()).forEach((socket) => {
    socket.close();
  });
  const before = openDescriptors();
  const cycles = stress ? 20_000 : 2500;
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const [left, right] = socketPair();
    const udp = new Socket(AF_INET, SOCK_DGRAM);
    const waiting = right.recv(1);
    await left.send(bytes("x"));
    await waiting;
    const pending = left.recv(1);
    left.close();
    await rejectsWith(pending, SocketError, "EBADF");
    right.dup().close();
    right.close();
    udp.close();
    new Socket(AF_UNIX).close();
  }
  assert.equal(openDescriptors(), before);
});
