/** The pump: the one place where codecs meet I/O. */
import { ByteQueue } from "../core/byte-queue.js";
import { Deadline, type OpOptions } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BrokenError, BusyError, RemoteProtocolError } from "../core/errors.js";
import { defaultLimits, type Limits } from "../core/limits.js";
import type { TlsInfo, TlsUpgrade, Transport } from "./types.js";

/** What a caller of {@link ByteStream.receive} may say besides its deadline. */
export interface ReceiveOptions extends OpOptions {
  /** What is waited for, for the error of a deadline: `the greeting`. */
  readonly what?: string | undefined;
  /** Other limits than the connection's. */
  readonly limits?: Limits | undefined;
}

/**
 * A transport with a queue of bytes before it, out of which decoders take values.
 *
 * @example
 * ```ts
 * const stream = new ByteStream(transport);
 * const line = await stream.receive((queue, limits) => queue.takeLine(limits.maxLineBytes), { timeoutMs: 5000 });
 * ```
 */
export class ByteStream {
  readonly transport: Transport;
  readonly limits: Limits;
  /** What has arrived and is not decoded yet. */
  readonly queue: ByteQueue = new ByteQueue();
  /** A read whose waiter gave up. Its bytes go to the next one: none is lost. */
  #reading: Promise<void> | undefined;
  #receiving = false;

  constructor(transport: Transport, limits: Partial<Limits> = {}) {
    this.transport = transport;
    this.limits = { ...defaultLimits, ...limits };
  }

  /**
   * The next value of a decoder. One call at a time. A deadline or signal ends the wait and loses no byte.
   *
   * @throws {BrokenError} the peer ended the connection before the value was complete.
   * @throws {BusyError} another call is under way.
   */
  async receive<T>(decoder: Decoder<T>, options: ReceiveOptions = {}): Promise<T> {
    if (this.#receiving) throw new BusyError("another operation reads from this connection");
    this.#receiving = true;
    try {
      const limits = options.limits ?? this.limits;
      const value = decoder(this.queue, limits);
      return value === undefined ? await this.#receiveLater(decoder, limits, options) : value;
    } finally {
      this.#receiving = false;
    }
  }

  /** The value if its bytes have arrived, and otherwise `undefined`, without waiting. */
  receiveNow<T>(decoder: Decoder<T>): T | undefined {
    return this.#receiving ? undefined : decoder(this.queue, this.limits);
  }

  async #receiveLater<T>(decoder: Decoder<T>, limits: Limits, options: ReceiveOptions): Promise<T> {
    using deadline = new Deadline(options.what ?? "waiting for data", options);
    for (;;) {
      if (this.queue.ended) throw new BrokenError("the peer ended the connection");
      deadline.throwIfOver();
      this.#reading ??= this.#read();
      await deadline.race(this.#reading);
      const value = decoder(this.queue, limits);
      if (value !== undefined) return value;
    }
  }

  async #read(): Promise<void> {
    try {
      const chunk = await this.transport.read();
      if (chunk === undefined) this.queue.end();
      else this.queue.push(chunk);
    } finally {
      this.#reading = undefined;
    }
  }

  /** Sends bytes; resolves when there is room for more. An aborted write may have sent all, some or nothing. */
  async write(data: Uint8Array, options?: OpOptions): Promise<void> {
    const written = this.transport.write(data);
    if (options?.signal === undefined && options?.timeoutMs === undefined) return await written;
    using deadline = new Deadline("sending", options);
    await deadline.race(written);
  }

  /**
   * Goes on in TLS. Whatever has arrived by now came in the clear, from whoever stands in between: it ends the
   * connection.
   *
   * @throws {RemoteProtocolError} bytes had arrived before the handshake.
   */
  async startTls(upgrade: TlsUpgrade, options?: OpOptions): Promise<TlsInfo> {
    if (this.queue.length > 0 || this.#reading !== undefined) {
      await this.transport.close();
      throw new RemoteProtocolError("bytes arrived in the clear before TLS started", {
        excerpt: this.queue.peek(),
        rfc: "RFC 3207 section 6",
      });
    }
    return await this.transport.startTls(upgrade, options);
  }

  async close(): Promise<void> {
    await this.transport.close();
  }
}
