/**
 * Descriptors and credentials that travel over Unix sockets (SCM_RIGHTS, SCM_CREDENTIALS), from parent to child, and
 * from a service manager; and the names of Unix sockets at their limits.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { Socket as NodeSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LocalProtocolError, SocketError, WouldBlockError } from "../../src/core/errors.js";
import {
  AF_INET,
  AF_UNIX,
  type AfUnix,
  CMSG_LEN,
  CMSG_SPACE,
  type Family,
  fdsOf,
  listenFds,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  recvFds,
  recvFdsSync,
  SCM_CREDENTIALS,
  SCM_RIGHTS,
  SO_PASSCRED,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
  sendFds,
  sendFdsSync,
  socketPair,
  type UnixAddress,
} from "../../src/socket/index.js";
import { cmsgSpace, decodeAncillary, encodeAncillary } from "../../src/socket/native/message.js";
import { text, bytes as utf8 } from "./support.js";

const timeout = 20_000;
const wait = { timeoutMs: 10_000 };
const library = new URL("../../src/socket/index.js", import.meta.url).href;
const one = Uint8Array.of(1);

let directory = "";
/** What a test opens is closed after it, the last first. */
let cleanups: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "hawser-"));
  cleanups = [];
});

afterEach(() => {
  for (const cleanup of cleanups.reverse()) cleanup();
  rmSync(directory, { recursive: true });
});

function kept<T extends { close(): void }>(closable: T): T {
  cleanups.push(() => closable.close());
  return closable;
}

function keptFds(fds: readonly number[]): void {
  for (const fd of fds) cleanups.push(() => closeSync(fd));
}

function unixPair(type = SOCK_STREAM): [Socket<AfUnix>, Socket<AfUnix>] {
  const [first, second] = socketPair(AF_UNIX, type);
  first.timeoutMs = wait.timeoutMs;
  second.timeoutMs = wait.timeoutMs;
  return [kept(first), kept(second)];
}

function unixSocket(type: number): Socket<AfUnix> {
  const socket = kept(new Socket(AF_UNIX, type));
  socket.timeoutMs = wait.timeoutMs;
  return socket;
}

/** A new file that holds `text`. */
function file(name: string, text = name): number {
  const fd = openSync(join(directory, name), "w+");
  keptFds([fd]);
  writeSync(fd, text);
  return fd;
}

/** What is in the file, or in the pipe. */
function contents(fd: number, position: number | null = 0): string {
  const bytes = new Uint8Array(64);
  return text(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, position)));
}

/** How many descriptors of this process are of the file. */
function openCount(name: string): number {
  const path = join(directory, name);
  return readdirSync("/proc/self/fd").filter((fd) => linkOf(fd) === path).length;
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The descriptor of the listing itself is closed by now.
    return "";
  }
}

function closeOnExec(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  assert.ok(flags, `/proc/self/fdinfo/${fd} has flags`);
  return (Number.parseInt(flags, 8) & SOCK_CLOEXEC) !== 0;
}

function ints(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SocketError && error.code === code;
}

const forms = [
  { name: "promise", send: sendFds, receive: recvFds },
  {
    name: "Sync",
    send: async (...args: Parameters<typeof sendFds>) => sendFdsSync(...args),
    receive: async (...args: Parameters<typeof recvFds>) => recvFdsSync(...args),
  },
];

