/**
 * hawser/mail: messages and where they are kept. A store with users, mailboxes, flags and change events that the SMTP, POP3
 * and IMAP servers share; making and reading messages; their MIME structure with offsets; addresses and header fields.
 * RFC 5322 and 6532 (messages, addresses), RFC 2045 to 2049, 2183 and 2231 (MIME), RFC 6376 (DKIM), RFC 9051 (what a
 * store keeps for IMAP), with RFC 4315, 5464, 6154, 6851, 7162, 8474, 8514 and 9208.
 *
 * Importing this loads no message library: they come with the first message that is made or read.
 *
 * @example
 * ```ts
 * import { compose, MemoryMailStore, parseMessage } from "hawser/mail";
 *
 * const store = MemoryMailStore.of({ "alice@example.test": [] });
 * const { bytes } = await compose({
 *   from: "bob@example.test",
 *   to: "alice@example.test",
 *   subject: "Grüße",
 *   text: "Hello.",
 * });
 * await store.deliver("alice@example.test", { content: bytes });
 * const received = await store.inbox("alice@example.test").next({ timeoutMs: 1000 });
 * (await parseMessage(received.bytes)).subject; // "Grüße"
 * ```
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export {
  type Address,
  type AddressGroup,
  type AddressScan,
  formatAddressList,
  formatAddrSpec,
  type MailAddress,
  mailboxesOf,
  parseAddressList,
  parseMailAddress,
  scanAddressList,
} from "./addresses.js";
export { compose, composeStream } from "./compose.js";
export type {
  AddressInput,
  AlternativeInput,
  AttachmentInput,
  CalendarInput,
  ComposedEnvelope,
  ComposedMessage,
  ComposedStream,
  ComposeOptions,
  ContentSource,
  DkimOptions,
  ListFields,
} from "./compose-types.js";
export {
  type ByteRange,
  HeaderBlock,
  type HeaderField,
  type HeaderLimits,
  type HeaderScanOptions,
  scanHeaders,
} from "./headers.js";
export { formatHeaderField } from "./headers-format.js";
export { type CharsetDecoder, type DecodeWordsOptions, decodeWords, encodeWords } from "./headers-words.js";
export { Inbox, type ReceivedMessage } from "./inbox.js";
export { MemoryMailStore, type MemoryMailStoreOptions, type SeedMessage } from "./memory-store.js";
export {
  type MessageSource,
  type ParsedAddress,
  type ParsedAttachment,
  type ParsedGroup,
  type ParsedMailbox,
  type ParsedMessage,
  type ParseLimits,
  parseMessage,
} from "./parse.js";
export {
  type AppendOptions,
  type AppendResult,
  type ChangeOptions,
  type CopyResult,
  canonicalFlag,
  canonicalMailboxName,
  type DeliveredAs,
  type Delivery,
  defaultMailStoreLimits,
  hasFlag,
  hierarchyDelimiter,
  type MailboxInfo,
  type MailboxStatus,
  type MailChange,
  type MailStore,
  MailStoreError,
  type MailStoreLimits,
  type MailStoreReason,
  type MessageContent,
  type MessageInfo,
  type NewMessage,
  normalizeRanges,
  type Quota,
  type QuotaLimits,
  type QuotaResource,
  type SmtpEnvelope,
  type StoreFlagsResult,
  systemFlags,
  type UidRange,
} from "./store.js";
export {
  asciiParameter,
  type BodyPart,
  type Envelope,
  type MessageStructure,
  type Parameter,
  type ParameterizedValue,
  parameterValue,
  partAt,
  type SectionText,
  type StructureDefect,
  type StructureLimits,
  scanParameters,
  scanStructure,
  sectionRange,
} from "./structure.js";
export { formatTraceHeaders, type TraceHeaderOptions } from "./trace-headers.js";
export { type Overrun, type WatchOptions, watch } from "./watch.js";
