/** Typed options of IP and IPv6, multicast among them. Each picks the option of the socket's family. */
import { networkInterfaces } from "node:os";
import { LocalProtocolError } from "../core/errors.js";
import * as c from "./constants.js";
import { checkCount } from "./handle.js";
import { ifNameToIndex } from "./names/interfaces.js";
import { OptionSocket } from "./options.js";
import { checkName, checkObject, encodeAddress, SOCKADDR_BYTES, show } from "./sockaddr.js";
import type { Family } from "./types.js";

/** Which interface: its name, its index, or one of its addresses. */
export type Interface = string | number;

/** How a multicast group is joined. */
export interface GroupOptions {
  /** Where to listen. Default: the interface that the routing table picks. */
  readonly interface?: Interface;
  /** Source-specific multicast (RFC 4607): only this sender's packets are wanted. */
  readonly source?: string;
}

/** A socket with the options of IP and IPv6. On other families they throw {@link SocketError} ENOPROTOOPT. */
export abstract class IpOptionSocket<F extends Family = Family> extends OptionSocket<F> {
  get #v6(): boolean {
    return this.family === c.AF_INET6;
  }

  get #level(): number {
    return this.#v6 ? c.IPPROTO_IPV6 : c.IPPROTO_IP;
  }

  /** IP_TTL or IPV6_UNICAST_HOPS: how many routers a packet may pass, 1 to 255. */
  get ttl(): number {
    return this.getsockopt(this.#level, this.#v6 ? c.IPV6_UNICAST_HOPS : c.IP_TTL);
  }

  set ttl(hops: number) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_UNICAST_HOPS : c.IP_TTL, hops);
  }

  /** IP_TOS or IPV6_TCLASS: the DSCP in the upper six bits (RFC 2474), ECN in the lower two (RFC 3168). */
  get tos(): number {
    return this.getsockopt(this.#level, this.#v6 ? c.IPV6_TCLASS : c.IP_TOS);
  }

  set tos(value: number) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_TCLASS : c.IP_TOS, checkCount(value, "tos", 0xff));
  }

  /** The ECN bits of `tos`, 0 to 3. TCP negotiates its own: there the kernel ignores them. */
  get ecn(): number {
    return this.tos & 0x3;
  }

  set ecn(value: number) {
    this.tos = (this.tos & 0xfc) | checkCount(value, "ecn", 3);
  }

  /** IP_FREEBIND: an address may be bound before any interface has it. */
  get freeBind(): boolean {
    return this.flag(this.#level, this.#v6 ? c.IPV6_FREEBIND : c.IP_FREEBIND);
  }

  set freeBind(value: boolean) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_FREEBIND : c.IP_FREEBIND, value);
  }

  /** IP_TRANSPARENT: bind addresses of others, for transparent proxies. Needs CAP_NET_ADMIN. */
  get transparent(): boolean {
    return this.flag(this.#level, this.#v6 ? c.IPV6_TRANSPARENT : c.IP_TRANSPARENT);
  }

  set transparent(value: boolean) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_TRANSPARENT : c.IP_TRANSPARENT, value);
  }

  /** IPV6_V6ONLY: an AF_INET6 socket leaves IPv4 alone. */
  get v6Only(): boolean {
    return this.flag(c.IPPROTO_IPV6, c.IPV6_V6ONLY);
  }

  set v6Only(value: boolean) {
    this.setsockopt(c.IPPROTO_IPV6, c.IPV6_V6ONLY, value);
  }

  /**
   * Datagrams bring their destination address, interface, TTL and TOS as ancillary data of `recvmsg` and `recvMany`:
   * read them with {@link packetInfo}. (IP_PKTINFO, IP_RECVTTL, IP_RECVTOS and their IPv6 forms, RFC 3542 section 6.)
   * An AF_INET6 socket that serves IPv4 too tells them of both.
   */
  get receivePacketInfo(): boolean {
    return this.flag(this.#level, this.#v6 ? c.IPV6_RECVPKTINFO : c.IP_PKTINFO);
  }

  set receivePacketInfo(value: boolean) {
    const options = this.#v6
      ? [c.IPV6_RECVPKTINFO, c.IPV6_RECVHOPLIMIT, c.IPV6_RECVTCLASS]
      : [c.IP_PKTINFO, c.IP_RECVTTL, c.IP_RECVTOS];
    for (const option of options) this.setsockopt(this.#level, option, value);
    // IPv4 packets bring their destination in the IPv6 form, but TTL and TOS in their own. Raw sockets get none.
    if (!this.#v6 || this.type === c.SOCK_RAW) return;
    for (const option of [c.IP_RECVTTL, c.IP_RECVTOS]) this.setsockopt(c.IPPROTO_IP, option, value);
  }

  /** IP_RECVERR: ICMP errors are queued with their cause, for `recvmsg` with MSG_ERRQUEUE and {@link extendedError}. */
  get receiveErrors(): boolean {
    return this.flag(this.#level, this.#v6 ? c.IPV6_RECVERR : c.IP_RECVERR);
  }

  set receiveErrors(value: boolean) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_RECVERR : c.IP_RECVERR, value);
  }

  /** UDP_GRO: the kernel joins datagrams of one sender into one, and says how long each was. */
  get gro(): boolean {
    return this.flag(c.SOL_UDP, c.UDP_GRO);
  }

  set gro(value: boolean) {
    this.setsockopt(c.SOL_UDP, c.UDP_GRO, value);
  }

  /**
   * Joins a multicast group, or one source of it.
   *
   * @example s.joinGroup("239.1.2.3", { interface: "lo" })
   */
  joinGroup(group: string, options: GroupOptions = {}): void {
    const { source } = checkObject(options, "options");
    const option = source === undefined ? c.MCAST_JOIN_GROUP : c.MCAST_JOIN_SOURCE_GROUP;
    this.setsockopt(this.#level, option, this.#groupRequest(group, options));
  }

  /** Leaves a group that was joined with the same interface and source. */
  leaveGroup(group: string, options: GroupOptions = {}): void {
    const { source } = checkObject(options, "options");
    const option = source === undefined ? c.MCAST_LEAVE_GROUP : c.MCAST_LEAVE_SOURCE_GROUP;
    this.setsockopt(this.#level, option, this.#groupRequest(group, options));
  }

  /** IP_MULTICAST_TTL or IPV6_MULTICAST_HOPS: how far multicast packets go. Default: 1, the local network. */
  get multicastTtl(): number {
    return this.getsockopt(this.#level, this.#v6 ? c.IPV6_MULTICAST_HOPS : c.IP_MULTICAST_TTL);
  }

  set multicastTtl(hops: number) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_MULTICAST_HOPS : c.IP_MULTICAST_TTL, hops);
  }

  /** IP_MULTICAST_LOOP: this machine's own members hear what it sends. Default: true. */
  get multicastLoop(): boolean {
    return this.flag(this.#level, this.#v6 ? c.IPV6_MULTICAST_LOOP : c.IP_MULTICAST_LOOP);
  }

  set multicastLoop(value: boolean) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_MULTICAST_LOOP : c.IP_MULTICAST_LOOP, value);
  }

  /**
   * IP_MULTICAST_ALL: true (Linux's default) delivers the packets of every group that any socket of this machine has
   * joined; false those of this socket's own groups alone, which is what most programs expect.
   */
  get multicastAll(): boolean {
    return this.flag(this.#level, this.#v6 ? c.IPV6_MULTICAST_ALL : c.IP_MULTICAST_ALL);
  }

  set multicastAll(value: boolean) {
    this.setsockopt(this.#level, this.#v6 ? c.IPV6_MULTICAST_ALL : c.IP_MULTICAST_ALL, value);
  }

  /** IP_MULTICAST_IF: where multicast packets leave. Write-only: Linux does not tell the index back for IPv4. */
  set multicastInterface(value: Interface) {
    const index = interfaceIndex(value);
    if (this.#v6) this.setsockopt(c.IPPROTO_IPV6, c.IPV6_MULTICAST_IF, index);
    else this.setsockopt(c.IPPROTO_IP, c.IP_MULTICAST_IF, ipMreqn(index));
  }

  /** struct group_req { u32 interface; sockaddr_storage group }, and group_source_req with a second address. */
  #groupRequest(group: string, { interface: where = 0, source }: GroupOptions): Uint8Array {
    const request = new Uint8Array(8 + SOCKADDR_BYTES * (source === undefined ? 1 : 2));
    request.set(this.#numeric(group, "group"), 8);
    if (source !== undefined) request.set(this.#numeric(source, "source"), 8 + SOCKADDR_BYTES);
    new DataView(request.buffer).setUint32(0, interfaceIndex(where), true);
    return request;
  }

  #numeric(host: string, what: string): Uint8Array {
    const address = typeof host === "string" ? encodeAddress(this.family, [host, 0]) : undefined;
    if (address === undefined)
      throw new LocalProtocolError(`${what} must be a numeric address, not ${show(host)}`);
    return address;
  }
}

/** struct ip_mreqn { in_addr multiaddr; in_addr address; int ifindex } */
function ipMreqn(index: number): Uint8Array {
  const request = new Uint8Array(12);
  new DataView(request.buffer).setInt32(8, index, true);
  return request;
}

/** The index of an interface given by index, name or address; 0 lets the kernel choose. */
export function interfaceIndex(where: Interface): number {
  if (typeof where === "number") return checkCount(where, "an interface's index", 0x7fffffff);
  checkName(where, "an interface");
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some(({ address }) => address === where)) return ifNameToIndex(name);
  }
  return ifNameToIndex(where);
}
