/**
 * POP3, client and server: RFC 1939, with CAPA, PIPELINING, RESP-CODES, EXPIRE, LOGIN-DELAY and IMPLEMENTATION
 * (RFC 2449), STLS (RFC 2595), AUTH-RESP-CODE (RFC 3206), AUTH (RFC 5034), UTF8 and LANG (RFC 6856).
 *
 * @example A client
 * ```ts
 * await using client = await Pop3Client.connect({ host: "mail.example", auth: { user: "alice", password } });
 * const { count } = await client.stat();
 * const numbers = Array.from({ length: count }, (_, index) => index + 1);
 * for await (const { number, body } of client.retrMany(numbers)) save(number, await body.bytes());
 * await client.deleMany(numbers); // removed by the QUIT that `await using` ends with
 * ```
 *
 * @example A server
 * ```ts
 * await using server = await Pop3Server.listen({ port: 0, store, accounts, tls: { cert, key } });
 * server.address; // { host: "127.0.0.1", port: 34567 }
 * ```
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export type { ListenOptions } from "../engine/acceptor.js";
export type { Body, GatherOptions } from "../engine/body.js";
export type { Fault as ServerFault } from "../engine/faults.js";
export type { ListeningServer, ServerOptions, ServerTls } from "../engine/server.js";
export { Pop3Client, type Pop3ClientOptions, type Pop3DeleResult } from "./client.js";
export type { Pop3Retrieved } from "./client-messages.js";
export { formatReply, parseCommand, parseReply, replyDecoder } from "./codec.js";
export { apopTimestamp } from "./codec-apop.js";
export { formatCapabilities, parseCapabilities } from "./codec-capa.js";
export { Pop3Error } from "./errors.js";
export { storeHandler } from "./memory.js";
export { Pop3Server } from "./server.js";
export type { Pop3ServerOptions } from "./server-options.js";
export type {
  Pop3Capabilities,
  Pop3Command,
  Pop3Handler,
  Pop3Language,
  Pop3Listing,
  Pop3Reply,
  Pop3ResponseCode,
  Pop3Session,
  Pop3Stat,
  Pop3State,
  Pop3UniqueId,
} from "./types.js";
