/**
 * Wrong arguments are the caller's mistakes: a LocalProtocolError before any system call. The table names every public
 * method, function and settable attribute; one that is missing from it fails.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError } from "../../src/index.js";
import * as s from "../../src/socket/index.js";
import { native } from "../../src/socket/native/index.js";

type Args = readonly unknown[];

const data = new Uint8Array(4);
const notBytes: Args[] = [["text"], [null], [undefined], [7], [{}], [[1, 2]]];
const notCounts: Args[] = [[-1], [1.5], [Number.NaN], ["9"], [2 ** 53], [null]];
const wrongAddresses: Args[] = [
  [["127.0.0.1", 70_000]],
  [["127.0.0.1", -1]],
  [["127.0.0.1", 1.5]],
  [["127.0.0.1", "70000"]],
  [["127.0.0.1\0x", 80]],
  [["127.0.0.1"]],
  [["127.0.0.1", 80, 0, 0, 0]],
  ["127.0.0.1:80"],
  [undefined],
  [null],
  [80],
  [[{}, 80]],
  [["127.0.0.1", {}]],
];
const wrongHow: unknown[] = ["flags", 1.5, null, { timeoutMs: -1 }, { timeoutMs: Number.NaN }, { signal: 7 }];
const wrongWait: unknown[] = [{ timeoutMs: -1 }, { timeoutMs: "1" }, { timeoutMs: Number.POSITIVE_INFINITY }];

const how = (...before: Args): Args[] => wrongHow.map((wrong) => [...before, wrong]);
const wait = (...before: Args): Args[] => wrongWait.map((wrong) => [...before, wrong]);
const then = (rows: readonly Args[], ...after: Args): Args[] => rows.map((row) => [...row, ...after]);
const destination = ["127.0.0.1", 9];

/** `null`: takes no arguments, or any will do. */
const methods: Record<string, readonly Args[] | null> = {
  accept: wait(),
  bind: wrongAddresses,
  close: null,
  connect: [...wrongAddresses, ...wait(destination)],
  connectEx: [...wrongAddresses, ...wait(destination)],
  datagrams: null,
  detach: null,
  dup: null,
  fileno: null,
  getpeername: null,
  getsockname: null,
  getsockopt: [
    ["1", 2],
    [1, 2.5],
    [1, 2, -1],
    [1, 2, 1025],
    [1, 2, "4"],
  ],
  joinGroup: [
    ["no.numeric.group"],
    ["239.1.1.1", { interface: -1 }],
    ["239.1.1.1", { source: "x.example" }],
    [7],
  ],
  leaveGroup: [["no.numeric.group"], ["239.1.1.1", { interface: 1.5 }]],
  listen: [["9"], [1.5], [2 ** 40]],
  makefile: [["rt"], ["x"], ["a"], [""], [7], ["r", { bufferBytes: 0 }], ["r", { encoding: "no-such" }]],
  peerCredentials: null,
  pendingError: null,
  recv: [...notCounts, ...how(4)],
  recvInto: [...notBytes, ...how(data)],
  recvMany: [...notCounts, ...how(4)],
  recvfrom: [...notCounts, ...how(4)],
  recvfromInto: [...notBytes, ...how(data)],
  recvmsg: [...notCounts, ...then([[4]], -1), ...then([[4]], "8"), ...how(4, 8)],
  recvmsgInto: [...notBytes, ["text"], [[data, "x"]], [data, -1], ...how(data, 8)],
  ref: null,
  send: [...notBytes, ...how(data)],
  sendFile: [
    ["path"],
    [-1],
    [2 ** 40],
    [0, { offset: -1 }],
    [0, { count: 0 }],
    [0, { count: 1.5 }],
    ...wait(0),
  ],
  sendMany: [
    ["text"],
    [data],
    [7],
    [["x"]],
    [[{ data: "x" }]],
    [[{ data, segmentBytes: 70_000 }]],
    ...how([data]),
  ],
  sendall: [...notBytes, ...how(data)],
  sendmsg: [
    ...notBytes.filter(([value]) => value !== undefined),
    [[data, "x"]],
    [data, 7],
    [data, [[1, 2]]],
    [data, [[1, "2", data]]],
    [data, [], ["127.0.0.1", 70_000]],
    ...how(data, [], null),
  ],
  sendto: [
    ...then(notBytes, destination),
    ...wrongAddresses.map(([address]) => [data, address]),
    ...how(data, destination),
  ],
  setblocking: [[1], ["yes"], [undefined]],
  setsockopt: [
    [1, 2, "3"],
    [1, 2, 1.5],
    [1, 2, 2 ** 40],
    ["1", 2, 3],
    [1, 2, null],
    [1, 2, 3, 4],
    [1, 2, {}],
  ],
  shutdown: [["1"], [1.5], [undefined]],
  tcpInfo: null,
  toDgram: null,
  toNodeServer: null,
  toNodeSocket: null,
  toTls: null,
  tryRecvInto: [...notBytes, [data, "flags"]],
  unref: null,
};

