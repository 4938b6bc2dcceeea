/** Two connected sockets. */
import { AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from "./constants.js";
import { socketError } from "./native/errno.js";
import { native } from "./native/index.js";
import { checkInt } from "./sockaddr.js";
import { adopt, type Socket } from "./socket.js";
import type { AfUnix, Family } from "./types.js";

/**
 * A pair of connected sockets, as socketpair(2) makes them. Defaults: AF_UNIX, SOCK_STREAM. Throws
 * {@link SocketError} EOPNOTSUPP for families without pairs.
 *
 * @example const [a, b] = socketPair()
 */
export function socketPair<F extends Family = AfUnix>(
  family: F = AF_UNIX as F,
  type: number = SOCK_STREAM,
  protocol = 0,
): [Socket<F>, Socket<F>] {
  for (const [name, value] of Object.entries({ family, type, protocol })) checkInt(value, name);
  const fds = new Int32Array(2);
  const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  if (native().socketpair(family, type | flags, protocol, new Uint8Array(fds.buffer)) < 0) {
    throw socketError("socketpair", native().errno());
  }
  const identity = { family, type: type & ~flags, protocol };
  return [adopt<F>(fds[0] as number, identity), adopt<F>(fds[1] as number, identity)];
}
