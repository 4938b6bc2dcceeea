/** One client of a server: what it has said, what it has enabled, and what it is looking at. */
import { DeadlineError } from "../core/errors.js";
import type { Limits } from "../core/limits.js";
import { saslLink } from "../engine/sasl-link.js";
import type { MailboxInfo, MailChange } from "../mail/store.js";
import type { Identity, SaslLink } from "../sasl/index.js";
import type { Transport } from "../transport/types.js";
import { formatResponse, type OutgoingResponse } from "./codec-format.js";
import type { FrameEvent } from "./codec-framer.js";
import { pushChanges } from "./server-announce.js";
import { Connection } from "./server-connection.js";
import type { SelectedMailbox } from "./server-mailbox.js";
import type { Notifications } from "./server-notify.js";
import type { Settings } from "./server-options.js";
import { no, type Refusal, refusalOf } from "./server-refusal.js";
import type { ResponseCode, StatusWord } from "./types-response.js";
import type { ImapMail, ImapSession, ImapState, ImapStore } from "./types-server.js";

/** What ENABLE can switch on (RFC 9051 section 6.3.1). CONDSTORE comes by other commands too (RFC 7162 section 3.1). */
export type Enableable = "CONDSTORE" | "QRESYNC" | "UTF8=ACCEPT" | "IMAP4REV2" | "UIDONLY";

/** A MULTIAPPEND brings several messages; all together they may be so many times as large as the largest one. */
export const maxMessagesFactor = 2;

/** A client's session. Handlers see the {@link ImapSession} of it. */
export class Session implements ImapSession {
  readonly id: number;
  readonly settings: Settings;
  readonly connection: Connection;
  identity: Identity | undefined;
  mailbox: SelectedMailbox | undefined;
  /** The UIDs that `$` means (RFC 9051 section 6.4.4.1). */
  savedResult: readonly number[] = [];
  readonly enabled: Set<Enableable> = new Set();
  notifications: Notifications | undefined;
  /** The tag of the IDLE that is under way. */
  idleTag: string | undefined;
  /** A message is coming in: the command may be larger than others. */
  appending = false;
  over = false;
  authFailures = 0;
  #badCommands = 0;
  #mail: ImapMail | undefined;
  #subscription: Disposable | undefined;
  /** From when on the time for a login is counted. */
  #startedMs: number = Date.now();
  /** Commands and news take turns. */
  #turn: Promise<void> = Promise.resolve();
  #pushScheduled = false;

