/** Socket options: the raw calls, and typed names for those of SOL_SOCKET. */
import { LocalProtocolError } from "../core/errors.js";
import * as c from "./constants.js";
import { Descriptor } from "./descriptor.js";
import { checkCount } from "./handle.js";
import { native } from "./native/index.js";
import { checkName, isBytes, isInt, show } from "./sockaddr.js";
import type { Family } from "./types.js";

/** The process at the other end of a Unix socket, as the kernel recorded it at connect(2) or socketpair(2). */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** getsockopt(2) gives no more than this to {@link OptionSocket.getsockopt}, as in CPython. */
const maxOptionBytes = 1024;

// Scratch of the calls below, each of which is done with it before it returns.
const intValue = new Int32Array(1);
const intBytes = new Uint8Array(intValue.buffer);
const lengthValue = new Uint32Array(1);
const lengthBytes = new Uint8Array(lengthValue.buffer);

/** A socket whose options can be read and set. */
export abstract class OptionSocket<F extends Family = Family> extends Descriptor<F> {
  /**
   * An option as a number, or with `lengthBytes` (1 to 1024) as the bytes that the kernel gave.
   * Throws {@link SocketError} ENOPROTOOPT for an option that the protocol does not know.
   *
   * @example s.getsockopt(SOL_SOCKET, SO_RCVBUF)
   */
  getsockopt(level: number, option: number): number;
  getsockopt(level: number, option: number, lengthBytes: number): Uint8Array;
  getsockopt(level: number, option: number, bytes = 0): number | Uint8Array {
    checkNumbers(level, option);
    if (bytes === 0) return this.#getInt(level, option);
    const value = new Uint8Array(checkCount(bytes, "lengthBytes", maxOptionBytes));
    lengthValue[0] = bytes;
    if (native().getsockopt(this.handle.fd, level, option, value, lengthBytes) < 0) {
      throw this.handle.failed("getsockopt");
    }
    return value.subarray(0, lengthValue[0]);
  }

  /**
   * Sets an option to a number, a boolean (1 or 0), or bytes. With null and a length the kernel is given no value.
   *
   * @example s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
   */
  setsockopt(level: number, option: number, value: number | boolean | Uint8Array): void;
  setsockopt(level: number, option: number, value: null, lengthBytes: number): void;
  setsockopt(
    level: number,
    option: number,
    value: number | boolean | Uint8Array | null,
    length?: number,
  ): void {
    checkNumbers(level, option);
    if (value !== null && length !== undefined) {
      throw new LocalProtocolError("setsockopt takes a length with a null value only");
    }
    const bytes = optionBytes(value);
    const size = bytes === null ? checkCount(length as number, "lengthBytes", 0x7fffffff) : bytes.length;
    if (native().setsockopt(this.handle.fd, level, option, bytes, size) < 0)
      throw this.handle.failed("setsockopt");
  }

  /** A boolean option. */
  protected flag(level: number, option: number): boolean {
    return this.#getInt(level, option) !== 0;
  }

