/** A worker thread that does what its `mode` says with sockets of its own, and tells its parent how it goes. */
import { parentPort, workerData } from "node:worker_threads";
import { type AddressLike, getaddrinfo, Socket, socketPair } from "../../../src/socket/index.js";
import { listener } from "../robust.js";

const port = parentPort as NonNullable<typeof parentPort>;
const { mode, address, count } = workerData as { mode: string; address?: AddressLike; count: number };

/**
 * Waits once, and so until this thread's helper runs: a thread that is terminated while koffi is being loaded in it takes
 * the process down, which is koffi's to mend.
 */
async function waitOnce(): Promise<void> {
  const [left, right] = socketPair();
  const received = left.recv(1);
  await right.send(new Uint8Array(1));
  await received;
  left.close();
  right.close();
}

/** Echoes every connection of a listener until the listener is closed. */
async function serve(server: Socket): Promise<void> {
  for await (const [conn] of server) void echo(conn);
}

async function echo(conn: Socket): Promise<void> {
  try {
    for (let data = await conn.recv(65536); data.length > 0; data = await conn.recv(65536))
      await conn.sendall(data);
  } catch {
    // The peer is gone; so is this connection.
  } finally {
    conn.close();
  }
}

/** Sends `count` messages to `address` and checks what comes back. */
async function client(to: AddressLike): Promise<number> {
  using s: Socket = new Socket();
  await s.connect(to);
  const message = crypto.getRandomValues(new Uint8Array(1000));
  for (let index = 0; index < count; index += 1) {
    message[0] = index & 255;
    await s.sendall(message);
    const back = await s.recv(1000, { flags: 0x100, timeoutMs: 20_000 });
    if (Buffer.compare(back, message) !== 0) throw new Error(`message ${index} came back changed`);
  }
  return count;
}

/** Traffic without end between sockets of this thread. */
async function busy(): Promise<void> {
  const { server, address: own } = listener();
  void serve(server);
  const clients = Array.from({ length: 4 }, async () => {
    const s: Socket = new Socket();
    await s.connect(own);
    for (;;) {
      await s.sendall(new Uint8Array(5000));
      await s.recv(5000, { flags: 0x100 });
    }
  });
  await waitOnce();
  port.postMessage(own);
  await Promise.all(clients);
}

/** Look-ups without end beside it: calls on the thread pool are under way when the thread ends. */
async function lookups(): Promise<void> {
  const { server, address: own } = listener();
  // Its pending accept holds the listener: a collected one would be closed, and refuse the connection from outside.
  void serve(server);
  await waitOnce();
  port.postMessage(own);
  for (;;) await Promise.all([getaddrinfo("localhost", 80), getaddrinfo("localhost", "http")]);
}

switch (mode) {
  case "echo": {
    const { server, address: own } = listener();
    port.postMessage(own);
    port.once("message", () => server.close());
    await serve(server);
    break;
  }
  case "client":
    port.postMessage(await client(address as AddressLike));
    break;
  case "busy":
    await busy();
    break;
  case "lookups":
    await lookups();
    break;
  case "idle": {
    // Accepted connections that stay open, with a recv pending on each.
    const { server, address: own } = listener();
    port.postMessage(own);
    let accepted = 0;
    for await (const [conn] of server) {
      void conn.recv(1).catch(() => {});
      accepted += 1;
      if (accepted === count) port.postMessage(accepted);
    }
    break;
  }
  case "making": {
    // Descriptors are made and closed without end, in every way there is.
    const { server, address: own } = listener();
    await waitOnce();
    port.postMessage(own);
    for (;;) {
      const [a, b] = socketPair();
      const client: Socket = new Socket();
      await client.connect(own);
      const [conn] = await server.accept();
      const copy = conn.dup();
      for (const s of [a, b, client, conn, copy]) s.close();
    }
  }
  case "closing": {
    // A descriptor is being closed at almost any time.
    const { server, address: own } = listener();
    port.postMessage(own);
    while (server.fileno() >= 0) new Socket().close();
    break;
  }
  case "closed": {
    const { server, address: own } = listener();
    using s: Socket = new Socket();
    await Promise.all([s.connect(own), server.accept().then(([conn]) => conn.close())]);
    await s.recv(1);
    server.close();
    port.postMessage(own);
    // Alive, without sockets.
    port.once("message", () => {});
    break;
  }
  case "exit": {
    const { server, address: own } = listener();
    void serve(server);
    const s: Socket = new Socket();
    await s.connect(own);
    await s.sendall(new Uint8Array(10));
    await s.recv(10);
    void s.recv(10).catch(() => {});
    process.exit(7);
    break;
  }
  case "done": {
    // Ends by itself, an idle socket left open.
    const { server, address: own } = listener();
    const s: Socket = new Socket();
    await Promise.all([s.connect(own), server.accept()]);
    break;
  }
  case "reuse": {
    // The same numbers again and again, also by two Sockets and behind hawser's back: the exit hooks must bear it.
    const { closeSync } = await import("node:fs");
    for (let index = 0; index < count; index += 1) {
      const s: Socket = new Socket();
      const again = Socket.fromFd(s.fileno());
      again.detach();
      closeSync(s.fileno());
      const next: Socket = new Socket();
      if (index % 2 === 0) s.detach();
      else {
        try {
          s.close();
        } catch {
          // The number was free.
        }
      }
      try {
        next.close();
      } catch {
        // Its number was closed by the one before.
      }
    }
    port.postMessage(count);
    break;
  }
}
