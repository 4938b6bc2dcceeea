/** A transport over one of Node's streams: a socket, a TLS connection, or a pair in memory. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { OpOptions } from "../core/deadline.js";
import { BrokenError, BusyError, ClosedError, RemoteProtocolError } from "../core/errors.js";
import { ChunkQueue } from "./chunk-queue.js";
import { giveBack } from "./give-back.js";
import { networkError } from "./network-error.js";
import { taken } from "./taken.js";
import { prepareTls, type Secured } from "./tls.js";
import type { Endpoint, TlsInfo, TlsUpgrade, Transport } from "./types.js";

/** Reading stops while more than this waits for the reader. */
const highWaterBytes = 262_144;

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** The two ends of a connection, where the stream itself does not know them. */
export interface Ends {
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
}

/** Wraps a stream of Node as a {@link Transport}. The stream must be connected, and nobody else may read from it. */
export class DuplexTransport implements Transport {
  #stream: Duplex;
  readonly #chunks: ChunkQueue = new ChunkQueue();
  /** Whether this side has said, or the peer has, that nothing more will come from it. */
  #finished = false;
  #ended = false;
  #failure: unknown;
  #closed = false;
  /** Whether the stream belongs to somebody else now. */
  #handedOver = false;
  #reader: Waiter<Uint8Array | undefined> | undefined;
  #drained: Waiter<void>[] = [];
  #detach: () => void = () => {};
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  #tls: TlsInfo | undefined;