  constructor(id: number, transport: Transport, settings: Settings) {
    this.id = id;
    this.settings = settings;
    this.connection = new Connection(transport, settings, () => this.#writeMs());
  }

  get state(): ImapState {
    if (this.over) return "logout";
    if (this.#mail === undefined) return "not authenticated";
    return this.mailbox === undefined ? "authenticated" : "selected";
  }

  get remoteAddress(): string | undefined {
    return this.connection.transport.remote?.host;
  }

  get encrypted(): boolean {
    return this.link.encrypted;
  }

  get link(): SaslLink {
    const allowClearText = this.settings.allowClearTextAuth;
    return saslLink(this.connection.transport, "server", { allowClearText });
  }

  /** Whether the client has logged in. */
  get hasMail(): boolean {
    return this.#mail !== undefined;
  }

  get mail(): ImapMail {
    if (this.#mail === undefined) throw no("log in first");
    return this.#mail;
  }

  get store(): ImapStore {
    return this.mail.store;
  }

  get user(): string {
    return this.mail.user;
  }

  /** The mailbox that is selected. */
  get selected(): SelectedMailbox {
    if (this.mailbox === undefined) throw no("no mailbox is selected");
    return this.mailbox;
  }

  /** The same, where it may be changed. */
  get writable(): SelectedMailbox {
    if (this.selected.readOnly) throw no("the mailbox is read-only", "NOPERM");
    return this.selected;
  }

  get rev2(): boolean {
    return this.enabled.has("IMAP4REV2");
  }

  get utf8(): boolean {
    return this.rev2 || this.enabled.has("UTF8=ACCEPT");
  }

  get condStore(): boolean {
    return this.enabled.has("CONDSTORE");
  }

  get qresync(): boolean {
    return this.enabled.has("QRESYNC");
  }

  get uidOnly(): boolean {
    return this.enabled.has("UIDONLY");
  }

  /** The largest message that is taken, in octets. */
  get maxMessageBytes(): number {
    return Math.min(this.settings.maxMessageBytes, this.store.limits.maxMessageOctets);
  }

  /** What a command may be, by what the client has proved. */
  get limits(): Limits {
    const { limits, maxPreAuthLineBytes, maxPreAuthLiteralBytes } = this.settings;
    if (this.hasMail && !this.appending) return limits;
    if (this.hasMail)
      return { ...limits, maxReplyBytes: limits.maxReplyBytes + maxMessagesFactor * this.maxMessageBytes };
    const maxReplyBytes = maxPreAuthLineBytes + 4 * maxPreAuthLiteralBytes;
    return { ...limits, maxLineBytes: maxPreAuthLineBytes, maxReplyBytes };
  }

  /** The next frame or literal. Before the login, all of them together have a time in which to come. */
  async next(): Promise<FrameEvent> {
    const { limits } = this;
    const now = this.connection.nextNow(limits, this.settings.maxPreAuthLiteralBytes);
    return now ?? (await this.connection.next(limits, { timeoutMs: this.timeoutMs() }));
  }

  timeoutMs(): number {
    const { idleMs, preAuthMs } = this.settings;
    if (this.hasMail) return idleMs;
    const timeoutMs = Math.max(0, Math.min(idleMs, this.#startedMs + preAuthMs - Date.now()));
    if (timeoutMs === 0) throw new DeadlineError("the login", preAuthMs);
    return timeoutMs;
  }

  /** How long a client may take to make room: who has not logged in has no more time for that than for the login. */
  #writeMs(): number {
    const { idleMs, preAuthMs } = this.settings;
    if (this.hasMail) return idleMs;
    return Math.max(1, Math.min(idleMs, this.#startedMs + preAuthMs - Date.now()));
  }

  /** Adds an untagged response. */
  respond(response: OutgoingResponse): void {
    this.connection.add(formatResponse(response, { utf8: this.utf8 }));
  }

  /** Adds a status response: untagged without a tag. */
  status(status: StatusWord, text: string, code?: ResponseCode, tag?: string): void {
    this.respond({ type: "status", tag, status, code, text });
  }

  /** Ends a command that was carried out. */
  done(tag: string, text: string, code?: ResponseCode): void {
    this.#badCommands = 0;
    this.status("OK", text, code, tag);
  }

  /** Ends a command that was wrong in itself. Too many of them in a row end the connection. */
  bad(tag: string | undefined, text: string, code?: ResponseCode): void {
    this.#badCommands += 1;
    this.status("BAD", text, code, tag);
    if (this.#badCommands < this.settings.maxBadCommands) return;
    this.goodbye("too many commands were wrong");
  }

  goodbye(text: string): void {
    this.status("BYE", text);
    this.over = true;
  }

  /** Ends a command by what it threw. What is no refusal is told to `onError`, and not to the client. */
  refuse(tag: string, error: unknown): void {
    const refusal = refusalOf(error) ?? this.#told(error);
    if (refusal.status === "BAD") this.bad(tag, refusal.message, refusal.code);
    else this.status("NO", refusal.message, refusal.code, tag);
  }

  #told(error: unknown): Refusal {
    this.report(error);
    return no("something went wrong here", "SERVERBUG");
  }

  report(error: unknown): void {
    try {
      this.settings.onError(error);
    } catch {
      // A listener to errors that throws must not end the process.
    }
  }

  /** Opens the mail of who has logged in. */
  async open(identity: Identity): Promise<void> {
    this.identity = identity;
    try {
      const mail = await this.settings.handler.open(this);
      this.#subscription = mail.store.subscribe(mail.user, (change) => this.#heard(change));
      this.#mail = mail;
    } catch (error) {
      this.identity = undefined;
      throw error;
    }
  }

  /** Lets go of the mail: at the end, and at UNAUTHENTICATE. */
  async leave(): Promise<void> {
    if (this.#mail === undefined) return;
    this.#subscription?.[Symbol.dispose]();
    this.#mail = undefined;
    this.#startedMs = Date.now();
    this.unselect();
    this.enabled.clear();
    this.notifications = undefined;
    this.idleTag = undefined;
    try {
      await this.settings.handler.close?.(this);
    } catch (error) {
      this.report(error);
    }
    this.identity = undefined;
  }

  unselect(): void {
    this.mailbox = undefined;
    this.savedResult = [];
  }

  /** Runs a piece of work when the one before has ended. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.then(
      () => {},
      () => {},
    );
    return await done;
  }

  /** The mailbox of a name. @throws {Refusal} there is none. */
  async existing(name: string, code: "NONEXISTENT" | "TRYCREATE" = "NONEXISTENT"): Promise<MailboxInfo> {
    const info = await this.store.mailbox(this.user, name);
    if (info === undefined) throw no("there is no such mailbox", code);
    return info;
  }

  /** Something has changed: it is told at the end of a command, or now where the client wants it now. */
  #heard(change: MailChange): void {
    if (this.mailbox !== undefined && "mailboxId" in change && change.mailboxId === this.mailbox.mailboxId)
      this.#heardOfSelected(change, this.mailbox);
    if (change.type === "mailbox-deleted" && change.mailbox.mailboxId === this.mailbox?.mailboxId)
      this.mailbox.delete();
    if (change.type === "mailbox-renamed" && change.mailbox.mailboxId === this.mailbox?.mailboxId)
      this.mailbox.name = change.mailbox.name;
    this.notifications?.heard(change, this);
    if (this.pushes) this.#schedulePush();
  }

  #heardOfSelected(change: MailChange, mailbox: SelectedMailbox): void {
    if (change.type === "messages") mailbox.arrived(change.messages.map(({ uid }) => uid));
    else if (change.type === "expunged") mailbox.expunged(change.uids);
    else if (change.type === "flags" && change.origin !== this)
      mailbox.flagged(change.messages.map(({ uid }) => uid));
  }

  /** Whether the client hears of news without asking. */
  get pushes(): boolean {
    return this.idleTag !== undefined || this.notifications !== undefined;
  }

  /** Several changes in a row are told in one go. */
  #schedulePush(): void {
    if (this.#pushScheduled || this.over) return;
    this.#pushScheduled = true;
    setImmediate(() => {
      this.#pushScheduled = false;
      this.inTurn(() => pushChanges(this)).catch((error: unknown) => void this.#pushFailed(error));
    });
  }

  async #pushFailed(error: unknown): Promise<void> {
    if (!this.over && !this.connection.raised(error)) this.report(error);
    this.connection.tracer.note("*", "news could not be told");
    await this.connection.close();
  }
}
