/** What rides beside datagrams: addresses, interfaces, TTL and TOS in both directions, and the error queue. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalProtocolError, RefusedError, SocketError, WouldBlockError } from "../../src/core/errors.js";
import {
  AF_INET,
  AF_INET6,
  type AncillaryItem,
  CMSG_SPACE,
  extendedError,
  type Family,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_RECVERR,
  ifNameToIndex,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  type PacketControl,
  type PacketInfo,
  packetControl,
  packetInfo,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  Socket,
} from "../../src/socket/index.js";
import { noIpv6 } from "./cpython/forms.js";

const timeout = 20_000;
const waitMs = 10_000;
const loopback = ifNameToIndex("lo");
const payload = new TextEncoder().encode("payload");

/** One end: a UDP socket bound to `host`. */
class End implements Disposable {
  readonly socket: Socket;

  constructor(host: string, family: Family = host.includes(":") ? AF_INET6 : AF_INET) {
    this.socket = new Socket<Family>(family, SOCK_DGRAM);
    this.socket.timeoutMs = waitMs;
    if (host === "::") this.socket.v6Only = false;
    this.socket.bindSync([host, 0]);
  }

  get port(): number {
    return Number((this.socket.getsockname() as unknown[])[1]);
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** A port of 127.0.0.1 or ::1 where nobody listens. */
function closedPort(host: string): number {
  using end = new End(host);
  return end.port;
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof SocketError && error.code === code;
}

const families = [
  {
    name: "IPv4",
    family: AF_INET as Family,
    host: "127.0.0.1",
    any: "0.0.0.0",
    level: IPPROTO_IP,
    skip: false,
  },
  { name: "IPv6", family: AF_INET6 as Family, host: "::1", any: "::", level: IPPROTO_IPV6, skip: noIpv6 },
];

for (const { name, family, host, any, level, skip } of families) {
  describe(`a received datagram, ${name}`, { timeout, skip }, () => {
    test("tells destination, interface, TTL, TOS and ECN", async () => {
      using receiver = new End(any);
      using sender = new End(host);
      receiver.socket.receivePacketInfo = true;
      assert.equal(receiver.socket.receivePacketInfo, true);
      for (const ecn of [0, 1, 2, 3]) {
        sender.socket.ttl = 30 + ecn;
        sender.socket.tos = 0xb8 | ecn;
        const want = { destination: host, interfaceIndex: loopback, ttl: 30 + ecn, tos: 0xb8 | ecn, ecn };
        for (const receive of [
          () => receiver.socket.recvmsg(),
          async () => receiver.socket.recvmsgSync(),
          async () => (await receiver.socket.recvMany(1, { ancillary: true }))[0],
        ]) {
          await sender.socket.sendto(payload, [host, receiver.port]);
          const message = await receive();
          assert.deepEqual(message?.data, payload);
          assert.equal(message.flags, 0);
          assert.deepEqual(packetInfo(message.ancillary), want);
        }
      }
    });

    test("tells nothing unless asked, and no more when that is taken back", async () => {
      using receiver = new End(any);
      using sender = new End(host);
      for (const asked of [false, true, false]) {
        receiver.socket.receivePacketInfo = asked;
        assert.equal(receiver.socket.receivePacketInfo, asked);
        await sender.socket.sendto(payload, [host, receiver.port]);
        const { ancillary } = await receiver.socket.recvmsg();
        assert.equal(ancillary.length > 0, asked);
        assert.equal(packetInfo(ancillary).destination, asked ? host : undefined);
      }
    });

    test("with too little room tells only what came whole", async () => {
      using receiver = new End(any);
      using sender = new End(host);
      receiver.socket.receivePacketInfo = true;
      sender.socket.ttl = 33;
      sender.socket.tos = 0x2e;
      const receive = async (room: number) => {
        await sender.socket.sendto(payload, [host, receiver.port]);
        return receiver.socket.recvmsg(64, room);
      };
      const { ancillary } = await receive(512);
      const whole: PacketInfo = packetInfo(ancillary);
      const wholeBytes = ancillary.reduce((sum, { data }) => sum + CMSG_SPACE(data.length), 0);
      let fewest = Number.POSITIVE_INFINITY;
      for (let room = wholeBytes; room >= 0; room -= 1) {
        const message = await receive(room);
        const info = packetInfo(message.ancillary);
        for (const [field, value] of Object.entries(info)) {
          assert.equal(value, whole[field as keyof PacketInfo], `${field} with room for ${room}`);
        }
        const count = Object.keys(info).length;
        assert.ok(count <= fewest, `${count} fields with room for ${room}, ${fewest} with more`);
        if (count < 5) assert.equal(message.flags & MSG_CTRUNC, MSG_CTRUNC, `room ${room}`);
        fewest = count;
      }
      assert.equal(Object.keys(whole).length, 5);
      assert.equal(fewest, 0);
    });
  });

  describe(`a datagram to be sent, ${name}`, { timeout, skip }, () => {
    /** What the receiver sees of one that was sent under `control`. */
    async function seen(control: PacketControl): Promise<PacketInfo & { from: unknown }> {
      using receiver = new End(any);
      using sender = new End(any);
      receiver.socket.receivePacketInfo = true;
      const items = packetControl(family, control);
      await sender.socket.sendmsg(payload, items, [host, receiver.port]);
      const message = await receiver.socket.recvmsg();
      await sender.socket.sendMany([{ data: payload, ancillary: items, address: [host, receiver.port] }]);
      assert.deepEqual(
        packetInfo((await receiver.socket.recvmsg()).ancillary),
        packetInfo(message.ancillary),
      );
      assert.deepEqual(message.data, payload);
      return { ...packetInfo(message.ancillary), from: (message.address as unknown[])[0] };
    }

    test("goes with the TTL and TOS asked for, this once", async () => {
      for (const ecn of [0, 1, 2, 3]) {
        const { ttl, tos, ecn: bits } = await seen({ ttl: 7 + ecn, tos: 0x68 | ecn });
        assert.deepEqual({ ttl, tos, bits }, { ttl: 7 + ecn, tos: 0x68 | ecn, bits: ecn });
      }
      const { ttl, tos } = await seen({});
      assert.deepEqual({ ttl, tos }, { ttl: 64, tos: 0 });
    });

    test("goes by the interface asked for, by name, index or address", async () => {
      for (const where of ["lo", loopback, host]) {
        assert.equal((await seen({ interface: where })).interfaceIndex, loopback);
        assert.equal((await seen({ interface: where, source: host })).from, host);
      }
      const unknown = packetControl(family, { interface: 0x7ffffff0 });
      using sender = new End(any);
      await assert.rejects(
        () => sender.socket.sendmsg(payload, unknown, [host, 9]),
        (error) => error instanceof SocketError,
      );
    });

    test("from an address that is not this machine's is refused", async () => {
      using sender = new End(any);
      const items = packetControl(family, { source: family === AF_INET ? "192.0.2.1" : "2001:db8::1" });
      await assert.rejects(
        () => sender.socket.sendmsg(payload, items, [host, 9]),
        (error) => error instanceof SocketError,
      );
    });

    test("is refused before it is sent when a number is none", () => {
      for (const control of [
        { ttl: 256 },
        { ttl: -1 },
        { ttl: 1.5 },
        { ttl: Number.NaN },
        { tos: 256 },
        { tos: -1 },
        { tos: 0.5 },
        { segmentBytes: 70_000 },
        { segmentBytes: -1 },
        { interface: -1 },
        { source: "localhost" },
        { source: family === AF_INET ? "::1" : "127.0.0.1" },
      ]) {
        assert.throws(() => packetControl(family, control), LocalProtocolError, JSON.stringify(control));
      }
    });

    test("with a TTL of 0 is refused by the kernel, or stays on this machine", async () => {
      const items = packetControl(family, { ttl: 0 });
      using receiver = new End(any);
      using sender = new End(any);
      const sent = sender.socket.sendmsg(payload, items, [host, receiver.port]);
      if (family === AF_INET) await assert.rejects(sent, hasCode("EINVAL"));
      else assert.equal(await sent, payload.length);
    });
  });

  describe(`the error queue, ${name}`, { timeout, skip }, () => {
    const icmp =
      family === AF_INET
        ? { origin: SO_EE_ORIGIN_ICMP, type: 3, code: 3 }
        : { origin: SO_EE_ORIGIN_ICMP6, type: 1, code: 4 };

    /** What a refusal from `port` looks like. */
    function checkRefusal(message: Awaited<ReturnType<Socket["recvmsg"]>>, port: number): void {
      assert.deepEqual(message.data, payload, "the datagram that was refused");
      assert.deepEqual((message.address as unknown[]).slice(0, 2), [host, port], "where it was sent to");
      assert.equal(message.flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
      const { offender, ...cause } = extendedError(message.ancillary) ?? assert.fail("no cause");
      assert.deepEqual(cause, { errno: 111, ...icmp, info: 0, data: 0 });
      assert.equal((offender as unknown[])[0], host);
    }

    test("tells which datagram nobody wanted, and why: a wait is woken", async () => {
      using sender = new End(host);
      assert.equal(sender.socket.receiveErrors, false);
      sender.socket.receiveErrors = true;
      assert.equal(sender.socket.receiveErrors, true);
      for (const port of [closedPort(host), closedPort(host)]) {
        const waiting = sender.socket.recvmsg(64, 512, MSG_ERRQUEUE);
        await sender.socket.sendto(payload, [host, port]);
        checkRefusal(await waiting, port);
      }
    });

    test("is read by recvmsgSync and recvmsgInto as well", async () => {
      using sender = new End(host);
      sender.socket.receiveErrors = true;
      const port = closedPort(host);
      await sender.socket.sendto(payload, [host, port]);
      checkRefusal(sender.socket.recvmsgSync(64, 512, MSG_ERRQUEUE), port);
      await sender.socket.sendto(payload, [host, port]);
      const data = new Uint8Array(payload.length);
      checkRefusal({ data, ...(await sender.socket.recvmsgInto([data], 512, MSG_ERRQUEUE)) }, port);
    });

    test("fails the next call of an unconnected socket, which then works again", async () => {
      using sender = new End(host);
      using receiver = new End(host);
      sender.socket.receiveErrors = true;
      const waiting = sender.socket.recv(64);
      await sender.socket.sendto(payload, [host, closedPort(host)]);
      await assert.rejects(waiting, RefusedError);
      await sender.socket.recvmsg(64, 512, MSG_ERRQUEUE);
      const empty = sender.socket.recvmsg(64, 512, MSG_ERRQUEUE | MSG_DONTWAIT);
      await assert.rejects(empty, WouldBlockError);
      await sender.socket.sendto(payload, [host, receiver.port]);
      assert.deepEqual(await receiver.socket.recv(64), payload);
    });

    test("unasked for, an unconnected socket hears of nothing", async () => {
      using sender = new End(host);
      await sender.socket.sendto(payload, [host, closedPort(host)]);
      await sender.socket.sendto(payload, [host, sender.port]);
      assert.deepEqual(await sender.socket.recv(64), payload);
      assert.throws(() => sender.socket.recvmsgSync(64, 512, MSG_ERRQUEUE | MSG_DONTWAIT), WouldBlockError);
    });

    test("with too little room gives no cause rather than half of one", async () => {
      using sender = new End(host);
      sender.socket.receiveErrors = true;
      for (let room = 0; room < CMSG_SPACE(16); room += 1) {
        await sender.socket.sendto(payload, [host, closedPort(host)]);
        const message = await sender.socket.recvmsg(64, room, MSG_ERRQUEUE);
        const cause = extendedError(message.ancillary);
        if (cause !== undefined) assert.equal(cause.errno, 111, `room ${room}`);
        else assert.equal(message.flags & MSG_CTRUNC, MSG_CTRUNC, `room ${room}`);
      }
      assert.equal(extendedError([]), undefined);
      const type = family === AF_INET ? IP_RECVERR : IPV6_RECVERR;
      assert.equal(extendedError([{ level, type, data: new Uint8Array(15) }]), undefined);
    });
  });
}

describe("a machine with several addresses", { timeout }, () => {
  /** Asks `host` from a socket that hears nobody else, answers from there, and returns what the answer came from. */
  async function asks(server: End, host: string, answer: (question: Question) => Promise<unknown>) {
    using client = new End("127.0.0.1");
    await client.socket.connect([host, server.port]);
    await client.socket.send(payload);
    const { ancillary, address } = await server.socket.recvmsg();
    await answer({ ancillary, address: address as [string, number] });
    return await client.socket.recvmsg();
  }

  interface Question {
    readonly ancillary: readonly AncillaryItem[];
    readonly address: [string, number];
  }

  for (const any of ["0.0.0.0", "::"]) {
    test(`answers from the one that was asked, on ${any}`, { skip: any === "::" && noIpv6 }, async () => {
      using server = new End(any);
      server.socket.receivePacketInfo = true;
      const { family } = server.socket;
      for (const host of ["127.0.0.1", "127.0.0.2", "127.1.2.3"]) {
        const control = ({ ancillary }: Question) => {
          const { destination = "" } = packetInfo(ancillary);
          assert.equal(destination, any === "::" ? `::ffff:${host}` : host);
          return packetControl(family, { source: destination });
        };
        const answers: ((question: Question) => Promise<unknown>)[] = [
          (question) => server.socket.sendmsg(payload, control(question), question.address),
          async (question) => server.socket.sendmsgSync(payload, control(question), question.address),
          (question) =>
            server.socket.sendMany([
              { data: payload, ancillary: control(question), address: question.address },
            ]),
        ];
        for (const answer of answers) {
          const message = await asks(server, host, answer);
          assert.deepEqual(message.data, payload);
          assert.deepEqual(message.address, [host, server.port]);
        }
      }
    });
  }

  test("without a source the kernel picks another, and the asker never hears", async () => {
    using server = new End("0.0.0.0");
    using client = new End("127.0.0.1");
    await client.socket.connect(["127.0.0.2", server.port]);
    await client.socket.send(payload);
    const [, address] = await server.socket.recvfrom(64);
    await server.socket.sendto(payload, address);
    assert.throws(() => client.socket.recvSync(64, MSG_DONTWAIT), WouldBlockError);
  });

  test("an IPv6 socket that serves IPv4 tells TTL and TOS of both, and sets them", {
    skip: noIpv6,
  }, async () => {
    using server = new End("::");
    server.socket.receivePacketInfo = true;
    for (const host of ["127.0.0.1", "::1"]) {
      using client = new End(host);
      client.socket.receivePacketInfo = true;
      client.socket.ttl = 21;
      client.socket.tos = 0x2d;
      await client.socket.sendto(payload, [host, server.port]);
      const { ancillary, address } = await server.socket.recvmsg();
      const { ttl, tos, ecn } = packetInfo(ancillary);
      assert.deepEqual({ ttl, tos, ecn }, { ttl: 21, tos: 0x2d, ecn: 1 }, host);
      const items = packetControl(AF_INET6, { ttl: 22, tos: 0x2e });
      await server.socket.sendmsg(payload, items, address);
      const answer = packetInfo((await client.socket.recvmsg()).ancillary);
      assert.deepEqual({ ttl: answer.ttl, tos: answer.tos }, { ttl: 22, tos: 0x2e }, host);
    }
  });
});

describe("receivePacketInfo", { timeout }, () => {
  const kinds = [
    { name: "TCP", type: SOCK_STREAM, protocol: 0 },
    { name: "UDP-Lite", type: SOCK_DGRAM, protocol: IPPROTO_UDPLITE },
    { name: "raw", type: SOCK_RAW, protocol: IPPROTO_UDP },
  ];
  for (const { name, type, protocol } of kinds) {
    for (const { name: version, family } of families) {
      test(`may be asked of ${name} over ${version}`, (context) => {
        let socket: Socket;
        try {
          socket = new Socket(family, type, protocol);
        } catch (error) {
          return context.skip(`no such socket on this machine: ${(error as Error).message}`);
        }
        try {
          socket.receivePacketInfo = true;
          assert.equal(socket.receivePacketInfo, true);
        } finally {
          socket.close();
        }
      });
    }
  }
});

describe("packetInfo", () => {
  test("leaves out what it does not know and what is too short", () => {
    assert.deepEqual(packetInfo([]), {});
    assert.deepEqual(
      packetInfo([
        { level: 1, type: 2, data: new Uint8Array(20) },
        { level: IPPROTO_IPV6, type: IPV6_PKTINFO, data: new Uint8Array(19) },
        { level: IPPROTO_IPV6, type: IPV6_HOPLIMIT, data: Uint8Array.of(9, 0, 0, 0) },
      ]),
      { ttl: 9 },
    );
  });

  test("reads data that stand at any offset of a larger buffer", () => {
    const data = new Uint8Array(16).fill(255, 0, 3).fill(0, 3);
    data[3] = 9;
    assert.deepEqual(packetInfo([{ level: IPPROTO_IPV6, type: IPV6_HOPLIMIT, data: data.subarray(3, 7) }]), {
      ttl: 9,
    });
  });
});
