/** Making messages. nodemailer's composer does it, and is loaded when the first message is made. */
import { Readable } from "node:stream";
import { LocalProtocolError } from "../core/errors.js";
import { type Address, formatAddressList, formatAddrSpec, mailboxesOf } from "./addresses.js";
import {
  addressesOf,
  checkField,
  checkId,
  checkListUrl,
  checkMediaType,
  checkText,
  checkToken,
} from "./compose-check.js";
import { type DkimSignerOptions, dkimSigners } from "./compose-dkim.js";
import type {
  AlternativeInput,
  AttachmentInput,
  CalendarInput,
  ComposedEnvelope,
  ComposedMessage,
  ComposedStream,
  ComposeOptions,
  ContentSource,
  ListFields,
} from "./compose-types.js";
import { toCrLf } from "./crlf.js";
import { decodeWords } from "./headers-words.js";

/** What is used of nodemailer's tree: its own types would reach into every user's build. */
interface MimeTree {
  getEnvelope(): { readonly from: string | false; readonly to: readonly string[] };
  setEnvelope(envelope: { from: unknown; to: unknown }): MimeTree;
  messageId(): string;
  createReadStream(): Readable;
}

/**
 * Makes a message: text, HTML, attachments, inline images, headers in any script. Files and URLs are never opened.
 *
 * @throws {LocalProtocolError} an option holds CR, LF, NUL or what its place in a header may not hold.
 * @example
 * ```ts
 * const message = await compose({
 *   from: "Ähnlich <a@example.test>",
 *   to: ["b@example.test"],
 *   subject: "Grüße",
 *   text: "Hello.",
 *   attachments: [{ filename: "ü.txt", content: "text" }],
 * });
 * await client.send(message.envelope, message.bytes);
 * ```
 */
export async function compose(options: ComposeOptions): Promise<ComposedMessage> {
  const { content, ...envelope } = await composeStream(options);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return { ...envelope, bytes: Buffer.concat(chunks) };
}

/**
 * The same, made while it is read: large attachments need not fit into memory (with a DKIM signature they must).
 *
 * @throws {LocalProtocolError} as `compose`; reading rejects with the error of a source that fails.
 */
export async function composeStream(options: ComposeOptions): Promise<ComposedStream> {
  const signers = dkimSigners(options.dkim);
  const mail = mailOf(options);
  const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
  const tree = new MailComposer(mail as object).compile() as MimeTree;
  const envelope = envelopeOf(tree, options);
  return { ...envelope, content: signed(toCrLf(tree.createReadStream()), signers) };
}

async function* signed(
  content: AsyncIterable<Uint8Array>,
  signers: readonly DkimSignerOptions[],
): AsyncGenerator<Uint8Array, void, void> {
  let message = content;
  for (const signer of signers) message = await sign(message, signer);
  yield* message;
}

/** Puts a signature before a message. The signer leaves it out where it fails, which must not pass for success. */
async function sign(
  message: AsyncIterable<Uint8Array>,
  signer: DkimSignerOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { default: Dkim } = await import("nodemailer/lib/dkim");
  const output = new Dkim({ ...signer }).sign(Readable.from(message, { objectMode: false }));
  return checkSigned(output);
}

async function* checkSigned(output: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let checked = false;
  for await (const chunk of output) {
    if (!checked && !Buffer.from(chunk).toString("latin1", 0, 15).startsWith("DKIM-Signature:"))
      throw new LocalProtocolError("the message could not be signed");
    checked = true;
    yield chunk;
  }
}

/** What nodemailer gets: objects that are made here, so that nothing of the caller's is read as a path or URL. */
function mailOf(options: ComposeOptions): Readonly<Record<string, unknown>> {
  const from = addressesOf(options.from, "from");
  if (mailboxesOf(from).length === 0) throw new LocalProtocolError("a message has an author: from is empty");
  return {
    ...{ disableFileAccess: true, disableUrlAccess: true },
    ...headerOf(options, from),
    text: textPart(options.text),
    html: textPart(options.html),
    alternatives: (options.alternatives ?? []).map(alternativePart),
    attachments: (options.attachments ?? []).map(attachmentPart),
    icalEvent: options.icalEvent === undefined ? undefined : calendarPart(options.icalEvent),
  };
}

function headerOf(options: ComposeOptions, from: readonly Address[]): Readonly<Record<string, unknown>> {
  const references =
    typeof options.references === "string" ? [options.references] : (options.references ?? []);
  return {
    from: from.map(addressObject),
    sender: addressesOf(options.sender, "sender").map(addressObject)[0],
    to: recipients(options.to, "to"),
    cc: recipients(options.cc, "cc"),
    bcc: recipients(options.bcc, "bcc"),
    replyTo: recipients(options.replyTo, "replyTo"),
    subject: checkText(options.subject, "the subject"),
    inReplyTo: options.inReplyTo === undefined ? undefined : checkId(options.inReplyTo, "inReplyTo"),
    references: references.flatMap(idsOf).map((id) => checkId(id, "references")),
    messageId: options.messageId === undefined ? undefined : checkId(options.messageId, "messageId"),
    date: checkDate(options.date),
    headers: [
      ...customFields(options),
      ...listFields(options.list ?? {}),
      ...priorityFields(options.priority),
    ],
  };
}

