/** CPython's NonBlockingTCPTests, NonblockConstantTest, TCPTimeoutTest and TestExceptions. */
import assert from "node:assert/strict";
import { constants } from "node:fs";
import {
  DeadlineError,
  HawserError,
  InUseError,
  LocalProtocolError,
  NameError,
  RefusedError,
  ResetError,
  SocketError,
  TimedOutError,
  WouldBlockError,
} from "../../../src/core/errors.js";
import {
  AF_INET,
  type AfInet,
  type Family,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Socket,
} from "../../../src/socket/index.js";
import { closing, limited, rejectsWith, tcpPair, throwsWith } from "../support.js";
import {
  becomesReadable,
  call,
  descriptorFlags,
  type Form,
  MSG,
  port,
  portForms,
  withDefaultTimeout,
} from "./forms.js";

const alwaysNonBlocking = "the descriptor itself is always O_NONBLOCK";

function listening(): Socket<AfInet> {
  const listener = limited(new Socket(AF_INET, SOCK_STREAM));
  listener.bindSync(["127.0.0.1", 0]);
  listener.listen();
  return listener;
}

function checkMode<F extends Family>(socket: Socket<F>, timeoutMs: number | null): void {
  assert.equal(socket.timeoutMs, timeoutMs);
  assert.equal(socket.blocking, timeoutMs !== 0);
  assert.equal(socket.type, SOCK_STREAM);
  assert.notEqual(descriptorFlags(socket) & constants.O_NONBLOCK, 0);
}

port(
  "NonBlockingTCPTests.testSetBlocking",
  () => {
    using socket = new Socket();
    socket.setblocking(true);
    checkMode(socket, null);
    socket.setblocking(false);
    checkMode(socket, 0);
    socket.timeoutMs = null;
    checkMode(socket, null);
    socket.timeoutMs = 0;
    checkMode(socket, 0);
    socket.timeoutMs = 10_000;
    checkMode(socket, 10_000);
    socket.timeoutMs = 0;
    checkMode(socket, 0);
  },
  { note: alwaysNonBlocking },
);

port(
  "NonBlockingTCPTests.testSetBlocking_overflow",
  () => {
    using socket = new Socket();
    socket.setblocking(false);
    throwsWith(() => socket.setblocking((2 ** 32) as unknown as boolean), LocalProtocolError);
    checkMode(socket, 0);
  },
  { note: "a number is refused, where Python takes any integer for true" },
);

port("NonBlockingTCPTests.testInitNonBlocking", () => {
  using socket = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  checkMode(socket, 0);
});

for (const [method, defaultMs] of [
  ["testInheritFlagsBlocking", null],
  ["testInheritFlagsTimeout", 20_000],
] as const) {
  portForms(`NonBlockingTCPTests.${method}`, (form) =>
    withDefaultTimeout(defaultMs, async () => {
      using listener = listening();
      listener.timeoutMs = 10_000;
      using client = new Socket();
      client.connectSync(listener.getsockname());
      const [accepted] = await call(form, listener, "accept");
      using _ = closing(accepted);
      checkMode(accepted, defaultMs);
    }),
  );
}

portForms("NonBlockingTCPTests.testAccept", async (form) => {
  using listener = listening();
  listener.setblocking(false);
  await rejectsWith(call(form, listener, "accept"), WouldBlockError, "EAGAIN");
  using client = new Socket();
  client.connectSync(listener.getsockname());
  assert.ok(becomesReadable(listener));
  const [accepted, address] = await call(form, listener, "accept");
  using _ = closing(accepted);
  assert.equal(accepted.timeoutMs, null);
  assert.deepEqual(address, client.getsockname());
});

portForms("NonBlockingTCPTests.testRecv", async (form) => {
  const [client, server] = await tcpPair();
  using _ = closing(client, server);
  server.setblocking(false);
  await rejectsWith(call(form, server, "recv", MSG.length), WouldBlockError, "EAGAIN");
  await call(form, client, "sendall", MSG);
  assert.ok(becomesReadable(server));
  assert.deepEqual(await call(form, server, "recv", MSG.length), MSG);
});

port(
  "NonblockConstantTest.test_SOCK_NONBLOCK",
  async () => {
    using socket = new Socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    checkMode(socket, 0);
    socket.setblocking(true);
    checkMode(socket, null);
    socket.setblocking(false);
    checkMode(socket, 0);
    socket.timeoutMs = null;
    checkMode(socket, null);
    socket.timeoutMs = 2000;
    checkMode(socket, 2000);
    socket.setblocking(true);
    checkMode(socket, null);
    for (const defaultMs of [0, null, 2000, null]) {
      await withDefaultTimeout(defaultMs, () => {
        using made = new Socket();
        checkMode(made, defaultMs);
      });
    }
  },
  { note: alwaysNonBlocking },
);

portForms("TCPTimeoutTest.testTCPTimeout", async (form) => {
  using listener = listening();
  listener.timeoutMs = 50;
  const startedMs = performance.now();
  const error = await rejectsWith(call(form, listener, "accept"), DeadlineError, "HAWSER_DEADLINE");
  const tookMs = performance.now() - startedMs;
  assert.deepEqual([error.what, error.limitMs], ["accept", 50]);
  assert.ok(tookMs > 49 && tookMs < 500, `after ${tookMs} ms`);
});

portForms("TCPTimeoutTest.testTimeoutZero", async (form: Form) => {
  using listener = listening();
  listener.timeoutMs = 0;
  await rejectsWith(call(form, listener, "accept"), WouldBlockError, "EAGAIN");
});

port(
  "TestExceptions.testExceptionTree",
  () => {
    const parents = (Class: unknown): unknown => Object.getPrototypeOf(Class);
    for (const Class of [NameError, RefusedError, ResetError, InUseError, TimedOutError, WouldBlockError]) {
      assert.equal(parents(Class), SocketError);
    }
    for (const Class of [SocketError, DeadlineError, LocalProtocolError]) {
      assert.equal(parents(Class), HawserError);
    }
    assert.equal(parents(HawserError), Error);
  },
  { note: "a deadline is no failed system call: DeadlineError stands beside SocketError" },
);

portForms(
  "TestExceptions.test_setblocking_invalidfd",
  async (form) => {
    using original = new Socket();
    const second = Socket.fromFd(original.fileno());
    original.close();
    try {
      second.setblocking(false);
      await rejectsWith(call(form, second, "recv", 1), SocketError, "EBADF");
      throwsWith(() => original.setblocking(false), SocketError, "EBADF");
    } finally {
      second.detach();
    }
  },
  { note: "the mode is hawser's own: a descriptor closed elsewhere shows at the next call" },
);
