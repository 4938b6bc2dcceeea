/** The writing half of a file. */
import { WouldBlockError } from "../../core/errors.js";
import type { Socket } from "../socket.js";
import type { TransferOptions, WaitOptions } from "../types.js";
import { Clock, Turns } from "./turns.js";

const newlineByte = 10;

/** Collects what is written, and sends it when the buffer is full. */
export class FileWriter {
  readonly #socket: Socket;
  readonly #bufferBytes: number;
  readonly #lineBuffered: boolean;
  readonly #turns = new Turns();
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;

  constructor(socket: Socket, bufferBytes: number, lineBuffered: boolean) {
    this.#socket = socket;
    this.#bufferBytes = bufferBytes;
    this.#lineBuffered = lineBuffered;
  }

  /** Resolves with how many bytes were taken. Null: the file is unbuffered, and the socket took none without waiting. */
  write(bytes: Uint8Array, options: WaitOptions): Promise<number | null> {
    return this.#turns.run(async () => {
      if (this.#bufferBytes === 0) return this.#socket.send(bytes, options).catch(nullIfBlocked);
      if (this.#overflows(bytes)) await this.#drain("write", options);
      if (this.#push(bytes)) await this.#drain("write", options).catch(nullIfBlocked).finally(this.#own);
      return bytes.length;
    });
  }

  /** {@link FileWriter.write}, blocking. */
  writeSync(bytes: Uint8Array, options: WaitOptions): number | null {
    this.#turns.checkIdle("writeSync");
    if (this.#bufferBytes === 0) return attempt(() => this.#socket.sendSync(bytes, options));
    if (this.#overflows(bytes)) this.#drainSync("write", options);
    if (!this.#push(bytes)) return bytes.length;
    try {
      attempt(() => this.#drainSync("write", options));
    } finally {
      this.#own();
    }
    return bytes.length;
  }

  /** Sends what is buffered, after the writes that are pending. */
  flush(what: string, options: WaitOptions): Promise<void> {
    return this.#turns.run(() => this.#drain(what, options));
  }

  /** {@link FileWriter.flush}, blocking. */
  flushSync(what: string, options: WaitOptions): void {
    this.#turns.checkIdle(what);
    this.#drainSync(what, options);
  }

  /** See {@link Turns.checkIdle}. */
  checkIdle(what: string): void {
    this.#turns.checkIdle(what);
  }

  /** Whether the buffer has to be emptied before it can take `bytes`. */
  #overflows(bytes: Uint8Array): boolean {
    return this.#unsentBytes > 0 && this.#unsentBytes + bytes.length > this.#bufferBytes;
  }

  /** Takes `bytes`; whether it is time to send. What is to be sent at once is not copied. */
  #push(bytes: Uint8Array): boolean {
    const full = this.#unsentBytes + bytes.length >= this.#bufferBytes;
    const due = full || (this.#lineBuffered && bytes.includes(newlineByte));
    this.#unsent.push(due ? bytes : bytes.slice());
    this.#unsentBytes += bytes.length;
    return due;
  }

  async #drain(what: string, options: WaitOptions): Promise<void> {
    const clock = new Clock(what, options, this.#socket.timeoutMs);
    try {
      while (this.#unsentBytes > 0) this.#drop(await this.#socket.send(this.#first(), step(clock, options)));
    } catch (error) {
      throw clock.explain(error);
    }
  }

  #drainSync(what: string, options: WaitOptions): void {
    const clock = new Clock(what, options, this.#socket.timeoutMs);
    try {
      while (this.#unsentBytes > 0) this.#drop(this.#socket.sendSync(this.#first(), step(clock, options)));
    } catch (error) {
      throw clock.explain(error);
    }
  }

  /** All that is unsent, in one piece. */
  #first(): Uint8Array {
    if (this.#unsent.length > 1) this.#unsent = [concat(this.#unsent, this.#unsentBytes)];
    return this.#unsent[0] as Uint8Array;
  }

  #drop(bytes: number): void {
    this.#unsentBytes -= bytes;
    this.#unsent = this.#unsentBytes === 0 ? [] : [this.#first().subarray(bytes)];
  }

  /** The caller may use its buffer again: what is left of it is copied. */
  readonly #own = (): void => {
    this.#unsent = this.#unsent.map((bytes) => bytes.slice());
  };
}

function step(clock: Clock, { signal }: WaitOptions): TransferOptions {
  const timeoutMs = clock.leftMs();
  return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
}

function nullIfBlocked(error: unknown): null {
  if (error instanceof WouldBlockError) return null;
  throw error;
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    return nullIfBlocked(error);
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
