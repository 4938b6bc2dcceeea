/**
 * SMTP and LMTP, client and server.
 *
 * RFC 5321 with PIPELINING (2920), 8BITMIME (6152), SMTPUTF8 (6531), SIZE (1870), CHUNKING and BINARYMIME (3030), DSN
 * (3461), ENHANCEDSTATUSCODES (2034), STARTTLS (3207), REQUIRETLS (8689), FUTURERELEASE (4865), DELIVERBY (2852),
 * MT-PRIORITY (6710), LIMITS (9422), AUTH (4954), XCLIENT; LMTP is RFC 2033.
 *
 * @example A client
 * ```ts
 * await using client = await SmtpClient.connect({ host: "mail.example", auth: { user, password } });
 * await client.send({ from: "me@example.org", to: "you@example.org" }, "Subject: Hi\r\n\r\nHello\r\n");
 * ```
 *
 * @example A server
 * ```ts
 * const store = MemoryMailStore.of({ "you@example.test": [] });
 * await using server = await SmtpServer.listen({ port: 0, store, domains: ["example.test"] });
 * console.log(server.port);
 * ```
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export type { ListenOptions } from "../engine/acceptor.js";
export type { Fault as ServerFault } from "../engine/faults.js";
export type { ListeningServer, ServerOptions, ServerTls } from "../engine/server.js";
export { SmtpClient, type SmtpClientOptions } from "./client.js";
export type { SendOptions } from "./client-delivery.js";
export { parseEhlo } from "./codec-ehlo.js";
export { formatReply, replyDecoder } from "./codec-reply.js";
export type { Message } from "./content.js";
export { type DeliverOptions, type DomainResult, deliver } from "./deliver.js";
export { SmtpError, type SmtpErrorFacts } from "./errors.js";
export { type CollectedMessage, Collector, storeHandler } from "./memory.js";
export { SmtpPool, type SmtpPoolOptions } from "./pool.js";
export { SmtpServer, type SmtpServerOptions } from "./server.js";
export type {
  DsnNotify,
  FutureReleaseLimits,
  MailOptions,
  PathCommand,
  SendResult,
  SmtpCommand,
  SmtpEnvelope,
  SmtpExtensions,
  SmtpLimits,
  SmtpRecipient,
  SmtpReply,
} from "./types.js";
export type {
  Awaitable,
  SmtpAnswer,
  SmtpContent,
  SmtpHandler,
  SmtpHonours,
  SmtpMail,
  SmtpMessage,
  SmtpPeer,
  SmtpSession,
  SmtpTransaction,
} from "./types-server.js";
