/** The SMTP client: the verbs of RFC 5321 in their order, and the tasks written with them. */
import { hostname } from "node:os";
import { Deadline, type OpOptions, withDeadline } from "../core/deadline.js";
import { LocalProtocolError, UnsupportedError } from "../core/errors.js";
import type { Source } from "../core/source.js";
import {
  type ChannelOptions,
  CommandChannel,
  type Dialect,
  type ReplyOptions,
} from "../engine/command-channel.js";
import type { Credentials } from "../sasl/index.js";
import { type DialOptions, dial } from "../transport/dial.js";
import type { TlsClientOptions, TlsInfo, Transport } from "../transport/types.js";
import { type CommandLine, commandLine } from "../wire/command-line.js";
import { DeliveryQueue, type SendOptions, type SmtpTimeouts } from "./client-delivery.js";
import { login } from "./client-login.js";
import { formatHello, formatMail, formatRcpt, formatXclient } from "./codec.js";
import { noExtensions, parseEhlo } from "./codec-ehlo.js";
import { replyDecoder, showReply } from "./codec-reply.js";
import type { Message } from "./content.js";
import { SmtpError } from "./errors.js";
import type {
  MailOptions,
  SendResult,
  SmtpEnvelope,
  SmtpExtensions,
  SmtpRecipient,
  SmtpReply,
} from "./types.js";

/** How a client connects and logs in. */
export interface SmtpClientOptions extends DialOptions, ChannelOptions {
  /**
   * `"implicit"`: TLS from the first byte. `"starttls"`: TLS after STARTTLS, and nothing without it. `"none"`: no TLS.
   * Default: implicit on port 465 and where no port is given, STARTTLS on port 587 and wherever `auth` is given, else
   * none. What is asked for is done or fails; it never falls back.
   */
  readonly tls?: "implicit" | "starttls" | "none" | undefined;
  /** Logs in after the greeting. */
  readonly auth?: Credentials | undefined;
  /** Sends a password over a connection that others can read. False by default. */
  readonly allowClearText?: boolean | undefined;
  /** This machine's name for EHLO. Default: its host name, or its address where that is no domain. */
  readonly name?: string | undefined;
  /** Speaks LMTP (RFC 2033): each recipient gets a reply of its own. */
  readonly lmtp?: boolean | undefined;
  /** The longest wait for the reply to DATA, in milliseconds. Default 120,000 (RFC 5321 section 4.5.3.2.4). */
  readonly dataMs?: number | undefined;
  /** The longest wait for the reply to a whole message, in milliseconds. Default 600,000 (section 4.5.3.2.6). */
  readonly finalMs?: number | undefined;
}

const dialect: Dialect<SmtpReply> = { protocol: "smtp", replyDecoder, show: showReply };
const ports = { implicit: 465, starttls: 587, none: 25 } as const;

/**
 * A connection to an SMTP or LMTP server.
 *
 * Messages that are handed to {@link SmtpClient.send} while another is on its way queue up, and where the server offers
 * PIPELINING the next envelope rides behind the body before. Every other call is alone on the connection: a `BusyError`
 * tells that something is under way.
 *
 * @example
 * ```ts
 * await using client = await SmtpClient.connect({ host: "mail.example", auth: { user, password } });
 * await client.send({ from: "me@example.org", to: "you@example.org" }, "Subject: Hi\r\n\r\nHello\r\n");
 * ```
 */
export class SmtpClient implements AsyncDisposable {
  readonly #channel: CommandChannel<SmtpReply>;
  readonly #options: SmtpClientOptions;
  readonly #deliveries: DeliveryQueue;
  #greeting: SmtpReply = { code: 0, lines: [] };
  #extensions: SmtpExtensions = noExtensions;
  #authenticated = false;

