/** Bytes out: send, sendall, sendto, sendFile, and their Sync twins. */
import { LocalProtocolError } from "../core/errors.js";
import { MSG_NOSIGNAL, SOCK_STREAM } from "./constants.js";
import { checkBytes, checkCount, flagsOf } from "./handle.js";
import { errnos } from "./native/errno.js";
import { native } from "./native/index.js";
import { reactor } from "./native/reactor.js";
import { ReceivingSocket } from "./receiving.js";
import { checkObject, describeAddress, isInt, show } from "./sockaddr.js";
import type { AddressFor, AddressLike, Family, How, WaitOptions } from "./types.js";

/** The most that one sendfile(2) moves (MAX_RW_COUNT), and how much goes in one turn of the event loop. */
const sendFileChunkBytes = 4 * 1024 * 1024;

/** What {@link SendingSocket.sendFile} takes. */
export interface SendFileOptions extends WaitOptions {
  /** Where in the file to begin, in bytes. Default: 0. The file's own position is neither used nor moved. */
  readonly offset?: number;
  /** How many bytes to send, at least 1. Default: to the end of the file. */
  readonly count?: number;
}

/** A file to send: a descriptor, or what `fs.promises.open` gives. */
export type FileLike = number | { readonly fd: number };

/** A socket that sends. Every send carries MSG_NOSIGNAL: a broken connection is an EPIPE, never a SIGPIPE. */
export abstract class SendingSocket<F extends Family = Family> extends ReceivingSocket<F> {
  /**
   * Sends what the kernel takes now of `data`, waiting until it takes something, and returns how many bytes that were.
   * Use {@link SendingSocket.sendall} to send all of it.
   */
  send(data: Uint8Array, how: How = 0): Promise<number> {
    try {
      const flags = flagsOf(how);
      checkBytes(data, "data");
      return this.handle.perform("writable", "send", how, () => this.#send(data, flags));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link SendingSocket.send}, blocking. */
  sendSync(data: Uint8Array, how: How = 0): number {
    const flags = flagsOf(how);
    checkBytes(data, "data");
    return this.handle.performSync("writable", "send", how, () => this.#send(data, flags));
  }

  /**
   * Sends all of `data`; `timeoutMs` is for the whole. After an error or an abort it is unknown how much was sent. Do
   * not change `data` meanwhile.
   */
  sendall(data: Uint8Array, how: How = 0): Promise<void> {
    try {
      checkBytes(data, "data");
      const rest = this.handle.mayTry("writable", how) ? this.#sendNow(data) : data;
      if (rest === undefined) return sentAll;
      const attempt = this.#sendingAll(rest, flagsOf(how));
      return this.handle.perform("writable", "sendall", how, attempt).then(nothing);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link SendingSocket.sendall}, blocking. */
  sendallSync(data: Uint8Array, how: How = 0): void {
    checkBytes(data, "data");
    this.handle.performSync("writable", "sendall", how, this.#sendingAll(data, flagsOf(how)));
  }

  /**
   * Sends one datagram to `address` and returns how many bytes went. Throws {@link SocketError} EMSGSIZE for one that
   * is too long.
   *
   * @example await s.sendto(new TextEncoder().encode("hello"), ["127.0.0.1", 9999])
   */
  async sendto(data: Uint8Array, address: AddressFor<F>, how: How = 0): Promise<number> {
    const flags = flagsOf(how);
    checkBytes(data, "data");
    this.handle.check("sendto");
    const resolved = this.resolve(address, typeof how === "number" ? {} : how);
    const name = resolved instanceof Uint8Array ? resolved : await resolved;
    return this.handle.perform("writable", "sendto", how, () => this.#sendTo(data, flags, name, address));
  }

  /** {@link SendingSocket.sendto}, blocking. */
  sendtoSync(data: Uint8Array, address: AddressFor<F>, how: How = 0): number {
    const flags = flagsOf(how);
    checkBytes(data, "data");
    this.handle.check("sendto");
    const name = this.resolveSync(address);
    return this.handle.performSync("writable", "sendto", how, () => this.#sendTo(data, flags, name, address));
  }

  /**
   * Sends a file without its bytes passing through this process (sendfile(2)) and returns how many bytes went.
   * The socket is a connected stream; the file a regular one, opened for reading.
   *
   * @example await s.sendFile(await open("film.mkv"), { offset: 1024 })
   */
  sendFile(file: FileLike, options: SendFileOptions = {}): Promise<number> {
    try {
      const attempt = this.#sendingFile(file, options, () => reactor().retrySoon(this.handle.watch));
      return this.handle.perform("writable", "sendfile", options, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link SendingSocket.sendFile}, blocking. */
  sendFileSync(file: FileLike, options: SendFileOptions = {}): number {
    const attempt = this.#sendingFile(file, options, () => {});
    return this.handle.performSync("writable", "sendfile", options, attempt);
  }

  /** One send(2). */
  #send(data: Uint8Array, flags: number): number | undefined {
    const sent = native().send(this.handle.fd, data, data.length, flags | MSG_NOSIGNAL);
    return sent < 0 ? this.handle.again("send") : sent;
  }

  /**
   * What is left of `data` after one try. The kernel nearly always takes all of it, and then there is neither a closure
   * nor a promise to make: a tenth of the JavaScript of an echo server.
   */
  #sendNow(data: Uint8Array): Uint8Array | undefined {
    const sent = this.#send(data, 0);
    if (sent === data.length) return undefined;
    this.handle.watch.writable = sent !== undefined;
    return sent === undefined ? data : data.subarray(sent);
  }

  #sendTo(data: Uint8Array, flags: number, name: Uint8Array, address: AddressLike): number | undefined {
    const sent = native().sendto(this.handle.fd, data, data.length, flags | MSG_NOSIGNAL, name, name.length);
    return sent < 0 ? this.handle.again("sendto", describeAddress(address)) : sent;
  }

  #sendingAll(data: Uint8Array, flags: number): () => true | undefined {
    let rest = checkBytes(data, "data");
    return () => {
      do {
        const sent = this.#send(rest, flags);
        if (sent === undefined) return undefined;
        if (sent === rest.length) return true;
        rest = rest.subarray(sent);
      } while (rest.length > 0);
      return true;
    };
  }

  /** `yieldTurn` is called before an attempt gives up in the middle, so that it is made again soon. */
  #sendingFile(file: FileLike, options: SendFileOptions, yieldTurn: () => void): () => number | undefined {
    const { offset = 0, count } = checkObject(options, "options");
    const fd = descriptorOf(file);
    if (this.type !== SOCK_STREAM) throw new LocalProtocolError("sendFile needs a stream socket");
    const { timeoutMs = this.timeoutMs } = options;
    if (timeoutMs === 0) {
      throw new LocalProtocolError("sendFile cannot send a file without waiting: timeoutMs is 0");
    }
    const limitBytes = count === undefined ? Number.MAX_SAFE_INTEGER : checkCount(count, "count");
    if (limitBytes === 0) throw new LocalProtocolError("count must be an integer from 1, not 0");
    const position = new BigInt64Array([BigInt(checkCount(offset, "offset"))]);
    const positionBytes = new Uint8Array(position.buffer);
    let sentBytes = 0;
    return () => {
      let turnBytes = 0;
      while (sentBytes < limitBytes) {
        // A large file on a fast link would never let the event loop turn: the rest goes in the next one.
        if (turnBytes >= sendFileChunkBytes) {
          yieldTurn();
          return undefined;
        }
        const wantBytes = Math.min(limitBytes - sentBytes, sendFileChunkBytes);
        const sent = native().sendfile(this.handle.fd, fd, positionBytes, wantBytes);
        if (sent < 0) return this.#sendFileFailed();
        if (sent === 0) break;
        sentBytes += sent;
        turnBytes += sent;
      }
      return sentBytes;
    };
  }

  /** EINVAL, and ESPIPE of a pipe or socket: the caller is told what sendfile(2) wants. */
  #sendFileFailed(): undefined {
    const errno = native().errno();
    if (errno === errnos.EINVAL || errno === errnos.ESPIPE) {
      throw new LocalProtocolError(
        "sendFile sends a regular file, opened for reading, to a connected stream socket",
      );
    }
    return this.handle.again("sendfile");
  }
}

const sentAll: Promise<void> = Promise.resolve();

/** To the outside there is no result. */
function nothing(): void {}

function descriptorOf(file: FileLike): number {
  const fd = typeof file === "object" && file !== null ? file.fd : file;
  // What does not fit C's int would be cut to the number of some other descriptor.
  if (isInt(fd) && fd >= 0) return fd;
  throw new LocalProtocolError(`sendFile takes a descriptor or a FileHandle, open, not ${show(file)}`);
}
