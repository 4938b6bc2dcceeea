/**
 * Level 1: the operating system's sockets. Any family, type, protocol, option, flag and ancillary datum; each waiting
 * call as a promise with `{ signal, timeoutMs }`, and as a `…Sync` twin that blocks as C does.
 *
 * @example A client
 * import { socket } from "hawser/socket";
 * using s = socket();
 * await s.connect(["localhost", 12345]);
 * console.log(new TextDecoder().decode(await s.recv(1024)));
 *
 * @example A server
 * import { createServer } from "hawser/socket";
 * using listener = await createServer(["localhost", 12345]);
 * for await (const [conn, address] of listener) {
 *   console.log("Got connection from", address);
 *   await conn.sendall(new TextEncoder().encode("Thank you for connecting"));
 *   conn.close();
 * }
 *
 * @module
 */
/// <reference types="node" preserve="true" />

export type { RecvManyOptions, SendManyOptions } from "./batching.js";
export * from "./constants.js";
export {
  type ConnectionAttempt,
  type ConnectionOptions,
  createConnection,
  createConnectionSync,
} from "./create-connection.js";
export { createServer, createServerSync, hasDualStack, type ServerOptions } from "./create-server.js";
export {
  fdsOf,
  listenFds,
  type ReceivedFds,
  recvFds,
  recvFdsSync,
  sendFds,
  sendFdsSync,
} from "./descriptors.js";
export type { BinaryFileMode, FileOptions, TextFileMode, TextFileOptions } from "./files/format.js";
export type { Newline } from "./files/input.js";
export { type BytesFor, type CountOf, SocketFile } from "./files/socket-file.js";
export type { GroupOptions, Interface } from "./ip-options.js";
export * from "./names/index.js";
export { cmsgLen as CMSG_LEN, cmsgSpace as CMSG_SPACE } from "./native/message.js";
export type { PeerCredentials } from "./options.js";
export {
  type ExtendedError,
  extendedError,
  type PacketControl,
  type PacketInfo,
  packetControl,
  packetInfo,
} from "./packet-info.js";
export { socketPair } from "./pair.js";
export type { FileLike, SendFileOptions } from "./sending.js";
export { Socket, socket } from "./socket.js";
export type { TcpInfo } from "./tcp-info.js";
export type { KeepAlive } from "./tcp-options.js";
export type * from "./types.js";
