/** Many packets in one system call: sendMany (sendmmsg, UDP_SEGMENT) and recvMany (recvmmsg, UDP_GRO). */
import { LocalProtocolError } from "../core/errors.js";
import { AF_UNIX, MSG_CMSG_CLOEXEC, MSG_NOSIGNAL, SOL_UDP, UDP_GRO } from "./constants.js";
import { checkBytes, checkCount, flagsOf } from "./handle.js";
import { controlOf, MessagingSocket } from "./messaging.js";
import { errnos } from "./native/errno.js";
import { native } from "./native/index.js";
import { BatchArena, decodeAncillary, encodeAncillary } from "./native/message.js";
import { segmentItem } from "./packet-info.js";
import { directionOf } from "./receiving.js";
import { isBytes, listOf } from "./sockaddr.js";
import type {
  AddressFor,
  AddressLike,
  AncillaryItem,
  Family,
  OutgoingPacket,
  ReceivedPacket,
  TransferOptions,
} from "./types.js";

/** The most packets of one system call; the kernel's own limit is UIO_MAXIOV, 1024. */
const maxBatchPackets = 256;

/** Room for one datagram, whatever its length, joined ones included. */
const receiveSlotBytes = 65536;
const receiveControlBytes = 256;

/** A packet up to this long is copied beside its header: cheaper than pinning it (some 2 KiB is the break-even). */
const sendSlotBytes = 2048;
const sendControlBytes = 256;

let receiveArena: BatchArena | undefined;
let sendArena: BatchArena | undefined;

/** What {@link BatchingSocket.sendMany} takes. */
export interface SendManyOptions<F extends Family = Family> extends TransferOptions {
  /** Where packets go that name no address of their own. Default: the connected peer. */
  readonly address?: AddressFor<F>;
  /** UDP_SEGMENT for packets that set none of their own: the kernel cuts each into datagrams of this many bytes. */
  readonly segmentBytes?: number;
}

/** What {@link BatchingSocket.recvMany} takes. */
export interface RecvManyOptions extends TransferOptions {
  /** Ancillary data are read and returned. Default: only UDP_GRO's segment length is. */
  readonly ancillary?: boolean;
}

/** A packet, ready for its header. */
interface Prepared {
  readonly data: Uint8Array;
  readonly name: Uint8Array | undefined;
  readonly control: Uint8Array | undefined;
}

