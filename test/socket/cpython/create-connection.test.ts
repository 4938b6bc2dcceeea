/** CPython's NetworkConnection… tests of create_connection, and ContextManagersTest. */
import assert from "node:assert/strict";
import { DeadlineError, RefusedError, SocketError } from "../../../src/core/errors.js";
import {
  AF_INET,
  AF_INET6,
  type AfInet,
  type ConnectionOptions,
  createConnection,
  createConnectionSync,
  type Family,
  getaddrinfo,
  type InetAddress,
  type InetAddressLike,
  SOCK_STREAM,
  Socket,
} from "../../../src/socket/index.js";
import { bytes, closing, deadlineMs, limited, rejectsWith } from "../support.js";
import { call, exchange, type Form, noIpv6, portForms, withDefaultTimeout } from "./forms.js";

async function connection(
  form: Form,
  address: InetAddressLike,
  options: ConnectionOptions = {},
): Promise<Socket> {
  return form === "Sync" ? createConnectionSync(address, options) : createConnection(address, options);
}

function listening(): Socket<AfInet> {
  const listener = limited(new Socket(AF_INET, SOCK_STREAM));
  listener.bindSync(["127.0.0.1", 0]);
  listener.listen();
  return listener;
}

/** A socket that holds a port, for every family, at which nobody listens. */
function refusing(): Socket {
  const holder = new Socket<Family>(noIpv6 === false ? AF_INET6 : AF_INET, SOCK_STREAM);
  if (noIpv6 === false) holder.v6Only = false;
  holder.bindSync(["", 0]);
  return holder;
}

function portOf(socket: Socket): number {
  return (socket.getsockname() as InetAddress)[1];
}

portForms("NetworkConnectionNoServer.test_connect", async (form) => {
  using holder = refusing();
  using client = limited(new Socket());
  const refused = call(form, client, "connect", ["localhost", portOf(holder)]);
  const error = await rejectsWith(refused, RefusedError, "ECONNREFUSED");
  assert.equal(error.errno, 111);
});

portForms("NetworkConnectionNoServer.test_create_connection", async (form) => {
  using holder = refusing();
  const refused = connection(form, ["127.0.0.1", portOf(holder)]);
  const error = await rejectsWith(refused, RefusedError, "ECONNREFUSED");
  assert.equal(error.address, `127.0.0.1:${portOf(holder)}`);
});

portForms(
  "NetworkConnectionNoServer.test_create_connection_all_errors",
  async (form, t) => {
    using holder = refusing();
    const address = ["localhost", portOf(holder)] as const;
    const addresses = await getaddrinfo(...address, { type: SOCK_STREAM });
    const error = await rejectsWith(connection(form, address), Error);
    const errors = addresses.length === 1 ? [error] : (error as AggregateError).errors;
    assert.deepEqual(
      errors.map((each: unknown) => each instanceof RefusedError),
      addresses.map(() => true),
    );
    if (addresses.length === 1) t.diagnostic("localhost has one address here");
  },
  { note: "an AggregateError of all is the default; the error itself where there is one address" },
);

portForms("NetworkConnectionNoServer.test_create_connection_timeout", async (form, t) => {
  const expired = new DeadlineError("connect", 1);
  t.mock.method(Socket.prototype, "connect", () => Promise.reject(expired));
  t.mock.method(Socket.prototype, "connectSync", () => {
    throw expired;
  });
  try {
    assert.equal(await rejectsWith(connection(form, ["127.0.0.1", 1234]), DeadlineError), expired);
  } finally {
    t.mock.restoreAll();
  }
});

/** Connects, checks the client, and has the server accept it, as CPython's _justAccept does. */
async function connected(
  form: Form,
  options: ConnectionOptions,
  check: (client: Socket) => void,
): Promise<void> {
  using listener = listening();
  using client = await connection(form, listener.getsockname(), options);
  const [accepted] = await call(form, listener, "accept");
  accepted.close();
  check(client);
}

portForms("NetworkConnectionAttributesTest.testFamily", (form) =>
  connected(form, { timeoutMs: deadlineMs }, (client) => assert.equal(client.family, AF_INET)),
);

portForms("NetworkConnectionAttributesTest.testSourceAddress", (form) =>
  connected(form, { timeoutMs: deadlineMs, localAddress: ["127.0.0.2", 0] }, (client) =>
    assert.equal((client.getsockname() as InetAddress)[0], "127.0.0.2"),
  ),
);

for (const [method, defaultMs, options, wantMs] of [
  // Deliberate difference: the option limits the connecting alone; the socket's own timeout is the default one.
  ["testTimeoutDefault", 42_000, {}, 42_000],
  ["testTimeoutNone", 30_000, { timeoutMs: null }, 30_000],
  ["testTimeoutValueNamed", null, { timeoutMs: 30_000 }, null],
  ["testTimeoutValueNonamed", 10_000, { timeoutMs: 30_000 }, 10_000],
] as const) {
  portForms(`NetworkConnectionAttributesTest.${method}`, (form) =>
    withDefaultTimeout(defaultMs, () =>
      connected(form, options, (client) => assert.equal(client.timeoutMs, wantMs)),
    ),
  );
}

portForms("NetworkConnectionBehaviourTest.testInsideTimeout", async (form) => {
  using listener = listening();
  using client = await connection(form, listener.getsockname());
  assert.equal(client.timeoutMs, null);
  const [accepted] = await call(form, listener, "accept");
  using _ = closing(accepted);
  const send = () => call(form, accepted, "send", bytes("done!"));
  assert.deepEqual(await exchange(form, send, () => call(form, client, "recv", 5)), bytes("done!"));
});

portForms("NetworkConnectionBehaviourTest.testOutsideTimeout", async (form) => {
  using listener = listening();
  using client = await connection(form, listener.getsockname());
  client.timeoutMs = 100;
  const error = await rejectsWith(call(form, client, "recv", 5), DeadlineError);
  assert.deepEqual([error.what, error.limitMs], ["recv", 100]);
});

portForms("ContextManagersTest.testCreateConnectionBase", async (form) => {
  using listener = listening();
  let outside: Socket;
  {
    await using client = limited(await connection(form, listener.getsockname()));
    outside = client;
    assert.equal(client.closed, false);
    const [accepted] = await call(form, listener, "accept");
    using _ = closing(limited(accepted));
    await call(form, client, "sendall", bytes("foo"));
    await call(form, accepted, "sendall", await call(form, accepted, "recv", 1024));
    assert.deepEqual(await call(form, client, "recv", 1024), bytes("foo"));
  }
  assert.equal(outside.closed, true);
});

portForms("ContextManagersTest.testCreateConnectionClose", async (form) => {
  using listener = listening();
  let outside: Socket;
  {
    using client = await connection(form, listener.getsockname());
    outside = client;
    client.close();
  }
  assert.equal(outside.closed, true);
  await rejectsWith(call(form, outside, "sendall", bytes("foo")), SocketError, "EBADF");
});
