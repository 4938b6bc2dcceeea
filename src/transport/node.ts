/** The usual provider of transports: Node's own sockets. */
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import { type OpOptions, withDeadline } from "../core/deadline.js";
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
  const socket = connect(netOptions(target));
  try {
    await withDeadline("connect", options, () => connected(socket));
  } catch (error) {
    socket.destroy();
    throw connectError(error, target);
  }
  socket.setNoDelay(true);
  return new DuplexTransport(socket, {
    remote: { ...target, ...(target.path === undefined && { host: target.host ?? socket.remoteAddress }) },
  });
}

function netOptions(target: ConnectTarget): NetConnectOpts {
  if (target.path !== undefined) return { path: target.path, allowHalfOpen: true };
  return {
    host: target.host ?? "localhost",
    port: target.port ?? 0,
    allowHalfOpen: true,
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
