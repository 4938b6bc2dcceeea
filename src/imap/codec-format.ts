/** From a typed response to bytes, the inverse of `parseResponse`: what servers send. */
import { LocalProtocolError } from "../core/errors.js";
import { formatAttributes, type OutgoingAttributes } from "./codec-format-fetch.js";
import * as mailboxes from "./codec-format-mailbox.js";
import { formatCodeAndText, formatStatus } from "./codec-format-status.js";
import { checkedAtom, checkedFlag } from "./codec-quoting.js";
import {
  type ResponseOptions,
  type ResponseSegment,
  ResponseWriter,
  wireNumber,
} from "./codec-response-writer.js";
import { formatThreads } from "./codec-search-response.js";
import type { ImapResponse } from "./types-response.js";

/** A response without its `defects`, and a FETCH whose sections may be streams. */
export type OutgoingResponse =
  | DistributiveOmit<Exclude<ImapResponse, { type: "malformed" | "other" | "fetch" }>, "defects">
  | {
      readonly type: "fetch";
      readonly sequence: number | undefined;
      readonly attributes: OutgoingAttributes;
    };

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Of<Type extends OutgoingResponse["type"]> = Extract<OutgoingResponse, { type: Type }>;

/**
 * A response as bytes and streams, its line end included.
 *
 * @example
 * ```ts
 * formatResponse({ type: "exists", count: 5 }); // * 5 EXISTS
 * ```
 *
 * @throws {LocalProtocolError} a text has a CR, LF or NUL, an atom or flag has specials, a number is negative.
 */
export function formatResponse(response: OutgoingResponse, options: ResponseOptions = {}): ResponseSegment[] {
  const w = new ResponseWriter(options);
  if (response.type === "status") formatStatus(w, response);
  else if (response.type === "continuation") formatContinuation(w, response);
  else formatUntagged(w.text("* "), response);
  return w.finish();
}

/** A response as one run of bytes. @throws {LocalProtocolError} it has a stream in it, or see {@link formatResponse}. */
export function formatResponseBytes(response: OutgoingResponse, options: ResponseOptions = {}): Uint8Array {
  const [first, ...more] = formatResponse(response, options).map((segment) => {
    if (segment.type === "bytes") return segment.bytes;
    throw new LocalProtocolError("a response with a stream is no run of bytes");
  });
  return more.length === 0 && first !== undefined
    ? first
    : Buffer.concat([first ?? new Uint8Array(0), ...more]);
}

function formatContinuation(w: ResponseWriter, { code, text }: Of<"continuation">): void {
  formatCodeAndText(w.text("+ "), code, text);
}

type Untagged = Exclude<OutgoingResponse, { type: "status" | "continuation" }>;
type Writers = { readonly [Type in Untagged["type"]]: (w: ResponseWriter, response: Of<Type>) => unknown };

const numbered = (w: ResponseWriter, { type, count }: Of<"exists" | "recent">) =>
  w.text(`${wireNumber(count)} ${type.toUpperCase()}`);
const capabilities = (w: ResponseWriter, { type, capabilities: words }: Of<"capability" | "enabled">) =>
  w.text([type.toUpperCase(), ...words.map((word) => checkedAtom(word))].join(" "));
const found = (w: ResponseWriter, { type, ids, modSeq }: Of<"search" | "sort">) =>
  w
    .text([type.toUpperCase(), ...ids.map(wireNumber)].join(" "))
    .text(modSeq === undefined ? "" : ` (MODSEQ ${wireNumber(modSeq)})`);

const writers: Writers = {
  capability: capabilities,
  enabled: capabilities,
  flags: (w, { flags }) => w.text("FLAGS ").list(flags, (flag) => w.text(checkedFlag(flag))),
  exists: numbered,
  recent: numbered,
  expunge: (w, { sequence }) => w.text(`${wireNumber(sequence)} EXPUNGE`),
  vanished: (w, { earlier, uids }) => w.text(`VANISHED ${earlier ? "(EARLIER) " : ""}${uids}`),
  list: mailboxes.formatList,
  lsub: mailboxes.formatList,
  "mailbox-status": (w, { mailbox, rawMailbox, status }) =>
    mailboxes.formatMailboxStatus(w.text("STATUS ").mailbox(mailbox, rawMailbox).text(" "), status),
  search: found,
  sort: found,
  esearch: mailboxes.formatEsearch,
  thread: (w, { threads }) => w.text(threads.length === 0 ? "THREAD" : `THREAD ${formatThreads(threads)}`),
  fetch: formatFetch,
  namespace: mailboxes.formatNamespace,
  id: mailboxes.formatId,
  quota: mailboxes.formatQuota,
  "quota-root": (w, { mailbox, rawMailbox, roots }) => {
    w.text("QUOTAROOT ").mailbox(mailbox, rawMailbox);
    for (const root of roots) w.text(" ").astring(root);
  },
  acl: mailboxes.formatAcl,
  "list-rights": mailboxes.formatListRights,
  "my-rights": (w, { mailbox, rawMailbox, rights }) =>
    w.text("MYRIGHTS ").mailbox(mailbox, rawMailbox).text(" ").astring(rights),
  metadata: mailboxes.formatMetadata,
};

function formatUntagged(w: ResponseWriter, response: Untagged): void {
  (writers[response.type] as (w: ResponseWriter, response: Untagged) => unknown)(w, response);
}

/** `12 FETCH (…)`, or `UID UIDFETCH (…)` where there is no sequence number (RFC 9586). */
function formatFetch(w: ResponseWriter, { sequence, attributes }: Of<"fetch">): void {
  const { uid, ...others } = attributes;
  if (sequence !== undefined) formatAttributes(w.text(`${wireNumber(sequence)} FETCH `), attributes);
  else if (uid !== undefined) formatAttributes(w.text(`${wireNumber(uid)} UIDFETCH `), others);
  else throw new LocalProtocolError("a FETCH has a sequence number or a UID");
}
