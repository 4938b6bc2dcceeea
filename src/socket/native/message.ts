/**
 * `struct msghdr`, `mmsghdr`, `iovec` and `cmsghdr` (LP64, little-endian, glibc and musl alike).
 *
 * The memory of a call is laid out in arenas that live as long as the thread, and every buffer whose address stands
 * in one is pinned on it until the call is over: the garbage collector knows nothing of addresses.
 */
import { inspect } from "node:util";
import { LocalProtocolError } from "../../core/errors.js";
import type { AncillaryItem } from "../types.js";
import { native } from "./index.js";
import { linux } from "./linux.js";

/** struct cmsghdr { size_t len; int level; int type }: the data follow, padded to eight bytes. */
const CMSG_HEADER_BYTES = 16;
const MSGHDR_BYTES = 56;
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
const NAME_BYTES = 128;

/** What socklen_t holds everywhere, and so the largest control buffer. */
const MAX_CONTROL_BYTES = 0x7fffffff;

// Offsets in struct msghdr; in struct mmsghdr the message's length follows at 56.
const NAME = 0;
const NAMELEN = 8;
const IOV = 16;
const IOVLEN = 24;
const CONTROL = 32;
const CONTROLLEN = 40;
const FLAGS = 48;
const MESSAGE_LENGTH = 56;
const MMSGHDR_WORDS: number = MMSGHDR_BYTES / 4;

/**
 * How many bytes an ancillary datum of `dataBytes` takes, without the padding behind it (RFC 3542 section 20.3.2).
 * Throws {@link LocalProtocolError} for a size that is none, or beyond 2 GiB.
 */
export function cmsgLen(dataBytes: number): number {
  return CMSG_HEADER_BYTES + checkSize(dataBytes, MAX_CONTROL_BYTES - CMSG_HEADER_BYTES);
}

/**
 * How many bytes an ancillary datum of `dataBytes` takes with its padding (RFC 3542 section 20.3.2).
 * Throws {@link LocalProtocolError} for a size that is none, or beyond 2 GiB.
 */
export function cmsgSpace(dataBytes: number): number {
  return CMSG_HEADER_BYTES + padded(checkSize(dataBytes, MAX_CONTROL_BYTES - CMSG_HEADER_BYTES - 8));
}

function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

