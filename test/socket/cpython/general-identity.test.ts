/** CPython's GeneralModuleTests: what a socket is, how it shows, and whose its descriptor is. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { inspect } from "node:util";
import { LocalProtocolError, SocketError } from "../../../src/core/errors.js";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  type Family,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Socket,
  type SocketFile,
  socket,
} from "../../../src/socket/index.js";
import { bytes, rejectsWith, temporaryPath, throwsWith } from "../support.js";
import { call, collectUntil, noIpv6, port, portForms } from "./forms.js";

port("GeneralModuleTests.test_SocketType_is_socketobject", () => {
  using made = socket();
  assert.ok(made instanceof Socket);
  assert.equal(made.constructor, Socket);
});

port("GeneralModuleTests.test_repr", () => {
  using made = new Socket(AF_INET, SOCK_STREAM);
  const identity = "family: AF_INET, type: SOCK_STREAM, protocol: 0";
  assert.match(inspect(made), new RegExp(`^Socket \\{ fd: ${made.fileno()}, ${identity}`));
  assert.doesNotMatch(inspect(made), /remote/);
  made.bindSync(["127.0.0.1", 0]);
  assert.ok(inspect(made).includes(`local: 127.0.0.1:${made.getsockname()[1]} }`), inspect(made));
  using peer = new Socket();
  made.listen();
  peer.connectSync(made.getsockname());
  assert.ok(inspect(peer).includes(`remote: 127.0.0.1:${made.getsockname()[1]} }`), inspect(peer));
  made.close();
  assert.equal(inspect(made), `Socket { closed, ${identity} }`);
});

port(
  "GeneralModuleTests.test_csocket_repr",
  () => {
    using made = new Socket(AF_UNIX, SOCK_DGRAM);
    const identity = "family: AF_UNIX, type: SOCK_DGRAM, protocol: 0";
    assert.equal(inspect(made), `Socket { fd: ${made.fileno()}, ${identity}, local: "" }`);
    made.close();
    assert.equal(inspect(made), `Socket { closed, ${identity} }`);
  },
  { note: "there is one class of sockets, not one beneath another" },
);

port("GeneralModuleTests.test_weakref", async () => {
  const weak = (() => {
    using made = new Socket();
    const reference = new WeakRef(made);
    assert.equal(reference.deref()?.fileno(), made.fileno());
    return reference;
  })();
  await collectUntil(() => weak.deref() === undefined, "the socket is collected");
});

port(
  "GeneralModuleTests.test_socket_methods",
  () => {
    const waiting = ["accept", "bind", "connect", "connectEx", "recvfrom", "recvfromInto", "sendto"];
    const others = ["getpeername", "getsockname", "listen", "setsockopt", "shutdown"];
    for (const name of [...waiting, ...waiting.map((each) => `${each}Sync`), ...others]) {
      assert.equal(typeof Reflect.get(Socket.prototype, name), "function", name);
    }
  },
  { note: "and the Sync twin of each that waits" },
);

portForms("GeneralModuleTests.testSendAfterClose", async (form) => {
  const made = new Socket();
  made.timeoutMs = 1000;
  made.close();
  await rejectsWith(call(form, made, "send", bytes("spam")), SocketError, "EBADF");
});

port("GeneralModuleTests.testCloseException", () => {
  const made = new Socket();
  made.bindSync(["127.0.0.1", 0]);
  Socket.fromFd(made.fileno()).close();
  throwsWith(() => made.close(), SocketError, "EBADF");
  assert.ok(made.closed);
});

port(
  "GeneralModuleTests.test_socket_close",
  () => {
    const made = new Socket();
    made.bindSync(["127.0.0.1", 0]);
    closeSync(made.fileno());
    throwsWith(() => made.listen(1), SocketError, "EBADF");
    throwsWith(() => made.close(), SocketError, "EBADF");
    throwsWith(() => Socket.fromFd(null as unknown as number), LocalProtocolError);
    throwsWith(() => Socket.fromFd(-1), LocalProtocolError);
  },
  { note: "Node's closeSync stands for Python's socket.close" },
);

port("GeneralModuleTests.testNewAttributes", () => {
  using made = new Socket(AF_INET, SOCK_STREAM);
  assert.deepEqual([made.family, made.type, made.protocol], [AF_INET, SOCK_STREAM, 0]);
});

port("GeneralModuleTests.test_socket_consistent_sock_type", () => {
  using made = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  assert.equal(made.type, SOCK_STREAM);
  for (const timeoutMs of [1000, 0]) {
    made.timeoutMs = timeoutMs;
    assert.equal(made.type, SOCK_STREAM);
  }
  for (const blocking of [true, false]) {
    made.setblocking(blocking);
    assert.equal(made.type, SOCK_STREAM);
  }
});

port(
  "GeneralModuleTests.test_unknown_socket_family_repr",
  () => {
    const unknown = 255 as Family;
    const error = throwsWith(() => new Socket(unknown, SOCK_STREAM), SocketError, "EAFNOSUPPORT");
    assert.equal(error.syscall, "socket");
    using original = new Socket(AF_INET, SOCK_STREAM);
    using adopted = Reflect.apply(Socket.fromFd as (...args: number[]) => Socket, Socket, [
      original.detach(),
      unknown,
      99,
      23,
    ]);
    assert.deepEqual([adopted.family, adopted.type], [AF_INET, SOCK_STREAM]);
  },
  { note: "the kernel is asked what a descriptor is, so that no other family can be claimed for it" },
);

port(
  "GeneralModuleTests.test_str_for_enums",
  () => {
    using made = new Socket(AF_INET, SOCK_STREAM);
    assert.match(inspect(made), /family: AF_INET, type: SOCK_STREAM,/);
    assert.equal(String(made.family), "2");
    assert.equal(String(made.type), "1");
  },
  { note: "numbers have no names of their own; the socket shows them" },
);

port(
  "GeneralModuleTests.test_pickle",
  () => {
    using made = new Socket();
    assert.throws(() => structuredClone(made), { name: "DataCloneError" });
    using channel = closable(new MessageChannel());
    assert.throws(() => channel.port1.postMessage(made), { name: "DataCloneError" });
    assert.deepEqual(structuredClone([AF_INET, SOCK_STREAM]), [AF_INET, SOCK_STREAM]);
  },
  { note: "structuredClone and postMessage stand for pickle" },
);

function closable(channel: MessageChannel): MessageChannel & Disposable {
  return Object.assign(channel, { [Symbol.dispose]: () => channel.port1.close() });
}

port("GeneralModuleTests.test_dealloc_warn", async () => {
  await warnsOf(dropSocket());
  const files = new Set<SocketFile<Uint8Array>>();
  const held = dropSocket((made) => files.add(made.makefile("rb")));
  files.clear();
  await warnsOf(held);
});

/** Makes a socket that nobody refers to once this has returned. */
function dropSocket(use: (made: Socket) => void = () => {}): number {
  const made = new Socket<Family>();
  use(made);
  return made.fileno();
}

