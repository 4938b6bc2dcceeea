/** A transport over one of Node's streams: a socket, a TLS connection, or a pair in memory. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { OpOptions } from "../core/deadline.js";
import { BrokenError, BusyError, ClosedError, RemoteProtocolError } from "../core/errors.js";
import { networkError } from "./network-error.js";
import { tlsInfo, upgradeDuplex } from "./tls.js";
import type { Endpoint, TlsInfo, TlsUpgrade, Transport } from "./types.js";

/** Reading stops while more than this waits for the reader. */
const highWaterBytes = 262_144;

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Wraps a stream of Node as a {@link Transport}. The stream must be connected, and nobody else may read from it. */
export class DuplexTransport implements Transport {
  #stream: Duplex;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #ended = false;
  #failure: unknown;
  #closed = false;
  #reader: Waiter<Uint8Array | undefined> | undefined;
  #drained: Waiter<void>[] = [];
  #detach: () => void = () => {};
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  #tls: TlsInfo | undefined;

  constructor(stream: Duplex, endpoints: { readonly local?: Endpoint; readonly remote?: Endpoint } = {}) {
    this.#stream = stream;
    this.local = endpoints.local ?? localEndpoint(stream);
    this.remote = endpoints.remote ?? remoteEndpoint(stream);
    this.#attach(stream);
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes + this.#stream.readableLength;
  }

  read(): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bufferedBytes -= chunk.length;
      if (this.#chunks.length === 0 && this.#stream.isPaused()) this.#stream.resume();
      return Promise.resolve(chunk);
    }
    if (this.#closed) return Promise.reject(new ClosedError("the connection was closed"));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(undefined);
    if (this.#reader !== undefined) return Promise.reject(new BusyError("another read is under way"));
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError("the connection was closed"));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#stream.writable) return Promise.reject(new BrokenError("the connection takes no more data"));
    if (data.length === 0 || this.#stream.write(data)) return Promise.resolve();
    return new Promise((resolve, reject) => this.#drained.push({ resolve, reject }));
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed || this.#stream.writableEnded) resolve();
      else this.#stream.end(() => resolve());
    });
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#settle(new ClosedError("the connection was closed"));
      this.#stream.destroy();
    }
    return Promise.resolve();
  }

  async startTls(upgrade: TlsUpgrade, options: OpOptions = {}): Promise<TlsInfo> {
    if (this.bufferedBytes > 0) {
      await this.close();
      throw new RemoteProtocolError("bytes arrived in the clear before TLS started", {
        rfc: "RFC 3207 section 6",
      });
    }
    if (this.#tls !== undefined) throw new BusyError("the connection is in TLS already");
    const plain = this.#release();
    try {
      const secure = await upgradeDuplex(plain, upgrade, options, this.remote);
      this.#stream = secure;
      this.#tls = tlsInfo(secure, upgrade);
      this.#attach(secure);
      return this.#tls;
    } catch (error) {
      plain.destroy();
      this.#failure = error;
      throw error;
    }
  }

  toNode(): Duplex {
    const stream = this.#release();
    for (const chunk of this.#chunks.splice(0).reverse()) stream.unshift(chunk);
    this.#closed = true;
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Notes a handshake that took place before this transport was made. */
  secured(info: TlsInfo): this {
    this.#tls = info;
    return this;
  }

  #attach(stream: Duplex): void {
    const onData = (chunk: Uint8Array) => this.#take(chunk);
    const onEnd = () => this.#finish();
    const onError = (error: Error) => this.#fail(error);
    const onDrain = () => this.#drain();
    const onClose = () => this.#fail(undefined);
    stream.on("data", onData).on("end", onEnd).on("error", onError).on("drain", onDrain).on("close", onClose);
    // A stream that was paused before does not begin to flow by a listener alone.
    stream.resume();
    this.#detach = () => {
      stream.off("data", onData).off("end", onEnd).off("drain", onDrain).off("close", onClose);
      // An error after this belongs to whoever has the stream next, and must not end the process in between.
      stream.off("error", onError).on("error", () => {});
    };
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
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes > highWaterBytes) this.#stream.pause();
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
    this.#failure ??= error === undefined ? undefined : networkError(error, this.remote);
    if (error === undefined && !this.#ended) this.#failure ??= new BrokenError("the connection was cut");
    if (this.#failure !== undefined || !this.#ended) this.#settle(this.#failure);
    else for (const { reject } of this.#drained.splice(0)) reject(new BrokenError("the connection is over"));
  }

  #settle(reason: unknown): void {
    this.#reader?.reject(reason);
    this.#reader = undefined;
    for (const { reject } of this.#drained.splice(0)) reject(reason);
  }
}

/**
 * Begins TLS on a connection whose first byte is to be TLS. What has arrived so far belongs to the handshake, unlike
 * after a STARTTLS. The connection is closed when it fails.
 */
export async function overTls(
  transport: Transport,
  upgrade: TlsUpgrade,
  options: OpOptions = {},
): Promise<Transport> {
  const { local, remote } = transport;
  const plain = transport.toNode();
  try {
    const secure = await upgradeDuplex(plain, upgrade, options, remote);
    const ends = { ...(local !== undefined && { local }), ...(remote !== undefined && { remote }) };
    return new DuplexTransport(secure, ends).secured(tlsInfo(secure, upgrade));
  } catch (error) {
    plain.destroy();
    throw error;
  }
}

function localEndpoint(stream: Duplex): Endpoint | undefined {
  if (!(stream instanceof Socket) || stream.localAddress === undefined) return undefined;
  return { host: stream.localAddress, port: stream.localPort };
}

function remoteEndpoint(stream: Duplex): Endpoint | undefined {
  if (!(stream instanceof Socket) || stream.remoteAddress === undefined) return undefined;
  return { host: stream.remoteAddress, port: stream.remotePort };
}
