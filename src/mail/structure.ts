/**
 * The MIME structure of a message over its bytes, with offsets: what IMAP's BODYSTRUCTURE, ENVELOPE and BODY sections are
 * made of (RFC 9051 sections 6.4.5 and 7.5.2; RFC 2045, RFC 2046).
 */
import type { ByteRange, HeaderBlock } from "./headers.js";
import type { Envelope } from "./structure-envelope.js";
import type { Parameter } from "./structure-parameters.js";
import { StructureScanner } from "./structure-scan.js";

export type { ByteRange } from "./headers.js";
export type { Envelope } from "./structure-envelope.js";
export {
  asciiParameter,
  type Parameter,
  type ParameterizedValue,
  parameterValue,
  scanParameters,
} from "./structure-parameters.js";
export { partAt, type SectionText, sectionRange } from "./structure-section.js";

/**
 * A part of a message. Three things hold whatever came in: a `multipart` has at least one part; a `message/rfc822` or
 * `message/global` has its `message`; and every range lies within the body of the part around it.
 */
export interface BodyPart {
  /** In lower case: `text`, `multipart`, `message`, … */
  readonly type: string;
  /** In lower case: `plain`, `mixed`, `rfc822`, … */
  readonly subtype: string;
  readonly parameters: readonly Parameter[];
  /** The `Content-ID` as written, angle brackets included. */
  readonly id?: string | undefined;
  /** The `Content-Description` as written; encoded words stay as they are. */
  readonly description?: string | undefined;
  /** The transfer encoding in lower case; `7bit` where the header has none. */
  readonly encoding: string;
  /** The size of the body as it is transferred, in octets. */
  readonly octets: number;
  /** The body's lines, for `text` and for messages in messages. */
  readonly lines?: number | undefined;
  readonly md5?: string | undefined;
  readonly disposition?: { readonly type: string; readonly parameters: readonly Parameter[] } | undefined;
  readonly language?: readonly string[] | undefined;
  readonly location?: string | undefined;
  /** The part's own header, the empty line included; of the outermost part, the message's header. */
  readonly header: ByteRange;
  readonly body: ByteRange;
  /** The parts of a `multipart`; empty for every other type. */
  readonly parts: readonly BodyPart[];
  /** The message in a `message/rfc822` or `message/global`. */
  readonly message?: { readonly envelope: Envelope; readonly root: BodyPart } | undefined;
}

/** Something that was wrong with a message. */
export interface StructureDefect {
  /** `too-deep` and `too-many-parts`: the message is larger than was read. */
  readonly kind:
    | "header"
    | "address"
    | "content-type"
    | "boundary"
    | "encoding"
    | "too-deep"
    | "too-many-parts";
  /** What was wrong, in words. */
  readonly text: string;
  /** Where the part begins, in bytes from the start of the message. */
  readonly offset: number;
}

/** A message's structure. */
export interface MessageStructure {
  readonly envelope: Envelope;
  /** The header's fields. */
  readonly headers: HeaderBlock;
  readonly root: BodyPart;
  readonly sizeOctets: number;
  /** What was wrong, at most 100 entries; empty for a message that keeps to the rules. */
  readonly defects: readonly StructureDefect[];
}

/** How much of a structure is read; what goes beyond is a part without an inside, and a defect. */
export interface StructureLimits {
  /** How deep parts may stand in parts. Default 32. */
  readonly maxDepth?: number | undefined;
  /** How many parts a message may have. Default 10,000. */
  readonly maxParts?: number | undefined;
  /** How large the header of the message or of one part may be. Default 1 MiB. */
  readonly maxHeaderBytes?: number | undefined;
}

/**
 * Reads the structure of a message in one pass. It never throws: what is malformed gives a structure with `defects`.
 *
 * @example
 * ```ts
 * const structure = scanStructure(messageBytes);
 * const range = sectionRange(structure, [1, 2]); // BODY[1.2]
 * messageBytes.subarray(range?.start, range?.end);
 * ```
 */
export function scanStructure(bytes: Uint8Array, limits: StructureLimits = {}): MessageStructure {
  return new StructureScanner(bytes, limits).scan();
}
