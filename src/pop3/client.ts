/** The POP3 client: the verbs of RFC 1939 and its extensions in their order, and the tasks written with them. */
import { type OpOptions, withDeadline } from "../core/deadline.js";
import { BusyError, LocalProtocolError, RemoteProtocolError, UnsupportedError } from "../core/errors.js";
import type { Secret } from "../core/secret.js";
import type { Body } from "../engine/body.js";
import { type ChannelOptions, CommandChannel, type Dialect } from "../engine/command-channel.js";
import { saslLink } from "../engine/sasl-link.js";
import type { Credentials, SaslLink } from "../sasl/index.js";
import { type DialOptions, dial } from "../transport/dial.js";
import type { TlsClientOptions, TlsInfo, Transport } from "../transport/types.js";
import { type CommandLine, commandLine } from "../wire/command-line.js";
import {
  apopDigest,
  apopName,
  checkClearText,
  checkCredentials,
  type LoginContext,
  logIn,
  loginBySasl,
  secretOf,
} from "./client-login.js";
import { type Pop3Retrieved, type RetrievalOptions, retrieveMany, retrieveOne } from "./client-messages.js";
import { replyDecoder, showReply } from "./codec.js";
import { apopTimestamp } from "./codec-apop.js";
import { noCapabilities, parseCapabilities } from "./codec-capa.js";
import {
  listDecoder,
  parseLanguage,
  parseListing,
  parseStat,
  parseText,
  parseUniqueId,
} from "./codec-lists.js";
import { loginError, Pop3Error } from "./errors.js";
import type {
  Pop3Capabilities,
  Pop3Language,
  Pop3Listing,
  Pop3Reply,
  Pop3Stat,
  Pop3UniqueId,
} from "./types.js";

/** How a client connects and logs in. */
export interface Pop3ClientOptions extends DialOptions, ChannelOptions {
  /**
   * `"implicit"` (default): TLS from the first byte, on port 995. `"starttls"`: port 110, and TLS by STLS before anything
   * else. `"none"`: port 110 without TLS. What is asked for is done or fails; it never falls back.
   */
  readonly tls?: "implicit" | "starttls" | "none" | undefined;
  /** Logs in after the greeting. */
  readonly auth?: Credentials | undefined;
  /** Uses APOP where the server offers it and no SASL mechanism serves. False by default: it stands on MD5. */
  readonly apop?: boolean | undefined;
  /** Sends a password over a connection that others can read. False by default. */
  readonly allowClearText?: boolean | undefined;
  /** The longest line in a message, in bytes, its end not counted. Default: any length, for messages are streams. */
  readonly maxMessageLineBytes?: number | undefined;
}

/** What became of `deleMany`. */
export interface Pop3DeleResult {
  /** The messages that are marked as deleted now. */
  readonly deleted: readonly number[];
  readonly refused: readonly { readonly number: number; readonly error: Pop3Error }[];
}

const dialect: Dialect<Pop3Reply> = {
  protocol: "pop3",
  replyDecoder,
  show: (reply) => [showReply(reply)],
};
const ports = { implicit: 995, starttls: 110, none: 110 } as const;
/** Lists may be long: 100,000 messages with identifiers of 70 characters come to 8 MB. */
const maxListBytes = 67_108_864;
const defaultDepth = 16;
const defaultIdleMs = 180_000;

/**
 * A connection to a POP3 server. One operation at a time: a `BusyError` tells that something is under way, such as a
 * message that has not been read.
 *
 * Messages marked by {@link Pop3Client.dele} are removed by {@link Pop3Client.quit} alone. `await using` ends with QUIT;
 * {@link Pop3Client.close} and a connection that breaks remove nothing.
 *
 * @example
 * ```ts
 * await using client = await Pop3Client.connect({ host: "mail.example", auth: { user, password } });
 * for (const { number } of await client.list()) {
 *   const message = await client.retr(number);
 *   console.log(await message.text());
 *   await client.dele(number);
 * }
 * ```
 */
export class Pop3Client implements AsyncDisposable {
  readonly #channel: CommandChannel<Pop3Reply>;
  readonly #options: Pop3ClientOptions;
  #greeting: Pop3Reply = { status: "+OK", text: "" };
  #timestamp: string | undefined;
  #capabilities: Pop3Capabilities | undefined;
  #authenticated = false;
  #marked = 0;

