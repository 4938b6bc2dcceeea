/** Descriptors that travel: between processes over a Unix socket (SCM_RIGHTS), and from the service manager. */
import { LocalProtocolError } from "../core/errors.js";
import { ancillaryItems } from "./ancillary.js";
import { SCM_RIGHTS, SOL_SOCKET } from "./constants.js";
import { checkCount } from "./handle.js";
import { cmsgLen } from "./native/message.js";
import { show } from "./sockaddr.js";
import { Socket } from "./socket.js";
import type { AfUnix, AncillaryItem, How } from "./types.js";

/** The kernel takes no more descriptors than this in one message (SCM_MAX_FD). */
const maxFds = 253;

/** The first descriptor that a service manager passes. */
const listenFdsStart = 3;

/** What {@link recvFds} returns. The descriptors are close-on-exec, and the caller's to close or to adopt. */
export interface ReceivedFds {
  readonly data: Uint8Array;
  readonly fds: number[];
  readonly flags: number;
}

/**
 * Sends `buffers` (at least one byte, or the descriptors do not travel on a stream) with copies of `fds`, at most 253,
 * over a Unix socket. Returns how many bytes went.
 *
 * @example await sendFds(s, new Uint8Array(1), [file.fd])
 */
export function sendFds(
  socket: Socket<AfUnix>,
  buffers: Uint8Array | Iterable<Uint8Array>,
  fds: readonly number[],
  how: How = 0,
): Promise<number> {
  try {
    checkSocket(socket);
    return socket.sendmsg(buffers, [rights(fds)], null, how);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** {@link sendFds}, blocking. */
export function sendFdsSync(
  socket: Socket<AfUnix>,
  buffers: Uint8Array | Iterable<Uint8Array>,
  fds: readonly number[],
  how: How = 0,
): number {
  checkSocket(socket);
  return socket.sendmsgSync(buffers, [rights(fds)], null, how);
}

/** Receives up to `maxBytes` bytes and up to `maxFds` descriptors; surplus ones are closed by the kernel (MSG_CTRUNC). */
export async function recvFds(
  socket: Socket<AfUnix>,
  maxBytes: number,
  maxFds: number,
  how: How = 0,
): Promise<ReceivedFds> {
  checkSocket(socket);
  return receivedFds(await socket.recvmsg(maxBytes, roomFor(maxFds), how));
}

/** {@link recvFds}, blocking. */
export function recvFdsSync(
  socket: Socket<AfUnix>,
  maxBytes: number,
  maxFds: number,
  how: How = 0,
): ReceivedFds {
  checkSocket(socket);
  return receivedFds(socket.recvmsgSync(maxBytes, roomFor(maxFds), how));
}

/** Without the padding: one more descriptor would fit into it. */
function roomFor(fds: number): number {
  return cmsgLen(4 * Math.min(checkCount(fds, "maxFds"), maxFds));
}

/** The descriptors among ancillary data. */
export function fdsOf(ancillary: readonly AncillaryItem[]): number[] {
  return ancillaryItems(ancillary)
    .filter(({ level, type }) => level === SOL_SOCKET && type === SCM_RIGHTS)
    .flatMap(({ data }) => [...new Int32Array(data.slice(0, data.length & ~3).buffer)]);
}

/**
 * The sockets that a service manager passed at start (LISTEN_FDS and LISTEN_PID, as systemd does): none when the
 * variables are absent or meant for another process. The variables are removed, so that children do not see them.
 */
export function listenFds(): Socket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = process.env;
  if (pid === undefined || count === undefined || Number(pid) !== process.pid) return [];
  delete process.env["LISTEN_PID"];
  delete process.env["LISTEN_FDS"];
  delete process.env["LISTEN_FDNAMES"];
  const fds = checkCount(Number(count), "LISTEN_FDS", 0xffff);
  return Array.from({ length: fds }, (_, index) => Socket.fromFd(listenFdsStart + index));
}

function checkSocket(socket: unknown): void {
  if (!(socket instanceof Socket))
    throw new LocalProtocolError(`descriptors travel over a Socket, not ${show(socket)}`);
}

function rights(fds: readonly number[]): AncillaryItem {
  if (!Array.isArray(fds))
    throw new LocalProtocolError(`descriptors are a list of numbers, not ${show(fds)}`);
  if (fds.length > maxFds)
    throw new LocalProtocolError(`at most ${maxFds} descriptors go in one message, not ${fds.length}`);
  for (const fd of fds) checkCount(fd, "a descriptor", 0x7fffffff);
  return { level: SOL_SOCKET, type: SCM_RIGHTS, data: new Uint8Array(Int32Array.from(fds).buffer) };
}

function receivedFds({
  data,
  ancillary,
  flags,
}: {
  data: Uint8Array;
  ancillary: AncillaryItem[];
  flags: number;
}): ReceivedFds {
  return { data, fds: fdsOf(ancillary), flags };
}
