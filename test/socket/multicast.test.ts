/** Multicast on the loopback interface: groups by interface, by source, and nobody else's packets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineError, LocalProtocolError, SocketError } from "../../src/index.js";
import { AF_INET, AF_INET6, type AfInet, ifNameToIndex, SOCK_DGRAM, Socket } from "../../src/socket/index.js";
import { bytes, limited, rejectsWith, text, throwsWith } from "./support.js";

const loopback = ifNameToIndex("lo");

/** A socket that hears what is sent to its port, whatever the group. */
function receiver(): Socket<AfInet> {
  const socket = limited(new Socket(AF_INET, SOCK_DGRAM));
  socket.reuseAddress = true;
  socket.bindSync(["", 0]);
  return socket;
}

function sender(): Socket<AfInet> {
  const socket = limited(new Socket(AF_INET, SOCK_DGRAM));
  socket.bindSync(["127.0.0.1", 0]);
  socket.multicastInterface = "lo";
  return socket;
}

async function hears(socket: Socket<AfInet>): Promise<string | undefined> {
  try {
    return text(await socket.recv(100, { timeoutMs: 200 }));
  } catch (error) {
    if (error instanceof DeadlineError) return undefined;
    throw error;
  }
}

for (const where of ["lo", loopback, "127.0.0.1"]) {
  test(`a group joined on ${where} is heard until it is left`, async () => {
    using member = receiver();
    using source = sender();
    const port = member.getsockname()[1];
    member.joinGroup("239.7.7.1", { interface: where });
    await source.sendto(bytes("one"), ["239.7.7.1", port]);
    assert.equal(await hears(member), "one");
    member.leaveGroup("239.7.7.1", { interface: where });
    await source.sendto(bytes("two"), ["239.7.7.1", port]);
    assert.equal(await hears(member), undefined);
  });
}

test("multicastAll = false keeps the packets of other members' groups away", async () => {
  using other = receiver();
  other.joinGroup("239.7.7.2", { interface: "lo" });
  using source = sender();
  const port = other.getsockname()[1];
  using listening = limited(new Socket(AF_INET, SOCK_DGRAM));
  listening.reuseAddress = true;
  listening.bindSync(["", port]);
  await source.sendto(bytes("theirs"), ["239.7.7.2", port]);
  assert.equal(await hears(listening), "theirs", "Linux delivers it by default");
  listening.multicastAll = false;
  await source.sendto(bytes("theirs too"), ["239.7.7.2", port]);
  assert.equal(await hears(listening), undefined);
});

test("a source-specific membership hears that source alone (RFC 4607)", async () => {
  using member = receiver();
  const port = member.getsockname()[1];
  member.multicastAll = false;
  member.joinGroup("232.7.7.3", { interface: "lo", source: "127.0.0.5" });
  using stranger = sender();
  await stranger.sendto(bytes("stranger"), ["232.7.7.3", port]);
  using wanted = limited(new Socket(AF_INET, SOCK_DGRAM));
  wanted.bindSync(["127.0.0.5", 0]);
  wanted.multicastInterface = "lo";
  await wanted.sendto(bytes("wanted"), ["232.7.7.3", port]);
  assert.equal(await hears(member), "wanted");
  assert.equal(await hears(member), undefined);
  member.leaveGroup("232.7.7.3", { interface: "lo", source: "127.0.0.5" });
});

test("an IPv6 group on the loopback interface", async (t) => {
  using member = limited(new Socket(AF_INET6, SOCK_DGRAM));
  await member.bind(["::", 0]);
  member.joinGroup("ff11::7", { interface: "lo" });
  using source = limited(new Socket(AF_INET6, SOCK_DGRAM));
  source.multicastInterface = "lo";
  throwsWith(() => member.joinGroup("ff11::7", { interface: "lo" }), SocketError, "EADDRINUSE");
  try {
    await source.sendto(bytes("six"), ["ff11::7", member.getsockname()[1], 0, loopback]);
    assert.equal(text(await member.recv(10)), "six");
  } catch (error) {
    if ((error as SocketError).code !== "ENETUNREACH") throw error;
    t.diagnostic("joined and left; nothing sent, for lo has no route for IPv6 multicast here");
  }
  member.leaveGroup("ff11::7", { interface: "lo" });
  throwsWith(() => member.leaveGroup("ff11::7", { interface: "lo" }), SocketError, "EADDRNOTAVAIL");
});

test("wrong groups and interfaces are clear errors", () => {
  using socket = receiver();
  throwsWith(() => socket.joinGroup("not-a-group.example"), LocalProtocolError);
  assert.throws(() => socket.joinGroup("239.7.7.5", { interface: "no-such-interface" }), SocketError);
  assert.throws(() => socket.joinGroup("127.0.0.1", { interface: "lo" }), SocketError);
});

test("sending to a group that cannot be reached is an error, not silence", async () => {
  using socket = limited(new Socket(AF_INET, SOCK_DGRAM));
  await rejectsWith(socket.sendto(bytes("x"), ["239.7.7.6", 0]), SocketError);
});
