/** A connection of which some bytes have been read already, or whose ends are others than they seem. */
import type { Duplex } from "node:stream";
import type { OpOptions } from "../core/deadline.js";
import { RemoteProtocolError } from "../core/errors.js";
import type { Endpoint, TlsInfo, TlsUpgrade, Transport } from "./types.js";

/** The transport with `first` before whatever it still has to give. */
export function prepended(
  transport: Transport,
  first: Uint8Array,
  ends: { readonly local: Endpoint | undefined; readonly remote: Endpoint | undefined },
): Transport {
  return new PrependedTransport(transport, first, ends.local, ends.remote);
}

class PrependedTransport implements Transport {
  readonly #under: Transport;
  #first: Uint8Array;
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;

  constructor(
    under: Transport,
    first: Uint8Array,
    local: Endpoint | undefined,
    remote: Endpoint | undefined,
  ) {
    this.#under = under;
    this.#first = first;
    this.local = local;
    this.remote = remote;
  }

  get tls(): TlsInfo | undefined {
    return this.#under.tls;
  }

  get bufferedBytes(): number {
    return this.#first.length + this.#under.bufferedBytes;
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#first.length === 0) return this.#under.read();
    const first = this.#first;
    this.#first = new Uint8Array(0);
    return Promise.resolve(first);
  }

  write(data: Uint8Array): Promise<void> {
    return this.#under.write(data);
  }

  end(): Promise<void> {
    return this.#under.end();
  }

  close(): Promise<void> {
    return this.#under.close();
  }

  async startTls(upgrade: TlsUpgrade, options?: OpOptions): Promise<TlsInfo> {
    if (this.#first.length === 0) return await this.#under.startTls(upgrade, options);
    await this.close();
    throw new RemoteProtocolError("bytes arrived in the clear before TLS started", { excerpt: this.#first });
  }

  toNode(): Duplex {
    const stream = this.#under.toNode();
    if (this.#first.length > 0) stream.unshift(this.#first);
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
