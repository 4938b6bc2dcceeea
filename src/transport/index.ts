/**
 * Connections: what every client and server of this package speaks over, and what a protocol of your own can. A
 * {@link Transport} is a reliable stream of bytes both ways, over Node's sockets, the system's own, TLS, a proxy, or
 * memory. A {@link ByteStream} puts a decoder before one.
 *
 * @example A client
 * import { ByteStream, dial } from "hawser/transport";
 * await using transport = await dial({ host: "localhost", port: 110 });
 * const stream = new ByteStream(transport);
 * const line = await stream.receive((queue, limits) => queue.takeLine(limits.maxLineBytes), { timeoutMs: 5000 });
 * console.log(new TextDecoder().decode(line));
 *
 * @example A server
 * import { nodeProvider } from "hawser/transport";
 * const listener = await nodeProvider.listen({ host: "127.0.0.1", port: 0 }, async (transport) => {
 *   await transport.write(new TextEncoder().encode("hello\r\n"));
 *   await transport.end();
 *   await transport.close();
 * });
 *
 * @module
 */
/// <reference types="node" preserve="true" />

export { ByteQueue } from "../core/byte-queue.js";
export type { OpOptions } from "../core/deadline.js";
export type { Decoder } from "../core/decoder.js";
export { defaultLimits, type Limits } from "../core/limits.js";
export { bsdProvider } from "./bsd.js";
export { ByteStream, type ReceiveOptions } from "./byte-stream.js";
export { type DialOptions, dial } from "./dial.js";
export {
  type MailExchange,
  type ResolvedAddress,
  type Resolver,
  type ResolverOptions,
  systemResolver,
} from "./dns.js";
export { DuplexTransport, type Ends, overTls } from "./duplex.js";
export { type MemoryPairOptions, memoryPair } from "./memory.js";
export { nodeProvider } from "./node.js";
export { ProxyError } from "./proxy/proxy-error.js";
export { readProxyHeader } from "./proxy-header.js";
export type {
  ConnectTarget,
  Endpoint,
  Listener,
  ListenTarget,
  Pem,
  SendableFile,
  SendFileRange,
  TlsClientOptions,
  TlsInfo,
  TlsServerOptions,
  TlsUpgrade,
  Transport,
  TransportProvider,
} from "./types.js";
