/** Connections within the process: for tests, and for a client and a server in one program. */
import { Duplex } from "node:stream";
import { DuplexTransport } from "./duplex.js";
import type { Transport } from "./types.js";

/** How a {@link memoryPair} behaves. */
export interface MemoryPairOptions {
  /** The most that one read gives, in bytes. 1 cuts everything everywhere. Default: as it was written. */
  readonly fragmentBytes?: number | undefined;
}

/**
 * Two connected transports. What one writes the other reads; all of it in memory.
 *
 * @example
 * ```ts
 * const [near, far] = memoryPair({ fragmentBytes: 1 });
 * void server.serve(far);
 * const client = await SmtpClient.over(near);
 * ```
 */
export function memoryPair(options: MemoryPairOptions = {}): [Transport, Transport] {
  const [a, b] = duplexPair(options.fragmentBytes ?? Number.POSITIVE_INFINITY);
  const endpoint = (host: string) => ({ host, port: 0 });
  return [
    new DuplexTransport(a, { local: endpoint("memory-a"), remote: endpoint("localhost") }),
    new DuplexTransport(b, { local: endpoint("localhost"), remote: endpoint("127.0.0.1") }),
  ];
}

/** A write on its way, and how far it has come. */
interface Arriving {
  readonly bytes: Uint8Array;
  at: number;
}

class Half extends Duplex {
  readonly #fragmentBytes: number;
  #other: Half | undefined;
  /** Called when the other half has taken what was written. */
  #taken: (() => void) | undefined;
  #arriving: Arriving | undefined;
  /** Whether nothing follows what is arriving. */
  #last = false;
  #pushing = false;
  /** Whether the other half still waits to be told that its write was taken. */
  #owed = false;

  constructor(fragmentBytes: number) {
    super({ allowHalfOpen: true });
    this.#fragmentBytes = fragmentBytes;
  }

  join(other: Half): void {
    this.#other = other;
  }

  override _read(): void {
    if (this.#arriving !== undefined) this.#pushFragments();
    else if (this.#owed) this.#release();
  }

  #release(): void {
    this.#owed = false;
    this.#other?.taken();
  }

  /** What was written has been taken: the next write may come. */
  taken(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    const other = this.#other;
    if (other === undefined || other.destroyed) {
      done(brokenPipe());
      return;
    }
    this.#taken = done;
    // A copy: the writer may use its memory again. Later: a network answers nobody in the middle of a call.
    const copy = Buffer.from(chunk);
    setImmediate(() => other.arrive(copy));
  }

  /** Takes what the other half has written. */
  arrive(bytes: Uint8Array): void {
    if (this.destroyed) return;
    this.#arriving = { bytes, at: 0 };
    this.#owed = true;
    this.#pushFragments();
  }

  /** Gives fragments to the reader for as long as it wants more. */
  #pushFragments(): void {
    if (this.#pushing) return;
    this.#pushing = true;
    let wantsMore = true;
    while (wantsMore && this.#arriving !== undefined) wantsMore = this.#pushFragment(this.#arriving);
    this.#pushing = false;
  }

  #pushFragment(arriving: Arriving): boolean {
    const fragment = arriving.bytes.subarray(arriving.at, arriving.at + this.#fragmentBytes);
    arriving.at += fragment.length;
    if (arriving.at >= arriving.bytes.length) this.#arriving = undefined;
    const wantsMore = fragment.length === 0 || this.push(fragment);
    if (this.#arriving !== undefined) return wantsMore;
    if (this.#last) this.push(null);
    else if (wantsMore) this.#release();
    return wantsMore;
  }

  override _final(done: () => void): void {
    setImmediate(() => this.#other?.finish());
    done();
  }

  /** The other half sends nothing more. */
  finish(): void {
    this.#last = true;
    if (!this.destroyed && this.#arriving === undefined) this.push(null);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    setImmediate(() => this.#other?.bereave());
    done(error);
  }

  /** The other half is gone. What it sent is still to be read; what waits for it to read has nowhere to go. */
  bereave(): void {
    this.finish();
    if (this.#taken !== undefined) this.destroy(brokenPipe());
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error("the other end is closed"), { code: "EPIPE", errno: 32, syscall: "write" });
}

function duplexPair(fragmentBytes: number): [Duplex, Duplex] {
  const a = new Half(fragmentBytes);
  const b = new Half(fragmentBytes);
  a.join(b);
  b.join(a);
  return [a, b];
}
