/** A provider of transports over level 1: the system's own sockets. Level 1 is loaded with the first connection. */
import { unlink } from "node:fs/promises";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { Deadline, type OpOptions } from "../core/deadline.js";
import { BusyError, ClosedError, LocalProtocolError } from "../core/errors.js";
import type { AfInet, Family, Socket } from "../socket/index.js";
import { checkedPort, checkTarget } from "./check-target.js";
import { DuplexTransport, type Ends } from "./duplex.js";
import { connectError, networkError } from "./network-error.js";
import { ReadSlab } from "./read-slab.js";
import type {
  ConnectTarget,
  Endpoint,
  Listener,
  ListenTarget,
  SendableFile,
  SendFileRange,
  TlsInfo,
  TlsUpgrade,
  Transport,
  TransportProvider,
} from "./types.js";

type Level1 = typeof import("../socket/index.js");

/**
 * Connections by the sockets of `hawser/socket`: TCP, with Happy Eyeballs where a name has several addresses, and Unix
 * sockets. They can send files without their bytes passing through this process. TLS goes on in Node's streams.
 *
 * @throws {UnsupportedError} this platform has no level 1.
 */
export const bsdProvider: TransportProvider = { connect: connectBsd, listen: listenBsd };

async function connectBsd(target: ConnectTarget, options: OpOptions = {}): Promise<Transport> {
  checkTarget(target);
  const level1 = await import("../socket/index.js");
  try {
    const { path, host = "localhost", port } = target;
    if (path !== undefined)
      return new BsdTransport(level1, await connectedUnix(level1, path, options), { remote: { path } });
    const socket = await connectedInet(level1, host, checkedPort(port ?? 0), target.localAddress, options);
    return new BsdTransport(level1, socket, { remote: { host, port } });
  } catch (error) {
    throw connectError(error, target);
  }
}

