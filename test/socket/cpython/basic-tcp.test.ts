/** CPython's BasicTCPTest over `connect`, BasicTCPTest2 over `createConnection`, and TCPCloserTest. */
import assert from "node:assert/strict";
import { LocalProtocolError, SocketError } from "../../../src/core/errors.js";
import {
  AF_INET,
  type AfInet,
  createConnection,
  createConnectionSync,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_STREAM,
  Socket,
} from "../../../src/socket/index.js";
import { closing, limited, rejectsWith, tcpPair, throwsWith } from "../support.js";
import { becomesReadable, call, exchange, type Form, MSG, port, portForms } from "./forms.js";

type Pair = readonly [client: Socket<AfInet>, server: Socket<AfInet>];

async function createdPair(form: Form): Promise<Pair> {
  using listener = limited(new Socket(AF_INET, SOCK_STREAM));
  listener.bindSync(["127.0.0.1", 0]);
  listener.listen();
  const connect = form === "Sync" ? createConnectionSync : createConnection;
  const client = limited(await connect(listener.getsockname())) as unknown as Socket<AfInet>;
  const [server] = await listener.accept();
  return [client, limited(server)];
}

interface Body {
  /** The client sends and the server receives. */
  run(form: Form, client: Socket<AfInet>, server: Socket<AfInet>): Promise<void>;
  readonly note?: string;
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

async function receivesThroughShutdown(
  form: Form,
  client: Socket<AfInet>,
  server: Socket<AfInet>,
): Promise<void> {
  await call(form, client, "send", MSG);
  client.shutdown(SHUT_RDWR);
  assert.deepEqual(await call(form, server, "recv", 1024), MSG);
  assert.equal((await call(form, server, "recv", 1024)).length, 0);
  const error = await rejectsWith(call(form, client, "send", MSG), SocketError, "EPIPE");
  assert.equal(error.syscall, "send");
}

const bodies: Readonly<Record<string, Body>> = {
  testRecv: {
    run: async (form, client, server) => {
      const send = () => call(form, client, "send", MSG);
      assert.deepEqual(await exchange(form, send, () => call(form, server, "recv", 1024)), MSG);
    },
  },

  testOverFlowRecv: {
    run: async (form, client, server) => {
      const send = () => call(form, client, "send", MSG);
      const first = await exchange(form, send, () => call(form, server, "recv", MSG.length - 3));
      assert.equal(first.length, MSG.length - 3);
      assert.deepEqual(joined(first, await call(form, server, "recv", 1024)), MSG);
    },
  },

  testRecvFrom: {
    note: "the address is the peer's, where Python gives none",
    run: async (form, client, server) => {
      const send = () => call(form, client, "send", MSG);
      const received = await exchange(form, send, () => call(form, server, "recvfrom", 1024));
      assert.deepEqual(received, [MSG, client.getsockname()]);
    },
  },

  testOverFlowRecvFrom: {
    note: "the address is the peer's, where Python gives none",
    run: async (form, client, server) => {
      const send = () => call(form, client, "send", MSG);
      const receive = () => call(form, server, "recvfrom", MSG.length - 3);
      const [first, firstAddress] = await exchange(form, send, receive);
      const [second, secondAddress] = await call(form, server, "recvfrom", 1024);
      assert.deepEqual([first.length, second.length], [MSG.length - 3, 3]);
      assert.deepEqual(joined(first, second), MSG);
      assert.deepEqual([firstAddress, secondAddress], [client.getsockname(), client.getsockname()]);
    },
  },

  testSendAll: {
    run: async (form, client, server) => {
      const chunk = new Uint8Array(2048).fill(0x66);
      const pieces: Uint8Array[] = [];
      const send = async () => {
        await call(form, client, "sendall", chunk);
        client.shutdown(SHUT_WR);
      };
      await exchange(form, send, async () => {
        for (;;) {
          const piece = await call(form, server, "recv", 1024);
          if (piece.length === 0) return;
          pieces.push(piece);
        }
      });
      assert.deepEqual(joined(...pieces), chunk);
    },
  },

  testFromFd: {
    note: "fromFd takes the descriptor over; Python's fromfd is dup and fromFd",
    run: async (form, client, server) => {
      using adopted = limited(Socket.fromFd(server.dup().detach()));
      assert.ok(adopted instanceof Socket);
      assert.notEqual(adopted.fileno(), server.fileno());
      assert.deepEqual([adopted.family, adopted.type], [AF_INET, SOCK_STREAM]);
      const send = () => call(form, client, "send", MSG);
      assert.deepEqual(await exchange(form, send, () => call(form, adopted, "recv", 1024)), MSG);
    },
  },

  testDup: {
    run: async (form, client, server) => {
      using copy = server.dup();
      assert.notEqual(copy.fileno(), server.fileno());
      assert.deepEqual(
        [copy.family, copy.type, copy.timeoutMs, copy.inheritable],
        [server.family, server.type, server.timeoutMs, false],
      );
      const send = () => call(form, client, "send", MSG);
      assert.deepEqual(await exchange(form, send, () => call(form, copy, "recv", 1024)), MSG);
    },
  },

  testShutdown: { run: receivesThroughShutdown },

  testShutdown_overflow: {
    run: async (form, client, server) => {
      for (const how of [2 ** 31, 2 + 2 ** 32, 1.5]) {
        throwsWith(() => client.shutdown(how), LocalProtocolError);
      }
      await receivesThroughShutdown(form, client, server);
    },
  },

  testDetach: {
    run: async (form, client, server) => {
      const number = server.fileno();
      const fd = server.detach();
      assert.equal(fd, number);
      using adopted = limited(Socket.fromFd(fd));
      assert.deepEqual([server.closed, server.fileno(), server.detach()], [true, -1, -1]);
      await rejectsWith(call(form, server, "recv", 1024), SocketError, "EBADF");
      server.close();
      await call(form, client, "send", MSG);
      assert.deepEqual(await call(form, adopted, "recv", 1024), MSG);
    },
  },
};

for (const [className, makePair] of [
  ["BasicTCPTest", tcpPair],
  ["BasicTCPTest2", createdPair],
] as const) {
  for (const [method, { run, note }] of Object.entries(bodies)) {
    portForms(
      `${className}.${method}`,
      async (form) => {
        const [client, server] = await makePair(form);
        using _ = closing(client, server);
        await run(form, client, server);
      },
      note === undefined ? {} : { note },
    );
  }
}

port("TCPCloserTest.testClose", async () => {
  for (const form of ["promise", "Sync"] as const) {
    const [client, server] = await tcpPair();
    using _ = closing(client, server);
    server.close();
    assert.ok(becomesReadable(client));
    assert.equal((await call(form, client, "recv", 1)).length, 0);
    server.close();
    server.close();
    assert.ok(server.closed);
  }
});
