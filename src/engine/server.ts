/** What the servers of all protocols are: options that mean the same everywhere, and one way to listen. */
import { LocalProtocolError } from "../core/errors.js";
import type { Trace } from "../core/trace.js";
import type { Authenticator } from "../sasl/index.js";
import type { Endpoint, TlsServerOptions, Transport } from "../transport/types.js";
import { Acceptor, type ListenOptions } from "./acceptor.js";
import type { Fault } from "./faults.js";

/** TLS, and when it begins. */
export interface ServerTls extends TlsServerOptions {
  /** When the client asks for it by the protocol's command (default), or with the first byte. */
  readonly mode?: "starttls" | "implicit" | undefined;
}

/** What every server takes. Each protocol adds its own, and names the stages of `faults` besides its commands. */
export interface ServerOptions extends ListenOptions {
  /** The server's name in its greeting. Default `localhost`. */
  readonly name?: string | undefined;
  /** Whom a login asks. Default: the handler's own. */
  readonly accounts?: Authenticator | undefined;
  readonly tls?: ServerTls | undefined;
  /** Takes passwords over connections that everybody can read. Default false. */
  readonly allowClearTextAuth?: boolean | undefined;
  /** How many logins may fail before the connection is ended. Default 3. */
  readonly maxAuthFailures?: number | undefined;
  /** What is not offered although it could be, such as `["PIPELINING"]`, so that clients can be tested. */
  readonly hide?: readonly string[] | undefined;
  /** Sees the conversations. */
  readonly trace?: Trace | undefined;
  /** What goes wrong on purpose. The stage `connect` is the greeting. */
  readonly faults?: readonly Fault[] | undefined;
  /** Makes the faults' chances repeatable. Default 1. */
  readonly faultSeed?: number | undefined;
  /** Told what a handler or store threw, and how connections failed before the conversation. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What a server tells the accept loop. */
export interface ServerSettings {
  readonly tls: ServerTls | undefined;
  /** Whether it may be reached from other machines: it has TLS, and nobody gets in or through who should not. */
  readonly safeInPublic: boolean;
  readonly onError: (error: unknown) => void;
}

/**
 * A server that listens. `serve` is the conversation with one client, the same over TCP, TLS, a Unix socket or memory;
 * this class is everything around it.
 */
export abstract class ListeningServer implements AsyncDisposable {
  readonly #acceptor: Acceptor;

  constructor({ tls, safeInPublic, onError }: ServerSettings) {
    this.#acceptor = new Acceptor({
      serve: (transport) => this.serve(transport),
      implicitTls: tls?.mode === "implicit" ? tls : undefined,
      safeInPublic,
      onError,
    });
  }

  /** Speaks with one client to the end, and closes the transport. It does not reject for what the client does. */
  abstract serve(transport: Transport): Promise<void>;

  /** Stops accepting, lets the clients know, waits up to `graceMs` for them, and cuts the connections that are left. */
  abstract close(options?: { readonly graceMs?: number | undefined }): Promise<void>;

  /**
   * Begins to accept connections at one more address; by default on 127.0.0.1, and on a port that the system chooses.
   *
   * @throws {LocalProtocolError} the address can be reached from elsewhere, and the server is not made for that.
   */
  async listen(options: ListenOptions = {}): Promise<Endpoint> {
    return await this.#acceptor.listen(options);
  }

  /** The addresses that are listened on. */
  get addresses(): readonly Endpoint[] {
    return this.#acceptor.addresses;
  }

  /**
   * The first of them.
   *
   * @throws {LocalProtocolError} the server does not listen.
   */
  get address(): Endpoint {
    const [first] = this.#acceptor.addresses;
    if (first === undefined) throw new LocalProtocolError("the server does not listen");
    return first;
  }

  /** The port of the first address; 0 where the server listens on a path. */
  get port(): number {
    return this.address.port ?? 0;
  }

  /** The host of the first address; `""` where the server listens on a path. */
  get host(): string {
    return this.address.host ?? "";
  }

  /** How many clients there are. */
  get connections(): number {
    return this.#acceptor.connections;
  }

  /** The same as `close()` without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Stops the accept loop; what each protocol's `close` does in the end. */
  protected async stopAccepting(options: { readonly graceMs?: number | undefined }): Promise<void> {
    await this.#acceptor.close(options);
  }
}
