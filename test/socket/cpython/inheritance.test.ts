/** CPython's test_socket.py: which descriptors a child inherits, descriptors sent, and the sizes of ancillary data. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalProtocolError } from "../../../src/core/errors.js";
import {
  CMSG_LEN,
  CMSG_SPACE,
  recvFds,
  recvFdsSync,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  Socket,
  sendFds,
  sendFdsSync,
  socketPair,
} from "../../../src/socket/index.js";
import { native } from "../../../src/socket/native/index.js";
import { linux } from "../../../src/socket/native/linux.js";
import { bytes, deadlineMs } from "../support.js";
import { descriptorFlags, MSG, port } from "./forms.js";
import { SIZEOF_INT } from "./message-kinds.js";

const wait = { timeoutMs: deadlineMs };

/** FD_CLOEXEC as the kernel shows it, without asking the code under test. */
function closeOnExec(fd: number): boolean {
  return (descriptorFlags({ fileno: () => fd }) & SOCK_CLOEXEC) !== 0;
}

/** The property and the kernel agree. */
function checkInheritable(socket: Socket, inheritable: boolean): void {
  assert.equal(socket.inheritable, inheritable);
  assert.equal(closeOnExec(socket.fileno()), !inheritable);
}

port("InheritanceTest.test_SOCK_CLOEXEC", () => {
  using socket: Socket = new Socket(undefined, SOCK_STREAM | SOCK_CLOEXEC);
  assert.equal(socket.type, SOCK_STREAM);
  checkInheritable(socket, false);
});

port("InheritanceTest.test_default_inheritable", () => {
  using socket: Socket = new Socket();
  checkInheritable(socket, false);
});

port("InheritanceTest.test_dup", () => {
  using socket: Socket = new Socket();
  socket.inheritable = true;
  using copy = socket.dup();
  socket.close();
  checkInheritable(copy, false);
});

port("InheritanceTest.test_set_inheritable", () => {
  using socket: Socket = new Socket();
  socket.inheritable = true;
  checkInheritable(socket, true);
  socket.inheritable = false;
  checkInheritable(socket, false);
});

port("InheritanceTest.test_get_inheritable_cloexec", () => {
  using socket: Socket = new Socket();
  assert.equal(socket.inheritable, false);
  assert.equal(native().fcntl(socket.fileno(), linux.F_SETFD, 0), 0);
  assert.equal(socket.inheritable, true);
});

port("InheritanceTest.test_set_inheritable_cloexec", () => {
  using socket: Socket = new Socket();
  assert.equal(native().fcntl(socket.fileno(), linux.F_GETFD, 0), linux.FD_CLOEXEC);
  socket.inheritable = true;
  assert.equal(native().fcntl(socket.fileno(), linux.F_GETFD, 0), 0);
});

port("InheritanceTest.test_socketpair", () => {
  const pair: [Socket, Socket] = socketPair();
  using first = pair[0];
  using second = pair[1];
  checkInheritable(first, false);
  checkInheritable(second, false);
});

/** Pipes, made of named ones: Node opens no others. */
function pipes(count: number): { readFd: number; writeFd: number }[] {
  const directory = mkdtempSync(join(tmpdir(), "hawser-"));
  try {
    const paths = Array.from({ length: count }, (_, index) => join(directory, `${index}`));
    execFileSync("mkfifo", paths);
    return paths.map((path) => ({
      readFd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      writeFd: openSync(path, constants.O_WRONLY),
    }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

port("SendRecvFdsTests.testSendAndRecvFds", async () => {
  const forms = [
    { send: sendFds, receive: recvFds },
    {
      send: async (...args: Parameters<typeof sendFds>) => sendFdsSync(...args),
      receive: async (...args: Parameters<typeof recvFds>) => recvFdsSync(...args),
    },
  ];
  for (const { send, receive } of forms) {
    const ends = pipes(10);
    const [sender, receiver] = socketPair();
    const opened = ends.flatMap(({ readFd, writeFd }) => [readFd, writeFd]);
    try {
      const sent = ends.map(({ readFd }) => readFd);
      assert.equal(await send(sender, [MSG], sent, wait), MSG.length);
      const { data, fds, flags } = await receive(receiver, MSG.length * 2, sent.length * 2, wait);
      opened.push(...fds);
      assert.deepEqual(data, MSG);
      assert.equal(fds.length, sent.length);
      assert.equal(flags, 0);
      for (const fd of fds) assert.ok(closeOnExec(fd), `${fd} is close-on-exec`);
      for (const [index, { writeFd }] of ends.entries()) writeSync(writeFd, `${index}`);
      for (const [index, fd] of fds.entries()) assert.deepEqual(readText(fd), bytes(`${index}`));
    } finally {
      sender.close();
      receiver.close();
      for (const fd of opened) closeSync(fd);
    }
  }
});

function readText(fd: number): Uint8Array {
  const content = new Uint8Array(100);
  return content.slice(0, readSync(fd, content));
}

/** socklen_t, as CPython limits it. */
const maxLength = 0x7fffffff;

/** The least sizes, and the greatest that are below `tooBig`. */
function sizes(tooBig: number): number[] {
  return Array.from({ length: 257 }, (_, index) => [index, tooBig - 257 + index]).flat();
}

port("CmsgMacroTests.testCMSG_LEN", () => {
  const tooBig = maxLength - CMSG_LEN(0) + 1;
  assert.ok(CMSG_LEN(0) > SIZEOF_INT * 2);
  for (const size of sizes(tooBig)) {
    assert.equal(CMSG_LEN(size) - CMSG_LEN(0), size);
    assert.ok(CMSG_LEN(size) <= maxLength);
  }
  for (const size of [-1, tooBig, Number.MAX_SAFE_INTEGER, 0.5, Number.NaN]) {
    assert.throws(() => CMSG_LEN(size), LocalProtocolError, `${size}`);
  }
});

port("CmsgMacroTests.testCMSG_SPACE", () => {
  const tooBig = maxLength - CMSG_SPACE(1) + 1;
  let last = CMSG_SPACE(0);
  assert.ok(last > SIZEOF_INT * 2);
  for (const size of sizes(tooBig).sort((a, b) => a - b)) {
    const space = CMSG_SPACE(size);
    assert.ok(space >= last, `${space} for ${size} is no less than ${last}`);
    assert.ok(space >= CMSG_LEN(size));
    assert.ok(space <= maxLength);
    last = space;
  }
  for (const size of [-1, tooBig, Number.MAX_SAFE_INTEGER, 0.5, Number.NaN]) {
    assert.throws(() => CMSG_SPACE(size), LocalProtocolError, `${size}`);
  }
});
