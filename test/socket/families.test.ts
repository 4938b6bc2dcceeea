/** Domains and types beyond TCP and UDP: what this kernel opens works, what it lacks says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketError } from "../../src/index.js";
import * as s from "../../src/socket/index.js";
import { bytes, closing, deadlineMs, limited, text, throwsWith, unixPair } from "./support.js";

/** The socket, or undefined where this process or kernel may not have it: the test is skipped with the reason. */
function opened<F extends s.Family>(
  t: { skip(reason: string): void },
  ...how: [family: F, type: number, protocol?: number]
): s.Socket<F> | undefined {
  try {
    return limited(new s.Socket(...how));
  } catch (error) {
    assert.ok(error instanceof SocketError);
    t.skip(error.message);
    return undefined;
  }
}

test("a domain that the kernel lacks is a SocketError that says so", () => {
  const error = throwsWith(() => new s.Socket(s.AF_X25, s.SOCK_SEQPACKET), SocketError, "EAFNOSUPPORT");
  assert.match(error.message, /socket.*EAFNOSUPPORT.*kernel/);
});

test("a protocol that the domain lacks says so as well", () => {
  throwsWith(() => new s.Socket(s.AF_INET, s.SOCK_STREAM, s.IPPROTO_UDP), SocketError, "EPROTONOSUPPORT");
});

test("SOCK_SEQPACKET keeps records apart", async () => {
  const [left, right] = unixPair(s.SOCK_SEQPACKET);
  using _ = closing(left, right);
  await left.send(bytes("one"));
  await left.send(bytes("two"));
  assert.deepEqual([text(await right.recv(100)), text(await right.recv(100))], ["one", "two"]);
});

test("UDP-Lite carries datagrams", async (t) => {
  using one = opened(t, s.AF_INET, s.SOCK_DGRAM, s.IPPROTO_UDPLITE);
  using two = one && opened(t, s.AF_INET, s.SOCK_DGRAM, s.IPPROTO_UDPLITE);
  if (one === undefined || two === undefined) return;
  await one.bind(["127.0.0.1", 0]);
  await two.sendto(bytes("light"), one.getsockname());
  assert.equal(text(await one.recv(10)), "light");
});

test("Multipath TCP connects over loopback", async (t) => {
  using listener = opened(t, s.AF_INET, s.SOCK_STREAM, s.IPPROTO_MPTCP);
  using client = listener && opened(t, s.AF_INET, s.SOCK_STREAM, s.IPPROTO_MPTCP);
  if (listener === undefined || client === undefined) return;
  await listener.bind(["127.0.0.1", 0]);
  listener.listen();
  await client.connect(listener.getsockname());
  const [server] = await listener.accept();
  using _ = server;
  await client.sendall(bytes("many paths"));
  assert.equal(text(await server.recv(100, { timeoutMs: 5000 })), "many paths");
});

/** An ICMP or ICMPv6 echo request: type, code 0, checksum, identifier, sequence number (RFC 792, RFC 4443 section 4.1). */
function echoRequest(type: number, identifier: number): Uint8Array {
  const packet = new Uint8Array(16);
  const view = new DataView(packet.buffer);
  view.setUint8(0, type);
  view.setUint16(4, identifier);
  view.setUint16(6, 1);
  let sum = 0;
  for (let at = 0; at < packet.length; at += 2) sum += view.getUint16(at);
  view.setUint16(2, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  return packet;
}

for (const [name, family, protocol, host, request, reply, headerBytes] of [
  ["ICMP", s.AF_INET, s.IPPROTO_ICMP, "127.0.0.1", 8, 0, 20],
  ["ICMPv6", s.AF_INET6, s.IPPROTO_ICMPV6, "::1", 128, 129, 0],
] as const) {
  test(`a raw ${name} echo over loopback is answered`, async (t) => {
    using raw = opened(t, family, s.SOCK_RAW, protocol);
    if (raw === undefined) return;
    const identifier = process.pid & 0xffff;
    await raw.sendto(echoRequest(request, identifier), [host, 0]);
    for (;;) {
      // A raw socket hears its own request too, and those of others.
      const packet = (await raw.recv(1500)).subarray(headerBytes);
      const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
      if (view.getUint8(0) === reply && view.getUint16(4) === identifier) break;
    }
  });
}

test("AF_PACKET sees a datagram pass the loopback interface", async (t) => {
  using link = opened(t, s.AF_PACKET, s.SOCK_DGRAM, s.htons(s.ETH_P_IP));
  if (link === undefined) return;
  await link.bind(["lo", s.ETH_P_IP]);
  using udp = new s.Socket(s.AF_INET, s.SOCK_DGRAM);
  const mark = `seen on the link ${process.pid}`;
  const endMs = performance.now() + deadlineMs;
  // On a busy link the socket's buffer overflows: the datagram is sent until it is seen.
  for (let seen = false; !seen && performance.now() < endMs; ) {
    await udp.sendto(bytes(mark), ["127.0.0.1", 9]);
    for (let count = 0; count < 16 && !seen; count += 1) {
      const received: [Uint8Array, unknown] = await link.recvfrom(2048);
      assert.ok(received[1] instanceof Uint8Array, "the bytes of a struct sockaddr_ll");
      seen = Buffer.from(received[0]).includes(mark);
    }
    if (seen) return;
  }
  assert.fail("the datagram was not seen");
});

test("AF_NETLINK lists the interfaces (RTM_GETLINK)", async (t) => {
  using route = opened(t, s.AF_NETLINK, s.SOCK_RAW, s.NETLINK_ROUTE);
  if (route === undefined) return;
  await route.bind([0, 0]);
  assert.equal(route.getsockname().length, 2);
  // struct nlmsghdr { u32 len; u16 type; u16 flags; u32 seq; u32 pid }, then struct ifinfomsg of 16 bytes.
  const request = new Uint8Array(32);
  const view = new DataView(request.buffer);
  view.setUint32(0, request.length, true);
  view.setUint16(4, 18, true); // RTM_GETLINK
  view.setUint16(6, 0x301, true); // NLM_F_REQUEST | NLM_F_DUMP
  await route.sendto(request, [0, 0]);
  const [answer, from] = await route.recvfrom(65_536);
  assert.deepEqual(from, [0, 0]);
  assert.equal(new DataView(answer.buffer, answer.byteOffset).getUint16(4, true), 16, "RTM_NEWLINK");
  assert.ok(Buffer.from(answer).includes("lo\0"));
});

test("AF_VSOCK opens, or says why not", (t) => {
  using socket = opened(t, s.AF_VSOCK, s.SOCK_STREAM);
  if (socket === undefined) return;
  socket.bindSync([s.VMADDR_CID_ANY, s.VMADDR_PORT_ANY]);
  const [cid, port] = socket.getsockname();
  assert.equal(cid, s.VMADDR_CID_ANY);
  assert.ok(port > 0);
});
