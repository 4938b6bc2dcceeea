/** stdin, one chunk after the other, for as many connections as there are. */

export class Input {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #next: Promise<Uint8Array | undefined> | undefined;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /**
   * The next chunk, undefined at the end. It is given again until it is taken: what was typed after a client had gone
   * is for the next one.
   */
  peek(): Promise<Uint8Array | undefined> {
    this.#next ??= this.#chunks.next().then(({ done, value }) => (done ? undefined : value));
    // Nobody may be waiting any more when stdin breaks.
    this.#next.catch(() => {});
    return this.#next;
  }

  /** The next chunk, or undefined at the end or once `signal` is aborted. */
  take(signal: AbortSignal): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const stop = () => resolve(undefined);
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      const arrived = (chunk: Uint8Array | undefined) => {
        signal.removeEventListener("abort", stop);
        if (signal.aborted) return;
        this.#next = undefined;
        resolve(chunk);
      };
      this.peek().then(arrived, reject);
    });
  }
}
