/**
 * `struct msghdr`, `mmsghdr`, `iovec` and `cmsghdr` (LP64, little-endian, glibc and musl alike).
 *
 * The memory of a call is laid out in arenas that live as long as the thread, and every buffer whose address stands
 * in one is pinned on it until the call is over: the garbage collector knows nothing of addresses.
 */
import type { AncillaryItem } from "../types.js";
import { native } from "./index.js";

/** struct cmsghdr { size_t len; int level; int type }: the data follow, padded to eight bytes. */
const CMSG_HEADER_BYTES = 16;
const MSGHDR_BYTES = 56;
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
const NAME_BYTES = 128;

// Offsets in struct msghdr; in struct mmsghdr the message's length follows at 56.
const NAME = 0;
const NAMELEN = 8;
const IOV = 16;
const IOVLEN = 24;
const CONTROL = 32;
const CONTROLLEN = 40;
const FLAGS = 48;
const MESSAGE_LENGTH = 56;

/** How many bytes an ancillary datum of `dataBytes` takes, without the padding behind it (RFC 3542 section 20.3.2). */
export function cmsgLen(dataBytes: number): number {
  return CMSG_HEADER_BYTES + dataBytes;
}

/** How many bytes an ancillary datum of `dataBytes` takes with its padding (RFC 3542 section 20.3.2). */
export function cmsgSpace(dataBytes: number): number {
  return CMSG_HEADER_BYTES + ((dataBytes + 7) & ~7);
}

/** Ancillary data as a control buffer. */
export function encodeAncillary(items: readonly AncillaryItem[]): Uint8Array {
  const bytes = new Uint8Array(items.reduce((sum, { data }) => sum + cmsgSpace(data.length), 0));
  let offset = 0;
  for (const item of items) offset = writeAncillary(bytes, offset, item);
  return bytes;
}

function writeAncillary(bytes: Uint8Array, offset: number, { level, type, data }: AncillaryItem): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setBigUint64(offset, BigInt(cmsgLen(data.length)), true);
  view.setInt32(offset + 8, level, true);
  view.setInt32(offset + 12, type, true);
  bytes.set(data, offset + CMSG_HEADER_BYTES);
  return offset + cmsgSpace(data.length);
}

/** The ancillary data in the first `length` bytes of a control buffer. A datum that was cut short is as long as it is. */
export function decodeAncillary(control: Uint8Array, length: number): AncillaryItem[] {
  const items: AncillaryItem[] = [];
  const view = new DataView(control.buffer, control.byteOffset, control.length);
  let offset = 0;
  while (offset + CMSG_HEADER_BYTES <= length) {
    // musl declares cmsg_len with 32 bits and padding: only those are read.
    const cmsgBytes = view.getUint32(offset, true);
    if (cmsgBytes < CMSG_HEADER_BYTES) break;
    const end = Math.min(offset + cmsgBytes, length);
    items.push({
      level: view.getInt32(offset + 8, true),
      type: view.getInt32(offset + 12, true),
      data: control.slice(offset + CMSG_HEADER_BYTES, end),
    });
    offset += cmsgSpace(cmsgBytes - CMSG_HEADER_BYTES);
  }
  return items;
}

/** A `struct msghdr` with what it points to, for sendmsg(2) and recvmsg(2). Used by one call at a time. */
export class MessageArena {
  readonly header: Uint8Array = new Uint8Array(MSGHDR_BYTES);
  readonly name: Uint8Array = new Uint8Array(NAME_BYTES);
  control: Uint8Array = new Uint8Array(0);
  readonly #view: DataView = new DataView(this.header.buffer);
  readonly #nameAddress: bigint = native().address(this.name);
  #iovecs: Uint8Array = new Uint8Array(0);
  /** Kept for the garbage collector's eyes alone. */
  protected pins: readonly Uint8Array[] = [];

