/** Connections that end badly: the right errno each, once, and never an end of file that is none. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";
import {
  DeadlineError,
  RefusedError,
  ResetError,
  type SocketError,
  WouldBlockError,
} from "../../src/index.js";
import {
  AF_INET6,
  AF_UNIX,
  extendedError,
  type How,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_WAITALL,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_EE_ORIGIN_ICMP,
  SOCK_SEQPACKET,
  Socket,
  socketPair,
  TCP_ESTABLISHED,
} from "../../src/socket/index.js";
import {
  checkedEnd,
  isPending,
  listener,
  rejection,
  runChild,
  tcpPair,
  udpSocket,
  until,
  within,
} from "./robust.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const limit = { timeoutMs: 5000 };

/** Both forms of a call, as promises. */
const forms: readonly [
  name: string,
  recv: (s: Socket, maxBytes: number, how?: How) => Promise<Uint8Array>,
][] = [
  ["promise", (s, maxBytes, how = limit) => s.recv(maxBytes, how)],
  ["Sync", async (s, maxBytes, how = limit) => s.recvSync(maxBytes, how)],
];

function forBoth(
  title: string,
  run: (
    recv: (s: Socket, maxBytes: number, how?: How) => Promise<Uint8Array>,
    t: TestContext,
  ) => Promise<void>,
): void {
  for (const [form, recv] of forms) test(`${title} (${form})`, (t) => run(recv, t));
}

/** Closes with RST in place of FIN. */
function reset(socket: Socket): void {
  socket.lingerSeconds = 0;
  socket.close();
}

/** Whether the connection has left ESTABLISHED, which the reset does before any call is told. */
async function untilBroken(socket: Socket): Promise<void> {
  await until(() => socket.tcpInfo().state !== TCP_ESTABLISHED, "the peer's reset or end of file");
}

forBoth("a reset is ECONNRESET, and then an end of file", async (recv) => {
  const [client, server] = tcpPair();
  reset(client);
  await untilBroken(server);
  assert.ok((await rejection(recv(server, 10), "recv")) instanceof ResetError);
  assert.equal((await recv(server, 10)).length, 0);
  server.close();
});

test("a reset rejects a recv that waits, and every one behind it ends", async () => {
  const [client, server] = tcpPair();
  const waits = [server.recv(10, limit), server.recv(10, limit), server.recv(10, limit)];
  assert.ok(await isPending(waits[0] as Promise<unknown>));
  reset(client);
  const outcomes = await within(Promise.allSettled(waits), "three recvs");
  assert.deepEqual(
    outcomes.map((o) => (o.status === "rejected" ? (o.reason as SocketError).code : o.value.length)),
    ["ECONNRESET", 0, 0],
  );
  server.close();
});

forBoth("data before a reset come first, then ECONNRESET, never an end of file in between", async (recv) => {
  for (const maxBytes of [2, 5, 100]) {
    const [client, server] = tcpPair();
    client.sendallSync(bytes("hello"));
    reset(client);
    await untilBroken(server);
    let got = "";
    let code = "";
    while (code === "") {
      try {
        const data = await recv(server, maxBytes);
        assert.notEqual(data.length, 0, `a false end of file after ${got}`);
        got += text(data);
      } catch (error) {
        code = (error as SocketError).code;
      }
    }
    assert.deepEqual([got, code], ["hello", "ECONNRESET"]);
    server.close();
  }
});

forBoth("MSG_WAITALL gives what came before a reset, and the next call the reset", async (recv) => {
  const [client, server] = tcpPair();
  client.sendallSync(bytes("hello"));
  reset(client);
  await untilBroken(server);
  const all = { ...limit, flags: MSG_WAITALL };
  assert.equal(text(await recv(server, 100, all)), "hello");
  assert.ok((await rejection(recv(server, 100, all), "recv")) instanceof ResetError);
  server.close();
});