for (const { name, send, receive } of forms) {
  describe(`descriptors over a Unix socket, ${name} form`, { timeout }, () => {
    test("a file, a pipe and a socket arrive as what they are, close-on-exec", async () => {
      const [sender, receiver] = unixPair();
      const [near, far] = unixPair();
      const path = join(directory, "pipe");
      execFileSync("mkfifo", [path]);
      const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const writeEnd = openSync(path, constants.O_WRONLY);
      keptFds([readEnd, writeEnd]);
      await send(sender, one, [file("file"), readEnd, far.fileno()]);
      const { data, fds, flags } = await receive(receiver, 10, 3);
      const [fileFd = -1, pipeFd = -1, socketFd = -1] = fds;
      keptFds([fileFd, pipeFd]);
      const adopted = kept(Socket.fromFd(socketFd));
      assert.deepEqual({ data, flags, count: fds.length }, { data: one, flags: 0, count: 3 });
      for (const fd of fds) assert.ok(closeOnExec(fd), `descriptor ${fd} is close-on-exec`);
      assert.equal(contents(fileFd), "file");
      assert.ok(fstatSync(pipeFd).isFIFO());
      writeSync(writeEnd, "through the pipe");
      assert.equal(contents(pipeFd, null), "through the pipe");
      assert.deepEqual([adopted.family, adopted.type], [AF_UNIX, SOCK_STREAM]);
      await near.sendall(utf8("through the socket"));
      assert.equal(text(await adopted.recv(64, wait)), "through the socket");
    });

    test("253 descriptors go in one message", async () => {
      const [sender, receiver] = unixPair();
      const fd = file("file");
      await send(
        sender,
        one,
        Array.from({ length: 253 }, () => fd),
      );
      const { fds, flags } = await receive(receiver, 10, 253);
      keptFds(fds);
      assert.equal(flags, 0);
      assert.equal(new Set(fds).size, 253);
      const { ino } = fstatSync(fd);
      for (const received of fds) assert.equal(fstatSync(received).ino, ino);
    });

    test("254 are refused before anything is sent", async () => {
      const [sender, receiver] = unixPair();
      const fds = Array.from({ length: 254 }, () => 0);
      await assert.rejects(() => send(sender, one, fds), LocalProtocolError);
      await assert.rejects(() => receive(receiver, 10, 254, MSG_DONTWAIT), WouldBlockError);
    });

    test("what is no descriptor is refused", async () => {
      const [sender] = unixPair();
      for (const fd of [-1, 0.5, Number.NaN]) {
        await assert.rejects(() => send(sender, one, [fd]), LocalProtocolError, `${fd}`);
      }
      await assert.rejects(() => send(sender, one, [0x7fffffff]), hasCode("EBADF"));
    });

    // The padding behind one descriptor would hold a second one.
    for (const room of [0, 1, 2, 3]) {
      test(`of 4 descriptors where ${room} are wanted, the others are closed`, async () => {
        const [sender, receiver] = unixPair();
        const fd = file("file");
        await send(sender, one, [fd, fd, fd, fd]);
        const { fds, flags } = await receive(receiver, 10, room);
        keptFds(fds);
        assert.equal(fds.length, room);
        assert.equal(flags, MSG_CTRUNC);
        assert.equal(openCount("file"), 1 + room);
      });
    }

    test("a datagram and a sequenced packet carry them too", async () => {
      for (const type of [SOCK_DGRAM, SOCK_STREAM]) {
        const [sender, receiver] = unixPair(type);
        await send(sender, [], [file(`file-${type}`)]).then((sent) => assert.equal(sent, 0));
        if (type === SOCK_STREAM) await send(sender, one, []);
        const { fds } = await receive(receiver, 10, 1);
        keptFds(fds);
        // On a stream they travel with a byte, or not at all.
        assert.equal(fds.length, type === SOCK_DGRAM ? 1 : 0);
      }
    });
  });
}

describe("descriptors that nobody asked for", { timeout }, () => {
  const calls: Record<string, (receiver: Socket<AfUnix>) => unknown> = {
    recv: (receiver) => receiver.recv(10),
    recvSync: (receiver) => receiver.recvSync(10),
    recvInto: (receiver) => receiver.recvInto(new Uint8Array(10)),
    tryRecvInto: (receiver) => receiver.tryRecvInto(new Uint8Array(10)),
    recvfrom: (receiver) => receiver.recvfrom(10),
    recvmsg: (receiver) => receiver.recvmsg(10),
    recvmsgSync: (receiver) => receiver.recvmsgSync(10),
    recvmsgInto: (receiver) => receiver.recvmsgInto([new Uint8Array(10)]),
    recvMany: (receiver) => receiver.recvMany(10),
    recvManySync: (receiver) => receiver.recvManySync(10),
  };
  for (const [name, receive] of Object.entries(calls)) {
    test(`${name} leaves none open`, async () => {
      const [sender, receiver] = unixPair(SOCK_DGRAM);
      sendFdsSync(sender, one, [file("file")]);
      await receive(receiver);
      assert.throws(() => receiver.recvSync(10, MSG_DONTWAIT), WouldBlockError, "it was received");
      assert.equal(openCount("file"), 1);
    });
  }

  test("recvMany with ancillary data returns all of them", async () => {
    const [sender, receiver] = unixPair(SOCK_DGRAM);
    const fd = file("file");
    for (let index = 0; index < 3; index += 1) sendFdsSync(sender, Uint8Array.of(index), [fd, fd]);
    const packets = await receiver.recvMany(10, { ancillary: true });
    const fds = packets.flatMap(({ ancillary }) => fdsOf(ancillary));
    keptFds(fds);
    assert.equal(fds.length, 6);
    assert.equal(openCount("file"), 7);
    for (const received of fds) assert.ok(closeOnExec(received));
  });
});

