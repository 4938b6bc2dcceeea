/**
 * IMAP4, client and server: IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051) with IDLE (2177), NAMESPACE (2342), ID (2971),
 * UIDPLUS (4315), UNSELECT (3691), MOVE (6851), CONDSTORE and QRESYNC (7162), ESEARCH (4731), SEARCHRES (5182), SORT and
 * THREAD (5256), ESORT (5267), WITHIN (5032), PARTIAL (9394), LITERAL+ and LITERAL- (7888), BINARY (3516), COMPRESS=DEFLATE
 * (4978), SPECIAL-USE (6154), LIST-EXTENDED (5258), LIST-STATUS (5819), STATUS=SIZE (8438), APPENDLIMIT (7889), MULTIAPPEND
 * (3502), REPLACE (8508), QUOTA (9208), ACL (4314), METADATA (5464), OBJECTID (8474), SAVEDATE (8514), PREVIEW (8970),
 * UIDONLY (9586), NOTIFY (5465), UNAUTHENTICATE (8437), SASL-IR (4959), UTF8=ACCEPT (6855) and X-GM-EXT-1.
 *
 * @example A client
 * ```ts
 * await using client = await ImapClient.connect({ host: "imap.example.org", auth: { user: "me", password: "secret" } });
 * await using inbox = await client.select("INBOX");
 * for await (const { uid, envelope } of inbox.fetch("1:*", ["ENVELOPE"])) console.log(uid, envelope.subject);
 * ```
 *
 * @example A server
 * ```ts
 * const store = MemoryMailStore.of({ "you@example.test": [{ content: "Subject: Hi\r\n\r\nHello\r\n" }] });
 * const accounts = Accounts.of({ "you@example.test": "secret" });
 * await using server = await ImapServer.listen({ port: 0, store, accounts });
 * ```
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export type { ListenOptions } from "../engine/acceptor.js";
export type { Body, GatherOptions } from "../engine/body.js";
export type { Fault as ServerFault } from "../engine/faults.js";
export type { ListeningServer, ServerOptions, ServerTls } from "../engine/server.js";
export { ImapClient, type ImapClientOptions } from "./client.js";
export type { AppendMessageOptions, AppendOptions } from "./client-append.js";
export type { DeflateOptions } from "./client-compress.js";
export type { MailboxEvent } from "./client-events.js";
export type { FetchStream } from "./client-fetch.js";
export type {
  BinarySizeItem,
  DataOf,
  FetchedMessage,
  FetchItemName,
  FetchOptions,
  SectionItem,
} from "./client-fetch-types.js";
export type { IdleOptions } from "./client-idle.js";
export { Mailbox, type MessageOptions } from "./client-mailbox.js";
export type {
  ReturnOption,
  SearchOptions,
  SearchResult,
  SortKey,
  SortName,
  SortOptions,
  SortResult,
  ThreadOptions,
} from "./client-search.js";
export type { SearchDay, SearchQuery } from "./client-search-query.js";
export type { MessageSet } from "./client-set.js";
export type { ImapState } from "./client-state.js";
export type { SelectOptions } from "./client-tasks.js";
export * from "./codec.js";
export type { Quota, RightsChoice } from "./commands/access.js";
export type { IdFields } from "./commands/any-state.js";
export type { Appended } from "./commands/append.js";
export type { ListEntry, ListOptions } from "./commands/list.js";
export type { MailboxName, Namespaces, StatusItem } from "./commands/mailboxes.js";
export type { Copied, Expunged, Stored, StoreMode, StoreOptions } from "./commands/messages.js";
export type { GetMetadataOptions, Metadata } from "./commands/metadata.js";
export type { NotifyEvent, NotifyRequest } from "./commands/notify.js";
export type { RawResult } from "./commands/raw.js";
export type { ChangedMessage, Resync } from "./commands/select.js";
export { ByeError, ImapError, type ImapRefusal } from "./errors.js";
export { storeHandler } from "./memory.js";
export { ImapServer, type ImapServerOptions } from "./server.js";
export type * from "./types.js";
export type {
  ImapHandler,
  ImapMail,
  ImapSession,
  ImapState as ImapSessionState,
  ImapStore,
} from "./types-server.js";
