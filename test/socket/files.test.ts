/** SocketFile, beyond what CPython's tests say of makefile: text, lines, limits, buffers, turns, deadlines and aborts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  BrokenError,
  DeadlineError,
  LimitError,
  LocalProtocolError,
  SocketError,
  WouldBlockError,
} from "../../src/core/errors.js";
import {
  type FileOptions,
  MSG_WAITALL,
  type Newline,
  Socket,
  type SocketFile,
  type TextFileMode,
  type TextFileOptions,
} from "../../src/socket/index.js";
import { bytes, rejectsWith, text, throwsWith, unixPair } from "./support.js";

const timeout = 10_000;

/** A file to read from, and the socket that feeds it. */
function reading(options: TextFileOptions = {}): [file: SocketFile<string>, peer: Socket] {
  const [left, right] = unixPair();
  const file = left.makefile("r", options);
  left.close();
  return [file, right as unknown as Socket];
}

function readingBytes(options: FileOptions = {}): [file: SocketFile<Uint8Array>, peer: Socket] {
  const [left, right] = unixPair();
  const file = left.makefile("rb", options);
  left.close();
  return [file, right as unknown as Socket];
}

function writing(options: TextFileOptions = {}): [file: SocketFile<string>, peer: Socket] {
  const [left, right] = unixPair();
  const file = left.makefile("w", options);
  left.close();
  return [file, right as unknown as Socket];
}

