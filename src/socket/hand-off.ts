/**
 * Level 1 to Node: the descriptor changes hands, and from there on works at Node's native speed. Each of these is
 * refused with a {@link LocalProtocolError} while operations are pending, and for sockets that Node cannot drive.
 */

import type { Socket as DatagramSocket } from "node:dgram";
import { createRequire } from "node:module";
import type { Socket as NodeSocket, Server } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { DeadlineError, HawserError, LocalProtocolError } from "../core/errors.js";
import { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM } from "./constants.js";
import { checkTimeout } from "./handle.js";
import { forgetAbort, watchAbort } from "./native/aborts.js";
import { native } from "./native/index.js";
import { checkObject, checkSignal } from "./sockaddr.js";
import type { Socket } from "./socket.js";
import type { Family, WaitOptions } from "./types.js";

/** Node makes 1 ms of a longer one. */
const longestTimerMs = 0x7fffffff;

// Loaded on first use: most programs of level 1 never need Node's own network modules.
const require = createRequire(import.meta.url);
const net = () => require("node:net") as typeof import("node:net");
const dgram = () => require("node:dgram") as typeof import("node:dgram");
const tls = () => require("node:tls") as typeof import("node:tls");

export function toNodeSocket<F extends Family>(
  socket: Socket<F>,
  options: { readonly allowHalfOpen?: boolean } = {},
): NodeSocket {
  const { allowHalfOpen = false } = checkObject(options, "options");
  checkStream(socket, "toNodeSocket");
  if (socket.listening) throw new LocalProtocolError("toNodeSocket: this socket listens; use toNodeServer()");
  socket.getpeername();
  const fd = socket.detach();
  try {
    return new (net().Socket)({ fd, readable: true, writable: true, allowHalfOpen });
  } catch (cause) {
    throw turnedDown(fd, cause);
  }
}

export async function toNodeServer<F extends Family>(socket: Socket<F>): Promise<Server> {
  checkStream(socket, "toNodeServer");
  if (!socket.listening) throw new LocalProtocolError("toNodeServer: call listen() first");
  const fd = socket.detach();
  const server = net().createServer();
  try {
    return await started(server, "listening", () => server.listen({ fd }));
  } catch (cause) {
    throw turnedDown(fd, cause);
  }
}

export async function toDgram<F extends Family>(socket: Socket<F>): Promise<DatagramSocket> {
  if (socket.type !== SOCK_DGRAM || !isInet(socket.family)) {
    throw new LocalProtocolError("toDgram: Node drives UDP over IPv4 and IPv6 alone");
  }
  socket.getsockname();
  const fd = socket.detach();
  const datagrams = dgram().createSocket(socket.family === AF_INET6 ? "udp6" : "udp4");
  try {
    return await started(datagrams, "listening", () => datagrams.bind({ fd }));
  } catch (cause) {
    datagrams.close();
    throw turnedDown(fd, cause);
  }
}

/** Closes a descriptor that Node does not take. EEXIST: it has it already, under another object, which goes on with it. */
function turnedDown(fd: number, cause: unknown): LocalProtocolError {
  if ((cause as { code?: string }).code !== "EEXIST") native().close(fd);
  return refused(cause);
}

export async function toTls<F extends Family>(
  socket: Socket<F>,
  allOptions: ConnectionOptions & WaitOptions,
): Promise<TLSSocket> {
  const { signal, timeoutMs = socket.timeoutMs, ...options } = checkObject(allOptions, "options");
  if (signal !== undefined) checkSignal(signal);
  signal?.throwIfAborted();
  checkTimeout(timeoutMs);
  const secure = connectTls(socket, options);
  const timer =
    timeoutMs === null
      ? undefined
      : setTimeout(() => secure.destroy(deadline(timeoutMs)), Math.min(timeoutMs, longestTimerMs));
  const abort = { handleEvent: () => secure.destroy(signal?.reason) };
  watchAbort(signal, abort);
  try {
    return await started(secure, "secureConnect", () => {});
  } finally {
    clearTimeout(timer);
    forgetAbort(signal, abort);
  }
}

/** Node checks the options when it makes the context: before the socket is given away. */
function connectTls<F extends Family>(socket: Socket<F>, options: ConnectionOptions): TLSSocket {
  let handed: NodeSocket | undefined;
  try {
    const secureContext = options.secureContext ?? tls().createSecureContext(options);
    handed = toNodeSocket(socket);
    return tls().connect({ ...options, secureContext, socket: handed });
  } catch (cause) {
    handed?.destroy();
    throw cause instanceof HawserError ? cause : refused(cause);
  }
}

function refused(cause: unknown): LocalProtocolError {
  return new LocalProtocolError(`Node refuses it: ${(cause as Error).message}`, { cause });
}

function deadline(timeoutMs: number): DeadlineError {
  return new DeadlineError("TLS handshake", timeoutMs);
}

interface Startable {
  once(event: string, listener: (error: Error) => void): unknown;
  off(event: string, listener: (error: Error) => void): unknown;
}

/** Resolves with `emitter` on `event`, rejects on its first error or early close. */
function started<T extends Startable>(emitter: T, event: string, start: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const closed = () => failed(new Error("the connection was closed before it was ready"));
    const ready = () => {
      clear();
      resolve(emitter);
    };
    const failed = (error: Error) => {
      clear();
      reject(error);
    };
    const clear = () => {
      emitter.off(event, ready);
      emitter.off("error", failed);
      emitter.off("close", closed);
    };
    emitter.once(event, ready);
    emitter.once("error", failed);
    emitter.once("close", closed);
    start();
  });
}

function checkStream<F extends Family>(socket: Socket<F>, what: string): void {
  if (socket.type === SOCK_STREAM && (isInet(socket.family) || socket.family === AF_UNIX)) return;
  throw new LocalProtocolError(`${what}: Node drives TCP and Unix streams alone`);
}

function isInet(family: number): boolean {
  return family === AF_INET || family === AF_INET6;
}
