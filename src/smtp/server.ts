/** A server of SMTP (RFC 5321) and LMTP (RFC 2033). It takes mail and passes none on: nothing here connects anywhere. */
import { ListeningServer } from "../engine/server.js";
import type { Transport } from "../transport/types.js";
import { converse } from "./server-commands.js";
import { type Settings, type SmtpServerOptions, settingsOf } from "./server-options.js";
import { replies } from "./server-replies.js";
import { Session } from "./server-session.js";

export type { SmtpServerOptions } from "./server-options.js";

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
export class SmtpServer extends ListeningServer {
  readonly #settings: Settings;
  readonly #sessions: Set<Session> = new Set();
  #lastId = 0;
  #closing = false;

  /** @throws {LocalProtocolError} the options contradict each other. */
  constructor(options: SmtpServerOptions) {
    const settings = settingsOf(options);
    super({ ...settings, tls: settings.tls, safeInPublic: isSafeInPublic(settings) });
    this.#settings = settings;
  }

  /** Makes a server and listens. */
  static async listen(options: SmtpServerOptions): Promise<SmtpServer> {
    const server = new SmtpServer(options);
    await server.listen(options);
    return server;
  }

  /** How many clients there are. */
  override get connections(): number {
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
    await this.stopAccepting(options);
    await Promise.all([...this.#sessions].map((session) => session.end()));
  }
}

/** Whether strangers may connect: it has TLS and accounts, and does not take mail for whomever. */
function isSafeInPublic({ tls, accounts, domains, handler }: Settings): boolean {
  return tls !== undefined && accounts !== undefined && (domains !== undefined || handler.rcpt !== undefined);
}
