/** One client of a server: what it has said and may do, and how it is answered. */
import { randomBytes } from "node:crypto";
import { DeadlineError, LimitError, RemoteProtocolError } from "../core/errors.js";
import type { Source } from "../core/source.js";
import { saslLink } from "../engine/sasl-link.js";
import { ServerChannel } from "../engine/server-channel.js";
import type { Identity, SaslLink } from "../sasl/index.js";
import type { Transport } from "../transport/types.js";
import { commandDecoder, formatReply, maxCommandBytes, parseCommand } from "./codec.js";
import { Pop3Error } from "./errors.js";
import type { Settings } from "./server-options.js";
import type { Pop3Command, Pop3Session, Pop3State } from "./types.js";

/** A client's session. Handlers see the {@link Pop3Session} of it. */
export class Conversation implements Pop3Session {
  readonly id: number;
  readonly settings: Settings;
  readonly channel: ServerChannel;
  /** When each user has logged in last, in milliseconds since the epoch; shared by all of the server's sessions. */
  readonly logins: Map<string, number>;
  readonly timestamp: string | undefined;
  state: Pop3State = "authorization";
  identity: Identity | undefined;
  utf8 = false;
  language: string | undefined;
  /** What USER has said. */
  userName: string | undefined;
  /** The size of each message, the first one's at 0. */
  octets: readonly number[] = [];
  readonly deleted: Set<number> = new Set();
  over = false;
  authFailures = 0;
  #badCommands = 0;
  #isOpen = false;
  #uids: readonly string[] | undefined;
  readonly #startedMs: number = Date.now();

  constructor(id: number, transport: Transport, settings: Settings, logins: Map<string, number>) {
    this.id = id;
    this.settings = settings;
    this.logins = logins;
    this.channel = new ServerChannel("pop3", transport, {
      ...{ trace: settings.trace, idleMs: settings.idleMs, faults: settings.faults },
      limits: { maxLineBytes: maxCommandBytes },
    });
    if (settings.apop === true)
      this.timestamp = `<${process.pid}.${randomBytes(12).toString("hex")}@${settings.name}>`;
  }

  get remoteAddress(): string | undefined {
    return this.channel.stream.transport.remote?.host;
  }

  get encrypted(): boolean {
    return this.link.encrypted;
  }

  get link(): SaslLink {
    const allowClearText = this.settings.allowClearTextAuth;
    return saslLink(this.channel.stream.transport, "server", { allowClearText });
  }

  /** The next command line. Before the login, all of them together have a time in which to come. */
  async line(): Promise<Uint8Array> {
    const { idleMs, preAuthMs } = this.settings;
    const leftMs = this.state === "authorization" ? this.#startedMs + preAuthMs - Date.now() : idleMs;
    const timeoutMs = Math.max(0, Math.min(idleMs, leftMs));
    if (timeoutMs === 0) throw new DeadlineError("the login", preAuthMs);
    return await this.channel.receive(commandDecoder, { what: "a command", timeoutMs });
  }

  /** The next command; `undefined` where there is none in the line, and the client has been told. */
  async command(): Promise<{ readonly command: Pop3Command; readonly line: Uint8Array } | undefined> {
    try {
      const line = await this.line();
      return { command: parseCommand(line), line };
    } catch (error) {
      if (error instanceof LimitError) {
        await this.refuse("the line is too long");
        this.over = true;
      } else if (error instanceof RemoteProtocolError) await this.bad("this is no command");
      else throw error;
      return undefined;
    }
  }

  async ok(text = ""): Promise<void> {
    await this.channel.reply(formatReply({ status: "+OK", text }));
  }

  /** `-ERR`, with a response code perhaps. */
  async refuse(text: string, responseCode?: string): Promise<void> {
    const clean = text.replace(/[\p{Cc}\p{Cs}]/gu, " ");
    await this.channel.reply(formatReply({ status: "-ERR", responseCode, text: clean }));
  }

  /** A command that was wrong in itself. Too many of them end the connection. */
  async bad(text: string): Promise<void> {
    this.#badCommands += 1;
    this.over = this.#badCommands >= this.settings.maxBadCommands;
    await this.refuse(this.over ? `${text}; that was one too many` : text);
  }

  async list(text: string, source: Source): Promise<void> {
    await this.channel.replyWithBody(formatReply({ status: "+OK", text }), this.#guarded(source));
  }

  /**
   * Asks the handler. What it throws besides a `Pop3Error` is told to `onError`; the client hears that something went
   * wrong, and not what.
   */
  async ask<T>(question: () => Promise<T> | T): Promise<T> {
    try {
      return await question();
    } catch (error) {
      throw this.#told(error);
    }
  }

  #told(error: unknown): Pop3Error {
    if (error instanceof Pop3Error) return error;
    this.report(error);
    return new Pop3Error({ responseCode: "SYS/TEMP", text: "something went wrong here; try again later" });
  }

  report(error: unknown): void {
    try {
      this.settings.onError(error);
    } catch {
      // A listener to errors that throws must not end the process.
    }
  }

  #guarded(source: Source): Source {
    if (typeof source === "string" || source instanceof Uint8Array) return source;
    return this.#guardedPieces(source as AsyncIterable<Uint8Array>);
  }

  async *#guardedPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator =
      Symbol.asyncIterator in source
        ? source[Symbol.asyncIterator]()
        : (source as Iterable<Uint8Array>)[Symbol.iterator]();
    try {
      for (;;) {
        const next = await this.ask(() => iterator.next() as Promise<IteratorResult<Uint8Array>>);
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Opens the mailbox of who has logged in. */
  async open(identity: Identity): Promise<void> {
    this.identity = identity;
    try {
      this.octets = await this.ask(() => this.settings.handler.open(this));
      this.#isOpen = true;
      this.state = "transaction";
    } catch (error) {
      this.identity = undefined;
      throw error;
    }
  }

  /** The messages that are not marked as deleted. */
  *numbers(): Generator<number> {
    for (let number = 1; number <= this.octets.length; number += 1)
      if (!this.deleted.has(number)) yield number;
  }

  octetsOf(number: number): number {
    return this.octets[number - 1] ?? 0;
  }

  /** @throws {Pop3Error} there is no such message, or it is marked as deleted. */
  existing(number: number | undefined): number {
    if (number === undefined || number < 1 || number > this.octets.length)
      throw new Pop3Error({ text: "no such message" });
    if (this.deleted.has(number)) throw new Pop3Error({ text: "this message is deleted" });
    return number;
  }

  async uids(): Promise<readonly string[]> {
    const { handler } = this.settings;
    this.#uids ??= (await this.ask(() => handler.uidl?.(this))) ?? [];
    return this.#uids;
  }

  /** Closes the mailbox, committed or not. */
  async leave(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.settings.handler.close?.(this);
    } catch (error) {
      this.report(error);
    }
  }
}
