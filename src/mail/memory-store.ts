/** A mail store in memory: complete, quick, and gone with the process. */
import { Inbox } from "./inbox.js";
import { copyContent, readContent, type StoredContent } from "./memory-content.js";
import type { IncomingMessage, MemoryMailbox, MessageRecord } from "./memory-mailbox.js";
import { type MailboxFactory, MemoryUser } from "./memory-user.js";
import {
  type AppendOptions,
  type AppendResult,
  allUids,
  type ChangeOptions,
  type CopyResult,
  type Delivery,
  defaultMailStoreLimits,
  type MailboxInfo,
  type MailboxStatus,
  type MailChange,
  type MailStore,
  MailStoreError,
  type MailStoreLimits,
  type MessageContent,
  type MessageInfo,
  type NewMessage,
  type Quota,
  type QuotaLimits,
  rangesOf,
  type StoreFlagsResult,
  type UidRange,
} from "./store.js";

/** A message to begin with: its text, its bytes, or the bytes with flags and dates. */
export type SeedMessage =
  | string
  | Uint8Array
  | (Omit<NewMessage, "content"> & { readonly content: string | Uint8Array });

/** How a {@link MemoryMailStore} behaves. */
export interface MemoryMailStoreOptions {
  readonly limits?: Partial<MailStoreLimits> | undefined;
  /** Other addresses of users: from address to user. `{ "postmaster@example.test": "alice@example.test" }` */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** The domains in which a user named `alice` has the address `alice@domain`. Default: none. */
  readonly domains?: readonly string[] | undefined;
  /** Whether every recipient is taken, as a new user where need be: for tests. Default false. */
  readonly acceptAny?: boolean | undefined;
  /** What time it is. Default: the clock's. */
  readonly now?: (() => Date) | undefined;
  /** Told when a listener threw, which it must not. Default: nobody is. */
  readonly onListenerError?: ((error: unknown) => void) | undefined;
}

/**
 * Mail in memory: what the servers run on in tests and in `hawser serve`, and the reference for other stores.
 *
 * @example
 * ```ts
 * const store = MemoryMailStore.of({ "alice@example.test": ["Subject: hello\r\n\r\nHello.\r\n"] });
 * await store.deliver("alice@example.test", { content: messageBytes });
 * const { bytes } = await store.inbox("alice@example.test").next({ timeoutMs: 1000 });
 * ```
 */
export class MemoryMailStore implements MailStore {
  readonly limits: MailStoreLimits;
  readonly #options: MemoryMailStoreOptions;
  readonly #users = new Map<string, MemoryUser>();
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #domains: ReadonlySet<string>;
  readonly #mailboxes = new Map<string, { readonly user: MemoryUser; readonly mailbox: MemoryMailbox }>();
  readonly #inboxes = new Map<string, Inbox>();
  readonly #factory: MailboxFactory;
  #lastMailbox = 0;
  #lastMessage = 0;
  #lastUidValidity = 0;