/** What `options` make of bytes that arrive in the given pieces, by the line. */
async function linesOf(pieces: readonly Uint8Array[], options: TextFileOptions): Promise<string[]> {
  const [file, peer] = reading(options);
  await using _ = file;
  using _peer = peer;
  const lines: string[] = [];
  const read = (async () => {
    for await (const line of file) lines.push(line);
  })();
  for (const piece of pieces) {
    peer.sendallSync(piece);
    // The reader sees each piece by itself.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  }
  peer.close();
  await read;
  return lines;
}

describe("lines of text", { timeout }, () => {
  const wire = "one\r\ntwo\rthree\n\n\r\r\nlast";
  const table: readonly (readonly [newline: Newline, lines: readonly string[]])[] = [
    [null, ["one\n", "two\n", "three\n", "\n", "\n", "\n", "last"]],
    ["", ["one\r\n", "two\r", "three\n", "\n", "\r", "\r\n", "last"]],
    ["\n", ["one\r\n", "two\rthree\n", "\n", "\r\r\n", "last"]],
    ["\r", ["one\r", "\ntwo\r", "three\n\n\r", "\r", "\nlast"]],
    ["\r\n", ["one\r\n", "two\rthree\n\n\r\r\n", "last"]],
  ];
  for (const [newline, want] of table) {
    test(`newline ${JSON.stringify(newline)}, cut at every offset`, async () => {
      const whole = bytes(wire);
      for (let cut = 0; cut <= whole.length; cut += 1) {
        const lines = await linesOf([whole.subarray(0, cut), whole.subarray(cut)], { newline });
        assert.deepEqual(lines, want, `cut at ${cut}`);
      }
      const single = Array.from(whole, (byte) => Uint8Array.of(byte));
      assert.deepEqual(await linesOf(single, { newline }), want, "byte by byte");
      assert.deepEqual(await linesOf([whole], { newline, bufferBytes: 3 }), want, "a small buffer");
    });
  }

  test("a CR at the end of file ends its line", async () => {
    for (const newline of [null, "", "\r"] as const) {
      assert.deepEqual(await linesOf([bytes("a\r")], { newline }), [newline === null ? "a\n" : "a\r"]);
    }
    assert.deepEqual(await linesOf([bytes("a\r")], { newline: "\r\n" }), ["a\r"]);
  });

  test("linesSync gives the same lines", () => {
    const [file, peer] = reading();
    peer.sendallSync(bytes(wire));
    peer.close();
    assert.deepEqual([...file.linesSync()], table[0]?.[1]);
    file.closeSync();
  });

  test("written LF becomes the newline that was chosen", async () => {
    for (const [newline, want] of [
      [null, "a\nb\r\n"],
      ["", "a\nb\r\n"],
      ["\n", "a\nb\r\n"],
      ["\r", "a\rb\r\r"],
      ["\r\n", "a\r\nb\r\r\n"],
    ] as const) {
      const [file, peer] = writing({ newline });
      assert.equal(await file.write("a\nb\r\n"), 5);
      await file.close();
      assert.equal(text(peer.recvSync(100)), want);
      peer.close();
    }
  });
});

describe("encodings", { timeout }, () => {
  const euro = "é€😀";

  test("a character cut in two arrives whole", async () => {
    assert.deepEqual(
      await linesOf(
        Array.from(bytes(euro), (byte) => Uint8Array.of(byte)),
        {},
      ),
      [euro],
    );
  });

  test("utf-16le is read", async () => {
    assert.deepEqual(await linesOf([Buffer.from(`${euro}\nb`, "utf16le")], { encoding: "utf-16le" }), [
      `${euro}\n`,
      "b",
    ]);
  });

  test("latin1 is all 256 bytes as they are, both ways", async () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    const [left, right] = unixPair();
    await using file = left.makefile("rw", { encoding: "latin1", newline: "\n" });
    right.sendallSync(all);
    const read = await file.readExactly(256);
    assert.deepEqual(Buffer.from(read, "latin1"), Buffer.from(all));
    await file.write(read);
    await file.flush();
    assert.deepEqual(right.recvSync(300), all);
    left.close();
    right.close();
  });

  test("what cannot be decoded becomes U+FFFD, also at the end of file", async () => {
    assert.deepEqual(await linesOf([Uint8Array.of(0xff, 0x0a, 0xe2, 0x82)], {}), ["\ufffd\n", "\ufffd"]);
  });

  test("a byte order mark is kept", async () => {
    assert.deepEqual(await linesOf([Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)], {}), ["\ufeffa"]);
  });

  test("read(count) never gives half a character", async () => {
    const [file, peer] = reading();
    peer.sendallSync(bytes("a😀b"));
    peer.close();
    assert.equal(await file.read(2), "a😀");
    assert.equal(await file.read(2), "b");
    await file.close();
  });

  test("what an encoding lacks is refused, and nothing is written", async () => {
    const [file, peer] = writing({ encoding: "latin1" });
    await rejectsWith(file.write("10 €"), LocalProtocolError);
    await file.close();
    assert.equal(peer.recvSync(10).length, 0);
    peer.close();
    const [utf8, other] = writing();
    await rejectsWith(utf8.write("\ud800"), LocalProtocolError);
    await rejectsWith(utf8.write(bytes("bytes") as unknown as string), LocalProtocolError);
    await utf8.close();
    other.close();
  });

  test("unknown encodings are refused, and those that can only be read where they are to be written", () => {
    const [left, right] = unixPair();
    throwsWith(() => left.makefile("r", { encoding: "klingon" }), LocalProtocolError);
    throwsWith(() => left.makefile("w", { encoding: "utf-16le" }), LocalProtocolError);
    throwsWith(() => left.makefile("r", { newline: "\n\n" as Newline }), LocalProtocolError);
    left.makefile("r", { encoding: "shift_jis" }).closeSync();
    left.close();
    right.close();
  });
});

