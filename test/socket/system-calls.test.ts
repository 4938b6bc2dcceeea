/** What the kernel sees of a steady exchange, by strace. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryPath } from "./support.js";

const program = fileURLToPath(new URL("children/steady.js", import.meta.url));
const rounds = 500;
let calls: readonly string[] | undefined;
let reason = "";

before(() => {
  const log = temporaryPath();
  const traced = "trace=socket,accept4,connect,sendto,recvfrom,epoll_ctl,fcntl,poll,ioctl";
  const node = [process.execPath, program, `${rounds}`];
  const child = spawnSync("strace", ["-f", "-e", traced, "-o", log, ...node], {
    encoding: "utf8",
    timeout: 60_000,
  });
  if (child.error !== undefined) reason = `no strace: ${child.error.message}`;
  else if (child.status !== 0) reason = `strace cannot trace here: ${child.stderr.split("\n")[0]}`;
  else calls = readFileSync(log, "utf8").split("\n");
});

/** The lines of one call. */
function lines(t: { skip(reason: string): void }, call: string): readonly string[] | undefined {
  if (calls === undefined) t.skip(reason);
  return calls?.filter((line) => line.includes(`${call}(`));
}

test("one recv for each message, and a look in vain at most once in a while", (t) => {
  const recvs = lines(t, "recvfrom");
  if (recvs === undefined) return;
  const messages = 2 * rounds;
  const full = recvs.filter((line) => /= 64$/.test(line)).length;
  assert.equal(full, messages);
  assert.ok(recvs.length <= messages * 1.1 + 10, `${recvs.length} recv calls for ${messages} messages`);
});

test("no epoll_ctl for a message: each socket is registered once", (t) => {
  const controls = lines(t, "epoll_ctl");
  if (controls === undefined) return;
  assert.ok(controls.length < 60, `${controls.length} epoll_ctl calls for ${rounds} rounds`);
});

test("every send carries MSG_NOSIGNAL", (t) => {
  const sends = lines(t, "sendto");
  if (sends === undefined) return;
  const ours = sends.filter((line) => /, 64, /.test(line));
  assert.equal(ours.length, 2 * rounds);
  for (const line of ours) assert.match(line, /MSG_NOSIGNAL/);
});

test("sockets are made and accepted non-blocking and close-on-exec, in one call", (t) => {
  const made = lines(t, "socket")?.filter((line) => /AF_INET, SOCK_STREAM/.test(line));
  const accepted = lines(t, "accept4");
  if (made === undefined || accepted === undefined) return;
  assert.equal(made.length, 2);
  assert.ok(accepted.some((line) => /= \d+$/.test(line)));
  for (const line of [...made, ...accepted])
    assert.match(line, /SOCK_NONBLOCK.*SOCK_CLOEXEC|SOCK_CLOEXEC.*SOCK_NONBLOCK/);
});
