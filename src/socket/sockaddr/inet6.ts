/** AF_INET6: `[host, port, flowinfo, scopeId]`. */
import { LocalProtocolError } from "../../core/errors.js";
import { AF_INET6 } from "../constants.js";
import { formatInet6, parseInet6 } from "../names/inet-text.js";
import type { Inet6Address } from "../types.js";
import {
  checkHost,
  checkRange,
  isHostAndPort,
  LITTLE_ENDIAN,
  MAX_UINT32,
  parsePort,
  portOf,
  show,
  writeFamily,
} from "./parts.js";

const MAX_FLOWINFO = 0xfffff;

/** The `struct sockaddr_in6` of its parts, all in range. */
export function encodeInet6(host: Uint8Array, port: number, flowinfo: number, scopeId: number): Uint8Array {
  const bytes = new Uint8Array(28);
  writeFamily(bytes, AF_INET6);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, port);
  view.setUint32(4, flowinfo);
  bytes.set(host, 8);
  view.setUint32(24, scopeId, LITTLE_ENDIAN);
  return bytes;
}

/** An AF_INET6 address in parts: form, flow information and scope id are checked, host and port are not. */
export interface Inet6Parts {
  readonly host: string;
  /** The text behind `%`, where the host has one. */
  readonly zone: string | undefined;
  readonly port: unknown;
  readonly flowinfo: number;
  readonly scopeId: number;
}

/** The parts of an AF_INET6 address. */
export function inet6Parts(address: unknown): Inet6Parts {
  const { host, port, flowinfo = 0, scopeId = 0 } = inet6Fields(address);
  if (typeof host === "number" || host === "<broadcast>") {
    throw new LocalProtocolError(
      `address family mismatched: ${show(host)} is an IPv4 host, the socket is AF_INET6`,
    );
  }
  checkHost(host);
  const percent = host.indexOf("%");
  return {
    host: percent < 0 ? host : host.slice(0, percent),
    zone: percent < 0 ? undefined : host.slice(percent + 1),
    port,
    flowinfo: checkRange(flowinfo, MAX_FLOWINFO, "flowinfo"),
    scopeId: checkRange(scopeId, MAX_UINT32, "a scope id"),
  };
}

function inet6Fields(address: unknown): {
  host: unknown;
  port: unknown;
  flowinfo?: unknown;
  scopeId?: unknown;
} {
  if (Array.isArray(address) && address.length >= 2 && address.length <= 4) {
    const [host, port, flowinfo, scopeId] = address as unknown[];
    return { host, port, flowinfo, scopeId };
  }
  if (isHostAndPort(address)) return address;
  throw new LocalProtocolError(
    `an AF_INET6 address is [host, port, flowinfo?, scopeId?] or an object of these, not ${show(address)}`,
  );
}

/** The `struct sockaddr_in6` of an address, `undefined` when a name must be looked up. */
export function encodeInet6Address(address: unknown): Uint8Array | undefined {
  const parts = inet6Parts(address);
  const port = parsePort(parts.port);
  const host = inet6Of(parts.host);
  if (host === undefined || port === undefined) return undefined;
  if (parts.zone === undefined) return encodeInet6(host, port, parts.flowinfo, parts.scopeId);
  if (!/^\d{1,10}$/.test(parts.zone)) return undefined;
  return encodeInet6(host, port, parts.flowinfo, joinScope(parts, Number(parts.zone)));
}

const ANY = new Uint8Array(16);
const MAX_CACHED = 256;
const cachedHosts = new Map<string, Uint8Array>();

/** A host as the 16 bytes of an IPv6 address, `undefined` when it is a name. Read them only: they are kept for next time. */
export function inet6Of(host: string): Uint8Array | undefined {
  if (host === "") return ANY;
  const known = cachedHosts.get(host);
  if (known !== undefined) return known;
  const bytes = parseInet6(host);
  if (cachedHosts.size === MAX_CACHED) cachedHosts.clear();
  if (bytes !== undefined) cachedHosts.set(host, bytes);
  return bytes;
}

/** The scope that a `%zone` and a scope id agree on. */
export function joinScope(parts: Inet6Parts, zone: number): number {
  checkRange(zone, MAX_UINT32, "a scope id");
  if (parts.scopeId === 0 || parts.scopeId === zone) return zone;
  throw new LocalProtocolError(
    `the zone %${parts.zone} and the scope id ${parts.scopeId} name two interfaces: give one`,
  );
}

/** The address in a `struct sockaddr_in6`. */
export function decodeInet6(bytes: Uint8Array): Inet6Address {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [formatInet6(bytes, 8), portOf(bytes), view.getUint32(4), view.getUint32(24, LITTLE_ENDIAN)];
}
