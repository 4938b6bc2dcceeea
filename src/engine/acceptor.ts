/** The accept loop of every server: connections counted and limited, TLS, the end in good order. */
import { isIP } from "node:net";
import { LocalProtocolError } from "../core/errors.js";
import { overTls } from "../transport/duplex.js";
import { nodeProvider } from "../transport/node.js";
import { readProxyHeader } from "../transport/proxy-header.js";
import type {
  Endpoint,
  Listener,
  ListenTarget,
  TlsServerOptions,
  Transport,
  TransportProvider,
} from "../transport/types.js";

/** Where and how a server listens. */
export interface ListenOptions extends ListenTarget {
  /** Where connections come from: Node's sockets by default. */
  readonly provider?: TransportProvider | undefined;
  /** How many clients at once. Default 1000; a client above it is let go at once. */
  readonly maxConnections?: number | undefined;
  /** How many of them from one address. Default: as many as all together. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Addresses whose connections begin with a PROXY header (version 1 or 2), and no others'. */
  readonly proxyFrom?: readonly string[] | undefined;
}

/** What the acceptor needs to know of its server. */
export interface AcceptorOptions {
  /** The conversation with one client. It never rejects for what the client does. */
  serve(transport: Transport): Promise<void>;
  /** Set where TLS begins with the first byte. */
  readonly implicitTls?: TlsServerOptions | undefined;
  /** Whether the server knows its users, and protects their passwords: without, it is for this machine alone. */
  readonly safeInPublic: boolean;
  /** Told what went wrong with a connection, or within a handler. */
  onError(error: unknown): void;
}

const handshakeMs = 30_000;

/** Accepts connections and keeps count of them. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #listeners: Listener[] = [];
  readonly #connections: Map<Transport, string> = new Map();
  readonly #serving: Set<Promise<void>> = new Set();
  #closing = false;

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  /** The addresses that are listened on. */
  get addresses(): readonly Endpoint[] {
    return this.#listeners.map(({ address }) => address);
  }

  /** How many clients there are. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Begins to accept.
   *
   * @throws {LocalProtocolError} the address can be reached from elsewhere, and the server knows no users or no TLS.
   */
  async listen(options: ListenOptions = {}): Promise<Endpoint> {
    if (!this.#options.safeInPublic && !isLoopback(options)) {
      throw new LocalProtocolError(
        `listening on ${options.host} would let everybody in: give accounts and tls, or listen on 127.0.0.1`,
      );
    }
    const provider = options.provider ?? nodeProvider;
    const listener = await provider.listen(options, (transport) => this.#accept(transport, options));
    this.#listeners.push(listener);
    return listener.address;
  }

  #accept(transport: Transport, options: ListenOptions): void {
    const address = transport.remote?.host ?? "";
    const max = options.maxConnections ?? 1000;
    const same = [...this.#connections.values()].filter((other) => other === address).length;
    if (this.#closing || this.#connections.size >= max || same >= (options.maxConnectionsPerAddress ?? max)) {
      void transport.close();
      return;
    }
    const serving = this.#run(transport, address, options).finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
  }

  async #run(transport: Transport, address: string, options: ListenOptions): Promise<void> {
    this.#connections.set(transport, address);
    try {
      const known = options.proxyFrom?.includes(unmapped(address)) === true;
      const client = known ? await readProxyHeader(transport, { timeoutMs: handshakeMs }) : transport;
      const { implicitTls } = this.#options;
      await this.#options.serve(
        implicitTls === undefined
          ? client
          : await overTls(client, { role: "server", options: implicitTls }, { timeoutMs: handshakeMs }),
      );
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#connections.delete(transport);
      await transport.close();
    }
  }

  /** Stops accepting, waits up to `graceMs` for the clients to end, and then cuts the connections that are left. */
  async close({ graceMs = 0 }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    if (graceMs > 0) await this.#wait(graceMs);
    await Promise.all([...this.#connections.keys()].map((transport) => transport.close()));
    await Promise.all(this.#serving);
  }

  async #wait(graceMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.all(this.#serving), late]);
    clearTimeout(timer);
  }
}

/** An IPv4 address that came through an IPv6 socket: `::ffff:10.0.0.1`. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

function isLoopback({ host = "127.0.0.1", path }: ListenTarget): boolean {
  if (path !== undefined || host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
