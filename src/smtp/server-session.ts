/** One client's conversation with the server: what is known, and how it is read and answered. */
import type { Decoder } from "../core/decoder.js";
import { ServerChannel } from "../engine/server-channel.js";
import type { TlsInfo, Transport } from "../transport/types.js";
import { Clock } from "./server-clock.js";
import type { Receiving } from "./server-content.js";
import type { Settings } from "./server-options.js";
import { replies, reply, wireOf } from "./server-replies.js";
import type { SmtpRecipient, SmtpReply } from "./types.js";
import type { Awaitable, SmtpMail, SmtpPeer, SmtpSession, SmtpTransaction } from "./types-server.js";

/** What XCLIENT said of a client. */
export interface Told {
  readonly remote: SmtpPeer | undefined;
  readonly remoteName: string | undefined;
}

/** How long the last words may take to leave. */
const partingMs = 250;

/** The state of one connection. */
export class Session implements SmtpSession {
  readonly id: number;
  readonly settings: Settings;
  readonly channel: ServerChannel;
  readonly clock: Clock;
  helo = "";
  /** Whether the client said EHLO or LHLO, and what was offered then. */
  extended = false;
  keywords: ReadonlyMap<string, string> = new Map();
  user: string | undefined;
  mail: SmtpMail | undefined;
  recipients: SmtpRecipient[] = [];
  refusedRecipients = 0;
  /** A message that comes in chunks and is not complete. */
  receiving: Receiving | undefined;
  messages = 0;
  badCommands = 0;
  authFailures = 0;
  told: Told | undefined;
  /** Whether no further command is taken. */
  over = false;
  #closing = false;
  #atCommand = false;
  #controller: AbortController | undefined;
  #ended = false;

  constructor(id: number, transport: Transport, settings: Settings) {
    this.id = id;
    this.settings = settings;
    // The clock below does the waiting's end: the channel needs no timer for each wait.
    this.channel = new ServerChannel(settings.lmtp ? "lmtp" : "smtp", transport, {
      trace: settings.trace,
      idleMs: Number.POSITIVE_INFINITY,
      faults: settings.faults,
    });
    this.clock = new Clock(settings.idleMs, (what) => {
      void this.part(reply(421, "4.4.2", what === "idle" ? "Idle for too long" : `Too slow: ${what}`));
    });
  }

  get remote(): SmtpPeer | undefined {
    return this.told?.remote ?? this.channel.stream.transport.remote;
  }

  get remoteName(): string | undefined {
    return this.told?.remoteName;
  }

  get tls(): TlsInfo | undefined {
    return this.channel.tls;
  }

  get protocol(): string {
    const { lmtp } = this.settings;
    if (!this.extended && !lmtp) return "SMTP";
    const base = lmtp ? "LMTP" : this.mail?.smtpUtf8 === true ? "SMTP" : "ESMTP";
    const utf8 = this.mail?.smtpUtf8 === true ? "UTF8" : "";
    return `${utf8}${base}${this.tls === undefined ? "" : "S"}${this.user === undefined ? "" : "A"}`;
  }

  get envelope(): SmtpTransaction | undefined {
    return this.mail === undefined ? undefined : { ...this.mail, to: [...this.recipients] };
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Tells the operator what a handler threw. */
  readonly onError = (error: unknown): void => {
    this.channel.tracer.note("*", "an error within the handler");
    this.settings.onError(error);
  };

  /** The client's next command, before which a server that is closing ends the session. */
  nextCommand<T>(decode: Decoder<T>): Promise<T> {
    return this.receive(decode, true);
  }

  /** The next value from the client; the answers that have been gathered leave before it is waited for. */
  async receive<T>(decode: Decoder<T>, atCommand = false): Promise<T> {
    const now = this.channel.stream.receiveNow(decode);
    if (now !== undefined) return now;
    this.#atCommand = atCommand;
    this.clock.wait();
    try {
      await this.channel.flush();
      return await this.channel.stream.receive(decode);
    } finally {
      this.clock.work();
      this.#atCommand = false;
    }
  }

  /** Something that the client lets the server wait for. */
  async waiting<T>(work: () => Promise<T>): Promise<T> {
    this.clock.wait();
    try {
      return await work();
    } finally {
      this.clock.work();
    }
  }

  /** Says something. 421 is the last word. */
  reply(given: SmtpReply): Promise<void> {
    if (given.code === 421) this.over = true;
    return this.channel.reply(wireOf(given));
  }

  /** Answers a command that makes no sense here. After too many of them the session ends. */
  async bad(given: SmtpReply): Promise<void> {
    this.badCommands += 1;
    await this.reply(this.badCommands > this.settings.maxBadCommands ? replies.tooManyErrors : given);
  }

  /** Whether a fault is due, and has answered. */
  interfered(stage: string, line?: string): Awaitable<boolean> {
    return this.settings.faults !== undefined && this.channel.interfere(stage, line);
  }

  /** Gives up the message that was begun, if there is one. */
  reset(): void {
    const begun = this.mail !== undefined;
    this.receiving?.giveUp();
    this.forget();
    if (begun) this.#tell(() => this.settings.handler.reset?.(this));
  }

  /** The message is done with. */
  forget(): void {
    this.mail = undefined;
    this.recipients = [];
    this.refusedRecipients = 0;
    this.receiving = undefined;
  }

  /** Forgets all that the client has said (RFC 3207 section 4.2). */
  restart(): void {
    this.reset();
    this.helo = "";
    this.extended = false;
    this.keywords = new Map();
    this.user = undefined;
    this.told = undefined;
  }

  /** Ends the session as soon as the command under way is answered, or at once where there is none. */
  async shutDown(): Promise<void> {
    this.#closing = true;
    if (this.#atCommand) await this.part(replies.closing);
  }

  /** Whether the server is closing, and waits for the command under way. */
  get closing(): boolean {
    return this.#closing && !this.over;
  }

  /** Says a last word and cuts the connection, whatever is being waited for. */
  async part(word: SmtpReply): Promise<void> {
    this.over = true;
    const { transport } = this.channel.stream;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, partingMs);
    });
    const said = this.channel
      .reply(wireOf(word))
      .then(() => this.channel.flush())
      .then(() => transport.end());
    await Promise.race([said.catch(() => {}), late]);
    clearTimeout(timer);
    await transport.close();
  }

  /** The connection is over, by whatever. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.over = true;
    this.clock[Symbol.dispose]();
    this.reset();
    this.#controller?.abort();
    this.channel.tracer.note("*", "closed");
    this.#tell(() => this.settings.handler.close?.(this));
    await this.channel.stream.close();
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.onError(error);
    }
  }
}
