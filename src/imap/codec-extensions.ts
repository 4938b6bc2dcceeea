/** ID, QUOTA, ACL, METADATA: RFC 2971, RFC 9208, RFC 4314, RFC 5464. */
import { mailbox } from "./codec-mailbox-name.js";
import type { TokenReader } from "./codec-tokens.js";
import type { ImapResponse, MetadataResponse, QuotaResource } from "./types-response.js";

const open = 0x28;

/** id-response: NIL or pairs. */
export function idResponse(r: TokenReader): ImapResponse {
  r.sp();
  return { type: "id", fields: idFields(r), defects: r.defects };
}

/** id-params-list, which the ID command has as well. */
export function idFields(r: TokenReader): Readonly<Record<string, string | null>> | null {
  if (r.nil()) return null;
  const words = r.list(() => r.nstring());
  const fields: Record<string, string | null> = {};
  for (let at = 0; at + 1 < words.length; at += 2) {
    const name = words[at] ?? "";
    if (name !== "__proto__") fields[name] = words[at + 1] ?? null;
  }
  return fields;
}

/** quota-response: root, resources. */
export function quotaResponse(r: TokenReader): ImapResponse {
  r.sp();
  const root = r.astring();
  r.sp();
  return { type: "quota", root, resources: r.list(() => quotaResource(r)), defects: r.defects };
}

function quotaResource(r: TokenReader): QuotaResource {
  const name = r.atom().toUpperCase();
  r.sp();
  const usage = r.number64();
  r.sp();
  return { name, usage, limit: r.number64() };
}

/** quotaroot-response: a mailbox and its quota roots. */
export function quotaRootResponse(r: TokenReader): ImapResponse {
  r.sp();
  const name = mailbox(r);
  return { type: "quota-root", ...name, roots: r.rest(() => r.astring()), defects: r.defects };
}

/** acl-data: mailbox, pairs of an identifier and its rights. */
export function aclResponse(r: TokenReader): ImapResponse {
  r.sp();
  const name = mailbox(r);
  const entries = r.rest(() => {
    const identifier = r.astring();
    r.sp();
    return { identifier, rights: r.astring() };
  });
  return { type: "acl", ...name, entries, defects: r.defects };
}

/** listrights-data: mailbox, identifier, the rights always granted, and those that may be, tied ones together. */
export function listRightsResponse(r: TokenReader): ImapResponse {
  r.sp();
  const name = mailbox(r);
  r.sp();
  const identifier = r.astring();
  const [required = "", ...optional] = r.rest(() => r.astring());
  return { type: "list-rights", ...name, identifier, required, optional, defects: r.defects };
}

/** myrights-data: a mailbox and the rights that one has. */
export function myRightsResponse(r: TokenReader): ImapResponse {
  r.sp();
  const name = mailbox(r);
  r.sp();
  return { type: "my-rights", ...name, rights: r.astring(), defects: r.defects };
}

/** metadata-resp: `(entry value …)`, or the bare names of entries that have changed. */
export function metadataResponse(r: TokenReader): ImapResponse {
  r.sp();
  const name = mailbox(r);
  r.sp();
  const entries = r.byte === open ? r.list(() => metadataEntry(r)) : r.rest(() => changedEntry(r));
  return { type: "metadata", ...name, entries, defects: r.defects };
}

type Entry = MetadataResponse["entries"][number];

function metadataEntry(r: TokenReader): Entry {
  const name = r.astring();
  r.sp();
  const value = r.nstringData();
  return { name, value: value === null || value instanceof Uint8Array ? value : undefined };
}

function changedEntry(r: TokenReader): Entry {
  return { name: r.astring(), value: undefined };
}
