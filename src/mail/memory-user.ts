/** One user in memory: the mailboxes by name, and who listens. */
import { MemoryMailbox, type Usage } from "./memory-mailbox.js";
import {
  canonicalMailboxName,
  isInferior,
  type MailboxInfo,
  type MailChange,
  MailStoreError,
  type MailStoreLimits,
  type Quota,
  type QuotaLimits,
  superiorNames,
} from "./store.js";

/** A change before it is known whose it is. */
export type Change = MailChange extends infer C ? (C extends MailChange ? Omit<C, "user"> : never) : never;

/** What the store gives its users. */
export interface MailboxFactory {
  readonly limits: MailStoreLimits;
  readonly newMailboxId: () => string;
  readonly newUidValidity: () => number;
  readonly onListenerError: (error: unknown) => void;
}

/** A user. Its methods finish at once. */
export class MemoryUser {
  readonly name: string;
  readonly usage: Usage = { octets: 0, messages: 0 };
  readonly subscribed: Set<string> = new Set(["INBOX"]);
  readonly metadata: Map<string, Map<string, Uint8Array>> = new Map();
  readonly listeners: Set<(change: MailChange) => void> = new Set();
  quotaLimits: QuotaLimits = {};
  locked = false;
  readonly #mailboxes = new Map<string, MemoryMailbox>();
  readonly #factory: MailboxFactory;

  constructor(name: string, factory: MailboxFactory) {
    this.name = name;
    this.#factory = factory;
    this.#make("INBOX");
  }

  mailboxes(): readonly MemoryMailbox[] {
    return [...this.#mailboxes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  mailbox(name: string): MemoryMailbox | undefined {
    return this.#mailboxes.get(this.canonical(name));
  }

  /** The mailbox of this name; throws `no-mailbox` where there is none. */
  existing(name: string): MemoryMailbox {
    const mailbox = this.mailbox(name);
    if (mailbox === undefined) throw new MailStoreError("no-mailbox", "there is no mailbox of this name");
    return mailbox;
  }

  canonical(name: string): string {
    return canonicalMailboxName(name, this.#factory.limits.maxNameOctets);
  }

  info(mailbox: MemoryMailbox): MailboxInfo {
    return mailbox.info(this.subscribed.has(mailbox.name));
  }

  /** Adds a mailbox and those above it; the new ones are given back, the one asked for last. */
  create(name: string, specialUse: readonly string[]): readonly MemoryMailbox[] {
    const canonical = this.canonical(name);
    if (this.#mailboxes.has(canonical)) throw new MailStoreError("exists", "there is a mailbox of this name");
    const names = [...superiorNames(canonical), canonical].filter((each) => !this.#mailboxes.has(each));
    this.#checkRoom(names.length);
    const made = names.map((each) => this.#make(each));
    const last = made.at(-1);
    if (last !== undefined) last.specialUse = [...specialUse];
    return made;
  }

  delete(name: string): MemoryMailbox {
    const mailbox = this.existing(name);
    if (mailbox.name === "INBOX") throw new MailStoreError("not-permitted", "the INBOX cannot be deleted");
    this.#mailboxes.delete(mailbox.name);
    this.metadata.delete(mailbox.mailboxId);
    mailbox.discard();
    return mailbox;
  }

  /** Renames a mailbox and those below it; each is given back with the name that it had. */
  rename(from: string, to: string): { renamed: [MemoryMailbox, string][]; made: readonly MemoryMailbox[] } {
    const mailbox = this.existing(from);
    const target = this.canonical(to);
    if (isInferior(target, mailbox.name))
      throw new MailStoreError("not-permitted", "a mailbox cannot be moved below itself");
    const moves = this.#moves(mailbox, target);
    this.#checkTargets(moves);
    const above = superiorNames(target).filter((each) => !this.#mailboxes.has(each));
    this.#checkRoom(above.length);
    const made = above.map((each) => this.#make(each));
    return { renamed: this.#apply(moves), made };
  }

  quota(): Quota {
    const { storageOctets, messages, mailboxes } = this.quotaLimits;
    return {
      storageOctets: { used: this.usage.octets, limit: storageOctets },
      messages: { used: this.usage.messages, limit: messages },
      mailboxes: { used: this.#mailboxes.size, limit: mailboxes },
    };
  }

  /** Throws `over-quota` where so much more does not fit. */
  checkQuota(octets: number, messages: number): void {
    const { storageOctets = Infinity, messages: most = Infinity } = this.quotaLimits;
    if (this.usage.octets + octets > storageOctets || this.usage.messages + messages > most)
      throw new MailStoreError("over-quota", "the user's quota does not have room for this");
  }

  /** Tells the listeners. One that throws must not undo what is done, nor keep others from hearing of it. */
  emit(change: Change): void {
    const whole = { ...change, user: this.name } as MailChange;
    for (const listener of [...this.listeners]) {
      try {
        listener(whole);
      } catch (error) {
        this.#factory.onListenerError(error);
      }
    }
  }

  #make(name: string): MemoryMailbox {
    const mailbox = new MemoryMailbox({
      ...{ name, usage: this.usage, maxKeywords: this.#factory.limits.maxKeywords },
      ...{ mailboxId: this.#factory.newMailboxId(), uidValidity: this.#factory.newUidValidity() },
    });
    this.#mailboxes.set(name, mailbox);
    return mailbox;
  }

  #moves(mailbox: MemoryMailbox, target: string): [MemoryMailbox, string][] {
    const below = this.mailboxes().filter((each) => isInferior(each.name, mailbox.name));
    return [mailbox, ...below].map((each) => [each, target + each.name.slice(mailbox.name.length)]);
  }

  #checkTargets(moves: readonly [MemoryMailbox, string][]): void {
    for (const [, name] of moves) {
      if (this.#mailboxes.has(name)) throw new MailStoreError("exists", "there is a mailbox of this name");
      this.canonical(name);
    }
  }

  #apply(moves: readonly [MemoryMailbox, string][]): [MemoryMailbox, string][] {
    return moves.map(([mailbox, name]) => {
      const oldName = mailbox.name;
      this.#mailboxes.delete(oldName);
      this.#mailboxes.set(name, mailbox);
      mailbox.name = name;
      return [mailbox, oldName];
    });
  }

  #checkRoom(more: number): void {
    const count = this.#mailboxes.size + more;
    if (count > this.#factory.limits.maxMailboxes)
      throw new MailStoreError("too-many", "there are too many mailboxes");
    if (count > (this.quotaLimits.mailboxes ?? Infinity))
      throw new MailStoreError("over-quota", "the user's quota of mailboxes is used up");
  }
}
