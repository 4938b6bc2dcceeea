/** CPython's BufferIOTest (receiving into the caller's memory) and BasicSocketPairTest. */
import assert from "node:assert/strict";
import { LocalProtocolError } from "../../../src/core/errors.js";
import { AF_UNIX, type AfInet, SOCK_STREAM, Socket, socketPair } from "../../../src/socket/index.js";
import { closing, limited, rejectsWith, tcpPair, unixPair } from "../support.js";
import { call, exchange, type Form, MSG, port, portForms } from "./forms.js";

type Pair = readonly [client: Socket<AfInet>, server: Socket<AfInet>];
type Receive = (form: Form, pair: Pair, buffer: Uint8Array) => Promise<number>;

const recvInto: Receive = (form, [client, server], buffer) =>
  exchange(
    form,
    () => call(form, client, "send", MSG),
    () => call(form, server, "recvInto", buffer),
  );

const recvfromInto: Receive = async (form, [client, server], buffer) => {
  const [count, address] = await exchange(
    form,
    () => call(form, client, "send", MSG),
    () => call(form, server, "recvfromInto", buffer),
  );
  assert.deepEqual(address, client.getsockname());
  return count;
};

async function withPair(body: (pair: Pair) => Promise<void>): Promise<void> {
  const pair = await tcpPair();
  using _ = closing(...pair);
  await body(pair);
}

for (const [name, receive] of [
  ["RecvInto", recvInto],
  ["RecvFromInto", recvfromInto],
] as const) {
  portForms(`BufferIOTest.test${name}Array`, (form) =>
    withPair(async (pair) => {
      const buffer = new Uint8Array(MSG.length);
      assert.equal(await receive(form, pair, buffer), MSG.length);
      assert.deepEqual(buffer, MSG);
    }),
  );

  portForms(`BufferIOTest.test${name}Bytearray`, (form) =>
    withPair(async (pair) => {
      const buffer = new Uint8Array(1024);
      assert.equal(await receive(form, pair, buffer), MSG.length);
      assert.deepEqual(buffer.subarray(0, MSG.length), MSG);
      assert.ok(buffer.subarray(MSG.length).every((byte) => byte === 0));
    }),
  );

  portForms(`BufferIOTest.test${name}Memoryview`, (form) =>
    withPair(async (pair) => {
      const whole = new Uint8Array(1024).fill(0xee);
      const view = whole.subarray(100, 900);
      assert.equal(await receive(form, pair, view), MSG.length);
      assert.deepEqual(whole.subarray(100, 100 + MSG.length), MSG);
      whole.fill(0xee, 100, 100 + MSG.length);
      assert.ok(
        whole.every((byte) => byte === 0xee),
        "nothing beside the view may change",
      );
    }),
  );
}

portForms(
  "BufferIOTest.testRecvFromIntoSmallBuffer",
  (form) =>
    withPair(async ([client, server]) => {
      await call(form, client, "send", MSG);
      const small = new Uint8Array(8);
      assert.equal((await call(form, server, "recvfromInto", small))[0], 8);
      assert.deepEqual(small, MSG.subarray(0, 8));
      assert.deepEqual(await call(form, server, "recv", 1024), MSG.subarray(8));
      const noBuffer = 1024 as unknown as Uint8Array;
      await rejectsWith(call(form, server, "recvfromInto", noBuffer), LocalProtocolError);
    }),
  { note: "the length is the buffer's own, so that it cannot be too large" },
);

portForms("BufferIOTest.testRecvFromIntoEmptyBuffer", (form) =>
  withPair(async ([client, server]) => {
    await call(form, client, "send", MSG);
    const empty = new Uint8Array(0);
    assert.deepEqual(await call(form, server, "recvfromInto", empty), [0, client.getsockname()]);
    assert.deepEqual(await call(form, server, "recvfromInto", empty, 0), [0, client.getsockname()]);
    assert.deepEqual(await call(form, server, "recv", 1024), MSG);
  }),
);

port("BasicSocketPairTest.testDefaults", () => {
  const pair = socketPair();
  using _ = closing(...pair);
  for (const socket of pair) {
    assert.ok(socket instanceof Socket);
    assert.deepEqual([socket.family, socket.type, socket.protocol], [AF_UNIX, SOCK_STREAM, 0]);
  }
});

/** testRecv: from the client to the server; testSend: the other way. */
for (const [method, turned] of [
  ["testRecv", false],
  ["testSend", true],
] as const) {
  portForms(`BasicSocketPairTest.${method}`, async (form) => {
    const [server, client] = unixPair();
    using _ = closing(server, client);
    const [from, to] = turned ? [server, client] : [client, server];
    const send = () => call(form, from, "send", MSG);
    assert.deepEqual(await exchange(form, send, () => call(form, limited(to), "recv", 1024)), MSG);
  });
}
