/** The plain data of level 1: addresses by family, call options, and what the calls return. */

declare const familyName: unique symbol;

/**
 * An address family such as `AF_INET`. Its number differs between platforms; its name is in the type, so that a
 * `Socket<AF_UNIX>` takes a path and a `Socket<AF_INET>` takes a host and a port.
 */
export type Family<Name extends string = string> = number & { readonly [familyName]?: Name };

/** The type of the constant `AF_INET`. */
export type AfInet = Family<"inet"> & { readonly [familyName]?: "inet" };
/** The type of the constant `AF_INET6`. */
export type AfInet6 = Family<"inet6"> & { readonly [familyName]?: "inet6" };
/** The type of the constant `AF_UNIX`. */
export type AfUnix = Family<"unix"> & { readonly [familyName]?: "unix" };

/** The type of the constant `AF_NETLINK`. */
export type AfNetlink = Family<"netlink"> & { readonly [familyName]?: "netlink" };
/** The type of the constant `AF_VSOCK`. */
export type AfVsock = Family<"vsock"> & { readonly [familyName]?: "vsock" };
/** The type of the constant `AF_PACKET`. */
export type AfPacket = Family<"packet"> & { readonly [familyName]?: "packet" };

/**
 * A host: a name, a dotted quad, an IPv6 address (with a `%zone`), `""` for INADDR_ANY, `"<broadcast>"` for
 * INADDR_BROADCAST, or an integer in host byte order (`0x7f000001` is 127.0.0.1).
 */
export type Host = string | number;

/** A port: a number from 0 to 65535, its digits as a string, or a service name such as `"http"`. */
export type Port = number | string;

/** An AF_INET address as the calls take it. */
export type InetAddressLike =
  | readonly [host: Host, port: Port]
  | { readonly host: Host; readonly port: Port };

/** An AF_INET6 address as the calls take it: flow information and scope id are 0 unless given. */
export type Inet6AddressLike =
  | readonly [host: Host, port: Port]
  | readonly [host: Host, port: Port, flowinfo: number]
  | readonly [host: Host, port: Port, flowinfo: number, scopeId: number]
  | {
      readonly host: Host;
      readonly port: Port;
      readonly flowinfo?: number;
      readonly scopeId?: number;
    };

/** An AF_UNIX address: a path, or bytes. Bytes that begin with NUL are an abstract name; `""` autobinds. */
export type UnixAddressLike = string | Uint8Array;

/** An AF_NETLINK address, or the bytes of its `struct sockaddr`. */
export type NetlinkAddressLike = readonly [pid: number, groups: number] | Uint8Array;
/** An AF_VSOCK address, or the bytes of its `struct sockaddr`. */
export type VsockAddressLike = readonly [cid: number, port: number] | Uint8Array;
/**
 * An AF_PACKET address: an interface by name or index, an ethernet protocol in host byte order, and where needed a
 * packet type, a hardware type and a hardware address. Or the bytes of its `struct sockaddr`.
 */
export type PacketAddressLike =
  | readonly [link: string | number, protocol: number]
  | readonly [link: string | number, protocol: number, packetType: number]
  | readonly [link: string | number, protocol: number, packetType: number, hardwareType: number]
  | readonly [
      link: string | number,
      protocol: number,
      packetType: number,
      hardwareType: number,
      hardwareAddress: Uint8Array,
    ]
  | Uint8Array;

/** An AF_INET address as the calls return it. */
export type InetAddress = [host: string, port: number];
/** An AF_INET6 address as the calls return it. */
export type Inet6Address = [host: string, port: number, flowinfo: number, scopeId: number];
/** An AF_UNIX address as the calls return it: a path, `""` when unnamed, bytes when abstract or not UTF-8. */
export type UnixAddress = string | Uint8Array;

/** An AF_NETLINK address as the calls return it. */
export type NetlinkAddress = [pid: number, groups: number];
/** An AF_VSOCK address as the calls return it. */
export type VsockAddress = [cid: number, port: number];

/** Any address as the calls take it. Families without a form of their own take the bytes of a `struct sockaddr`. */
export type AddressLike =
  | InetAddressLike
  | Inet6AddressLike
  | UnixAddressLike
  | NetlinkAddressLike
  | VsockAddressLike
  | PacketAddressLike;