  private constructor(transport: Transport, options: SmtpClientOptions) {
    const channel = new CommandChannel(transport, dialect, options);
    this.#channel = channel;
    this.#options = options;
    const timeouts: SmtpTimeouts = {
      replyMs: options.replyMs ?? 300_000,
      dataMs: options.dataMs ?? 120_000,
      finalMs: options.finalMs ?? 600_000,
    };
    const extensions = () => this.#extensions;
    this.#deliveries = new DeliveryQueue({
      channel,
      timeouts,
      lmtp: options.lmtp === true,
      get extensions() {
        return extensions();
      },
    });
  }

  /**
   * Connects, greets, starts TLS and logs in, as the options say.
   *
   * @throws {SocketError} no connection came about.
   * @throws {BrokenError} the TLS handshake failed, or the server ended the connection.
   * @throws {UnsupportedError} the server does not offer STARTTLS, which was asked for.
   * @throws {AuthError} the credentials were refused.
   * @throws {SmtpError} the server turned the client away.
   */
  static async connect(options: SmtpClientOptions): Promise<SmtpClient> {
    const tls = tlsModeOf(options);
    const port = options.path === undefined ? (options.port ?? ports[tls]) : undefined;
    const transport = await dial({ ...options, tls, port });
    return await SmtpClient.over(transport, { ...options, tls });
  }

  /** Does the same over a connection that stands already. It is closed when this fails. */
  static async over(transport: Transport, options: SmtpClientOptions = {}): Promise<SmtpClient> {
    const client = new SmtpClient(transport, options);
    const { signal } = options;
    try {
      await client.#channel.exclusive("the greeting", () => client.#greet({ signal }), { signal });
      await client.hello({ signal });
      if (options.tls === "starttls") await client.startTls(options.tlsOptions, { signal });
      if (options.auth !== undefined) await client.auth(options.auth, { signal });
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** What the server said first. */
  get greeting(): SmtpReply {
    return this.#greeting;
  }

  /** What the server offers, as its last answer to EHLO says. */
  get extensions(): SmtpExtensions {
    return this.#extensions;
  }

  /** What TLS agreed upon; `undefined` while everybody can read along. */
  get tls(): TlsInfo | undefined {
    return this.#channel.tls;
  }

  /** Whether {@link SmtpClient.auth} has succeeded on this connection. */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** Whether the connection is over. */
  get closed(): boolean {
    return this.#channel.closed;
  }

  /**
   * After a failure: the message that the server may have taken, though its reply never came. Whoever sends it again may
   * double it. `undefined`: every message that was not reported as sent was not accepted.
   */
  get inDoubt(): SmtpEnvelope | undefined {
    return this.#deliveries.inDoubt;
  }

  async #greet(options: OpOptions): Promise<void> {
    this.#greeting = await this.#channel.reply({ what: "the greeting", ...options });
    if (this.#greeting.code !== 220) throw new SmtpError(this.#greeting, { command: "the connection" });
  }

  /** EHLO (or LHLO), and HELO where the server knows no better: RFC 5321 section 3.2. */
  async hello(options: OpOptions = {}): Promise<SmtpReply> {
    const name = this.#options.name ?? ownName(this.#channel.stream.transport);
    if (this.#options.lmtp === true) return await this.#ehlo("LHLO", name, options);
    try {
      return await this.#ehlo("EHLO", name, options);
    } catch (error) {
      const unknown = error instanceof SmtpError && error.usable && error.permanent;
      if (!unknown || this.#options.tls === "starttls") throw error;
      return await this.helo(name, options);
    }
  }

  /** EHLO with a name of the caller's (RFC 5321 section 4.1.1.1). The server's offers are learned anew. */
  async ehlo(name: string, options: OpOptions = {}): Promise<SmtpReply> {
    return await this.#ehlo(this.#options.lmtp === true ? "LHLO" : "EHLO", name, options);
  }

  async #ehlo(verb: "EHLO" | "LHLO", name: string, options: OpOptions): Promise<SmtpReply> {
    const reply = await this.#call(formatHello(verb, name), options);
    this.#extensions = parseEhlo(reply);
    return reply;
  }

  /** HELO: no extensions are known after it. */
  async helo(name: string, options: OpOptions = {}): Promise<SmtpReply> {
    const reply = await this.#call(formatHello("HELO", name), options);
    this.#extensions = noExtensions;
    return reply;
  }

  /** MAIL: begins a transaction (RFC 5321 section 4.1.1.2). `sizeOctets` declares the message's size. */
  async mail(
    from: string,
    options: MailOptions & { readonly sizeOctets?: number; readonly smtpUtf8?: boolean } & OpOptions = {},
  ): Promise<SmtpReply> {
    return await this.#call(formatMail(from, options, options, this.#extensions), options);
  }

  /** RCPT: names one recipient (RFC 5321 section 4.1.1.3). */
  async rcpt(recipient: string | SmtpRecipient, options: OpOptions = {}): Promise<SmtpReply> {
    const named = typeof recipient === "string" ? { address: recipient } : recipient;
    return await this.#call(formatRcpt(named, this.#extensions), options, named.address);
  }

  /** DATA and the message (RFC 5321 section 4.1.1.4). Lone CR and LF become CR LF; dots are stuffed. */
  async data(message: Source, options: OpOptions = {}): Promise<SmtpReply> {
    const { dataMs = 120_000, finalMs = 600_000 } = this.#options;
    return await this.#channel.exclusive(
      "DATA",
      async () => {
        using clock = new Deadline("DATA", options);
        clock.throwIfOver();
        const within = (limitMs: number): ReplyOptions => ({
          signal: options.signal,
          timeoutMs: Math.min(limitMs, clock.remainingMs()),
        });
        const ready = await this.#channel.call(commandLine("DATA"), within(dataMs));
        if (ready.code !== 354) throw new SmtpError(ready, { command: "DATA" });
        await this.#channel.sendBody(message, clock);
        const reply = await this.#channel.reply({ what: "the reply to the message", ...within(finalMs) });
        if (reply.code > 299) throw new SmtpError(reply, { command: "the message" });
        return reply;
      },
      options,
    );
  }

  /** RSET: forgets the transaction (RFC 5321 section 4.1.1.5). */
  async rset(options: OpOptions = {}): Promise<SmtpReply> {
    return await this.#call(commandLine("RSET"), options);
  }

  /** VRFY: asks whether there is such a user (RFC 5321 section 4.1.1.6). 252 means that the server does not say. */
  async vrfy(user: string, options: OpOptions = {}): Promise<SmtpReply> {
    return await this.#call(commandLine("VRFY", required(user, "a user")), options);
  }

  /** EXPN: asks who is on a list (RFC 5321 section 4.1.1.7). */
  async expn(list: string, options: OpOptions = {}): Promise<SmtpReply> {
    return await this.#call(commandLine("EXPN", required(list, "a list")), options);
  }

  /** HELP (RFC 5321 section 4.1.1.8). */
  async help(topic = "", options: OpOptions = {}): Promise<SmtpReply> {
    return await this.#call(commandLine("HELP", topic), options);
  }

  /** NOOP: asks whether the server is still there (RFC 5321 section 4.1.1.9). */
  async noop(options: OpOptions = {}): Promise<SmtpReply> {
    return await this.#call(commandLine("NOOP"), options);
  }

  /** QUIT: says goodbye, takes the answer and closes (RFC 5321 section 4.1.1.10). */
  async quit(options: OpOptions = {}): Promise<SmtpReply> {
    try {
      return await this.#call(commandLine("QUIT"), options);
    } finally {
      await this.close();
    }
  }

  /**
   * STARTTLS (RFC 3207): goes on in TLS, forgets what was learned in the clear, and greets anew.
   *
   * @throws {UnsupportedError} the server does not offer it.
   */
  async startTls(tlsOptions: TlsClientOptions = {}, options: OpOptions = {}): Promise<TlsInfo> {
    if (!this.#extensions.startTls)
      throw new UnsupportedError("STARTTLS", "the server does not offer STARTTLS", { usable: true });
    const host = this.#options.host;
    const names = { ...(host !== undefined && { serverName: host }), ...tlsOptions };
    const info = await this.#channel.exclusive(
      "STARTTLS",
      async () => {
        this.#channel.checkNothingCame("STARTTLS", "RFC 3207 section 6");
        const reply = await this.#channel.call(commandLine("STARTTLS"), options);
        if (reply.code !== 220) throw new SmtpError(reply, { command: "STARTTLS" });
        this.#extensions = noExtensions;
        return await this.#channel.startTls(names, options);
      },
      options,
    );
    await this.hello(options);
    return info;
  }

  /**
   * AUTH (RFC 4954): logs in with the best mechanism that both sides have.
   *
   * @throws {AuthError} the server refused the credentials, or offers no mechanism for them.
   * @throws {LocalProtocolError} the password would cross the network in the clear. Nothing was sent.
   */
  async auth(credentials: Credentials, options: OpOptions = {}): Promise<void> {
    const { allowClearText } = this.#options;
    await this.#channel.exclusive(
      "AUTH",
      // The clock runs over the caller's own function for tokens too.
      () =>
        withDeadline("AUTH", options, () =>
          login(this.#channel, this.#extensions, credentials, { allowClearText, signal: options.signal }),
        ),
      options,
    );
    this.#authenticated = true;
  }

  /** XCLIENT, for proxies that the server trusts: speaks for another client. The session begins anew. */
  async xclient(attributes: Readonly<Record<string, string>>, options: OpOptions = {}): Promise<SmtpReply> {
    const reply = await this.#call(formatXclient(attributes, this.#extensions), options);
    await this.hello(options);
    return reply;
  }

  /**
   * A command that has no method here. The arguments may not hold CR, LF or NUL.
   *
   * @throws {SmtpError} the server refused it.
   */
  async command(verb: string, args: readonly string[] = [], options: OpOptions = {}): Promise<SmtpReply> {
    if (!/^[A-Za-z][A-Za-z0-9-]{0,31}$/.test(verb))
      throw new LocalProtocolError("a verb is letters, digits and hyphens");
    return await this.#call(commandLine(verb, ...args), options);
  }

  /**
   * Sends a message: a string, bytes, a stream, or what `compose` of `hawser/mail` made. Lone CR and LF become CR LF.
   *
   * @returns who was accepted and who was not: one good recipient is enough, unless `allOrNothing` is set.
   * @throws {SmtpError} the server refused the sender, every recipient, or the message.
   * @throws {UnsupportedError} the message needs what the server does not offer. Nothing was sent.
   * @throws {LimitError} the message is larger than the server takes. Nothing was sent.
   * @throws {BrokenError} the connection ended. With `sent: "no"` the message was not accepted; else see
   * {@link SmtpClient.inDoubt}.
   */
  async send(envelope: SmtpEnvelope, message: Message, options: SendOptions = {}): Promise<SendResult> {
    return await this.#deliveries.add(envelope, message, options);
  }

  /** Gives the connection up without a goodbye. */
  async close(): Promise<void> {
    await this.#channel.close();
  }

  /** QUIT where the connection is idle, and the end of it in any case. */
  async [Symbol.asyncDispose](): Promise<void> {
    const goodbye = this.closed ? Promise.resolve() : this.quit({ timeoutMs: 5_000 });
    await goodbye.catch(() => {});
    await this.close();
  }

  async #call(line: CommandLine, options: ReplyOptions, recipient?: string): Promise<SmtpReply> {
    return await this.#channel.exclusive(
      line.shown.split(" ", 1)[0] ?? "",
      async () => checked(await this.#channel.call(line, options), line.shown, recipient),
      options,
    );
  }
}

/** @throws {SmtpError} the reply is a refusal. */
function checked(reply: SmtpReply, command: string, recipient?: string): SmtpReply {
  if (reply.code < 400) return reply;
  throw new SmtpError(reply, { command, ...(recipient !== undefined && { recipient }) });
}

function required(value: string, what: string): string {
  if (value === "") throw new LocalProtocolError(`${what} is missing`);
  return value;
}

function tlsModeOf(options: SmtpClientOptions): "implicit" | "starttls" | "none" {
  if (options.tls !== undefined) return options.tls;
  if (options.path !== undefined || options.lmtp === true) return "none";
  if (options.port === undefined || options.port === ports.implicit) return "implicit";
  return options.port === ports.starttls || options.auth !== undefined ? "starttls" : "none";
}

/** RFC 5321 section 4.1.1.1: the domain of this machine, or else its address in brackets. */
function ownName(transport: Transport): string {
  const name = hostname();
  if (/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+$/.test(name)) return name;
  const address = transport.local?.host ?? "127.0.0.1";
  if (/^\d+(?:\.\d+){3}$/.test(address)) return `[${address}]`;
  return address.includes(":") ? `[IPv6:${address.replace(/%.*/, "")}]` : "[127.0.0.1]";
}
