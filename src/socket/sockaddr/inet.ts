/** AF_INET: `[host, port]`. */
import { LocalProtocolError } from "../../core/errors.js";
import { AF_INET } from "../constants.js";
import { formatInet4, parseAton } from "../names/inet-text.js";
import type { InetAddress } from "../types.js";
import {
  checkHost,
  checkRange,
  isHostAndPort,
  MAX_UINT32,
  parsePort,
  portOf,
  show,
  writeFamily,
} from "./parts.js";

const BROADCAST = 0xffffffff;

/** The `struct sockaddr_in` of an address in host byte order and a port. Both must be in range. */
export function encodeInet(address: number, port: number): Uint8Array {
  const bytes = new Uint8Array(16);
  writeFamily(bytes, AF_INET);
  bytes[2] = port >>> 8;
  bytes[3] = port;
  bytes[4] = address >>> 24;
  bytes[5] = address >>> 16;
  bytes[6] = address >>> 8;
  bytes[7] = address;
  return bytes;
}

/** The parts of an AF_INET address, its form checked, its host and port not yet. */
export function inetParts(address: unknown): { readonly host: unknown; readonly port: unknown } {
  if (Array.isArray(address) && address.length === 2) return { host: address[0], port: address[1] };
  if (isHostAndPort(address)) return address;
  throw new LocalProtocolError(`an AF_INET address is [host, port] or { host, port }, not ${show(address)}`);
}

/** The `struct sockaddr_in` of an address, `undefined` when a name must be looked up. */
export function encodeInetAddress(address: unknown): Uint8Array | undefined {
  const { host, port } = inetParts(address);
  const number = parsePort(port);
  const numeric = inet4Of(host);
  return number === undefined || numeric === undefined ? undefined : encodeInet(numeric, number);
}

/** A host as an IPv4 address in host byte order, `undefined` when it is a name. */
export function inet4Of(host: unknown): number | undefined {
  if (typeof host === "number") return checkRange(host, MAX_UINT32, "an integer host");
  checkHost(host);
  if (host === "") return 0;
  const address = host === "<broadcast>" ? BROADCAST : parseAton(host);
  return address < 0 ? undefined : address;
}

/** The address in a `struct sockaddr_in`. */
export function decodeInet(bytes: Uint8Array): InetAddress {
  return [inet4Text(bytes), portOf(bytes)];
}

const cachedAddresses = new Int32Array(256);
const cachedTexts: string[] = new Array(256).fill("0.0.0.0");

/** Peers repeat, and text costs ten times the comparison: 256 texts are kept. */
function inet4Text(bytes: Uint8Array): string {
  const address =
    ((bytes[4] ?? 0) << 24) | ((bytes[5] ?? 0) << 16) | ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
  const slot = (address ^ (address >>> 8) ^ (address >>> 16)) & 255;
  if (cachedAddresses[slot] !== address) {
    cachedAddresses[slot] = address;
    cachedTexts[slot] = formatInet4(address >>> 0);
  }
  return cachedTexts[slot] as string;
}
