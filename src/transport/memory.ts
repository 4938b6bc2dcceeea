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

class Half extends Duplex {
  readonly #fragmentBytes: number;
  #other: Half | undefined;
  /** Called when the other half has taken what was written. */
  #taken: (() => void) | undefined;

  constructor(fragmentBytes: number) {
    super({ allowHalfOpen: true });
    this.#fragmentBytes = fragmentBytes;
  }

  join(other: Half): void {
    this.#other = other;
  }

  override _read(): void {
    this.#other?.release();
  }

  /** What was written has been taken: the next write may come. */
  release(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    const other = this.#other;
    if (other === undefined || other.destroyed) {
      this.destroy(
        Object.assign(new Error("the other end is closed"), { code: "EPIPE", errno: 32, syscall: "write" }),
      );
      return;
    }
    this.#taken = done;
    // A copy: the writer may use its memory again. Later: a network answers nobody in the middle of a call.
    const copy = Buffer.from(chunk);
    setImmediate(() => other.arrive(copy, this));
  }

  /** Takes what the other half has written, in fragments. */
  arrive(bytes: Uint8Array, from: Half): void {
    if (this.destroyed) return;
    let wantsMore = true;
    for (let at = 0; at < bytes.length; at += this.#fragmentBytes)
      wantsMore = this.push(bytes.subarray(at, at + this.#fragmentBytes));
    if (wantsMore) from.release();
  }

  override _final(done: () => void): void {
    const other = this.#other;
    setImmediate(() => {
      if (other?.destroyed === false) other.push(null);
    });
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const other = this.#other;
    if (other !== undefined && !other.destroyed) {
      setImmediate(() => {
        if (!other.readableEnded && !this.writableFinished) other.push(null);
      });
    }
    done(error);
  }
}

function duplexPair(fragmentBytes: number): [Duplex, Duplex] {
  const a = new Half(fragmentBytes);
  const b = new Half(fragmentBytes);
  a.join(b);
  b.join(a);
  return [a, b];
}
