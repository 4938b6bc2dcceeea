/** Reading messages whole: text, HTML, attachments. postal-mime does it, and is loaded when the first one is read. */
import { HawserError, LimitError, RemoteProtocolError } from "../core/errors.js";
import { scanStructure } from "./structure.js";

/** A mailbox with its name decoded. */
export interface ParsedMailbox {
  /** `""` for none. */
  readonly name: string;
  readonly address: string;
}

/** A group of mailboxes. */
export interface ParsedGroup {
  readonly name: string;
  readonly group: readonly ParsedMailbox[];
}

/** A member of an address field. */
export type ParsedAddress = ParsedMailbox | ParsedGroup;

/** A file that came with a message. */
export interface ParsedAttachment {
  /** Decoded. As the sender gave it: it may hold `../` and anything else. */
  readonly filename?: string | undefined;
  /** In lower case. */
  readonly contentType: string;
  readonly disposition?: string | undefined;
  /** The Content-ID without its angle brackets. */
  readonly cid?: string | undefined;
  /** Whether HTML shows it: it stands in a `multipart/related` and has a Content-ID. */
  readonly related: boolean;
  /** The decoded bytes. */
  readonly content: Uint8Array;
}

/** A message, decoded. */
export interface ParsedMessage {
  /** Every field in order: the name in lower case, the value unfolded, encoded words as they are. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly subject?: string | undefined;
  readonly from?: ParsedAddress | undefined;
  readonly sender?: ParsedAddress | undefined;
  readonly to: readonly ParsedAddress[];
  readonly cc: readonly ParsedAddress[];
  readonly bcc: readonly ParsedAddress[];
  readonly replyTo: readonly ParsedAddress[];
  /** `undefined` where there is none or it cannot be read; the field is in `headers`. */
  readonly date?: Date | undefined;
  readonly messageId?: string | undefined;
  readonly inReplyTo?: string | undefined;
  /** The identifiers of `References`, each with its angle brackets. */
  readonly references: readonly string[];
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  readonly attachments: readonly ParsedAttachment[];
}

/** How much is read before `parseMessage` refuses. */
export interface ParseLimits {
  /** The whole message. Default 50 MiB. */
  readonly maxBytes?: number | undefined;
  /** How many parts. Default 1,000. */
  readonly maxParts?: number | undefined;
  /** How deep parts stand in parts. Default 32. */
  readonly maxDepth?: number | undefined;
  /** All headers together, those of parts included. Default 1 MiB. */
  readonly maxHeaderBytes?: number | undefined;
}

/** Where a message to be read comes from. */
export type MessageSource = string | Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

const defaults = { maxBytes: 52_428_800, maxParts: 1000, maxDepth: 32, maxHeaderBytes: 1_048_576 };

/**
 * Reads a message whole. Malformed messages give what can be read of them.
 *
 * @throws {LimitError} the message is beyond a limit.
 * @example
 * ```ts
 * const message = await parseMessage(bytes);
 * message.subject; // "Grüße"
 * message.attachments[0]?.filename;
 * ```
 */
export async function parseMessage(source: MessageSource, limits: ParseLimits = {}): Promise<ParsedMessage> {
  const allowed = {
    ...defaults,
    ...Object.fromEntries(Object.entries(limits).filter(([, max]) => max !== undefined)),
  };
  const bytes = await bytesOf(source, allowed.maxBytes);
  checkParts(bytes, allowed);
  const { default: PostalMime } = await import("postal-mime");
  const email = await PostalMime.parse(bytes, {
    maxNestingDepth: allowed.maxDepth,
    maxHeadersSize: allowed.maxHeaderBytes,
    maxRfc822NestingDepth: Math.min(allowed.maxDepth, 10),
  }).catch((error: unknown) => refuse(error, allowed));
  return messageOf(email);
}

/** Counted before anything is built of them. */
function checkParts(bytes: Uint8Array, { maxParts, maxDepth }: typeof defaults): void {
  for (const { kind } of scanStructure(bytes, { maxParts, maxDepth }).defects) {
    if (kind === "too-many-parts") throw new LimitError("the list of a message's parts", maxParts);
    if (kind === "too-deep") throw new LimitError("the nesting of a message's parts", maxDepth);
  }
}

