/** A connection of which some bytes have been read already, or whose ends are others than they seem. */
import type { Duplex } from "node:stream";
import type { OpOptions } from "../core/deadline.js";
import { ClosedError, RemoteProtocolError } from "../core/errors.js";
import { giveBack } from "./give-back.js";
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
  #closed = false;
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  readonly sendFile: Transport["sendFile"];

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
    this.sendFile = under.sendFile?.bind(under);
  }

  get tls(): TlsInfo | undefined {
    return this.#under.tls;
  }

  get bufferedBytes(): number {
    return this.#first.length + this.#under.bufferedBytes;
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#closed) return Promise.reject(new ClosedError("the connection was closed"));
    return this.#first.length === 0 ? this.#under.read() : Promise.resolve(this.#takeFirst());
  }

  #takeFirst(): Uint8Array {
    const first = this.#first;
    this.#first = new Uint8Array(0);
    return first;
  }

  write(data: Uint8Array): Promise<void> {
    return this.#under.write(data);
  }

  end(): Promise<void> {
    return this.#under.end();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#takeFirst();
    return this.#under.close();
  }

  async startTls(upgrade: TlsUpgrade, options?: OpOptions): Promise<TlsInfo> {
    if (this.#first.length === 0)
      return await this.#under.startTls(named(upgrade, this.remote?.host), options);
    const excerpt = this.#first;
    await this.close();
    throw new RemoteProtocolError("bytes arrived in the clear before TLS started", {
      excerpt,
      rfc: "RFC 3207 section 6",
    });
  }

  toNode(): Duplex {
    const stream = this.#under.toNode();
    return this.#first.length === 0 ? stream : giveBack(stream, [this.#takeFirst()], false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The server's name is that of the end that is spoken to, and not that of a proxy in between. */
function named(upgrade: TlsUpgrade, host: string | undefined): TlsUpgrade {
  if (upgrade.role === "server" || host === undefined) return upgrade;
  return {
    role: "client",
    options: { ...upgrade.options, serverName: upgrade.options.serverName ?? host },
  };
}
