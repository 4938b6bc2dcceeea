/**
 * From an errno to its name, its text and the right error class, with a word on what to do about it.
 *
 * @module
 */
import {
  InUseError,
  RefusedError,
  ResetError,
  SocketError,
  type SocketErrorFacts,
  TimedOutError,
  WouldBlockError,
} from "../../core/errors.js";
import { errnos, errnoTable } from "./errno-table.js";

export { errnos };

type SocketErrorClass = new (message: string, facts: SocketErrorFacts) => SocketError;

const classes: ReadonlyMap<number, SocketErrorClass> = new Map<number, SocketErrorClass>([
  [errnos.ECONNREFUSED, RefusedError],
  [errnos.ECONNRESET, ResetError],
  [errnos.ECONNABORTED, ResetError],
  [errnos.EPIPE, ResetError],
  [errnos.ESHUTDOWN, ResetError],
  [errnos.EADDRINUSE, InUseError],
  [errnos.ETIMEDOUT, TimedOutError],
  [errnos.EAGAIN, WouldBlockError],
  [errnos.EINPROGRESS, WouldBlockError],
  [errnos.EALREADY, WouldBlockError],
]);

/** What to do about an errno, by the start of the system call's name; the first row that fits counts. */
const hints: readonly (readonly [errno: number, syscall: string, hint: string])[] = [
  [errnos.EACCES, "socket", "raw and packet sockets need root or CAP_NET_RAW"],
  [errnos.EACCES, "bind", "a port below 1024 needs root, a Unix path a directory that may be written to"],
  [errnos.EACCES, "connect", "a broadcast address needs SO_BROADCAST, a Unix path write permission"],
  [errnos.EACCES, "send", "a broadcast address needs SO_BROADCAST"],
  [errnos.EADDRINUSE, "connect", "this local address is already connected to that peer"],
  [errnos.EADDRINUSE, "listen", "another socket listens there"],
  [errnos.EADDRINUSE, "", "another socket has the address; set reuseAddress, or remove a stale Unix path"],
  [errnos.EADDRNOTAVAIL, "bind", "no interface of this machine has the address"],
  [errnos.EADDRNOTAVAIL, "connect", "the address cannot be a peer's, or no local port is free"],
  [errnos.EADDRNOTAVAIL, "", "no interface of this machine has the address"],
  [errnos.EAFNOSUPPORT, "socket", "this kernel lacks the address family"],
  [errnos.EAFNOSUPPORT, "", "the address is of another family than the socket"],
  [errnos.EAGAIN, "connect", "the listener's backlog is full, or no local port is free"],
  [errnos.EAGAIN, "", "the call would have to wait, and the socket or the flags forbid it"],
  [errnos.EALREADY, "connect", "an earlier connect is still under way"],
  [errnos.EBADF, "sendfile", "the socket or the file is closed"],
  [errnos.EBADF, "", "the socket is closed"],
  [errnos.ECONNABORTED, "accept", "the peer gave up before it was accepted"],
  [errnos.ECONNREFUSED, "connect", "nobody listens at that address"],
  [errnos.ECONNREFUSED, "", "nobody listens at the peer's address"],
  [errnos.ECONNRESET, "", "the peer broke the connection off"],
  [errnos.EDESTADDRREQ, "", "give an address, or connect the socket first"],
  [errnos.EHOSTUNREACH, "", "no route leads to the host, or it does not answer"],
  [errnos.EINPROGRESS, "connect", "the connection is being made; wait until the socket is writable"],
  [errnos.EISCONN, "", "the socket is connected already"],
  [errnos.EMFILE, "", "this process has too many descriptors open; close some or raise ulimit -n"],
  [errnos.EMSGSIZE, "", "the message is larger than the protocol or the socket can send at once"],
  [errnos.ENETDOWN, "", "the interface is down"],
  [errnos.ENETUNREACH, "", "no route leads to the network"],
  [errnos.ENFILE, "", "the machine has too many files open; close some or raise fs.file-max"],
  [errnos.ENOBUFS, "", "the kernel is out of buffers; send less at once, or try again later"],
  [errnos.ENODEV, "", "there is no such interface"],
  [errnos.ENOENT, "", "there is no such path"],
  [errnos.ENOPROTOOPT, "", "this kernel or this kind of socket lacks the option"],
  [errnos.ENOTCONN, "", "connect the socket first"],
  [errnos.ENOTSOCK, "", "the descriptor is not a socket's"],
  [errnos.EOPNOTSUPP, "accept", "only a listening stream socket accepts"],
  [errnos.EOPNOTSUPP, "listen", "only stream and sequenced-packet sockets listen"],
  [errnos.EOPNOTSUPP, "", "this kind of socket cannot do that"],
  [errnos.EPERM, "setsockopt", "the option needs root or CAP_NET_ADMIN"],
  [errnos.EPERM, "socket", "this kind of socket needs root or CAP_NET_RAW"],
  [errnos.EPERM, "send", "a firewall forbids it"],
  [errnos.EPERM, "", "it needs root, or a capability that this process lacks"],
  [errnos.EPIPE, "", "the writing side is closed, here or by the peer"],
  [errnos.EPROTONOSUPPORT, "", "this kernel lacks the protocol, or it does not fit the family and type"],
  [errnos.EPROTOTYPE, "", "the socket's type does not fit the protocol or the peer's socket"],
  [errnos.ESOCKTNOSUPPORT, "", "this kernel lacks the socket type in that family"],
  [errnos.ETIMEDOUT, "", "the peer did not answer"],
];

/** The name of an errno, such as `ECONNREFUSED`; `ERRNO_200` for one without a name. */
export function errnoName(errno: number): string {
  return errnoTable.get(errno)?.[0] ?? `ERRNO_${errno}`;
}

/** The text of an errno, as C's `strerror` gives it. */
export function errnoText(errno: number): string {
  return errnoTable.get(errno)?.[1] ?? `Unknown error ${errno}`;
}

function hintFor(syscall: string, errno: number): string {
  const row = hints.find(([number, start]) => number === errno && syscall.startsWith(start));
  return row ? `: ${row[2]}` : "";
}

/** The error of a failed system call: the class that fits the errno, and a message that says what to do. */
export function socketError(syscall: string, errno: number, address?: string): SocketError {
  const code = errnoName(errno);
  const call = address === undefined ? syscall : `${syscall} ${address}`;
  const message = `${call}: ${errnoText(errno)} (${code})${hintFor(syscall, errno)}`;
  const ErrorClass = classes.get(errno) ?? SocketError;
  return new ErrorClass(message, { errno, code, syscall, address });
}