describe("how much is read", { timeout }, () => {
  test("readLine(maxLength) gives the rest of the line next", async () => {
    const [file, peer] = readingBytes();
    peer.sendallSync(bytes("abcdef\ng"));
    peer.close();
    const read: string[] = [];
    for (const maxLength of [4, 0, 3, 9, 9]) read.push(text(await file.readLine(maxLength)));
    assert.deepEqual(read, ["abcd", "", "ef\n", "g", ""]);
    await file.close();
  });

  test("a line beyond 1 MiB is a LimitError, unless a length is given", async () => {
    const [file, peer] = readingBytes();
    const sent = peer.sendall(new Uint8Array(1024 * 1024 + 1).fill(97));
    const error = await rejectsWith(file.readLine(), LimitError, "HAWSER_LIMIT");
    assert.equal(error.max, 1024 * 1024);
    await rejectsWith(file.readLine(), LimitError);
    assert.equal((await file.readLine(2 * 1024 * 1024 - (1024 * 1024 - 1))).length, 1024 * 1024 + 1);
    await sent;
    peer.close();
    await file.close();
  });

  test("a line of exactly 1 MiB is given", async () => {
    const [file, peer] = reading();
    const line = `${"x".repeat(1024 * 1024 - 1)}\n`;
    const sent = peer.sendall(bytes(`${line}next`)).then(() => peer.close());
    assert.equal(await file.readLine(), line);
    await sent;
    assert.equal(await file.readLine(), "next");
    await file.close();
  });

  test("readExactly is exact, or a BrokenError that takes nothing", async () => {
    const [file, peer] = readingBytes();
    peer.sendallSync(bytes("abcde"));
    assert.equal(text(await file.readExactly(3)), "abc");
    assert.equal((await file.readExactly(0)).length, 0);
    peer.close();
    await rejectsWith(file.readExactly(3), BrokenError, "HAWSER_BROKEN");
    throwsWith(() => file.readExactlySync(3), BrokenError);
    assert.equal(text(await file.read()), "de");
    await file.close();
  });

  test("readInto fills the buffer, but for the end of file", async () => {
    const [file, peer] = readingBytes({ bufferBytes: 4 });
    peer.sendallSync(bytes("abcdefgh"));
    peer.close();
    const buffer = new Uint8Array(6);
    assert.equal(await file.readInto(buffer), 6);
    assert.equal(text(buffer), "abcdef");
    assert.equal(file.readIntoSync(buffer), 2);
    assert.equal(text(buffer.subarray(0, 2)), "gh");
    assert.equal(await file.readInto(buffer), 0);
    await rejectsWith(file.readInto("abc" as unknown as Uint8Array), LocalProtocolError);
    await file.close();
  });

  test("readInto is for files of bytes", async () => {
    const [file, peer] = reading();
    await rejectsWith(file.readInto(new Uint8Array(1) as never), LocalProtocolError);
    await file.close();
    peer.close();
  });

  test("counts that are none are refused", async () => {
    const [file, peer] = readingBytes();
    for (const count of [-1, 1.5, Number.NaN, "1" as unknown as number]) {
      await rejectsWith(file.read(count), LocalProtocolError);
      await rejectsWith(file.readLine(count), LocalProtocolError);
      await rejectsWith(file.readExactly(count), LocalProtocolError);
      throwsWith(() => file.readSync(count), LocalProtocolError);
    }
    await file.close();
    peer.close();
  });

  test("unbuffered, nothing beyond what a call returns leaves the socket", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("rb", { bufferBytes: 0 });
    right.sendallSync(bytes("one\ntwo\nthree"));
    assert.equal(text((await file.readLine()) as Uint8Array), "one\n");
    assert.equal(text((await file.readExactly(2)) as Uint8Array), "tw");
    assert.equal(text((await file.read(2)) as Uint8Array), "o\n");
    assert.equal(text(left.recvSync(100)), "three");
    await file.close();
    left.close();
    right.close();
  });

  test("ten thousand lines, and bytes that are read in between", async () => {
    const [left, right] = unixPair();
    await using file = left.makefile("rb");
    const lines = Array.from({ length: 10_000 }, (_, index) => `line ${index} ${"x".repeat(index % 50)}\n`);
    const sent = right.sendall(bytes(lines.join("")));
    for (const [index, line] of lines.entries()) {
      const read = index % 3 === 0 ? await file.readExactly(line.length) : await file.readLine();
      assert.equal(text(read), line);
    }
    await sent;
    left.close();
    right.close();
  });
});