async function connectedUnix(level1: Level1, path: string, options: OpOptions): Promise<Socket> {
  const socket = new level1.Socket(level1.AF_UNIX, level1.SOCK_STREAM);
  try {
    await socket.connect(path, waiting(options));
    return socket as Socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

async function connectedInet(
  level1: Level1,
  host: string,
  port: number,
  localAddress: string | undefined,
  options: OpOptions,
): Promise<Socket> {
  const socket = await level1.createConnection([host, port], {
    ...waiting(options),
    ...(localAddress !== undefined && {
      localAddress: [localAddress, 0] as const,
      family: isIP(localAddress) === 6 ? level1.AF_INET6 : level1.AF_INET,
    }),
  });
  socket.noDelay = true;
  return socket;
}

function waiting({ signal, timeoutMs }: OpOptions): { signal?: AbortSignal; timeoutMs: number | null } {
  return { timeoutMs: timeoutMs ?? null, ...(signal !== undefined && { signal }) };
}

/** A connected socket of level 1, until TLS or a caller makes a stream of Node's of it. */
class BsdTransport implements Transport {
  readonly #level1: Level1;
  readonly #socket: Socket;
  readonly #slab: ReadSlab = new ReadSlab();
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  /** What the connection has become. */
  #node: DuplexTransport | undefined;
  #reading = false;
  /** The writes under way: the next ones, and the end, wait for their turn behind them. */
  #writing: Promise<void> = Promise.resolve();
  #writes = 0;
  #finished = false;
  #ended = false;
  #closed = false;
  #failure: unknown;

  constructor(level1: Level1, socket: Socket, ends: Ends) {
    this.#level1 = level1;
    this.#socket = socket;
    socket.timeoutMs = null;
    this.local = ends.local ?? endpointOf(socket, "getsockname");
    this.remote = ends.remote ?? endpointOf(socket, "getpeername");
  }

  get tls(): TlsInfo | undefined {
    return this.#node?.tls;
  }

  get bufferedBytes(): number {
    return this.#node?.bufferedBytes ?? 0;
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#node !== undefined) return await this.#node.read();
    if (this.#closed) throw closedError();
    if (this.#reading) throw new BusyError("another read is under way");
    if (this.#ended) return undefined;
    if (this.#failure !== undefined) throw this.#failure;
    this.#reading = true;
    try {
      const bytes = await this.#socket.recvInto(this.#slab.room());
      if (bytes > 0) return this.#slab.take(bytes);
      this.#ended = true;
      return undefined;
    } catch (error) {
      throw this.#broken(error);
    } finally {
      this.#reading = false;
    }
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#node !== undefined) return this.#node.write(data);
    if (this.#closed) return Promise.reject(closedError());
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#finished) return Promise.reject(new ClosedError("this side of the connection has ended"));
    return this.#inTurn(() => this.#socket.sendall(data));
  }

  /** Runs what sends, behind whatever sends now. */
  #inTurn<T>(send: () => Promise<T>): Promise<T> {
    this.#writes += 1;
    const sent = (this.#writes === 1 ? send() : this.#writing.then(send)).then(
      (value) => {
        this.#writes -= 1;
        return value;
      },
      (error: unknown) => {
        this.#writes -= 1;
        throw this.#broken(error);
      },
    );
    this.#writing = sent.then(nothing, nothing);
    return sent;
  }

  /** What a failed call means: that this side has closed, or that the connection broke. */
  #broken(error: unknown): unknown {
    if (this.#closed || this.#node !== undefined) return closedError();
    if (error instanceof LocalProtocolError) return error;
    this.#failure ??= error instanceof Error ? networkError(error, this.remote) : error;
    return this.#failure;
  }

  sendFile(file: SendableFile, options: SendFileRange & OpOptions = {}): Promise<number> {
    if (this.#node !== undefined || this.#closed) return Promise.reject(closedError());
    const { offset = 0, count } = options;
    const range = { offset, ...(count !== undefined && { count }) };
    return this.#inTurn(() => this.#socket.sendFile(file, { ...range, ...waiting(options) }));
  }

  async end(): Promise<void> {
    if (this.#node !== undefined) return await this.#node.end();
    if (this.#finished || this.#closed) return await this.#writing;
    this.#finished = true;
    await this.#writing;
    if (this.#closed) return;
    try {
      this.#socket.shutdown(this.#level1.SHUT_WR);
    } catch {
      // The connection is over already, which the next read tells.
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#socket.close();
    await this.#node?.close();
  }

  async startTls(upgrade: TlsUpgrade, options: OpOptions = {}): Promise<TlsInfo> {
    if (this.#node === undefined) await this.#flush(options);
    this.#node ??= this.#toDuplex();
    return await this.#node.startTls(upgrade, options);
  }

  /** A socket that sends cannot change hands. */
  async #flush(options: OpOptions): Promise<void> {
    if (this.#reading) throw new BusyError("another read is under way");
    using deadline = new Deadline("sending", options);
    await deadline.race(this.#writing);
  }

  toNode(): Duplex {
    this.#node ??= this.#toDuplex();
    return this.#node.toNode();
  }

  #toDuplex(): DuplexTransport {
    if (this.#closed) throw closedError();
    if (this.#reading || this.#writes > 0) throw new BusyError("a read or a write is under way");
    const stream = this.#socket.toNodeSocket({ allowHalfOpen: true });
    if (this.#finished) stream.end();
    return new DuplexTransport(stream, { local: this.local, remote: this.remote });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function nothing(): void {}

function closedError(): ClosedError {
  return new ClosedError("the connection was closed");
}

/** The address at one end. A Unix socket that has no name has none. */
function endpointOf(socket: Socket, which: "getsockname" | "getpeername"): Endpoint | undefined {
  try {
    const address: unknown = socket[which]();
    if (Array.isArray(address)) return { host: String(address[0]), port: Number(address[1]) };
    return typeof address === "string" && address !== "" ? { path: address } : undefined;
  } catch {
    // The peer may be gone by now.
    return undefined;
  }
}

function accepted(level1: Level1, socket: Socket, ends: Ends): Transport | undefined {
  try {
    if (socket.family !== level1.AF_UNIX) socket.noDelay = true;
    return new BsdTransport(level1, socket, ends);
  } catch {
    // The client is gone, and there is nobody to serve.
    socket.close();
    return undefined;
  }
}

async function listenBsd(target: ListenTarget, accept: (transport: Transport) => void): Promise<Listener> {
  checkTarget(target, 0);
  const level1 = await import("../socket/index.js");
  try {
    const socket = await listening(level1, target);
    return new BsdListener(level1, socket, target.path, accept);
  } catch (error) {
    throw connectError(error, target);
  }
}

async function listening(level1: Level1, target: ListenTarget): Promise<Socket> {
  const { host = "127.0.0.1", port = 0, path, backlog } = target;
  const queue = backlog === undefined ? {} : { backlog };
  if (path !== undefined) return await level1.createServer(path, { family: level1.AF_UNIX, ...queue });
  if (isIP(host) === 6) {
    const dualStack = host === "::" && level1.hasDualStack();
    return await level1.createServer([host, port], { family: level1.AF_INET6, dualStack, ...queue });
  }
  return (await level1.createServer<AfInet>([host, port], queue)) as Socket<Family>;
}

class BsdListener implements Listener {
  readonly #socket: Socket;
  readonly #path: string | undefined;
  readonly address: Endpoint;

  constructor(
    level1: Level1,
    socket: Socket,
    path: string | undefined,
    accept: (transport: Transport) => void,
  ) {
    this.#socket = socket;
    this.#path = path;
    socket.timeoutMs = null;
    this.address = endpointOf(socket, "getsockname") ?? { path };
    // Running out of descriptors is a warning there, and accepting rests until there are some again.
    this.#acceptAll(level1, accept).catch((error: unknown) => process.emitWarning(String(error)));
  }

  async #acceptAll(level1: Level1, accept: (transport: Transport) => void): Promise<void> {
    const local = this.#path === undefined ? {} : { local: { path: this.#path } };
    for await (const [socket] of this.#socket) {
      const transport = accepted(level1, socket, local);
      if (transport !== undefined) accept(transport);
    }
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.close();
    // Node removes the path of its sockets as well.
    if (this.#path !== undefined) await unlink(this.#path).catch(nothing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
