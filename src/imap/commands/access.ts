/** QUOTA and ACL: RFC 9208, RFC 4314. */
import { LocalProtocolError } from "../../core/errors.js";
import type { Command } from "../client-command.js";
import { effectsOf } from "../client-effects.js";
import { astring, atom, list, mailbox, number } from "../codec-parts.js";
import type { AclEntry, QuotaResource } from "../types-response.js";
import { gathering, mapped, plain, signOf } from "./command.js";
import type { MailboxName } from "./mailboxes.js";

/** A quota root and its resources. */
export interface Quota {
  readonly root: string;
  readonly resources: readonly QuotaResource[];
}

export function getQuota(root: string): Command<Quota> {
  const command = gathering("quota", "GETQUOTA", [astring(root)]);
  return mapped(command, (found) => ({ root, resources: found.flatMap(({ resources }) => resources) }));
}

/** SETQUOTA: the resources that are not named have no limit afterwards. */
export function setQuota(root: string, limits: Readonly<Record<string, number | bigint>>): Command<Quota> {
  const words = Object.entries(limits).flatMap(([name, limit]) => [atom(name), number(limit)]);
  const command = gathering("quota", "SETQUOTA", [astring(root), list(...words)]);
  return mapped(command, (found) => ({ root, resources: found.flatMap(({ resources }) => resources) }));
}

/** The quota roots of a mailbox, each with its resources. */
export function getQuotaRoot(name: MailboxName): Command<Quota[]> {
  const roots: Map<string, Quota> = new Map();
  return {
    name: "GETQUOTAROOT",
    parts: [atom("GETQUOTAROOT"), mailbox(name)],
    effects: effectsOf("GETQUOTAROOT"),
    take: (response) => {
      if (response.type === "quota")
        roots.set(response.root, { root: response.root, resources: response.resources });
      else if (response.type === "quota-root") {
        for (const root of response.roots) if (!roots.has(root)) roots.set(root, { root, resources: [] });
      } else return false;
      return true;
    },
    done: () => [...roots.values()],
  };
}

export function getAcl(name: MailboxName): Command<readonly AclEntry[]> {
  return mapped(gathering("acl", "GETACL", [mailbox(name)]), (found) =>
    found.flatMap(({ entries }) => entries),
  );
}

export function setAcl(
  name: MailboxName,
  identifier: string,
  rights: string,
  mode: "add" | "remove" | "replace",
): Command<void> {
  if (!/^[a-z0-9]*$/.test(rights)) throw new LocalProtocolError("rights are lower-case letters and digits");
  return plain("SETACL", mailbox(name), astring(identifier), astring(`${signOf(mode)}${rights}`));
}

export function deleteAcl(name: MailboxName, identifier: string): Command<void> {
  return plain("DELETEACL", mailbox(name), astring(identifier));
}

/** Which rights an identifier can be given: always, or in groups that go together. */
export interface RightsChoice {
  readonly required: string;
  readonly optional: readonly string[];
}

export function listRights(name: MailboxName, identifier: string): Command<RightsChoice> {
  const command = gathering("list-rights", "LISTRIGHTS", [mailbox(name), astring(identifier)]);
  return mapped(command, (found) => ({
    required: found[0]?.required ?? "",
    optional: found[0]?.optional ?? [],
  }));
}

export function myRights(name: MailboxName): Command<string> {
  return mapped(gathering("my-rights", "MYRIGHTS", [mailbox(name)]), (found) => found[0]?.rights ?? "");
}
