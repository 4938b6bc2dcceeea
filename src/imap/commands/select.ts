/** SELECT, EXAMINE, CLOSE, UNSELECT: RFC 9051 sections 6.3.2, 6.3.3, 6.4.1, 6.4.2, RFC 7162. */
import { type Command, refusalOf } from "../client-command.js";
import { type ClientState, MailboxState } from "../client-state.js";
import { atom, type CommandPart, list, mailbox, number, set } from "../codec-parts.js";
import { UidSet } from "../codec-sequence-set.js";
import type { QresyncParameters } from "../types-command.js";
import type { FetchAttributes } from "../types-message.js";
import { plain } from "./command.js";
import type { MailboxName } from "./mailboxes.js";

/** A message that has changed since the client was here last. */
export interface ChangedMessage {
  readonly sequence: number | undefined;
  readonly attributes: FetchAttributes;
}

/** What QRESYNC tells with a SELECT: RFC 7162 section 3.2.5. */
export interface Resync {
  /** Messages that are gone. */
  readonly vanished: UidSet;
  /** Messages whose flags have changed, or that are new. */
  readonly changed: readonly ChangedMessage[];
}

/** A mailbox that was selected. */
export interface Selected {
  readonly state: MailboxState;
  readonly resync: Resync;
}

/** How a mailbox is selected. */
export interface SelectParameters {
  readonly readOnly: boolean;
  readonly condStore: boolean;
  readonly qresync: QresyncParameters | undefined;
}

export function select(
  client: ClientState,
  name: MailboxName,
  parameters: SelectParameters,
): Command<Selected> {
  const { readOnly, condStore, qresync } = parameters;
  const state = new MailboxState(typeof name === "string" ? name : Buffer.from(name).toString("utf8"));
  state.readOnly = readOnly;
  const changed: ChangedMessage[] = [];
  let vanished = UidSet.empty;
  const options = [...(condStore ? [atom("CONDSTORE")] : []), ...qresyncParts(qresync)];
  const command = plain(
    readOnly ? "EXAMINE" : "SELECT",
    mailbox(name),
    ...(options.length > 0 ? [list(...options)] : []),
  );
  return {
    ...command,
    take: (response) => {
      if (response.type === "fetch")
        changed.push({ sequence: response.sequence, attributes: response.attributes });
      else if (response.type === "vanished" && response.earlier) vanished = vanished.union(response.uids);
      else state.observe(response);
      return isOfSelect.has(response.type);
    },
    done: (status) => {
      state.observe(status);
      client.mailbox = state;
      client.state = "selected";
      return { state, resync: { vanished, changed } };
    },
    refused: (status) => {
      // RFC 9051 section 6.3.2: whatever was selected before is so no longer.
      deselect(client);
      return refusalOf(status, command.name);
    },
  };
}

const isOfSelect: ReadonlySet<string> = new Set(["fetch", "vanished", "exists", "recent", "flags", "status"]);

function deselect(client: ClientState): void {
  client.mailbox = undefined;
  if (client.state === "selected") client.state = "authenticated";
}

/** `QRESYNC (67890007 20050715194045000 41,43:211,214:541 (1,10 5,50))` */
function qresyncParts(qresync: QresyncParameters | undefined): CommandPart[] {
  if (qresync === undefined) return [];
  const { uidValidity, modSeq, knownUids, match } = qresync;
  return [
    atom("QRESYNC"),
    list(
      number(uidValidity),
      number(modSeq),
      ...(knownUids === undefined ? [] : [set(knownUids)]),
      ...(match === undefined ? [] : [list(set(match.sequences), set(match.uids))]),
    ),
  ];
}

/** CLOSE removes messages with \Deleted, UNSELECT (RFC 3691) does not. */
export function leave(client: ClientState, how: "CLOSE" | "UNSELECT"): Command<void> {
  return { ...plain(how), done: () => deselect(client) };
}