/** The warning about a socket that nobody refers to any more. */
async function warnsOf(fd: number): Promise<void> {
  let warning: (Error & { code?: string }) | undefined;
  const warned = once(process, "warning").then(([it]) => {
    warning = it as Error & { code?: string };
  });
  await collectUntil(() => warning !== undefined, "a warning about the socket");
  await warned;
  assert.equal(warning?.name, "ResourceWarning");
  assert.equal(warning?.code, "HAWSER_LEAK");
  assert.ok(warning?.message.includes(`descriptor ${fd},`), warning?.message);
  assert.ok(warning?.message.includes("general-identity"), "the warning tells where the socket was made");
  // The descriptor is closed by then.
  throwsWith(() => Socket.fromFd(fd), SocketError);
}

port("GeneralModuleTests.test_socket_fileno", () => {
  for (const [family, type, address] of [
    [AF_INET, SOCK_STREAM, ["127.0.0.1", 0]],
    [AF_INET, SOCK_DGRAM, ["127.0.0.1", 0]],
    ...(noIpv6 === false ? ([[AF_INET6, SOCK_STREAM, ["::1", 0, 0, 0]]] as const) : []),
    [AF_UNIX, SOCK_STREAM, temporaryPath()],
  ] as const) {
    const original = new Socket<Family>(family, type);
    original.bindSync(address);
    const name = original.getsockname();
    const fd = original.detach();
    using adopted = Socket.fromFd(fd);
    assert.deepEqual([adopted.family, adopted.type, adopted.fileno()], [family, type, fd]);
    assert.deepEqual(adopted.getsockname(), name);
  }
});

for (const [method, value] of [
  ["test_socket_fileno_rejects_float", 42.5],
  ["test_socket_fileno_rejects_other_types", "foo"],
  ["test_socket_fileno_rejects_invalid_socket", -1],
  ["test_socket_fileno_rejects_negative", -42],
] as const) {
  port(`GeneralModuleTests.${method}`, () => {
    const error = throwsWith(() => Socket.fromFd(value as number), LocalProtocolError);
    assert.ok(error.message.includes(inspect(value)), error.message);
  });
}

port("GeneralModuleTests.test_socket_fileno_requires_valid_fd", () => {
  const fd = openSync("/dev/null", "r");
  closeSync(fd);
  throwsWith(() => Socket.fromFd(fd), SocketError, "EBADF");
});

port("GeneralModuleTests.test_socket_fileno_requires_socket_fd", () => {
  const fd = openSync("/dev/null", "r");
  try {
    throwsWith(() => Socket.fromFd(fd), SocketError, "ENOTSOCK");
  } finally {
    // It must be open still.
    closeSync(fd);
  }
});
