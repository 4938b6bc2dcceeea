/** Tasks that take more than one command, or the command that fits the server. */
import type { OpOptions } from "../core/deadline.js";
import { UnsupportedError } from "../core/errors.js";
import { type AppendMessageOptions, outgoing } from "./client-append.js";
import type { Connection } from "./client-connection.js";
import { UidSet } from "./codec-sequence-set.js";
import { enable } from "./commands/any-state.js";
import { type Appended, append } from "./commands/append.js";
import { type ListEntry, type ListOptions, list, lsub } from "./commands/list.js";
import { type MailboxName, type StatusItem, status } from "./commands/mailboxes.js";
import { type Selected, select } from "./commands/select.js";
import type { QresyncParameters } from "./types-command.js";

/** How a mailbox is selected. */
export interface SelectOptions extends OpOptions {
  /** EXAMINE: nothing can be changed, and no \Recent is lost. */
  readonly readOnly?: boolean | undefined;
  /** What the client knows of the mailbox from before: RFC 7162 section 3.2.5. */
  readonly qresync?: QresyncParameters | undefined;
  /** Mod-sequences are told from now on (RFC 7162). Default: where the server offers it. */
  readonly condStore?: boolean | undefined;
}

/** SELECT or EXAMINE, with QRESYNC enabled before where it is asked for. */
export async function selectMailbox(
  connection: Connection,
  name: MailboxName,
  options: SelectOptions,
): Promise<Selected> {
  const { state } = connection;
  const { qresync, readOnly = false } = options;
  if (qresync !== undefined && !state.has("QRESYNC"))
    throw new UnsupportedError("QRESYNC", "the server does not offer QRESYNC", { usable: true });
  const isEnabled = state.enabled.has("QRESYNC");
  const enabling =
    qresync !== undefined && !isEnabled ? connection.run(enable(["QRESYNC"]), options) : undefined;
  const condStore = options.condStore ?? (state.has("CONDSTORE") && !isEnabled && qresync === undefined);
  const selecting = connection.run(select(state, name, { readOnly, condStore, qresync }), options);
  selecting.catch(() => {});
  await enabling;
  return await selecting;
}

/** LIST, and what the server does not tell with it. */
export async function listAll(
  connection: Connection,
  options: ListOptions & OpOptions,
): Promise<ListEntry[]> {
  const { state } = connection;
  const isExtended = state.has("LIST-EXTENDED");
  if (!isExtended && options.subscribed === true) return await listSubscribed(connection, options);
  const wantsStatus = options.status !== undefined && !state.has("LIST-STATUS");
  const asked = isExtended
    ? { ...options, status: wantsStatus ? undefined : options.status }
    : plainList(options);
  const found = await connection.run(list(asked), options);
  const chosen = isExtended || options.specialUse !== true ? found : found.filter(isSpecial);
  return options.status === undefined || (isExtended && !wantsStatus)
    ? chosen
    : await withStatus(connection, chosen, options.status, options);
}

/** RFC 3501 has patterns and no more. */
function plainList({ pattern, reference }: ListOptions): ListOptions {
  return { pattern: typeof pattern === "object" ? pattern[0] : pattern, reference };
}

async function listSubscribed(
  connection: Connection,
  options: ListOptions & OpOptions,
): Promise<ListEntry[]> {
  const { pattern = "*", reference = "" } = options;
  const patterns = typeof pattern === "string" ? [pattern] : pattern;
  const lists = await Promise.all(patterns.map((one) => connection.run(lsub(reference, one), options)));
  const found = lists.flat();
  return options.status === undefined ? found : await withStatus(connection, found, options.status, options);
}

const specialUses = /^\\(?:All|Archive|Drafts|Flagged|Junk|Sent|Trash|Important)$/i;

function isSpecial({ attributes }: ListEntry): boolean {
  return attributes.some((attribute) => specialUses.test(attribute));
}

/** A STATUS for each, all of them at once. One that is refused leaves its mailbox without. */
async function withStatus(
  connection: Connection,
  entries: readonly ListEntry[],
  items: readonly StatusItem[],
  options: OpOptions,
): Promise<ListEntry[]> {
  const one = async (entry: ListEntry): Promise<ListEntry> => {
    if (entry.attributes.some((name) => name === "\\Noselect" || name === "\\NonExistent")) return entry;
    const asked = connection.run(status(entry.rawMailbox ?? entry.mailbox, items), options);
    const told = await asked.catch((error: unknown) => {
      if (connection.isOver) throw error;
      return undefined;
    });
    return { ...entry, status: told };
  };
  return await Promise.all(entries.map(one));
}

/** One APPEND for all with MULTIAPPEND (RFC 3502), else one for each, without waiting in between. */
export async function appendAll(
  connection: Connection,
  name: MailboxName,
  messages: readonly AppendMessageOptions[],
  options: OpOptions,
): Promise<Appended | undefined> {
  if (messages.length === 0) return undefined;
  const ready = messages.map((message) => outgoing(message.source, message, connection.state));
  if (connection.state.has("MULTIAPPEND")) return await connection.run(append(name, ready), options);
  const appended = await Promise.allSettled(ready.map((one) => connection.run(append(name, [one]), options)));
  return appended.reduce<Appended | undefined>((all, outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return joinAppended(all, outcome.value);
  }, undefined);
}

function joinAppended(all: Appended | undefined, one: Appended | undefined): Appended | undefined {
  if (all === undefined || one === undefined) return one;
  return { uidValidity: one.uidValidity, uids: (all.uids ?? UidSet.empty).union(one.uids) };
}
