/** The pump: the one place where codecs meet I/O. */
import { ByteQueue } from "../core/byte-queue.js";
import { Deadline, type OpOptions, withDeadline } from "../core/deadline.js";
import type { Decoder } from "../core/decoder.js";
import { BrokenError, BusyError, RemoteProtocolError } from "../core/errors.js";
import { defaultLimits, type Limits } from "../core/limits.js";
import { taken } from "./taken.js";
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
    if (isEndless(options)) return await this.#receiveEndlessly(decoder, limits);
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

  /** The same without a clock: a server watches all its clients by clocks of its own. */
  async #receiveEndlessly<T>(decoder: Decoder<T>, limits: Limits): Promise<T> {
    for (;;) {
      if (this.queue.ended) throw new BrokenError("the peer ended the connection");
      this.#reading ??= this.#read();
      await this.#reading;
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

  /**
   * Sends bytes; resolves when there is room for more. A write that was given up may have sent all, some or nothing; one
   * whose signal was given before has sent nothing.
   */
  write(data: Uint8Array, options: OpOptions = {}): Promise<void> {
    if (isEndless(options)) return this.transport.write(data);
    if (isOver(options)) return this.#writeInTime(data, options);
    const writing = this.transport.write(data);
    return writing === taken ? writing : inTime(writing, options);
  }

  async #writeInTime(data: Uint8Array, options: OpOptions): Promise<void> {
    await withDeadline("sending", options, () => this.transport.write(data));
  }

  /**
   * Goes on in TLS. Whatever has arrived by now came in the clear, from whoever stands in between: it ends the
   * connection.
   *
   * @throws {RemoteProtocolError} bytes had arrived before the handshake.
   * @throws {BusyError} a read is under way, be it one whose caller has given up. The connection goes on as before.
   */
  async startTls(upgrade: TlsUpgrade, options?: OpOptions): Promise<TlsInfo> {
    // Of what such a read has got by now nobody could say whether it came before the handshake.
    if (this.#receiving || this.#reading !== undefined) throw new BusyError("a read is under way");
    if (this.queue.length === 0) return await this.transport.startTls(upgrade, options);
    await this.transport.close();
    throw new RemoteProtocolError("bytes arrived in the clear before TLS started", {
      excerpt: this.queue.peek(),
      rfc: "RFC 3207 section 6",
    });
  }

  /** Gives the connection up at once. */
  async close(): Promise<void> {
    await this.transport.close();
  }
}

/** Whether nothing but the work itself ends a call, so that it needs no clock. */
function isEndless({ signal, timeoutMs }: OpOptions): boolean {
  return signal === undefined && (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY);
}

/** Whether a deadline fails at once, and before anything is sent: its time is over, or none. */
function isOver({ signal, timeoutMs = Number.POSITIVE_INFINITY }: OpOptions): boolean {
  return signal?.aborted === true || !(timeoutMs > 0);
}

async function inTime(writing: Promise<void>, options: OpOptions): Promise<void> {
  using deadline = new Deadline("sending", options);
  await deadline.race(writing);
}
