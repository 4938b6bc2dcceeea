/** What is offered, and to whom: CAPABILITY, ENABLE, ID, NAMESPACE (RFC 9051 sections 6.1.1, 6.3.1, 6.3.10, RFC 2971). */
import { hierarchyDelimiter } from "../mail/store.js";
import { serverMechanisms } from "../sasl/index.js";
import { bad } from "./server-refusal.js";
import type { Enableable, Session } from "./server-session.js";
import type { CommandArguments } from "./types-command.js";

/** The words of a capability, or none where it is not offered. */
type Offer = (session: Session) => readonly string[];

const yes =
  (...words: readonly string[]): Offer =>
  () =>
    words;

function when(holds: (session: Session) => boolean, ...words: readonly string[]): Offer {
  return (session) => (holds(session) ? words : []);
}

/** In every state. */
const always: readonly Offer[] = [yes("IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE")];

/** Before the login. */
const early: readonly Offer[] = [
  when(offersStartTls, "STARTTLS"),
  when((session) => !takesPasswords(session), "LOGINDISABLED"),
  ({ settings, link }) => serverMechanisms(settings.accounts, link).map((name) => `AUTH=${name}`),
];

/** After it. What needs a method of the store is there with the method. */
const late: readonly Offer[] = [
  yes("NAMESPACE", "CHILDREN", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CREATE-SPECIAL-USE"),
  yes("IDLE", "NOTIFY", "UIDPLUS", "UNSELECT", "CONDSTORE", "ESEARCH", "SEARCHRES", "WITHIN", "PARTIAL"),
  yes("SORT", "SORT=DISPLAY", "ESORT", "THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "BINARY"),
  yes("MULTIAPPEND", "REPLACE", "STATUS=SIZE", "OBJECTID", "SAVEDATE", "PREVIEW", "UIDONLY"),
  yes("UTF8=ACCEPT", "UNAUTHENTICATE", "MOVE"),
  when(({ store }) => store.vanished !== undefined, "QRESYNC"),
  when(({ store }) => store.metadata !== undefined && store.setMetadata !== undefined, "METADATA"),
  when(hasQuota, "QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX"),
  when((session) => hasQuota(session) && session.settings.allowSetQuota, "QUOTASET"),
  (session) => [`APPENDLIMIT=${session.maxMessageBytes}`],
  when(({ connection }) => !connection.compressed, "COMPRESS=DEFLATE"),
];

/** RFC 3501 section 6.2.1: before the login, and while the connection is in the clear. */
export function offersStartTls({ settings, connection, hasMail }: Session): boolean {
  return settings.tls !== undefined && connection.transport.tls === undefined && !hasMail;
}

/** Whether LOGIN serves on this connection. */
export function takesPasswords({ settings, link }: Session): boolean {
  return settings.accounts.verify !== undefined && (link.encrypted || link.allowClearText === true);
}

function hasQuota({ store }: Session): boolean {
  return store.quota !== undefined;
}

/** What is offered to this client now. */
export function capabilitiesOf(session: Session): readonly string[] {
  const offers = [...always, ...(session.hasMail ? late : early)];
  const { hide } = session.settings;
  return offers
    .flatMap((offer) => offer(session))
    .filter((word) => !hide.has(word.toUpperCase()) && !hide.has(word.split("=")[0]?.toUpperCase() ?? ""));
}

/** Whether a capability is offered now, by its name or by what stands before its `=`. */
export function offers(session: Session, capability: string): boolean {
  return capabilitiesOf(session).some((word) => word === capability || word.startsWith(`${capability}=`));
}

export async function capability(session: Session): Promise<void> {
  session.respond({ type: "capability", capabilities: capabilitiesOf(session) });
}

const enableable: ReadonlyMap<string, Enableable> = new Map(
  (["CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4REV2", "UIDONLY"] as const).map((name) => [name, name]),
);

/** RFC 5161 section 3.1: what is not known is passed over, and what was enabled before is not named. */
export async function enable(session: Session, { capabilities }: CommandArguments["ENABLE"]): Promise<void> {
  const offered = new Set(capabilitiesOf(session).map((word) => word.toUpperCase()));
  const names = capabilities.map((name) => enableable.get(name.toUpperCase()));
  const fresh = names.filter((name) => name !== undefined && offered.has(name) && !session.enabled.has(name));
  for (const name of fresh) if (name !== undefined) await enableOne(session, name);
  session.respond({ type: "enabled", capabilities: fresh.map((name) => asWritten(name ?? "")) });
}

function asWritten(name: string): string {
  return name === "IMAP4REV2" ? "IMAP4rev2" : name;
}

async function enableOne(session: Session, name: Enableable): Promise<void> {
  // RFC 7162 section 3.2.3: who enables QRESYNC has enabled CONDSTORE.
  if (name === "QRESYNC" || name === "CONDSTORE") await enableCondStore(session);
  session.enabled.add(name);
}

/** RFC 7162 section 3.1.2: a client that enables it with a mailbox selected is told the mod-sequence. */
export async function enableCondStore(session: Session): Promise<void> {
  if (session.condStore) return;
  session.enabled.add("CONDSTORE");
  if (session.mailbox === undefined || session.mailbox.deleted) return;
  const { highestModSeq } = await session.store.status(session.mailbox.mailboxId);
  session.status("OK", "this far", { name: "HIGHESTMODSEQ", modSeq: highestModSeq });
}

const maxIdFields = 30;

/** RFC 2971 section 3.3 allows 30 fields. */
export async function id(session: Session, { fields }: CommandArguments["ID"]): Promise<void> {
  if (fields !== null && Object.keys(fields).length > maxIdFields) throw bad("too many fields");
  session.respond({ type: "id", fields: { name: "hawser", ...session.settings.id } });
}

export async function namespace(session: Session): Promise<void> {
  const personal = [{ prefix: "", delimiter: hierarchyDelimiter }];
  session.respond({ type: "namespace", personal, otherUsers: [], shared: [] });
}
