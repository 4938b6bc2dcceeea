/** One timer for each connection, whatever is waited for. */

/**
 * Watches that a client is not silent for too long, and that a part of the conversation does not take too long. Only the
 * time in which the client is waited for counts: a slow handler is not an idle client. Waiting costs two readings of the
 * clock and no timer: the one timer looks, when it fires, whether time is really over.
 */
export class Clock implements Disposable {
  readonly #idleMs: number;
  readonly #onOver: (what: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextLookMs = Number.POSITIVE_INFINITY;
  /** When the wait began that is under way. */
  #sinceMs: number | undefined;
  #phase: { readonly what: string; leftMs: number } | undefined;

  constructor(idleMs: number, onOver: (what: string) => void) {
    this.#idleMs = idleMs;
    this.#onOver = onOver;
    this.#lookIn(idleMs);
  }

  /** The client is waited for from now on. */
  wait(): void {
    this.#sinceMs = performance.now();
  }

  /** The client is not waited for any more. */
  work(): void {
    if (this.#phase !== undefined) this.#phase.leftMs -= this.#waitedMs();
    this.#sinceMs = undefined;
  }

  /** The client may take so long for what comes now, all its waits together. */
  begin(what: string, maxMs: number): void {
    this.#phase = { what, leftMs: maxMs };
    if (performance.now() + maxMs < this.#nextLookMs) this.#lookIn(maxMs);
  }

  /** What was begun is over. */
  finish(): void {
    this.#phase = undefined;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #waitedMs(): number {
    return this.#sinceMs === undefined ? 0 : performance.now() - this.#sinceMs;
  }

  #lookIn(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#nextLookMs = performance.now() + delayMs;
    if (delayMs < maxTimerMs) this.#timer = setTimeout(() => this.#look(), Math.ceil(delayMs));
  }

  #look(): void {
    const waitedMs = this.#waitedMs();
    const waiting = this.#sinceMs !== undefined;
    const idleLeftMs = this.#idleMs - waitedMs;
    const phaseLeftMs = (this.#phase?.leftMs ?? Number.POSITIVE_INFINITY) - waitedMs;
    if (waiting && phaseLeftMs <= 0) this.#onOver(this.#phase?.what ?? "");
    else if (waiting && idleLeftMs <= 0) this.#onOver("idle");
    else this.#lookIn(Math.max(1, Math.min(idleLeftMs, phaseLeftMs)));
  }
}

/** The longest delay that a timer takes. */
const maxTimerMs = 0x7fffffff;