describe("sendmsg with descriptors", { timeout }, () => {
  test("the kernel refuses 254 with EINVAL", async () => {
    const [sender] = unixPair();
    const data = ints(...Array.from({ length: 254 }, () => 0));
    await assert.rejects(() => sender.sendmsg(one, [[SOL_SOCKET, SCM_RIGHTS, data]]), hasCode("EINVAL"));
  });

  test("a message that waits keeps its own descriptors, whatever is received meanwhile", async () => {
    const [full, drained] = unixPair();
    const chunk = new Uint8Array(4096);
    assert.throws(() => {
      for (;;) full.sendSync(chunk, MSG_DONTWAIT);
    }, WouldBlockError);
    const [sender, receiver] = unixPair();
    sendFdsSync(sender, one, [file("other")]);

    const waiting = sendFds(full, one, [file("mine")]);
    keptFds(fdsOf(receiver.recvmsgSync(10, CMSG_SPACE(4)).ancillary));

    let fds: number[] = [];
    while (fds.length === 0) ({ fds } = await recvFds(drained, 65536, 1));
    keptFds(fds);
    assert.equal(await waiting, 1);
    assert.deepEqual(
      fds.map((fd) => contents(fd)),
      ["mine"],
    );
  });
});

describe("ancillary data cut short", () => {
  const items = [
    { level: SOL_SOCKET, type: SCM_RIGHTS, data: ints(7, 8, 9) },
    { level: 41, type: 52, data: ints(64) },
  ];
  const control = encodeAncillary(items);

  test("whole, they come back as they were", () => {
    assert.equal(control.length, CMSG_SPACE(12) + CMSG_SPACE(4));
    assert.deepEqual(decodeAncillary(control, control.length), items);
    assert.deepEqual(decodeAncillary(control, CMSG_SPACE(12) + CMSG_LEN(4)), items);
  });

  test("at every length: no item without a header, no byte from beyond, and of descriptors whole ones only", () => {
    for (let length = 0; length <= control.length; length += 1) {
      const [first, second, ...others] = decodeAncillary(control, length);
      assert.deepEqual(others, []);
      assert.equal(first !== undefined, length >= CMSG_LEN(0), `first item at ${length}`);
      assert.equal(second !== undefined, length >= CMSG_SPACE(12) + CMSG_LEN(0), `second item at ${length}`);
      const firstBytes = Math.min(12, Math.max(0, length - CMSG_LEN(0)));
      assert.deepEqual(first?.data ?? ints(), ints(7, 8, 9).subarray(0, firstBytes & ~3), `at ${length}`);
      const secondBytes = Math.min(4, Math.max(0, length - CMSG_SPACE(12) - CMSG_LEN(0)));
      assert.deepEqual(second?.data ?? ints(), ints(64).subarray(0, secondBytes), `at ${length}`);
    }
  });

  test("a length that no item can have ends the list", () => {
    for (const length of [0, 15, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]) {
      const wrong = control.slice();
      new DataView(wrong.buffer).setUint32(0, length, true);
      assert.ok(decodeAncillary(wrong, wrong.length).length <= 1, `length ${length}`);
    }
  });

  test("fdsOf leaves half a descriptor out", () => {
    assert.deepEqual(fdsOf([{ level: SOL_SOCKET, type: SCM_RIGHTS, data: ints(7, 8).subarray(0, 7) }]), [7]);
    assert.deepEqual(fdsOf([{ level: SOL_SOCKET, type: SCM_CREDENTIALS, data: ints(7, 8, 9) }]), []);
    assert.equal(cmsgSpace(1), 24);
  });
});

