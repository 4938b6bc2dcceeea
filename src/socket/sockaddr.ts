/**
 * Addresses to `struct sockaddr` and back: pure, no system call. Where a name would have to be looked up,
 * {@link encodeAddress} answers `undefined` and `names/resolve-address.ts` takes over.
 */
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_VSOCK } from "./constants.js";
import { formatInet4 } from "./names/inet-text.js";
import { decodeInet, encodeInetAddress } from "./sockaddr/inet.js";
import { decodeInet6, encodeInet6Address } from "./sockaddr/inet6.js";
import { encodeNetlink, encodePacketAddress, encodeRaw, encodeVsock } from "./sockaddr/link.js";
import { familyOf, isBytes, MAX_UINT32, readUint32, show } from "./sockaddr/parts.js";
import { decodeUnix, encodeUnix } from "./sockaddr/unix.js";
import type { Address, AddressLike } from "./types.js";

export {
  checkBoolean,
  checkInt,
  checkName,
  checkObject,
  checkSignal,
  familyOf,
  isBytes,
  isInt,
  listOf,
  SOCKADDR_BYTES,
  show,
} from "./sockaddr/parts.js";

const looseUtf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The `struct sockaddr` of an address, or `undefined` when a host, service or interface name must be looked up first.
 * Throws {@link LocalProtocolError} when the address is not of the family's form.
 */
export function encodeAddress(family: number, address: AddressLike): Uint8Array | undefined {
  switch (family) {
    case AF_INET:
      return encodeInetAddress(address);
    case AF_INET6:
      return encodeInet6Address(address);
    case AF_UNIX:
      return encodeUnix(address);
    case AF_NETLINK:
      return encodeNetlink(address);
    case AF_VSOCK:
      return encodeVsock(address);
    case AF_PACKET:
      return encodePacketAddress(address);
    default:
      return encodeRaw(family, address);
  }
}

/**
 * The address in the first `length` bytes of a `struct sockaddr` that a call filled: `[host, port]`,
 * `[host, port, flowinfo, scopeId]`, a path or abstract name (`""` when there is none, as for length 0),
 * `[pid, groups]`, `[cid, port]`, and for every other family a copy of the bytes.
 */
export function decodeAddress(bytes: Uint8Array, length: number): Address {
  if (length < 2) return "";
  switch (familyOf(bytes)) {
    case AF_INET:
      return decodeInet(bytes);
    case AF_INET6:
      return decodeInet6(bytes);
    case AF_UNIX:
      return decodeUnix(bytes, length);
    case AF_NETLINK:
      return [readUint32(bytes, 4), readUint32(bytes, 8)];
    case AF_VSOCK:
      return [readUint32(bytes, 8), readUint32(bytes, 4)];
    default:
      return bytes.slice(0, length);
  }
}

/** An address as people write it: `127.0.0.1:80`, `[::1]:80`, a path, `@abstract`. Error messages use it. */
export function describeAddress(address: unknown): string {
  if (typeof address === "string") return describeName(address);
  if (isBytes(address)) return describeName(looseUtf8.decode(address));
  const [host, port] = Array.isArray(address) ? address : [Object(address).host, Object(address).port];
  const hostText = describeHost(host);
  return hostText === undefined || !isPort(port) ? show(address) : `${hostText}:${port}`;
}

function describeName(name: string): string {
  const text = name.startsWith("\0") ? `@${name.slice(1)}` : name;
  return text.replace(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Small integers are the process ids and context ids of other families rather than hosts. */
function describeHost(host: unknown): string | undefined {
  if (typeof host === "number") return host > 0xffff && host <= MAX_UINT32 ? formatInet4(host) : `${host}`;
  if (typeof host !== "string") return undefined;
  if (host === "") return "*";
  return host.includes(":") ? `[${host}]` : host;
}

function isPort(port: unknown): port is string | number {
  return typeof port === "number" || typeof port === "string";
}
