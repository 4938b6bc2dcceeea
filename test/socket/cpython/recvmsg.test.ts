/** CPython's test_socket.py: recvmsg() and recvmsg_into() over every kind of socket. */
import assert from "node:assert/strict";
import { DeadlineError, LocalProtocolError, type SocketError } from "../../../src/core/errors.js";
import { MSG_PEEK, MSG_TRUNC } from "../../../src/socket/index.js";
import { bytes } from "../support.js";
import { call, MSG } from "./forms.js";
import {
  type Body,
  byRecvmsg,
  byRecvmsgInto,
  portAll,
  type Run,
  tcp,
  udp,
  udp6,
  udplite,
  udplite6,
  unix,
  untyped,
} from "./message-kinds.js";

/** MSG arrives whole, with nothing beside it. */
async function receivesWhole(
  run: Run,
  maxBytes: number,
  ancillaryBytes?: number,
  how?: number,
): Promise<void> {
  const message = await run.exchange(
    () => run.send(MSG),
    () => run.receive(maxBytes, ancillaryBytes, how),
  );
  run.checkPlain(message, MSG, { whole: true });
}

/** recvmsgInto() receives all of `sent`; what the buffers then hold is the caller's to check. */
async function scatters(run: Run, buffers: Iterable<Uint8Array>, sent: Uint8Array): Promise<void> {
  const message = await run.exchange(
    () => run.send(sent),
    () => call(run.form, run.server, "recvmsgInto", buffers),
  );
  run.checkPlain({ ...message, data: sent }, sent, { whole: true });
  assert.equal(message.bytes, sent.length);
}

/** Bad arguments are refused at once. */
async function refuses(calls: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const call of calls) await assert.rejects(call, LocalProtocolError, `${call}`);
}

function* generator<T>(...values: T[]): Generator<T> {
  yield* values;
}

const anyCall: Record<string, Body> = {
  testRecvmsg: (run) => receivesWhole(run, MSG.length),

  testRecvmsgExplicitDefaults: (run) => receivesWhole(run, MSG.length, 0, 0),

  testRecvmsgShorter: (run) => receivesWhole(run, MSG.length + 42),

  testRecvmsgTrunc: async (run) => {
    const message = await run.exchange(
      () => run.send(MSG),
      () => run.receive(MSG.length - 3),
    );
    run.checkPlain(message, MSG.slice(0, -3), { whole: false });
  },

  testRecvmsgShortAncillaryBuf: (run) => receivesWhole(run, MSG.length, 1),

  testRecvmsgLongAncillaryBuf: (run) => receivesWhole(run, MSG.length, 10240),

  testRecvmsgAfterClose: async (run) => {
    run.server.close();
    await assert.rejects(
      () => run.receive(1024),
      (error: SocketError) => error.code === "EBADF",
    );
  },

  testRecvmsgTimeout: async (run) => {
    run.server.timeoutMs = 30;
    await assert.rejects(
      () => run.receive(MSG.length),
      (error) => error instanceof DeadlineError && error.limitMs === 30,
    );
  },

  testRecvmsgPeek: async (run) => {
    const part = await run.exchange(
      () => run.send(MSG),
      () => run.receive(MSG.length - 3, 0, MSG_PEEK),
    );
    run.checkPlain(part, MSG.slice(0, -3), { whole: false, ignore: MSG_TRUNC });
    const whole = await run.receive(MSG.length, 0, MSG_PEEK);
    run.checkPlain(whole, MSG, { whole: true });
    run.checkPlain(await run.receive(MSG.length), MSG, { whole: true });
  },

  testRecvmsgFromSendmsg: async (run) => {
    const message = await run.exchange(
      () => run.sendmsg([MSG.subarray(0, 3), MSG.subarray(3)]),
      () => run.receive(MSG.length),
    );
    run.checkPlain(message, MSG, { whole: true });
  },
};