  constructor(stream: Duplex, ends: Ends = {}) {
    this.#stream = stream;
    this.local = ends.local ?? localEndpoint(stream);
    this.remote = ends.remote ?? remoteEndpoint(stream);
    this.#attach(stream);
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get bufferedBytes(): number {
    return this.#handedOver ? 0 : this.#chunks.bytes + this.#stream.readableLength;
  }

  /** See {@link Transport.read}. */
  read(): Promise<Uint8Array | undefined> {
    if (this.#unusable) return Promise.reject(closedError());
    if (this.#reader !== undefined) return Promise.reject(busyReading());
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      if (this.#chunks.bytes === 0 && this.#stream.isPaused()) this.#stream.resume();
      return Promise.resolve(chunk);
    }
    if (this.#ended) return Promise.resolve(undefined);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** See {@link Transport.write}. */
  write(data: Uint8Array): Promise<void> {
    if (this.#unusable) return Promise.reject(closedError());
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#finished) return Promise.reject(new ClosedError("this side of the connection has ended"));
    if (!this.#stream.writable) return Promise.reject(new BrokenError("the connection takes no more data"));
    if (data.length === 0 || this.#stream.write(data)) return taken;
    return new Promise((resolve, reject) => this.#drained.push({ resolve, reject }));
  }

  /** See {@link Transport.end}. */
  end(): Promise<void> {
    const stream = this.#stream;
    if (this.#unusable) return Promise.resolve();
    this.#finished = true;
    return new Promise((resolve) => {
      if (stream.destroyed || stream.writableFinished) resolve();
      // Not the callback of `end`, which a Duplex of Node 20 forgets when it is destroyed.
      else stream.once("finish", resolve).once("close", resolve).end();
    });
  }

  /** See {@link Transport.close}. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#chunks.takeAll();
      this.#settle(closedError());
      this.#stream.destroy();
    }
    return Promise.resolve();
  }

  async startTls(upgrade: TlsUpgrade, options: OpOptions = {}): Promise<TlsInfo> {
    if (this.#unusable) throw closedError();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#tls !== undefined) throw new BusyError("the connection is in TLS already");
    if (this.#reader !== undefined) throw busyReading();
    if (this.bufferedBytes > 0) await this.#refuseInjected();
    const shake = prepareTls(upgrade, this.remote);
    const plain = this.#release();
    try {
      const { socket, info } = await shake(plain, options);
      if (this.#closed) {
        socket.destroy();
        throw closedError();
      }
      this.#stream = socket;
      this.#tls = info;
      // Nobody listened to the stream meanwhile; what was written before has left before the handshake.
      this.#drain();
      this.#attach(socket);
      return info;
    } catch (error) {
      plain.destroy();
      this.#failure ??= error;
      this.#settle(this.#failure);
      throw this.#closed ? closedError() : error;
    }
  }

  async #refuseInjected(): Promise<never> {
    const excerpt = this.#chunks.shift() ?? new Uint8Array(0);
    await this.close();
    throw new RemoteProtocolError("bytes arrived in the clear before TLS started", {
      excerpt,
      rfc: "RFC 3207 section 6",
    });
  }

  toNode(): Duplex {
    if (this.#unusable) throw closedError();
    if (this.#reader !== undefined) throw busyReading();
    const stream = this.#release();
    this.#handedOver = true;
    // What was written is the stream's: it was taken.
    this.#drain();
    return giveBack(stream, this.#chunks.takeAll(), this.#ended);
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Notes a handshake that took place before this transport was made. */
  secured(info: TlsInfo): this {
    this.#tls = info;
    return this;
  }

  get #unusable(): boolean {
    return this.#closed || this.#handedOver;
  }

  #attach(stream: Duplex): void {
    const onData = (chunk: Uint8Array) => this.#take(chunk);
    const onEnd = () => this.#finish();
    const onError = (error: Error) => this.#fail(error);
    const onDrain = () => this.#drain();
    const onClose = () => this.#fail(undefined);
    stream.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
    // Once it is to end a stream reports no drain, but that it has finished.
    stream.on("drain", onDrain).on("finish", onDrain);
    this.#detach = () => {
      stream.off("data", onData).off("end", onEnd).off("close", onClose);
      stream.off("drain", onDrain).off("finish", onDrain);
      // An error after this belongs to whoever has the stream next, and must not end the process in between.
      stream.off("error", onError).on("error", () => {});
    };
    // What happened before anybody listened.
    if (stream.readableEnded) this.#finish();
    if (stream.destroyed) this.#fail(stream.errored ?? undefined);
    // A stream that was paused before does not begin to flow by a listener alone.
    stream.resume();
  }

  #release(): Duplex {
    this.#detach();
    this.#stream.pause();
    return this.#stream;
  }

  #take(chunk: Uint8Array): void {
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve(chunk);
      return;
    }
    if (this.#closed) return;
    this.#chunks.push(chunk);
    if (this.#chunks.bytes > highWaterBytes) this.#stream.pause();
  }

  #finish(): void {
    this.#ended = true;
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
  }

  #drain(): void {
    for (const { resolve } of this.#drained.splice(0)) resolve();
  }

  /** The stream is over: by an error, or without one. */
  #fail(error: Error | undefined): void {
    if (this.#closed) return;
    if (error !== undefined) this.#failure ??= networkError(error, this.remote);
    else if (!this.#ended || this.#drained.length > 0)
      this.#failure ??= new BrokenError("the connection was cut");
    this.#settle(this.#failure);
  }

  #settle(reason: unknown): void {
    this.#reader?.reject(reason);
    this.#reader = undefined;
    for (const { reject } of this.#drained.splice(0)) reject(reason);
  }
}

function closedError(): ClosedError {
  return new ClosedError("the connection was closed");
}

function busyReading(): BusyError {
  return new BusyError("another read is under way");
}

/**
 * Begins TLS on a connection whose first byte is to be TLS. What has arrived so far belongs to the handshake, unlike
 * after a STARTTLS. The connection is closed when it fails. Closing the transport that was given closes the new one.
 *
 * @throws {LocalProtocolError} the options make no sense.
 * @throws {BrokenError} the handshake failed, or the peer's certificate is not good.
 */
export async function overTls(
  transport: Transport,
  upgrade: TlsUpgrade,
  options: OpOptions = {},
): Promise<Transport> {
  const { local, remote } = transport;
  let secured: Secured;
  try {
    const shake = prepareTls(upgrade, remote);
    secured = await shake(transport.toNode(), options);
  } catch (error) {
    await transport.close();
    throw error;
  }
  return new DuplexTransport(secured.socket, { local, remote }).secured(secured.info);
}

function localEndpoint(stream: Duplex): Endpoint | undefined {
  if (!(stream instanceof Socket) || stream.localAddress === undefined) return undefined;
  return { host: stream.localAddress, port: stream.localPort };
}

function remoteEndpoint(stream: Duplex): Endpoint | undefined {
  if (!(stream instanceof Socket) || stream.remoteAddress === undefined) return undefined;
  return { host: stream.remoteAddress, port: stream.remotePort };
}
