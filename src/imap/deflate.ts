/** COMPRESS=DEFLATE (RFC 4978): a connection whose bytes travel compressed. For clients and servers alike. */
import { Readable } from "node:stream";
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from "node:zlib";
import { BrokenError, LocalProtocolError, RemoteProtocolError } from "../core/errors.js";
import type { Endpoint, TlsInfo, Transport } from "../transport/types.js";

/**
 * A transport over another one, with raw DEFLATE in between. Each write is flushed, so that the peer can read it whole.
 * Only some 16 KiB are
 * inflated ahead of the reader: a few bytes that stand for very many cost nothing beyond the limit of what is read.
 */
export class DeflateTransport implements Transport {
  readonly #inner: Transport;
  readonly #deflate: DeflateRaw = createDeflateRaw({ level: 6 });
  readonly #inflate: InflateRaw;
  readonly #inflated: AsyncIterator<Uint8Array>;
  #compressed: Uint8Array[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(inner: Transport) {
    this.#inner = inner;
    this.#inflate = createInflateRaw({ chunkSize: 16_384 });
    const source = Readable.from(chunks(inner), { objectMode: true, highWaterMark: 1 });
    source.on("error", (error) => this.#inflate.destroy(error));
    source.pipe(this.#inflate);
    this.#inflated = this.#inflate[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#deflate.on("data", (chunk: Uint8Array) => this.#compressed.push(chunk));
    // What the streams have to say is said by the calls.
    this.#deflate.on("error", () => {});
    this.#inflate.on("error", () => {});
  }

  get local(): Endpoint | undefined {
    return this.#inner.local;
  }

  get remote(): Endpoint | undefined {
    return this.#inner.remote;
  }

  get tls(): TlsInfo | undefined {
    return this.#inner.tls;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes + this.#inflate.readableLength;
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await this.#inflated.next();
      return done === true ? undefined : value;
    } catch (error) {
      throw isZlibError(error) ? brokenStream(error) : error;
    }
  }

  write(data: Uint8Array): Promise<void> {
    const written = this.#writing.then(() => this.#compress(data));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #compress(data: Uint8Array): Promise<void> {
    if (this.#deflate.destroyed) throw new BrokenError("the connection was closed");
    this.#deflate.write(data);
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    const pieces = this.#compressed;
    this.#compressed = [];
    await this.#inner.write(Buffer.concat(pieces));
  }

  async end(): Promise<void> {
    await this.#writing;
    await this.#inner.end();
  }

  async close(): Promise<void> {
    this.#deflate.destroy();
    this.#inflate.destroy();
    await this.#inner.close();
  }

  startTls(): Promise<TlsInfo> {
    return Promise.reject(new LocalProtocolError("TLS comes before COMPRESS (RFC 4978 section 3)"));
  }

  toNode(): never {
    throw new LocalProtocolError("a compressed connection cannot be handed over");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function* chunks(inner: Transport): AsyncGenerator<Uint8Array> {
  for (let chunk = await inner.read(); chunk !== undefined; chunk = await inner.read()) yield chunk;
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && /^Z_/.test((error as NodeJS.ErrnoException).code ?? "");
}

function brokenStream(cause: unknown): RemoteProtocolError {
  return new RemoteProtocolError("the compressed bytes cannot be read", { cause, rfc: "RFC 4978" });
}