describe("writing", { timeout }, () => {
  const nothing = { timeoutMs: 0 };

  test("what is written waits in the buffer for flush, a full buffer or close", async () => {
    const [file, peer] = writing({ bufferBytes: 10 });
    assert.equal(await file.write("12345"), 5);
    throwsWith(() => peer.recvSync(100, nothing), WouldBlockError);
    await file.flush();
    assert.equal(text(peer.recvSync(100)), "12345");
    await file.write("abcdef");
    // The buffer is emptied before what does not fit any more.
    assert.equal(file.writeSync("ghijk"), 5);
    assert.equal(text(peer.recvSync(100)), "abcdef");
    await file.write("lmnop");
    assert.equal(text(peer.recvSync(100)), "ghijklmnop");
    await file.write("q");
    await file.close();
    assert.equal(text(peer.recvSync(100)), "q");
    assert.equal(peer.recvSync(100).length, 0);
    peer.close();
  });

  test("line-buffered, a line end sends", async () => {
    const [file, peer] = writing({ bufferBytes: 1 });
    await file.write("one ");
    throwsWith(() => peer.recvSync(100, nothing), WouldBlockError);
    await file.write("line\nand");
    assert.equal(text(peer.recvSync(100)), "one line\nand");
    file.closeSync();
    peer.close();
  });

  test("write counts what it was given: UTF-16 units or bytes", async () => {
    const [file, peer] = writing();
    assert.equal(await file.write("é€😀\n"), 5);
    file.closeSync();
    assert.equal(text(peer.recvSync(100)), "é€😀\n");
    peer.close();
  });

  test("the buffer may be used again when a write has ended", async () => {
    const [left, right] = unixPair();
    await using file = left.makefile("wb");
    const buffer = bytes("first");
    await file.write(buffer);
    buffer.set(bytes("later"));
    await file.flush();
    assert.equal(text(right.recvSync(100)), "first");
    left.close();
    right.close();
  });

  test("writes that are not awaited keep their order, and close waits for them", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("wb", { bufferBytes: 100 });
    left.close();
    const parts = Array.from({ length: 200 }, (_, index) => new Uint8Array(5000).fill(index));
    const writes = parts.map((part) => file.write(part));
    const closed = file.close();
    const whole = await right.recv(parts.length * 5000, MSG_WAITALL);
    assert.equal((await right.recv(1)).length, 0);
    await closed;
    assert.deepEqual(
      await Promise.all(writes),
      parts.map(() => 5000),
    );
    assert.deepEqual(Buffer.from(whole), Buffer.concat(parts));
    right.close();
  });

  test("a write that ran out of time is kept, and flush goes on with it", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("wb");
    left.close();
    const large = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);
    const given = large.slice();
    const error = await rejectsWith(file.write(given, { timeoutMs: 20 }), DeadlineError);
    assert.deepEqual([error.what, error.limitMs], ["write", 20]);
    given.fill(0);
    throwsWith(() => file.flushSync({ timeoutMs: 20 }), DeadlineError);
    const read = right.recv(large.length, MSG_WAITALL);
    await file.flush();
    assert.deepEqual(Buffer.from(await read), Buffer.from(large));
    await file.close();
    right.close();
  });

  test("an aborted write is kept too", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("wb");
    const stop = new AbortController();
    const write = file.write(new Uint8Array(3_000_000), { signal: stop.signal });
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(write, reason);
    const read = right.recv(3_000_000, MSG_WAITALL);
    await file.close();
    assert.equal((await read).length, 3_000_000);
    left.close();
    right.close();
  });

  test("never waiting, a write is taken whole or refused whole", async () => {
    const [left, right] = unixPair();
    left.timeoutMs = 0;
    const file = left.makefile("wb");
    let written = 0;
    const refused = await (async () => {
      for (;;) {
        try {
          written += await file.write(new Uint8Array(100_000).fill(written / 100_000));
        } catch (error) {
          return error;
        }
      }
    })();
    assert.ok(refused instanceof WouldBlockError, `${refused}`);
    throwsWith(() => file.flushSync(), WouldBlockError);
    left.timeoutMs = null;
    const read = right.recv(written, MSG_WAITALL);
    await file.flush();
    const whole = await read;
    for (let at = 0; at < written; at += 100_000) assert.equal(whole[at], (at / 100_000) & 255);
    throwsWith(() => right.recvSync(1, nothing), WouldBlockError);
    await file.close();
    left.close();
    right.close();
  });

  test("close rejects when the rest cannot be sent, and closes all the same", async () => {
    const [file, peer] = writing();
    await file.write("lost");
    peer.close();
    await rejectsWith(file.close(), SocketError, "EPIPE");
    assert.equal(file.closed, true);
    assert.equal(file.name, -1);
    await file.close();
  });
});

