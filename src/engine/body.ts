/** A body as it comes in: a message, an article, a file. */
import { Readable } from "node:stream";
import { BusyError, LimitError } from "../core/errors.js";

/** Where a body's pieces come from. `next` gives `null` at the end; `abandon` lets the rest go. */
export interface BodySource {
  next(): Promise<Uint8Array | null>;
  abandon(): Promise<void>;
}

/** How a body is gathered. */
export interface GatherOptions {
  /** The most that is held in memory, in bytes. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
}

const defaultMaxBytes = 64 * 1024 * 1024;

/**
 * A stream of bytes that can be read once: piece by piece, or as a whole.
 *
 * @example
 * ```ts
 * for await (const piece of body) file.write(piece);
 * const text = await body.text(); // or in one go
 * ```
 */
export class Body implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #source: BodySource;
  #state: "unread" | "reading" | "over" = "unread";

  constructor(source: BodySource) {
    this.#source = source;
  }

  /**
   * The pieces as they come. Leaving the loop early lets the rest go, and the connection can be used again.
   *
   * @throws {BusyError} the body has been read, or is being read.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    if (this.#state !== "unread") throw new BusyError("this body was read already");
    this.#state = "reading";
    const iterator: AsyncIterableIterator<Uint8Array> = {
      next: () => this.#next(),
      return: async () => {
        await this[Symbol.asyncDispose]();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#state === "over") return { done: true, value: undefined };
    try {
      const piece = await this.#source.next();
      if (piece !== null) return { done: false, value: piece };
    } catch (error) {
      this.#state = "over";
      throw error;
    }
    this.#state = "over";
    return { done: true, value: undefined };
  }

  /** Lets go of what has not been read, so that the connection can be used again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "over") return;
    this.#state = "over";
    await this.#source.abandon();
  }

  /**
   * The whole body.
   *
   * @throws {LimitError} it is longer than `maxBytes`.
   */
  async bytes(options: GatherOptions = {}): Promise<Uint8Array> {
    const maxBytes = options.maxBytes ?? defaultMaxBytes;
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this) {
      bytes += piece.length;
      if (bytes > maxBytes) throw new LimitError("a body that is held in memory", maxBytes);
      pieces.push(piece);
    }
    return joined(pieces, bytes);
  }

  /** The whole body as text: UTF-8 unless another `encoding` of `TextDecoder` is named. */
  async text(options: GatherOptions & { readonly encoding?: string | undefined } = {}): Promise<string> {
    return new TextDecoder(options.encoding).decode(await this.bytes(options));
  }

  /** The body as a stream of the Web. */
  toWeb(): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.toNode()) as ReadableStream<Uint8Array>;
  }

  /** The body as a stream of Node. */
  toNode(): Readable {
    return Readable.from(this, { objectMode: false });
  }
}

/** Not `Buffer.concat`: bytes that users get are a plain `Uint8Array` of their own. */
function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
