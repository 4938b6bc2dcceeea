/** CPython's tests of UDP and UDP-Lite: BasicUDPTest, UDPTimeoutTest, and the same over UDP-Lite. */
import assert from "node:assert/strict";
import { DeadlineError, LocalProtocolError, WouldBlockError } from "../../../src/core/errors.js";
import { AF_INET, type AfInet, IPPROTO_UDPLITE, SOCK_DGRAM, type Socket } from "../../../src/socket/index.js";
import { closing, rejectsWith, udpPair } from "../support.js";
import { call, exchange, type Form, lacking, MSG, portForms } from "./forms.js";

type Body = (form: Form, client: Socket<AfInet>, server: Socket<AfInet>) => Promise<void>;

const bodies: Readonly<Record<string, Body>> = {
  testSendtoAndRecv: async (form, client, server) => {
    const send = () => call(form, client, "sendto", MSG, server.getsockname());
    assert.deepEqual(await exchange(form, send, () => call(form, server, "recv", MSG.length)), MSG);
  },

  testRecvFrom: async (form, client, server) => {
    const send = () => call(form, client, "sendto", MSG, server.getsockname());
    const received = await exchange(form, send, () => call(form, server, "recvfrom", MSG.length));
    assert.deepEqual(received, [MSG, client.getsockname()]);
  },

  testRecvFromNegative: async (form, client, server) => {
    await call(form, client, "sendto", MSG, server.getsockname());
    await rejectsWith(call(form, server, "recvfrom", -1), LocalProtocolError);
    assert.deepEqual(await call(form, server, "recv", 1024), MSG, "the datagram must still be there");
  },
};

const expires: Body = async (form, _client, server) => {
  server.timeoutMs = 50;
  const startedMs = performance.now();
  const error = await rejectsWith(call(form, server, "recv", 1024), DeadlineError, "HAWSER_DEADLINE");
  const tookMs = performance.now() - startedMs;
  assert.deepEqual([error.what, error.limitMs], ["recv", 50]);
  assert.ok(tookMs > 49 && tookMs < 500, `after ${tookMs} ms`);
};

const neverWaits: Body = async (form, _client, server) => {
  server.timeoutMs = 0;
  await rejectsWith(call(form, server, "recv", 1024), WouldBlockError, "EAGAIN");
};

for (const [kind, protocol] of [
  ["UDP", 0],
  ["UDPLITE", IPPROTO_UDPLITE],
] as const) {
  const skip = lacking(AF_INET, SOCK_DGRAM, protocol, "127.0.0.1");
  const ported: readonly (readonly [id: string, body: Body])[] = [
    ...Object.entries(bodies).map(([method, body]) => [`Basic${kind}Test.${method}`, body] as const),
    [`${kind}TimeoutTest.test${kind}Timeout`, expires],
    [`${kind}TimeoutTest.testTimeoutZero`, neverWaits],
  ];
  for (const [id, body] of ported) {
    const run = async (form: Form): Promise<void> => {
      const [client, server] = udpPair(protocol);
      using _ = closing(client, server);
      await body(form, client, server);
    };
    portForms(id, run, { skip });
  }
}
