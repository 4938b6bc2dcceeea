/**
 * CPython's test_socket.py: the objects that makefile() returns, over its seven classes of modes and buffers. Every body
 * runs twice, with promises and with the Sync twins; what Python does in a second thread is done before the reading.
 */
import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { DeadlineError, LocalProtocolError } from "../../../src/core/errors.js";
import {
  type BinaryFileMode,
  createServerSync,
  type Family,
  MSG_PEEK,
  Socket,
  type SocketFile,
  type TextFileMode,
} from "../../../src/socket/index.js";

const timeout = 20_000;
const waitMs = 5_000;
const MSG = "Michael Gilfix was here\u1234\r\n";

type AnyFile = SocketFile<string> | SocketFile<Uint8Array> | SocketFile<Uint8Array | null>;

/** What read and written data are compared as: bytes and text alike as text, and null as it is. */
function text(data: string | Uint8Array | null): string | null {
  return data instanceof Uint8Array ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(data) : data;
}

/** Parts of a message in one piece; a character may be cut in two between parts of bytes. */
function joined(parts: readonly (string | Uint8Array | null)[]): string {
  return Buffer.concat(
    parts.map((part) => (typeof part === "string" ? bytes(part) : (part ?? bytes("null")))),
  ).toString();
}

function bytes(data: string): Uint8Array {
  return new TextEncoder().encode(data);
}

/** The calls of a file in one of their two forms. */
interface Form {
  readonly name: string;
  read(file: AnyFile, count?: number): Promise<string | Uint8Array | null>;
  readLine(file: AnyFile): Promise<string | Uint8Array | null>;
  readInto(file: SocketFile<Uint8Array | null>, buffer: Uint8Array): Promise<number | null>;
  write(file: AnyFile, data: string): Promise<number | null>;
  flush(file: AnyFile): Promise<void>;
  close(file: AnyFile): Promise<void>;
}

const forms: readonly Form[] = [
  {
    name: "promise",
    read: (file, count) => file.read(count),
    readLine: (file) => file.readLine(),
    readInto: (file, buffer) => file.readInto(buffer),
    write: (file, data) => (isText(file) ? file.write(data) : file.write(bytes(data))),
    flush: (file) => file.flush(),
    close: (file) => file.close(),
  },
  {
    name: "Sync",
    read: async (file, count) => file.readSync(count),
    readLine: async (file) => file.readLineSync(),
    readInto: async (file, buffer) => file.readIntoSync(buffer),
    write: async (file, data) => (isText(file) ? file.writeSync(data) : file.writeSync(bytes(data))),
    flush: async (file) => file.flushSync(),
    close: async (file) => file.closeSync(),
  },
];

function isText(file: AnyFile): file is SocketFile<string> {
  return !file.mode.endsWith("b");
}

/** A class of CPython's tests: how its two files are opened. */
interface Kind {
  readonly readMode: TextFileMode | BinaryFileMode;
  readonly writeMode: TextFileMode | BinaryFileMode;
  readonly bufferBytes?: number;
}

const kinds: Record<string, Kind> = {
  FileObjectClassTestCase: { readMode: "rb", writeMode: "wb" },
  UnbufferedFileObjectClassTestCase: { readMode: "rb", writeMode: "wb", bufferBytes: 0 },
  LineBufferedFileObjectClassTestCase: { readMode: "rb", writeMode: "wb", bufferBytes: 1 },
  SmallBufferedFileObjectClassTestCase: { readMode: "rb", writeMode: "wb", bufferBytes: 2 },
  UnicodeReadFileObjectClassTestCase: { readMode: "r", writeMode: "wb" },
  UnicodeWriteFileObjectClassTestCase: { readMode: "rb", writeMode: "w" },
  UnicodeReadWriteFileObjectClassTestCase: { readMode: "r", writeMode: "w" },
};

/** A connection with a file on each end: `conn` is read from through `readFile`, `peer` written to through `writeFile`. */
interface Setting {
  readonly form: Form;
  readonly kind: Kind;
  readonly conn: Socket;
  readonly peer: Socket;
  readonly readFile: AnyFile;
  readonly writeFile: AnyFile;
}

function open(conn: Socket, mode: TextFileMode | BinaryFileMode, { bufferBytes }: Kind): AnyFile {
  const options = bufferBytes === undefined ? {} : { bufferBytes };
  if (mode === "r" || mode === "w" || mode === "rw") return conn.makefile(mode, { ...options, newline: "" });
  return conn.makefile(mode, options);
}