  #getInt(level: number, option: number): number {
    intValue[0] = 0;
    lengthValue[0] = 4;
    if (native().getsockopt(this.handle.fd, level, option, intBytes, lengthBytes) < 0) {
      throw this.handle.failed("getsockopt");
    }
    return intValue[0];
  }

  /** SO_REUSEADDR: bind an address that a closed connection still holds in TIME_WAIT. */
  get reuseAddress(): boolean {
    return this.flag(c.SOL_SOCKET, c.SO_REUSEADDR);
  }

  set reuseAddress(value: boolean) {
    this.setsockopt(c.SOL_SOCKET, c.SO_REUSEADDR, value);
  }

  /** SO_REUSEPORT: several sockets bind one address, and the kernel spreads connections or datagrams over them. */
  get reusePort(): boolean {
    return this.flag(c.SOL_SOCKET, c.SO_REUSEPORT);
  }

  set reusePort(value: boolean) {
    this.setsockopt(c.SOL_SOCKET, c.SO_REUSEPORT, value);
  }

  /** SO_BROADCAST: datagrams may be sent to a broadcast address. */
  get broadcast(): boolean {
    return this.flag(c.SOL_SOCKET, c.SO_BROADCAST);
  }

  set broadcast(value: boolean) {
    this.setsockopt(c.SOL_SOCKET, c.SO_BROADCAST, value);
  }

  /**
   * SO_LINGER: null closes in the background; a number of seconds makes close(2) wait; 0 throws the data away and
   * sends RST.
   */
  get lingerSeconds(): number | null {
    const [on, seconds] = new Int32Array(this.getsockopt(c.SOL_SOCKET, c.SO_LINGER, 8).slice().buffer);
    return on === 0 ? null : (seconds ?? 0);
  }

  set lingerSeconds(seconds: number | null) {
    const value = Int32Array.of(
      seconds === null ? 0 : 1,
      checkCount(seconds ?? 0, "lingerSeconds", 0x7fffffff),
    );
    this.setsockopt(c.SOL_SOCKET, c.SO_LINGER, new Uint8Array(value.buffer));
  }

  /**
   * SO_RCVBUF, in bytes. Reading gives the effective size: Linux doubles what was asked for, to pay for its own
   * bookkeeping, and clamps it to net.core.rmem_max.
   */
  get receiveBufferBytes(): number {
    return this.#getInt(c.SOL_SOCKET, c.SO_RCVBUF);
  }

  set receiveBufferBytes(bytes: number) {
    this.setsockopt(c.SOL_SOCKET, c.SO_RCVBUF, checkCount(bytes, "receiveBufferBytes", 0x7fffffff));
  }

  /** SO_SNDBUF, in bytes. Reading gives the effective size, see {@link OptionSocket.receiveBufferBytes}. */
  get sendBufferBytes(): number {
    return this.#getInt(c.SOL_SOCKET, c.SO_SNDBUF);
  }

  set sendBufferBytes(bytes: number) {
    this.setsockopt(c.SOL_SOCKET, c.SO_SNDBUF, checkCount(bytes, "sendBufferBytes", 0x7fffffff));
  }

  /** SO_BINDTODEVICE: the interface whose packets alone this socket sees; null for all. Needs CAP_NET_RAW to change. */
  get bindToDevice(): string | null {
    const name = this.getsockopt(c.SOL_SOCKET, c.SO_BINDTODEVICE, 16);
    const end = name.indexOf(0);
    return new TextDecoder().decode(end < 0 ? name : name.subarray(0, end)) || null;
  }

  set bindToDevice(name: string | null) {
    const text = name === null ? "" : checkName(name, "an interface name");
    this.setsockopt(c.SOL_SOCKET, c.SO_BINDTODEVICE, new TextEncoder().encode(`${text}\0`));
  }

  /** SO_MARK: the firewall mark of packets sent. Needs CAP_NET_ADMIN to change. */
  get mark(): number {
    return this.#getInt(c.SOL_SOCKET, c.SO_MARK) >>> 0;
  }

  set mark(mark: number) {
    this.setsockopt(c.SOL_SOCKET, c.SO_MARK, checkCount(mark, "mark", 0xffffffff) | 0);
  }

  /** SO_ACCEPTCONN: whether `listen()` was called. */
  get listening(): boolean {
    return this.flag(c.SOL_SOCKET, c.SO_ACCEPTCONN);
  }

  /**
   * SO_ERROR: the errno of a failed background operation, 0 when there is none. Reading takes it away: on a data
   * socket the next recv then looks like an end of file, so use it after a connect of your own only.
   */
  pendingError(): number {
    return this.#getInt(c.SOL_SOCKET, c.SO_ERROR);
  }

  /** SO_PEERCRED: who is at the other end of a Unix socket. */
  peerCredentials(): PeerCredentials {
    const [pid = 0, uid = 0, gid = 0] = new Uint32Array(
      this.getsockopt(c.SOL_SOCKET, c.SO_PEERCRED, 12).slice().buffer,
    );
    return { pid: pid | 0, uid, gid };
  }
}

function checkNumbers(level: number, option: number): void {
  if (isInt(level) && isInt(option)) return;
  throw new LocalProtocolError(`level and option must be integers, not ${show(level)} and ${show(option)}`);
}

function optionBytes(value: number | boolean | Uint8Array | null): Uint8Array | null {
  if (value === null || isBytes(value)) return value;
  const number = value === true ? 1 : value === false ? 0 : value;
  if (!isInt(number)) {
    throw new LocalProtocolError(
      `an option's value is a 32-bit integer, a boolean or bytes, not ${show(value)}`,
    );
  }
  intValue[0] = number;
  return intBytes;
}
