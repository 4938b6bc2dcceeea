/** METADATA: RFC 5464. The mailbox `""` is the server. */

import type { Done } from "./server-auth.js";
import { no } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { CommandArguments } from "./types-command.js";

async function mailboxIdOf(session: Session, mailbox: string): Promise<string | undefined> {
  return mailbox === "" ? undefined : (await session.existing(mailbox)).mailboxId;
}

export async function getMetadata(
  session: Session,
  { mailbox, entries, maxSize, depth }: CommandArguments["GETMETADATA"],
): Promise<Done> {
  const mailboxId = await mailboxIdOf(session, mailbox);
  const all = (await session.store.metadata?.(session.user, mailboxId)) ?? new Map<string, Uint8Array>();
  const wanted = entries.map((entry) => entry.toLowerCase());
  const found = [...all].filter(([name]) => wanted.some((entry) => isWithin(name, entry, depth)));
  const fitting = found.filter(([, value]) => value.length <= (maxSize ?? Number.POSITIVE_INFINITY));
  const missing = depth === "0" ? wanted.filter((entry) => !all.has(entry)) : [];
  const told = [
    ...fitting.map(([name, value]) => ({ name, value })),
    ...missing.map((name) => ({ name, value: null })),
  ];
  if (told.length > 0) session.respond({ type: "metadata", mailbox, entries: told });
  const longest = Math.max(0, ...found.map(([, value]) => value.length));
  if (fitting.length === found.length) return {};
  return { code: { name: "METADATA", detail: "LONGENTRIES", value: longest } };
}

/** RFC 5464 section 4.2.2: the entry itself, those one level below it, or all. */
function isWithin(name: string, entry: string, depth: "0" | "1" | "infinity"): boolean {
  if (name === entry) return true;
  if (depth === "0" || !name.startsWith(`${entry}/`)) return false;
  return depth === "infinity" || !name.slice(entry.length + 1).includes("/");
}

export async function setMetadata(
  session: Session,
  { mailbox, entries }: CommandArguments["SETMETADATA"],
): Promise<void> {
  const mailboxId = await mailboxIdOf(session, mailbox);
  const max = session.store.limits.maxMetadataOctets;
  if (entries.some(({ value }) => (value?.length ?? 0) > max))
    throw no("an annotation is too large", { name: "METADATA", detail: "MAXSIZE", value: max });
  if (!entries.every(({ name }) => /^\/(?:private|shared)\//i.test(name)))
    throw no("an entry begins with /private/ or /shared/", "CANNOT");
  for (const { name, value } of entries)
    await session.store.setMetadata?.(session.user, mailboxId, name, value ?? undefined, { origin: session });
}
