/** NOTIFY: RFC 5465. What a client wants to hear of mailboxes that it has not selected, and when it wants to hear it. */
import {
  hierarchyDelimiter,
  isInferior,
  type MailboxInfo,
  type MailChange,
  MailStoreError,
} from "../mail/store.js";
import type { OutgoingResponse } from "./codec-format.js";
import { offers } from "./server-capability.js";
import { tellItems } from "./server-fetch.js";
import { tellStatus } from "./server-folders.js";
import type { SelectedMailbox } from "./server-mailbox.js";
import { bad, no } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { CommandArguments, NotifyGroup } from "./types-command.js";

/** RFC 5465 section 5. */
const messageEvents = ["MessageNew", "MessageExpunge", "FlagChange"];
const otherEvents = ["MailboxName", "SubscriptionChange", "MailboxMetadataChange", "ServerMetadataChange"];
/** So many changes of mailboxes wait for a client that does not listen; then it is told to look by itself. */
const maxWaiting = 1000;

export async function notify(session: Session, command: CommandArguments["NOTIFY"]): Promise<void> {
  if (command.groups.length === 0) {
    session.notifications = undefined;
    return;
  }
  checkEvents(command.groups, offers(session, "METADATA"));
  const notifications = new Notifications(command.groups);
  session.notifications = notifications;
  if (command.status) await notifications.tellAll(session);
}

function checkEvents(groups: readonly NotifyGroup[], metadata: boolean): void {
  const events = [...messageEvents, ...otherEvents].filter(
    (event) => metadata || !event.includes("Metadata"),
  );
  const known = new Set(["none", ...events.map((event) => event.toLowerCase())]);
  for (const group of groups) {
    const asked = group.events.map((event) => event.toLowerCase());
    if (!asked.every((event) => known.has(event)))
      throw no("there is no such event", { name: "BADEVENT", events });
    checkGroup(group, new Set(asked));
  }
}

/** RFC 5465 section 5: new messages and expunges come together, and flags not without them. */
function checkGroup({ filter, fetch }: NotifyGroup, asked: ReadonlySet<string>): void {
  const both = asked.has("messagenew");
  if (both !== asked.has("messageexpunge") || (asked.has("flagchange") && !both))
    throw bad("MessageNew, MessageExpunge and FlagChange need each other");
  if (fetch.length > 0 && !isSelected(filter)) throw bad("only SELECTED fetches");
}

function isSelected(filter: NotifyGroup["filter"]): boolean {
  return filter === "selected" || filter === "selected-delayed";
}

/** What a client has asked for, and what waits to be told. */
export class Notifications {
  readonly #groups: readonly NotifyGroup[];
  readonly #selected: NotifyGroup | undefined;
  /** The mailboxes whose messages have changed, and by which events. */
  readonly #changed: Map<string, Set<string>> = new Map();
  #waiting: News[] = [];
  /** Annotations that have changed: the mailbox's name is looked up when it is told. */
  #entries: { readonly mailboxId: string; readonly entry: string }[] = [];
  #overflown = false;

  constructor(groups: readonly NotifyGroup[]) {
    this.#groups = groups.filter(({ filter }) => !isSelected(filter));
    this.#selected = groups.find(({ filter }) => isSelected(filter));
  }

  /** What of the selected mailbox may be told now, between two commands. */
  selectedNow(idling: boolean): "all" | "no expunges" | "nothing" {
    if (idling) return "all";
    if (this.#selected === undefined || this.#selected.events.includes("none")) return "nothing";
    return this.#selected.filter === "selected" ? "all" : "no expunges";
  }

  /** Notes a change; the client's own are no news to it. */
  heard(change: MailChange, session: Session): void {
    if (change.origin === session) return;
    const isMessages = change.type === "messages" || change.type === "flags" || change.type === "expunged";
    if (isMessages) this.#noteMessages(change.mailboxId, change.type);
    else this.#noteMailbox(change);
  }

  #noteMessages(mailboxId: string, type: "messages" | "flags" | "expunged"): void {
    const events = this.#changed.get(mailboxId) ?? new Set();
    events.add(type === "flags" ? "flagchange" : "messagenew");
    this.#changed.set(mailboxId, events);
  }

  #noteMailbox(change: MailboxChange): void {
    if (this.#waiting.length + this.#entries.length >= maxWaiting) this.#overflown = true;
    else if (change.type === "metadata" && change.mailboxId !== undefined)
      this.#entries.push({ mailboxId: change.mailboxId, entry: change.entry });
    else this.#waiting.push(newsOf(change));
  }

