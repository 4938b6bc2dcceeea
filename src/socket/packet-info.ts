/** What rides beside a datagram as ancillary data: addresses, interface, TTL, TOS, segment length, ICMP errors. */
import { ancillaryItems } from "./ancillary.js";
import * as c from "./constants.js";
import { checkCount } from "./handle.js";
import { type Interface, interfaceIndex } from "./ip-options.js";
import { inetNtop, inetPton } from "./names/inet.js";
import { checkInt, checkObject, decodeAddress } from "./sockaddr.js";
import type { Address, AncillaryItem } from "./types.js";

/** What a received datagram tells of itself, each field if the socket was asked for it. */
export interface PacketInfo {
  /** The address that the datagram was sent to: answer from it on a machine with several. */
  readonly destination?: string;
  /** The interface that it came in by. */
  readonly interfaceIndex?: number;
  /** The TTL or hop limit that was left. */
  readonly ttl?: number;
  /** The TOS or traffic class byte. */
  readonly tos?: number;
  /** The ECN bits of `tos` (RFC 3168). */
  readonly ecn?: number;
  /** UDP_GRO: the length of each joined datagram but perhaps the last, in bytes. */
  readonly segmentBytes?: number;
}

/** What a datagram to be sent may ask for. */
export interface PacketControl {
  /** The local address to send from. */
  readonly source?: string | undefined;
  /** The interface to send by: its index, name or address. */
  readonly interface?: Interface | undefined;
  readonly ttl?: number | undefined;
  readonly tos?: number | undefined;
  /** UDP_SEGMENT: cut the data into datagrams of this many bytes. */
  readonly segmentBytes?: number | undefined;
}

/** One entry of the error queue: `struct sock_extended_err`. */
export interface ExtendedError {
  readonly errno: number;
  /** SO_EE_ORIGIN_LOCAL, SO_EE_ORIGIN_ICMP, … */
  readonly origin: number;
  /** The ICMP type. */
  readonly type: number;
  /** The ICMP code. */
  readonly code: number;
  /** The path MTU for EMSGSIZE. */
  readonly info: number;
  readonly data: number;
  /** Who sent the ICMP message. */
  readonly offender: Address | undefined;
}

/** The least length of the datum, in bytes, and how it reads. */
type Reader = readonly [minBytes: number, read: (data: DataView, bytes: Uint8Array) => PacketInfo];

const tosFields = (tos: number): PacketInfo => ({ tos, ecn: tos & 3 });
const unread: Reader = [0, () => ({})];

/** How each ancillary type reads, by `level:type`. */
const readers: Record<string, Reader> = {
  // struct in_pktinfo { int ifindex; in_addr spec_dst; in_addr addr }
  [`${c.IPPROTO_IP}:${c.IP_PKTINFO}`]: [
    12,
    (view, bytes) => ({
      interfaceIndex: view.getInt32(0, true),
      destination: inetNtop(c.AF_INET, bytes.subarray(8, 12)),
    }),
  ],
  // struct in6_pktinfo { in6_addr addr; int ifindex }
  [`${c.IPPROTO_IPV6}:${c.IPV6_PKTINFO}`]: [
    20,
    (view, bytes) => ({
      destination: inetNtop(c.AF_INET6, bytes.subarray(0, 16)),
      interfaceIndex: view.getInt32(16, true),
    }),
  ],
  [`${c.IPPROTO_IP}:${c.IP_TTL}`]: [4, (view) => ({ ttl: view.getInt32(0, true) })],
  [`${c.IPPROTO_IPV6}:${c.IPV6_HOPLIMIT}`]: [4, (view) => ({ ttl: view.getInt32(0, true) })],
  // IP_RECVTOS brings one byte, IPV6_RECVTCLASS an int.
  [`${c.IPPROTO_IP}:${c.IP_TOS}`]: [1, (view) => tosFields(view.getUint8(0))],
  [`${c.IPPROTO_IPV6}:${c.IPV6_TCLASS}`]: [4, (view) => tosFields(view.getInt32(0, true))],
  [`${c.SOL_UDP}:${c.UDP_GRO}`]: [4, (view) => ({ segmentBytes: view.getInt32(0, true) })],
};

