/** Reading what libc wrote: pointers, C strings, and memory that is libc's own. */
import { LocalProtocolError } from "../../core/errors.js";
import { native } from "../native/index.js";
import { LITTLE_ENDIAN, show } from "../sockaddr/parts.js";

const PAGE_BYTES = 4096n;
const utf8 = new TextEncoder();
const looseUtf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes of a C string, its NUL included. Text with a NUL is refused: libc would stop reading there. */
export function cString(text: string | Uint8Array, what: string): Uint8Array {
  const bytes = typeof text === "string" ? utf8.encode(text) : text;
  if (bytes.includes(0)) throw new LocalProtocolError(`${what} cannot hold NUL: ${show(text)}`);
  const terminated = new Uint8Array(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}

/** Throws unless `value` is text, and then as {@link cString}. */
export function cStringOf(value: unknown, what: string): Uint8Array {
  if (typeof value !== "string") throw new LocalProtocolError(`${what} is a string, not ${show(value)}`);
  return cString(value, what);
}

/** The pointer that stands at `offset`. */
export function pointerAt(bytes: Uint8Array, offset: number): bigint {
  return dataView(bytes).getBigUint64(offset, LITTLE_ENDIAN);
}

/** The `int` that stands at `offset`. */
export function intAt(bytes: Uint8Array, offset: number): number {
  return dataView(bytes).getInt32(offset, LITTLE_ENDIAN);
}

/** The C string that begins at `offset`. */
export function textAt(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return looseUtf8.decode(bytes.subarray(offset, end < 0 ? bytes.length : end));
}

/** A copy of libc's own memory. */
export function foreignBytes(address: bigint, length: number): Uint8Array {
  return native().copy(address, length);
}

/** A C string in libc's own memory. It is read a page at a time, since the next page may not be there. */
export function foreignText(address: bigint): string {
  const chunks: number[] = [];
  for (let at = address; ; ) {
    const length = Number(PAGE_BYTES - (at % PAGE_BYTES));
    const page = native().copy(at, length);
    const end = page.indexOf(0);
    for (const byte of page.subarray(0, end < 0 ? length : end)) chunks.push(byte);
    if (end >= 0) return looseUtf8.decode(Uint8Array.from(chunks));
    at += BigInt(length);
  }
}

/**
 * A buffer in which a `…_r` call leaves everything that its result points to. Reading through it, and not through
 * the pointers, keeps it alive meanwhile.
 */
export class Arena {
  readonly bytes: Uint8Array;
  readonly #address: bigint;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#address = native().address(this.bytes);
  }

  text(pointer: bigint): string {
    return textAt(this.bytes, this.#offset(pointer));
  }

  copy(pointer: bigint, length: number): Uint8Array {
    const offset = this.#offset(pointer);
    return this.bytes.slice(offset, offset + length);
  }

  /** The pointers of an array that ends with NULL. */
  pointers(list: bigint): bigint[] {
    const found: bigint[] = [];
    for (let offset = this.#offset(list); ; offset += 8) {
      const pointer = pointerAt(this.bytes, offset);
      if (pointer === 0n) return found;
      found.push(pointer);
    }
  }

  #offset(pointer: bigint): number {
    return Number(pointer - this.#address);
  }
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
