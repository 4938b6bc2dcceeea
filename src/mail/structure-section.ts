/** Sections: which bytes `BODY[1.2.MIME]` stands for. RFC 9051 section 6.4.5. */
import type { ByteRange } from "./headers.js";
import type { BodyPart, MessageStructure } from "./structure.js";

/** What of a part is meant: the header or the text of the message in it, or the part's own header. */
export type SectionText = "HEADER" | "TEXT" | "MIME";

/**
 * The part that a section's numbers name, or `undefined` where there is none. `[]` is the message itself, and part 1 of
 * what is no multipart is its body.
 */
export function partAt(structure: MessageStructure, numbers: readonly number[]): BodyPart | undefined {
  let part: BodyPart | undefined = structure.root;
  let outermost = true;
  for (const number of numbers) {
    if (part === undefined) return undefined;
    part = childAt(part, number, outermost);
    outermost = false;
  }
  return part;
}

function childAt(part: BodyPart, number: number, outermost: boolean): BodyPart | undefined {
  if (part.type === "multipart") return part.parts[number - 1];
  if (outermost) return number === 1 ? part : undefined;
  return part.message === undefined ? undefined : childAt(part.message.root, number, true);
}

/**
 * The bytes of a section, as a range of the message: `undefined` where the section does not exist. Without a `text` it is
 * the body of the part, or for `[]` the whole message.
 */
export function sectionRange(
  structure: MessageStructure,
  numbers: readonly number[],
  text?: SectionText,
): ByteRange | undefined {
  if (numbers.length === 0) return wholeRange(structure, text);
  const part = partAt(structure, numbers);
  if (part === undefined) return undefined;
  if (text === undefined) return part.body;
  if (text === "MIME") return part.header;
  const inner = part.message?.root;
  return text === "HEADER" ? inner?.header : inner?.body;
}

function wholeRange({ root, sizeOctets }: MessageStructure, text?: SectionText): ByteRange | undefined {
  if (text === undefined) return { start: 0, end: sizeOctets };
  if (text === "MIME") return undefined;
  return text === "HEADER" ? root.header : root.body;
}
