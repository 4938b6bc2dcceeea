/** Bytes in: recv, recvInto, recvfrom, and their Sync twins. */
import { ConnectingSocket } from "./connecting.js";
import { MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, SOCK_STREAM } from "./constants.js";
import { checkBytes, checkCount, flagsOf } from "./handle.js";
import { pollNow, rest } from "./native/blocking.js";
import { native } from "./native/index.js";
import { linux } from "./native/linux.js";
import type { Direction } from "./native/reactor.js";
import { readBuffer, taken } from "./read-buffer.js";
import { SOCKADDR_BYTES } from "./sockaddr.js";
import type { AddressFrom, Family, How } from "./types.js";

const addressBytes = new Uint8Array(SOCKADDR_BYTES);
const lengthValue = new Uint32Array(1);
const lengthBytes = new Uint8Array(lengthValue.buffer);

/** A socket that receives. */
export abstract class ReceivingSocket<F extends Family = Family> extends ConnectingSocket<F> {
  /**
   * Receives up to `maxBytes` bytes: what is there, or the next to come. Empty: the peer has finished (or the datagram
   * was empty).
   *
   * @example const data = await s.recv(1024)
   */
  recv(maxBytes: number, how: How = 0): Promise<Uint8Array> {
    try {
      const attempt = this.#allocating(maxBytes, flagsOf(how));
      if (maxBytes === 0) this.handle.watch.readable = true;
      return this.handle.perform(directionOf(how), "recv", how, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link ReceivingSocket.recv}, blocking. */
  recvSync(maxBytes: number, how: How = 0): Uint8Array {
    const flags = flagsOf(how);
    const attempt = this.#allocating(maxBytes, flags, restAfterPeek);
    const tryFirst = this.#mayFind(maxBytes, flags);
    return this.handle.performSync(directionOf(flags), "recv", how, attempt, tryFirst);
  }

  /**
   * Receives into `buffer` and returns how many bytes came: 0 when the peer has finished. With MSG_TRUNC a datagram's
   * real length, which may be more than the buffer holds.
   */
  recvInto(buffer: Uint8Array, how: How = 0): Promise<number> {
    try {
      const flags = flagsOf(how);
      checkBytes(buffer, "buffer");
      const attempt =
        (flags & MSG_WAITALL) === 0 ? () => this.#receive(buffer, flags) : this.#receivingAll(buffer, flags);
      if (buffer.length === 0) this.handle.watch.readable = true;
      return this.handle.perform(directionOf(flags), "recv", how, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link ReceivingSocket.recvInto}, blocking. */
  recvIntoSync(buffer: Uint8Array, how: How = 0): number {
    const flags = flagsOf(how);
    checkBytes(buffer, "buffer");
    const attempt =
      (flags & MSG_WAITALL) === 0
        ? () => this.#receive(buffer, flags)
        : this.#receivingAll(buffer, flags, restAfterPeek);
    const tryFirst = this.#mayFind(buffer.length, flags);
    return this.handle.performSync(directionOf(flags), "recv", how, attempt, tryFirst);
  }

  /** {@link ReceivingSocket.recvInto} that never waits: undefined when nothing is there. It allocates nothing. */
  tryRecvInto(buffer: Uint8Array, flags = 0): number | undefined {
    return this.#receive(checkBytes(buffer, "buffer"), flagsOf(flags));
  }

  /**
   * Receives a datagram of up to `maxBytes` bytes (the rest of a longer one is lost) and where it came from. On a
   * stream the address is that of the peer.
   */
  recvfrom(maxBytes: number, how: How = 0): Promise<[Uint8Array, AddressFrom<F>]> {
    try {
      const attempt = this.#receivingFrom(maxBytes, flagsOf(how));
      return this.handle.perform(directionOf(how), "recvfrom", how, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link ReceivingSocket.recvfrom}, blocking. */
  recvfromSync(maxBytes: number, how: How = 0): [Uint8Array, AddressFrom<F>] {
    return this.handle.performSync(
      directionOf(how),
      "recvfrom",
      how,
      this.#receivingFrom(maxBytes, flagsOf(how)),
    );
  }

  /** {@link ReceivingSocket.recvfrom} into `buffer`: how many bytes came, and from where. */
  recvfromInto(buffer: Uint8Array, how: How = 0): Promise<[number, AddressFrom<F>]> {
    try {
      const flags = flagsOf(how);
      checkBytes(buffer, "buffer");
      return this.handle.perform(directionOf(how), "recvfrom", how, () => this.#receiveFrom(buffer, flags));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link ReceivingSocket.recvfromInto}, blocking. */
  recvfromIntoSync(buffer: Uint8Array, how: How = 0): [number, AddressFrom<F>] {
    const flags = flagsOf(how);
    checkBytes(buffer, "buffer");
    return this.handle.performSync(directionOf(how), "recvfrom", how, () => this.#receiveFrom(buffer, flags));
  }

  /**
   * Whether a first call may find something, or poll(2) had better come first: it saves a third of the calls of a
   * blocking request and reply. Reading no bytes is always worth a call, which returns at once.
   */
  #mayFind(bytes: number, flags: number): boolean {
    return this.handle.watch.readable || bytes === 0 || flags !== 0;
  }

  /** One recv(2). */
  #receive(buffer: Uint8Array, flags: number): number | undefined {
    const { handle } = this;
    // Python's rule: to ask for nothing is no reason to wait. With MSG_TRUNC it asks for a datagram's length.
    if (buffer.length === 0 && (flags & MSG_TRUNC) === 0) {
      handle.check("recv");
      return 0;
    }
    const received = native().recv(handle.fd, buffer, buffer.length, flags);
    if (received < 0) return handle.again("recv") ?? handle.watch.foundNothing();
    // Read or not, an urgent byte splits the stream: a read stops there.
    if ((flags & MSG_OOB) !== 0) handle.watch.shortReadsMislead = true;
    // After a short read TCP has no more: the next call waits for an event, without another system call first.
    if (
      received < buffer.length &&
      received > 0 &&
      handle.drainsShort &&
      (flags & (MSG_PEEK | MSG_OOB)) === 0
    ) {
      handle.watch.drained();
    }
    return received;
  }

  /** MSG_WAITALL on a non-blocking descriptor: the waiting is ours. */
  #receivingAll(buffer: Uint8Array, flags: number, afterPeek = () => {}): () => number | undefined {
    if (this.type !== SOCK_STREAM) return () => this.#receive(buffer, flags);
    if ((flags & MSG_PEEK) !== 0) return () => this.#peekAll(buffer, flags, afterPeek);
    let filledBytes = 0;
    return () => {
      while (filledBytes < buffer.length) {
        // To meet the error now would be to lose the bytes: it is left for the next call.
        if (filledBytes > 0 && (pollNow(this.handle.fd, 0) & linux.POLLERR) !== 0) break;
        const received = this.#receive(buffer.subarray(filledBytes), flags & ~MSG_WAITALL);
        if (received === undefined) return undefined;
        if (received === 0) break;
        filledBytes += received;
      }
      return filledBytes;
    };
  }

  #peekAll(buffer: Uint8Array, flags: number, afterPeek: () => void): number | undefined {
    const ended = pollNow(this.handle.fd, linux.POLLRDHUP) !== 0;
    const received = this.#receive(buffer, flags & ~MSG_WAITALL);
    if (received === undefined || received === buffer.length || ended) return received;
    afterPeek();
    return undefined;
  }

  #allocating(maxBytes: number, flags: number, afterPeek?: () => void): () => Uint8Array | undefined {
    checkCount(maxBytes, "maxBytes", 0x7fffffff);
    if ((flags & MSG_WAITALL) !== 0) {
      const whole = new Uint8Array(maxBytes);
      const attempt = this.#receivingAll(whole, flags, afterPeek);
      return () => kept(whole, attempt());
    }
    return () => {
      const buffer = readBuffer(maxBytes);
      return kept(buffer, this.#receive(buffer, flags));
    };
  }

  #receivingFrom(maxBytes: number, flags: number): () => [Uint8Array, AddressFrom<F>] | undefined {
    checkCount(maxBytes, "maxBytes", 0x7fffffff);
    return () => {
      const buffer = readBuffer(maxBytes);
      const result = this.#receiveFrom(buffer, flags);
      return result === undefined ? undefined : [taken(buffer, result[0]), result[1]];
    };
  }

  /** One recvfrom(2). */
  #receiveFrom(buffer: Uint8Array, flags: number): [number, AddressFrom<F>] | undefined {
    const { handle } = this;
    lengthValue[0] = SOCKADDR_BYTES;
    const received = native().recvfrom(handle.fd, buffer, buffer.length, flags, addressBytes, lengthBytes);
    if (received < 0) return handle.again("recvfrom");
    const address = this.from(addressBytes, lengthValue[0]) ?? this.#peer();
    return [received, address];
  }

  /** The peer of a stream, for which recvfrom(2) gives no address. */
  #peer(): AddressFrom<F> {
    lengthValue[0] = SOCKADDR_BYTES;
    const known = native().getpeername(this.handle.fd, addressBytes, lengthBytes) === 0;
    return (known ? this.from(addressBytes, lengthValue[0]) : "") as AddressFrom<F>;
  }
}

/** The peeked bytes stay there, so that poll(2) would not wait for more of them. */
const restAfterPeek = () => rest(1);

/** Urgent data and the error queue have events of their own. */
export function directionOf(how: How): Direction {
  return (flagsOf(how) & (MSG_OOB | linux.MSG_ERRQUEUE)) === 0 ? "readable" : "exceptional";
}

function kept(buffer: Uint8Array, received: number | undefined): Uint8Array | undefined {
  return received === undefined ? undefined : taken(buffer, received);
}
