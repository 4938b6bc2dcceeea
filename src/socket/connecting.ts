/** Names and connections: bind, listen, connect, shutdown, getsockname, getpeername. */
import { SocketError } from "../core/errors.js";
import { AF_UNIX } from "./constants.js";
import type { Handle } from "./handle.js";
import { resolveAddress, resolveAddressSync } from "./names/resolve-address.js";
import { pollNow, rest } from "./native/blocking.js";
import { nowMs } from "./native/deadlines.js";
import { errnos, socketError } from "./native/errno.js";
import { native } from "./native/index.js";
import { linux } from "./native/linux.js";
import { reactor } from "./native/reactor.js";
import { checkInt, decodeAddress, describeAddress, SOCKADDR_BYTES } from "./sockaddr.js";
import { TcpOptionSocket } from "./tcp-options.js";
import type { Address, AddressFor, AddressFrom, AddressLike, Family, WaitOptions } from "./types.js";

/** A full backlog of a Unix listener gives EAGAIN, and no event ever says that there is room again. */
const unixBacklogRetryMs = 5;

const addressBytes = new Uint8Array(SOCKADDR_BYTES);
const lengthValue = new Uint32Array(1);
const lengthBytes = new Uint8Array(lengthValue.buffer);

/** A socket that can be bound and connected. */
export abstract class ConnectingSocket<F extends Family = Family> extends TcpOptionSocket<F> {
  /**
   * Gives the socket its local address; port 0 picks a free one. Throws {@link InUseError} for a taken address, and
   * {@link NameError} for a host that cannot be resolved.
   *
   * @example await s.bind(["localhost", 12345])
   */
  async bind(address: AddressFor<F>): Promise<void> {
    this.handle.check("bind");
    this.#bind(await this.resolve(address), address);
  }

  /** {@link ConnectingSocket.bind}, blocking while a name is looked up. */
  bindSync(address: AddressFor<F>): void {
    this.handle.check("bind");
    this.#bind(this.resolveSync(address), address);
  }

