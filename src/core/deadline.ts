/** Waiting that ends: by a result, by a clock, or by the caller's signal. */
import { DeadlineError, LocalProtocolError } from "./errors.js";

/** What every waiting call takes. */
export interface OpOptions {
  /** Ends the wait; the call rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** The longest that the call may take, in milliseconds; a `DeadlineError` after that. */
  readonly timeoutMs?: number | undefined;
}

/** The longest delay that a timer takes: a longer one would fire at once. */
const maxTimerMs = 0x7fffffff;

/**
 * A clock and a signal over a piece of work of one or more steps.
 *
 * @example
 * ```ts
 * using deadline = new Deadline("the greeting", { timeoutMs: 300_000, signal });
 * const line = await deadline.race(readLine());
 * ```
 */
export class Deadline implements Disposable {
  readonly #what: string;
  readonly #limitMs: number;
  readonly #startedMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onAbort: (() => void) | undefined;
  #reason: { readonly error: unknown } | undefined;
  /** Those who wait: a race may run within another one. */
  #waiting: Set<(error: unknown) => void> | undefined;

  /**
   * `what` stands in the error: `the greeting timed out after 300000 ms`.
   *
   * @throws {LocalProtocolError} `timeoutMs` is negative or no number.
   */
  constructor(what: string, options: OpOptions = {}) {
    this.#what = what;
    this.#limitMs = options.timeoutMs ?? Number.POSITIVE_INFINITY;
    if (!(this.#limitMs >= 0)) throw new LocalProtocolError(`timeoutMs is ${this.#limitMs}, not 0 or more`);
    this.#signal = options.signal;
    this.#startedMs = this.#limitMs === Number.POSITIVE_INFINITY ? 0 : Date.now();
    if (this.#limitMs <= maxTimerMs)
      this.#timer = setTimeout(() => this.#fail(new DeadlineError(what, this.#limitMs)), this.#limitMs);
    if (this.#signal === undefined) return;
    const { signal } = options;
    this.#onAbort = () => this.#fail(signal?.reason);
    if (this.#signal.aborted) this.#onAbort();
    else this.#signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** What is left of the time, in milliseconds: never negative, `Infinity` without a limit. */
  remainingMs(): number {
    if (this.#limitMs === Number.POSITIVE_INFINITY) return this.#limitMs;
    return Math.max(0, this.#startedMs + this.#limitMs - Date.now());
  }

  /** Throws when the time is over or the signal was given. */
  throwIfOver(): void {
    if (this.#reason === undefined && this.remainingMs() === 0)
      this.#fail(new DeadlineError(this.#what, this.#limitMs));
    if (this.#reason !== undefined) throw this.#reason.error;
  }

  /** The work's outcome, or the deadline's error when that comes first. The work itself goes on: end it. */
  race<T>(work: Promise<T>): Promise<T> {
    // What nothing can end needs no race: it would cost five promises.
    if (this.#limitMs === Number.POSITIVE_INFINITY && this.#signal === undefined) return work;
    this.#waiting ??= new Set();
    const waiting = this.#waiting;
    return new Promise<T>((resolve, reject) => {
      if (this.#reason === undefined) waiting.add(reject);
      else reject(this.#reason.error);
      work.then(
        (value) => {
          waiting.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          waiting.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** Stops the clock and forgets the signal. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #fail(error: unknown): void {
    this.#reason ??= { error };
    for (const reject of this.#waiting ?? []) reject(this.#reason.error);
  }
}

/** Runs `work` under a deadline that ends with it. */
export async function withDeadline<T>(
  what: string,
  options: OpOptions,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  using deadline = new Deadline(what, options);
  deadline.throwIfOver();
  return await deadline.race(work(deadline));
}
