/** A selected mailbox: what is done with its messages (RFC 9051 section 6.4). */
import type { OpOptions } from "../core/deadline.js";
import { ClosedError, LocalProtocolError, UnsupportedError } from "../core/errors.js";
import type { Source } from "../core/source.js";
import { type AppendOptions, outgoing } from "./client-append.js";
import type { Command } from "./client-command.js";
import type { Connection } from "./client-connection.js";
import type { MailboxEvent } from "./client-events.js";
import { FetchStream } from "./client-fetch.js";
import type { DataOf, FetchedMessage, FetchItemName, FetchOptions } from "./client-fetch-types.js";
import { type IdleOptions, idle } from "./client-idle.js";
import {
  type SearchOptions,
  type SearchResult,
  type SortKey,
  type SortOptions,
  type SortResult,
  searchAll,
  searchRequest,
  searchWith,
  sortMessages,
  type ThreadOptions,
} from "./client-search.js";
import type { SearchQuery } from "./client-search-query.js";
import { type ChosenSet, chosenSet, type MessageSet } from "./client-set.js";
import type { MailboxState } from "./client-state.js";
import type { SequenceSet, UidSet } from "./codec-sequence-set.js";
import { check, noop } from "./commands/any-state.js";
import { type Appended, replace } from "./commands/append.js";
import type { MailboxName } from "./commands/mailboxes.js";
import {
  type Copied,
  type Expunged,
  expunge,
  type Stored,
  type StoreMode,
  type StoreOptions,
  store,
  transfer,
} from "./commands/messages.js";
import { thread } from "./commands/search.js";
import { leave, type Resync, type Selected } from "./commands/select.js";
import type { SearchKey } from "./types-command.js";
import type { Thread } from "./types-response.js";

/** Which kind of number a set has, and how long the call may take. */
export interface MessageOptions extends OpOptions {
  /** The set holds UIDs. Default: true, but for a `SequenceSet`. */
  readonly uid?: boolean | undefined;
}

/**
 * The mailbox that is selected. It is over once another one is: its methods throw a `ClosedError` then.
 *
 * @example
 * ```ts
 * await using inbox = await client.select("INBOX");
 * const unread = await inbox.search({ seen: false });
 * for await (const { uid, envelope } of inbox.fetch(unread, ["ENVELOPE"])) console.log(uid, envelope.subject);
 * ```
 */
export class Mailbox implements AsyncDisposable {
  /** With `qresync`: what has changed since the client was here last. */
  readonly resync: Resync;
  readonly #connection: Connection;
  readonly #state: MailboxState;

  /** @internal Made by {@link ImapClient.select}. */
  constructor(connection: Connection, { state, resync }: Selected) {
    this.#connection = connection;
    this.#state = state;
    this.resync = resync;
  }

  /** Its name, as it was selected by. */
  get name(): string {
    return this.#state.name;
  }

  /** How many messages there are, as far as the server has told. */
  get exists(): number {
    return this.#state.exists;
  }

  /** UIDs mean the same messages as long as this is the same. */
  get uidValidity(): number {
    return this.#state.uidValidity;
  }

  /** The UID of the next message, as it was foreseen when the mailbox was selected. */
  get uidNext(): number | undefined {
    return this.#state.uidNext;
  }

  /** The largest mod-sequence; undefined where the mailbox has none (RFC 7162). */
  get highestModseq(): bigint | undefined {
    return this.#state.highestModSeq;
  }

  /** The flags that there are. */
  get flags(): readonly string[] {
    return this.#state.flags;
  }

  /** The flags that can be changed for good; `\*` among them means that new ones can be made. */
  get permanentFlags(): readonly string[] {
    return this.#state.permanentFlags;
  }

  /** The first message that is not seen, where the server tells it (IMAP4rev1). */
  get unseen(): number | undefined {
    return this.#state.unseen;
  }

  /** Whether nothing can be changed: it was examined, or the server says READ-ONLY. */
  get readOnly(): boolean {
    return this.#state.readOnly;
  }

  /** The id of the mailbox, which a rename leaves as it is; undefined where the server has none (RFC 8474). */
  get mailboxId(): string | undefined {
    return this.#state.mailboxId;
  }

  /** Whether this is the selected mailbox still. */
  get selected(): boolean {
    return !this.#connection.isOver && this.#connection.state.mailbox === this.#state;
  }

