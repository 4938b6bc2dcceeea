/** NOTIFY: RFC 5465. */
import { LocalProtocolError } from "../../core/errors.js";
import type { Command } from "../client-command.js";
import { AskedItems } from "../client-fetch-items.js";
import type { FetchItemName } from "../client-fetch-types.js";
import { fetchItemsPart } from "../codec-fetch-items.js";
import { atom, type CommandPart, list, mailbox } from "../codec-parts.js";
import { plain, some } from "./command.js";

/** What may happen in a mailbox, or to one. */
export type NotifyEvent =
  | ("MessageNew" | "MessageExpunge" | "FlagChange" | "AnnotationChange")
  | ("MailboxName" | "SubscriptionChange" | "MailboxMetadataChange" | "ServerMetadataChange");

/** Which mailboxes to tell of, and what. */
export interface NotifyRequest {
  readonly mailboxes:
    | ("selected" | "selected-delayed" | "inboxes" | "personal" | "subscribed")
    | { readonly subtree: string | readonly string[] }
    | { readonly mailboxes: string | readonly string[] };
  /** Nothing is told of these mailboxes where it is empty. */
  readonly events: readonly NotifyEvent[];
  /** What to tell of new messages in the selected mailbox. */
  readonly fetch?: readonly FetchItemName[] | undefined;
}

/** NOTIFY SET. With `status` the server tells the STATUS of all those mailboxes at once. */
export function notifySet(requests: readonly NotifyRequest[], status: boolean): Command<void> {
  const groups = some(requests, "a group of events").map(groupPart);
  return plain("NOTIFY", atom("SET"), ...(status ? [atom("STATUS")] : []), ...groups);
}

export function notifyNone(): Command<void> {
  return plain("NOTIFY", atom("NONE"));
}

function groupPart({ mailboxes, events, fetch }: NotifyRequest): CommandPart {
  const items = fetch === undefined ? [] : [fetchItemsPart(new AskedItems(fetch).items)];
  if (fetch !== undefined && !events.includes("MessageNew"))
    throw new LocalProtocolError("only MessageNew tells more of a message");
  const words = events.flatMap((event) => [atom(event), ...(event === "MessageNew" ? items : [])]);
  return list(...filterParts(mailboxes), events.length === 0 ? atom("NONE") : list(...words));
}

function filterParts(mailboxes: NotifyRequest["mailboxes"]): CommandPart[] {
  if (typeof mailboxes === "string") return [atom(mailboxes)];
  const [word, names] =
    "subtree" in mailboxes ? ["subtree", mailboxes.subtree] : ["mailboxes", mailboxes.mailboxes];
  const all = (typeof names === "string" ? [names] : some(names, "a mailbox")).map((name) => mailbox(name));
  return [atom(word), all.length === 1 ? (all[0] as CommandPart) : list(...all)];
}
