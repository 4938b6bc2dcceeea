/** CPython's test_socket.py: the names of Unix sockets, in the file system and in Linux's abstract namespace. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalProtocolError } from "../../../src/core/errors.js";
import { AF_UNIX, SOCK_STREAM, Socket, type UnixAddress } from "../../../src/socket/index.js";
import { bytes, deadlineMs } from "../support.js";
import { port } from "./forms.js";

const wait = { timeoutMs: deadlineMs };

/** UNIX_PATH_MAX: how long sun_path is. */
const pathMax = 108;

function unixSocket() {
  return new Socket(AF_UNIX, SOCK_STREAM);
}

/** Runs `body` over the two forms of bind(), each with a socket and a directory of its own. */
async function eachBind(body: (bind: Bind, directory: string) => Promise<void>): Promise<void> {
  const forms: Bind[] = [(socket, name) => socket.bind(name), async (socket, name) => socket.bindSync(name)];
  for (const bind of forms) {
    const directory = mkdtempSync(join(tmpdir(), "hawser-"));
    try {
      await body(bind, directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
}

type Bind = (socket: ReturnType<typeof unixSocket>, name: string | Uint8Array) => Promise<void>;

/** Binding to `name` gives `want` back. */
async function bindsAs(bind: Bind, name: string | Uint8Array, want: UnixAddress): Promise<void> {
  using socket = unixSocket();
  await bind(socket, name);
  assert.deepEqual(socket.getsockname(), want);
}

port("TestUnixDomain.testUnbound", () => {
  using socket = unixSocket();
  assert.equal(socket.getsockname(), "");
});

port("TestUnixDomain.testStrAddr", () =>
  eachBind(async (bind, directory) => {
    const path = join(directory, "name");
    await bindsAs(bind, path, path);
    assert.ok(statSync(path).isSocket());
  }),
);

port("TestUnixDomain.testBytesAddr", () =>
  eachBind(async (bind, directory) => {
    const path = join(directory, "name");
    await bindsAs(bind, bytes(path), path);
    assert.ok(statSync(path).isSocket());
  }),
);

// JavaScript has no surrogateescape: the bytes of the name stand for it.
port("TestUnixDomain.testSurrogateescapeBind", () =>
  eachBind(async (bind, directory) => {
    const path = join(directory, "-\u00e0\u00f2\u0258\u0141\u011f");
    await bindsAs(bind, bytes(path), path);
    assert.ok(statSync(path).isSocket());
  }),
);

// A name that is not UTF-8 stays bytes; text that cannot be encoded is refused.
port("TestUnixDomain.testUnencodableAddr", () =>
  eachBind(async (bind, directory) => {
    const name = new Uint8Array([...bytes(`${directory}/n`), 0xff, 0xe9]);
    await bindsAs(bind, name, name);
    assert.ok(statSync(Buffer.from(name)).isSocket());
    using socket = unixSocket();
    await assert.rejects(() => bind(socket, `${directory}/\udcff`), LocalProtocolError);
    assert.equal(socket.getsockname(), "");
  }),
);

port("TestLinuxAbstractNamespace.testLinuxAbstractNamespace", async () => {
  const name = new Uint8Array([...bytes(`\0hawser-test-hello-${process.pid}\0`), 0xff]);
  const connects = async (
    connect: (client: ReturnType<typeof unixSocket>, to: UnixAddress) => Promise<unknown>,
  ) => {
    using listener = unixSocket();
    listener.bindSync(name);
    listener.listen();
    using client = unixSocket();
    await connect(client, listener.getsockname());
    const [connection] = await listener.accept(wait);
    connection.close();
    assert.deepEqual(listener.getsockname(), name);
    assert.deepEqual(client.getpeername(), name);
  };
  await connects((client, to) => client.connect(to, wait));
  await connects(async (client, to) => client.connectSync(to, wait));
});

port("TestLinuxAbstractNamespace.testMaxName", () =>
  eachBind(async (bind) => {
    const name = bytes(`\0${process.pid}`.padEnd(pathMax, "h"));
    await bindsAs(bind, name, name);
  }),
);

port("TestLinuxAbstractNamespace.testNameOverflow", () =>
  eachBind(async (bind) => {
    using socket = unixSocket();
    await assert.rejects(() => bind(socket, `\0${"h".repeat(pathMax)}`), LocalProtocolError);
    assert.equal(socket.getsockname(), "");
  }),
);

port("TestLinuxAbstractNamespace.testStrName", () =>
  eachBind(async (bind) => {
    const name = `\0hawser\0test-${process.pid}\0`;
    await bindsAs(bind, name, bytes(name));
  }),
);

port("TestLinuxAbstractNamespace.testBytearrayName", () =>
  eachBind(async (bind) => {
    const name = Buffer.from(`\0hawser\0test-${process.pid}\0`);
    await bindsAs(bind, name, Uint8Array.from(name));
  }),
);

port("TestLinuxAbstractNamespace.testAutobind", () =>
  eachBind(async (bind) => {
    const autobound = (socket: ReturnType<typeof unixSocket>): string => {
      const name = socket.getsockname();
      assert.ok(name instanceof Uint8Array);
      return String.fromCharCode(...name);
    };
    using first = unixSocket();
    await bind(first, "");
    assert.match(autobound(first), /^\0[0-9a-f]{5}$/);
    using second = unixSocket();
    await bind(second, "");
    assert.match(autobound(second), /^\0[0-9a-f]{5}$/);
    assert.notEqual(autobound(first), autobound(second));
  }),
);
