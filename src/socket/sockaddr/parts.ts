/** What the forms of every family are made of: checks, ports, and the few fields that all of them share. */
import { inspect, types } from "node:util";
import { LocalProtocolError } from "../../core/errors.js";

/** The size of a `struct sockaddr_storage`: room for any address that a call returns. */
export const SOCKADDR_BYTES = 128;

/** The largest unsigned 32-bit integer. */
export const MAX_UINT32 = 0xffffffff;

/** Whether integers stand in memory with their low byte first. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A value as error messages show it: short, on one line, whatever it is. */
export function show(value: unknown): string {
  return inspect(value, {
    depth: 1,
    breakLength: Number.POSITIVE_INFINITY,
    maxStringLength: 80,
    maxArrayLength: 8,
  });
}

/** The family that a `struct sockaddr` names. */
export function familyOf(bytes: Uint8Array): number {
  const low = bytes[0] ?? 0;
  const high = bytes[1] ?? 0;
  return LITTLE_ENDIAN ? low | (high << 8) : (low << 8) | high;
}

/** A port as a number, `undefined` when it is a service name. */
export function parsePort(port: unknown): number | undefined {
  if (typeof port === "number") return checkRange(port, 0xffff, "a port");
  if (typeof port !== "string" || port === "" || port.includes("\0")) {
    throw new LocalProtocolError(`a port is an integer from 0 to 65535 or a service name, not ${show(port)}`);
  }
  return /^[-+]?\d+$/.test(port) ? checkRange(Number(port), 0xffff, "a port") : undefined;
}

/** Throws unless `value` is an integer from 0 to `max`. */
export function checkRange(value: unknown, max: number, what: string): number {
  if (typeof value === "number" && value >= 0 && value <= max && Number.isInteger(value)) return value;
  throw new LocalProtocolError(`${what}: integers from 0 to ${max} are allowed, not ${show(value)}`);
}

/** Whether `value` fits C's `int`. */
export function isInt(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value;
}

/** Throws unless `value` fits C's `int`. */
export function checkInt(value: unknown, what: string): number {
  if (isInt(value)) return value;
  throw new LocalProtocolError(`${what}: a 32-bit integer is wanted, not ${show(value)}`);
}

/** Whether a value is bytes: of any realm, but not what merely claims to be, for libc is given the address. */
export function isBytes(value: unknown): value is Uint8Array {
  return types.isUint8Array(value) && (value.length > 0 || hasMemory(value));
}

/** Whether an empty view is merely empty: its memory may have been transferred away, or have shrunk under it. */
function hasMemory(empty: Uint8Array): boolean {
  try {
    empty.fill(0);
    return true;
  } catch {
    return false;
  }
}

/** The items of a list, which bytes and text are not. `what` says what is wanted. */
export function listOf<T>(items: Iterable<T>, what: string): T[] {
  const isList = typeof items === "object" && items !== null && !(items instanceof Uint8Array);
  if (isList && typeof items[Symbol.iterator] === "function") return [...items];
  throw new LocalProtocolError(`${what}, not ${show(items)}`);
}

/** Options, a list or the like: anything but null and the primitives. */
export function checkObject<T>(value: T, what: string): T {
  if (typeof value === "object" && value !== null) return value;
  throw new LocalProtocolError(`${what} must be an object, not ${show(value)}`);
}

/** Throws unless `signal` is an AbortSignal, of whichever realm. */
export function checkSignal(signal: AbortSignal): void {
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>;
  if (typeof aborted === "boolean" && typeof addEventListener === "function") return;
  throw new LocalProtocolError(`signal must be an AbortSignal, not ${show(signal)}`);
}

/** Throws unless `value` is true or false. */
export function checkBoolean(value: boolean, what: string): boolean {
  if (typeof value === "boolean") return value;
  throw new LocalProtocolError(`${what} takes true or false, not ${show(value)}`);
}

/** Throws unless `value` is text without NUL, at which the kernel would cut it short. */
export function checkName(value: string, what: string): string {
  if (typeof value === "string" && !value.includes("\0")) return value;
  throw new LocalProtocolError(`${what} must be a string without NUL, not ${show(value)}`);
}

/** Throws unless `host` is text without NUL, at which libc would cut it short. */
export function checkHost(host: unknown): asserts host is string {
  if (typeof host !== "string")
    throw new LocalProtocolError(`a host is a string or an integer, not ${show(host)}`);
  if (host.includes("\0")) throw new LocalProtocolError(`a host cannot hold NUL: ${show(host)}`);
}

/** Whether an address is in the object form. */
export function isHostAndPort(address: unknown): address is { host: unknown; port: unknown } {
  return typeof address === "object" && address !== null && "host" in address && "port" in address;
}

/** Writes the family field, `sa_family_t`. */
export function writeFamily(bytes: Uint8Array, family: number): void {
  bytes[LITTLE_ENDIAN ? 0 : 1] = family;
}

/** The port of an AF_INET or AF_INET6 address. */
export function portOf(bytes: Uint8Array): number {
  return ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
}

/** An unsigned integer in host byte order. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, LITTLE_ENDIAN);
}
