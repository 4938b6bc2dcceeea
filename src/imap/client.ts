/** The IMAP client: the verbs of RFC 9051 in their order, those of the extensions, and the tasks written with them. */
import type { OpOptions } from "../core/deadline.js";
import type { Secret } from "../core/secret.js";
import type { Source } from "../core/source.js";
import { saslLink } from "../engine/sasl-link.js";
import type { Credentials } from "../sasl/index.js";
import { type DialOptions, dial } from "../transport/dial.js";
import type { TlsClientOptions, TlsInfo, Transport } from "../transport/types.js";
import { type AppendMessageOptions, type AppendOptions, outgoing } from "./client-append.js";
import type { Command } from "./client-command.js";
import { Connection, type ConnectionOptions } from "./client-connection.js";
import type { MailboxEvent } from "./client-events.js";
import { notify } from "./client-idle.js";
import { login, loginCommand } from "./client-login.js";
import { Mailbox } from "./client-mailbox.js";
import { begin, compress, needed, type SessionOptions, startTls, tlsModeOf } from "./client-session.js";
import type { ImapState } from "./client-state.js";
import { appendAll, listAll, type SelectOptions, selectMailbox } from "./client-tasks.js";
import type { CommandPart } from "./codec-parts.js";
import * as access from "./commands/access.js";
import * as any from "./commands/any-state.js";
import { type Appended, append } from "./commands/append.js";
import { type ListEntry, type ListOptions, lsub } from "./commands/list.js";
import type { MailboxName } from "./commands/mailboxes.js";
import * as mailboxes from "./commands/mailboxes.js";
import * as metadata from "./commands/metadata.js";
import type { NotifyRequest } from "./commands/notify.js";
import { type RawResult, raw } from "./commands/raw.js";
import type { AclEntry, MailboxStatus } from "./types-response.js";

/** How a client connects and logs in. */
export interface ImapClientOptions extends DialOptions, ConnectionOptions, SessionOptions {
  /**
   * `"implicit"`: TLS from the first byte. `"starttls"`: TLS after STARTTLS, and nothing without it. `"none"`: no TLS.
   * Default: STARTTLS on port 143, none on a Unix socket, else implicit. What is asked for is done or fails; it never
   * falls back.
   */
  readonly tls?: "implicit" | "starttls" | "none" | undefined;
}

const ports = { implicit: 993, starttls: 143, none: 143 } as const;

/**
 * A connection to an IMAP server (RFC 9051, RFC 3501).
 *
 * Each call sends its command at once and returns its promise: commands pipeline. Those whose results would depend on
 * their order wait for each other (RFC 9051 section 5.5), and those that change the state of the connection wait until
 * nothing else is under way. A command that is given up before it was sent leaves the connection as it was; after that the
 * connection is closed. Nothing is ever thrown into the void: what goes wrong rejects what waits, and `closed` tells.
 *
 * @example
 * ```ts
 * await using client = await ImapClient.connect({ host: "mail.example", auth: { user, password } });
 * await using inbox = await client.select("INBOX");
 * for await (const { uid, flags } of inbox.fetch("1:*", ["FLAGS"])) console.log(uid, flags);
 * ```
 */
