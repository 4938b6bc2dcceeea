/** LIST and LSUB: RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590. */
import type { Command } from "../client-command.js";
import { effectsOf } from "../client-effects.js";
import { astring, atom, type CommandPart, list as listPart, mailbox, pattern } from "../codec-parts.js";
import type { ListResponse, MailboxStatus, MetadataResponse } from "../types-response.js";
import { gathering, mapped } from "./command.js";
import type { StatusItem } from "./mailboxes.js";

/** What is to be listed, and what is to be told of each. */
export interface ListOptions {
  /** `*` is anything, `%` anything but the delimiter. Default: `*`. */
  readonly pattern?: string | readonly string[] | undefined;
  /** What the patterns are relative to. Default: nothing. */
  readonly reference?: string | undefined;
  /** Only mailboxes that are subscribed to, whether they exist or not. */
  readonly subscribed?: boolean | undefined;
  /** Only mailboxes with a special use. */
  readonly specialUse?: boolean | undefined;
  /** Mailboxes on other servers, too (RFC 5258). */
  readonly remote?: boolean | undefined;
  /** With `subscribed` or `specialUse`: also the parents of what matches (RFC 5258 section 3.5). */
  readonly recursiveMatch?: boolean | undefined;
  /** What else to tell: RETURN options of RFC 5258, RFC 6154, RFC 8440. */
  readonly return?: readonly ("SUBSCRIBED" | "CHILDREN" | "SPECIAL-USE" | "MYRIGHTS")[] | undefined;
  /** The STATUS items to tell of each. */
  readonly status?: readonly StatusItem[] | undefined;
  /** The annotations to tell of each (RFC 9590). */
  readonly metadata?: readonly string[] | undefined;
}

/** One mailbox of a list. */
export interface ListEntry extends Omit<ListResponse, "type"> {
  /** What `status` asked for, where the server tells it. */
  readonly status?: MailboxStatus | undefined;
  /** What `return: ["MYRIGHTS"]` asked for. */
  readonly rights?: string | undefined;
  /** What `metadata` asked for. */
  readonly metadata?: MetadataResponse["entries"] | undefined;
}

/** LIST; with anything but patterns it is the extended form, which the server must offer. */
export function list(options: ListOptions): Command<ListEntry[]> {
  const found: Map<string, ListEntry> = new Map();
  const more: Map<string, Partial<ListEntry>> = new Map();
  const add = (name: string, part: Partial<ListEntry>): true => {
    more.set(name, { ...more.get(name), ...part });
    return true;
  };
  return {
    name: "LIST",
    parts: [atom("LIST"), ...listParts(options)],
    effects: effectsOf("LIST"),
    take: (response) => {
      if (response.type === "list") {
        const { type: _, ...entry } = response;
        found.set(entry.mailbox, entry);
        return true;
      }
      if (response.type === "mailbox-status" && options.status !== undefined)
        return add(response.mailbox, { status: response.status });
      if (response.type === "my-rights" && options.return?.includes("MYRIGHTS") === true)
        return add(response.mailbox, { rights: response.rights });
      if (response.type === "metadata" && options.metadata !== undefined)
        return add(response.mailbox, { metadata: response.entries });
      return false;
    },
    done: () => [...found.values()].map((entry) => ({ ...entry, ...more.get(entry.mailbox) })),
  };
}

function listParts(options: ListOptions): CommandPart[] {
  const { pattern: wanted = "*", reference = "", status, metadata } = options;
  const patterns = (typeof wanted === "string" ? [wanted] : wanted).map(pattern);
  const selection = [
    ...(options.subscribed === true ? ["SUBSCRIBED"] : []),
    ...(options.specialUse === true ? ["SPECIAL-USE"] : []),
    ...(options.remote === true ? ["REMOTE"] : []),
    ...(options.recursiveMatch === true ? ["RECURSIVEMATCH"] : []),
  ];
  const returns = [
    ...(options.return ?? []).map(atom),
    ...(status === undefined ? [] : [atom("STATUS"), listPart(...status.map(atom))]),
    ...(metadata === undefined ? [] : [atom("METADATA"), listPart(...metadata.map(astring))]),
  ];
  return [
    ...(selection.length === 0 ? [] : [listPart(...selection.map(atom))]),
    mailbox(reference),
    ...(patterns.length === 1 ? patterns : [listPart(...patterns)]),
    ...(returns.length === 0 ? [] : [atom("RETURN"), listPart(...returns)]),
  ];
}

/** LSUB: RFC 3501 section 6.3.9. IMAP4rev2 has none. */
export function lsub(reference: string, wanted: string): Command<ListEntry[]> {
  const command = gathering("lsub", "LSUB", [mailbox(reference), pattern(wanted)]);
  return mapped(command, (found) => found.map(({ type: _, ...entry }) => entry));
}
