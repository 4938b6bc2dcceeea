/** IMAP between bytes and typed data, in both directions. No I/O: RFC 9051, RFC 3501 and their extensions. */

export * from "./codec-command.js";
export { type CommandFramer, commandFramer } from "./codec-command-framer.js";
export * from "./codec-command-parser.js";
export type { ImapDate } from "./codec-date.js";
export { formatDate, formatDateTime, parseDate, parseDateTime } from "./codec-date.js";
export { type FetchLiteral, parseFetchLiteral } from "./codec-fetch.js";
export { fetchItemsPart, formatPartialRange } from "./codec-fetch-items.js";
export * from "./codec-format.js";
export type { OutgoingAttributes, OutgoingSection } from "./codec-format-fetch.js";
export {
  type Frame,
  type FrameEvent,
  type FrameLiteral,
  type FramerOptions,
  imapLimits,
  type LiteralEvent,
  type ResponseFramer,
  responseFramer,
} from "./codec-framer.js";
export type { CommandPart, LiteralSource } from "./codec-parts.js";
export * as part from "./codec-parts.js";
export * from "./codec-response.js";
export type { OutgoingData, ResponseOptions, ResponseSegment } from "./codec-response-writer.js";
export { searchKeyParts, searchReturnParts, sortCriteriaPart } from "./codec-search.js";
export { formatSection, wholeMessage } from "./codec-section.js";
export { type NumberRange, SequenceSet, star, UidSet } from "./codec-sequence-set.js";
export type { ParseOptions } from "./codec-tokens.js";
export { decodeUtf7, encodeUtf7 } from "./codec-utf7.js";
