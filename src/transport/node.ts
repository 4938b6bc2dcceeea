/** The usual provider of transports: Node's own sockets. */
import { createServer, type Server, Socket, type SocketConnectOpts } from "node:net";
import { type OpOptions, withDeadline } from "../core/deadline.js";
import { checkedPort, checkTarget } from "./check-target.js";
import { DuplexTransport } from "./duplex.js";
import { connectError } from "./network-error.js";
import type {
  ConnectTarget,
  Endpoint,
  Listener,
  ListenTarget,
  Transport,
  TransportProvider,
} from "./types.js";

/** Connections by `node:net`: TCP, with Happy Eyeballs where a name has several addresses, and Unix sockets. */
export const nodeProvider: TransportProvider = { connect: connectNode, listen: listenNode };

async function connectNode(target: ConnectTarget, options: OpOptions = {}): Promise<Transport> {
  checkTarget(target);
  const socket = new Socket({ allowHalfOpen: true });
  try {
    await withDeadline("connect", options, () => connected(socket.connect(netOptions(target))));
  } catch (error) {
    socket.destroy();
    throw connectError(error, target);
  }
  socket.setNoDelay(true);
  return new DuplexTransport(socket, { remote: remoteOf(target) });
}

/** The peer by the name that was asked for: its certificate must have it. */
function remoteOf({ host = "localhost", port, path }: ConnectTarget): Endpoint {
  return path === undefined ? { host, port } : { path };
}

function netOptions(target: ConnectTarget): SocketConnectOpts {
  if (target.path !== undefined) return { path: target.path };
  return {
    host: target.host ?? "localhost",
    port: checkedPort(target.port ?? 0),
    autoSelectFamily: true,
    ...(target.localAddress !== undefined && { localAddress: target.localAddress }),
  };
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve();
    });
    socket.once("error", reject);
    // A second failure, such as one after the deadline, must not end the process.
    socket.on("error", () => {});
  });
}

async function listenNode(target: ListenTarget, accept: (transport: Transport) => void): Promise<Listener> {
  checkTarget(target, 0);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    // The client may be gone by now, and then there is nobody to serve.
    if (socket.remoteAddress === undefined && target.path === undefined) socket.destroy();
    else
      accept(new DuplexTransport(socket, target.path === undefined ? {} : { local: { path: target.path } }));
  });
  try {
    await listening(server, target);
  } catch (error) {
    throw connectError(error, target);
  }
  // Running out of descriptors is reported and survived: the next accept tries again.
  server.on("error", () => {});
  return new NodeListener(server);
}

function listening(server: Server, target: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const backlog = target.backlog === undefined ? {} : { backlog: target.backlog };
    const at =
      target.path === undefined
        ? { host: target.host ?? "127.0.0.1", port: target.port ?? 0 }
        : { path: target.path };
    server.listen({ ...at, ...backlog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

class NodeListener implements Listener {
  readonly #server: Server;
  readonly address: Endpoint;

  constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.address =
      typeof address === "string" ? { path: address } : { host: address?.address, port: address?.port };
  }

  close(): Promise<void> {
    // Not its callback: that waits for the connections, which go on.
    this.#server.close();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
