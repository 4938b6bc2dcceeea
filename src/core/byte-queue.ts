/** The bytes that have arrived on a connection and are not decoded yet. */
import { LimitError } from "./errors.js";

const lf = 0x0a;
const cr = 0x0d;
const nothing: Uint8Array = new Uint8Array(0);

/**
 * A queue of bytes: chunks in, lines and counted blocks out. One stands at each connection, so that changing from lines
 * to a literal, a body or TLS loses nothing. It remembers how far it has searched for a line's end, so a peer that
 * sends a byte at a time costs O(n). What it hands out stays valid: neither the queue nor a transport writes there again.
 *
 * @example
 * ```ts
 * const queue = new ByteQueue();
 * queue.push(new TextEncoder().encode("250 OK\r\n2"));
 * queue.takeLine(512); // "250 OK" as bytes
 * queue.takeLine(512); // undefined: more bytes are needed
 * ```
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;
  #ended = false;
  /** The bytes at the front that hold no line feed. */
  #searchedBytes = 0;

  /** How many bytes wait. */
  get length(): number {
    return this.#length;
  }

  /** Whether the peer has sent its last byte. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Adds bytes at the end. They are kept and not copied: the caller must not write to them again. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    const last = this.#chunks.at(-1);
    const joined = last === undefined ? undefined : joinNeighbours(last, chunk);
    if (joined === undefined) this.#chunks.push(chunk);
    else this.#chunks[this.#chunks.length - 1] = joined;
  }

  /** Notes that no byte will follow. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Takes a line and returns it without its end, which is CR LF or a lone LF; `undefined` while there is none.
   *
   * @throws {LimitError} the line has more than `maxBytes` bytes, its end not counted.
   */
  takeLine(maxBytes: number): Uint8Array | undefined {
    const at = this.#indexOfLf(maxBytes);
    if (at === undefined) return undefined;
    const line = this.take(at + 1);
    return line.subarray(0, line[at - 1] === cr ? at - 1 : at);
  }

  /**
   * Takes a line that ends with CR LF and returns it without them. A lone LF or CR is a byte of the line like any other,
   * which is what keeps one message from being two (SMTP smuggling).
   *
   * @throws {LimitError} the line has more than `maxBytes` bytes, its end not counted.
   */
  takeCrLfLine(maxBytes: number): Uint8Array | undefined {
    for (;;) {
      const at = this.#indexOfLf(maxBytes);
      if (at === undefined) return undefined;
      if (at > 0 && this.#byteAt(at - 1) === cr) return this.take(at + 1).subarray(0, at - 1);
      this.#searchedBytes = at + 1;
    }
  }

  /** Takes exactly `count` bytes, which must be there: compare with {@link ByteQueue.length} first. */
  take(count: number): Uint8Array {
    const bytes = this.peek(count);
    if (bytes.length < count) throw new RangeError(`${count} bytes asked for, ${bytes.length} there`);
    this.drop(count);
    return bytes;
  }

  /** The bytes at the front that lie in one piece, without taking them or copying any. */
  front(): Uint8Array {
    return this.#chunks[0] ?? nothing;
  }

  /** Takes what is there, but no more than `maxBytes`, and without copying: a body in whatever pieces it came. */
  takeSome(maxBytes: number = Number.POSITIVE_INFINITY): Uint8Array {
    const first = this.#chunks[0] ?? nothing;
    return this.take(Math.min(first.length, maxBytes));
  }

  /** The first `count` bytes, or all where there are fewer, without taking them. */
  peek(count: number = this.#length): Uint8Array {
    if (count > (this.#chunks[0]?.length ?? 0)) this.#joinFront(Math.min(count, this.#length));
    return this.#chunks[0]?.subarray(0, count) ?? nothing;
  }

  /** Drops the first `count` bytes. */
  drop(count: number): void {
    this.#length -= count;
    this.#searchedBytes = Math.max(0, this.#searchedBytes - count);
    let left = count;
    let gone = 0;
    for (const chunk of this.#chunks) {
      if (chunk.length > left) break;
      left -= chunk.length;
      gone += 1;
    }
    if (gone > 0) this.#chunks.splice(0, gone);
    if (left > 0 && this.#chunks[0] !== undefined) this.#chunks[0] = this.#chunks[0].subarray(left);
  }

  /** Where the next line feed stands, at the earliest behind what was searched; throws once the line is too long. */
  #indexOfLf(maxBytes: number): number | undefined {
    let start = 0;
    for (const chunk of this.#chunks) {
      if (start + chunk.length > this.#searchedBytes) {
        const found = chunk.indexOf(lf, Math.max(0, this.#searchedBytes - start));
        if (found >= 0) return this.#withinLine(start + found, maxBytes);
      }
      start += chunk.length;
    }
    this.#searchedBytes = this.#length;
    // One more: the CR of an end whose LF has not come.
    if (this.#length > maxBytes + 1) throw new LimitError("a line", maxBytes);
    return undefined;
  }

  #withinLine(at: number, maxBytes: number): number {
    const lineBytes = at > 0 && this.#byteAt(at - 1) === cr ? at - 1 : at;
    if (lineBytes > maxBytes) throw new LimitError("a line", maxBytes);
    return at;
  }

  #byteAt(index: number): number | undefined {
    let start = 0;
    for (const chunk of this.#chunks) {
      if (index < start + chunk.length) return chunk[index - start];
      start += chunk.length;
    }
    return undefined;
  }

  /** Makes the first chunk hold at least `count` bytes. */
  #joinFront(count: number): void {
    let chunks = 0;
    for (let bytes = 0; bytes < count; chunks += 1) bytes += this.#chunks[chunks]?.length ?? 0;
    if (chunks > 1) this.#chunks.splice(0, chunks, Buffer.concat(this.#chunks.slice(0, chunks)));
  }
}

/** One view where two chunks lie side by side in memory, as those of one read buffer do. */
function joinNeighbours(first: Uint8Array, second: Uint8Array): Uint8Array | undefined {
  if (first.buffer !== second.buffer || first.byteOffset + first.length !== second.byteOffset)
    return undefined;
  return Buffer.from(first.buffer as ArrayBuffer, first.byteOffset, first.length + second.length);
}
