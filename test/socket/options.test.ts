/** Typed options: each is set, read back, and seen in the raw option that it stands for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError, SocketError } from "../../src/index.js";
import * as s from "../../src/socket/index.js";
import { bytes, closing, rejectsWith, tcpPair, text, throwsWith } from "./support.js";

type Raw = readonly [level: number, option: number];

interface OptionCase {
  readonly name: string;
  readonly raw: Raw;
  readonly values: readonly (number | boolean)[];
  readonly family?: s.Family;
  readonly type?: number;
}

const tcp = (name: string, option: number, ...values: (number | boolean)[]): OptionCase => ({
  name,
  raw: [s.IPPROTO_TCP, option],
  values,
});
const socketLevel = (name: string, option: number, ...values: (number | boolean)[]): OptionCase => ({
  name,
  raw: [s.SOL_SOCKET, option],
  values,
});
const ip = (name: string, option: number, ...values: (number | boolean)[]): OptionCase => ({
  name,
  raw: [s.IPPROTO_IP, option],
  values,
  type: s.SOCK_DGRAM,
});
const ip6 = (name: string, option: number, ...values: (number | boolean)[]): OptionCase => ({
  name,
  raw: [s.IPPROTO_IPV6, option],
  values,
  family: s.AF_INET6,
  type: s.SOCK_DGRAM,
});

const cases: readonly OptionCase[] = [
  socketLevel("reuseAddress", s.SO_REUSEADDR, true, false),
  socketLevel("reusePort", s.SO_REUSEPORT, true, false),
  socketLevel("broadcast", s.SO_BROADCAST, true, false),
  socketLevel("mark", s.SO_MARK, 7, 0),
  tcp("noDelay", s.TCP_NODELAY, true, false),
  tcp("cork", s.TCP_CORK, true, false),
  tcp("quickAck", s.TCP_QUICKACK, false, true),
  tcp("userTimeoutMs", s.TCP_USER_TIMEOUT, 12_345, 0),
  ip("ttl", s.IP_TTL, 1, 255),
  ip("tos", s.IP_TOS, 0xb8, 0),
  ip("freeBind", s.IP_FREEBIND, true, false),
  ip("receiveErrors", s.IP_RECVERR, true, false),
  ip("receivePacketInfo", s.IP_PKTINFO, true, false),
  ip("multicastTtl", s.IP_MULTICAST_TTL, 3, 1),
  ip("multicastLoop", s.IP_MULTICAST_LOOP, false, true),
  ip("multicastAll", s.IP_MULTICAST_ALL, false, true),
  ip6("ttl", s.IPV6_UNICAST_HOPS, 1, 255),
  ip6("tos", s.IPV6_TCLASS, 0xb8, 0),
  ip6("v6Only", s.IPV6_V6ONLY, true, false),
  ip6("receiveErrors", s.IPV6_RECVERR, true, false),
  ip6("receivePacketInfo", s.IPV6_RECVPKTINFO, true, false),
  ip6("multicastTtl", s.IPV6_MULTICAST_HOPS, 3, 1),
  ip6("multicastLoop", s.IPV6_MULTICAST_LOOP, false, true),
  ip6("multicastAll", s.IPV6_MULTICAST_ALL, false, true),
];

for (const { name, raw, values, family = s.AF_INET, type = s.SOCK_STREAM } of cases) {
  const kind = family === s.AF_INET6 ? "IPv6" : "IPv4";
  test(`${name} (${kind}) is the raw option`, () => {
    using socket = new s.Socket(family, type);
    const typed = socket as unknown as Record<string, number | boolean>;
    for (const value of values) {
      typed[name] = value;
      assert.equal(typed[name], value);
      assert.equal(socket.getsockopt(...raw), Number(value));
    }
  });
}

test("buffer sizes read as the effective size", () => {
  using socket = new s.Socket();
  socket.receiveBufferBytes = 50_000;
  socket.sendBufferBytes = 60_000;
  assert.equal(socket.receiveBufferBytes, 100_000);
  assert.equal(socket.sendBufferBytes, 120_000);
});

test("lingerSeconds: null, 0 and a number", () => {
  using socket = new s.Socket();
  for (const seconds of [5, 0, null]) {
    socket.lingerSeconds = seconds;
    assert.equal(socket.lingerSeconds, seconds);
  }
  throwsWith(() => {
    socket.lingerSeconds = -1;
  }, LocalProtocolError);
});

test("keepAlive: on, its three numbers, off", () => {
  using socket = new s.Socket();
  assert.equal(socket.keepAlive, null);
  socket.keepAlive = { idleSeconds: 30, intervalSeconds: 5, count: 4 };
  assert.deepEqual(socket.keepAlive, { idleSeconds: 30, intervalSeconds: 5, count: 4 });
  assert.equal(socket.getsockopt(s.IPPROTO_TCP, s.TCP_KEEPIDLE), 30);
  socket.keepAlive = false;
  assert.equal(socket.keepAlive, null);
});

test("congestion names the algorithm; an unknown one is an error", () => {
  using socket = new s.Socket();
  socket.congestion = "reno";
  assert.equal(socket.congestion, "reno");
  assert.throws(() => {
    socket.congestion = "no-such-algorithm";
  }, SocketError);
});

test("bindToDevice lo, and back", () => {
  using socket = new s.Socket(s.AF_INET, s.SOCK_DGRAM);
  assert.equal(socket.bindToDevice, null);
  socket.bindToDevice = "lo";
  assert.equal(socket.bindToDevice, "lo");
  socket.bindToDevice = null;
  assert.equal(socket.bindToDevice, null);
});

test("ecn are the lower bits of tos, and leave the others alone", () => {
  using socket = new s.Socket(s.AF_INET, s.SOCK_DGRAM);
  socket.tos = 0xb8;
  socket.ecn = 2;
  assert.deepEqual([socket.tos, socket.ecn], [0xba, 2]);
  throwsWith(() => {
    socket.ecn = 4;
  }, LocalProtocolError);
});

test("freeBind binds an address that no interface has", async () => {
  using socket = new s.Socket(s.AF_INET, s.SOCK_DGRAM);
  await rejectsWith(socket.bind(["192.0.2.1", 0]), SocketError, "EADDRNOTAVAIL");
  socket.freeBind = true;
  await socket.bind(["192.0.2.1", 0]);
  assert.equal(socket.getsockname()[0], "192.0.2.1");
});

test("transparent needs the right, and then reads back", (t) => {
  using socket = new s.Socket();
  try {
    socket.transparent = true;
  } catch (error) {
    assert.equal((error as SocketError).code, "EPERM");
    return t.skip("no CAP_NET_ADMIN here");
  }
  assert.equal(socket.transparent, true);
});

test("fastOpen: a listener's queue, and the first write in the SYN", async () => {
  using listener = new s.Socket();
  listener.bindSync(["127.0.0.1", 0]);
  listener.listen();
  listener.fastOpen = 16;
  assert.equal(listener.getsockopt(s.IPPROTO_TCP, s.TCP_FASTOPEN), 16);
  using client = new s.Socket();
  client.fastOpen = true;
  assert.equal(client.fastOpen, true);
  await client.connect(listener.getsockname());
  await client.sendall(bytes("early"));
  const [server] = await listener.accept({ timeoutMs: 5000 });
  using _ = server;
  assert.equal(text(await server.recv(16, { timeoutMs: 5000 })), "early");
});

test("tcpInfo tells the state and counts the bytes", async () => {
  const [client, server] = await tcpPair();
  using _ = closing(client, server);
  await client.sendall(bytes("0123456789"));
  assert.equal((await server.recv(16)).length, 10);
  const info = server.tcpInfo();
  assert.equal(info.state, s.TCP_ESTABLISHED);
  assert.equal(info.bytesReceived, 10);
  assert.ok((info.rttMicroseconds ?? 0) > 0);
  assert.ok((info.sendMssBytes ?? 0) > 500);
});

test("raw options: bytes in and out, and an unknown one is ENOPROTOOPT", () => {
  using socket = new s.Socket();
  socket.setsockopt(s.SOL_SOCKET, s.SO_RCVBUF, new Uint8Array(Int32Array.of(30_000).buffer));
  const got = socket.getsockopt(s.SOL_SOCKET, s.SO_RCVBUF, 4);
  assert.equal(new DataView(got.buffer, got.byteOffset).getInt32(0, true), 60_000);
  throwsWith(() => socket.getsockopt(s.SOL_SOCKET, 31_337), SocketError, "ENOPROTOOPT");
  throwsWith(() => socket.getsockopt(s.SOL_SOCKET, s.SO_RCVBUF, 1025), LocalProtocolError);
});

test("options of another family say so", () => {
  using socket = new s.Socket(s.AF_UNIX);
  assert.throws(() => socket.ttl, SocketError);
  assert.throws(() => socket.noDelay, SocketError);
});
