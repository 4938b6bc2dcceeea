/** Changes to a user's mail as an async iterable. */
import type { OpOptions } from "../core/deadline.js";
import type { MailChange, MailStore } from "./store.js";

/** Changes were dropped since the reader did not keep up: what it knows must be read again. */
export interface Overrun {
  readonly type: "overrun";
}

/** How a watch ends, and how much it holds. */
export interface WatchOptions extends Pick<OpOptions, "signal"> {
  /** How many changes wait for a slow reader before they are dropped for one {@link Overrun}. Default 10,000. */
  readonly maxQueued?: number | undefined;
}

/**
 * The changes to a user's mail from this call on, without end. Leave the loop to stop; an abort throws `signal.reason`.
 *
 * @example
 * ```ts
 * for await (const change of watch(store, "alice@example.test", { signal })) {
 *   if (change.type === "messages") console.log(change.messages.length, "new");
 * }
 * ```
 */
export function watch(
  store: MailStore,
  user: string,
  options: WatchOptions = {},
): AsyncIterableIterator<MailChange | Overrun> & AsyncDisposable {
  return new Watch(store, user, options);
}

class Watch implements AsyncIterableIterator<MailChange | Overrun>, AsyncDisposable {
  readonly #subscription: Disposable;
  readonly #signal: AbortSignal | undefined;
  readonly #maxQueued: number;
  #queue: (MailChange | Overrun)[] = [];
  #waiting: (() => void)[] = [];
  #over = false;

  constructor(store: MailStore, user: string, { signal, maxQueued = 10_000 }: WatchOptions) {
    this.#signal = signal;
    this.#maxQueued = maxQueued;
    this.#subscription = store.subscribe(user, (change) => this.#push(change));
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  async next(): Promise<IteratorResult<MailChange | Overrun>> {
    for (;;) {
      if (this.#signal?.aborted) await this.return();
      this.#signal?.throwIfAborted();
      if (this.#over) return { done: true, value: undefined };
      const value = this.#queue.shift();
      if (value !== undefined) return { done: false, value };
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  async return(): Promise<IteratorResult<MailChange | Overrun>> {
    this.#over = true;
    this.#queue = [];
    this.#subscription[Symbol.dispose]();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#wake();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #onAbort = (): void => this.#wake();

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #push(change: MailChange): void {
    if (this.#queue.length >= this.#maxQueued) this.#queue = [{ type: "overrun" }];
    else this.#queue.push(change);
    this.#wake();
  }
}