  private constructor(transport: Transport, options: Pop3ClientOptions) {
    const limits = { maxReplyBytes: maxListBytes, ...options.limits };
    this.#channel = new CommandChannel(transport, dialect, { ...options, limits });
    this.#options = options;
  }

  /**
   * Connects, starts TLS and logs in, as the options say.
   *
   * @throws {SocketError} no connection came about.
   * @throws {BrokenError} the TLS handshake failed, or the server ended the connection.
   * @throws {UnsupportedError} the server does not offer STLS, which was asked for.
   * @throws {AuthError} the credentials were refused.
   * @throws {Pop3Error} the server turned the client away, or the login failed for another reason.
   */
  static async connect(options: Pop3ClientOptions): Promise<Pop3Client> {
    const tls = options.tls ?? "implicit";
    if (options.auth !== undefined) checkCredentials(options.auth);
    const port = options.path === undefined ? (options.port ?? ports[tls]) : undefined;
    const transport = await dial({ ...options, tls, port });
    return await Pop3Client.over(transport, { ...options, tls });
  }

  /** Does the same over a connection that stands already. It is closed when this fails. */
  static async over(transport: Transport, options: Pop3ClientOptions = {}): Promise<Pop3Client> {
    const client = new Pop3Client(transport, options);
    const { signal } = options;
    try {
      await client.#exclusive("the greeting", () => client.#greet({ signal }), { signal });
      if (options.tls === "starttls") await client.#requireTls({ signal });
      if (options.auth !== undefined) await client.#login(options.auth, { signal });
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** What the server said first. */
  get greeting(): Pop3Reply {
    return this.#greeting;
  }

  /** What the server offers, as its last answer to CAPA says; `undefined` where it was not asked in this state. */
  get capabilities(): Pop3Capabilities | undefined {
    return this.#capabilities;
  }

  /** What TLS agreed upon; `undefined` while everybody can read along. */
  get tls(): TlsInfo | undefined {
    return this.#channel.tls;
  }

  /** Whether the server has let the client in. */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** Whether the connection is over. */
  get closed(): boolean {
    return this.#channel.closed;
  }

  async #greet(options: OpOptions): Promise<void> {
    const reply = await this.#channel.reply({ what: "the greeting", ...options });
    this.#greeting = ok(reply, "the connection");
    this.#timestamp = apopTimestamp(reply.text);
  }

  async #requireTls(options: OpOptions): Promise<void> {
    const offered = await this.#known(options);
    if (offered.keywords.size > 0 && !offered.stls)
      throw new UnsupportedError("STLS", "the server does not offer STLS, which was asked for");
    await this.stls(this.#options.tlsOptions, options);
  }

  /** USER: the first half of a login (RFC 1939 section 7). {@link Pop3Client.login} does both, and better where it can. */
  async user(name: string, options: OpOptions = {}): Promise<Pop3Reply> {
    const line = commandLine("USER", needed(name, "a user name"));
    checkClearText(this.#link());
    return await this.#call(line, options);
  }

  /**
   * PASS: the second half.
   *
   * @throws {AuthError} user name or password are wrong.
   * @throws {LocalProtocolError} the connection is not encrypted, and `allowClearText` was not set.
   */
  async pass(password: string | Secret, options: OpOptions = {}): Promise<Pop3Reply> {
    const line = commandLine("PASS", secretOf(password));
    checkClearText(this.#link());
    return await this.#loginCall(line, options);
  }

  /**
   * APOP (RFC 1939 section 7). It stands on MD5, and whoever reads along can guess at the password: for old servers only.
   *
   * @throws {UnsupportedError} the greeting had no timestamp that is a msg-id, or TLS has begun since.
   */
  async apop(user: string, password: string | Secret, options: OpOptions = {}): Promise<Pop3Reply> {
    const secret = secretOf(password);
    commandLine("APOP", apopName(user), secret);
    if (this.#timestamp === undefined)
      throw new UnsupportedError("APOP", "the server's greeting has no timestamp for APOP");
    const digest = secretOf(apopDigest(this.#timestamp, secret));
    return await this.#loginCall(commandLine("APOP", user, digest), options);
  }

  async #loginCall(line: CommandLine, options: OpOptions): Promise<Pop3Reply> {
    try {
      const reply = await this.#call(line, options);
      this.#loggedIn();
      return reply;
    } catch (error) {
      const certain = this.#capabilities?.authResponseCode === true;
      throw error instanceof Pop3Error ? loginError(error, certain) : error;
    }
  }

  /** AUTH: a login by SASL (RFC 5034), with the best mechanism that both sides have. */
  async auth(credentials: Credentials, options: OpOptions = {}): Promise<void> {
    await this.#loginWith(loginBySasl, credentials, options);
  }

  /**
   * Logs in by the best way that both sides have: SASL, then APOP where `apop` allows it, then USER and PASS.
   *
   * @throws {AuthError} the credentials were refused, or there is no such way.
   * @throws {Pop3Error} the server says that it is something else: `IN-USE`, `LOGIN-DELAY`, `SYS/TEMP`.
   * @throws {LocalProtocolError} the connection is not encrypted, and `allowClearText` was not set. Nothing secret was
   * sent.
   */
  async login(user: string, password: string | Secret, options: OpOptions = {}): Promise<void> {
    await this.#login({ user, password }, options);
  }

  async #login(credentials: Credentials, options: OpOptions): Promise<void> {
    await this.#loginWith(logIn, credentials, options);
  }

  async #loginWith(
    way: (credentials: Credentials, context: LoginContext) => Promise<void>,
    credentials: Credentials,
    { signal, timeoutMs }: OpOptions,
  ): Promise<void> {
    checkCredentials(credentials);
    const capabilities = await this.#known({ signal, timeoutMs });
    const timestamp = this.#options.apop === true ? this.#timestamp : undefined;
    const context = {
      channel: this.#channel,
      capabilities,
      timestamp,
      signal,
      timeoutMs,
    };
    // The clock runs over the caller's own function for tokens too.
    const login = (): Promise<void> =>
      withDeadline("the login", { signal, timeoutMs }, () =>
        way(credentials, { ...context, link: this.#link() }),
      );
    await this.#exclusive("the login", login, { signal });
    this.#loggedIn();
  }

  /** What was known before the login may have been for strangers alone (RFC 2449 section 5). */
  #loggedIn(): void {
    this.#authenticated = true;
    this.#capabilities = undefined;
  }

  #link(): SaslLink {
    return saslLink(this.#channel.stream.transport, "client", this.#options);
  }

  /** STAT: how many messages there are, and their octets (RFC 1939 section 5). */
  async stat(options: OpOptions = {}): Promise<Pop3Stat> {
    return await this.#parsed(commandLine("STAT"), parseStat, options);
  }

  /** LIST: the size of each message, or of one. */
  async list(number?: undefined, options?: OpOptions): Promise<readonly Pop3Listing[]>;
  async list(number: number, options?: OpOptions): Promise<Pop3Listing>;
  async list(number?: number, options: OpOptions = {}): Promise<readonly Pop3Listing[] | Pop3Listing> {
    if (number === undefined) return await this.#list(commandLine("LIST"), parseListing, options);
    return await this.#parsed(numbered("LIST", number), parseListing, options);
  }

  /** UIDL: the unique identifier of each message, or of one (RFC 1939 section 7). */
  async uidl(number?: undefined, options?: OpOptions): Promise<readonly Pop3UniqueId[]>;
  async uidl(number: number, options?: OpOptions): Promise<Pop3UniqueId>;
  async uidl(number?: number, options: OpOptions = {}): Promise<readonly Pop3UniqueId[] | Pop3UniqueId> {
    if (number === undefined) return await this.#list(commandLine("UIDL"), parseUniqueId, options);
    return await this.#parsed(numbered("UIDL", number), parseUniqueId, options);
  }

  /** RETR: a message, as it comes. Until it has been read or left, every other call is a `BusyError`. */
  async retr(number: number, options: OpOptions = {}): Promise<Body> {
    return await retrieveOne(numbered("RETR", number), this.#retrieval(options));
  }

  /**
   * Retrieves messages one after another, with up to `depth` requests sent ahead where the server offers PIPELINING. A
   * message that is not read when the loop goes on is dropped. One that the server refuses throws when it is read, and
   * the others come nevertheless.
   *
   * @example
   * ```ts
   * for await (const { number, body } of client.retrMany([1, 2, 3])) save(number, await body.bytes());
   * ```
   */
  retrMany(
    numbers: readonly number[],
    options: OpOptions & { readonly depth?: number | undefined } = {},
  ): AsyncGenerator<Pop3Retrieved, void, void> {
    const depth = depthOf(options);
    const lines = new Map(numbers.map((number) => [number, numbered("RETR", number)]));
    const allowed = async (): Promise<number> => ((await this.#known(options)).pipelining ? depth : 1);
    return retrieveMany(lines, numbers, allowed, this.#retrieval(options));
  }

  #retrieval({ signal, timeoutMs }: OpOptions): RetrievalOptions {
    const { idleMs = defaultIdleMs, maxMessageLineBytes = Number.POSITIVE_INFINITY } = this.#options;
    return { channel: this.#channel, idleMs, maxMessageLineBytes, signal, timeoutMs };
  }

  /** TOP: the header and so many lines of the body (RFC 1939 section 7). */
  async top(number: number, lines: number, options: OpOptions = {}): Promise<Body> {
    if (!Number.isSafeInteger(lines) || lines < 0)
      throw new LocalProtocolError("lines is a whole number from 0");
    return await retrieveOne(numbered("TOP", number, `${lines}`), this.#retrieval(options));
  }

  /** DELE: marks a message as deleted. QUIT removes it. */
  async dele(number: number, options: OpOptions = {}): Promise<Pop3Reply> {
    const reply = await this.#call(numbered("DELE", number), options);
    this.#marked += 1;
    return reply;
  }

  /** Marks messages as deleted, with up to `depth` requests sent ahead where the server offers PIPELINING. */
  async deleMany(
    numbers: readonly number[],
    options: OpOptions & { readonly depth?: number | undefined } = {},
  ): Promise<Pop3DeleResult> {
    const depth = depthOf(options);
    const lines = numbers.map((number) => numbered("DELE", number));
    const { pipelining } = await this.#known(options);
    const result = { deleted: [] as number[], refused: [] as { number: number; error: Pop3Error }[] };
    await this.#exclusive(
      "DELE",
      () => this.#deleAll(lines, pipelining ? depth : 1, result, options),
      options,
    );
    return result;
  }

  async #deleAll(
    lines: readonly CommandLine[],
    depth: number,
    result: { readonly deleted: number[]; readonly refused: { number: number; error: Pop3Error }[] },
    options: OpOptions,
  ): Promise<void> {
    for (let from = 0; from < lines.length; from += depth) {
      const some = lines.slice(from, from + depth);
      await this.#channel.send(...some);
      for (const { shown } of some) {
        const reply = await this.#channel.reply(options);
        const number = Number(shown.slice("DELE ".length));
        if (reply.status === "-ERR")
          result.refused.push({ number, error: new Pop3Error(reply, { command: shown }) });
        else result.deleted.push(number);
        if (reply.status !== "-ERR") this.#marked += 1;
      }
    }
  }

  /** RSET: takes the marks of deletion back. */
  async rset(options: OpOptions = {}): Promise<Pop3Reply> {
    const reply = await this.#call(commandLine("RSET"), options);
    this.#marked = 0;
    return reply;
  }

  /** NOOP. */
  async noop(options: OpOptions = {}): Promise<Pop3Reply> {
    return await this.#call(commandLine("NOOP"), options);
  }

  /**
   * QUIT: removes the messages that were marked, and ends the connection.
   *
   * @throws {Pop3Error} some were not removed (RFC 1939 section 6). The connection is over nevertheless.
   */
  async quit(options: OpOptions = {}): Promise<Pop3Reply> {
    this.#channel.throwIfUnusable();
    try {
      return await this.#call(commandLine("QUIT"), options);
    } finally {
      await this.close();
    }
  }

  /** CAPA: what the server offers in this state (RFC 2449 section 5). */
  async capa(options: OpOptions = {}): Promise<Pop3Capabilities> {
    const lines = await this.#list(commandLine("CAPA"), parseText, options);
    this.#capabilities = parseCapabilities(lines);
    return this.#capabilities;
  }

  /** What the server offers; nothing where it does not know CAPA. Asked once in each state. */
  async #known({ signal, timeoutMs }: OpOptions): Promise<Pop3Capabilities> {
    if (this.#capabilities !== undefined) return this.#capabilities;
    try {
      return await this.capa({ signal, timeoutMs });
    } catch (error) {
      if (!(error instanceof Pop3Error) || !error.usable) throw error;
      this.#capabilities = noCapabilities;
      return noCapabilities;
    }
  }

  /**
   * STLS: goes on in TLS (RFC 2595 section 4). What the server said before is forgotten, its greeting's timestamp too.
   *
   * @throws {RemoteProtocolError} bytes came in the clear behind the answer: somebody put them there.
   */
  async stls(options: TlsClientOptions = {}, op: OpOptions = {}): Promise<TlsInfo> {
    if (this.tls !== undefined) throw new LocalProtocolError("the connection is in TLS already");
    if (this.#authenticated) throw new LocalProtocolError("STLS comes before the login");
    const serverName = options.serverName ?? this.#options.tlsOptions?.serverName ?? this.#options.host;
    return await this.#exclusive(
      "STLS",
      async () => {
        this.#channel.checkNothingCame("STLS", "RFC 2595 section 4");
        ok(await this.#channel.call(commandLine("STLS"), op), "STLS");
        this.#capabilities = undefined;
        this.#timestamp = undefined;
        return await this.#channel.startTls({ ...options, serverName }, op);
      },
      op,
    );
  }

  /** UTF8: lets names, passwords and messages be UTF-8 from now on (RFC 6856 section 2). Before the login. */
  async utf8(options: OpOptions = {}): Promise<Pop3Reply> {
    return await this.#call(commandLine("UTF8"), options);
  }

  /** LANG: the languages of the server's texts; or chooses one, `*` for the server's own choice (RFC 6856 section 3). */
  async lang(tag?: undefined, options?: OpOptions): Promise<readonly Pop3Language[]>;
  async lang(tag: string, options?: OpOptions): Promise<Pop3Reply>;
  async lang(tag?: string, options: OpOptions = {}): Promise<readonly Pop3Language[] | Pop3Reply> {
    if (tag === undefined) return await this.#list(commandLine("LANG"), parseLanguage, options);
    if (!/^(?:\*|[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*)$/.test(tag))
      throw new LocalProtocolError("this is no language tag");
    return await this.#call(commandLine("LANG", tag), options);
  }

  /** Gives the connection up at once. Nothing is removed. */
  async close(): Promise<void> {
    await this.#channel.close();
  }

  /** QUIT, which removes what was marked. After a failure, or with a message half read, the connection is just closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed) return;
    try {
      await this.quit();
    } catch (error) {
      await this.close();
      // Marks that come to nothing must not pass in silence.
      if (!(error instanceof BusyError) || this.#marked > 0) throw error;
    }
  }

  async #exclusive<T>(what: string, operation: () => Promise<T>, { signal }: OpOptions): Promise<T> {
    return await this.#channel.exclusive(what, operation, { signal });
  }

  async #call(line: CommandLine, options: OpOptions): Promise<Pop3Reply> {
    return await this.#exclusive(
      line.shown,
      async () => ok(await this.#channel.call(line, options), line.shown),
      options,
    );
  }

  async #parsed<T>(line: CommandLine, parse: (text: string) => T, options: OpOptions): Promise<T> {
    return await this.#exclusive(
      line.shown,
      async () => parse(ok(await this.#channel.call(line, options), line.shown).text),
      options,
    );
  }

  async #list<T>(line: CommandLine, parse: (text: string) => T, options: OpOptions): Promise<readonly T[]> {
    return await this.#exclusive(
      line.shown,
      async () => {
        ok(await this.#channel.call(line, options), line.shown);
        const items = await this.#channel.receive(listDecoder(parse), { what: "a list", ...options });
        this.#channel.tracer.note("S", `[${items.length} lines]`);
        return items;
      },
      options,
    );
  }
}

/** The reply if it is `+OK`. */
function ok(reply: Pop3Reply, command: string): Pop3Reply {
  if (reply.status === "-ERR") throw new Pop3Error(reply, { command });
  if (reply.status === "+OK") return reply;
  throw new RemoteProtocolError("a challenge where there is no login", { excerpt: reply.text });
}

function depthOf({ depth = defaultDepth }: { readonly depth?: number | undefined }): number {
  if (Number.isInteger(depth) && depth >= 1) return depth;
  throw new LocalProtocolError("depth is a whole number from 1");
}

/** A command with a message's number, and what may follow it. */
function numbered(verb: string, number: number, ...more: readonly string[]): CommandLine {
  if (!Number.isSafeInteger(number) || number < 1)
    throw new LocalProtocolError(`${verb} takes the number of a message, from 1`);
  return commandLine(verb, `${number}`, ...more);
}

function needed(text: string, what: string): string {
  if (text === "") throw new LocalProtocolError(`${what} is empty`);
  return text;
}
