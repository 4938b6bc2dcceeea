/** CPython's test_socket.py: sendmsg() over every kind of socket. */
import assert from "node:assert/strict";
import { DeadlineError, LocalProtocolError, type SocketError } from "../../../src/core/errors.js";
import {
  AF_INET6,
  AF_UNIX,
  type AncillaryLike,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  SCM_RIGHTS,
  SOL_SOCKET,
} from "../../../src/socket/index.js";
import { bytes } from "../support.js";
import { call, MSG } from "./forms.js";
import {
  type Body,
  ints,
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

const pieceBytes = 512;
const piece = bytes("a".repeat(pieceBytes));

/** How much of a message the bodies with bad arguments would see, had any been sent. */
const manyBytes = 1000;

function* generator<T>(...values: T[]): Generator<T> {
  yield* values;
}

/** The server gets MSG, and the call counted all of it. */
async function delivers(run: Run, send: () => Promise<number>): Promise<void> {
  let sent: number | undefined;
  const counted = async () => {
    sent = await send();
  };
  const received = await run.exchange(counted, () => call(run.form, run.server, "recv", MSG.length));
  assert.deepEqual(received, MSG);
  assert.equal(sent, MSG.length);
}

/** Each of `calls` is refused before anything is sent: all that the server gets is "done". */
async function refuses(run: Run, calls: readonly (() => Promise<number>)[]): Promise<void> {
  for (const call of calls) await assert.rejects(call, LocalProtocolError, `${call}`);
  const received = await run.exchange(
    () => run.send(bytes("done")),
    () => call(run.form, run.server, "recv", manyBytes),
  );
  assert.deepEqual(received, bytes("done"));
}

function hasErrno(...codes: string[]): (error: SocketError) => boolean {
  return ({ code }) => {
    assert.ok(codes.includes(code), `${code} is none of ${codes}`);
    return true;
  };
}

/** Two items at once that the kind's kernel code takes. */
function twoItems({ kind }: Run): AncillaryLike[] {
  if (kind.family === AF_UNIX) {
    return [
      [SOL_SOCKET, SCM_RIGHTS, new Uint8Array()],
      [SOL_SOCKET, SCM_RIGHTS, new Uint8Array()],
    ];
  }
  const [level, ttl, tos] =
    kind.family === AF_INET6 ? [IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_TCLASS] : [IPPROTO_IP, IP_TTL, IP_TOS];
  return [
    [level, ttl, ints(9)],
    [level, tos, ints(0)],
  ];
}

const anySocket: Record<string, Body> = {
  testSendmsg: (run) => delivers(run, () => run.sendmsg([MSG])),

  testSendmsgDataGenerator: (run) => delivers(run, () => run.sendmsg(generator(MSG))),

  testSendmsgAncillaryGenerator: (run) => delivers(run, () => run.sendmsg([MSG], generator<AncillaryLike>())),

  testSendmsgArray: async (run) => {
    const shared = new Uint8Array(new SharedArrayBuffer(MSG.length + 3), 3);
    shared.set(MSG);
    const odd = new Uint8Array(new Float64Array(8).buffer, 5, MSG.length);
    odd.set(MSG);
    for (const array of [Buffer.from(MSG), shared, odd]) await delivers(run, () => run.sendmsg([array]));
  },

  testSendmsgGather: (run) =>
    delivers(run, () => run.sendmsg([MSG.subarray(0, 3), new Uint8Array(), MSG.subarray(3)])),

  testSendmsgBadArgs: (run) =>
    refuses(run, [
      () => call(run.form, run.client, "sendmsg", untyped(undefined)),
      () => run.sendmsg(untyped("not in an iterable")),
      () => run.sendmsg(untyped({})),
      () => run.sendmsg(untyped([{}])),
      () => run.sendmsg(untyped([MSG, {}])),
      () => run.sendmsg(untyped([MSG, "text"])),
      () => run.sendmsg([MSG], untyped({})),
      () => run.sendmsg([MSG], [], untyped("0")),
      () => run.sendmsg([MSG], [], untyped({ flags: {} })),
      () => run.sendmsg([MSG], [], 0, untyped({})),
    ]),

  testSendmsgBadCmsg: (run) =>
    refuses(run, [
      () => run.sendmsg([MSG], untyped([{}])),
      () => run.sendmsg([MSG], untyped([[{}, 0, bytes("data")]])),
      () => run.sendmsg([MSG], untyped([[0, {}, bytes("data")]])),
      () => run.sendmsg([MSG], untyped([[0, 0, {}]])),
      () => run.sendmsg([MSG], untyped([[0, 0]])),
      () => run.sendmsg([MSG], untyped([[0, 0, bytes("data"), 42]])),
    ]),

  testSendmsgBadMultiCmsg: (run) =>
    refuses(run, [
      () => run.sendmsg([MSG], untyped([0, 0, new Uint8Array()])),
      () => run.sendmsg([MSG], untyped([[0, 0, new Uint8Array()], {}])),
    ]),

  // Only systems without CMSG_SPACE limit the number of items; here several go.
  testSendmsgExcessCmsgReject: async (run) => {
    await delivers(run, () => run.sendmsg([MSG], twoItems(run)));
    await refuses(run, []);
  },

  testSendmsgAfterClose: async (run) => {
    run.client.close();
    await assert.rejects(() => run.sendmsg([MSG]), hasErrno("EBADF"));
  },
};

const stream: Record<string, Body> = {
  ...anySocket,

  testSendmsgExplicitNoneAddr: (run) => delivers(run, () => run.sendmsg([MSG], [], 0, null)),

  testSendmsgTimeout: async (run) => {
    run.client.timeoutMs = 30;
    const fill = async () => {
      for (;;) await run.sendmsg([piece]);
    };
    await assert.rejects(fill, (error) => error instanceof DeadlineError && error.limitMs === 30);
    assert.deepEqual(await call(run.form, run.server, "recv", pieceBytes), piece);
  },

  testSendmsgDontWait: async (run) => {
    const fill = async () => {
      for (;;) await run.sendmsg([piece], [], MSG_DONTWAIT);
    };
    await assert.rejects(fill, hasErrno("EAGAIN", "ENOMEM"));
    assert.deepEqual(await call(run.form, run.server, "recv", pieceBytes), piece);
  },
};

const connectionless: Record<string, Body> = {
  ...anySocket,

  testSendmsgNoDestAddr: async (run) => {
    await assert.rejects(() => call(run.form, run.client, "sendmsg", [MSG]), hasErrno("EDESTADDRREQ"));
    await assert.rejects(() => run.sendmsg([MSG], [], 0, null), hasErrno("EDESTADDRREQ"));
  },
};

portAll("SendmsgTCPTest", tcp, stream);
portAll("SendmsgUnixStreamTest", unix, stream);
portAll("SendmsgUDPTest", udp, connectionless);
portAll("SendmsgUDP6Test", udp6, connectionless);
portAll("SendmsgUDPLITETest", udplite, connectionless);
portAll("SendmsgUDPLITE6Test", udplite6, connectionless);