describe("turns, deadlines and aborts", { timeout }, () => {
  test("reads that are not awaited are served in their order", async () => {
    const [file, peer] = reading();
    const reads = [file.read(2), file.readLine(), file.readExactly(1)];
    peer.sendallSync(bytes("abc"));
    peer.sendallSync(bytes("d\ne"));
    assert.deepEqual(await Promise.all(reads), ["ab", "cd\n", "e"]);
    await file.close();
    peer.close();
  });

  test("a Sync call while a promise is pending is refused", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("rw");
    const pending = file.readLine();
    throwsWith(() => file.readLineSync(), LocalProtocolError);
    const write = file.write("x");
    throwsWith(() => file.writeSync("y"), LocalProtocolError);
    throwsWith(() => file.flushSync(), LocalProtocolError);
    throwsWith(() => file.closeSync(), LocalProtocolError);
    assert.equal(file.closed, false);
    right.sendallSync(bytes("line\n"));
    assert.equal(await pending, "line\n");
    assert.equal(await write, 1);
    file.flushSync();
    await file.close();
    left.close();
    right.close();
  });

  test("the deadline is for all the steps of a call", async () => {
    const [file, peer] = reading();
    const stop = setInterval(() => peer.sendallSync(bytes(".")), 10);
    const error = await rejectsWith(file.readLine(undefined, { timeoutMs: 100 }), DeadlineError);
    clearInterval(stop);
    assert.deepEqual([error.what, error.limitMs], ["readLine", 100]);
    const refused = await rejectsWith(file.read(1), LocalProtocolError);
    assert.match(refused.message, /cannot read from timed out object/);
    await file.close();
    peer.close();
  });

  test("an abort loses nothing, and reading goes on", async () => {
    const [file, peer] = reading();
    peer.sendallSync(bytes("half a "));
    const stop = new AbortController();
    const read = file.readLine(undefined, { signal: stop.signal });
    await new Promise(setImmediate);
    stop.abort(new Error("later"));
    await assert.rejects(read, /later/);
    peer.sendallSync(bytes("line\n"));
    assert.equal(await file.readLine(), "half a line\n");
    await assert.rejects(file.read(1, { signal: stop.signal }), /later/);
    throwsWith(() => file.readSync(1, { signal: stop.signal }), Error);
    await file.close();
    peer.close();
  });

  test("never waiting, a buffered read is a WouldBlockError that takes nothing", async () => {
    const [left, right] = unixPair();
    left.timeoutMs = 0;
    const file = left.makefile("rb");
    right.sendallSync(bytes("abc"));
    await rejectsWith(file.read(5), WouldBlockError, "EAGAIN");
    throwsWith(() => file.readLineSync(), WouldBlockError);
    right.sendallSync(bytes("de"));
    assert.equal(text(await file.read(5)), "abcde");
    await file.close();
    left.close();
    right.close();
  });

  test("never waiting, an unbuffered readLine is null until the line is whole; read() is what is there", async () => {
    const [left, right] = unixPair();
    left.timeoutMs = 0;
    const file = left.makefile("rwb", { bufferBytes: 0 });
    right.sendallSync(bytes("ab"));
    assert.equal(await file.readLine(), null);
    right.sendallSync(bytes("c\nrest"));
    assert.equal(text((await file.readLine()) as Uint8Array), "abc\n");
    assert.equal(text((await file.read()) as Uint8Array), "rest");
    assert.equal(await file.read(), null);
    assert.equal(file.readSync(), null);
    await file.close();
    left.close();
    right.close();
  });

  test("close of the socket rejects its own pending calls, and leaves those of its files alone", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("r");
    const pending = left.recv(10);
    const line = file.readLine();
    await new Promise(setImmediate);
    left.close();
    await rejectsWith(pending, SocketError, "EBADF");
    right.sendallSync(bytes("for the file\n"));
    assert.equal(await line, "for the file\n");
    await file.close();
    right.close();
  });

  test("close rejects the pending read, and leaves the socket and its other files alone", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("r");
    const other = left.makefile("r");
    const { signal } = new AbortController();
    const reads = [file.readLine(undefined, { signal }), file.read(1)];
    await new Promise(setImmediate);
    await file.close();
    for (const read of reads) await rejectsWith(read, SocketError, "EBADF");
    right.sendallSync(bytes("for the other\n"));
    assert.equal(await other.readLine(), "for the other\n");
    right.sendallSync(bytes("!"));
    assert.equal(text(await left.recv(10)), "!");
    await other.close();
    left.close();
    right.close();
  });
});