  #bind(name: Uint8Array, address: AddressLike): void {
    if (native().bind(this.handle.fd, name, name.length) < 0) {
      throw this.handle.failed("bind", describeAddress(address));
    }
  }

  /** Lets clients connect; `backlog` is how many may wait to be accepted, clamped to net.core.somaxconn. Default: 128. */
  listen(backlog = 128): void {
    checkInt(backlog, "backlog");
    if (native().listen(this.handle.fd, backlog) < 0) throw this.handle.failed("listen");
  }

  /**
   * Connects to `address`; on a datagram socket it only sets the peer. After a deadline or an abort the connection
   * attempt goes on in the kernel: close the socket, or call again to wait for it.
   */
  async connect(address: AddressFor<F>, options: WaitOptions = {}): Promise<void> {
    this.handle.checkBegin("connect", options);
    const name = await this.resolve(address, options);
    const where = describeAddress(address);
    const later = () => retryLater(this.handle);
    if (this.#begin(name, where, later)) return;
    await this.handle.perform("writable", "connect", options, () => this.#finish(name, where, later));
  }

  /** {@link ConnectingSocket.connect}, blocking. */
  connectSync(address: AddressFor<F>, options: WaitOptions = {}): void {
    this.handle.checkBegin("connect", options);
    const name = this.resolveSync(address);
    const where = describeAddress(address);
    const later = () => rest(unixBacklogRetryMs);
    if (this.#begin(name, where, later)) return;
    this.handle.performSync("writable", "connect", options, () => this.#finish(name, where, later));
  }

  /** {@link ConnectingSocket.connect} that returns the errno of a failed system call in place of throwing it. */
  connectEx(address: AddressFor<F>, options: WaitOptions = {}): Promise<number> {
    return this.connect(address, options).then(() => 0, errnoOf);
  }

  /** {@link ConnectingSocket.connectEx}, blocking. */
  connectExSync(address: AddressFor<F>, options: WaitOptions = {}): number {
    try {
      this.connectSync(address, options);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /**
   * The first connect(2): true when that was all. A socket that never waits throws EINPROGRESS here. `later` is called
   * when no event will tell that it is time to try again.
   */
  #begin(name: Uint8Array, where: string, later: () => void): boolean {
    if (native().connect(this.handle.fd, name, name.length) === 0) return true;
    const errno = native().errno();
    if (errno === errnos.EINPROGRESS && this.handle.timeoutMs !== 0) {
      this.handle.watch.writable = false;
      return false;
    }
    if (errno === errnos.EALREADY && this.handle.timeoutMs !== 0) return false;
    if (errno === errnos.EAGAIN && this.family === AF_UNIX && this.handle.timeoutMs !== 0) {
      later();
      return false;
    }
    throw socketError("connect", errno, where);
  }

  /** Looks whether the attempt has ended: `undefined` while it goes on. */
  #finish(name: Uint8Array, where: string, later: () => void): true | undefined {
    const ended = (pollNow(this.handle.fd, 0) & linux.POLLHUP) !== 0;
    const errno = this.pendingError();
    if (errno !== 0) throw socketError("connect", errno, where);
    if (this.family === AF_UNIX) return this.#retryUnix(name, where, later);
    lengthValue[0] = SOCKADDR_BYTES;
    if (native().getpeername(this.handle.fd, addressBytes, lengthBytes) === 0) {
      // The kernel calls the socket connected once connect(2) has asked: a later one would succeed, not give EISCONN.
      native().connect(this.handle.fd, name, name.length);
      return true;
    }
    if (native().errno() !== errnos.ENOTCONN) return true;
    // Another call has been told why the attempt ended; the kernel gives a second one this errno too.
    if (ended) throw socketError("connect", errnos.ECONNABORTED, where);
    return undefined;
  }

  #retryUnix(name: Uint8Array, where: string, later: () => void): true | undefined {
    if (native().connect(this.handle.fd, name, name.length) === 0) return true;
    const errno = native().errno();
    if (errno === errnos.EISCONN) return true;
    if (errno !== errnos.EAGAIN) throw socketError("connect", errno, where);
    later();
    return undefined;
  }

  /**
   * Half-closes: SHUT_WR sends an end of file and leaves reading open, SHUT_RD ends reading here (a pending recv
   * returns no bytes), SHUT_RDWR both.
   */
  shutdown(how: number): void {
    checkInt(how, "shutdown takes SHUT_RD, SHUT_WR or SHUT_RDWR");
    if (native().shutdown(this.handle.fd, how) < 0) throw this.handle.failed("shutdown");
  }

  /** The socket's own address. */
  getsockname(): AddressFrom<F> {
    lengthValue[0] = SOCKADDR_BYTES;
    const result = native().getsockname(this.handle.fd, addressBytes, lengthBytes);
    if (result < 0) throw this.handle.failed("getsockname");
    return decodeAddress(addressBytes, lengthValue[0]) as AddressFrom<F>;
  }

  /** The address at the other end. Throws {@link SocketError} ENOTCONN without one. */
  getpeername(): AddressFrom<F> {
    lengthValue[0] = SOCKADDR_BYTES;
    const result = native().getpeername(this.handle.fd, addressBytes, lengthBytes);
    if (result < 0) throw this.handle.failed("getpeername");
    return decodeAddress(addressBytes, lengthValue[0]) as AddressFrom<F>;
  }

  /** The bytes of an address; a name is looked up. */
  protected resolve(address: AddressLike, options: WaitOptions = {}): Uint8Array | Promise<Uint8Array> {
    return resolveAddress(this.family, this.type, address, options);
  }

  protected resolveSync(address: AddressLike): Uint8Array {
    return resolveAddressSync(this.family, this.type, address);
  }

  /** An address as a call filled it in; undefined when it named none, as on a connected stream. */
  protected from(bytes: Uint8Array, length: number): AddressFrom<F> | undefined {
    return length === 0 ? undefined : (decodeAddress(bytes, length) as Address as AddressFrom<F>);
  }
}

function retryLater({ watch }: Handle): void {
  watch.writable = false;
  reactor().deadlines.add({
    dueMs: nowMs() + unixBacklogRetryMs,
    heapIndex: -1,
    expire: () => watch.retry(),
  });
}

function errnoOf(error: unknown): number {
  if (error instanceof SocketError && error.errno > 0) return error.errno;
  throw error;
}