function refuse(error: unknown, { maxDepth, maxHeaderBytes }: typeof defaults): never {
  if (error instanceof HawserError) throw error;
  const text = error instanceof Error ? error.message : "";
  if (text.startsWith("Maximum header size")) throw new LimitError("a message's header", maxHeaderBytes);
  if (text.startsWith("Maximum MIME nesting"))
    throw new LimitError("the nesting of a message's parts", maxDepth);
  throw new RemoteProtocolError("a message cannot be read", { cause: error, rfc: "RFC 2045" });
}

async function bytesOf(source: MessageSource, maxBytes: number): Promise<Uint8Array> {
  const bytes = typeof source === "string" ? Buffer.from(source, "utf8") : source;
  if (!(bytes instanceof Uint8Array)) return await gather(bytes as AsyncIterable<Uint8Array>, maxBytes);
  if (bytes.length > maxBytes) throw new LimitError("a message", maxBytes);
  return bytes;
}

async function gather(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > maxBytes) throw new LimitError("a message", maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What is used of postal-mime's result. */
interface Email {
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly from?: PostalAddress | undefined;
  readonly sender?: PostalAddress | undefined;
  readonly to?: readonly PostalAddress[] | undefined;
  readonly cc?: readonly PostalAddress[] | undefined;
  readonly bcc?: readonly PostalAddress[] | undefined;
  readonly replyTo?: readonly PostalAddress[] | undefined;
  readonly subject?: string | undefined;
  readonly date?: string | undefined;
  readonly messageId?: string | undefined;
  readonly inReplyTo?: string | undefined;
  readonly references?: string | undefined;
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  readonly attachments: readonly PostalAttachment[];
}

type PostalAddress =
  | { readonly name: string; readonly address: string; readonly group?: undefined }
  | {
      readonly name: string;
      readonly address?: undefined;
      readonly group: readonly { readonly name: string; readonly address: string }[];
    };

interface PostalAttachment {
  readonly filename: string | null;
  readonly mimeType: string;
  readonly disposition: string | null;
  readonly related?: boolean | undefined;
  readonly contentId?: string | undefined;
  readonly content: ArrayBuffer | Uint8Array | string;
}

function messageOf(email: Email): ParsedMessage {
  const { subject, messageId, inReplyTo, text, html } = email;
  return {
    headers: email.headers.map(({ key, value }) => ({ name: key, value })),
    ...{ subject, messageId, inReplyTo, text, html, date: dateOf(email.date) },
    ...{ from: one(email.from), sender: one(email.sender) },
    ...{ to: many(email.to), cc: many(email.cc), bcc: many(email.bcc), replyTo: many(email.replyTo) },
    references: email.references?.match(/<[^<>\s]+>/g) ?? [],
    attachments: email.attachments.map(attachmentOf),
  };
}

function one(address: PostalAddress | undefined): ParsedAddress | undefined {
  if (address === undefined) return undefined;
  const { name } = address;
  if (address.group === undefined) return { name, address: address.address };
  return { name, group: address.group.map((member) => ({ name: member.name, address: member.address })) };
}

function many(addresses: readonly PostalAddress[] | undefined): readonly ParsedAddress[] {
  return (addresses ?? []).map(one).filter((address) => address !== undefined);
}

function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function attachmentOf(attachment: PostalAttachment): ParsedAttachment {
  const { content, contentId } = attachment;
  return {
    ...(attachment.filename === null ? {} : { filename: attachment.filename }),
    contentType: attachment.mimeType,
    ...(attachment.disposition === null ? {} : { disposition: attachment.disposition }),
    ...(contentId === undefined ? {} : { cid: contentId.trim().replace(/^<|>$/g, "") }),
    related: attachment.related ?? false,
    content: typeof content === "string" ? Buffer.from(content, "utf8") : viewOf(content),
  };
}

function viewOf(content: ArrayBuffer | Uint8Array): Uint8Array {
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}
