/** CPython's GeneralModuleTests: arguments, options, time limits, files. */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import {
  HawserError,
  LocalProtocolError,
  NameError,
  SocketError,
  type SocketErrorFacts,
} from "../../../src/core/errors.js";
import {
  AF_INET,
  AF_INET6,
  type AfInet,
  getnameinfo,
  getnameinfoSync,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
} from "../../../src/socket/index.js";
import { bytes, rejectsWith, throwsWith } from "../support.js";
import { call, type Form, noIpv6, port, portForms, withDefaultTimeout } from "./forms.js";

port("GeneralModuleTests.testSocketError", () => {
  const facts: SocketErrorFacts = { errno: 22, code: "EINVAL", syscall: "bind" };
  for (const Class of [SocketError, NameError]) {
    const thrower = () => {
      throw new Class("no", facts);
    };
    const error = throwsWith(thrower, SocketError, "EINVAL");
    assert.ok(error instanceof HawserError && error instanceof Error);
    assert.deepEqual([error.name, error.errno, error.syscall], [Class.name, 22, "bind"]);
  }
});

portForms(
  "GeneralModuleTests.testSendtoErrors",
  async (form) => {
    using made = new Socket(AF_INET, SOCK_DGRAM);
    made.bindSync(["127.0.0.1", 0]);
    const name = made.getsockname();
    const refused = async (...args: readonly unknown[]): Promise<string> => {
      const sent = call(form, made, "sendto", ...(args as unknown as Parameters<Socket<AfInet>["sendto"]>));
      return (await rejectsWith(sent, LocalProtocolError)).message;
    };
    for (const how of [[], [0]]) {
      assert.match(await refused("\u2620", name, ...how), /must be a Uint8Array, not '\u2620': encode it/);
      assert.match(await refused(5n, name, ...how), /must be a Uint8Array, not 5n/);
      assert.match(await refused(bytes("foo"), null, ...how), /an AF_INET address is .* not null/);
    }
    assert.match(await refused(bytes("foo"), name, "bar"), /not 'bar'/);
    assert.match(await refused(bytes("foo"), null, null), /not null/);
    assert.match(await refused(bytes("foo")), /an AF_INET address is .* not undefined/);
    assert.equal(await call(form, made, "sendto", bytes("foo"), name), 3);
  },
  { note: "arguments too many are ignored, as everywhere in JavaScript" },
);

port("GeneralModuleTests.testDefaultTimeout", async () => {
  const made = (): number | null => {
    using socket = new Socket();
    return socket.timeoutMs;
  };
  assert.equal(Socket.defaultTimeoutMs, null);
  assert.equal(made(), null);
  await withDefaultTimeout(10_000, () => {
    assert.equal(Socket.defaultTimeoutMs, 10_000);
    assert.equal(made(), 10_000);
    Socket.defaultTimeoutMs = null;
    assert.equal(made(), null);
  });
  for (const wrong of [-1, "spam", Number.NaN, Number.POSITIVE_INFINITY]) {
    throwsWith(() => {
      Socket.defaultTimeoutMs = wrong as number;
    }, LocalProtocolError);
  }
  assert.equal(Socket.defaultTimeoutMs, null);
});

portForms("GeneralModuleTests.testSockName", async (form) => {
  using made = new Socket();
  await call(form, made, "bind", ["0.0.0.0", 0]);
  const [host, itsPort = 0] = made.getsockname();
  assert.equal(host, "0.0.0.0");
  // The port is the one that the kernel has: nobody else can listen there.
  made.listen();
  using second = new Socket();
  await rejectsWith(call(form, second, "bind", ["0.0.0.0", itsPort]), SocketError, "EADDRINUSE");
});

