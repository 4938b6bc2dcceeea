/** The octets of sections: BODY[…], RFC822 and BINARY[…] (RFC 9051 sections 6.4.5, 6.4.5.1). */

import {
  type MessageContent,
  type MessageStructure,
  partAt,
  scanHeaders,
  sectionRange,
} from "../mail/index.js";
import type { OutgoingData } from "./codec-response-writer.js";
import { decodeQuotedPrintable } from "./server-decode.js";
import { no } from "./server-refusal.js";
import { structureOf } from "./server-structure.js";
import type { PartialOctets } from "./types-command.js";
import type { Section } from "./types-message.js";

/** A message of this size is sent in pieces; a smaller one is at hand. */
const streamedOctets = 262_144;

/** One message, whose structure is read when a section asks for it. */
export class Message {
  readonly #content: MessageContent;
  #structure: ReturnType<typeof structureOf> | undefined;
  /** The message as sections show it, and parts without their encoding: made once, however many items ask. */
  #shown: Uint8Array | undefined;
  readonly #decoded: Map<string, Uint8Array | null> = new Map();

  constructor(content: MessageContent) {
    this.#content = content;
  }

  get content(): MessageContent {
    return this.#content;
  }

  structure(): ReturnType<typeof structureOf> {
    this.#structure ??= structureOf(this.#content);
    return this.#structure;
  }

  /** The octets of a section; null where there is no such part. */
  async section(section: Section, partial?: PartialOctets): Promise<OutgoingData | null> {
    const { part, text, fields } = section;
    if (part === "" && text === "") return await this.#whole(partial);
    const { structure, bytes } = await this.structure();
    this.#shown ??= withoutNul(bytes);
    const numbers = part === "" ? [] : part.split(".").map(Number);
    if (text === "HEADER.FIELDS" || text === "HEADER.FIELDS.NOT") {
      const header = sectionRange(structure, numbers, "HEADER");
      if (header === undefined) return null;
      const not = text === "HEADER.FIELDS.NOT";
      return cut(pickFields(this.#shown, header, fields, not), partial);
    }
    const range = sectionRange(structure, numbers, text === "" ? undefined : text);
    return range === undefined ? null : cut(this.#shown.subarray(range.start, range.end), partial);
  }

  async #whole(partial: PartialOctets | undefined): Promise<OutgoingData> {
    const { sizeOctets } = this.#content;
    const start = Math.min(partial?.offset ?? 0, sizeOctets);
    const end = Math.min(start + (partial?.octets ?? sizeOctets), sizeOctets);
    if (end - start <= streamedOctets) return withoutNul(await this.#content.bytes(start, end));
    return { octets: end - start, stream: withoutNuls(this.#content.stream(start, end)) };
  }

  /** A part with its transfer encoding taken off. @throws {Refusal} the encoding is not known. */
  async binary(part: string, partial?: PartialOctets): Promise<Uint8Array | null> {
    const { structure, bytes } = await this.structure();
    if (part === "") return cut(bytes, partial);
    const known = this.#decoded.get(part);
    const decoded = known === undefined ? decodedPart(structure, bytes, part.split(".").map(Number)) : known;
    this.#decoded.set(part, decoded);
    return decoded === null ? null : cut(decoded, partial);
  }
}

/** RFC 3516 section 4.3: a multipart has no encoding of its own. */
function decodedPart(
  structure: MessageStructure,
  bytes: Uint8Array,
  numbers: readonly number[],
): Uint8Array | null {
  const part = partAt(structure, numbers);
  if (part === undefined) return null;
  const decoded = decodeBody(bytes.subarray(part.body.start, part.body.end), part.encoding);
  if (decoded === undefined) throw no("the transfer encoding is not known", "UNKNOWN-CTE");
  return decoded;
}

/** A body without its transfer encoding; undefined where that is not known. */
export function decodeBody(body: Uint8Array, encoding: string): Uint8Array | undefined {
  switch (encoding) {
    case "7bit":
    case "8bit":
    case "binary":
      return body;
    case "base64":
      return Buffer.from(Buffer.from(body.buffer, body.byteOffset, body.length).toString("latin1"), "base64");
    case "quoted-printable":
      return decodeQuotedPrintable(body);
    default:
      return undefined;
  }
}

/** The fields that were asked for, and the empty line that ends a header. */
function pickFields(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  fields: readonly string[],
  not: boolean,
): Uint8Array {
  const picked = scanHeaders(bytes, { start, end }).pick(fields, { not });
  return Buffer.concat([...picked.map((range) => bytes.subarray(range.start, range.end)), crlf]);
}

const crlf: Uint8Array = Uint8Array.of(0x0d, 0x0a);

function cut(bytes: Uint8Array, partial: PartialOctets | undefined): Uint8Array {
  return partial === undefined ? bytes : bytes.subarray(partial.offset, partial.offset + partial.octets);
}

/** A literal holds no NUL (RFC 9051 section 4.3): it goes out as 0x80, so that nothing moves. */
function withoutNul(bytes: Uint8Array): Uint8Array {
  const first = bytes.indexOf(0);
  if (first < 0) return bytes;
  const copy = Uint8Array.prototype.slice.call(bytes);
  for (let at = first; at >= 0; at = copy.indexOf(0, at + 1)) copy[at] = 0x80;
  return copy;
}

async function* withoutNuls(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield withoutNul(chunk);
}