describe("adopted by Node", { timeout }, () => {
  test("a received connection goes on as a net.Socket", async () => {
    const [sender, receiver] = unixPair();
    const [near, far] = unixPair();
    await sendFds(sender, one, [far.fileno()]);
    far.close();
    const [fd = -1] = (await recvFds(receiver, 1, 1)).fds;
    const connection = new NodeSocket({ fd, readable: true, writable: true });
    cleanups.push(() => connection.destroy());
    connection.end("from Node");
    const parts: Uint8Array[] = [];
    for (let part = await near.recv(64); part.length > 0; part = await near.recv(64)) parts.push(part);
    assert.equal(text(Buffer.concat(parts)), "from Node");
    await near.sendall(utf8("to Node"));
    const [heard] = await once(connection, "data", { signal: AbortSignal.timeout(wait.timeoutMs) });
    assert.equal(`${heard}`, "to Node");
  });

  test("a received listener serves as a Socket", async () => {
    const [sender, receiver] = unixPair();
    const listener = kept(new Socket(AF_INET, SOCK_STREAM));
    listener.bindSync(["127.0.0.1", 0]);
    listener.listen();
    await sendFds(sender, one, [listener.fileno()]);
    const [fd = -1] = (await recvFds(receiver, 1, 1)).fds;
    const adopted = kept(Socket.fromFd(fd));
    assert.deepEqual(adopted.getsockname(), listener.getsockname());
    const client = kept(new Socket(AF_INET, SOCK_STREAM));
    await client.connect(listener.getsockname(), wait);
    const [connection, address] = await adopted.accept(wait);
    kept(connection);
    assert.deepEqual(address, client.getsockname());
  });
});

