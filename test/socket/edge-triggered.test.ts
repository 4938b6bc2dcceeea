/** The traps of an edge-triggered reactor: every one of them ends, where it is not heeded, in a call that waits for ever. */
import assert from "node:assert/strict";
import { closeSync } from "node:fs";
import { test } from "node:test";
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_OOB,
  MSG_PEEK,
  MSG_WAITALL,
  SHUT_WR,
  SO_OOBINLINE,
  SO_PASSCRED,
  SOL_SOCKET,
  type Socket,
  sendFds,
  socketPair,
} from "../../src/socket/index.js";
import { codeOf, fill, isPending, rejection, tcpPair, turn, until, within } from "./robust.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const limit = { timeoutMs: 5000 };

/** A pair whose first end the reactor watches already. */
async function watchedPair(): Promise<[Socket, Socket]> {
  const [a, b] = tcpPair();
  const first = a.recv(10, limit);
  assert.ok(await isPending(first));
  b.sendallSync(bytes("first"));
  assert.equal(text(await first), "first");
  return [a, b];
}

/** Waits in poll(2), so that data are there without the event loop having turned. */
function untilThere(s: Socket, count: number): void {
  const all = { timeoutMs: 5000, flags: MSG_PEEK | MSG_WAITALL };
  assert.equal(s.recvSync(count, all).length, count);
}

test("a short read and the end of file that came with it", async () => {
  for (const maxBytes of [3, 5, 6, 100]) {
    const [a, b] = await watchedPair();
    b.sendallSync(bytes("hello"));
    b.shutdown(SHUT_WR);
    untilThere(a, 5);
    let got = "";
    for (let data = await a.recv(maxBytes, limit); data.length > 0; data = await a.recv(maxBytes, limit)) {
      got += text(data);
    }
    assert.equal(got, "hello");
    a.close();
    b.close();
  }
});

test("an end of file that follows a short read", async () => {
  const [a, b] = await watchedPair();
  b.sendallSync(bytes("hello"));
  assert.equal(text(await a.recv(100, limit)), "hello");
  const end = a.recv(100, limit);
  assert.ok(await isPending(end));
  b.close();
  assert.equal((await end).length, 0);
  a.close();
});

test("recv after the peer's end of file keeps answering with it", async () => {
  const [a, b] = await watchedPair();
  b.shutdown(SHUT_WR);
  for (let count = 0; count < 100; count += 1) assert.equal((await a.recv(10, limit)).length, 0);
  a.sendallSync(bytes("still open"));
  assert.equal(text(await b.recv(100, limit)), "still open");
  a.close();
  b.close();
});

test("an urgent byte splits the stream, and no part of it is lost", async () => {
  const [a, b] = await watchedPair();
  b.sendallSync(bytes("abc"));
  b.sendSync(bytes("X"), MSG_OOB);
  b.sendallSync(bytes("def"));
  const urgent = a.recv(1, { ...limit, flags: MSG_OOB });
  let got = "";
  while (got.length < 6) got += text(await a.recv(100, limit));
  assert.equal(got, "abcdef");
  assert.equal(text(await urgent), "X");
  a.close();
  b.close();
});

test("an urgent byte that was read before the event loop turned still splits the stream", async () => {
  const [a, b] = await watchedPair();
  b.sendallSync(bytes("abc"));
  b.sendSync(bytes("X"), MSG_OOB);
  b.sendallSync(bytes("def"));
  untilThere(a, 3);
  await until(() => urgentByte(a) === "X", "the urgent byte");
  let got = "";
  while (got.length < 6) got += text(await a.recv(100, limit));
  assert.equal(got, "abcdef");
  a.close();
  b.close();
});

function urgentByte(s: Socket): string | undefined {
  try {
    return text(s.recvSync(1, MSG_OOB | MSG_DONTWAIT));
  } catch (error) {
    assert.ok(["EAGAIN", "EINVAL"].includes(codeOf(error) as string), `${error}`);
    return undefined;
  }
}

test("the second urgent byte splits the stream like the first, also in line", async () => {
  const [a, b] = await watchedPair();
  a.setsockopt(SOL_SOCKET, SO_OOBINLINE, 1);
  for (const part of ["abc", "def"]) {
    b.sendallSync(bytes(part));
    b.sendSync(bytes("X"), MSG_OOB);
  }
  b.sendallSync(bytes("ghi"));
  let got = "";
  while (got.length < 11) got += text(await a.recv(100, limit));
  assert.equal(got, "abcXdefXghi");
  a.close();
  b.close();
});