/** Settable attributes, with values that none of them takes. */
const attributes: Record<string, readonly unknown[]> = {
  bindToDevice: ["lo\0x", 7],
  congestion: ["reno\0x"],
  lingerSeconds: [-1, 1.5, "5"],
  mark: [-1, 2 ** 32, "7"],
  receiveBufferBytes: [-1, "9", 1.5],
  sendBufferBytes: [-1, "9", 1.5],
  timeoutMs: [-1, Number.NaN, Number.POSITIVE_INFINITY, "5", undefined],
  tos: [256, -1, "0"],
  ttl: ["64", 1.5],
  userTimeoutMs: [-1, "5", 2 ** 31],
};
/** Attributes that take what JavaScript takes for true or false, or are checked by the kernel. */
const lenient = new Set([
  ...["blocking", "broadcast", "cork", "ecn", "fastOpen", "freeBind", "gro", "inheritable", "keepAlive"],
  ...["multicastAll", "multicastInterface", "multicastLoop", "multicastTtl", "noDelay", "quickAck"],
  ...["receiveErrors", "receivePacketInfo", "reuseAddress", "reusePort", "transparent", "v6Only"],
]);

/** Protected in TypeScript: for the classes of a Socket alone. */
const internal = new Set(["flag", "from", "resolve", "resolveSync"]);

function members(wanted: (descriptor: PropertyDescriptor) => boolean): string[] {
  const names: string[] = [];
  for (
    let prototype = s.Socket.prototype;
    prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name !== "constructor" && !internal.has(name) && wanted(descriptor)) names.push(name);
    }
  }
  return names;
}

/** Counts the calls that reach libc while `run` runs. */
async function systemCalls(run: () => unknown): Promise<{ calls: string[]; error: unknown }> {
  const table = native() as unknown as Record<string, unknown>;
  const real = { ...table };
  const calls: string[] = [];
  // Reading errno and the addresses of memory is no call to the kernel.
  const harmless = new Set(["errno", "address", "copy"]);
  for (const [name, call] of Object.entries(real)) {
    if (typeof call !== "function" || harmless.has(name)) continue;
    table[name] = Object.assign((...args: unknown[]) => {
      calls.push(name);
      return (call as (...args: unknown[]) => unknown)(...args);
    }, call);
  }
  try {
    await run();
    return { calls, error: undefined };
  } catch (error) {
    return { calls, error };
  } finally {
    Object.assign(table, real);
  }
}

async function refused(what: string, run: () => unknown): Promise<void> {
  const { calls, error } = await systemCalls(run);
  assert.ok(
    error instanceof LocalProtocolError,
    `${what}: ${error instanceof Error ? error.stack : "accepted"}`,
  );
  assert.deepEqual(calls, [], what);
}

const show = (args: Args) =>
  args.map((value) => (typeof value === "number" ? `${value}` : JSON.stringify(value))).join(", ");

test("the table names every method", () => {
  const bases = new Set(
    members(({ value }) => typeof value === "function").map((name) => name.replace(/Sync$/, "")),
  );
  assert.deepEqual([...bases].sort(), Object.keys(methods).sort());
});

test("the table names every attribute that can be set", () => {
  const settable = members(({ set }) => set !== undefined);
  assert.deepEqual(
    settable.sort(),
    [...Object.keys(attributes), ...lenient].filter((name) => name !== "blocking").sort(),
  );
});