/** A socket that sends and receives packets in batches. */
export abstract class BatchingSocket<F extends Family = Family> extends MessagingSocket<F> {
  /**
   * Sends packets, 256 in a system call, and returns how many went. That is all of them, unless one failed: then the
   * count says which (`packets[count]`), and sending it again says why. It throws when the first one fails.
   * UDP_SEGMENT cuts a packet of up to 64 segments and 65,507 bytes into datagrams.
   *
   * @example await s.sendMany(packets, { address: ["127.0.0.1", 9999] })
   */
  async sendMany(
    packets: Iterable<Uint8Array | OutgoingPacket<F>>,
    how: number | SendManyOptions<F> = 0,
  ): Promise<number> {
    const flags = flagsOf(how);
    this.handle.check("sendmmsg");
    const batch = new OutgoingBatch<F>(how);
    for (const packet of listOf(packets, packetsForm)) {
      const address = batch.newAddress(packet);
      if (address !== undefined) {
        const name = this.resolve(address);
        batch.resolved(address, name instanceof Promise ? await name : name);
      }
      batch.add(packet);
    }
    return this.handle.perform("writable", "sendmmsg", how, this.#sendingMany(batch.prepared, flags));
  }

  /** {@link BatchingSocket.sendMany}, blocking. */
  sendManySync(
    packets: Iterable<Uint8Array | OutgoingPacket<F>>,
    how: number | SendManyOptions<F> = 0,
  ): number {
    const flags = flagsOf(how);
    this.handle.check("sendmmsg");
    const batch = new OutgoingBatch<F>(how);
    for (const packet of listOf(packets, packetsForm)) {
      const address = batch.newAddress(packet);
      if (address !== undefined) batch.resolved(address, this.resolveSync(address));
      batch.add(packet);
    }
    return this.handle.performSync("writable", "sendmmsg", how, this.#sendingMany(batch.prepared, flags));
  }

  /**
   * Receives what is there, up to `maxPackets` (default 64, at most 256) packets in one system call, waiting for the
   * first. The data of a batch share one allocation.
   */
  recvMany(maxPackets = 64, how: number | RecvManyOptions = 0): Promise<ReceivedPacket<F>[]> {
    try {
      return this.handle.perform(directionOf(how), "recvmmsg", how, this.#receivingMany(maxPackets, how));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** {@link BatchingSocket.recvMany}, blocking. */
  recvManySync(maxPackets = 64, how: number | RecvManyOptions = 0): ReceivedPacket<F>[] {
    return this.handle.performSync(directionOf(how), "recvmmsg", how, this.#receivingMany(maxPackets, how));
  }

  #sendingMany(prepared: readonly Prepared[], flags: number): () => number | undefined {
    let sentPackets = 0;
    return () => {
      while (sentPackets < prepared.length) {
        const sent = this.#sendBatch(prepared, sentPackets, flags);
        if (sent < 0) {
          const errno = native().errno();
          if (errno !== errnos.EAGAIN && sentPackets > 0) return sentPackets;
          return this.handle.again("sendmmsg");
        }
        sentPackets += sent;
      }
      return sentPackets;
    };
  }

  /** One sendmmsg(2). */
  #sendBatch(prepared: readonly Prepared[], from: number, flags: number): number {
    sendArena ??= new BatchArena(maxBatchPackets, sendSlotBytes, sendControlBytes);
    const count = Math.min(prepared.length - from, maxBatchPackets);
    for (let index = 0; index < count; index += 1) {
      const { data, name, control } = prepared[from + index] as Prepared;
      sendArena.send(index, data, name, control);
    }
    const sent = native().sendmmsg(this.handle.fd, sendArena.headers, count, flags | MSG_NOSIGNAL);
    if (sent >= 0) sendArena.done();
    return sent;
  }

  #receivingMany(maxPackets: number, how: number | RecvManyOptions): () => ReceivedPacket<F>[] | undefined {
    const flags = flagsOf(how);
    const ancillary = typeof how === "object" && how.ancillary === true;
    const count = Math.min(checkCount(maxPackets, "maxPackets"), maxBatchPackets);
    // Descriptors that nobody asked for must not be received: they would leak.
    const controlBytes = ancillary || this.family !== AF_UNIX ? receiveControlBytes : 0;
    return () => {
      const arena = receivingArena(count);
      arena.prepareReceive(count, controlBytes);
      const received = native().recvmmsg(
        this.handle.fd,
        arena.headers,
        count,
        flags | MSG_CMSG_CLOEXEC,
        null,
      );
      return received < 0 ? this.handle.again("recvmmsg") : this.#takePackets(arena, received, ancillary);
    };
  }

  /** Copies the packets out of the arena into one allocation. */
  #takePackets(arena: BatchArena, count: number, wantAncillary: boolean): ReceivedPacket<F>[] {
    let totalBytes = 0;
    for (let index = 0; index < count; index += 1)
      totalBytes += Math.min(arena.length(index), receiveSlotBytes);
    const all = new Uint8Array(totalBytes);
    const packets: ReceivedPacket<F>[] = new Array(count);
    let offset = 0;
    for (let index = 0; index < count; index += 1) {
      const bytes = Math.min(arena.length(index), receiveSlotBytes);
      const slot = index * receiveSlotBytes;
      all.set(arena.data.subarray(slot, slot + bytes), offset);
      packets[index] = this.#packet(arena, index, all.subarray(offset, offset + bytes), wantAncillary);
      offset += bytes;
    }
    return packets;
  }

  #packet(arena: BatchArena, index: number, data: Uint8Array, wantAncillary: boolean): ReceivedPacket<F> {
    const address = this.from(arena.name(index), arena.nameLength(index));
    const flags = arena.flags(index) & ~MSG_CMSG_CLOEXEC;
    const controlBytes = arena.controlLength(index);
    if (controlBytes === 0) return { data, address, ancillary: none, flags };
    const controlAt = index * receiveControlBytes;
    const items = decodeAncillary(
      arena.controls.subarray(controlAt, controlAt + receiveControlBytes),
      controlBytes,
    );
    const ancillary = wantAncillary ? items : none;
    const segmentBytes = groBytes(items);
    if (segmentBytes === undefined) return { data, address, ancillary, flags };
    return { data, address, ancillary, flags, segmentBytes };
  }
}

/** The packets of one sendMany. They mostly share their address and segment length: each is encoded once. */
class OutgoingBatch<F extends Family> {
  readonly prepared: Prepared[] = [];
  readonly #shared: Partial<SendManyOptions<F>>;
  #address: AddressLike | undefined;
  #name: Uint8Array | undefined;
  #segmentBytes: number | undefined;
  #control: Uint8Array | undefined;

