/** A socket as a file, as Python's `makefile` gives it: buffered reading and writing, of bytes or text, by the line. */
import { LocalProtocolError } from "../../core/errors.js";
import { checkBytes } from "../handle.js";
import { errnos, socketError } from "../native/errno.js";
import { show } from "../sockaddr.js";
import type { Socket } from "../socket.js";
import type { WaitOptions } from "../types.js";
import { type BinaryFileMode, fileFormat, type TextFileMode, type TextFileOptions } from "./format.js";
import type { Input } from "./input.js";
import { FileReader, type Reading } from "./reading.js";
import { FileWriter } from "./writing.js";

/** What `readInto` takes: nothing for files of text. */
export type BytesFor<T> = T extends string ? never : Uint8Array;
/** What counts are: null where unbuffered calls found nothing to do. */
export type CountOf<T> = null extends T ? number | null : number;

/**
 * A socket as a file. `T` is what it reads: strings, bytes, or for unbuffered files bytes or null. Null says that a
 * socket whose `timeoutMs` is 0 had nothing there; buffered files throw a {@link WouldBlockError} then.
 *
 * Calls of one direction are served in their order, and the time of each begins with its turn; `timeoutMs` is for the
 * whole call. A call that fails takes nothing from the buffer. After a {@link DeadlineError} the file refuses to read on,
 * as Python's does: {@link LocalProtocolError} "cannot read from timed out object". Give a signal in place of a timeout
 * where reading is to go on. Calls on a closed file throw {@link SocketError} EBADF.
 */