const stream: Record<string, Body> = {
  testRecvmsgEOF: async (run) => {
    const message = await run.exchange(
      async () => run.client.close(),
      () => run.receive(1024),
    );
    assert.deepEqual(message.data, new Uint8Array());
    // Nobody sent this: not even a Unix socket tells its peer's name now.
    assert.equal(message.address, undefined);
    assert.deepEqual(message.ancillary, []);
    run.checkFlags(message.flags, {});
  },

  testRecvmsgOverflow: async (run) => {
    const first = await run.exchange(
      () => run.send(MSG),
      () => run.receive(MSG.length - 3),
    );
    run.checkPlain(first, MSG.slice(0, -3), { whole: false });
    run.checkPlain(await run.receive(1024), MSG.slice(-3), { whole: true });
  },
};

const recvmsgOnly: Record<string, Body> = {
  // recvmsg() without a size is no error here: 65,536 is the default.
  testRecvmsgBadArgs: async (run) => {
    const { form, server } = run;
    await refuses([
      () => call(form, server, "recvmsg", -1, 0, 0),
      () => call(form, server, "recvmsg", 1.5, 0, 0),
      () => call(form, server, "recvmsg", MSG.length, -1, 0),
      () => call(form, server, "recvmsg", untyped([new Uint8Array(10)]), 0, 0),
      () => call(form, server, "recvmsg", untyped({}), 0, 0),
      () => call(form, server, "recvmsg", MSG.length, untyped({}), 0),
      () => call(form, server, "recvmsg", MSG.length, 0, untyped("0")),
      () => call(form, server, "recvmsg", MSG.length, 0, untyped({ flags: {} })),
    ]);
    await receivesWhole(run, MSG.length, 0, 0);
  },
};

const recvmsgIntoOnly: Record<string, Body> = {
  testRecvmsgIntoBadArgs: async (run) => {
    const { form, server } = run;
    const buffer = new Uint8Array(MSG.length);
    await refuses([
      () => call(form, server, "recvmsgInto", untyped(undefined)),
      () => call(form, server, "recvmsgInto", untyped(MSG.length), 0, 0),
      () => call(form, server, "recvmsgInto", untyped(new ArrayBuffer(10)), 0, 0),
      () => call(form, server, "recvmsgInto", untyped([{}]), 0, 0),
      () => call(form, server, "recvmsgInto", untyped(["I'm not writable"]), 0, 0),
      () => call(form, server, "recvmsgInto", untyped([buffer, {}]), 0, 0),
      () => call(form, server, "recvmsgInto", [buffer], -1, 0),
      () => call(form, server, "recvmsgInto", [buffer], untyped({}), 0),
      () => call(form, server, "recvmsgInto", [buffer], 0, untyped("0")),
    ]);
    assert.deepEqual(buffer, new Uint8Array(MSG.length));
    await scatters(run, [buffer], MSG);
    assert.deepEqual(buffer, MSG);
  },

  testRecvmsgIntoGenerator: async (run) => {
    const buffer = new Uint8Array(MSG.length);
    await scatters(run, generator(buffer), MSG);
    assert.deepEqual(buffer, MSG);
  },

  testRecvmsgIntoArray: async (run) => {
    const shared = new Uint8Array(new SharedArrayBuffer(MSG.length + 3), 3);
    const odd = new Uint8Array(new Float64Array(8).buffer, 5, MSG.length);
    for (const array of [Buffer.alloc(MSG.length), shared, odd]) {
      await scatters(run, [array], MSG);
      assert.deepEqual(Uint8Array.from(array), MSG);
    }
  },

  testRecvmsgIntoScatter: async (run) => {
    const first = bytes("----");
    const second = bytes("0123456789");
    const third = bytes("--------------");
    await scatters(run, [first, second.subarray(2, 9), third], bytes("Mary had a little lamb"));
    assert.deepEqual(first, bytes("Mary"));
    assert.deepEqual(second, bytes("01 had a 9"));
    assert.deepEqual(third, bytes("little lamb---"));
  },
};

const kinds = { TCP: tcp, UnixStream: unix, UDP: udp, UDP6: udp6, UDPLITE: udplite, UDPLITE6: udplite6 };

for (const [name, kind] of Object.entries(kinds)) {
  const shared = kind.connected ? { ...anyCall, ...stream } : anyCall;
  portAll(`Recvmsg${name}Test`, kind, { ...shared, ...recvmsgOnly }, byRecvmsg);
  portAll(`RecvmsgInto${name}Test`, kind, { ...shared, ...recvmsgIntoOnly }, byRecvmsgInto);
}
