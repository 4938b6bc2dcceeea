/** Every promise form and its Sync twin: the same results and the same errors, from one table over both. */
import assert from "node:assert/strict";
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { methodsOf } from "../../fuzz/sockets/steps.js";
import { HawserError, SocketError } from "../../src/index.js";
import * as api from "../../src/socket/index.js";
import { listener, tcpPair, udpSocket } from "./robust.js";

const { MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, Socket } = api;
type Socket = api.Socket;

/** One call: of a method of `target`, or of a function. */
interface Call {
  readonly target?: Socket;
  readonly args: readonly unknown[];
  readonly close: readonly { close(): void }[];
}

type Make = () => Call;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const limit = { timeoutMs: 2000 };

/** A TCP connection whose peer has sent `sent`; by default it has finished as well. */
function received(sent: string, args: readonly unknown[], finish = true): Make {
  return () => {
    const [target, peer] = tcpPair();
    if (sent !== "") peer.sendallSync(bytes(sent));
    if (finish) peer.shutdown(api.SHUT_WR);
    if (sent !== "" || finish) target.recvSync(1, { ...limit, flags: MSG_PEEK });
    return { target, args, close: [target, peer] };
  };
}

/** A UDP socket to which `sent` was sent. */
function datagram(sent: string, args: readonly unknown[]): Make {
  return () => {
    const target = udpSocket();
    const peer = udpSocket();
    peer.sendtoSync(bytes(sent), target.getsockname());
    return { target, args, close: [target, peer] };
  };
}

function connected(...args: unknown[]): Make {
  return () => {
    const [target, peer] = tcpPair();
    return { target, args, close: [target, peer] };
  };
}

/** The peer is gone, with a reset. */
function broken(...args: unknown[]): Make {
  return () => {
    const [target, peer] = tcpPair();
    peer.lingerSeconds = 0;
    peer.close();
    while (target.tcpInfo().state === api.TCP_ESTABLISHED);
    return { target, args, close: [target] };
  };
}

function udp(...args: unknown[]): Make {
  return () => {
    const target = udpSocket();
    const peer = udpSocket();
    const here = args.map((arg) => (arg === "peer" ? peer.getsockname() : arg));
    return { target, args: here, close: [target, peer] };
  };
}

function fresh(...args: unknown[]): Make {
  return () => {
    const target: Socket = new Socket();
    return { target, args, close: [target] };
  };
}

/** A TCP address that nobody listens at, and one where somebody does. */
function toServer(alive: boolean, ...rest: unknown[]): Make {
  return () => {
    const { server, address } = listener();
    const target: Socket = new Socket();
    if (!alive) server.close();
    return { target, args: [address, ...rest], close: alive ? [target, server] : [target] };
  };
}

function fromFile(content: string, ...rest: unknown[]): Make {
  return () => {
    const [target, peer] = tcpPair();
    const path = join(tmpdir(), `hawser-twins-${process.pid}`);
    writeFileSync(path, content);
    const fd = openSync(path, "r");
    rmSync(path);
    return { target, args: [fd, ...rest], close: [target, peer, { close: () => closeSync(fd) }] };
  };
}

function waitingListener(...args: unknown[]): Make {
  return () => {
    const { server, address } = listener();
    const client: Socket = new Socket();
    client.connectSync(address);
    return { target: server, args, close: [server, client] };
  };
}

function plain(...args: unknown[]): Make {
  return () => ({ args, close: [] });
}

const inDatagram = new Uint8Array(3);