/** Any address as the calls return it. Families without a form of their own return the bytes of a `struct sockaddr`. */
export type Address = InetAddress | Inet6Address | UnixAddress | NetlinkAddress | VsockAddress;

/** What a socket of family `F` takes as an address. */
export type AddressFor<F extends Family> = AddressForms[FamilyName<F>]["takes"];

/** What a socket of family `F` returns as an address. */
export type AddressFrom<F extends Family> = AddressForms[FamilyName<F>]["gives"];

/** The name in a family's type; `string` when only its number is known. */
export type FamilyName<F extends Family> = (F & { readonly [familyName]?: string })[typeof familyName] &
  string;

/** How a family writes its addresses. */
export interface AddressForm<Takes, Gives> {
  readonly takes: Takes;
  readonly gives: Gives;
}

/** The forms by the family's name. */
// A table and not a chain of conditional types: through a table a Socket<AfInet> is also a Socket.
export interface AddressForms {
  readonly [other: string]: AddressForm<AddressLike, Address>;
  readonly inet: AddressForm<InetAddressLike, InetAddress>;
  readonly inet6: AddressForm<Inet6AddressLike, Inet6Address>;
  readonly unix: AddressForm<UnixAddressLike, UnixAddress>;
  readonly netlink: AddressForm<NetlinkAddressLike, NetlinkAddress>;
  readonly vsock: AddressForm<VsockAddressLike, VsockAddress>;
  readonly packet: AddressForm<PacketAddressLike, Uint8Array>;
}

/** What every waiting call takes. */
export interface WaitOptions {
  /** Ends the wait: the call rejects with `signal.reason`, and the socket is as usable as before. */
  readonly signal?: AbortSignal;
  /** How long to wait, in milliseconds: null for ever, 0 not at all. Default: the socket's `timeoutMs`. */
  readonly timeoutMs?: number | null;
}

/** What every call that moves bytes takes. */
export interface TransferOptions extends WaitOptions {
  /** MSG_ flags, ORed together. Default: 0. */
  readonly flags?: number;
}

/** MSG_ flags as a plain number, as in C and Python, or as options. */
export type How = number | TransferOptions;

/** One ancillary datum (`struct cmsghdr`): what `recvmsg` received beside the bytes. */
export interface AncillaryItem {
  /** SOL_SOCKET, IPPROTO_IP, … */
  readonly level: number;
  /** SCM_RIGHTS, IP_PKTINFO, … */
  readonly type: number;
  readonly data: Uint8Array;
}

/** An ancillary datum as the calls take it: as an object, or as Python's triple. */
export type AncillaryLike = AncillaryItem | readonly [level: number, type: number, data: Uint8Array];

/** What `recvmsgInto` returns. */
export interface MessageInfo<F extends Family = Family> {
  /** How many bytes the buffers hold. With MSG_TRUNC asked for, the datagram's real length may be larger. */
  readonly bytes: number;
  readonly ancillary: AncillaryItem[];
  /** MSG_TRUNC: the datagram was longer; MSG_CTRUNC: ancillary data was lost; MSG_EOR: a record ended; … */
  readonly flags: number;
  /** Where it came from; undefined on a TCP connection. A Unix stream tells its peer's name, if that has one. */
  readonly address: AddressFrom<F> | undefined;
}

/** What `recvmsg` returns. */
export interface Message<F extends Family = Family> extends Omit<MessageInfo<F>, "bytes"> {
  readonly data: Uint8Array;
}

/** One packet of `recvMany`. */
export interface ReceivedPacket<F extends Family = Family> extends Message<F> {
  /** UDP_GRO joined several datagrams into `data`: this is the length of each but perhaps the last, in bytes. */
  readonly segmentBytes?: number;
}

/** One packet for `sendMany`. */
export interface OutgoingPacket<F extends Family = Family> {
  readonly data: Uint8Array;
  /** Where to; unless given, that of the call, else the connected peer. */
  readonly address?: AddressFor<F>;
  /** UDP_SEGMENT: the kernel cuts `data` into datagrams of this many bytes (at most 64 of them, 65,507 bytes in all). */
  readonly segmentBytes?: number;
  readonly ancillary?: Iterable<AncillaryLike>;
}