async function withSetting(kind: Kind, form: Form, body: (setting: Setting) => Promise<void>): Promise<void> {
  using listener = createServerSync<Family>(["127.0.0.1", 0]);
  using peer: Socket = new Socket();
  peer.connectSync(listener.getsockname());
  const [accepted] = listener.acceptSync({ timeoutMs: waitMs });
  using conn: Socket = accepted;
  conn.timeoutMs = waitMs;
  peer.timeoutMs = waitMs;
  const readFile = open(conn, kind.readMode, kind);
  const writeFile = open(peer, kind.writeMode, kind);
  try {
    await body({ form, kind, conn, peer, readFile, writeFile });
  } finally {
    await form.close(readFile);
    await form.close(writeFile);
    assert.ok(readFile.closed);
    assert.ok(writeFile.closed);
  }
}

/** A port of one of CPython's methods for one of its classes; `note` says what is shown in another form. */
function port(
  className: string,
  method: string,
  body: (setting: Setting) => Promise<void>,
  note?: string,
): void {
  const id = `cpython: ${className}.${method}`;
  test(note === undefined ? id : `${id} – ${note}`, { timeout }, async () => {
    for (const form of forms) await withSetting(kinds[className] as Kind, form, body);
  });
}

/** The open file that a descriptor stands for, undefined when it is closed. */
function inode(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

async function send({ form, writeFile }: Setting, data = MSG): Promise<void> {
  await form.write(writeFile, data);
  await form.flush(writeFile);
}

/** Reads and compares, the type included: text files give strings, the others bytes. */
async function expectRead(setting: Setting, count: number | undefined, want: string): Promise<void> {
  const data = await setting.form.read(setting.readFile, count);
  assert.equal(typeof data === "string", setting.kind.readMode === "r");
  assert.equal(text(data), want);
}

/** As MSG is counted by the file: characters or bytes. */
function lengthOf(kind: Kind): number {
  return kind.readMode === "r" ? MSG.length : bytes(MSG).length;
}

const EBADF = { code: "EBADF" };

for (const className of Object.keys(kinds)) {
  port(className, "testReadAfterTimeout", async (setting) => {
    const { form, readFile, conn, writeFile } = setting;
    conn.timeoutMs = 30;
    await form.write(writeFile, MSG.slice(0, 3));
    await form.flush(writeFile);
    await expectRead(setting, 3, MSG.slice(0, 3));
    await assert.rejects(form.read(readFile, 1), DeadlineError);
    await form.write(writeFile, "too late");
    await form.flush(writeFile);
    await assert.rejects(
      form.read(readFile, 1),
      (error) =>
        error instanceof LocalProtocolError && /cannot read from timed out object/.test(error.message),
    );
  });

  port(className, "testSmallRead", async (setting) => {
    await send(setting);
    const count = lengthOf(setting.kind) - 3;
    const first = await setting.form.read(setting.readFile, count);
    const second = await setting.form.read(setting.readFile, 3);
    assert.equal(first?.length, count);
    assert.equal(joined([first, second]), MSG);
  });

  port(className, "testFullRead", async (setting) => {
    await setting.form.write(setting.writeFile, MSG);
    await setting.form.close(setting.writeFile);
    setting.peer.close();
    await expectRead(setting, undefined, MSG);
  });

  port(className, "testUnbufferedRead", async (setting) => {
    await send(setting);
    await setting.form.close(setting.writeFile);
    setting.peer.close();
    const parts: (string | Uint8Array)[] = [];
    for (;;) {
      const part = await setting.form.read(setting.readFile, 1);
      if (part === null || part.length === 0) break;
      assert.equal(part.length, 1);
      parts.push(part);
    }
    assert.equal(joined(parts), MSG);
  });

  port(className, "testReadline", async (setting) => {
    await send(setting);
    assert.equal(text(await setting.form.readLine(setting.readFile)), MSG);
  });

  port(className, "testCloseAfterMakefile", async (setting) => {
    await send(setting);
    await setting.form.close(setting.writeFile);
    setting.peer.close();
    setting.conn.close();
    await expectRead(setting, undefined, MSG);
  });

  port(className, "testMakefileAfterMakefileClose", async (setting) => {
    await send(setting);
    await setting.form.close(setting.readFile);
    assert.equal(text(setting.conn.recvSync(bytes(MSG).length)), MSG);
  });

  port(className, "testClosedAttr", async ({ readFile, writeFile }) => {
    assert.equal(readFile.closed, false);
    assert.equal(writeFile.closed, false);
  });

  port(className, "testAttributes", async ({ kind, conn, peer, readFile, writeFile }) => {
    assert.equal(readFile.mode, kind.readMode);
    assert.equal(readFile.name, conn.fileno());
    assert.equal(writeFile.mode, kind.writeMode);
    assert.equal(writeFile.name, peer.fileno());
    assert.deepEqual([readFile.readable, readFile.writable], [true, false]);
    assert.deepEqual([writeFile.readable, writeFile.writable], [false, true]);
  });

  port(className, "testRealClose", async ({ form, conn, readFile }) => {
    const fd = conn.fileno();
    const open = inode(fd);
    await form.close(readFile);
    assert.throws(() => readFile.fileno(), EBADF);
    assert.equal(readFile.name, -1);
    assert.equal(inode(fd), open);
    conn.close();
    assert.throws(() => conn.getsockname(), EBADF);
    assert.notEqual(inode(fd), open);
  });
}

const unbuffered = "UnbufferedFileObjectClassTestCase";

port(unbuffered, "testUnbufferedReadline", async (setting) => {
  const { form, conn, readFile } = setting;
  await send(setting, `A. ${MSG}`);
  await send(setting, `B. ${MSG}`);
  assert.equal(text(await form.readLine(readFile)), `A. ${MSG}`);
  const second = conn.makefile("rb", { bufferBytes: 0 });
  assert.equal(text(await form.readLine(second)), `B. ${MSG}`);
  await form.close(second);
});

port(
  unbuffered,
  "testMakefileClose",
  async (setting) => {
    const { form, conn, readFile } = setting;
    const fd = conn.fileno();
    const open = inode(fd);
    await send(setting);
    conn.close();
    assert.throws(() => conn.recvSync(1024), EBADF);
    assert.equal(inode(fd), open);
    assert.equal(text(await form.read(readFile, 1024)), MSG);
    await form.close(readFile);
    assert.notEqual(inode(fd), open);
    await assert.rejects(form.read(readFile, 1024), EBADF);
  },
  "a closed Socket is closed at once; it is the descriptor that lives on in the file",
);

port(
  unbuffered,
  "testMakefileCloseSocketDestroy",
  async ({ form, conn, readFile }) => {
    const fd = conn.fileno();
    const open = inode(fd);
    const other = conn.makefile("rb");
    await form.close(readFile);
    conn.close();
    assert.equal(inode(fd), open);
    await form.close(other);
    assert.notEqual(inode(fd), open);
  },
  "the users of the descriptor are counted, not the references to the socket",
);

port(unbuffered, "testSmallReadNonBlocking", async (setting) => {
  const { form, conn, peer } = setting;
  const readFile = setting.readFile as SocketFile<Uint8Array | null>;
  conn.setblocking(false);
  assert.equal(await form.readInto(readFile, new Uint8Array(10)), null);
  const count = lengthOf(setting.kind) - 3;
  assert.equal(await form.read(readFile, count), null);
  await send(setting);
  // Loopback delivers within the send; peeking waits for it where it does not.
  conn.recvSync(1, { flags: MSG_PEEK, timeoutMs: waitMs });
  const first = await form.read(readFile, count);
  assert.equal(first?.length, count);
  const rest = new Uint8Array(10);
  assert.equal(await form.readInto(readFile, rest), 3);
  assert.equal(joined([first, rest.subarray(0, 3)]), MSG);
  assert.equal(await form.readInto(readFile, new Uint8Array(16)), null);
  assert.equal(await form.read(readFile, 1), null);
  assert.equal(peer.closed, false);
});

port(unbuffered, "testWriteNonBlocking", async ({ form, peer, writeFile }) => {
  peer.setblocking(false);
  const big = "x".repeat(16 * 1024 * 1024);
  const first = await form.write(writeFile, big);
  assert.ok(first !== null && first > 0 && first < big.length);
  // The reader takes nothing, so that the kernel's buffers are full after a few more.
  let count: number | null = first;
  for (let writes = 0; writes < 50 && count !== null; writes += 1) count = await form.write(writeFile, big);
  assert.equal(count, null);
});