export class ImapClient implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #options: ImapClientOptions;

  private constructor(connection: Connection, options: ImapClientOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * Connects, starts TLS, logs in, and enables IMAP4rev2 or UTF-8 where the server has them, as the options say.
   *
   * @throws {SocketError} no connection came about.
   * @throws {BrokenError} the TLS handshake failed, or the server ended the connection ({@link ByeError}).
   * @throws {UnsupportedError} the server does not offer STARTTLS, which was asked for.
   * @throws {RemoteProtocolError} the server took the session for logged in (PREAUTH) where that was not expected.
   * @throws {AuthError} the credentials were refused.
   */
  static async connect(options: ImapClientOptions): Promise<ImapClient> {
    const tls = tlsModeOf(options);
    const port = options.path === undefined ? (options.port ?? ports[tls]) : undefined;
    const transport = await dial({ ...options, tls, port });
    return await ImapClient.over(transport, { ...options, tls });
  }

  /** Does the same over a connection that stands already. It is closed when this fails. */
  static async over(transport: Transport, options: ImapClientOptions = {}): Promise<ImapClient> {
    const connection = new Connection(transport, options);
    try {
      await begin(connection, options);
      return new ImapClient(connection, options);
    } catch (error) {
      connection.fail(error);
      throw error;
    }
  }

  /** What the server offers, in upper case. */
  get capabilities(): ReadonlySet<string> {
    return this.#connection.state.capabilities;
  }

  /** What was enabled, in upper case. */
  get enabled(): ReadonlySet<string> {
    return this.#connection.state.enabled;
  }

  /** Where the connection stands: RFC 9051 section 3. */
  get state(): ImapState {
    return this.#connection.state.state;
  }

  /** What TLS agreed upon; undefined while the bytes travel in the clear. */
  get tls(): TlsInfo | undefined {
    return this.#connection.transport.tls;
  }

  /** Resolves when the connection is over: with what it died of, or undefined after a goodbye. It never rejects. */
  get closed(): Promise<Error | undefined> {
    return this.#connection.closed;
  }

  /** Whether the server offers a capability, by itself or as a part of IMAP4rev2. */
  has(capability: string): boolean {
    return this.#connection.state.has(capability);
  }

  /** CAPABILITY */
  async capability(options: OpOptions = {}): Promise<ReadonlySet<string>> {
    return await this.#run(any.capability(this.#connection.state), options);
  }

  /** NOOP: asks whether the server is still there, and lets it tell what is new. */
  async noop(options: OpOptions = {}): Promise<void> {
    await this.#run(any.noop(), options);
  }

  /** LOGOUT: says goodbye, takes the answer and closes. */
  async logout(options: OpOptions = {}): Promise<void> {
    try {
      await this.#run(any.logout(), options);
    } finally {
      this.#connection.fail(undefined);
    }
  }

  /** STARTTLS: goes on in TLS and asks anew what the server offers; what was learned in the clear is forgotten. */
  async startTls(tlsOptions: TlsClientOptions = {}, options: OpOptions = {}): Promise<TlsInfo> {
    const host = this.#options.host;
    return await startTls(
      this.#connection,
      { ...(host !== undefined && { serverName: host }), ...tlsOptions },
      options,
    );
  }

  /** AUTHENTICATE with the best mechanism that both sides have; LOGIN where the server has none for a password. */
  async authenticate(credentials: Credentials, options: OpOptions = {}): Promise<void> {
    await login(this.#connection, credentials, { ...options, allowClearText: this.#options.allowClearText });
    await needed(this.#connection, options);
  }

  /** LOGIN. @throws {LocalProtocolError} the password would be readable, or the server forbids it. */
  async login(user: string, password: string | Secret, options: OpOptions = {}): Promise<void> {
    const link = saslLink(this.#connection.transport, "client", {
      allowClearText: this.#options.allowClearText,
    });
    await loginCommand(this.#connection, user, password, link, options);
    await needed(this.#connection, options);
  }

  /** ENABLE. Gives what was enabled by it. */
  async enable(capabilities: readonly string[], options: OpOptions = {}): Promise<readonly string[]> {
    return await this.#run(any.enable(capabilities), options);
  }

  /**
   * SELECT, or EXAMINE with `readOnly`. With `qresync` the server tells what has changed since the client was here last.
   * The mailbox that was selected before is left.
   *
   * @throws {ImapError} there is no such mailbox. None is selected then.
   */
  async select(name: MailboxName, options: SelectOptions = {}): Promise<Mailbox> {
    return new Mailbox(this.#connection, await selectMailbox(this.#connection, name, options));
  }

  /** CREATE, with special uses perhaps (`["\\Sent"]`). Gives the mailbox's id where the server tells it. */
  async create(
    name: MailboxName,
    options: OpOptions & { readonly use?: readonly string[] | undefined } = {},
  ): Promise<string | undefined> {
    return await this.#run(mailboxes.create(name, options.use), options);
  }

  /** DELETE */
  async delete(name: MailboxName, options: OpOptions = {}): Promise<void> {
    await this.#run(mailboxes.deleteMailbox(name), options);
  }

  /** RENAME */
  async rename(from: MailboxName, to: MailboxName, options: OpOptions = {}): Promise<void> {
    await this.#run(mailboxes.rename(from, to), options);
  }

  /** SUBSCRIBE */
  async subscribe(name: MailboxName, options: OpOptions = {}): Promise<void> {
    await this.#run(mailboxes.subscribe(name), options);
  }

  /** UNSUBSCRIBE */
  async unsubscribe(name: MailboxName, options: OpOptions = {}): Promise<void> {
    await this.#run(mailboxes.unsubscribe(name), options);
  }

  /** LIST. What the server cannot tell with the list is asked for besides: LSUB for `subscribed`, STATUS for `status`. */
  async list(options: ListOptions & OpOptions = {}): Promise<ListEntry[]> {
    return await listAll(this.#connection, options);
  }

  /** LSUB of IMAP4rev1: names that are subscribed to. On IMAP4rev2, which has none, a LIST of the same. */
  async lsub(
    pattern = "*",
    options: OpOptions & { readonly reference?: string | undefined } = {},
  ): Promise<ListEntry[]> {
    const { reference = "" } = options;
    if (this.#connection.state.isRev2) return await this.list({ ...options, pattern, subscribed: true });
    return await this.#run(lsub(reference, pattern), options);
  }

  /** NAMESPACE (RFC 2342) */
  async namespace(options: OpOptions = {}): Promise<mailboxes.Namespaces> {
    return await this.#run(mailboxes.namespace(), options);
  }

  /** STATUS: what there is in a mailbox without selecting it. */
  async status(
    name: MailboxName,
    items: readonly mailboxes.StatusItem[] = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"],
    options: OpOptions = {},
  ): Promise<MailboxStatus> {
    return await this.#run(mailboxes.status(name, items), options);
  }

  /**
   * APPEND: puts a message into a mailbox, byte for byte. A stream needs its `size`; one that turns out shorter or longer
   * closes the connection, for half the message is on its way by then.
   */
  async append(
    name: MailboxName,
    source: Source,
    options: AppendOptions & OpOptions = {},
  ): Promise<Appended | undefined> {
    return await this.#run(append(name, [outgoing(source, options, this.#connection.state)]), options);
  }

  /** APPEND of several messages: all or none with MULTIAPPEND, else one after the other. */
  async appendMany(
    name: MailboxName,
    messages: readonly AppendMessageOptions[],
    options: OpOptions = {},
  ): Promise<Appended | undefined> {
    return await appendAll(this.#connection, name, messages, options);
  }

  /** NOTIFY SET (RFC 5465): hears of changes in many mailboxes; NOTIFY NONE when the loop is left. */
  async notify(
    requests: readonly NotifyRequest[],
    options: { readonly status?: boolean | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<AsyncIterableIterator<MailboxEvent>> {
    return await notify(this.#connection, requests, options);
  }

  /** ID (RFC 2971): tells who this program is, and hears who the server is. */
  async id(fields: any.IdFields | null = null, options: OpOptions = {}): Promise<any.IdFields | null> {
    return await this.#run(any.id(fields), options);
  }

  /** COMPRESS=DEFLATE (RFC 4978) */
  async compress(options: OpOptions = {}): Promise<void> {
    await compress(this.#connection, this.#options, options);
  }

  /** UNAUTHENTICATE (RFC 8437): another user may log in on the same connection. */
  async unauthenticate(options: OpOptions = {}): Promise<void> {
    await this.#run(any.unauthenticate(this.#connection.state), options);
    await needed(this.#connection, options);
  }

  /** GETQUOTA (RFC 9208) */
  async getQuota(root: string, options: OpOptions = {}): Promise<access.Quota> {
    return await this.#run(access.getQuota(root), options);
  }

  /** GETQUOTAROOT: the quotas that a mailbox counts for. */
  async getQuotaRoot(name: MailboxName, options: OpOptions = {}): Promise<readonly access.Quota[]> {
    return await this.#run(access.getQuotaRoot(name), options);
  }

  /** SETQUOTA: resources that are not named have no limit afterwards. STORAGE is in units of 1024 octets. */
  async setQuota(
    root: string,
    limits: Readonly<Record<string, number | bigint>>,
    options: OpOptions = {},
  ): Promise<access.Quota> {
    return await this.#run(access.setQuota(root, limits), options);
  }

  /** GETACL (RFC 4314) */
  async getAcl(name: MailboxName, options: OpOptions = {}): Promise<readonly AclEntry[]> {
    return await this.#run(access.getAcl(name), options);
  }

  /** SETACL */
  async setAcl(
    name: MailboxName,
    identifier: string,
    rights: string,
    options: OpOptions & { readonly mode?: "add" | "remove" | "replace" | undefined } = {},
  ): Promise<void> {
    await this.#run(access.setAcl(name, identifier, rights, options.mode ?? "replace"), options);
  }

  /** DELETEACL */
  async deleteAcl(name: MailboxName, identifier: string, options: OpOptions = {}): Promise<void> {
    await this.#run(access.deleteAcl(name, identifier), options);
  }

  /** LISTRIGHTS: which rights the identifier can be given. */
  async listRights(
    name: MailboxName,
    identifier: string,
    options: OpOptions = {},
  ): Promise<access.RightsChoice> {
    return await this.#run(access.listRights(name, identifier), options);
  }

  /** MYRIGHTS */
  async myRights(name: MailboxName, options: OpOptions = {}): Promise<string> {
    return await this.#run(access.myRights(name), options);
  }

  /** GETMETADATA (RFC 5464). The mailbox `""` is the server itself. */
  async getMetadata(
    name: MailboxName,
    entries: readonly string[],
    options: metadata.GetMetadataOptions & OpOptions = {},
  ): Promise<metadata.Metadata> {
    return await this.#run(metadata.getMetadata(name, entries, options), options);
  }

  /** SETMETADATA: null removes an entry. */
  async setMetadata(
    name: MailboxName,
    entries: Readonly<Record<string, string | Uint8Array | null>>,
    options: OpOptions = {},
  ): Promise<void> {
    await this.#run(metadata.setMetadata(name, entries), options);
  }

  /**
   * A command that has no method here, by its typed parts: `[atom("X-DO"), astring("it")]`. It is alone on the line.
   *
   * @throws {ImapError} the server refused it.
   */
  async command(parts: readonly CommandPart[], options: OpOptions = {}): Promise<RawResult> {
    return await this.#run(raw(parts), options);
  }

  /** Gives the connection up without a goodbye. */
  close(): Promise<void> {
    this.#connection.fail(undefined);
    return Promise.resolve();
  }

  /** LOGOUT where nothing is under way, and the end of the connection in any case. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#connection.isOver) await this.logout({ timeoutMs: 5_000 }).catch(() => {});
    await this.close();
  }

  #run<T>(command: Command<T>, options: OpOptions): Promise<T> {
    return this.#connection.run(command, options);
  }
}
