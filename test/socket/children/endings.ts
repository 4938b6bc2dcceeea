/** A process that does what its argument says, writes its last line, and should then end by itself, or not. */
import { createConnection, getaddrinfo, Socket, socketPair } from "../../../src/socket/index.js";
import { isPending, listener as newListener, tcpPair as newPair } from "../robust.js";

process.on("unhandledRejection", (reason) => {
  console.error("unhandled", reason);
  process.exitCode = 3;
});

const limit = { timeoutMs: 5000 };

/** Everything stays until the end: a socket that the collector took would be warned of, whenever it comes. */
const kept: unknown[] = [];

function listener(): ReturnType<typeof newListener> {
  const made = newListener();
  kept.push(made);
  return made;
}

function tcpPair(): [Socket, Socket] {
  const pair = newPair();
  kept.push(pair);
  return pair;
}

/** Says that the process lived on after its last line, and lets it end. */
function endLater(end: () => void): void {
  setTimeout(() => {
    console.log("still here");
    end();
  }, 300).unref();
}

/** Traffic without end; `then` comes in its middle. */
async function busy(then: () => void): Promise<void> {
  const pairs = Array.from({ length: 20 }, () => tcpPair());
  let messages = 0;
  const talk = async (a: Socket, b: Socket) => {
    for (;;) {
      await a.sendall(new Uint8Array(5000));
      await b.recv(5000);
      messages += 1;
      if (messages === 2000) then();
    }
  };
  await Promise.all(pairs.map(([a, b]) => talk(a, b)));
}

const modes: Record<string, () => unknown> = {
  idle: () => listener(),
  waited: async () => {
    const [a, b] = tcpPair();
    const data = a.recv(10);
    b.sendallSync(new Uint8Array(3));
    await data;
    await a.recv(10, { timeoutMs: 20 }).catch(() => {});
  },
  aborted: async () => {
    const { server } = listener();
    const controller = new AbortController();
    const waiting = server.accept({ signal: controller.signal });
    await isPending(waiting);
    controller.abort();
    await waiting.catch(() => {});
  },
  unref: () => {
    void tcpPair()[0].unref().recv(1);
  },
  "unref-deadline": () => {
    void tcpPair()[0].unref().recv(1, { timeoutMs: 60_000 });
  },
  closed: async () => {
    const [a] = tcpPair();
    const waiting = a.recv(1).catch(() => {});
    a.close();
    await waiting;
  },
  dup: async () => {
    const [a] = tcpPair();
    const b = a.dup();
    const waiting = b.recv(1).catch(() => {});
    await isPending(waiting);
    b.close();
    await waiting;
  },
  rest: async () => {
    const { server } = listener();
    const controller = new AbortController();
    const waiting = server.accept({ ...limit, signal: controller.signal });
    await isPending(waiting);
    controller.abort();
    await waiting.catch(() => {});
  },
  stream: async () => {
    const [a, b] = tcpPair();
    b.sendallSync(new Uint8Array(3));
    await a.readable.getReader().read();
  },
  connection: async () => {
    await getaddrinfo("localhost", 80);
    const { server, address } = listener();
    await createConnection(address as [string, number], limit);
    await server.accept(limit);
  },
  "hold-accept": () => {
    const { server } = listener();
    endLater(() => server.close());
    void server.accept().catch(() => {});
  },
  "hold-recv": () => {
    const [a] = tcpPair();
    endLater(() => a.close());
    void a.recv(1).catch(() => {});
  },
  "hold-deadline": () => {
    const [a] = tcpPair();
    endLater(() => a.close());
    void a.recv(1, { timeoutMs: 60_000 }).catch(() => {});
  },
  "hold-ref": () => {
    const [a] = tcpPair();
    endLater(() => a.close());
    void a
      .unref()
      .ref()
      .recv(1)
      .catch(() => {});
  },
  "busy-exit": () => busy(() => process.exit(5)),
  "busy-throw": () =>
    busy(() => {
      setImmediate(() => {
        throw new Error("ours");
      });
    }),
  "late-exit": () => {
    // Sockets are used, and closed under pending calls, while the process is on its way out.
    const [a, b] = tcpPair();
    void a.recv(1).catch(() => {});
    process.on("exit", () => {
      b.sendallSync(new Uint8Array(1));
      void b.recv(1).catch(() => {});
      a.close();
      b.close();
    });
    setImmediate(() => process.exit(5));
  },
  throw: async () => {
    const [a, b] = socketPair();
    const failing = a.recv(1, limit).then(() => {
      throw new Error("ours");
    });
    b.sendallSync(new Uint8Array(2));
    await failing.catch((error: Error) => console.log(`caught ${error.message}`));
    if ((await a.recv(1, limit)).length !== 1) throw new Error("the second byte is missing");
  },
};

const mode = process.argv[2] as string;
await modes[mode]?.();
Socket.defaultTimeoutMs = null;
console.log("last line");