test("MSG_WAITALL that waits gives what came before a reset, and the next call the reset", async () => {
  const [client, server] = tcpPair();
  const waiting = server.recv(100, { ...limit, flags: MSG_WAITALL });
  client.sendallSync(bytes("hello"));
  assert.ok(await isPending(waiting));
  reset(client);
  assert.equal(text(await waiting), "hello");
  assert.ok((await rejection(server.recv(100, limit), "recv")) instanceof ResetError);
  server.close();
});

test("after a reset send is ECONNRESET or EPIPE, without a signal", async () => {
  const [client, server] = tcpPair();
  reset(client);
  await untilBroken(server);
  assert.throws(() => server.sendSync(bytes("x")), ResetError);
  const error = await rejection(server.send(bytes("x")), "send");
  assert.ok(error instanceof ResetError && error.code === "EPIPE", `${error}`);
  for (const call of [
    () => server.sendall(bytes("x")),
    () => server.sendmsg([bytes("x")]),
    () => server.sendMany([bytes("x")]),
  ]) {
    assert.equal(((await rejection(call(), "send")) as SocketError).code, "EPIPE");
  }
  server.close();
});

test("closing with unread data resets the peer", async () => {
  const [client, server] = tcpPair();
  client.sendallSync(bytes("never read"));
  await until(() => server.recvSync(100, 2).length === 10, "the data");
  server.close();
  await untilBroken(client);
  const error = await rejection(client.recv(10, limit), "recv");
  assert.ok(error instanceof ResetError, `${error}`);
  client.close();
});

test("a port where nobody listens is ECONNREFUSED, on every form", async () => {
  const { server, address } = listener();
  server.close();
  for (const family of [2, AF_INET6 as number]) {
    const where = family === 2 ? address : (["::1", (address as [string, number])[1]] as const);
    using s: Socket = new Socket(family);
    const error = await rejection(s.connect(where, limit), "connect");
    assert.ok(error instanceof RefusedError, `${error}`);
    assert.match(error.message, /nobody listens/);
    using sync: Socket = new Socket(family);
    assert.throws(() => sync.connectSync(where, limit), RefusedError);
    using ex: Socket = new Socket(family);
    assert.equal(await ex.connectEx(where, limit), 111);
    using exSync: Socket = new Socket(family);
    assert.equal(exSync.connectExSync(where, limit), 111);
  }
});

test("several connects of one socket all end when the attempt is refused", async () => {
  const { server, address } = listener();
  server.close();
  using s: Socket = new Socket();
  const outcomes = await within(
    Promise.allSettled([s.connect(address), s.connect(address), s.connect(address)]),
    "three connects",
  );
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(["rejected"]));
});

test("a connect after pendingError() took its error away still ends", async () => {
  const { server, address } = listener(0);
  server.close();
  using s: Socket = new Socket();
  s.timeoutMs = 0;
  await assert.rejects(s.connect(address), WouldBlockError);
  assert.equal(s.pendingError(), 111);
  s.timeoutMs = 5000;
  const outcome = await within(s.connectEx(address), "connect");
  assert.ok([103, 111].includes(outcome), `errno ${outcome}`);
});

test("a Unix path without a socket is ENOENT, one without a listener ECONNREFUSED", async () => {
  using s: Socket = new Socket(AF_UNIX as number);
  const missing = await rejection(s.connect("/nonexistent/hawser"), "connect");
  assert.equal((missing as SocketError).code, "ENOENT");
  const name = bytes(`\0hawser-refused-${process.pid}`);
  using bound: Socket = new Socket(AF_UNIX as number);
  bound.bindSync(name);
  assert.ok((await rejection(s.connect(name), "connect")) instanceof RefusedError);
});

forBoth("a port unreachable message rejects the next call of a connected UDP socket", async (recv) => {
  const gone = udpSocket();
  const address = gone.getsockname();
  gone.close();
  const s = udpSocket();
  s.connectSync(address);
  s.sendSync(bytes("x"));
  assert.ok((await rejection(recv(s, 10), "recv")) instanceof RefusedError);
  // Once told, the socket works on.
  await assert.rejects(recv(s, 10, { timeoutMs: 30 }), DeadlineError);
  s.sendSync(bytes("x"));
  assert.throws(() => s.sendSync(bytes("y")), RefusedError);
  s.close();
});

