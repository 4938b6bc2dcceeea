/** What happens in mailboxes without being asked for: typed events, in queues that cannot grow without end. */
import type { UidSet } from "./codec-sequence-set.js";
import type { FetchAttributes } from "./types-message.js";
import type { ImapResponse, MailboxStatus, ResponseCode, StatusResponse } from "./types-response.js";

/** One thing that the server tells of. */
export type MailboxEvent =
  /** The mailbox has so many messages now. */
  | { readonly type: "exists"; readonly count: number }
  | { readonly type: "recent"; readonly count: number }
  /** The message of this number is gone; those behind it are one lower now. */
  | { readonly type: "expunge"; readonly sequence: number }
  /** Messages are gone, by their UIDs (RFC 7162, RFC 9586). */
  | { readonly type: "vanished"; readonly uids: UidSet; readonly earlier: boolean }
  /** Something of a message has changed, its flags most likely, or it is new (NOTIFY). */
  | { readonly type: "fetch"; readonly sequence: number | undefined; readonly attributes: FetchAttributes }
  /** The flags that the mailbox knows. */
  | { readonly type: "flags"; readonly flags: readonly string[] }
  /** Another mailbox has changed (NOTIFY). */
  | { readonly type: "status"; readonly mailbox: string; readonly status: MailboxStatus }
  /** A mailbox was made, renamed, removed or subscribed to (NOTIFY). */
  | {
      readonly type: "list";
      readonly mailbox: string;
      readonly attributes: readonly string[];
      readonly oldName: string | undefined;
    }
  /** Annotations have changed (NOTIFY): their names. */
  | { readonly type: "metadata"; readonly mailbox: string; readonly entries: readonly string[] }
  /** A message that must be shown to the user: RFC 9051 section 7.1. */
  | { readonly type: "alert"; readonly text: string }
  /** So many events had not been read that some were dropped, here or (NOTIFY) by the server: look at everything anew. */
  | { readonly type: "overflow" };

/** The event that a response stands for, if any. */
export function eventOf(response: ImapResponse): MailboxEvent | undefined {
  switch (response.type) {
    case "exists":
    case "recent":
      return { type: response.type, count: response.count };
    case "expunge":
      return { type: "expunge", sequence: response.sequence };
    case "vanished":
      return { type: "vanished", uids: response.uids, earlier: response.earlier };
    case "fetch":
      return { type: "fetch", sequence: response.sequence, attributes: response.attributes };
    case "flags":
      return { type: "flags", flags: response.flags };
    case "mailbox-status":
      return { type: "status", mailbox: response.mailbox, status: response.status };
    case "list":
      return {
        ...{ type: "list", mailbox: response.mailbox, attributes: response.attributes },
        oldName: response.oldName,
      };
    case "metadata":
      return {
        type: "metadata",
        mailbox: response.mailbox,
        entries: response.entries.map(({ name }) => name),
      };
    case "status":
      return statusEvent(response);
    default:
      return undefined;
  }
}

const statusCodes: Partial<Record<ResponseCode["name"], "alert" | "overflow">> = {
  ALERT: "alert",
  NOTIFICATIONOVERFLOW: "overflow",
};

function statusEvent({ code, text }: StatusResponse): MailboxEvent | undefined {
  const type = code === undefined ? undefined : statusCodes[code.name];
  return type === "alert" ? { type, text } : type === undefined ? undefined : { type };
}

const maxQueued = 10_000;

/** Events that wait for their reader. */
export class EventQueue {
  readonly #onTaken: () => void;
  #events: MailboxEvent[] = [];
  #waiter: { resolve(event: MailboxEvent | undefined): void; reject(error: unknown): void } | undefined;
  #end: { readonly error: unknown } | undefined;

  /** `onTaken` is told whenever an event has found its reader. */
  constructor(onTaken: () => void = () => {}) {
    this.#onTaken = onTaken;
  }

  push(event: MailboxEvent): void {
    if (this.#end !== undefined) return;
    if (this.#waiter !== undefined) {
      const { resolve } = this.#waiter;
      this.#waiter = undefined;
      this.#onTaken();
      resolve(event);
    } else if (this.#events.length < maxQueued) this.#events.push(event);
    else this.#events = [{ type: "overflow" }];
  }

  /** Nothing follows what is queued: but for an error, where there is one. */
  end(error?: unknown): void {
    this.#end ??= { error };
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (this.#end.error === undefined) waiter?.resolve(undefined);
    else waiter?.reject(this.#end.error);
  }

  /** The next event; undefined at the end. */
  next(): Promise<MailboxEvent | undefined> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#onTaken();
      return Promise.resolve(event);
    }
    if (this.#end !== undefined)
      return this.#end.error === undefined ? Promise.resolve(undefined) : Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }
}