  /** Points the header at `buffers`; they stay pinned until {@link MessageArena.done}. */
  point(buffers: readonly Uint8Array[], nameBytes: number, controlBytes: number): void {
    const view = this.#view;
    this.pins = buffers;
    this.#pointIovecs(buffers);
    view.setBigUint64(NAME, nameBytes === 0 ? 0n : this.#nameAddress, true);
    view.setUint32(NAMELEN, nameBytes, true);
    view.setBigUint64(CONTROL, controlBytes === 0 ? 0n : native().address(this.control), true);
    view.setBigUint64(CONTROLLEN, BigInt(controlBytes), true);
    view.setInt32(FLAGS, 0, true);
  }

  /** Readies the header to receive an address and `controlBytes` of ancillary data. */
  prepareReceive(buffers: readonly Uint8Array[], controlBytes: number): void {
    if (this.control.length < controlBytes) this.control = new Uint8Array(controlBytes);
    this.point(buffers, NAME_BYTES, controlBytes);
  }

  /** Readies the header to send. */
  prepareSend(buffers: readonly Uint8Array[], name: Uint8Array | undefined, control: Uint8Array): void {
    if (name !== undefined) this.name.set(name);
    if (control.length > 0) this.control = control;
    this.point(buffers, name?.length ?? 0, control.length);
  }

  done(): void {
    this.pins = [];
  }

  get nameLength(): number {
    return Math.min(this.#view.getUint32(NAMELEN, true), NAME_BYTES);
  }

  get controlLength(): number {
    return this.#view.getUint32(CONTROLLEN, true);
  }

  get flags(): number {
    return this.#view.getInt32(FLAGS, true);
  }

  #pointIovecs(buffers: readonly Uint8Array[]): void {
    const bytes = buffers.length * IOVEC_BYTES;
    if (this.#iovecs.length < bytes) this.#iovecs = new Uint8Array(bytes * 2);
    const iovecs = new DataView(this.#iovecs.buffer);
    buffers.forEach((buffer, index) => {
      iovecs.setBigUint64(index * IOVEC_BYTES, buffer.length === 0 ? 0n : native().address(buffer), true);
      iovecs.setBigUint64(index * IOVEC_BYTES + 8, BigInt(buffer.length), true);
    });
    this.#view.setBigUint64(IOV, buffers.length === 0 ? 0n : native().address(this.#iovecs), true);
    this.#view.setBigUint64(IOVLEN, BigInt(buffers.length), true);
  }
}

let messageArena: MessageArena | undefined;

/** This thread's arena for one message. */
export function arena(): MessageArena {
  messageArena ??= new MessageArena();
  return messageArena;
}

/**
 * `capacity` headers in a row, each with room for an address, ancillary data and its own data, for sendmmsg(2) and
 * recvmmsg(2). The addresses are written once, when it is made.
 */
export class BatchArena {
  readonly capacity: number;
  readonly headers: Uint8Array;
  /** `slotBytes` for the data of each message. */
  readonly data: Uint8Array;
  readonly names: Uint8Array;
  readonly controls: Uint8Array;
  readonly slotBytes: number;
  readonly controlBytes: number;
  readonly #view: DataView;
  readonly #words: Uint32Array;
  readonly #iovecs: Uint8Array;
  readonly #iovecView: DataView;
  readonly #dataAddress: bigint;
  readonly #controlAddress: bigint;
  readonly #nameAddress: bigint;
  readonly #pins: (Uint8Array | undefined)[] = [];

  constructor(capacity: number, slotBytes: number, controlBytes: number) {
    this.capacity = capacity;
    this.slotBytes = slotBytes;
    this.controlBytes = controlBytes;
    this.headers = new Uint8Array(capacity * MMSGHDR_BYTES);
    this.data = new Uint8Array(capacity * slotBytes);
    this.names = new Uint8Array(capacity * NAME_BYTES);
    this.controls = new Uint8Array(capacity * controlBytes);
    this.#iovecs = new Uint8Array(capacity * IOVEC_BYTES);
    this.#view = new DataView(this.headers.buffer);
    this.#words = new Uint32Array(this.headers.buffer);
    this.#iovecView = new DataView(this.#iovecs.buffer);
    this.#dataAddress = native().address(this.data);
    this.#controlAddress = native().address(this.controls);
    this.#nameAddress = native().address(this.names);
    const iovecAddress = native().address(this.#iovecs);
    for (let index = 0; index < capacity; index += 1) {
      const at = index * MMSGHDR_BYTES;
      this.#view.setBigUint64(at + IOV, iovecAddress + BigInt(index * IOVEC_BYTES), true);
      this.#view.setBigUint64(at + IOVLEN, 1n, true);
    }
  }

  /** Readies all headers to receive: every field that the kernel overwrote is written anew. */
  prepareReceive(count: number, controlBytes: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#pointName(index, index * NAME_BYTES, NAME_BYTES);
      this.#pointControl(index, controlBytes);
      this.#pointSlot(index, this.slotBytes);
    }
  }

  /** How many bytes message `index` brought. */
  length(index: number): number {
    return this.#words[(index * MMSGHDR_BYTES + MESSAGE_LENGTH) >> 2] as number;
  }

  flags(index: number): number {
    return this.#words[(index * MMSGHDR_BYTES + FLAGS) >> 2] as number;
  }

  controlLength(index: number): number {
    return this.#words[(index * MMSGHDR_BYTES + CONTROLLEN) >> 2] as number;
  }

  nameLength(index: number): number {
    return this.#words[(index * MMSGHDR_BYTES + NAMELEN) >> 2] as number;
  }

  /** Readies header `index` to send `data`: a small packet is copied into its slot, a large one pinned where it is. */
  send(index: number, data: Uint8Array, name: Uint8Array | undefined, control: Uint8Array | undefined): void {
    if (data.length <= this.slotBytes) {
      this.data.set(data, index * this.slotBytes);
      this.#pointSlot(index, data.length);
    } else {
      this.#pins[index] = data;
      this.#iovecView.setBigUint64(index * IOVEC_BYTES, native().address(data), true);
      this.#iovecView.setUint32(index * IOVEC_BYTES + 8, data.length, true);
    }
    if (name !== undefined) this.names.set(name, index * NAME_BYTES);
    this.#pointName(index, index * NAME_BYTES, name?.length ?? 0);
    if (control !== undefined) this.controls.set(control, index * this.controlBytes);
    this.#pointControl(index, control?.length ?? 0);
  }

  done(): void {
    this.#pins.length = 0;
  }

  #pointSlot(index: number, bytes: number): void {
    this.#iovecView.setBigUint64(
      index * IOVEC_BYTES,
      this.#dataAddress + BigInt(index * this.slotBytes),
      true,
    );
    this.#iovecView.setUint32(index * IOVEC_BYTES + 8, bytes, true);
  }

  #pointName(index: number, offset: number, bytes: number): void {
    const at = index * MMSGHDR_BYTES;
    this.#view.setBigUint64(at + NAME, bytes === 0 ? 0n : this.#nameAddress + BigInt(offset), true);
    this.#view.setUint32(at + NAMELEN, bytes, true);
  }

  #pointControl(index: number, bytes: number): void {
    const at = index * MMSGHDR_BYTES;
    const address = this.#controlAddress + BigInt(index * this.controlBytes);
    this.#view.setBigUint64(at + CONTROL, bytes === 0 ? 0n : address, true);
    this.#view.setUint32(at + CONTROLLEN, bytes, true);
    this.#view.setInt32(at + FLAGS, 0, true);
  }
}