for (const [base, rows] of Object.entries(methods)) {
  if (rows === null) continue;
  for (const name of [base, `${base}Sync`]) {
    if (!(name in s.Socket.prototype)) continue;
    test(`${name} refuses ${rows.length} wrong arguments before any system call`, async () => {
      const type = /From|from|sendto|Many|Group/.test(name) ? s.SOCK_DGRAM : s.SOCK_STREAM;
      using socket = new s.Socket(s.AF_INET, type);
      const call = (socket as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
      for (const args of rows) await refused(`${name}(${show(args)})`, () => call?.apply(socket, [...args]));
    });
  }
}

for (const [name, values] of Object.entries(attributes)) {
  test(`${name} refuses what it cannot be before any system call`, async () => {
    using socket = new s.Socket(s.AF_INET, s.SOCK_DGRAM);
    for (const value of values) {
      await refused(`${name} = ${show([value])}`, () => {
        (socket as unknown as Record<string, unknown>)[name] = value;
      });
    }
  });
}

/** Functions that take arguments which can be wrong. */
const functions: Record<string, readonly Args[]> = {
  CMSG_LEN: notCounts,
  CMSG_SPACE: notCounts,
  createConnection: [
    ...wrongAddresses.filter(([address]) => address !== undefined),
    ...wait(["localhost", 9]),
  ],
  createConnectionSync: [
    ...wrongAddresses.filter(([address]) => address !== undefined),
    ...wait(["localhost", 9]),
  ],
  getaddrinfo: [
    ["a\0b", 1],
    ["localhost", 70_000],
    ["localhost", 1.5],
    [{}, 1],
    ["localhost", 1, { flags: "x" }],
    [`${"a".repeat(64)}.example`, 1],
  ],
  getaddrinfoSync: [
    ["a\0b", 1],
    ["localhost", 70_000],
    [{}, 1],
  ],
  getnameinfo: [[["127.0.0.1", 70_000]], [["127.0.0.1"]], ["x"], [["127.0.0.1", 1], "flags"]],
  gethostbyname: [["a\0b"], [7.5], [{}]],
  gethostbyaddr: [["a\0b"], [{}]],
  getservbyport: [[70_000], [-1], ["x"], [1.5]],
  getservbyname: [[7], ["a\0b"]],
  getprotobyname: [[7], ["a\0b"]],
  htons: [[-1], [65_536], [1.5], ["1"]],
  ntohs: [[-1], [65_536]],
  htonl: [[-1], [2 ** 32]],
  ntohl: [[-1], [2 ** 32]],
  ifNameToIndex: [["a\0b"], [7]],
  ifIndexToName: [[-1], ["1"], [1.5]],
  inetAton: [["300.1.1.1"], [7], ["1.2.3.4.5"]],
  inetNtoa: [[new Uint8Array(3)], ["x"]],
  inetPton: [
    [s.AF_INET, "1.2"],
    [s.AF_INET6, "::1%lo"],
    [99, "::"],
  ],
  inetNtop: [
    [s.AF_INET, new Uint8Array(3)],
    [s.AF_INET6, new Uint8Array(4)],
  ],
  packetControl: [
    [s.AF_INET, { ttl: 1.5 }],
    [s.AF_INET, { tos: 256 }],
    [s.AF_INET, { segmentBytes: 70_000 }],
  ],
  sethostname: [["a\0b"], [7]],
  socket: [["2"], [s.AF_INET, 1.5], [s.AF_INET, s.SOCK_STREAM, "6"], [null]],
  socketPair: [["1"], [s.AF_UNIX, 1.5]],
};

for (const [name, rows] of Object.entries(functions)) {
  test(`${name} refuses ${rows.length} wrong arguments before any system call`, async () => {
    const call = (s as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
    for (const args of rows) await refused(`${name}(${show(args)})`, () => call?.(...args));
  });
}

test("descriptors that are none are refused", async () => {
  for (const fd of [-1, 1.5, "3", null, 2 ** 40, Number.NaN])
    await refused(`fromFd(${fd})`, () => s.Socket.fromFd(fd as number));
  const [left, right] = s.socketPair();
  using _ = left;
  using __ = right;
  for (const fds of [[-1], ["3"], [1.5], new Array(254).fill(0)])
    await refused(`sendFds(${fds})`, () => s.sendFds(left, data, fds as number[]));
  await refused("recvFds", () => s.recvFds(left, 1, -1));
});

test("Unix paths that are too long or hold a NUL are refused", async () => {
  using socket = new s.Socket(s.AF_UNIX);
  for (const path of ["x".repeat(108), "a\0b", new Uint8Array(109), ["127.0.0.1", 80]])
    await refused(`bind(${show([path])})`, () => socket.bind(path as string));
});
