/** LIST, STATUS, NAMESPACE, ESEARCH and the extensions' responses as servers send them. */
import { checkedAtom, checkedFlag, checkedTag, quote } from "./codec-quoting.js";
import { type ResponseWriter, wireNumber } from "./codec-response-writer.js";
import type {
  EsearchData,
  ImapResponse,
  ListResponse,
  MailboxStatus,
  MetadataResponse,
  Namespace,
  NamespaceResponse,
} from "./types-response.js";

/** `LIST (\HasNoChildren) "/" name ("CHILDINFO" ("SUBSCRIBED"))` */
export function formatList(w: ResponseWriter, response: Omit<ListResponse, "defects">): void {
  w.text(`${response.type.toUpperCase()} `);
  w.list(response.attributes, (attribute) => w.text(checkedFlag(attribute)));
  w.text(" ").nstring(response.delimiter).text(" ").mailbox(response.mailbox, response.rawMailbox);
  const { childInfo, oldName } = response;
  if (childInfo === undefined && oldName === undefined) return;
  w.text(" (");
  if (childInfo !== undefined)
    w.text('"CHILDINFO" ').list(childInfo, (one) => w.text(quote(checkedAtom(one))));
  if (oldName !== undefined)
    w.text(`${childInfo === undefined ? "" : " "}"OLDNAME" (`)
      .mailbox(oldName)
      .text(")");
  w.text(")");
}

/** `(MESSAGES 5 UIDNEXT 9)` */
export function formatMailboxStatus(w: ResponseWriter, status: MailboxStatus): void {
  const words: string[] = [];
  const add = (name: string, value: number | bigint | undefined): void => {
    if (value !== undefined) words.push(`${name} ${wireNumber(value)}`);
  };
  add("MESSAGES", status.messages);
  add("RECENT", status.recent);
  add("UIDNEXT", status.uidNext);
  add("UIDVALIDITY", status.uidValidity);
  add("UNSEEN", status.unseen);
  add("DELETED", status.deleted);
  add("SIZE", status.size);
  add("DELETED-STORAGE", status.deletedStorage);
  add("HIGHESTMODSEQ", status.highestModSeq);
  if (status.appendLimit === null) words.push("APPENDLIMIT NIL");
  else add("APPENDLIMIT", status.appendLimit);
  if (status.mailboxId !== undefined) words.push(`MAILBOXID (${checkedAtom(status.mailboxId)})`);
  w.text(`(${words.join(" ")})`);
}

/** `NAMESPACE (("" "/")) NIL NIL` */
export function formatNamespace(w: ResponseWriter, response: Omit<NamespaceResponse, "defects">): void {
  w.text("NAMESPACE");
  for (const namespaces of [response.personal, response.otherUsers, response.shared])
    formatNamespaces(w.text(" "), namespaces);
}

function formatNamespaces(w: ResponseWriter, namespaces: readonly Namespace[]): void {
  if (namespaces.length === 0) {
    w.text("NIL");
    return;
  }
  w.text("(");
  for (const { prefix, delimiter } of namespaces)
    w.text("(").prefix(prefix).text(" ").nstring(delimiter).text(")");
  w.text(")");
}

/** `ESEARCH (TAG "a1") UID COUNT 5 ALL 1:5` */
export function formatEsearch(
  w: ResponseWriter,
  { tag, uid, data }: { readonly tag: string | undefined; readonly uid: boolean; readonly data: EsearchData },
): void {
  w.text("ESEARCH");
  if (tag !== undefined) w.text(` (TAG ${quote(checkedTag(tag))})`);
  if (uid) w.text(" UID");
  const words = esearchWords(data);
  if (words.length > 0) w.text(` ${words.join(" ")}`);
}

function esearchWords({ min, max, count, all, partial, modSeq }: EsearchData): string[] {
  const words: string[] = [];
  if (min !== undefined) words.push(`MIN ${wireNumber(min)}`);
  if (max !== undefined) words.push(`MAX ${wireNumber(max)}`);
  if (count !== undefined) words.push(`COUNT ${wireNumber(count)}`);
  // An empty set has no form on the wire: ALL is left out (RFC 9051 section 7.3.4).
  if (all !== undefined && !all.isEmpty) words.push(`ALL ${all}`);
  if (partial !== undefined) words.push(`PARTIAL (${checkedAtom(partial.range)} ${partial.ids ?? "NIL"})`);
  if (modSeq !== undefined) words.push(`MODSEQ ${wireNumber(modSeq)}`);
  return words;
}

/** `METADATA name (entry value)`, or names alone where no entry has a value. */
export function formatMetadata(w: ResponseWriter, response: Omit<MetadataResponse, "defects">): void {
  w.text("METADATA ").mailbox(response.mailbox, response.rawMailbox).text(" ");
  const { entries } = response;
  if (entries.every(({ value }) => value === undefined)) {
    w.spaced(entries, ({ name }) => w.astring(name));
    return;
  }
  w.list(entries, ({ name, value }) =>
    w
      .astring(name)
      .text(" ")
      .data(value ?? null),
  );
}

type Of<Type extends ImapResponse["type"]> = Omit<Extract<ImapResponse, { type: Type }>, "defects">;

/** `QUOTA "" (STORAGE 10 512)` */
export function formatQuota(w: ResponseWriter, { root, resources }: Of<"quota">): void {
  w.text("QUOTA ").astring(root).text(" ");
  w.list(resources, ({ name, usage, limit }) =>
    w.text(`${checkedAtom(name)} ${wireNumber(usage)} ${wireNumber(limit)}`),
  );
}

/** `ID ("name" "hawser")` */
export function formatId(w: ResponseWriter, { fields }: Of<"id">): void {
  w.text("ID ");
  if (fields === null) w.text("NIL");
  else w.list(Object.entries(fields), ([name, value]) => w.string(name).text(" ").nstring(value));
}

/** `ACL name identifier rights …` */
export function formatAcl(w: ResponseWriter, response: Of<"acl">): void {
  w.text("ACL ").mailbox(response.mailbox, response.rawMailbox);
  for (const { identifier, rights } of response.entries)
    w.text(" ").astring(identifier).text(" ").astring(rights);
}

/** `LISTRIGHTS name identifier required optional …` */
export function formatListRights(w: ResponseWriter, response: Of<"list-rights">): void {
  w.text("LISTRIGHTS ").mailbox(response.mailbox, response.rawMailbox).text(" ").astring(response.identifier);
  for (const rights of [response.required, ...response.optional]) w.text(" ").astring(rights);
}