  /**
   * FETCH: messages as they come, typed by the items that are asked for. Their `uid` is always there. The command is
   * sent at once; `timeoutMs` and `signal` are about all of it.
   *
   * @throws {LocalProtocolError} there is no such item, or the set is none. Nothing was sent.
   */
  fetch<const Item extends FetchItemName, const Options extends FetchOptions = FetchOptions>(
    messages: MessageSet,
    items: readonly Item[],
    options?: Options,
  ): FetchStream<FetchedMessage<Item, DataOf<Options>>> {
    this.#check();
    const chosen = chosenSet(messages, options?.uid);
    const exists = (): number => this.#state.exists;
    return new FetchStream({
      ...{ connection: this.#connection, chosen, items, exists },
      options: options ?? {},
    });
  }

  /** FETCH of one message; undefined where there is none of this number. */
  async fetchOne<const Item extends FetchItemName>(
    message: number,
    items: readonly Item[],
    options: Omit<FetchOptions, "as" | "partial"> = {},
  ): Promise<FetchedMessage<Item> | undefined> {
    const [found] = await this.fetch(message, items, options as FetchOptions).all();
    return found as FetchedMessage<Item> | undefined;
  }

  /** SEARCH (RFC 9051 section 6.4.4): the messages that match, as a set; with `return` what else was asked for. */
  search(
    query: SearchQuery | SearchKey,
    options?: SearchOptions & { uid?: true; return?: undefined },
  ): Promise<UidSet>;
  search(
    query: SearchQuery | SearchKey,
    options: SearchOptions & { uid: false; return?: undefined },
  ): Promise<SequenceSet>;
  search(query: SearchQuery | SearchKey, options: SearchOptions): Promise<SearchResult>;
  async search(
    query: SearchQuery | SearchKey,
    options: SearchOptions = {},
  ): Promise<UidSet | SequenceSet | SearchResult> {
    this.#check();
    return options.return === undefined
      ? await searchAll(this.#connection, query, options)
      : await searchWith(this.#connection, query, options);
  }

  /**
   * SORT (RFC 5256): the messages that match, in order. `["-date", "subject"]`: a minus turns the order round. With `return`
   * or `partial` only what they ask for (ESORT).
   */
  sort(
    query: SearchQuery | SearchKey,
    by: readonly SortKey[],
    options?: SortOptions & { return?: undefined; partial?: undefined },
  ): Promise<readonly number[]>;
  sort(query: SearchQuery | SearchKey, by: readonly SortKey[], options: SortOptions): Promise<SortResult>;
  async sort(
    query: SearchQuery | SearchKey,
    by: readonly SortKey[],
    options: SortOptions = {},
  ): Promise<readonly number[] | SortResult> {
    this.#need("SORT");
    return await sortMessages(this.#connection, query, by, options);
  }

  /** THREAD (RFC 5256): conversations among the messages that match. */
  async thread(query: SearchQuery | SearchKey, options: ThreadOptions = {}): Promise<readonly Thread[]> {
    const { algorithm = "REFERENCES" } = options;
    this.#need(`THREAD=${algorithm}`);
    return await this.#run(
      thread(searchRequest(this.#connection, query, options, "UTF-8"), algorithm),
      options,
    );
  }

  /** STORE: changes flags. */
  async store(
    messages: MessageSet,
    mode: StoreMode,
    flags: readonly string[],
    options: MessageOptions & StoreOptions = {},
  ): Promise<Stored> {
    return await this.#run(this.#store(messages, "FLAGS", mode, flags, options), options);
  }

  /** STORE of Gmail's labels (X-GM-EXT-1). */
  async storeLabels(
    messages: MessageSet,
    mode: StoreMode,
    labels: readonly string[],
    options: MessageOptions & StoreOptions = {},
  ): Promise<Stored> {
    this.#need("X-GM-EXT-1");
    return await this.#run(this.#store(messages, "X-GM-LABELS", mode, labels, options), options);
  }

  #store(
    messages: MessageSet,
    item: "FLAGS" | "X-GM-LABELS",
    mode: StoreMode,
    values: readonly string[],
    options: MessageOptions & StoreOptions,
  ): Command<Stored> {
    return store(chosenSet(messages, options.uid), item, mode, values, options, () => this.#state.exists);
  }

  /** COPY. Gives the UIDs in both mailboxes where the server tells them (UIDPLUS). */
  async copy(
    messages: MessageSet,
    to: MailboxName,
    options: MessageOptions = {},
  ): Promise<Copied | undefined> {
    return await this.#run(transfer("COPY", chosenSet(messages, options.uid), to), options);
  }

  /** MOVE (RFC 6851), or what comes to the same with UIDPLUS: COPY, STORE and UID EXPUNGE. */
  async move(
    messages: MessageSet,
    to: MailboxName,
    options: MessageOptions = {},
  ): Promise<Copied | undefined> {
    const chosen = chosenSet(messages, options.uid);
    if (this.#connection.state.has("MOVE")) return await this.#run(transfer("MOVE", chosen, to), options);
    return await this.#moveByCopy(chosen, to, options);
  }

  async #moveByCopy(
    chosen: ChosenSet,
    to: MailboxName,
    options: MessageOptions,
  ): Promise<Copied | undefined> {
    if (!chosen.uid || !this.#connection.state.has("UIDPLUS"))
      throw new UnsupportedError(
        "MOVE",
        "the server offers no MOVE, and UIDPLUS and UIDs are needed without it",
        {
          usable: true,
        },
      );
    const copied = await this.#run(transfer("COPY", chosen, to), options);
    await this.store(chosen.set, "add", ["\\Deleted"], { ...options, silent: true });
    await this.#run(expunge(chosen.set), options);
    return copied;
  }

  /** EXPUNGE: removes the messages with \Deleted; given UIDs, those among them alone (UIDPLUS). */
  async expunge(messages?: MessageSet, options: OpOptions = {}): Promise<Expunged> {
    if (messages === undefined) return await this.#run(expunge(undefined), options);
    this.#need("UIDPLUS");
    const { set, uid } = chosenSet(messages, undefined);
    if (!uid) throw new LocalProtocolError("EXPUNGE takes UIDs");
    return await this.#run(expunge(set), options);
  }

  /** REPLACE (RFC 8508): puts a message in the place of another, in this mailbox or in another one. */
  async replace(
    message: number,
    source: Source,
    options: AppendOptions & MessageOptions & { readonly to?: MailboxName | undefined } = {},
  ): Promise<Appended | undefined> {
    this.#need("REPLACE");
    const by = outgoing(source, options, this.#connection.state);
    return await this.#run(replace(message, options.uid ?? true, options.to ?? this.name, by), options);
  }

  /** IDLE: hears of changes until the loop is left or the signal is given. Other commands may be given meanwhile. */
  idle(options: IdleOptions = {}): AsyncIterableIterator<MailboxEvent> {
    this.#check();
    return idle(this.#connection, options);
  }

  /** CHECK of IMAP4rev1: asks for a checkpoint, whatever that is to the server. NOOP on IMAP4rev2, which has none. */
  async check(options: OpOptions = {}): Promise<void> {
    await this.#run(this.#connection.state.isRev2 ? noop() : check(), options);
  }

  /** CLOSE: removes the messages with \Deleted without telling, and leaves. */
  async close(options: OpOptions = {}): Promise<void> {
    await this.#run(leave(this.#connection.state, "CLOSE"), options);
  }

  /** UNSELECT (RFC 3691): leaves, and removes nothing. */
  async unselect(options: OpOptions = {}): Promise<void> {
    this.#need("UNSELECT");
    await this.#run(leave(this.#connection.state, "UNSELECT"), options);
  }

  /** Leaves the mailbox without removing anything, if the server can do that, and if it is selected still. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.selected) return;
    const options = { timeoutMs: 30_000 };
    if (this.#connection.state.has("UNSELECT")) await this.unselect(options).catch(() => {});
    else if (this.readOnly) await this.close(options).catch(() => {});
  }

  #run<T>(command: Command<T>, options: OpOptions): Promise<T> {
    this.#check();
    return this.#connection.run(command, options);
  }

  #check(): void {
    if (this.#connection.isOver || this.selected) return;
    throw new ClosedError(`the mailbox ${JSON.stringify(this.name)} is no longer selected`, { usable: true });
  }

  #need(capability: string): void {
    this.#check();
    if (this.#connection.state.has(capability)) return;
    throw new UnsupportedError(capability, `the server does not offer ${capability}`, { usable: true });
  }
}
