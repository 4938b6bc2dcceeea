/** QUOTA: RFC 9208. Each user has one quota root, the one without a name. */
import type { QuotaLimits, QuotaResource } from "../mail/store.js";
import { no } from "./server-refusal.js";
import type { Session } from "./server-session.js";
import type { CommandArguments } from "./types-command.js";
import type { QuotaResource as Resource } from "./types-response.js";

const octetsInUnit = 1024;

export async function getQuota(session: Session, { root }: CommandArguments["GETQUOTA"]): Promise<void> {
  checkRoot(root);
  await tellQuota(session);
}

export async function getQuotaRoot(
  session: Session,
  { mailbox }: CommandArguments["GETQUOTAROOT"],
): Promise<void> {
  await session.existing(mailbox);
  session.respond({ type: "quota-root", mailbox, roots: [""] });
  await tellQuota(session);
}

export async function setQuota(
  session: Session,
  { root, limits }: CommandArguments["SETQUOTA"],
): Promise<void> {
  if (!session.settings.allowSetQuota || session.store.setQuota === undefined)
    throw no("quotas are not set by users", "NOPERM");
  checkRoot(root);
  let wanted: QuotaLimits = {};
  for (const { name, limit } of limits) wanted = { ...wanted, ...limitOf(name, limit) };
  await session.store.setQuota(session.user, wanted);
  await tellQuota(session);
}

function limitOf(name: string, limit: bigint): QuotaLimits {
  const value = Number(limit);
  if (name === "STORAGE") return { storageOctets: value * octetsInUnit };
  if (name === "MESSAGE") return { messages: value };
  if (name === "MAILBOX") return { mailboxes: value };
  throw no("there is no such resource", "CANNOT");
}

function checkRoot(root: string): void {
  if (root !== "") throw no("there is no such quota root", "NONEXISTENT");
}

/** What has no limit is not named. */
async function tellQuota(session: Session): Promise<void> {
  const quota = await session.store.quota?.(session.user);
  if (quota === undefined) return;
  const resources = [
    ...resource("STORAGE", quota.storageOctets, octetsInUnit),
    ...resource("MESSAGE", quota.messages),
    ...resource("MAILBOX", quota.mailboxes),
  ];
  session.respond({ type: "quota", root: "", resources });
}

function resource(name: string, { used, limit }: QuotaResource, unit = 1): Resource[] {
  if (limit === undefined) return [];
  return [{ name, usage: BigInt(Math.ceil(used / unit)), limit: BigInt(Math.floor(limit / unit)) }];
}