  constructor(options: MemoryMailStoreOptions = {}) {
    this.limits = { ...defaultMailStoreLimits, ...options.limits };
    this.#options = options;
    this.#aliases = new Map(
      Object.entries(options.aliases ?? {}).map(([from, to]) => [fold(from), fold(to)]),
    );
    this.#domains = new Set((options.domains ?? []).map(fold));
    this.#factory = {
      limits: this.limits,
      newMailboxId: () => `F${++this.#lastMailbox}`,
      newUidValidity: () => this.#newUidValidity(),
      onListenerError: options.onListenerError ?? (() => {}),
    };
  }

  /**
   * A store with these users and the messages in their INBOX. What a user begins with is not handed out by
   * {@link MemoryMailStore.inbox}.
   */
  static of(
    seed: Readonly<Record<string, readonly SeedMessage[]>>,
    options: MemoryMailStoreOptions = {},
  ): MemoryMailStore {
    const store = new MemoryMailStore(options);
    for (const [name, messages] of Object.entries(seed)) store.#seed(name, messages);
    return store;
  }

  /** The user's INBOX as a stream of messages; the same one at every call, so each message comes once. */
  inbox(user: string): Inbox {
    const { name } = this.#options.acceptAny === true ? this.#userOrNew(user) : this.#user(user);
    const known = this.#inboxes.get(name);
    if (known !== undefined) return known;
    const inbox = new Inbox(this, name);
    this.#inboxes.set(name, inbox);
    return inbox;
  }

  async users(): Promise<readonly string[]> {
    return [...this.#users.values()].map((user) => user.name);
  }

  async createUser(user: string): Promise<void> {
    this.#newUser(user);
  }

  async deleteUser(user: string): Promise<void> {
    const gone = this.#user(user);
    for (const mailbox of gone.mailboxes()) this.#mailboxes.delete(mailbox.mailboxId);
    this.#users.delete(fold(user));
    this.#inboxes.delete(gone.name);
    for (const mailbox of gone.mailboxes())
      gone.emit({ type: "mailbox-deleted", mailbox: gone.info(mailbox) });
    gone.listeners.clear();
  }

  async resolve(recipient: string): Promise<string | undefined> {
    return this.#resolve(recipient)?.name;
  }

  async mailboxes(user: string): Promise<readonly MailboxInfo[]> {
    const owner = this.#user(user);
    return owner.mailboxes().map((mailbox) => owner.info(mailbox));
  }

  async mailbox(user: string, name: string): Promise<MailboxInfo | undefined> {
    const owner = this.#user(user);
    const mailbox = owner.mailbox(name);
    return mailbox === undefined ? undefined : owner.info(mailbox);
  }

  async status(mailboxId: string): Promise<MailboxStatus> {
    const { user, mailbox } = this.#at(mailboxId);
    return mailbox.status(user.subscribed.has(mailbox.name));
  }

  async createMailbox(
    user: string,
    name: string,
    options: ChangeOptions & { readonly specialUse?: readonly string[] | undefined } = {},
  ): Promise<MailboxInfo> {
    const owner = this.#user(user);
    const made = owner.create(name, options.specialUse ?? []);
    this.#announce(owner, made, options);
    return owner.info(owner.existing(name));
  }

  async deleteMailbox(user: string, name: string, { origin }: ChangeOptions = {}): Promise<void> {
    const owner = this.#user(user);
    const mailbox = owner.delete(name);
    this.#mailboxes.delete(mailbox.mailboxId);
    owner.emit({ type: "mailbox-deleted", mailbox: owner.info(mailbox), origin });
  }

  async renameMailbox(
    user: string,
    from: string,
    to: string,
    options: ChangeOptions = {},
  ): Promise<MailboxInfo> {
    const owner = this.#user(user);
    const { origin } = options;
    if (owner.existing(from).name === "INBOX") return this.#renameInbox(owner, to, options);
    const { renamed, made } = owner.rename(from, to);
    this.#announce(owner, made, options);
    for (const [mailbox, oldName] of renamed)
      owner.emit({ type: "mailbox-renamed", mailbox: owner.info(mailbox), oldName, origin });
    return owner.info(owner.existing(to));
  }

  async subscribeMailbox(
    user: string,
    name: string,
    subscribed: boolean,
    { origin }: ChangeOptions = {},
  ): Promise<void> {
    const owner = this.#user(user);
    const canonical = owner.canonical(name);
    if (owner.subscribed.has(canonical) === subscribed) return;
    if (subscribed && owner.subscribed.size >= this.limits.maxMailboxes)
      throw new MailStoreError("too-many", "there are too many subscriptions");
    if (subscribed) owner.subscribed.add(canonical);
    else owner.subscribed.delete(canonical);
    owner.emit({ type: "subscription", name: canonical, subscribed, origin });
  }

  async subscriptions(user: string): Promise<readonly string[]> {
    return [...this.#user(user).subscribed].sort();
  }

  async claimRecent(mailboxId: string): Promise<number> {
    const { mailbox } = this.#at(mailboxId);
    const from = mailbox.recentFrom;
    mailbox.recentFrom = mailbox.uidNext;
    return from;
  }

  async list(
    mailboxId: string,
    ranges?: readonly UidRange[],
    options: { readonly changedSince?: bigint | undefined; readonly limit?: number | undefined } = {},
  ): Promise<readonly MessageInfo[]> {
    return this.#at(mailboxId).mailbox.list(ranges, options.changedSince, options.limit);
  }

  async open(mailboxId: string, uid: number): Promise<MessageContent | undefined> {
    return this.#at(mailboxId).mailbox.find(uid)?.content;
  }

  async append(
    mailboxId: string,
    messages: NewMessage | readonly NewMessage[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    const given = "content" in messages ? [messages] : messages;
    this.#at(mailboxId);
    const contents: StoredContent[] = [];
    for (const message of given) contents.push(await this.#read(message, options));
    // From here on nothing waits: the append is one step for everybody else.
    const { user, mailbox } = this.#at(mailboxId);
    user.checkQuota(octetsOf(contents), contents.length);
    mailbox.flagsOf(given.flatMap((message) => message.flags ?? []));
    const incoming = given.flatMap((message, index) => {
      const content = contents[index];
      return content === undefined ? [] : [this.#incoming(mailbox, message, content)];
    });
    const records = this.#add(user, mailbox, incoming, options);
    return { uidValidity: mailbox.uidValidity, uids: records.map((record) => record.uid) };
  }

  async deliver(
    recipients: string | readonly string[],
    message: NewMessage,
    options: AppendOptions = {},
  ): Promise<readonly Delivery[]> {
    const content = await this.#read(message, options);
    const done = new Map<MemoryUser, Delivery>();
    return (typeof recipients === "string" ? [recipients] : recipients).map((recipient) => {
      const user = this.#resolve(recipient);
      if (user === undefined)
        return { recipient, error: new MailStoreError("no-user", "there is no such recipient") };
      const delivery = done.get(user) ?? this.#deliverTo(user, message, content, options);
      done.set(user, delivery);
      return { ...delivery, recipient };
    });
  }

  async storeFlags(
    mailboxId: string,
    ranges: readonly UidRange[],
    change: {
      readonly mode: "set" | "add" | "remove";
      readonly flags: readonly string[];
      readonly unchangedSince?: bigint | undefined;
    },
    { origin }: ChangeOptions = {},
  ): Promise<StoreFlagsResult> {
    const { user, mailbox } = this.#at(mailboxId);
    const result = mailbox.storeFlags(ranges, change.mode, change.flags, change.unchangedSince);
    if (result.changed.length > 0) user.emit({ type: "flags", mailboxId, messages: result.changed, origin });
    return result;
  }

  async copy(
    mailboxId: string,
    ranges: readonly UidRange[],
    toMailboxId: string,
    options: ChangeOptions = {},
  ): Promise<CopyResult> {
    const { mailbox } = this.#at(mailboxId);
    const messages = mailbox.list(ranges);
    const { user, mailbox: target } = this.#at(toMailboxId);
    user.checkQuota(octetsOf(messages), messages.length);
    const { records, result } = target.copyFrom(messages, this.#now());
    this.#tellAdded(user, target, records, options);
    return result;
  }

  async move(
    mailboxId: string,
    ranges: readonly UidRange[],
    toMailboxId: string,
    options: ChangeOptions = {},
  ): Promise<CopyResult> {
    const from = this.#at(mailboxId);
    const to = this.#at(toMailboxId);
    const messages = from.mailbox.list(ranges);
    if (from.user !== to.user) to.user.checkQuota(octetsOf(messages), messages.length);
    const { records, result } = to.mailbox.copyFrom(messages, this.#now());
    const gone = from.mailbox.remove(rangesOf(result.source), () => true);
    this.#tellAdded(to.user, to.mailbox, records, options);
    this.#tellRemoved(from.user, from.mailbox, gone, options);
    return result;
  }

  async expunge(
    mailboxId: string,
    ranges: readonly UidRange[] = allUids,
    options: ChangeOptions & { readonly all?: boolean | undefined } = {},
  ): Promise<{ readonly uids: readonly UidRange[]; readonly modSeq: bigint }> {
    const { user, mailbox } = this.#at(mailboxId);
    const which = (message: MessageRecord): boolean =>
      options.all === true || message.flags.includes("\\Deleted");
    const uids = this.#tellRemoved(user, mailbox, mailbox.remove(ranges, which), options);
    return { uids, modSeq: mailbox.highestModSeq };
  }

  async vanished(
    mailboxId: string,
    sinceModSeq: bigint,
    ranges?: readonly UidRange[],
  ): Promise<readonly UidRange[]> {
    return this.#at(mailboxId).mailbox.vanished(sinceModSeq, ranges);
  }

  subscribe(user: string, listener: (change: MailChange) => void): Disposable {
    const owner = this.#user(user);
    // A function of its own, so that one listener may subscribe twice.
    const call = (change: MailChange): void => listener(change);
    owner.listeners.add(call);
    return { [Symbol.dispose]: () => void owner.listeners.delete(call) };
  }

  async lock(user: string): Promise<AsyncDisposable> {
    const owner = this.#user(user);
    if (owner.locked) throw new MailStoreError("in-use", "another session holds the lock");
    owner.locked = true;
    let held = true;
    const unlock = async (): Promise<void> => {
      if (held) owner.locked = false;
      held = false;
    };
    return { [Symbol.asyncDispose]: unlock };
  }

  async quota(user: string): Promise<Quota> {
    return this.#user(user).quota();
  }

  async setQuota(user: string, limits: QuotaLimits): Promise<void> {
    this.#user(user).quotaLimits = { ...limits };
  }

  async metadata(user: string, mailboxId: string | undefined): Promise<ReadonlyMap<string, Uint8Array>> {
    const owner = this.#user(user);
    this.#checkOwner(owner, mailboxId);
    return new Map(owner.metadata.get(mailboxId ?? ""));
  }

  async setMetadata(
    user: string,
    mailboxId: string | undefined,
    entry: string,
    value: Uint8Array | undefined,
    { origin }: ChangeOptions = {},
  ): Promise<void> {
    const owner = this.#user(user);
    this.#checkOwner(owner, mailboxId);
    const name = entryName(entry);
    const entries = owner.metadata.get(mailboxId ?? "") ?? new Map<string, Uint8Array>();
    if (value !== undefined) this.#checkMetadata(entries, name, value);
    if (value === undefined) entries.delete(name);
    else entries.set(name, Uint8Array.prototype.slice.call(value));
    owner.metadata.set(mailboxId ?? "", entries);
    owner.emit({ type: "metadata", mailboxId, entry: name, origin });
  }

  /** Forgets all users and their mail; nobody listens any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const user of this.#users.values()) user.listeners.clear();
    this.#users.clear();
    this.#mailboxes.clear();
    this.#inboxes.clear();
  }

  #seed(name: string, messages: readonly SeedMessage[]): void {
    const user = this.#newUser(name);
    const mailbox = user.existing("INBOX");
    const incoming = messages.map((message) => {
      const given =
        typeof message === "string" || message instanceof Uint8Array ? { content: message } : message;
      const bytes = typeof given.content === "string" ? Buffer.from(given.content, "utf8") : given.content;
      const content = copyContent(bytes, this.#newEmailId(), this.limits.maxMessageOctets);
      return this.#incoming(mailbox, { ...given, content: bytes }, content);
    });
    mailbox.add(incoming, this.#now());
    this.#inboxes.set(user.name, new Inbox(this, user.name, mailbox.uidNext - 1));
  }

  #user(name: string): MemoryUser {
    const user = this.#users.get(fold(name));
    if (user === undefined) throw new MailStoreError("no-user", "there is no such user");
    return user;
  }

  #newUser(name: string): MemoryUser {
    if (name === "" || /\p{Cc}|\p{Cs}/u.test(name))
      throw new MailStoreError("bad-name", "a user's name is malformed");
    if (this.#users.has(fold(name))) throw new MailStoreError("exists", "there is a user of this name");
    const user = new MemoryUser(name, this.#factory);
    this.#users.set(fold(name), user);
    for (const mailbox of user.mailboxes()) this.#mailboxes.set(mailbox.mailboxId, { user, mailbox });
    return user;
  }

  #userOrNew(name: string): MemoryUser {
    return this.#users.get(fold(name)) ?? this.#newUser(name);
  }

  #at(mailboxId: string): { readonly user: MemoryUser; readonly mailbox: MemoryMailbox } {
    const found = this.#mailboxes.get(mailboxId);
    if (found === undefined) throw new MailStoreError("no-mailbox", "the mailbox is gone");
    return found;
  }

  /** By name, by alias, without `+detail` (RFC 5233), or by the local part in one of the store's domains. */
  #resolve(recipient: string): MemoryUser | undefined {
    const at = recipient.lastIndexOf("@");
    const local = fold(at < 0 ? recipient : recipient.slice(0, at));
    const domain = fold(at < 0 ? "" : recipient.slice(at));
    const plain = local.includes("+") ? local.slice(0, local.indexOf("+")) : local;
    const here = domain !== "" && this.#domains.has(domain.slice(1));
    const names = [local + domain, plain + domain, ...(here ? [local, plain] : [])];
    for (const name of names) {
      const user = this.#users.get(this.#aliases.get(name) ?? name);
      if (user !== undefined) return user;
    }
    return this.#options.acceptAny === true && at > 0 ? this.#userOrNew(recipient) : undefined;
  }

  #read(message: NewMessage, { signal }: AppendOptions): Promise<StoredContent> {
    return readContent(message, this.#newEmailId(), { maxOctets: this.limits.maxMessageOctets, signal });
  }

  #incoming(mailbox: MemoryMailbox, message: NewMessage, content: StoredContent): IncomingMessage {
    const { envelope } = message;
    const internalDate = message.internalDate ?? envelope?.receivedAt ?? this.#now();
    return { content, flags: mailbox.flagsOf(message.flags ?? []), internalDate, envelope };
  }

  #add(
    user: MemoryUser,
    mailbox: MemoryMailbox,
    incoming: readonly IncomingMessage[],
    options: ChangeOptions,
  ): readonly MessageRecord[] {
    const messages = mailbox.add(incoming, this.#now());
    this.#tellAdded(user, mailbox, messages, options);
    return messages;
  }

  #deliverTo(
    user: MemoryUser,
    message: NewMessage,
    content: StoredContent,
    options: ChangeOptions,
  ): Delivery {
    try {
      const mailbox = user.existing("INBOX");
      user.checkQuota(content.sizeOctets, 1);
      const [record] = this.#add(user, mailbox, [this.#incoming(mailbox, message, content)], options);
      const { mailboxId, uidValidity } = mailbox;
      return { recipient: user.name, user: user.name, mailboxId, uidValidity, uid: record?.uid ?? 0 };
    } catch (error) {
      if (error instanceof MailStoreError) return { recipient: user.name, user: user.name, error };
      throw error;
    }
  }

  #tellAdded(
    user: MemoryUser,
    { mailboxId }: MemoryMailbox,
    messages: readonly MessageRecord[],
    { origin }: ChangeOptions,
  ): void {
    if (messages.length > 0) user.emit({ type: "messages", mailboxId, messages, origin });
  }

  #tellRemoved(
    user: MemoryUser,
    { mailboxId, highestModSeq: modSeq }: MemoryMailbox,
    gone: readonly MessageRecord[],
    { origin }: ChangeOptions,
  ): readonly UidRange[] {
    const uids = rangesOf(gone.map((message) => message.uid));
    if (uids.length > 0) user.emit({ type: "expunged", mailboxId, uids, modSeq, origin });
    return uids;
  }

  #announce(owner: MemoryUser, made: readonly MemoryMailbox[], { origin }: ChangeOptions): void {
    for (const mailbox of made) this.#mailboxes.set(mailbox.mailboxId, { user: owner, mailbox });
    for (const mailbox of made) owner.emit({ type: "mailbox-created", mailbox: owner.info(mailbox), origin });
  }

  async #renameInbox(owner: MemoryUser, to: string, options: ChangeOptions): Promise<MailboxInfo> {
    const info = await this.createMailbox(owner.name, to, options);
    await this.move(owner.existing("INBOX").mailboxId, allUids, info.mailboxId, options);
    return owner.info(owner.existing(to));
  }

  #checkOwner(owner: MemoryUser, mailboxId: string | undefined): void {
    if (mailboxId !== undefined && this.#at(mailboxId).user !== owner)
      throw new MailStoreError("no-mailbox", "the mailbox is another user's");
  }

  #checkMetadata(entries: ReadonlyMap<string, Uint8Array>, name: string, value: Uint8Array): void {
    if (value.length > this.limits.maxMetadataOctets)
      throw new MailStoreError(
        "too-large",
        `an annotation has more than ${this.limits.maxMetadataOctets} octets`,
      );
    if (entries.size >= maxEntries && !entries.has(name))
      throw new MailStoreError("too-many", "there are too many annotations");
  }

  /** Ascending for ever: from the clock, and one more where the clock has not gone on (RFC 9051 section 2.3.1.1). */
  #newUidValidity(): number {
    const seconds = Math.floor(this.#now().getTime() / 1000);
    this.#lastUidValidity = Math.max(this.#lastUidValidity + 1, Math.min(Math.max(seconds, 1), 0xffffffff));
    return this.#lastUidValidity;
  }

  #newEmailId(): string {
    return `M${++this.#lastMessage}`;
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date();
  }
}

const maxEntries = 1000;

/** Addresses and users are compared without regard to case. */
function fold(text: string): string {
  return text.toLowerCase();
}

/** RFC 5464 section 3.1: names are compared without regard to case, begin with a slash and have no empty level. */
function entryName(entry: string): string {
  const name = entry.toLowerCase();
  if (!/^(?:\/[^/*%\p{Cc}\p{Cs}]+){2,}$/u.test(name) || name.length > 1000)
    throw new MailStoreError("bad-name", "an annotation's name is malformed");
  return name;
}

function octetsOf(contents: readonly { readonly sizeOctets: number }[]): number {
  return contents.reduce((sum, content) => sum + content.sizeOctets, 0);
}
