/** A server of SMTP (RFC 5321) and LMTP (RFC 2033). It takes mail and passes none on: nothing here connects anywhere. */
import { LocalProtocolError } from "../core/errors.js";
import { Acceptor, type ListenOptions } from "../engine/acceptor.js";
import type { Endpoint, Transport } from "../transport/types.js";
import { converse } from "./server-commands.js";
import { type Settings, type SmtpServerOptions, settingsOf } from "./server-options.js";
import { replies } from "./server-replies.js";
import { Session } from "./server-session.js";

export type { SmtpServerOptions, SmtpServerTls } from "./server-options.js";

/**
 * Takes mail. `listen` accepts connections, `serve` is the conversation with one client: the same over TCP, TLS, a Unix
 * socket or memory.
 *
 * @example
 * ```ts
 * await using server = await SmtpServer.listen({ port: 0, handler: { data: async ({ content }) => save(await content.bytes()) } });
 * console.log(server.port);
 * ```
 */
export class SmtpServer implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #acceptor: Acceptor;
  readonly #sessions: Set<Session> = new Set();
  #lastId = 0;
  #closing = false;

  /** @throws {LocalProtocolError} the options contradict each other. */
  constructor(options: SmtpServerOptions) {
    this.#settings = settingsOf(options);
    const { tls, accounts, onError } = this.#settings;
    this.#acceptor = new Acceptor({
      serve: (transport) => this.serve(transport),
      implicitTls: tls?.mode === "implicit" ? tls : undefined,
      safeInPublic: tls !== undefined && accounts !== undefined && this.#choosesRecipients(),
      onError,
    });
  }

  /** Makes a server and listens. */
  static async listen(options: SmtpServerOptions): Promise<SmtpServer> {
    const server = new SmtpServer(options);
    await server.listen(options);
    return server;
  }

  /**
   * Begins to accept connections; by default on 127.0.0.1, and on a port that the system chooses.
   *
   * @throws {LocalProtocolError} the address can be reached from elsewhere, and there are no accounts, no TLS, or neither
   * `domains` nor a handler's `rcpt` that says whom mail is taken for.
   */
  async listen(options: ListenOptions = {}): Promise<Endpoint> {
    if (this.#closing) throw new LocalProtocolError("the server was closed");
    return await this.#acceptor.listen(options);
  }

  /** Where the server listens: the first of its addresses. */
  get address(): Endpoint {
    const [first] = this.#acceptor.addresses;
    if (first === undefined) throw new LocalProtocolError("the server does not listen");
    return first;
  }

  /** The port of {@link SmtpServer.address}; 0 where the server listens on a path. */
  get port(): number {
    return this.address.port ?? 0;
  }

  /** The host of {@link SmtpServer.address}; `""` where the server listens on a path. */
  get host(): string {
    return this.address.host ?? "";
  }

  /** How many clients there are. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** The conversation with one client, to its end. It does not reject, whatever the client or the handler does. */
  async serve(transport: Transport): Promise<void> {
    this.#lastId += 1;
    const session = new Session(this.#lastId, transport, this.#settings);
    this.#sessions.add(session);
    try {
      if (this.#closing) await session.part(replies.closing);
      await converse(session);
    } catch (error) {
      this.#settings.onError(error);
    } finally {
      this.#sessions.delete(session);
    }
  }

  /**
   * Stops accepting. Clients that wait are told 421; those in the middle of a message have `graceMs` to end it.
   * Default 0 ms.
   */
  async close(options: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#closing = true;
    const parted = [...this.#sessions].map((session) => session.shutDown());
    await Promise.all(parted);
    await this.#acceptor.close(options);
    await Promise.all([...this.#sessions].map((session) => session.end()));
  }

  /** The same as {@link SmtpServer.close} without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #choosesRecipients(): boolean {
    const { domains, handler } = this.#settings;
    return domains !== undefined || handler.rcpt !== undefined;
  }
}
