/** The reading half of a file: what each call takes from the input, and the steps that fill it. */
import {
  BrokenError,
  DeadlineError,
  LimitError,
  LocalProtocolError,
  WouldBlockError,
} from "../../core/errors.js";
import { checkCount } from "../handle.js";
import type { Socket } from "../socket.js";
import type { TransferOptions, WaitOptions } from "../types.js";
import type { Input } from "./input.js";
import { Clock, Turns } from "./turns.js";

/** A line may be this long unless the caller says otherwise: a peer that never ends one must not fill the memory. */
const maxLineLength = 1024 * 1024;

/** The most that one step asks of the kernel. */
const maxStepBytes = 65536;

/** A call: what it takes from the input once that is enough, and how much the next step may bring. */
export interface Reading<T> {
  readonly take: (ended: boolean) => T | undefined;
  readonly stepBytes: () => number;
  /** Whether a socket that never waits gives what there is in place of nothing. */
  readonly partial?: boolean;
}

/** Reads from `socket` into `input`. With a `bufferBytes` of 0 no step asks for more than its call can use. */
export class FileReader<T> {
  readonly #socket: Socket;
  readonly #input: Input<T>;
  readonly #bufferBytes: number;
  readonly #turns = new Turns();
  /** Ends pending reads when the file is closed, for the socket may live on. */
  readonly #stop = new AbortController();
  #timedOut = false;

  constructor(socket: Socket, input: Input<T>, bufferBytes: number) {
    this.#socket = socket;
    this.#input = input;
    this.#bufferBytes = bufferBytes;
  }

  /** Pending and later reads reject with `reason`. */
  close(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** Null: the file is unbuffered, and a socket that never waits had nothing there. */
  run(what: string, reading: Reading<T>, options: WaitOptions): Promise<T | null> {
    return this.#turns.run(() => this.#run(what, reading, options));
  }

  async #run(what: string, reading: Reading<T>, options: WaitOptions): Promise<T | null> {
    const clock = new Clock(what, options, this.#socket.timeoutMs);
    const signal = this.#signalOf(options);
    try {
      for (let ended = false; ; ) {
        const taken = this.#take(reading, ended);
        if (taken !== undefined) return taken;
        const step: TransferOptions = { signal, timeoutMs: clock.leftMs() };
        ended = this.#push(await this.#socket.recv(reading.stepBytes(), step));
      }
    } catch (error) {
      return this.#failed(error, clock, reading);
    }
  }

  /** {@link FileReader.run}, blocking. */
  runSync(what: string, reading: Reading<T>, options: WaitOptions): T | null {
    this.#turns.checkIdle(what);
    const clock = new Clock(what, options, this.#socket.timeoutMs);
    const signal = this.#signalOf(options);
    try {
      for (let ended = false; ; ) {
        const taken = this.#take(reading, ended);
        if (taken !== undefined) return taken;
        const step: TransferOptions = { signal, timeoutMs: clock.leftMs() };
        ended = this.#push(this.#socket.recvSync(reading.stepBytes(), step));
      }
    } catch (error) {
      return this.#failed(error, clock, reading);
    }
  }

  /** `read`: up to `count`, or all. */
  some(count: number | undefined): Reading<T> {
    const input = this.#input;
    if (count === undefined) {
      const take = (ended: boolean) => (ended ? input.take(input.length) : undefined);
      return { take, stepBytes: () => maxStepBytes, partial: true };
    }
    checkCount(count, "count");
    const enough = () => input.length >= count || (this.#bufferBytes === 0 && input.length > 0);
    return {
      take: (ended) => (enough() || ended ? input.take(Math.min(count, input.length)) : undefined),
      stepBytes: () => this.#stepBytes(count - input.length),
    };
  }

  /** `readLine`. */
  line(maxLength: number | undefined): Reading<T> {
    const input = this.#input;
    const limit = maxLength === undefined ? maxLineLength : checkCount(maxLength, "maxLength");
    const take = (ended: boolean) => {
      const length = input.lineLength < 0 ? input.length : input.lineLength;
      if (length > limit && maxLength === undefined)
        throw new LimitError("a line", maxLineLength, { usable: true });
      if (input.lineLength >= 0 || length >= limit || ended) return input.take(Math.min(length, limit));
      return undefined;
    };
    // Without a buffer nothing behind the line end may be taken from the kernel.
    return { take, stepBytes: () => this.#stepBytes(1) };
  }

  /** `readExactly`. */
  exactly(count: number): Reading<T> {
    const input = this.#input;
    checkCount(count, "count");
    const take = (ended: boolean) => {
      if (input.length >= count) return input.take(count);
      if (ended) throw new BrokenError(`the peer finished after ${input.length} of ${count} bytes`);
      return undefined;
    };
    return { take, stepBytes: () => this.#stepBytes(count - input.length) };
  }

  #stepBytes(missing: number): number {
    return Math.max(this.#bufferBytes, Math.min(missing, maxStepBytes));
  }

  #take(reading: Reading<T>, ended: boolean): T | undefined {
    // Python cannot go on either, for there a call that failed has lost what it read.
    if (this.#timedOut) throw new LocalProtocolError("cannot read from timed out object");
    return reading.take(ended);
  }

  /** Whether that was the end of file. */
  #push(bytes: Uint8Array): boolean {
    if (bytes.length === 0) this.#input.end();
    else this.#input.push(bytes);
    return bytes.length === 0;
  }

  #failed(error: unknown, clock: Clock, reading: Reading<T>): T | null {
    if (error instanceof DeadlineError) this.#timedOut = true;
    if (!(error instanceof WouldBlockError) || this.#bufferBytes > 0) throw clock.explain(error);
    return reading.partial && this.#input.length > 0 ? this.#input.take(this.#input.length) : null;
  }

  #signalOf({ signal }: WaitOptions): AbortSignal {
    return signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
  }
}
