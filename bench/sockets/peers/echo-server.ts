/** An echo server: `echo-server hawser|net`. */
import { createServer as createNodeServer } from "node:net";
import { type AfInet, createServer, type Socket } from "../../../src/socket/index.js";
import { listenNode, play, report } from "./peer.js";

await play({ hawser, net });

async function hawser(): Promise<void> {
  const listener = await createServer(["127.0.0.1", 0], { backlog: 1024 });
  report("port", Number(listener.getsockname()[1]));
  for await (const [connection] of listener) void echo(connection);
}

async function echo(connection: Socket<AfInet>): Promise<void> {
  connection.noDelay = true;
  const buffer = new Uint8Array(65536);
  try {
    for (;;) {
      const received = await connection.recvInto(buffer);
      if (received === 0) break;
      await connection.sendall(buffer.subarray(0, received));
    }
  } catch {
    // The load ends by breaking its connections off.
  } finally {
    connection.close();
  }
}

function net(): void {
  const server = createNodeServer({ noDelay: true }, (connection) => {
    connection.on("data", (data) => connection.write(data));
    connection.on("error", () => connection.destroy());
  });
  listenNode(server);
}