test("recv with MSG_OOB waits for an urgent byte", async () => {
  const [a, b] = await watchedPair();
  // Without one on its way the kernel says EINVAL, as in C.
  assert.equal(codeOf(await rejection(a.recv(1, MSG_OOB), "recv")), "EINVAL");
  b.sendSync(bytes("X"), MSG_OOB);
  await until(() => urgentByte(a) === "X", "the urgent byte");
  a.close();
  b.close();
});

test("MSG_PEEK takes nothing away, however often and however short", async () => {
  const [a, b] = await watchedPair();
  b.sendallSync(bytes("hello"));
  for (const count of [1, 5, 100, 2]) {
    const seen = await a.recv(count, { ...limit, flags: MSG_PEEK });
    assert.equal(text(seen), "hello".slice(0, count));
  }
  assert.equal(text(await a.recv(2, limit)), "he");
  assert.equal(text(await a.recv(100, { ...limit, flags: MSG_PEEK })), "llo");
  assert.equal(text(await a.recv(100, limit)), "llo");
  const waiting = a.recv(100, { ...limit, flags: MSG_PEEK });
  assert.ok(await isPending(waiting));
  b.sendallSync(bytes("more"));
  assert.equal(text(await waiting), "more");
  assert.equal(text(await a.recv(100, limit)), "more");
  a.close();
  b.close();
});

test("MSG_WAITALL gathers what comes in pieces, across short reads and the end of file", async () => {
  const [a, b] = await watchedPair();
  const whole = a.recv(10, { ...limit, flags: MSG_WAITALL });
  for (const piece of ["ab", "cde", "fghij", "rest"]) {
    b.sendallSync(bytes(piece));
    await turn();
  }
  assert.equal(text(await whole), "abcdefghij");
  const cut = a.recv(10, { ...limit, flags: MSG_WAITALL });
  assert.ok(await isPending(cut));
  b.shutdown(SHUT_WR);
  assert.equal(text(await cut), "rest");
  a.close();
  b.close();
});

test("MSG_PEEK | MSG_WAITALL waits for all of it and takes nothing away", async () => {
  const [a, b] = await watchedPair();
  const peeked = a.recv(6, { ...limit, flags: MSG_PEEK | MSG_WAITALL });
  for (const piece of ["ab", "cd", "efgh"]) {
    b.sendallSync(bytes(piece));
    await turn();
  }
  assert.equal(text(await peeked), "abcdef");
  assert.equal(text(await a.recv(100, limit)), "abcdefgh");
  a.close();
  b.close();
});

test("descriptors split a Unix stream, and what follows them is not lost", async () => {
  const [a, b] = socketPair();
  const first = a.recv(1, limit);
  assert.ok(await isPending(first));
  b.sendallSync(bytes("."));
  await first;
  b.sendallSync(bytes("before"));
  await sendFds(b, bytes("with"), [0]);
  b.sendallSync(bytes("after"));
  let got = "";
  let fds = 0;
  while (got.length < 15) {
    const { data, ancillary } = await a.recvmsg(100, 64, limit);
    got += text(data);
    fds += ancillary.length;
    for (const item of ancillary) closeAll(item.data);
  }
  assert.deepEqual([got, fds], ["beforewithafter", 1]);
  a.close();
  b.close();
});

test("plain recv reads past descriptors that it did not ask for, and they are not leaked", async () => {
  const [a, b] = socketPair();
  const before = a.dup().detach();
  closeAll(new Uint8Array(Int32Array.of(before).buffer));
  b.sendallSync(bytes("before"));
  await sendFds(b, bytes("with"), [0, 1, 2]);
  b.sendallSync(bytes("after"));
  let got = "";
  while (got.length < 15) got += text(await a.recv(100, limit));
  assert.equal(got, "beforewithafter");
  const next = a.dup();
  assert.equal(next.fileno(), before);
  for (const s of [a, b, next]) s.close();
});

test("credentials split a Unix stream", async () => {
  const [a, b] = socketPair();
  a.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  b.sendallSync(bytes("one"));
  b.sendallSync(bytes("two"));
  b.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  b.sendallSync(bytes("three"));
  let got = "";
  while (got.length < 11) {
    const { data, ancillary } = await a.recvmsg(100, 64, limit);
    assert.equal(ancillary.length, 1);
    got += text(data);
  }
  assert.equal(got, "onetwothree");
  a.close();
  b.close();
});