/** What each method is tried with besides the cases that all of them share. */
const cases: Readonly<Record<string, readonly Make[]>> = {
  accept: [waitingListener(limit), fresh(limit), waitingListener({ timeoutMs: 0 })],
  bind: [
    fresh(["127.0.0.1", 0]),
    fresh(["192.0.2.1", 0]),
    fresh(["no.such.host.invalid:", 0]),
    fresh(["localhost", 70000]),
    fresh("path"),
  ],
  connect: [
    toServer(true, limit),
    toServer(false, limit),
    toServer(true, { signal: AbortSignal.abort("reason") }),
    connected(["127.0.0.1", 1]),
    fresh(["a\0b", 1]),
    udp("peer"),
  ],
  connectEx: [
    toServer(true, limit),
    toServer(false, limit),
    connected(["127.0.0.1", 1]),
    fresh(["127.0.0.1", -1]),
  ],
  recv: [
    received("hello", [3]),
    received("hello", [100]),
    received("", [10]),
    received("hello", [10, MSG_WAITALL]),
    received("hello", [2, MSG_PEEK]),
    received("", [10, MSG_DONTWAIT], false),
    received("hello", [0]),
    datagram("hello", [3, MSG_TRUNC]),
    broken(10),
    fresh(10),
  ],
  recvInto: [
    received("hello", [new Uint8Array(3)]),
    received("", [new Uint8Array(3)]),
    datagram("hello", [inDatagram, MSG_TRUNC]),
    received("hello", [new Uint8Array(9), MSG_WAITALL]),
    broken(new Uint8Array(3)),
  ],
  recvfrom: [received("hello", [3]), datagram("hello", [100]), datagram("", [100]), fresh(10)],
  recvfromInto: [
    received("hello", [new Uint8Array(3)]),
    datagram("hello", [inDatagram]),
    fresh(new Uint8Array(3)),
  ],
  recvmsg: [
    received("hello", [3, 0]),
    datagram("hello", [3]),
    datagram("hello", []),
    received("", [10, 512]),
    broken(10),
    connected(10, 512, MSG_DONTWAIT),
  ],
  recvmsgInto: [
    received("hello", [[new Uint8Array(2), new Uint8Array(9)]]),
    datagram("hello", [[inDatagram], 64]),
    received("", [[new Uint8Array(2)]]),
  ],
  recvMany: [
    datagram("hello", []),
    datagram("hello", [3, { ancillary: true }]),
    connected(4, MSG_DONTWAIT),
    datagram("", [0]),
  ],
  send: [
    connected(bytes("hello")),
    connected(new Uint8Array(0)),
    broken(bytes("x")),
    fresh(bytes("x")),
    connected("text"),
  ],
  sendall: [connected(bytes("hello")), connected(new Uint8Array(0)), broken(bytes("x")), fresh(bytes("x"))],
  sendto: [
    udp(bytes("hello"), "peer"),
    udp(new Uint8Array(0), "peer"),
    udp(new Uint8Array(70_000), "peer"),
    udp(bytes("x"), ["127.0.0.1", 0]),
    udp(bytes("x"), ["::1", 9]),
    udp(bytes("x"), ["localhost", 9]),
    connected(bytes("x"), ["127.0.0.1", 1]),
  ],
  sendmsg: [
    connected([bytes("a"), bytes("bc")]),
    udp([bytes("a")], [], "peer"),
    udp([bytes("a")], [[0, 2, new Uint8Array(4)]], "peer"),
    udp([bytes("a")], [[1, 99, new Uint8Array(4)]], "peer"),
    broken([bytes("x")]),
    connected([]),
    connected([bytes("x")], [[1, 1, Uint8Array.of(255, 255, 0, 0)]]),
  ],
  sendMany: [
    udp([bytes("a"), bytes("b")], { address: ["127.0.0.1", 9] }),
    udp([]),
    udp([bytes("a")]),
    udp([bytes("a"), { data: new Uint8Array(70_000) }], { address: ["127.0.0.1", 9] }),
    udp([{ data: new Uint8Array(2000), segmentBytes: 500 }], { address: ["127.0.0.1", 9] }),
    broken([bytes("x")]),
  ],
  sendFile: [
    fromFile("hello"),
    fromFile("hello", { offset: 2, count: 2 }),
    fromFile("hello", { offset: 99 }),
    fromFile("hello", { timeoutMs: 0 }),
    fresh(0),
    connected(900_000),
    udp(0),
  ],
  createConnection: [
    () => {
      const { server, address } = listener();
      return { args: [address, limit], close: [server] };
    },
    () => {
      const { server, address } = listener();
      server.close();
      return { args: [address, limit], close: [] };
    },
    plain(["127.0.0.1"]),
    plain(["127.0.0.1", 70000]),
    plain(["127.0.0.1", 9], { signal: AbortSignal.abort("reason") }),
    plain(["999.1.1.1:", 9]),
  ],
  createServer: [
    plain(["127.0.0.1", 0]),
    plain(["192.0.2.1", 0]),
    plain(["127.0.0.1", 0], { dualStack: true }),
    plain(["::", 0], { family: api.AF_INET6, dualStack: true }),
    plain(["127.0.0.1", -1]),
  ],
  sendFds: [
    () => {
      const [a, b] = api.socketPair();
      return { args: [a, bytes("x"), [0]], close: [a, b] };
    },
    () => {
      const [a, b] = api.socketPair();
      return { args: [a, bytes("x"), [900_000]], close: [a, b] };
    },
    () => {
      const [a, b] = tcpPair();
      return { args: [a, bytes("x"), [0]], close: [a, b] };
    },
    plain(5, bytes("x"), [0]),
  ],
  recvFds: [
    () => {
      const [a, b] = api.socketPair();
      api.sendFdsSync(a, bytes("hello"), [0]);
      return { args: [b, 3, 1], close: [a, b] };
    },
    () => {
      const [a, b] = api.socketPair();
      a.close();
      return { args: [b, 3, 1], close: [b] };
    },
    plain(5, 1, 1),
  ],
  getaddrinfo: [
    plain("127.0.0.1", 80),
    plain("localhost", "http"),
    plain(null, null),
    plain("::1", "no-such-service", { type: 1 }),
    plain("a\0b", 1),
    plain("127.0.0.1", 80, { family: api.AF_INET6 }),
    plain("127.0.0.1", 80, { family: 99 }),
  ],
  getnameinfo: [
    plain(["127.0.0.1", 80], 3),
    plain(["127.0.0.1", 80], 0),
    plain(["localhost", 80], 0),
    plain(["127.0.0.1"], 0),
  ],
  gethostbyname: [plain("localhost"), plain("127.1"), plain(""), plain("::1"), plain("a\0b")],
  gethostbynameEx: [plain("localhost"), plain("127.0.0.1"), plain("::1")],
  gethostbyaddr: [plain("127.0.0.1"), plain("localhost"), plain("999:999")],
  getfqdn: [plain("127.0.0.1"), plain("localhost"), plain("a\0b")],
};