function checkSize(dataBytes: number, max: number): number {
  if (Number.isInteger(dataBytes) && dataBytes >= 0 && dataBytes <= max) return dataBytes;
  throw new LocalProtocolError(
    `the size of ancillary data is an integer from 0 to ${max}, not ${inspect(dataBytes, { depth: 1 })}`,
  );
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

/**
 * The ancillary data in the first `length` bytes of a control buffer. A datum that was cut short (MSG_CTRUNC) has the
 * bytes that there was room for; of descriptors, the whole ones.
 */
export function decodeAncillary(control: Uint8Array, length: number): AncillaryItem[] {
  const items: AncillaryItem[] = [];
  const view = new DataView(control.buffer, control.byteOffset, control.length);
  let offset = 0;
  while (offset + CMSG_HEADER_BYTES <= length) {
    // musl declares cmsg_len with 32 bits and padding: only those are read.
    const cmsgBytes = view.getUint32(offset, true);
    if (cmsgBytes < CMSG_HEADER_BYTES) break;
    const level = view.getInt32(offset + 8, true);
    const type = view.getInt32(offset + 12, true);
    const start = offset + CMSG_HEADER_BYTES;
    const dataBytes = Math.min(cmsgBytes - CMSG_HEADER_BYTES, length - start);
    items.push({ level, type, data: control.slice(start, start + wholeBytes(level, type, dataBytes)) });
    offset = start + padded(dataBytes);
  }
  return items;
}

/** Half a descriptor's number is another descriptor's. */
function wholeBytes(level: number, type: number, dataBytes: number): number {
  return level === linux.SOL_SOCKET && type === linux.SCM_RIGHTS ? dataBytes & ~3 : dataBytes;
}

/** A `struct msghdr` with what it points to, for sendmsg(2) and recvmsg(2). Used by one call at a time. */
export class MessageArena {
  readonly header: Uint8Array = new Uint8Array(MSGHDR_BYTES);
  readonly name: Uint8Array = new Uint8Array(NAME_BYTES);
  /** Where ancillary data are received. Those to be sent stay where they are: a message that waits is sent later. */
  control: Uint8Array = new Uint8Array(0);
  readonly #view: DataView = new DataView(this.header.buffer);
  readonly #nameAddress: bigint = native().address(this.name);
  #iovecs: Uint8Array = new Uint8Array(0);
  /** Kept for the garbage collector's eyes alone. */
  protected pins: readonly Uint8Array[] = [];
  protected pinnedControl: Uint8Array | undefined;

  /** Points the header at `buffers` and `control`; they stay pinned until {@link MessageArena.done}. */
  point(buffers: readonly Uint8Array[], nameBytes: number, control: Uint8Array, controlBytes: number): void {
    const view = this.#view;
    this.pins = buffers;
    this.pinnedControl = control;
    this.#pointIovecs(buffers);
    view.setBigUint64(NAME, nameBytes === 0 ? 0n : this.#nameAddress, true);
    view.setUint32(NAMELEN, nameBytes, true);
    view.setBigUint64(CONTROL, controlBytes === 0 ? 0n : native().address(control), true);
    view.setBigUint64(CONTROLLEN, BigInt(controlBytes), true);
    view.setInt32(FLAGS, 0, true);
  }

  /** Readies the header to receive an address and `controlBytes` of ancillary data. */
  prepareReceive(buffers: readonly Uint8Array[], controlBytes: number): void {
    if (this.control.length < controlBytes) this.control = new Uint8Array(controlBytes);
    this.point(buffers, NAME_BYTES, this.control, controlBytes);
  }

  /** Readies the header to send. */
  prepareSend(buffers: readonly Uint8Array[], name: Uint8Array | undefined, control: Uint8Array): void {
    if (name !== undefined) this.name.set(name);
    this.point(buffers, name?.length ?? 0, control, control.length);
  }

  done(): void {
    this.pins = [];
    this.pinnedControl = undefined;
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
 * recvmmsg(2). The pointers are written once, when it is made, and per message only lengths: a pointer is a bigint,
 * which took a third of the time of a receiver under a flood. (The kernel does not look at a pointer of length 0.)
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
  readonly #words: Uint32Array;
  readonly #iovecs: BigUint64Array;
  readonly #iovecWords: Uint32Array;
  readonly #dataAddress: bigint;
  readonly #nameViews: readonly Uint8Array[];
  /** The large packets that stand in a header instead of its slot. */
  readonly #pins: (Uint8Array | undefined)[] = [];

  constructor(capacity: number, slotBytes: number, controlBytes: number) {
    this.capacity = capacity;
    this.slotBytes = slotBytes;
    this.controlBytes = controlBytes;
    this.headers = new Uint8Array(capacity * MMSGHDR_BYTES);
    this.data = new Uint8Array(capacity * slotBytes);
    this.names = new Uint8Array(capacity * NAME_BYTES);
    this.controls = new Uint8Array(capacity * controlBytes);
    this.#iovecs = new BigUint64Array(capacity * (IOVEC_BYTES / 8));
    this.#words = new Uint32Array(this.headers.buffer);
    this.#iovecWords = new Uint32Array(this.#iovecs.buffer);
    this.#dataAddress = native().address(this.data);
    this.#nameViews = Array.from({ length: capacity }, (_, index) =>
      this.names.subarray(index * NAME_BYTES, (index + 1) * NAME_BYTES),
    );
    for (let index = 0; index < capacity; index += 1) this.#pointSlot(index);
    this.#pointHeaders();
  }

  /** Readies all headers to receive: every field that the kernel overwrote is written anew. */
  prepareReceive(count: number, controlBytes: number): void {
    const words = this.#words;
    for (let index = 0; index < count; index += 1) {
      const at = index * MMSGHDR_WORDS;
      words[at + NAMELEN / 4] = NAME_BYTES;
      words[at + CONTROLLEN / 4] = controlBytes;
      words[at + FLAGS / 4] = 0;
    }
  }

  /** How many bytes message `index` brought. */
  length(index: number): number {
    return this.#words[index * MMSGHDR_WORDS + MESSAGE_LENGTH / 4] as number;
  }

  /** Where message `index` came from: a `struct sockaddr` of {@link BatchArena.nameLength} bytes. */
  name(index: number): Uint8Array {
    return this.#nameViews[index] as Uint8Array;
  }

  flags(index: number): number {
    return this.#words[index * MMSGHDR_WORDS + FLAGS / 4] as number;
  }

  controlLength(index: number): number {
    return this.#words[index * MMSGHDR_WORDS + CONTROLLEN / 4] as number;
  }

  nameLength(index: number): number {
    return this.#words[index * MMSGHDR_WORDS + NAMELEN / 4] as number;
  }

  /** Readies header `index` to send `data`: a small packet is copied into its slot, a large one pinned where it is. */
  send(index: number, data: Uint8Array, name: Uint8Array | undefined, control: Uint8Array | undefined): void {
    this.#unpin(index);
    if (data.length <= this.slotBytes) this.data.set(data, index * this.slotBytes);
    else this.#pin(index, data);
    if (name !== undefined) this.names.set(name, index * NAME_BYTES);
    if (control !== undefined) this.controls.set(control, index * this.controlBytes);
    const at = index * MMSGHDR_WORDS;
    this.#iovecWords[index * (IOVEC_BYTES / 4) + 2] = data.length;
    this.#words[at + NAMELEN / 4] = name?.length ?? 0;
    this.#words[at + CONTROLLEN / 4] = control?.length ?? 0;
    this.#words[at + FLAGS / 4] = 0;
  }

  /** Lets large packets go. */
  done(): void {
    for (let index = 0; index < this.#pins.length; index += 1) this.#unpin(index);
    this.#pins.length = 0;
  }

  #pin(index: number, data: Uint8Array): void {
    this.#pins[index] = data;
    this.#iovecs[index * (IOVEC_BYTES / 8)] = native().address(data);
  }

  #unpin(index: number): void {
    if (this.#pins[index] === undefined) return;
    this.#pins[index] = undefined;
    this.#pointSlot(index);
  }

  #pointSlot(index: number): void {
    this.#iovecs[index * (IOVEC_BYTES / 8)] = this.#dataAddress + BigInt(index * this.slotBytes);
    this.#iovecWords[index * (IOVEC_BYTES / 4) + 2] = this.slotBytes;
  }

  #pointHeaders(): void {
    const headers = new BigUint64Array(this.headers.buffer);
    const iovecs = native().address(new Uint8Array(this.#iovecs.buffer));
    const names = native().address(this.names);
    const controls = native().address(this.controls);
    for (let index = 0; index < this.capacity; index += 1) {
      const at = index * (MMSGHDR_BYTES / 8);
      headers[at + NAME / 8] = names + BigInt(index * NAME_BYTES);
      headers[at + IOV / 8] = iovecs + BigInt(index * IOVEC_BYTES);
      headers[at + IOVLEN / 8] = 1n;
      headers[at + CONTROL / 8] = controls + BigInt(index * this.controlBytes);
    }
  }
}