  /** Tells what waits of mailboxes that are not selected. */
  async push(session: Session): Promise<void> {
    if (this.#overflown) {
      // RFC 5465 section 5.8: what was asked for is forgotten.
      session.notifications = undefined;
      return session.status("OK", "too much has happened", { name: "NOTIFICATIONOVERFLOW" });
    }
    if (this.#waiting.length === 0 && this.#changed.size === 0 && this.#entries.length === 0) return;
    const [waiting, entries, changed] = [this.#waiting, this.#entries, [...this.#changed]];
    this.#waiting = [];
    this.#entries = [];
    this.#changed.clear();
    for (const { event, mailbox, told } of waiting) if (this.#wants(mailbox, event)) session.respond(told);
    for (const [mailboxId, events] of changed)
      if (mailboxId !== session.mailbox?.mailboxId) await this.#tellStatus(session, mailboxId, events);
    if (entries.length > 0) await this.#tellEntries(session, entries);
  }

  async #tellEntries(
    session: Session,
    changed: readonly { readonly mailboxId: string; readonly entry: string }[],
  ): Promise<void> {
    const infos = new Map(
      (await session.store.mailboxes(session.user)).map((info) => [info.mailboxId, info]),
    );
    for (const { mailboxId, entry } of changed) {
      const info = infos.get(mailboxId);
      if (info === undefined || !this.#wants(info, "mailboxmetadatachange")) continue;
      session.respond({ type: "metadata", mailbox: info.name, entries: [{ name: entry, value: undefined }] });
    }
  }

  #wants(mailbox: MailboxInfo | undefined, event: string): boolean {
    const groups =
      mailbox === undefined ? this.#groups : this.#groups.filter(({ filter }) => covers(filter, mailbox));
    // Where several cover a mailbox, the first one counts (RFC 5465 section 6).
    const counted = mailbox === undefined ? groups : groups.slice(0, 1);
    return counted.some(({ events }) => events.some((each) => each.toLowerCase() === event));
  }

  /** RFC 5465 sections 5.1 to 5.3: messages by their number, flags by what is unseen. */
  async #tellStatus(session: Session, mailboxId: string, events: ReadonlySet<string>): Promise<void> {
    try {
      const info = await session.store.status(mailboxId);
      const wanted = [...events].filter((event) => this.#wants(info, event));
      if (wanted.length === 0) return;
      const items = [
        ...(wanted.includes("messagenew") ? ["MESSAGES", "UIDNEXT"] : []),
        ...["UIDVALIDITY", "UNSEEN"],
        ...(session.condStore ? ["HIGHESTMODSEQ"] : []),
      ];
      await tellStatus(session, mailboxId, info.name, items);
    } catch (error) {
      // The mailbox may be gone by now, which is told by a LIST.
      if (!(error instanceof MailStoreError)) throw error;
    }
  }

  /** `NOTIFY SET STATUS`: how every mailbox stands that will be told of. */
  async tellAll(session: Session): Promise<void> {
    for (const info of await session.store.mailboxes(session.user)) {
      if (info.mailboxId === session.mailbox?.mailboxId || !this.#wants(info, "messagenew")) continue;
      await this.#tellStatus(session, info.mailboxId, new Set(["messagenew", "flagchange"]));
    }
  }

  /** The items that a client wants of new messages in the selected mailbox. */
  async tellNew(session: Session, mailbox: SelectedMailbox, uids: readonly number[]): Promise<void> {
    if (this.#selected === undefined || this.#selected.fetch.length === 0) return;
    await tellItems(session, mailbox, uids, this.#selected.fetch);
  }
}

function covers(filter: NotifyGroup["filter"], { name, subscribed }: MailboxInfo): boolean {
  if (filter === "personal") return true;
  if (filter === "inboxes") return name === "INBOX";
  if (filter === "subscribed") return subscribed;
  if (typeof filter === "string") return false;
  return filter.mailboxes.some((each) => {
    if (name === each) return true;
    if (filter.type === "mailboxes" || !isInferior(name, each)) return false;
    return filter.type === "subtree" || !name.slice(each.length + 1).includes(hierarchyDelimiter);
  });
}

type MailboxChange = Exclude<MailChange, { type: "messages" | "flags" | "expunged" }>;
type News = {
  readonly event: string;
  readonly mailbox: MailboxInfo | undefined;
  readonly told: OutgoingResponse;
};

function newsOf(change: MailboxChange): News {
  switch (change.type) {
    case "mailbox-created":
      return nameNews(change.mailbox, []);
    case "mailbox-deleted":
      return nameNews(change.mailbox, ["\\NonExistent"]);
    case "mailbox-renamed":
      return nameNews(change.mailbox, [], change.oldName);
    case "subscription":
      return subscriptionNews(change.name, change.subscribed);
    default:
      return serverMetadataNews(change.entry);
  }
}

function nameNews(mailbox: MailboxInfo, attributes: readonly string[], oldName?: string): News {
  const told: OutgoingResponse = {
    ...{ type: "list", attributes, delimiter: hierarchyDelimiter, mailbox: mailbox.name },
    ...(oldName !== undefined && { oldName }),
  };
  return { event: "mailboxname", mailbox, told };
}

/** A name that is subscribed need not be a mailbox: whoever asked for this event hears of all. */
function subscriptionNews(name: string, subscribed: boolean): News {
  const attributes = subscribed ? ["\\Subscribed"] : [];
  const told: OutgoingResponse = { type: "list", attributes, delimiter: hierarchyDelimiter, mailbox: name };
  return { event: "subscriptionchange", mailbox: undefined, told };
}

function serverMetadataNews(entry: string): News {
  const told: OutgoingResponse = {
    type: "metadata",
    mailbox: "",
    entries: [{ name: entry, value: undefined }],
  };
  return { event: "servermetadatachange", mailbox: undefined, told };
}
