/** What the transport tests share: pairs of every kind, an echo, collected bytes. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { bsdProvider, memoryPair, nodeProvider, overTls } from "../../src/transport/index.js";
import type {
  Endpoint,
  TlsClientOptions,
  TlsServerOptions,
  Transport,
  TransportProvider,
} from "../../src/transport/types.js";
import { temporaryPath } from "../socket/support.js";

/** How long any wait of a test may last, in milliseconds. */
export const deadlineMs = 20_000;

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** A listener's next connections, one by one. */
export class Accepted {
  readonly #waiting: ((transport: Transport) => void)[] = [];
  readonly #arrived: Transport[] = [];

  readonly accept = (transport: Transport): void => {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#arrived.push(transport);
    else waiter(transport);
  };

  next(): Promise<Transport> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A promise, and the call that resolves it. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((given) => {
    resolve = given;
  });
  return { promise, resolve };
}

/** Two ends of one connection of a provider. */
export async function pairOf(
  provider: TransportProvider,
  target: Endpoint = {},
): Promise<[Transport, Transport]> {
  const accepted = new Accepted();
  await using listener = await provider.listen(target, accepted.accept);
  return await Promise.all([provider.connect(listener.address), accepted.next()]);
}

export function tcpPair(provider: TransportProvider = nodeProvider): Promise<[Transport, Transport]> {
  return pairOf(provider);
}

export function unixPair(provider: TransportProvider = nodeProvider): Promise<[Transport, Transport]> {
  return pairOf(provider, { path: temporaryPath() });
}

/** The pair in TLS: the first is the client. */
export async function inTls(
  [near, far]: readonly [Transport, Transport],
  client: TlsClientOptions,
  server: TlsServerOptions,
): Promise<[Transport, Transport]> {
  const options = { timeoutMs: deadlineMs };
  return await Promise.all([
    overTls(near, { role: "client", options: client }, options),
    overTls(far, { role: "server", options: server }, options),
  ]);
}

/** The pair after a STARTTLS: the first is the client. */
export async function startedTls(
  [near, far]: readonly [Transport, Transport],
  client: TlsClientOptions,
  server: TlsServerOptions,
): Promise<[Transport, Transport]> {
  await Promise.all([
    near.startTls({ role: "client", options: client }, { timeoutMs: deadlineMs }),
    far.startTls({ role: "server", options: server }, { timeoutMs: deadlineMs }),
  ]);
  return [near, far];
}

/** Reads until `count` bytes are there. */
export async function readBytes(transport: Transport, count: number): Promise<string> {
  let text = "";
  while (text.length < count) {
    const piece = await transport.read();
    if (piece === undefined) throw new Error(`the end after ${JSON.stringify(text)}`);
    text += Buffer.from(piece).toString("latin1");
  }
  return text;
}

/** Everything until the end. */
export async function readAll(transport: Transport): Promise<string> {
  let text = "";
  for (;;) {
    const piece = await transport.read();
    if (piece === undefined) return text;
    text += Buffer.from(piece).toString("latin1");
  }
}

/** A server of Node's on loopback, whose connections end with it. */
export class RawServer implements AsyncDisposable {
  readonly #server: Server;
  readonly sockets: Set<Socket> = new Set();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(serve: (socket: Socket) => void): Promise<RawServer> {
    const server = createServer({ allowHalfOpen: true });
    const raw = new RawServer(server);
    server.on("connection", (socket) => {
      raw.sockets.add(socket);
      socket.on("close", () => raw.sockets.delete(socket)).on("error", () => {});
      serve(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return raw;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** A connection of Node's to a port on loopback. */
export async function rawConnect(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  socket.on("error", () => {});
  return socket;
}

export { bsdProvider, memoryPair, nodeProvider };
