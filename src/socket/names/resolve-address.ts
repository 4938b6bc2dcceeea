/** Addresses whose host, service or interface is a name, made into a `struct sockaddr`. */
import { AF_INET, AF_INET6, AF_PACKET, SOCK_DGRAM, SOCK_STREAM } from "../constants.js";
import { encodeInet, inet4Of, inetParts } from "../sockaddr/inet.js";
import { encodeInet6, type Inet6Parts, inet6Of, inet6Parts, joinScope } from "../sockaddr/inet6.js";
import { encodePacket } from "../sockaddr/link.js";
import { parsePort } from "../sockaddr/parts.js";
import { encodeAddress } from "../sockaddr.js";
import type { AddressLike, Inet6Address } from "../types.js";
import { parseAton } from "./inet-text.js";
import { ifNameToIndex } from "./interfaces.js";
import { getaddrinfoSteps } from "./resolve.js";
import { getservbyname } from "./services.js";
import { type LookupOptions, runAsync, runSync, type Steps } from "./steps.js";

/**
 * The `struct sockaddr` of any address: at once where it is numeric, else a promise of the first one that the resolver
 * answers with. Throws `LocalProtocolError` at once for an address that is not of the family's form; the promise rejects
 * with `NameError`, `DeadlineError` or the signal's reason.
 */
export function resolveAddress(
  family: number,
  type: number,
  address: AddressLike,
  options: LookupOptions = {},
): Uint8Array | Promise<Uint8Array> {
  return (
    encodeAddress(family, address) ?? runAsync(addressSteps(family, type, address), "getaddrinfo", options)
  );
}

/** {@link resolveAddress}, waiting on this thread. */
export function resolveAddressSync(family: number, type: number, address: AddressLike): Uint8Array {
  return encodeAddress(family, address) ?? runSync(addressSteps(family, type, address));
}

/** The steps of {@link resolveAddress}: none for an address that is numeric. */
export function* addressSteps(family: number, type: number, address: AddressLike): Steps<Uint8Array> {
  const known = encodeAddress(family, address);
  if (known !== undefined) return known;
  if (family === AF_INET) return yield* inetSteps(type, address);
  if (family === AF_INET6) return yield* inet6Steps(type, address);
  if (family === AF_PACKET) return packetByName(address as readonly unknown[]);
  throw new TypeError(`no look-up is defined for family ${family}`);
}

function* inetSteps(type: number, address: AddressLike): Steps<Uint8Array> {
  const { host, port } = inetParts(address);
  const number = portNumber(port, type);
  return encodeInet(inet4Of(host) ?? parseAton((yield* firstAddress(AF_INET, host as string))[0]), number);
}

function* inet6Steps(type: number, address: AddressLike): Steps<Uint8Array> {
  const parts = inet6Parts(address);
  const port = portNumber(parts.port, type);
  const zone = parts.zone === undefined ? parts.scopeId : zoneScope(parts, parts.zone);
  const bytes = inet6Of(parts.host);
  if (bytes !== undefined) return encodeInet6(bytes, port, parts.flowinfo, zone);
  const [host, , , scopeId] = yield* firstAddress(AF_INET6, parts.host);
  return encodeInet6(inet6Of(host) as Uint8Array, port, parts.flowinfo, zone || scopeId);
}

function zoneScope(parts: Inet6Parts, zone: string): number {
  return joinScope(parts, /^\d{1,10}$/.test(zone) ? Number(zone) : ifNameToIndex(zone));
}

/** The type only keeps libc from giving each address three times; some types it would refuse. */
function* firstAddress(family: number, host: string): Steps<Inet6Address> {
  const [first] = yield* getaddrinfoSteps(host, null, { family, type: SOCK_DGRAM });
  return first?.address as Inet6Address;
}

function packetByName([name, ...rest]: readonly unknown[]): Uint8Array {
  return encodePacket([ifNameToIndex(name as string), ...rest]);
}

function portNumber(port: unknown, type: number): number {
  return parsePort(port) ?? getservbyname(port as string, protocolOf(type));
}

function protocolOf(type: number): string | undefined {
  if (type === SOCK_STREAM) return "tcp";
  return type === SOCK_DGRAM ? "udp" : undefined;
}