describe("descriptors of a child", { timeout }, () => {
  /** What the child's descriptor of that number is. */
  function inChild(fd: number): string {
    return spawnSync("readlink", [`/proc/self/fd/${fd}`], { encoding: "utf8", timeout }).stdout.trim();
  }

  test("a child inherits a socket only when it is inheritable", () => {
    const socket = kept(new Socket());
    assert.equal(inChild(socket.fileno()), "");
    socket.inheritable = true;
    assert.equal(inChild(socket.fileno()), readlinkSync(`/proc/self/fd/${socket.fileno()}`));
  });

  /** A node process that runs `code` with `stdio` from descriptor 3 on; `before` is put before its command. */
  function child(code: string, fds: readonly number[], before: string): ChildProcess {
    const program = `import { listenFds } from ${JSON.stringify(library)};\n${code}`;
    const spawned = spawn(
      "sh",
      ["-c", `${before} exec "$0" --input-type=module -e "$1"`, process.execPath, program],
      { stdio: ["ignore", "pipe", "inherit", ...fds], timeout },
    );
    cleanups.push(() => spawned.kill());
    return spawned;
  }

  async function output(spawned: ChildProcess): Promise<string> {
    assert.ok(spawned.stdout);
    const parts: string[] = [];
    spawned.stdout.setEncoding("utf8").on("data", (part: string) => parts.push(part));
    const [code] = await once(spawned, "close");
    assert.equal(code, 0, "the child's exit code");
    return parts.join("");
  }

  test("listenFds: a service serves on the sockets that its manager passed", async () => {
    const tcp = kept(new Socket<Family>(AF_INET, SOCK_STREAM));
    tcp.bindSync(["127.0.0.1", 0]);
    tcp.listen();
    const unix = kept(new Socket<Family>(AF_UNIX, SOCK_STREAM));
    unix.bindSync(join(directory, "service"));
    unix.listen();
    const code = `
      const listeners = listenFds();
      const left = Object.keys(process.env).filter((name) => name.startsWith("LISTEN_"));
      const again = listenFds().length;
      console.log(JSON.stringify({ fds: listeners.map((s) => s.fileno()), left, again, names: listeners.map((s) => s.getsockname()),
        inheritable: listeners.map((s) => s.inheritable) }));
      for (const listener of listeners) {
        const [connection] = await listener.accept({ timeoutMs: 10000 });
        await connection.sendall(new TextEncoder().encode("served"));
        connection.close();
        listener.close();
      }`;
    const spawned = child(
      code,
      [tcp.fileno(), unix.fileno()],
      "LISTEN_FDS=2 LISTEN_FDNAMES=a:b LISTEN_PID=$$",
    );
    const [told, ...heard] = await Promise.all([
      output(spawned),
      ...[tcp, unix].map(async (listener) => {
        const client = kept(new Socket(listener.family, SOCK_STREAM));
        await client.connect(listener.getsockname(), wait);
        return text(await client.recv(64, wait));
      }),
    ]);
    assert.deepEqual(JSON.parse(told), {
      fds: [3, 4],
      left: [],
      again: 0,
      names: [tcp.getsockname(), unix.getsockname()],
      inheritable: [false, false],
    });
    assert.deepEqual(heard, ["served", "served"]);
  });

  test("listenFds: variables meant for another process are left alone", async () => {
    const listener = kept(new Socket());
    const code = "console.log(listenFds().length, process.env.LISTEN_FDS)";
    assert.equal(await output(child(code, [listener.fileno()], "LISTEN_FDS=1 LISTEN_PID=1")), "0 1\n");
    assert.deepEqual(listenFds(), []);
  });

  test("listenFds: a count that is none is refused", async () => {
    const code = "try { listenFds() } catch (error) { console.log(error.name) }";
    assert.equal(await output(child(code, [], "LISTEN_FDS=many LISTEN_PID=$$")), "LocalProtocolError\n");
  });

  test("peerCredentials tells the process at the other end", async () => {
    const listener = unixSocket(SOCK_STREAM);
    listener.bindSync(join(directory, "service"));
    listener.listen();
    const code = `
      const { connect } = await import("node:net");
      connect(${JSON.stringify(listener.getsockname())}).resume();`;
    const spawned = child(code, [], "");
    const [connection] = await listener.accept(wait);
    const { pid, uid, gid } = connection.peerCredentials();
    connection.close();
    await output(spawned);
    const own = { uid: process.getuid?.(), gid: process.getgid?.() };
    assert.deepEqual({ pid, uid, gid }, { pid: spawned.pid, ...own });
  });
});

describe("credentials", { timeout }, () => {
  const own = ints(process.pid, process.getuid?.() ?? 0, process.getgid?.() ?? 0);

  test("SO_PASSCRED brings the sender's with each message", async () => {
    for (const type of [SOCK_STREAM, SOCK_DGRAM]) {
      const [sender, receiver] = unixPair(type);
      receiver.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
      await sender.send(one);
      const { ancillary, flags } = await receiver.recvmsg(10, CMSG_SPACE(12));
      assert.deepEqual(ancillary, [{ level: SOL_SOCKET, type: SCM_CREDENTIALS, data: own }]);
      assert.equal(flags, 0);
    }
  });

  test("they may be sent in so many words, beside descriptors", async () => {
    const [sender, receiver] = unixPair();
    receiver.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
    const rights = [SOL_SOCKET, SCM_RIGHTS, ints(file("file"))] as const;
    await sender.sendmsg(one, [[SOL_SOCKET, SCM_CREDENTIALS, own], rights]);
    const { ancillary } = await receiver.recvmsg(10, CMSG_SPACE(12) + CMSG_SPACE(4));
    const fds = fdsOf(ancillary);
    keptFds(fds);
    assert.deepEqual(ancillary[0], { level: SOL_SOCKET, type: SCM_CREDENTIALS, data: own });
    assert.deepEqual(
      fds.map((fd) => contents(fd)),
      ["file"],
    );
  });

  test("those of another process are refused", async () => {
    const [sender] = unixPair();
    const nobody = ints(0x3fffffff, 0, 0);
    const call = () => sender.sendmsg(one, [[SOL_SOCKET, SCM_CREDENTIALS, nobody]]);
    await assert.rejects(call, (error) => hasCode("EPERM")(error) || hasCode("ESRCH")(error));
  });

  test("peerCredentials of a pair are this process's own", () => {
    const [first] = unixPair();
    const { pid, uid, gid } = first.peerCredentials();
    assert.deepEqual(ints(pid, uid, gid), own);
  });
});

