/** CPython's CreateServerTest and CreateServerFunctionalTest. */
import assert from "node:assert/strict";
import {
  AF_INET,
  AF_INET6,
  createServer,
  createServerSync,
  type Family,
  hasDualStack,
  type InetAddress,
  type InetAddressLike,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  type ServerOptions,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  SOL_SOCKET,
  Socket,
} from "../../../src/socket/index.js";
import { bytes, closing, limited } from "../support.js";
import { call, type Form, noIpv6, portForms } from "./forms.js";

const noDualStack = noIpv6 || (hasDualStack() ? false : "this kernel has no dual-stack sockets");

async function server(form: Form, address: InetAddressLike, options: ServerOptions = {}): Promise<Socket> {
  const create = form === "Sync" ? createServerSync<Family> : createServer<Family>;
  return limited(await create(address, options));
}

portForms("CreateServerTest.test_address", async (form) => {
  // The port is held all the time, so that nobody else can have it meanwhile.
  using holder = await server(form, ["127.0.0.1", 0], { reusePort: true });
  const [, port] = holder.getsockname() as InetAddress;
  using second = await server(form, ["127.0.0.1", port], { reusePort: true });
  assert.deepEqual(second.getsockname(), ["127.0.0.1", port]);
  assert.ok(second.listening);
  if (noIpv6 !== false) return;
  using third = await server(form, ["::1", 0], { family: AF_INET6 });
  const [host, itsPort] = third.getsockname() as InetAddress;
  assert.equal(host, "::1");
  assert.ok(itsPort > 0);
});

portForms("CreateServerTest.test_family_and_type", async (form) => {
  using four = await server(form, ["127.0.0.1", 0]);
  assert.deepEqual([four.family, four.type], [AF_INET, SOCK_STREAM]);
  assert.notEqual(four.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
  if (noIpv6 !== false) return;
  using six = await server(form, ["::1", 0], { family: AF_INET6 });
  assert.deepEqual([six.family, six.type], [AF_INET6, SOCK_STREAM]);
});

portForms("CreateServerTest.test_reuse_port", async (form) => {
  using plain = await server(form, ["localhost", 0]);
  assert.equal(plain.getsockopt(SOL_SOCKET, SO_REUSEPORT), 0);
  using shared = await server(form, ["localhost", 0], { reusePort: true });
  assert.notEqual(shared.getsockopt(SOL_SOCKET, SO_REUSEPORT), 0);
});

portForms(
  "CreateServerTest.test_ipv6_only_default",
  async (form) => {
    using six = await server(form, ["::1", 0], { family: AF_INET6 });
    assert.notEqual(six.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY), 0);
  },
  { skip: noIpv6 },
);

portForms(
  "CreateServerTest.test_dualstack_ipv6_family",
  async (form) => {
    const options = { family: AF_INET6, dualStack: true };
    using bound = await server(form, ["::1", 0], options);
    assert.equal(bound.family, AF_INET6);
    // The kernel makes a socket that is bound to one IPv6 address v6-only again.
    using both = await server(form, ["", 0], options);
    assert.equal(both.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY), 0);
  },
  { skip: noDualStack },
);

/** An echo through a server on every address of the machine. */
async function echoes(form: Form, host: string, family: Family, options: ServerOptions): Promise<void> {
  using listener = await server(form, ["", 0], options);
  using client = limited(new Socket<Family>(family));
  await call(form, client, "connect", [host, (listener.getsockname() as InetAddress)[1]]);
  await call(form, client, "sendall", bytes("foo"));
  const [accepted] = await call(form, listener, "accept");
  using _ = closing(limited(accepted));
  await call(form, accepted, "sendall", await call(form, accepted, "recv", 1024));
  assert.deepEqual(await call(form, client, "recv", 1024), bytes("foo"));
}

for (const [method, host, family, options, skip] of [
  ["test_tcp4", "127.0.0.1", AF_INET, {}, false],
  ["test_tcp6", "::1", AF_INET6, { family: AF_INET6 }, noIpv6],
  ["test_dual_stack_client_v4", "127.0.0.1", AF_INET, { family: AF_INET6, dualStack: true }, noDualStack],
  ["test_dual_stack_client_v6", "::1", AF_INET6, { family: AF_INET6, dualStack: true }, noDualStack],
] as const) {
  portForms(`CreateServerFunctionalTest.${method}`, (form) => echoes(form, host, family, options), { skip });
}