  constructor(how: number | SendManyOptions<F>) {
    this.#shared = typeof how === "number" ? {} : how;
  }

  /** The address of `packet`, unless it was the last one's too: {@link OutgoingBatch.resolved} is told its bytes. */
  newAddress(packet: Uint8Array | OutgoingPacket<F>): AddressLike | undefined {
    const address = this.#addressOf(packet);
    return address === this.#address ? undefined : address;
  }

  resolved(address: AddressLike, name: Uint8Array): void {
    this.#address = address;
    this.#name = name;
  }

  add(packet: Uint8Array | OutgoingPacket<F>): void {
    const name = this.#addressOf(packet) === undefined ? undefined : this.#name;
    this.prepared.push({ data: dataOf(packet), name, control: this.#controlOf(packet) });
  }

  #addressOf(packet: Uint8Array | OutgoingPacket<F>): AddressLike | undefined {
    return ownOptions(packet).address ?? this.#shared.address;
  }

  #controlOf(packet: Uint8Array | OutgoingPacket<F>): Uint8Array | undefined {
    const own = ownOptions(packet);
    const segmentBytes = own.segmentBytes ?? this.#shared.segmentBytes;
    if (segmentBytes !== this.#segmentBytes) {
      this.#control = segmentBytes === undefined ? undefined : segmentControl(segmentBytes);
      this.#segmentBytes = segmentBytes;
    }
    if (own.ancillary === undefined) return this.#control;
    const control = joined(this.#control, controlOf(own.ancillary));
    if (control.length <= sendControlBytes) return control;
    throw new LocalProtocolError(`a packet's ancillary data take at most ${sendControlBytes} bytes`);
  }
}

const packetsForm = "packets are a list of Uint8Array or { data, … }";
const noOptions = {};

function ownOptions<F extends Family>(
  packet: Uint8Array | OutgoingPacket<F>,
): Partial<Omit<OutgoingPacket<F>, "data">> {
  return isBytes(packet) ? noOptions : Object(packet);
}

const none: AncillaryItem[] = [];

function receivingArena(count: number): BatchArena {
  if (receiveArena === undefined || receiveArena.capacity < count) {
    receiveArena = new BatchArena(Math.max(count, 64), receiveSlotBytes, receiveControlBytes);
  }
  return receiveArena;
}

function groBytes(items: readonly AncillaryItem[]): number | undefined {
  const item = items.find(({ level, type }) => level === SOL_UDP && type === UDP_GRO);
  // Cut short (MSG_CTRUNC), it says nothing.
  if (item === undefined || item.data.length < 4) return undefined;
  return new DataView(item.data.buffer).getInt32(0, true);
}

function segmentControl(segmentBytes: number): Uint8Array {
  return encodeAncillary([segmentItem(segmentBytes)]);
}

function joined(first: Uint8Array | undefined, second: Uint8Array): Uint8Array {
  if (first === undefined) return second;
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function dataOf(packet: Uint8Array | { readonly data: Uint8Array }): Uint8Array {
  return checkBytes(isBytes(packet) ? packet : Object(packet).data, "each packet");
}