describe("names of Unix sockets", { timeout }, () => {
  /** Datagrams from and to `name`: the receiver sees it as the sender's address, and answers to that. */
  async function answers(name: string | Uint8Array, want: UnixAddress): Promise<void> {
    const asker = unixSocket(SOCK_DGRAM);
    const answerer = unixSocket(SOCK_DGRAM);
    await asker.bind(name);
    await answerer.bind("");
    await asker.sendto(utf8("question"), answerer.getsockname());
    const [question, address] = await answerer.recvfrom(64);
    assert.equal(text(question), "question");
    assert.deepEqual(address, want);
    await answerer.sendto(utf8("answer"), address);
    assert.equal(text(await asker.recv(64)), "answer");
  }

  test("a path as long as there is room: 107 bytes", async () => {
    const path = `${directory}/`.padEnd(107, "x");
    await answers(path, path);
    assert.ok(statSync(path).isSocket());
  });

  test("a path of 108 bytes is refused, in either form", async () => {
    const path = `${directory}/`.padEnd(108, "x");
    const socket = unixSocket(SOCK_STREAM);
    await assert.rejects(() => socket.bind(path), LocalProtocolError);
    assert.throws(() => socket.bindSync(utf8(path)), LocalProtocolError);
    await assert.rejects(() => socket.connect(path), LocalProtocolError);
    assert.deepEqual(readdirSync(directory), []);
  });

  test("a path that is not UTF-8 comes back as its bytes", async () => {
    const name = new Uint8Array([...utf8(`${directory}/`), 0xff, 0xfe, 0x80]);
    await answers(name, name);
    assert.ok(statSync(Buffer.from(name)).isSocket());
  });

  test("an abstract name of 108 bytes, NUL within and at its end", async () => {
    const name = utf8(`\0${process.pid}\0`.padEnd(108, "\0"));
    await answers(name, name);
  });

  test("abstract names that differ in length alone are different", async () => {
    const name = `\0${process.pid}-length`;
    const short = unixSocket(SOCK_DGRAM);
    const long = unixSocket(SOCK_DGRAM);
    await short.bind(name);
    await long.bind(`${name}\0`);
    await assert.rejects(() => unixSocket(SOCK_DGRAM).bind(name), hasCode("EADDRINUSE"));
    const sender = unixSocket(SOCK_DGRAM);
    await sender.sendto(utf8("long"), `${name}\0`);
    await sender.sendto(utf8("short"), name);
    assert.equal(text(await short.recv(64)), "short");
    assert.equal(text(await long.recv(64)), "long");
  });

  test("an abstract name need not be UTF-8", async () => {
    const name = new Uint8Array([0, ...utf8(`${process.pid}`), 0xff, 0x80]);
    await answers(name, name);
  });

  test("an autobound name is abstract and can be answered", async () => {
    const asker = unixSocket(SOCK_DGRAM);
    await asker.bind("");
    const name = asker.getsockname();
    assert.ok(name instanceof Uint8Array && name.length === 6 && name[0] === 0, `${name}`);
    const answerer = unixSocket(SOCK_DGRAM);
    answerer.bindSync(join(directory, "answerer"));
    await asker.sendto(one, join(directory, "answerer"));
    const { address } = await answerer.recvmsg(10);
    assert.deepEqual(address, name);
  });

  test("an unnamed sender has no address", async () => {
    const receiver = unixSocket(SOCK_DGRAM);
    receiver.bindSync(join(directory, "receiver"));
    const sender = unixSocket(SOCK_DGRAM);
    await sender.sendto(one, join(directory, "receiver"));
    await sender.sendto(one, join(directory, "receiver"));
    assert.equal((await receiver.recvfrom(10))[1], "");
    assert.equal((await receiver.recvmsg(10)).address, undefined);
  });

  test("NUL within a path is refused: it would name another file", async () => {
    const socket = unixSocket(SOCK_STREAM);
    await assert.rejects(() => socket.bind(`${directory}/name\0rest`), LocalProtocolError);
    assert.deepEqual(readdirSync(directory), []);
  });
});
