/** Web streams over sockets, and sockets as async iterables. */
import assert from "node:assert/strict";
import type { ReadableWritablePair } from "node:stream/web";
import { describe, test } from "node:test";
import { LocalProtocolError, RefusedError, ResetError, SocketError } from "../../src/core/errors.js";
import {
  AF_INET,
  createServer,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  SHUT_WR,
  SOCK_DGRAM,
  Socket,
} from "../../src/socket/index.js";
import {
  bytes,
  deadlineMs,
  limited,
  rejectsWith,
  tcpPair,
  text,
  throwsWith,
  udpPair,
  unixPair,
} from "./support.js";

const timeout = 10_000;
const readBytes = 65_536;
const peek = MSG_PEEK | MSG_DONTWAIT;

/** A promise that is pending after the event loop has turned a few times. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  return !settled;
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

describe("readable", { timeout }, () => {
  test("gives what arrives, and closes at the end of file", async () => {
    const [left, right] = unixPair();
    await right.sendall(bytes("hello "));
    const read = collect(left.readable);
    await right.sendall(bytes("world"));
    right.shutdown(SHUT_WR);
    assert.equal(await read, "hello world");
    // The other direction is open still.
    await left.sendall(bytes("thanks"));
    assert.equal(text(await right.recv(10)), "thanks");
    left.close();
    right.close();
  });

  test("takes nothing from the kernel before it is asked, and no more than one chunk then", async () => {
    const [left, right] = unixPair();
    await right.sendall(new Uint8Array(readBytes).fill(1));
    await right.sendall(new Uint8Array(1000).fill(2));
    const { readable } = left;
    await new Promise(setImmediate);
    assert.equal(left.recvSync(1, peek)[0], 1);
    const reader = readable.getReader();
    let taken = 0;
    while (taken < readBytes) taken += (await reader.read()).value?.length ?? assert.fail("ended");
    await new Promise(setImmediate);
    assert.equal(taken, readBytes);
    assert.equal(left.recvSync(2000, peek).length, 1000);
    left.close();
    right.close();
  });

  test("holds the sender back when nobody reads", async () => {
    const [left, right] = unixPair();
    const { readable } = left;
    const sent = right.sendall(new Uint8Array(4_000_000));
    assert.ok(await isPending(sent));
    right.unref();
    const read = collect(readable);
    await sent;
    right.close();
    assert.equal((await read).length, 4_000_000);
    left.close();
  });

  test("is one stream, however often it is asked for", () => {
    const [left, right] = unixPair();
    assert.equal(left.readable, left.readable);
    assert.equal(left.writable, left.writable);
    left.close();
    right.close();
  });

  test("fails as recv does", async () => {
    const [client, server] = await tcpPair();
    server.lingerSeconds = 0;
    const read = client.readable.getReader().read();
    assert.ok(await isPending(read));
    server.close();
    await rejectsWith(read, ResetError, "ECONNRESET");
    client.close();
  });

  test("cancel closes the socket, a read that waits included", async () => {
    const [left, right] = unixPair();
    const reader = left.readable.getReader();
    const read = reader.read();
    assert.ok(await isPending(read));
    await reader.cancel(new Error("no more"));
    assert.deepEqual(await read, { done: true, value: undefined });
    assert.equal(left.closed, true);
    assert.equal((await right.recv(1)).length, 0);
    right.close();
  });

  test("cancel takes nothing from a file that goes on", async () => {
    const [left, right] = unixPair();
    await using file = left.makefile("rb");
    const reader = left.readable.getReader();
    const read = reader.read();
    assert.ok(await isPending(read));
    await reader.cancel();
    await read;
    await right.sendall(bytes("for the file"));
    assert.equal(text(await file.readExactly(12)), "for the file");
    right.close();
  });

  test("leaving a loop over it closes the socket", async () => {
    const [left, right] = unixPair();
    await right.sendall(bytes("x"));
    for await (const chunk of left.readable) {
      assert.equal(text(chunk), "x");
      break;
    }
    assert.equal(left.closed, true);
    right.close();
  });

  test("close() of the socket fails the read that waits", async () => {
    const [left, right] = unixPair();
    const read = left.readable.getReader().read();
    assert.ok(await isPending(read));
    left.close();
    await rejectsWith(read, SocketError, "EBADF");
    right.close();
  });

  test("goes through the platform's own streams", async () => {
    const [left, right] = unixPair();
    const sent = right.sendall(bytes("grüße")).then(() => right.close());
    let decoded = "";
    const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>;
    for await (const part of left.readable.pipeThrough(decoder)) decoded += part;
    await sent;
    assert.equal(decoded, "grüße");
    left.close();
  });
});

describe("writable", { timeout }, () => {
  test("sends chunks in order; close half-closes", async () => {
    const [left, right] = unixPair();
    const writer = left.writable.getWriter();
    const writes = ["a", "b", "c"].map((part) => writer.write(bytes(part)));
    await Promise.all(writes);
    await writer.close();
    assert.equal(await collect(right.readable), "abc");
    await right.sendall(bytes("heard"));
    assert.equal(text(await left.recv(10)), "heard");
    left.close();
    right.close();
  });

  test("is not ready while the peer does not read", async () => {
    const [left, right] = unixPair();
    const writer = left.writable.getWriter();
    assert.equal(writer.desiredSize, 1);
    const write = writer.write(new Uint8Array(4_000_000));
    assert.equal(writer.desiredSize, 0);
    assert.ok(await isPending(write));
    assert.ok(await isPending(writer.ready));
    const read = right.recv(4_000_000, MSG_WAITALL);
    await write;
    await writer.ready;
    assert.equal(writer.desiredSize, 1);
    assert.equal((await read).length, 4_000_000);
    left.close();
    right.close();
  });

  test("abort ends the write that waits, and closes the socket", async () => {
    const [left, right] = unixPair();
    const writer = left.writable.getWriter();
    const write = writer.write(new Uint8Array(4_000_000));
    assert.ok(await isPending(write));
    const reason = new Error("no more");
    const aborted = writer.abort(reason);
    await assert.rejects(write, reason);
    await aborted;
    assert.equal(left.closed, true);
    await rejectsWith(writer.write(bytes("x")), Error);
    right.close();
  });

  test("fails when the peer is gone", async () => {
    const [left, right] = unixPair();
    right.close();
    const writer = left.writable.getWriter();
    await rejectsWith(writer.write(bytes("x")), ResetError, "EPIPE");
    await rejectsWith(writer.closed, ResetError, "EPIPE");
    left.close();
  });

  test("takes bytes alone", async () => {
    const [left, right] = unixPair();
    const writer = left.writable.getWriter();
    writer.closed.catch(() => {});
    await rejectsWith(writer.write("text" as unknown as Uint8Array), LocalProtocolError);
    left.close();
    right.close();
  });

  test("an echo of 8 MB is readable piped to writable", async () => {
    const [client, server] = await tcpPair();
    const echo = server.readable.pipeTo(server.writable);
    const data = Uint8Array.from({ length: 8_000_000 }, (_, index) => index % 253);
    const sent = client.sendall(data).then(() => client.shutdown(SHUT_WR));
    const back = await client.recv(data.length, MSG_WAITALL);
    assert.equal((await client.recv(1)).length, 0);
    await Promise.all([sent, echo]);
    assert.equal(Buffer.compare(back, data), 0);
    // The pipe has half-closed the server; it is the program's to close.
    assert.equal(server.closed, false);
    client.close();
    server.close();
  });
});

describe("a listener as an async iterable", { timeout }, () => {
  test("gives connections with their addresses, until it is closed", async () => {
    const listener = await createServer(["127.0.0.1", 0]);
    const clients = [new Socket(AF_INET), new Socket(AF_INET), new Socket(AF_INET)];
    const served = (async () => {
      const peers: [string, number][] = [];
      for await (const [conn, address] of listener) {
        assert.deepEqual(conn.getpeername(), address);
        await conn.sendall(bytes(`${peers.length}`));
        conn.close();
        peers.push(address);
      }
      return peers;
    })();
    const seen: string[] = [];
    for (const client of clients) {
      limited(client);
      await client.connect(listener.getsockname());
      seen.push(text(await client.recv(10)));
    }
    assert.deepEqual(seen, ["0", "1", "2"]);
    const names = clients.map((client) => client.getsockname());
    listener.close();
    assert.deepEqual(await served, names);
    for (const client of clients) client.close();
  });

  test("leaving the loop leaves the listener open", async () => {
    using listener = await createServer(["127.0.0.1", 0]);
    using client = limited(new Socket(AF_INET));
    using other = limited(new Socket(AF_INET));
    await client.connect(listener.getsockname());
    for await (const [conn] of listener) {
      conn.close();
      break;
    }
    await other.connect(listener.getsockname());
    const [conn] = await listener.accept({ timeoutMs: deadlineMs });
    conn.close();
  });

  test("a closed listener gives none, and a socket that does not listen fails", async () => {
    const listener = await createServer(["127.0.0.1", 0]);
    listener.close();
    for await (const _ of listener) assert.fail("a connection");
    using socket = new Socket(AF_INET);
    await rejectsWith(socket[Symbol.asyncIterator]().next(), SocketError, "EINVAL");
  });
});

describe("datagrams", { timeout }, () => {
  test("gives each datagram with its sender, until the socket is closed", async () => {
    const [sender, receiver] = udpPair();
    const received = (async () => {
      const seen: string[] = [];
      for await (const [data, address] of receiver.datagrams(5)) {
        assert.deepEqual(address, sender.getsockname());
        seen.push(text(data));
        await receiver.sendto(bytes("next"), address);
      }
      return seen;
    })();
    for (const datagram of ["one", "", "too long"]) {
      await sender.sendto(bytes(datagram), receiver.getsockname());
      assert.equal(text(await sender.recv(10)), "next");
    }
    receiver.close();
    assert.deepEqual(await received, ["one", "", "too l"]);
    sender.close();
  });

  test("fails as recvfrom does", async () => {
    const [gone, socket] = udpPair();
    await socket.connect(gone.getsockname());
    gone.close();
    await socket.send(bytes("x"));
    await rejectsWith(socket.datagrams().next(), RefusedError, "ECONNREFUSED");
    socket.close();
  });

  test("a length that is none is refused", async () => {
    using socket = new Socket(AF_INET, SOCK_DGRAM);
    await rejectsWith(socket.datagrams(-1).next(), LocalProtocolError);
  });
});

test("streams over a closed socket fail with EBADF", async () => {
  const [left, right] = unixPair();
  left.close();
  right.close();
  await rejectsWith(left.readable.getReader().read(), SocketError, "EBADF");
  const writer = left.writable.getWriter();
  writer.closed.catch(() => {});
  await rejectsWith(writer.write(bytes("x")), SocketError, "EBADF");
  throwsWith(() => left.recvSync(1), SocketError, "EBADF");
});
