/** A server of IMAP: IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051) over any store of mail. */
import { DeadlineError, HawserError, LimitError, RemoteProtocolError } from "../core/errors.js";
import { ListeningServer } from "../engine/server.js";
import type { Transport } from "../transport/types.js";
import { carryOut, decideLiteral, greet } from "./server-commands.js";
import { type ImapServerOptions, type Settings, settingsOf } from "./server-options.js";
import { Session } from "./server-session.js";

export type { ImapServerOptions } from "./server-options.js";

/**
 * Serves mailboxes. `listen` accepts connections, `serve` is the conversation with one client: the same over TCP, TLS, a
 * Unix socket or memory.
 *
 * @example
 * ```ts
 * const store = MemoryMailStore.of({ alice: ["Subject: hello\r\n\r\nHello.\r\n"] });
 * await using server = await ImapServer.listen({ port: 0, store, accounts: Accounts.of({ alice: "secret" }), tls });
 * const { host, port } = server.address;
 * ```
 */
export class ImapServer extends ListeningServer {
  readonly #settings: Settings;
  readonly #sessions: Set<Session> = new Set();
  #lastId = 0;
  #closing = false;

  /**
   * A server that does not listen yet: give it connections by {@link ImapServer.serve}, or call `listen`.
   *
   * @throws {LocalProtocolError} the options contradict each other.
   */
  constructor(options: ImapServerOptions) {
    const settings = settingsOf(options);
    super({ ...settings, tls: settings.tls, safeInPublic: settings.tls !== undefined });
    this.#settings = settings;
  }

  /** Makes a server that listens. */
  static async listen(options: ImapServerOptions): Promise<ImapServer> {
    const server = new ImapServer(options);
    await server.listen(options);
    return server;
  }

  /** How many clients there are. */
  override get connections(): number {
    return this.#sessions.size;
  }

  /** Speaks with one client until the end. It does not reject for what the client does, and closes the transport. */
  async serve(transport: Transport): Promise<void> {
    this.#lastId += 1;
    const session = new Session(this.#lastId, transport, this.#settings);
    this.#sessions.add(session);
    try {
      if (this.#closing) session.goodbye("the server is closing");
      await converse(session);
      // The mail is let go first: a client may take its time to go.
      await session.leave();
      await session.connection.hangUp();
    } catch (error) {
      // What the network and the client do is no error of the server.
      if (!(error instanceof HawserError)) session.report(error);
    } finally {
      session.over = true;
      await session.leave();
      this.#sessions.delete(session);
      await session.connection.close();
    }
  }

  /** Stops accepting, tells clients BYE, waits up to `graceMs` for them to end, and cuts the connections that are left. */
  async close(options: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#closing = true;
    for (const session of this.#sessions) void sayGoodbye(session);
    await this.stopAccepting(options);
    await Promise.all([...this.#sessions].map((session) => session.connection.close()));
  }
}

/** A client that waits hears of the end; one whose command is at work hears it behind the answer. */
async function sayGoodbye(session: Session): Promise<void> {
  await session
    .inTurn(async () => {
      if (session.over) return;
      session.goodbye("the server is closing");
      await session.connection.flush();
      await session.connection.transport.end();
    })
    .catch(() => {});
}

async function converse(session: Session): Promise<void> {
  if (!session.over) await greet(session);
  while (!session.over) {
    try {
      const event = await session.next();
      await session.inTurn(() =>
        event.type === "frame" ? carryOut(session, event.frame) : decideLiteral(session, event),
      );
    } catch (error) {
      if (!partWith(session, error)) throw error;
    }
  }
}

/** Tells a client that was too slow or too loud why it is let go. False: there is nobody to tell. */
function partWith(session: Session, error: unknown): boolean {
  if (session.connection.failure !== undefined) return false;
  if (error instanceof DeadlineError) session.goodbye("autologout: nothing was heard for too long");
  else if (error instanceof LimitError) session.goodbye(`${error.limit} is too long`);
  else if (error instanceof RemoteProtocolError && error.rfc !== "RFC 3207 section 6")
    session.goodbye("this cannot be read");
  else return false;
  return true;
}