export class SocketFile<T extends string | Uint8Array | null = string>
  implements Disposable, AsyncDisposable
{
  /** The mode that `makefile` was given. */
  readonly mode: TextFileMode | BinaryFileMode;
  readonly #socket: Socket;
  readonly #encode: (data: unknown) => Uint8Array;
  readonly #reader: FileReader<NonNullable<T>>;
  readonly #writer: FileWriter;
  #closed = false;

  /** Use `makefile`: `open` gives the socket that the file owns. */
  constructor(open: () => Socket, mode: TextFileMode | BinaryFileMode, options: TextFileOptions) {
    const { bufferBytes, lineBuffered, input, encode } = fileFormat(mode, options);
    this.mode = mode;
    this.#socket = open();
    this.#encode = encode;
    this.#reader = new FileReader(this.#socket, input as Input<NonNullable<T>>, bufferBytes);
    this.#writer = new FileWriter(this.#socket, bufferBytes, lineBuffered);
  }

  /** Whether the file is open, and for reading. */
  get readable(): boolean {
    return !this.#closed && this.mode.includes("r");
  }

  /** Whether the file is open, and for writing. */
  get writable(): boolean {
    return !this.#closed && this.mode.includes("w");
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The descriptor's number as Python's files have it, -1 once closed. */
  get name(): number {
    return this.#socket.fileno();
  }

  /** The descriptor's number. Throws {@link SocketError} EBADF once the file is closed. */
  fileno(): number {
    this.#check("fileno");
    return this.#socket.fileno();
  }

  /**
   * Reads `count` bytes (of text: UTF-16 units, and never half a character), fewer only at the end of file; without
   * `count` everything up to it. Unbuffered: what one recv(2) gives. Empty: the peer has finished.
   */
  read(count?: number, options: WaitOptions = {}): Promise<T> {
    return this.#read("read", (reader) => reader.some(count), options);
  }

  /** {@link SocketFile.read}, blocking. */
  readSync(count?: number, options: WaitOptions = {}): T {
    return this.#readSync("read", (reader) => reader.some(count), options);
  }

  /**
   * Reads a line with its end, which the last one may lack. Empty: the peer has finished. With `maxLength` (of text:
   * UTF-16 units) at most that much, and the rest of the line is left for the next call. Without it a line longer than
   * 1 MiB throws {@link LimitError}.
   *
   * @example for (let line = await file.readLine(); line !== ""; line = await file.readLine()) console.log(line)
   */
  readLine(maxLength?: number, options: WaitOptions = {}): Promise<T> {
    return this.#read("readLine", (reader) => reader.line(maxLength), options);
  }

  /** {@link SocketFile.readLine}, blocking. */
  readLineSync(maxLength?: number, options: WaitOptions = {}): T {
    return this.#readSync("readLine", (reader) => reader.line(maxLength), options);
  }

  /** Reads `count` bytes or UTF-16 units. Throws {@link BrokenError} when the peer finished before. */
  readExactly(count: number, options: WaitOptions = {}): Promise<T> {
    return this.#read("readExactly", (reader) => reader.exactly(count), options);
  }

  /** {@link SocketFile.readExactly}, blocking. */
  readExactlySync(count: number, options: WaitOptions = {}): T {
    return this.#readSync("readExactly", (reader) => reader.exactly(count), options);
  }

  /** {@link SocketFile.read} into `buffer`, for files of bytes: how many came. */
  async readInto(buffer: BytesFor<T>, options: WaitOptions = {}): Promise<CountOf<T>> {
    const { length } = this.#room(buffer);
    return fill(buffer, await this.#read("readInto", (reader) => reader.some(length), options)) as CountOf<T>;
  }

  /** {@link SocketFile.readInto}, blocking. */
  readIntoSync(buffer: BytesFor<T>, options: WaitOptions = {}): CountOf<T> {
    const { length } = this.#room(buffer);
    return fill(
      buffer,
      this.#readSync("readInto", (reader) => reader.some(length), options),
    ) as CountOf<T>;
  }

  /** The lines up to the end of file, as {@link SocketFile.readLine} gives them; null ends them as well. */
  async *lines(options: WaitOptions = {}): AsyncGenerator<NonNullable<T>, void, undefined> {
    for (let line = await this.readLine(undefined, options); line?.length; ) {
      yield line;
      line = await this.readLine(undefined, options);
    }
  }

  /** {@link SocketFile.lines}, blocking. */
  *linesSync(options: WaitOptions = {}): Generator<NonNullable<T>, void, undefined> {
    for (let line = this.readLineSync(undefined, options); line?.length; ) {
      yield line;
      line = this.readLineSync(undefined, options);
    }
  }

  /** {@link SocketFile.lines} */
  [Symbol.asyncIterator](): AsyncGenerator<NonNullable<T>, void, undefined> {
    return this.lines();
  }

  /**
   * Writes all of `data` to the buffer, which is sent when it is full, and returns the length of `data`. Unbuffered:
   * sends once and returns how many bytes went, null for none. What a deadline or an abort kept from being sent stays in
   * the buffer, and the next call goes on with it: do not write it again.
   */
  async write(data: NonNullable<T>, options: WaitOptions = {}): Promise<CountOf<T>> {
    const count = await this.#writer.write(this.#bytesOf(data), options);
    return (typeof data === "string" ? data.length : count) as CountOf<T>;
  }

  /** {@link SocketFile.write}, blocking. */
  writeSync(data: NonNullable<T>, options: WaitOptions = {}): CountOf<T> {
    const count = this.#writer.writeSync(this.#bytesOf(data), options);
    return (typeof data === "string" ? data.length : count) as CountOf<T>;
  }

  /** Sends what is buffered. What an error kept from being sent stays there. */
  async flush(options: WaitOptions = {}): Promise<void> {
    this.#check("flush", "w");
    await this.#writer.flush("flush", options);
  }

  /** {@link SocketFile.flush}, blocking. */
  flushSync(options: WaitOptions = {}): void {
    this.#check("flush", "w");
    this.#writer.flushSync("flush", options);
  }

  /**
   * Sends what is buffered and closes the file, whether or not it could be sent. Pending reads reject with EBADF. The
   * descriptor is closed when the socket and all its files are.
   */
  async close(options: WaitOptions = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#writer.flush("close", options);
    } finally {
      this.#release();
    }
  }

  /** {@link SocketFile.close}, blocking. */
  closeSync(options: WaitOptions = {}): void {
    if (this.#closed) return;
    this.#writer.checkIdle("closeSync");
    this.#closed = true;
    try {
      this.#writer.flushSync("close", options);
    } finally {
      this.#release();
    }
  }

  /** Closes the file, as `using` does at the end of its block. */
  [Symbol.dispose](): void {
    this.closeSync();
  }

  /** Flushes and closes the file, as `await using` does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(what: string, reading: Plan<T>, options: WaitOptions): Promise<T> {
    this.#check(what, "r");
    return (await this.#reader.run(what, reading(this.#reader), options)) as T;
  }

  #readSync(what: string, reading: Plan<T>, options: WaitOptions): T {
    this.#check(what, "r");
    return this.#reader.runSync(what, reading(this.#reader), options) as T;
  }

  #bytesOf(data: unknown): Uint8Array {
    this.#check("write", "w");
    return this.#encode(data);
  }

  #room(buffer: Uint8Array): Uint8Array {
    if (!this.mode.endsWith("b"))
      throw new LocalProtocolError("readInto is for files of bytes: use a mode with b");
    return checkBytes(buffer, "buffer");
  }

  #check(what: string, direction = ""): void {
    if (this.#closed) throw socketError(what, errnos.EBADF);
    if (this.mode.includes(direction)) return;
    throw new LocalProtocolError(`${what}: the file's mode is ${show(this.mode)}, which lacks ${direction}`);
  }

  #release(): void {
    this.#reader.close(socketError("read", errnos.EBADF));
    this.#socket.close();
  }
}

/** What a call reads. */
type Plan<T> = (reader: FileReader<NonNullable<T>>) => Reading<NonNullable<T>>;

function fill(buffer: Uint8Array, data: unknown): number | null {
  if (data === null) return null;
  buffer.set(data as Uint8Array);
  return (data as Uint8Array).length;
}
