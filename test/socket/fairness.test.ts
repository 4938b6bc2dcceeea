/** A socket that is always ready starves nobody: neither timers nor other sockets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MSG_DONTWAIT, MSG_PEEK, type Socket } from "../../src/socket/index.js";
import { tcpPair, turn, udpSocket, within } from "./robust.js";

interface Busy {
  readonly name: string;
  /** One operation that never has to wait. */
  prepare(): { operation: () => Promise<unknown>; sockets: Socket[] };
}

const busyLoops: readonly Busy[] = [
  {
    name: "recv",
    prepare: () => {
      const [client, server] = tcpPair();
      client.sendallSync(new Uint8Array(10));
      server.recvSync(1, MSG_PEEK);
      return { operation: () => server.recv(1, MSG_PEEK), sockets: [client, server] };
    },
  },
  {
    name: "recv with MSG_DONTWAIT",
    prepare: () => {
      const [client, server] = tcpPair();
      client.sendallSync(new Uint8Array(10));
      server.recvSync(1, MSG_PEEK);
      return { operation: () => server.recv(1, MSG_PEEK | MSG_DONTWAIT), sockets: [client, server] };
    },
  },
  {
    name: "recv that finds nothing, with timeoutMs 0",
    prepare: () => {
      const [client, server] = tcpPair();
      const operation = () => server.recv(1, { timeoutMs: 0 }).catch(() => {});
      return { operation, sockets: [client, server] };
    },
  },
  {
    name: "sendto",
    prepare: () => {
      const socket = udpSocket();
      const address = socket.getsockname();
      return { operation: () => socket.sendto(new Uint8Array(1), address), sockets: [socket] };
    },
  },
  {
    name: "recvmsg and sendmsg",
    prepare: () => {
      const [client, server] = tcpPair();
      const operation = async () => {
        await client.sendmsg([new Uint8Array(1)]);
        await server.recvmsg(1);
      };
      return { operation, sockets: [client, server] };
    },
  },
];

for (const { name, prepare } of busyLoops) {
  test(`${name} in a tight loop starves neither a timer nor another socket`, async () => {
    const { operation, sockets } = prepare();
    const [other, peer] = tcpPair();
    let over = false;
    const timer = new Promise<void>((resolve) => {
      setTimeout(resolve, 20);
    });
    const answered = other.recv(1);
    await turn();
    peer.sendallSync(new Uint8Array(1));
    const startMs = performance.now();
    const loop = (async () => {
      // The end in case of starvation, for then nothing else would end it.
      while (!over && performance.now() - startMs < 3000) await operation();
    })();
    await within(Promise.all([timer, answered]), "the timer and the other socket");
    const tookMs = performance.now() - startMs;
    over = true;
    await loop;
    for (const socket of [...sockets, other, peer]) socket.close();
    assert.ok(tookMs < 500, `starved for ${tookMs} ms`);
  });
}
