/** What FETCH gives, typed by the items that were asked for. */
import type { Body } from "../engine/body.js";
import type { PartialRange, PlainFetchItem } from "./types-command.js";
import type { BodyStructure, Envelope } from "./types-message.js";

/** Octets of a message: `BODY.PEEK[]`, `BODY.PEEK[1.2]<0.1024>`, `BODY[HEADER.FIELDS (DATE FROM)]`, `BINARY.PEEK[2]`. */
export type SectionItem = `${"BODY" | "BODY.PEEK" | "BINARY" | "BINARY.PEEK"}[${string}]${string}`;

/** How large a part is once decoded: `BINARY.SIZE[2]`. */
export type BinarySizeItem = `BINARY.SIZE[${string}]`;

/** Anything that FETCH can be asked for: RFC 9051 section 6.4.5, RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970. */
export type FetchItemName = PlainFetchItem | "PREVIEW" | "PREVIEW (LAZY)" | SectionItem | BinarySizeItem;

interface PlainResults<Data> {
  readonly FLAGS: { readonly flags: readonly string[] };
  readonly UID: object;
  readonly INTERNALDATE: { readonly internalDate: Date };
  readonly "RFC822.SIZE": { readonly size: number };
  readonly ENVELOPE: { readonly envelope: Envelope };
  readonly BODY: { readonly body: BodyStructure };
  readonly BODYSTRUCTURE: { readonly bodyStructure: BodyStructure };
  readonly MODSEQ: { readonly modSeq: bigint };
  readonly RFC822: { readonly rfc822: Data };
  readonly "RFC822.HEADER": { readonly rfc822Header: Data };
  readonly "RFC822.TEXT": { readonly rfc822Text: Data };
  readonly EMAILID: { readonly emailId: string };
  readonly THREADID: { readonly threadId: string | null };
  readonly SAVEDATE: { readonly saveDate: Date | null };
  readonly PREVIEW: { readonly preview: string | null };
  readonly "PREVIEW (LAZY)": { readonly preview: string | null };
  readonly "X-GM-MSGID": { readonly gmailMessageId: bigint };
  readonly "X-GM-THRID": { readonly gmailThreadId: bigint };
  readonly "X-GM-LABELS": { readonly gmailLabels: readonly string[] };
}

type ResultOf<Item, Data> = Item extends keyof PlainResults<Data>
  ? PlainResults<Data>[Item]
  : Item extends BinarySizeItem
    ? { readonly binarySizes: Readonly<Record<Item, number>> }
    : Item extends SectionItem
      ? { readonly sections: Readonly<Record<Item, Data>> }
      : never;

type Both<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** One message of a FETCH: its numbers, and what was asked for. */
export type FetchedMessage<Item extends FetchItemName, Data = Uint8Array | null> = {
  /** Its sequence number; undefined where the server knows UIDs alone (RFC 9586). */
  readonly sequence: number | undefined;
  readonly uid: number;
  /** What was wrong in the server's answer and has been got over. Empty nearly always. */
  readonly defects: readonly string[];
} & Both<ResultOf<Item, Data>>;

/** How a FETCH is done. */
export interface FetchOptions {
  /** The set holds UIDs. Default: true, but for a `SequenceSet`. */
  readonly uid?: boolean | undefined;
  /** Only messages that have changed since: RFC 7162 section 3.1.4.1. */
  readonly changedSince?: bigint | undefined;
  /** With `changedSince`: tells of messages that are gone, too (QRESYNC). They stand in `vanished` of the result. */
  readonly vanished?: boolean | undefined;
  /** Only the first or last so many of the set: `{ first: -1, last: -100 }` (RFC 9394). */
  readonly partial?: PartialRange | undefined;
  /** `"bytes"`: sections are held, each up to `maxBytes`. `"stream"`: sections are {@link Body}s. Default: bytes. */
  readonly as?: "bytes" | "stream" | undefined;
  /** The most that one section may have where it is held, in bytes. Default 32 MiB. */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** What sections are, by the `as` of the options. */
export type DataOf<Options> = Options extends { readonly as: "stream" } ? Body : Uint8Array | null;