function closeAll(data: Uint8Array): void {
  for (const fd of new Int32Array(data.slice().buffer)) closeSync(fd);
}

test("many recv calls on one socket are served in their order", async () => {
  const [a, b] = await watchedPair();
  const calls = Array.from({ length: 500 }, () => a.recv(2, { ...limit, flags: MSG_WAITALL }));
  const sent = Array.from({ length: 500 }, (_, index) =>
    String.fromCharCode(65 + (index % 26), 48 + (index % 10)),
  );
  for (let at = 0; at < 500; at += 7) {
    b.sendallSync(bytes(sent.slice(at, at + 7).join("")));
    await turn();
  }
  const got = await within(Promise.all(calls), "500 recvs");
  assert.deepEqual(got.map(text), sent);
  a.close();
  b.close();
});

test("of recv calls in two directions and flavours none overtakes another", async () => {
  const [a, b] = await watchedPair();
  const order: string[] = [];
  const note = (name: string) => (data: Uint8Array) => void order.push(`${name}:${text(data)}`);
  const buffer = new Uint8Array(1);
  const all = [
    a.recv(1, limit).then(note("recv")),
    a.recvInto(buffer, limit).then(() => note("recvInto")(buffer)),
    a.recvfrom(1, limit).then(([data]) => note("recvfrom")(data)),
    a.recvmsg(1, 0, limit).then(({ data }) => note("recvmsg")(data)),
    a.recvMany(1, limit).then(([packet]) => note("recvMany")((packet as { data: Uint8Array }).data)),
  ];
  b.sendallSync(bytes("12345"));
  await within(Promise.all(all), "five calls");
  assert.deepEqual(order, ["recv:1", "recvInto:2", "recvfrom:3", "recvmsg:4", "recvMany:5"]);
  a.close();
  b.close();
});

test("concurrent sendall calls are not interleaved, nor do other sends land in their middle", async () => {
  const [a, b] = socketPair() as [Socket, Socket];
  const parts = 8;
  const partBytes = 400_000;
  const sends = Array.from({ length: parts }, (_, index) => a.sendall(new Uint8Array(partBytes).fill(index)));
  assert.ok(await isPending(sends[0] as Promise<unknown>));
  // While a sendall is under way, a send that may not wait would land in its middle as soon as there is room.
  b.recvSync(65536);
  assert.equal(codeOf(await rejection(a.send(bytes("!"), MSG_DONTWAIT), "send")), "EAGAIN");
  const received = b.recv(parts * partBytes - 65536, { timeoutMs: 10_000, flags: MSG_WAITALL });
  const data = await within(received, "all parts");
  await within(Promise.all(sends), "all sends");
  for (let index = 0; index < parts; index += 1) {
    const part = data.subarray(Math.max(0, index * partBytes - 65536), (index + 1) * partBytes - 65536);
    assert.ok(
      part.every((byte) => byte === index),
      `part ${index} is torn`,
    );
  }
  a.close();
  b.close();
});

test("a blocking send waits its turn behind a sendall", async () => {
  const [a, b] = socketPair() as [Socket, Socket];
  const big = a.sendall(new Uint8Array(1_000_000).fill(1));
  assert.ok(await isPending(big));
  const received = b.recv(1_000_003, { timeoutMs: 10_000, flags: MSG_WAITALL });
  // The peer is of this thread: it must have read enough that the blocking call can end.
  assert.throws(() => a.sendallSync(bytes("end"), { timeoutMs: 50 }), { code: "HAWSER_DEADLINE" });
  await within(big, "the sendall");
  a.sendallSync(bytes("end"), limit);
  const data = await within(received, "everything");
  assert.equal(data.indexOf(2), -1);
  assert.equal(text(data.subarray(1_000_000)), "end");
  a.close();
  b.close();
});

test("a writer that waits is woken when there is room, again and again", async () => {
  const [a, b] = socketPair(AF_UNIX) as [Socket, Socket];
  for (let round = 0; round < 50; round += 1) {
    fill(a);
    const waiting = a.send(bytes("x"), limit);
    assert.ok(await isPending(waiting));
    while (b.tryRecvInto(new Uint8Array(65536)) !== undefined);
    assert.equal(await waiting, 1);
  }
  a.close();
  b.close();
});
