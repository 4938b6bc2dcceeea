/** COMPRESS=DEFLATE: RFC 4978. */
import type { Duplex } from "node:stream";
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from "node:zlib";
import type { OpOptions } from "../core/deadline.js";
import { BusyError, ClosedError, LimitError, RemoteProtocolError, UnsupportedError } from "../core/errors.js";
import type { Endpoint, TlsInfo, TlsUpgrade, Transport } from "../transport/types.js";

/** What is inflated may be so many times what arrived, once it is more than 16 MiB. DEFLATE itself cannot exceed 1032. */
const maxRatio = 200;
const freeBytes = 16 * 1_048_576;
/** Reading stops while so much that was inflated waits. */
const fullBytes = 262_144;

/** How much may be inflated. */
export interface DeflateOptions {
  /** The most that one compressed byte may become, on average and beyond the first 16 MiB. Default 200. */
  readonly maxRatio?: number | undefined;
}

/** The transport with everything compressed, both ways. `ahead` has arrived already and is compressed. */
export function deflated(transport: Transport, ahead: Uint8Array, options: DeflateOptions = {}): Transport {
  return new DeflateTransport(transport, ahead, options.maxRatio ?? maxRatio);
}

class DeflateTransport implements Transport {
  readonly #under: Transport;
  readonly #maxRatio: number;
  readonly #inflate: InflateRaw = createInflateRaw();
  readonly #deflate: DeflateRaw = createDeflateRaw();
  #ahead: Uint8Array;
  #in = 0;
  #out = 0;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #written: Promise<void> = Promise.resolve();
  #inflating = false;
  #told: (() => void) | undefined;

  constructor(under: Transport, ahead: Uint8Array, ratio: number) {
    this.#under = under;
    this.#ahead = ahead;
    this.#maxRatio = ratio;
    this.#inflate.on("data", (chunk: Uint8Array) => this.#inflated(chunk));
    this.#inflate.on("error", (cause) => this.#failed(brokenData(cause)));
    this.#inflate.on("close", () => this.#failed(new ClosedError("the connection was closed")));
    this.#deflate.on("error", () => {});
  }

  get local(): Endpoint | undefined {
    return this.#under.local;
  }

  get remote(): Endpoint | undefined {
    return this.#under.remote;
  }

  get tls(): TlsInfo | undefined {
    return this.#under.tls;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes + this.#ahead.length + this.#under.bufferedBytes;
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bufferedBytes -= chunk.length;
        if (this.#bufferedBytes <= fullBytes) this.#inflate.resume();
        return chunk;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#inflating) await this.#news();
      else {
        const arrived = await this.#arrived();
        if (arrived === undefined) return undefined;
        this.#feed(arrived);
      }
    }
  }

  async #arrived(): Promise<Uint8Array | undefined> {
    if (this.#ahead.length === 0) return await this.#under.read();
    const ahead = this.#ahead;
    this.#ahead = new Uint8Array(0);
    return ahead;
  }

  #feed(arrived: Uint8Array): void {
    this.#in += arrived.length;
    this.#inflating = true;
    this.#inflate.write(arrived, () => {
      this.#inflating = false;
      this.#tell();
    });
  }

  /** Something has been inflated, or all that arrived is through, or it has failed. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#told = resolve;
    });
  }

  #tell(): void {
    this.#told?.();
    this.#told = undefined;
  }

  #inflated(chunk: Uint8Array): void {
    this.#out += chunk.length;
    if (this.#out > freeBytes && this.#out > this.#in * this.#maxRatio) {
      this.#failed(new LimitError("what a compressed byte becomes", this.#maxRatio));
      this.#inflate.destroy();
      return;
    }
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes > fullBytes) this.#inflate.pause();
    this.#tell();
  }

  #failed(error: unknown): void {
    this.#failure ??= { error };
    this.#tell();
  }

  /** Each write is flushed: the server must be able to read a whole command. */
  write(data: Uint8Array): Promise<void> {
    const ready = this.#deflated(data);
    const before = this.#written;
    this.#written = (async () => {
      await before;
      await this.#under.write(await ready);
    })();
    this.#written.catch(() => {});
    return this.#written;
  }

  #deflated(data: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#deflate.once("error", reject);
      this.#deflate.write(data);
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
        this.#deflate.off("error", reject);
        const pieces: Uint8Array[] = [];
        for (let piece = this.#deflate.read(); piece !== null; piece = this.#deflate.read())
          pieces.push(piece);
        resolve(Buffer.concat(pieces));
      });
    });
  }

  async end(): Promise<void> {
    await this.#written.catch(() => {});
    await this.#under.end();
  }

  async close(): Promise<void> {
    this.#inflate.destroy();
    this.#deflate.destroy();
    await this.#under.close();
  }

  startTls(_upgrade: TlsUpgrade, _options?: OpOptions): Promise<TlsInfo> {
    return Promise.reject(new BusyError("TLS cannot begin within compression"));
  }

  toNode(): Duplex {
    throw new UnsupportedError("compressed streams", "a compressed connection cannot be handed to Node");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function brokenData(cause: Error): RemoteProtocolError {
  return new RemoteProtocolError(`what the server compressed is broken: ${cause.message}`, {
    ...{ cause, rfc: "RFC 4978 section 3" },
  });
}
