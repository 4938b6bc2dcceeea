/** A message on its way from the connection to the handler: each in its own time. */
import type { BodySource } from "../engine/body.js";

/**
 * One piece lies between the two. The connection waits while the handler has not taken it, and the handler waits for the
 * next one. When the handler has gone, pieces fall into nothing.
 */
export class Incoming implements BodySource {
  #piece: Uint8Array | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #gone = false;
  /** Wakes the handler. */
  #reader: { resolve(piece: Uint8Array | null): void; reject(error: unknown): void } | undefined;
  /** Wakes the connection. */
  #taken: (() => void) | undefined;

  /** Gives the handler a piece; a promise only where it has to be waited for. */
  push(piece: Uint8Array): Promise<void> | undefined {
    if (this.#gone || this.#failure !== undefined) return undefined;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) {
      reader.resolve(piece);
      return undefined;
    }
    if (this.#piece === undefined) {
      this.#piece = piece;
      return undefined;
    }
    return new Promise<void>((resolve) => {
      this.#taken = resolve;
    }).then(() => this.push(piece));
  }

  /** The content is complete. */
  end(): void {
    this.#ended = true;
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  /** The content will not become complete, or must not be taken. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#piece = undefined;
    this.#reader?.reject(this.#failure.error);
    this.#reader = undefined;
    this.#release();
  }

  /** Whether an exception of the handler is no more than the failure that it was given. */
  isFailure(error: unknown): boolean {
    return this.#failure !== undefined && this.#failure.error === error;
  }

  /** The handler has finished, whether it read all or not. */
  leave(): void {
    this.#gone = true;
    this.#piece = undefined;
    this.#release();
  }

  next(): Promise<Uint8Array | null> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    const piece = this.#piece;
    this.#piece = undefined;
    if (piece !== undefined) {
      this.#release();
      return Promise.resolve(piece);
    }
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  abandon(): Promise<void> {
    this.leave();
    return Promise.resolve();
  }

  #release(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }
}