port("GeneralModuleTests.testGetSockOpt", () => {
  using made = new Socket();
  assert.equal(made.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
  assert.equal(made.reuseAddress, false);
});

port("GeneralModuleTests.testSetSockOpt", () => {
  using made = new Socket();
  made.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  assert.equal(made.getsockopt(SOL_SOCKET, SO_REUSEADDR), 1);
  made.reuseAddress = false;
  assert.equal(made.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
});

portForms("GeneralModuleTests.test_getsockaddrarg", async (form) => {
  using made = new Socket();
  for (const wrong of [65_536, 65_536 + 4711, 4711 - 65_536, -1, 80.5]) {
    await rejectsWith(call(form, made, "bind", ["127.0.0.1", wrong]), LocalProtocolError);
  }
  assert.deepEqual(made.getsockname(), ["0.0.0.0", 0]);
  await call(form, made, "bind", ["127.0.0.1", 0]);
  assert.equal(made.getsockname()[0], "127.0.0.1");
});

port("GeneralModuleTests.test_listen_backlog", () => {
  for (const backlog of [0, -1, undefined]) {
    using listener = new Socket();
    listener.bindSync(["127.0.0.1", 0]);
    listener.listen(backlog);
    assert.ok(listener.listening);
  }
});

port("GeneralModuleTests.test_listen_backlog_overflow", () => {
  using listener = new Socket();
  listener.bindSync(["127.0.0.1", 0]);
  throwsWith(() => listener.listen(2 ** 31), LocalProtocolError);
  assert.equal(listener.listening, false);
});

portForms(
  "GeneralModuleTests.test_flowinfo",
  async (form) => {
    const name = async (flowinfo: number) => {
      const address = ["::1", 0, flowinfo] as const;
      return form === "Sync" ? getnameinfoSync(address, 0) : getnameinfo(address, 0);
    };
    await rejectsWith(name(0xffffffff), LocalProtocolError);
    using made = new Socket(AF_INET6, SOCK_STREAM);
    await rejectsWith(call(form, made, "bind", ["::1", 0, -10]), LocalProtocolError);
    await rejectsWith(call(form, made, "bind", ["::1", 0, 0x100000]), LocalProtocolError);
    await call(form, made, "bind", ["::1", 0, 0xfffff]);
  },
  { skip: noIpv6 },
);

portForms(
  "GeneralModuleTests.test__sendfile_use_sendfile",
  async (form) => {
    using made = new Socket();
    const fd = openSync(".", "r");
    closeSync(fd);
    await rejectsWith(call(form, made, "sendFile", fd), SocketError, "EBADF");
    for (const wrong of [2 ** 1000, null, -1, 1.5]) {
      await rejectsWith(call(form, made, "sendFile", wrong as number), LocalProtocolError);
    }
  },
  { note: "sendFile itself: there is no fallback that a bad descriptor could be left to" },
);

port("GeneralModuleTests.test_makefile_mode", () => {
  for (const mode of ["r", "w", "rw"] as const) {
    using made = new Socket();
    using file = made.makefile(mode);
    assert.equal(file.mode, mode);
  }
  for (const mode of ["rb", "wb", "rwb"] as const) {
    using made = new Socket();
    using file = made.makefile(mode);
    assert.equal(file.mode, mode);
  }
});

port("GeneralModuleTests.test_makefile_invalid_mode", () => {
  for (const mode of ["rt", "x", "+", "a", ""]) {
    using made = new Socket();
    const error = throwsWith(() => made.makefile(mode as "r"), LocalProtocolError);
    assert.match(error.message, /^invalid mode /);
  }
});

portForms("GeneralModuleTests.test_name_closed_socketio", async (form) => {
  using made = new Socket();
  const file = made.makefile("rb");
  assert.equal(file.name, made.fileno());
  await closeFile(form, file);
  assert.equal(file.name, -1);
});

portForms(
  "GeneralModuleTests.test_unusable_closed_socketio",
  async (form) => {
    using made = new Socket();
    const file = made.makefile("rb", { bufferBytes: 0 });
    assert.deepEqual([file.readable, file.writable, file.closed], [true, false, false]);
    await closeFile(form, file);
    assert.deepEqual([file.readable, file.writable, file.closed], [false, false, true]);
    throwsWith(() => file.fileno(), SocketError, "EBADF");
    throwsWith(() => file.readSync(1), SocketError, "EBADF");
    await rejectsWith(file.read(1), SocketError, "EBADF");
  },
  { note: "readable and writable of a closed file are false; there is no seekable" },
);

async function closeFile(form: Form, file: { close(): Promise<void>; closeSync(): void }): Promise<void> {
  if (form === "Sync") file.closeSync();
  else await file.close();
}
