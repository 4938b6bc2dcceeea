/** The accept loop of every server: connections counted and limited, TLS, the end in good order. */
import { isIP } from "node:net";
import type { OpOptions } from "../core/deadline.js";
import { ClosedError, LocalProtocolError } from "../core/errors.js";
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
const defaultMaxConnections = 1000;

/** A client, and what is closed to let it go: a header or a handshake puts another transport before the first. */
interface Connection {
  transport: Transport;
  address: string;
}

/** Accepts connections and keeps count of them. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #listeners: Listener[] = [];
  readonly #connections: Set<Connection> = new Set();
  readonly #serving: Set<Promise<void>> = new Set();
  #closing = false;
  /** Ends the handshakes that are under way. */
  readonly #cut: AbortController = new AbortController();

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
   * @throws {ClosedError} the server was closed.
   */
  async listen(options: ListenOptions = {}): Promise<Endpoint> {
    if (this.#closing) throw new ClosedError("the server was closed");
    if (!this.#options.safeInPublic && !isLoopback(options)) {
      throw new LocalProtocolError(
        `listening on ${options.host} would let everybody in: give accounts and tls, or listen on 127.0.0.1`,
      );
    }
    const provider = options.provider ?? nodeProvider;
    const listener = await provider.listen(options, (transport) => this.#accept(transport, options));
    this.#listeners.push(listener);
    if (this.#closing) await listener.close();
    return listener.address;
  }

  #accept(transport: Transport, options: ListenOptions): void {
    const connection = { transport, address: unmapped(transport.remote?.host ?? "") };
    const isBalancer = options.proxyFrom?.includes(connection.address) === true;
    if (this.#closing || this.#isFull(options) || (!isBalancer && this.#isCrowd(connection, options))) {
      void transport.close();
      return;
    }
    this.#connections.add(connection);
    const serving = this.#run(connection, isBalancer, options).finally(() => {
      this.#connections.delete(connection);
      this.#serving.delete(serving);
    });
    this.#serving.add(serving);
  }

  #isFull({ maxConnections = defaultMaxConnections }: ListenOptions): boolean {
    return this.#connections.size >= maxConnections;
  }

  /** Whether there are as many connections from this one's address as there may be. Unix sockets have no address. */
  #isCrowd(connection: Connection, { maxConnectionsPerAddress: max }: ListenOptions): boolean {
    if (max === undefined || connection.address === "") return false;
    let others = 0;
    for (const other of this.#connections)
      if (other !== connection && other.address === connection.address) others += 1;
    return others >= max;
  }

  async #run(connection: Connection, isBalancer: boolean, options: ListenOptions): Promise<void> {
    try {
      if (!isBalancer || (await this.#readProxyHeader(connection, options))) {
        await this.#secure(connection);
        await this.#options.serve(connection.transport);
      }
    } catch (error) {
      if (error !== this.#cut.signal.reason) this.#report(error);
    } finally {
      await connection.transport.close();
    }
  }

  /** Counts the client that a balancer names, and not the balancer. False: there are too many from its address. */
  async #readProxyHeader(connection: Connection, options: ListenOptions): Promise<boolean> {
    connection.transport = await readProxyHeader(connection.transport, this.#handshakeOptions());
    connection.address = unmapped(connection.transport.remote?.host ?? "");
    return !this.#isCrowd(connection, options);
  }

  async #secure(connection: Connection): Promise<void> {
    const { implicitTls: options } = this.#options;
    if (options === undefined) return;
    const upgrade = { role: "server", options } as const;
    connection.transport = await overTls(connection.transport, upgrade, this.#handshakeOptions());
  }

  #handshakeOptions(): OpOptions {
    return { timeoutMs: handshakeMs, signal: this.#cut.signal };
  }

  /** A listener to errors that throws must not end the process. */
  #report(error: unknown): void {
    try {
      this.#options.onError(error);
    } catch {}
  }

  /** Stops accepting, waits up to `graceMs` for the clients to end, and then cuts the connections that are left. */
  async close({ graceMs = 0 }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    if (graceMs > 0) await this.#wait(graceMs);
    this.#cut.abort(new ClosedError("the server was closed"));
    await Promise.all([...this.#connections].map(({ transport }) => transport.close()));
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
