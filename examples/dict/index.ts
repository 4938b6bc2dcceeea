/**
 * DICT (RFC 2229), client and server: the worked example of docs/adding-a-protocol.md. DEFINE, MATCH, SHOW DB, SHOW STRAT,
 * CLIENT, STATUS, HELP and QUIT; not OPTION MIME, AUTH and SASLAUTH.
 *
 * @module
 */
export { DictClient, type DictClientOptions, DictError } from "./client.js";
export { replyDecoder } from "./codec.js";
export { type MemoryDictionary, memoryHandler } from "./memory.js";
export { DictServer, type DictServerOptions } from "./server.js";
export type { DictDefinition, DictHandler, DictMatch, DictName, DictReply } from "./types.js";
