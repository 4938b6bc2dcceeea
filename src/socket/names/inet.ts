/** Addresses and integers between their text, their bytes and their byte orders. Nothing here makes a system call. */
import { LocalProtocolError } from "../../core/errors.js";
import { AF_INET, AF_INET6 } from "../constants.js";
import { checkRange, isBytes, LITTLE_ENDIAN, MAX_UINT32, show } from "../sockaddr/parts.js";
import { formatInet4, formatInet6, parseAton, parseDottedQuad, parseInet6 } from "./inet-text.js";

/**
 * The 4 bytes of an IPv4 address in any of the forms that C knows: `127.0.0.1`, `127.1`, `0x7f.1`, `2130706433`, octal
 * with a leading 0. As in C, text after white space is ignored; {@link inetPton} is the strict one. Throws
 * {@link LocalProtocolError} for anything else.
 *
 * @example inetAton("127.1") // Uint8Array [127, 0, 0, 1]
 */
export function inetAton(text: string): Uint8Array {
  const address = parseAton(checkText(text).split(/[\t\n\v\f\r ]/, 1)[0] as string);
  if (address < 0) throw illegalAddress("inetAton", text);
  return inet4Bytes(address);
}

/** The dotted quad of the 4 bytes of an IPv4 address. Throws {@link LocalProtocolError} for any other length. */
export function inetNtoa(packed: Uint8Array): string {
  return inetNtop(AF_INET, packed);
}

/**
 * The bytes of an address in its one canonical form: a full dotted quad for `AF_INET`, IPv6 text without a zone for
 * `AF_INET6`. Throws {@link LocalProtocolError} for anything else.
 *
 * @example inetPton(AF_INET6, "::1") // Uint8Array(16), the last byte 1
 */
export function inetPton(family: number, text: string): Uint8Array {
  checkText(text);
  checkFamily(family);
  const bytes = family === AF_INET ? quadBytes(text) : parseInet6(text);
  if (bytes === undefined) throw illegalAddress("inetPton", text);
  return bytes;
}

function quadBytes(text: string): Uint8Array | undefined {
  const address = parseDottedQuad(text);
  return address < 0 ? undefined : inet4Bytes(address);
}

/**
 * The text of the 4 or 16 bytes of an address: a dotted quad, or IPv6 in lower case as RFC 5952 has it. Throws
 * {@link LocalProtocolError} for another family or length.
 */
export function inetNtop(family: number, packed: Uint8Array): string {
  checkFamily(family);
  const length = family === AF_INET ? 4 : 16;
  if (!isBytes(packed) || packed.length !== length) {
    throw new LocalProtocolError(`a packed address of this family is ${length} bytes, not ${show(packed)}`);
  }
  if (length === 16) return formatInet6(packed);
  return formatInet4(new DataView(packed.buffer, packed.byteOffset, 4).getUint32(0));
}

/** A 16-bit integer from host to network byte order. Throws {@link LocalProtocolError} outside 0 to 65535. */
export function htons(value: number): number {
  checkRange(value, 0xffff, "htons");
  return LITTLE_ENDIAN ? swap16(value) : value;
}

/** A 16-bit integer from network to host byte order. Throws {@link LocalProtocolError} outside 0 to 65535. */
export function ntohs(value: number): number {
  checkRange(value, 0xffff, "ntohs");
  return LITTLE_ENDIAN ? swap16(value) : value;
}

/** A 32-bit integer from host to network byte order. Throws {@link LocalProtocolError} outside 0 to 2³²−1. */
export function htonl(value: number): number {
  checkRange(value, MAX_UINT32, "htonl");
  return LITTLE_ENDIAN ? swap32(value) : value;
}

/** A 32-bit integer from network to host byte order. Throws {@link LocalProtocolError} outside 0 to 2³²−1. */
export function ntohl(value: number): number {
  checkRange(value, MAX_UINT32, "ntohl");
  return LITTLE_ENDIAN ? swap32(value) : value;
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

function swap32(value: number): number {
  return ((swap16(value & 0xffff) << 16) | swap16(value >>> 16)) >>> 0;
}

function inet4Bytes(address: number): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

function checkText(text: unknown): string {
  if (typeof text === "string") return text;
  throw new LocalProtocolError(`an IP address is a string, not ${show(text)}`);
}

function checkFamily(family: unknown): void {
  if (family === AF_INET || family === AF_INET6) return;
  throw new LocalProtocolError(`unknown address family ${show(family)}: use AF_INET or AF_INET6`);
}

function illegalAddress(name: string, text: string): LocalProtocolError {
  return new LocalProtocolError(`illegal IP address string passed to ${name}: ${show(text)}`);
}