/**
 * Reads the ancillary data of a datagram.
 *
 * @example
 * s.receivePacketInfo = true;
 * const message = await s.recvmsg();
 * await s.sendmsg(reply, packetControl(s.family, { source: packetInfo(message.ancillary).destination }), message.address);
 */
export function packetInfo(ancillary: readonly AncillaryItem[]): PacketInfo {
  let info: PacketInfo = {};
  for (const { level, type, data } of ancillaryItems(ancillary)) {
    const [minBytes, read] = readers[`${level}:${type}`] ?? unread;
    // A datum that was cut short (MSG_CTRUNC) is left out: half a number is worse than none.
    if (data.length < minBytes) continue;
    info = { ...info, ...read(new DataView(data.buffer, data.byteOffset, data.length), data) };
  }
  return info;
}

/**
 * The ancillary data that makes `sendmsg` or `sendMany` obey `control`, for a socket of `family`. TTL and TOS of an
 * AF_INET6 socket are set for both protocols, for it may send to IPv4 as well. Throws {@link LocalProtocolError} for
 * a number out of range, and for a source that is no address of the family.
 */
export function packetControl(family: number, control: PacketControl): AncillaryItem[] {
  const v6 = checkInt(family, "family") === c.AF_INET6;
  checkObject(control, "control");
  const items: AncillaryItem[] = [];
  if (control.source !== undefined || control.interface !== undefined) {
    const level = v6 ? c.IPPROTO_IPV6 : c.IPPROTO_IP;
    items.push({ level, type: v6 ? c.IPV6_PKTINFO : c.IP_PKTINFO, data: sourceInfo(v6, control) });
  }
  if (control.ttl !== undefined)
    items.push(...bothProtocols(v6, c.IPV6_HOPLIMIT, c.IP_TTL, checkCount(control.ttl, "ttl", 0xff)));
  if (control.tos !== undefined)
    items.push(...bothProtocols(v6, c.IPV6_TCLASS, c.IP_TOS, checkCount(control.tos, "tos", 0xff)));
  if (control.segmentBytes !== undefined) items.push(segmentItem(control.segmentBytes));
  return items;
}

/** An int for IPv4, and before it the same for IPv6 where the socket speaks that: the kernel skips what does not apply. */
function bothProtocols(v6: boolean, type6: number, type4: number, value: number): AncillaryItem[] {
  const data = new Uint8Array(Int32Array.of(value).buffer);
  const forIpv4 = { level: c.IPPROTO_IP, type: type4, data };
  return v6 ? [{ level: c.IPPROTO_IPV6, type: type6, data }, forIpv4] : [forIpv4];
}

/** UDP_SEGMENT takes a 16-bit length. */
export function segmentItem(segmentBytes: number): AncillaryItem {
  const value = Uint16Array.of(checkCount(segmentBytes, "segmentBytes", 0xffff));
  return { level: c.SOL_UDP, type: c.UDP_SEGMENT, data: new Uint8Array(value.buffer) };
}

function sourceInfo(v6: boolean, { source, interface: where = 0 }: PacketControl): Uint8Array {
  const data = new Uint8Array(v6 ? 20 : 12);
  new DataView(data.buffer).setInt32(v6 ? 16 : 0, interfaceIndex(where), true);
  if (source !== undefined) data.set(inetPton(v6 ? c.AF_INET6 : c.AF_INET, source), v6 ? 0 : 4);
  return data;
}

/** The cause of a queued error: from the ancillary data of a `recvmsg` with MSG_ERRQUEUE. */
export function extendedError(ancillary: readonly AncillaryItem[]): ExtendedError | undefined {
  const item = ancillaryItems(ancillary).find(
    ({ level, type }) =>
      (level === c.IPPROTO_IP && type === c.IP_RECVERR) ||
      (level === c.IPPROTO_IPV6 && type === c.IPV6_RECVERR),
  );
  if (item === undefined || item.data.length < 16) return undefined;
  const view = new DataView(item.data.buffer, item.data.byteOffset, item.data.length);
  const offender = item.data.subarray(16);
  return {
    errno: view.getUint32(0, true),
    origin: view.getUint8(4),
    type: view.getUint8(5),
    code: view.getUint8(6),
    info: view.getUint32(8, true),
    data: view.getUint32(12, true),
    offender:
      offender.length > 2 && view.getUint16(16, true) !== 0
        ? decodeAddress(offender, offender.length)
        : undefined,
  };
}
