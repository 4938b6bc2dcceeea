/** A message's text as people read it, for SEARCH and PREVIEW: RFC 9051 section 6.4.4, RFC 8970. */

import { decodeCharset } from "../mail/headers-words.js";
import { type BodyPart, decodeWords, type MessageStructure, parameterValue } from "../mail/index.js";
import { decodeBody } from "./server-section.js";

const previewChars = 200;
/** Enough for a preview: what stands further back is not looked at. */
const maxPreviewBytes = 16_384;

/** All parts of a message, those of messages in it included. */
export function* partsOf(part: BodyPart): IterableIterator<BodyPart> {
  yield part;
  for (const each of part.parts) yield* partsOf(each);
  if (part.message !== undefined) yield* partsOf(part.message.root);
}

/** The text of a text part, decoded. */
export function textOfPart(
  bytes: Uint8Array,
  part: BodyPart,
  maxBytes: number = Number.POSITIVE_INFINITY,
): string {
  const { start, end } = part.body;
  const body = bytes.subarray(start, Math.min(end, start + maxBytes));
  const charset = parameterValue(part.parameters, "charset") ?? "utf-8";
  return decodeCharset(charset, decodeBody(body, part.encoding) ?? body);
}

/** The header as text, with encoded words decoded. */
export function headerText(bytes: Uint8Array, { start, end }: { start: number; end: number }): string {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
  return decodeWords(raw.replace(/\r?\n(?=[ \t])/g, ""));
}

/** RFC 8970 section 3: the beginning of what there is to read; empty where there is nothing. */
export function previewOf({ root }: MessageStructure, bytes: Uint8Array): string {
  const parts = [...partsOf(root)].filter(({ type, disposition }) => {
    return type === "text" && disposition?.type !== "attachment";
  });
  const part = parts.find(({ subtype }) => subtype === "plain") ?? parts[0];
  if (part === undefined) return "";
  const text = textOfPart(bytes, part, maxPreviewBytes);
  const plain = part.subtype === "html" ? withoutTags(text) : text;
  // By characters: half of a pair would be no text.
  return [...plain.replace(/[\s\p{Cc}]+/gu, " ").trim()].slice(0, previewChars).join("").trim();
}

function withoutTags(html: string): string {
  return html
    .replace(/<(style|script|head)\b[\s\S]*?<\/\1\s*>/gi, " ")
    .replace(/<[^<>]*>/g, " ")
    .replace(/&nbsp;/gi, " ")
    .replace(/&lt;/gi, "<")
    .replace(/&gt;/gi, ">")
    .replace(/&amp;/gi, "&");
}
