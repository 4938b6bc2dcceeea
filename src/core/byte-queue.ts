/** The bytes that have arrived on a connection and are not decoded yet. */
import { asBuffer } from "./as-buffer.js";
import { LimitError } from "./errors.js";

const lf = 0x0a;
const cr = 0x0d;
const nothing: Buffer = Buffer.alloc(0);
/** Chunks up to this size are copied together: a view costs some hundred bytes, and a peer may send a byte at a time. */
const smallBytes = 512;
const minRoomBytes = 1024;
const maxRoomBytes = 65_536;

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
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  /** The bytes at the front that hold no line feed. */
  #searchedBytes = 0;
  /** The bytes at the front that hold no line feed behind a carriage return. */
  #strictlySearchedBytes = 0;
  /** Memory for small chunks. It is written to once, from its start to its end. */
  #room: Buffer = nothing;

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
    const bytes = asBuffer(chunk);
    const isSmall = this.#length > 0 && bytes.length <= smallBytes;
    this.#append(isSmall ? this.#copied(bytes) : bytes);
    this.#length += chunk.length;
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
    const at = this.#indexOfLf(this.#searchedBytes);
    if (at === undefined) this.#searchedBytes = this.#length;
    // One more: the CR of an end whose LF has not come.
    if ((at ?? this.#length) > maxBytes + 1) throw new LimitError("a line", maxBytes);
    if (at === undefined) return undefined;
    const line = this.take(at + 1);
    const lineBytes = line[at - 1] === cr ? at - 1 : at;
    if (lineBytes > maxBytes) throw new LimitError("a line", maxBytes);
    return line.subarray(0, lineBytes);
  }

  /**
   * Takes a line that ends with CR LF and returns it without them. A lone LF or CR is a byte of the line like any other,
   * which is what keeps one message from being two (SMTP smuggling).
   *
   * @throws {LimitError} the line has more than `maxBytes` bytes, its end not counted.
   */
  takeCrLfLine(maxBytes: number): Uint8Array | undefined {
    let at = this.#indexOfLf(Math.max(this.#searchedBytes, this.#strictlySearchedBytes));
    while (at !== undefined && this.#byteAt(at - 1) !== cr) at = this.#indexOfLf(at + 1);
    this.#strictlySearchedBytes = at ?? this.#length;
    if ((at ?? this.#length) > maxBytes + 1) throw new LimitError("a line", maxBytes);
    return at === undefined ? undefined : this.take(at + 1).subarray(0, at - 1);
  }

  /** Takes exactly `count` bytes, which must be there: compare with {@link ByteQueue.length} first. */
  take(count: number): Uint8Array {
    if (count > this.#length) throw new RangeError(`${count} bytes asked for, ${this.#length} there`);
    const bytes = count > (this.#chunks[0]?.length ?? 0) ? this.#copyFront(count) : this.peek(count);
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

  /** Drops the first `count` bytes, which must be there. */
  drop(count: number): void {
    if (count > this.#length) throw new RangeError(`${count} bytes to drop, ${this.#length} there`);
    this.#length -= count;
    this.#searchedBytes = Math.max(0, this.#searchedBytes - count);
    this.#strictlySearchedBytes = Math.max(0, this.#strictlySearchedBytes - count);
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

  /** Where the next line feed stands, from `from` on. Only chunks that reach beyond `from` are looked at. */
  #indexOfLf(from: number): number | undefined {
    let [index, start] = this.#chunkAt(from);
    for (; index < this.#chunks.length; index += 1) {
      const chunk = this.#chunks[index] ?? nothing;
      const found = chunk.indexOf(lf, Math.max(0, from - start));
      if (found >= 0) return start + found;
      start += chunk.length;
    }
    return undefined;
  }

  #byteAt(at: number): number | undefined {
    const [index, start] = this.#chunkAt(at);
    return this.#chunks[index]?.[at - start];
  }

  /** The chunk that holds the byte at `at`, and where it starts. From the end, where the news is. */
  #chunkAt(at: number): [index: number, start: number] {
    let index = this.#chunks.length;
    let start = this.#length;
    while (index > 0 && start > at) {
      index -= 1;
      start -= this.#chunks[index]?.length ?? 0;
    }
    return [index, start];
  }

  #append(bytes: Buffer): void {
    const last = this.#chunks.at(-1);
    const joined = last === undefined ? undefined : joinNeighbours(last, bytes);
    if (joined === undefined) this.#chunks.push(bytes);
    else this.#chunks[this.#chunks.length - 1] = joined;
  }

  /** The bytes in memory of the queue's own, behind those that were copied before. */
  #copied(bytes: Buffer): Buffer {
    if (this.#room.length < bytes.length) this.#room = newRoom(2 * this.#length);
    const copy = this.#room.subarray(0, bytes.length);
    copy.set(bytes);
    this.#room = this.#room.subarray(bytes.length);
    return copy;
  }

  /**
   * A copy of bytes that lie in several chunks, and of no more than these: literals of 8 KiB in chunks of 64 KiB cost a
   * ninth of what joining whole chunks costs.
   */
  #copyFront(count: number): Buffer {
    const copy = Buffer.allocUnsafe(count);
    let at = 0;
    for (const chunk of this.#chunks) {
      if (at === count) break;
      at += chunk.copy(copy, at, 0, count - at);
    }
    return copy;
  }

  /** Makes the first chunk hold at least `count` bytes. */
  #joinFront(count: number): void {
    let chunks = 0;
    for (let bytes = 0; bytes < count; chunks += 1) bytes += this.#chunks[chunks]?.length ?? 0;
    if (chunks > 1) this.#chunks.splice(0, chunks, Buffer.concat(this.#chunks.slice(0, chunks)));
  }
}

function newRoom(wantedBytes: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.min(maxRoomBytes, Math.max(minRoomBytes, wantedBytes)));
}

/** One view where two chunks lie side by side in memory, as those of one read buffer do. */
function joinNeighbours(first: Buffer, second: Buffer): Buffer | undefined {
  if (first.buffer !== second.buffer || first.byteOffset + first.length !== second.byteOffset)
    return undefined;
  return Buffer.from(first.buffer, first.byteOffset, first.length + second.length);
}