test("a port unreachable message rejects a recv that waits", async () => {
  const gone = udpSocket();
  const address = gone.getsockname();
  gone.close();
  const s = udpSocket();
  s.connectSync(address);
  const waiting = s.recv(10, limit);
  assert.ok(await isPending(waiting));
  s.sendSync(bytes("x"));
  assert.ok((await rejection(waiting, "recv")) instanceof RefusedError);
  s.close();
});

test("the error queue says who sent the port unreachable message", async () => {
  const gone = udpSocket();
  const address = gone.getsockname();
  gone.close();
  using s = udpSocket();
  s.receiveErrors = true;
  const waiting = s.recvmsg(10, 512, { ...limit, flags: MSG_ERRQUEUE });
  assert.ok(await isPending(waiting));
  s.sendtoSync(bytes("x"), address);
  const { ancillary, data, flags } = await waiting;
  const error = extendedError(ancillary);
  assert.deepEqual([error?.errno, error?.origin, error?.type, error?.code], [111, SO_EE_ORIGIN_ICMP, 3, 3]);
  assert.equal(text(data), "x");
  assert.ok((flags & MSG_ERRQUEUE) !== 0);
});

test("waiting in recvSync while the error queue is full costs no processor time", () => {
  const gone = udpSocket();
  const address = gone.getsockname();
  gone.close();
  using s = udpSocket();
  s.receiveErrors = true;
  s.sendtoSync(bytes("x"), address);
  assert.throws(() => s.recvSync(10, limit), RefusedError);
  checkIdle(() => assert.throws(() => s.recvSync(10, { timeoutMs: 300 }), DeadlineError));
});

function checkIdle(wait: () => void): void {
  const before = process.cpuUsage();
  const startMs = performance.now();
  wait();
  const { user, system } = process.cpuUsage(before);
  const tookMs = performance.now() - startMs;
  assert.ok((user + system) / 1000 < tookMs / 4, `${(user + system) / 1000} ms of ${tookMs} ms`);
}

test("waiting in connectSync for a full Unix backlog costs no processor time", () => {
  using server: Socket = new Socket(AF_UNIX as number);
  server.bindSync(bytes(`\0hawser-backlog-${process.pid}`));
  server.listen(0);
  const clients: Socket[] = [];
  try {
    checkIdle(() =>
      assert.throws(() => {
        for (;;) {
          const client: Socket = new Socket(AF_UNIX as number);
          clients.push(client);
          client.connectSync(server.getsockname(), { timeoutMs: 300 });
        }
      }, DeadlineError),
    );
  } finally {
    for (const client of clients) client.close();
  }
});

forBoth("MSG_PEEK | MSG_WAITALL ends at the end of file", async (recv) => {
  const [client, server] = tcpPair();
  client.sendallSync(bytes("hello"));
  client.shutdown(SHUT_WR);
  const how = { timeoutMs: 2000, flags: 2 | MSG_WAITALL };
  assert.equal(text(await recv(server, 100, how)), "hello");
  assert.equal(text(await recv(server, 100)), "hello");
  client.close();
  server.close();
});

forBoth("half-close: either side ends, the other goes on", async (recv) => {
  const [client, server] = tcpPair();
  client.sendallSync(bytes("question"));
  client.shutdown(SHUT_WR);
  assert.equal(text(await recv(server, 100, { ...limit, flags: MSG_WAITALL })), "question");
  assert.equal((await recv(server, 100)).length, 0);
  server.sendallSync(bytes("answer"));
  assert.equal(text(await recv(client, 6, { ...limit, flags: MSG_WAITALL })), "answer");
  const error = await rejection(client.send(bytes("x")), "send");
  assert.equal((error as SocketError).code, "EPIPE");
  server.shutdown(SHUT_WR);
  assert.equal((await recv(client, 100)).length, 0);
  client.close();
  server.close();
});

