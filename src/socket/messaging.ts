/** Messages with everything that rides beside the bytes: sendmsg, recvmsg, recvmsgInto. */
import { ancillaryItems } from "./ancillary.js";
import { AF_UNIX, MSG_CMSG_CLOEXEC, MSG_NOSIGNAL } from "./constants.js";
import { checkBytes, checkCount, flagsOf } from "./handle.js";
import { native } from "./native/index.js";
import { arena, decodeAncillary, encodeAncillary } from "./native/message.js";
import { readBuffer, taken } from "./read-buffer.js";
import { directionOf } from "./receiving.js";
import { SendingSocket } from "./sending.js";
import { describeAddress, isBytes, listOf } from "./sockaddr.js";
import type { AddressFor, AncillaryLike, Family, How, Message, MessageInfo } from "./types.js";

/** Room for ancillary data unless the caller says otherwise: every kind that an IP socket reports at once. */
const defaultAncillaryBytes = 512;

/** A socket that sends and receives messages. */
export abstract class MessagingSocket<F extends Family = Family> extends SendingSocket<F> {
  /**
   * Receives up to `maxBytes` bytes with up to `ancillaryBytes` of ancillary data (CMSG_SPACE of each). Defaults:
   * 65,536 and 512; on a Unix socket 0, for a peer must not put descriptors into a process that did not ask.
   * Descriptors received are close-on-exec, and are the caller's to close.
   */
  recvmsg(
    maxBytes = 65536,
    ancillaryBytes: number = this.#ancillaryBytes(),
    how: How = 0,
  ): Promise<Message<F>> {
    try {
      const attempt = this.#receivingMessage(maxBytes, ancillaryBytes, flagsOf(how));
      return this.handle.perform(directionOf(how), "recvmsg", how, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link MessagingSocket.recvmsg}, blocking. */
  recvmsgSync(maxBytes = 65536, ancillaryBytes: number = this.#ancillaryBytes(), how: How = 0): Message<F> {
    const attempt = this.#receivingMessage(maxBytes, ancillaryBytes, flagsOf(how));
    return this.handle.performSync(directionOf(how), "recvmsg", how, attempt);
  }

  /** {@link MessagingSocket.recvmsg} into `buffers`, one filled after the other. */
  recvmsgInto(
    buffers: Uint8Array | Iterable<Uint8Array>,
    ancillaryBytes: number = this.#ancillaryBytes(),
    how: How = 0,
  ): Promise<MessageInfo<F>> {
    try {
      const attempt = this.#receivingInto(buffersOf(buffers), ancillaryBytes, flagsOf(how));
      return this.handle.perform(directionOf(how), "recvmsg", how, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link MessagingSocket.recvmsgInto}, blocking. */
  recvmsgIntoSync(
    buffers: Uint8Array | Iterable<Uint8Array>,
    ancillaryBytes: number = this.#ancillaryBytes(),
    how: How = 0,
  ): MessageInfo<F> {
    const attempt = this.#receivingInto(buffersOf(buffers), ancillaryBytes, flagsOf(how));
    return this.handle.performSync(directionOf(how), "recvmsg", how, attempt);
  }

  /**
   * Sends `buffers` as one message, with ancillary data, to `address` or the connected peer. Returns how many bytes
   * went.
   *
   * @example await s.sendmsg([header, body], [[SOL_SOCKET, SCM_RIGHTS, new Uint8Array(Int32Array.of(fd).buffer)]])
   */
  async sendmsg(
    buffers: Uint8Array | Iterable<Uint8Array>,
    ancillary: Iterable<AncillaryLike> = [],
    address: AddressFor<F> | null = null,
    how: How = 0,
  ): Promise<number> {
    const pieces = buffersOf(buffers);
    const control = controlOf(ancillary);
    const flags = flagsOf(how);
    this.handle.check("sendmsg");
    const name =
      address === null ? undefined : await this.resolve(address, typeof how === "number" ? {} : how);
    const attempt = () => this.#sendMessage(pieces, control, name, address, flags);
    return this.handle.perform("writable", "sendmsg", how, attempt);
  }

  /** {@link MessagingSocket.sendmsg}, blocking. */
  sendmsgSync(
    buffers: Uint8Array | Iterable<Uint8Array>,
    ancillary: Iterable<AncillaryLike> = [],
    address: AddressFor<F> | null = null,
    how: How = 0,
  ): number {
    const pieces = buffersOf(buffers);
    const control = controlOf(ancillary);
    const flags = flagsOf(how);
    this.handle.check("sendmsg");
    const name = address === null ? undefined : this.resolveSync(address);
    const attempt = () => this.#sendMessage(pieces, control, name, address, flags);
    return this.handle.performSync("writable", "sendmsg", how, attempt);
  }

  #ancillaryBytes(): number {
    return this.family === AF_UNIX ? 0 : defaultAncillaryBytes;
  }

  #receivingMessage(maxBytes: number, ancillaryBytes: number, flags: number): () => Message<F> | undefined {
    checkCount(maxBytes, "maxBytes", 0x7fffffff);
    checkCount(ancillaryBytes, "ancillaryBytes", 0x7fffffff);
    return () => {
      const buffer = readBuffer(maxBytes);
      const info = this.#receiveMessage([buffer], ancillaryBytes, flags);
      if (info === undefined) return undefined;
      const { bytes, ...rest } = info;
      return { data: taken(buffer, bytes), ...rest };
    };
  }

  #receivingInto(
    buffers: readonly Uint8Array[],
    ancillaryBytes: number,
    flags: number,
  ): () => MessageInfo<F> | undefined {
    checkCount(ancillaryBytes, "ancillaryBytes", 0x7fffffff);
    return () => this.#receiveMessage(buffers, ancillaryBytes, flags);
  }

  /** One recvmsg(2). */
  #receiveMessage(
    buffers: readonly Uint8Array[],
    ancillaryBytes: number,
    flags: number,
  ): MessageInfo<F> | undefined {
    const message = arena();
    message.prepareReceive(buffers, ancillaryBytes);
    const bytes = native().recvmsg(this.handle.fd, message.header, flags | MSG_CMSG_CLOEXEC);
    if (bytes < 0) return this.handle.again("recvmsg");
    message.done();
    return {
      bytes,
      ancillary: decodeAncillary(message.control, message.controlLength),
      flags: message.flags & ~MSG_CMSG_CLOEXEC,
      address: this.from(message.name, message.nameLength),
    };
  }

  /** One sendmsg(2). */
  #sendMessage(
    buffers: readonly Uint8Array[],
    control: Uint8Array,
    name: Uint8Array | undefined,
    address: AddressFor<F> | null,
    flags: number,
  ): number | undefined {
    const message = arena();
    message.prepareSend(buffers, name, control);
    const sent = native().sendmsg(this.handle.fd, message.header, flags | MSG_NOSIGNAL);
    if (sent < 0)
      return this.handle.again("sendmsg", address === null ? undefined : describeAddress(address));
    message.done();
    return sent;
  }
}

function buffersOf(buffers: Uint8Array | Iterable<Uint8Array>): Uint8Array[] {
  if (isBytes(buffers)) return [buffers];
  const list = listOf(buffers, "buffers are a Uint8Array or a list of them");
  for (const buffer of list) checkBytes(buffer, "each buffer");
  return list;
}

/** Ancillary data, checked, as a control buffer. */
export function controlOf(ancillary: Iterable<AncillaryLike>): Uint8Array {
  return encodeAncillary(ancillaryItems(ancillary));
}