const twins = methodsOf(new Socket()).flatMap(({ name }) =>
  name.endsWith("Sync") ? [name.slice(0, -4)] : [],
);
const functionTwins = Object.keys(api).flatMap((name) => (name.endsWith("Sync") ? [name.slice(0, -4)] : []));

test("every Sync method and function stands in the table, and has its promise form", () => {
  assert.deepEqual([...twins, ...functionTwins].sort(), Object.keys(cases).sort());
});

for (const [name, makes] of Object.entries(cases)) {
  const shared = twins.includes(name) ? [...makes, ...sharedCases(makes[0] as Make)] : makes;
  test(`${name} and ${name}Sync`, async () => {
    for (const [index, make] of shared.entries()) {
      const promised = await outcome(make, name);
      const blocking = await outcome(make, `${name}Sync`);
      assert.deepEqual(blocking, promised, `case ${index}`);
    }
  });
}

/** Closed, given away, with arguments that are none, and with more of them than there are. */
function sharedCases(make: Make): Make[] {
  const on = (change: (call: Call) => Partial<Call>): Make => {
    return () => {
      const call = make();
      return { ...call, ...change(call) };
    };
  };
  return [
    on(({ target }) => {
      target?.close();
      return {};
    }),
    on(({ target, close }) => {
      const fd = target?.detach() as number;
      return { close: [...close, { close: () => closeSync(fd) }] };
    }),
    on(() => ({ args: [] })),
    on(() => ({ args: [undefined, null, undefined, undefined] })),
    on(() => ({ args: [Symbol("odd"), 5n, {}, { flags: "x" }] })),
    on(({ args }) => ({
      args: [...args, ...[{ timeoutMs: -1 }, { timeoutMs: -1 }, { timeoutMs: -1 }]].slice(0, 5),
    })),
    on(({ args }) => ({ args: [...args.slice(0, 1), { flags: 0.5 }] })),
    on(({ args }) => ({ args: [...args.slice(0, 2), { signal: 5 }] })),
  ];
}

/** What a call comes to, in a form that two calls have in common. */
async function outcome(make: Make, form: string): Promise<unknown> {
  const { target, args, close } = make();
  const made: { close(): void }[] = [];
  try {
    const owner = (target ?? api) as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
    const method = owner[form] as (...args: readonly unknown[]) => unknown;
    const value = await Reflect.apply(method, target, args);
    // What was received into a buffer of the caller's counts as a result too.
    return {
      value: plainOf(value, made),
      filled: args.filter((arg) => arg instanceof Uint8Array).map(String),
    };
  } catch (error) {
    return { error: errorOf(error) };
  } finally {
    for (const thing of [...close, ...made]) thing.close();
  }
}

/** Ports and descriptors differ from call to call; sockets are looked at from outside. */
function plainOf(value: unknown, made: { close(): void }[]): unknown {
  if (value instanceof Socket) {
    made.push(value);
    return { socket: [value.family, value.type, value.protocol], timeoutMs: value.timeoutMs };
  }
  if (value instanceof Uint8Array) return `bytes ${value}`;
  if (typeof value === "number") return value > 20_000 ? "a port" : value;
  if (Array.isArray(value)) return value.map((item) => plainOf(item, made));
  if (typeof value !== "object" || value === null || value instanceof AbortSignal) return String(value);
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    key === "fds" ? closed(item) : plainOf(item, made),
  ]);
  return Object.fromEntries(entries);
}

/** How many descriptors came; they are closed. */
function closed(fds: unknown): number {
  for (const fd of fds as number[]) closeSync(fd);
  return (fds as number[]).length;
}

function errorOf(error: unknown): unknown {
  if (!(error instanceof HawserError))
    return error instanceof Error ? `${error.name}: ${error.message}` : error;
  const { name, code } = error;
  const message = error.message.replace(/\d{5}/g, "PORT");
  if (!(error instanceof SocketError)) return { name, code, message };
  return {
    name,
    code,
    message,
    errno: error.errno,
    syscall: error.syscall,
    address: error.address?.replace(/\d{5}/g, "PORT"),
  };
}