function recipients(input: ComposeOptions["to"], what: string): readonly unknown[] | undefined {
  const addresses = addressesOf(input, what);
  return addresses.length === 0 ? undefined : addresses.map(addressObject);
}

/** nodemailer takes a mailbox as an object; a group it takes as text. */
function addressObject(address: Address): unknown {
  if (address.kind === "group") return formatAddressList([address]);
  return { name: decodeWords(address.name), address: formatAddrSpec(address) };
}

/** Several identifiers may stand in one text, with white space between them. */
function idsOf(text: string): readonly string[] {
  checkText(text, "references");
  return text.split(/[ \t]+/).filter((id) => id !== "");
}

function checkDate(date: Date | undefined): Date {
  const when = date ?? new Date();
  if (Number.isNaN(when.getTime())) throw new LocalProtocolError("the date is not a date");
  return when;
}

interface Field {
  readonly key: string;
  readonly value: string | { readonly prepared: true; readonly foldLines: true; readonly value: string };
}

function customFields({ headers }: ComposeOptions): readonly Field[] {
  return Object.entries(headers ?? {}).flatMap(([key, value]) =>
    (typeof value === "string" ? [value] : value).map((one) => ({ key, value: checkField(key, one) })),
  );
}

function listFields(list: ListFields): readonly Field[] {
  const { id, oneClick, ...urls } = list;
  const fields = listNames.flatMap((name) => {
    const value = urls[name] ?? [];
    const each = typeof value === "string" ? [value] : value;
    return each.length === 0
      ? []
      : [field(`List-${name}`, each.map((url) => `<${checkListUrl(url)}>`).join(", "))];
  });
  if (id !== undefined) fields.push(field("List-Id", `<${checkToken(id, "the list's id")}>`));
  if (oneClick === true) fields.push(field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
  return fields;
}

const listNames = ["help", "unsubscribe", "subscribe", "post", "owner", "archive"] as const;

function priorityFields(priority: ComposeOptions["priority"]): readonly Field[] {
  if (priority === "high") return [field("X-Priority", "1 (Highest)"), field("Importance", "High")];
  if (priority === "low") return [field("X-Priority", "5 (Lowest)"), field("Importance", "Low")];
  return [];
}

function field(key: string, value: string): Field {
  return { key, value: { prepared: true, foldLines: true, value } };
}

function textPart(source: ContentSource | undefined): unknown {
  return source === undefined || source === "" ? undefined : { content: contentOf(source) };
}

function alternativePart({ content, contentType }: AlternativeInput): unknown {
  return {
    content: contentOf(content),
    contentType: checkMediaType(contentType, "an alternative's contentType"),
  };
}

function attachmentPart(attachment: AttachmentInput): unknown {
  const { content, filename, contentType, cid, disposition } = attachment;
  return {
    content: typeof content === "string" ? Buffer.from(content, "utf8") : contentOf(content),
    ...defined("filename", checkText(filename, "a filename")),
    ...defined("contentType", checkMediaType(contentType, "an attachment's contentType")),
    ...defined("cid", cid === undefined ? undefined : checkId(cid, "a cid")),
    ...defined(
      "contentDisposition",
      disposition === undefined ? undefined : checkToken(disposition, "a disposition"),
    ),
  };
}

function calendarPart({ content, method, filename }: CalendarInput): unknown {
  return {
    // Copied, since nodemailer marks the object.
    content: typeof content === "string" ? content : Buffer.from(content),
    ...defined("method", method === undefined ? undefined : checkToken(method, "a method")),
    ...defined("filename", checkText(filename, "a filename")),
  };
}

function defined(key: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [key]: value };
}

/** Wrapped, so that a file stream's `path` is not taken for a file to open. */
function contentOf(source: ContentSource): string | Buffer | Readable {
  if (typeof source === "string") return source;
  if (source instanceof Uint8Array) return Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  return Readable.from(source as AsyncIterable<Uint8Array>, { objectMode: false });
}

function envelopeOf(tree: MimeTree, { envelope }: ComposeOptions): ComposedEnvelope {
  const header = tree.getEnvelope();
  const messageId = tree.messageId();
  if (envelope?.from !== undefined || envelope?.to !== undefined) {
    const from = envelope.from ?? (header.from || "");
    const to = envelope.to ?? header.to;
    tree.setEnvelope({
      from: mailboxesOf(addressesOf(from, "envelope.from")).map(addressObject),
      to: to.flatMap((each) => mailboxesOf(addressesOf(each, "envelope.to"))).map(addressObject),
    });
  }
  const { from, to } = tree.getEnvelope();
  const addresses = [from || "", ...to];
  return {
    ...{ envelope: { from: from || "", to: [...to] }, messageId },
    smtpUtf8: addresses.some((address) => /[\u0080-\uffff]/.test(address)),
  };
}