test("shutdown(SHUT_RD) wakes a recv with an end of file, SHUT_RDWR both sides", async () => {
  for (const how of [SHUT_RD, SHUT_RDWR]) {
    for (const [a, b] of [tcpPair(), socketPair() as [Socket, Socket]]) {
      const waiting = a.recv(10, limit);
      assert.ok(await isPending(waiting));
      a.shutdown(how);
      assert.equal((await waiting).length, 0);
      if (how === SHUT_RDWR) assert.equal((await b.recv(10, limit)).length, 0);
      a.close();
      b.close();
    }
  }
});

test("shutdown of a listener ends a pending accept with EINVAL", async () => {
  const { server } = listener();
  const waiting = server.accept(limit);
  assert.ok(await isPending(waiting));
  server.shutdown(SHUT_RDWR);
  assert.equal(((await rejection(waiting, "accept")) as SocketError).code, "EINVAL");
  server.close();
});

test("the end of a sequenced-packet connection is an end of file, its packets stay whole", async () => {
  const [a, b] = socketPair(AF_UNIX, SOCK_SEQPACKET);
  a.sendSync(bytes("one"));
  a.sendSync(bytes("two"));
  assert.equal(text(await b.recv(100, limit)), "one");
  assert.equal(text(await b.recv(2, limit)), "tw");
  const waiting = b.recv(100, limit);
  assert.ok(await isPending(waiting));
  a.close();
  assert.equal((await waiting).length, 0);
  b.close();
});

test("a Unix peer that closes with unread data is ECONNRESET", async () => {
  const [a, b] = socketPair();
  a.sendSync(bytes("unread"));
  b.close();
  assert.ok((await rejection(a.recv(10, limit), "recv")) instanceof ResetError);
  assert.equal(((await rejection(a.send(bytes("x")), "send")) as SocketError).code, "EPIPE");
  a.close();
});

test("calls on a socket that is not connected say so", async () => {
  using s: Socket = new Socket();
  assert.equal(((await rejection(s.recv(10), "recv")) as SocketError).code, "ENOTCONN");
  assert.equal(((await rejection(s.send(bytes("x")), "send")) as SocketError).code, "EPIPE");
  assert.throws(() => s.getpeername(), { code: "ENOTCONN" });
  assert.throws(() => s.shutdown(SHUT_WR), { code: "ENOTCONN" });
  assert.equal(((await rejection(s.accept(), "accept")) as SocketError).code, "EINVAL");
  using u = udpSocket();
  assert.equal(((await rejection(u.send(bytes("x")), "send")) as SocketError).code, "EDESTADDRREQ");
  assert.throws(() => u.recvSync(10, MSG_DONTWAIT), WouldBlockError);
  assert.equal(((await rejection(u.accept(), "accept")) as SocketError).code, "EOPNOTSUPP");
  assert.throws(() => u.listen(), { code: "EOPNOTSUPP" });
});

test("no route is ENETUNREACH, a blackhole route EINVAL, a dead host EHOSTUNREACH", async (t) => {
  const allowed = spawnSync("unshare", ["-n", "true"]).status === 0;
  if (!allowed) return t.skip("needs a network namespace of its own: unshare -n is not permitted");
  const end = await runChild("unreachable", { through: ["unshare", "-n"] });
  const seen = JSON.parse(checkedEnd(end)) as Record<string, unknown>;
  assert.deepEqual(seen, {
    "TCP without a route": "ENETUNREACH",
    "UDP without a route": "ENETUNREACH",
    "loopback that is down": "ENETUNREACH",
    "TCP on an unreachable route": "EHOSTUNREACH",
    "TCP on a prohibited route": "EACCES",
    "TCP on a blackhole route": "EINVAL",
  });
});
