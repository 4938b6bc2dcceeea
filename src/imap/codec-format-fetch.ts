/** FETCH responses as servers send them: RFC 9051 section 7.5.2. */
import { LocalProtocolError } from "../core/errors.js";
import { formatDateTime } from "./codec-date.js";
import { formatBodyStructure, formatEnvelope } from "./codec-format-structure.js";
import { checkedFlag, quote } from "./codec-quoting.js";
import { type OutgoingData, type ResponseWriter, wireNumber } from "./codec-response-writer.js";
import { formatSection } from "./codec-section.js";
import type { BinarySectionData, BodySectionData, FetchAttributes, SectionData } from "./types-message.js";

/** Octets to send, or a section as it was parsed; one that went out as a stream cannot be sent again. */
export type OutgoingSection = OutgoingData | SectionData;

/** What a FETCH response is to say: as {@link FetchAttributes}, with sections that may be streams. */
export type OutgoingAttributes = Omit<
  FetchAttributes,
  "sections" | "binary" | "rfc822" | "rfc822Header" | "rfc822Text" | "other"
> & {
  readonly sections?: readonly (Omit<BodySectionData, "data"> & { readonly data: OutgoingSection })[];
  readonly binary?: readonly (Omit<BinarySectionData, "data"> & { readonly data: OutgoingSection })[];
  readonly rfc822?: OutgoingSection;
  readonly rfc822Header?: OutgoingSection;
  readonly rfc822Text?: OutgoingSection;
};

/** One item of a list: a space before all but the first. */
class Items {
  readonly #w: ResponseWriter;
  #any = false;

  constructor(w: ResponseWriter) {
    this.#w = w;
  }

  /** Begins the item `name` if there is a value. */
  item<T>(name: string, value: T | undefined, write: (value: T) => unknown): void {
    if (value === undefined) return;
    this.#w.text(`${this.#any ? " " : ""}${name} `);
    this.#any = true;
    write(value);
  }
}

/** msg-att: `(UID 5 FLAGS (\Seen))`. Short items come first and sections last, always in the same order. */
export function formatAttributes(w: ResponseWriter, attributes: OutgoingAttributes): void {
  const items = new Items(w);
  w.text("(");
  formatShort(w, items, attributes);
  formatLong(w, items, attributes);
  w.text(")");
}

function formatShort(w: ResponseWriter, items: Items, of: OutgoingAttributes): void {
  const number = (value: number | bigint) => w.text(wireNumber(value));
  const date = (value: Date) => w.text(quote(formatDateTime(value)));
  const id = (value: string) => w.text("(").astring(value).text(")");
  items.item("UID", of.uid, number);
  items.item("FLAGS", of.flags, (flags) => w.list(flags, (flag) => w.text(checkedFlag(flag))));
  items.item("INTERNALDATE", of.internalDate, date);
  items.item("RFC822.SIZE", of.size, number);
  items.item("MODSEQ", of.modSeq, (value) => w.text(`(${wireNumber(value)})`));
  items.item("EMAILID", of.emailId, id);
  items.item("THREADID", of.threadId, (value) => (value === null ? w.text("NIL") : id(value)));
  items.item("SAVEDATE", of.saveDate, (value) => (value === null ? w.text("NIL") : date(value)));
  items.item("X-GM-MSGID", of.gmailMessageId, number);
  items.item("X-GM-THRID", of.gmailThreadId, number);
  items.item("X-GM-LABELS", of.gmailLabels, (labels) => w.list(labels, (label) => formatLabel(w, label)));
}

function formatLabel(w: ResponseWriter, label: string): void {
  if (label.startsWith("\\")) w.text(checkedFlag(label));
  else w.astring(label);
}

function formatLong(w: ResponseWriter, items: Items, of: OutgoingAttributes): void {
  const section = (data: OutgoingSection) => w.data(toSend(data));
  items.item("ENVELOPE", of.envelope, (value) => formatEnvelope(w, value));
  items.item("BODY", of.body, (value) => formatBodyStructure(w, value, false));
  items.item("BODYSTRUCTURE", of.bodyStructure, (value) => formatBodyStructure(w, value, true));
  items.item("PREVIEW", of.preview, (value) => w.nstring(value));
  for (const { part, octets } of of.binarySize ?? [])
    items.item(`BINARY.SIZE${formatSection(whole(part))}`, octets, (value) => w.text(wireNumber(value)));
  items.item("RFC822.HEADER", of.rfc822Header, section);
  items.item("RFC822.TEXT", of.rfc822Text, section);
  items.item("RFC822", of.rfc822, section);
  for (const { section: which, origin, data } of of.sections ?? [])
    items.item(`BODY${formatSection(which)}${formatOrigin(origin)}`, data, section);
  for (const { part, origin, data } of of.binary ?? [])
    items.item(`BINARY${formatSection(whole(part))}${formatOrigin(origin)}`, data, (value) =>
      w.data(toSend(value), true),
    );
}

function whole(part: string) {
  return { part, text: "", fields: [] } as const;
}

function formatOrigin(origin: number | undefined): string {
  return origin === undefined ? "" : `<${wireNumber(origin)}>`;
}

function toSend(data: OutgoingSection): OutgoingData | null {
  if (data === null || data instanceof Uint8Array || "stream" in data) return data;
  throw new LocalProtocolError("these octets went out as a stream and are not here");
}