describe("modes and ends", { timeout }, () => {
  test("invalid modes are refused", () => {
    const [left, right] = unixPair();
    for (const mode of ["rt", "x", "+", "a", "", "b", "rr", "br", "r ", 1, null]) {
      const error = throwsWith(() => left.makefile(mode as TextFileMode), LocalProtocolError);
      assert.match(error.message, /invalid mode/);
    }
    for (const bufferBytes of [-1, 0.5, Number.NaN, "1" as unknown as number]) {
      throwsWith(() => left.makefile("rb", { bufferBytes }), LocalProtocolError);
    }
    throwsWith(() => left.makefile("r", { bufferBytes: 0 }), LocalProtocolError);
    left.close();
    throwsWith(() => left.makefile("r"), SocketError, "EBADF");
    // None of the refused files kept the descriptor open.
    assert.equal(right.recvSync(1).length, 0);
    right.close();
  });

  test("a file reads and writes as its mode says", async () => {
    const [left, right] = unixPair();
    const [reader, writer, both] = [left.makefile("r"), left.makefile("w"), left.makefile("rw")];
    await rejectsWith(reader.write("x"), LocalProtocolError);
    await rejectsWith(reader.flush(), LocalProtocolError);
    throwsWith(() => reader.writeSync("x"), LocalProtocolError);
    await rejectsWith(writer.read(1), LocalProtocolError);
    throwsWith(() => writer.readLineSync(), LocalProtocolError);
    assert.deepEqual([both.readable, both.writable, both.mode], [true, true, "rw"]);
    await both.write("ping\n");
    await both.flush();
    assert.equal(text(right.recvSync(10)), "ping\n");
    for (const file of [reader, writer, both]) await file.close();
    left.close();
    right.close();
  });

  test("a closed file says EBADF", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("rw");
    await file.close();
    assert.deepEqual([file.readable, file.writable, file.closed], [false, false, true]);
    for (const call of [
      () => file.read(1),
      () => file.readLine(),
      () => file.write("x"),
      () => file.flush(),
    ]) {
      await rejectsWith(call(), SocketError, "EBADF");
    }
    for (const call of [
      () => file.readSync(1),
      () => file.writeSync("x"),
      () => file.flushSync(),
      () => file.fileno(),
    ]) {
      throwsWith(call, SocketError, "EBADF");
    }
    file.closeSync();
    left.close();
    right.close();
  });

  test("using closes: what is buffered is sent", async () => {
    const [left, right] = unixPair();
    {
      using file = left.makefile("w");
      file.writeSync("sync ");
    }
    {
      await using file = left.makefile("w");
      await file.write("async");
    }
    left.close();
    assert.equal(text(await right.recv(10, MSG_WAITALL)), "sync async");
    assert.equal((await right.recv(1)).length, 0);
    right.close();
  });

  test("detach takes the descriptor from the files as well", async () => {
    const [left, right] = unixPair();
    const file = left.makefile("r");
    const fd = left.detach();
    await rejectsWith(file.read(1), SocketError, "EBADF");
    await file.close();
    using again = Socket.fromFd(fd);
    right.sendallSync(bytes("still open"));
    assert.equal(text(again.recvSync(100)), "still open");
    right.close();
  });
});
