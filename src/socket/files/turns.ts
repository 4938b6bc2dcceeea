/** The order and the time of a file's calls: one at a time in each direction, each with one deadline for all its steps. */
import { DeadlineError, LocalProtocolError } from "../../core/errors.js";
import { checkTimeout } from "../handle.js";
import { nowMs } from "../native/deadlines.js";
import { checkObject, checkSignal } from "../sockaddr.js";
import type { WaitOptions } from "../types.js";

/** The promise calls of one direction, one after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Runs `work` when the calls before it have ended, whichever way. */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.#pending += 1;
    const result = this.#last.then(work);
    this.#last = result.then(this.#ended, this.#ended);
    return result;
  }

  /** Throws while promise calls are pending: a call that blocks the event loop would wait for them for ever. */
  checkIdle(what: string): void {
    if (this.#pending > 0)
      throw new LocalProtocolError(`${what}: another call is pending on this file; await it first`);
  }

  readonly #ended = (): void => {
    this.#pending -= 1;
  };
}

/** What is left of the time of a call that takes several steps. */
export class Clock {
  readonly #what: string;
  readonly #limitMs: number | null;
  readonly #dueMs: number;

  constructor(what: string, options: WaitOptions, defaultMs: number | null) {
    this.#what = what;
    const { timeoutMs = defaultMs, signal } = checkObject(options, "options");
    if (signal !== undefined) checkSignal(signal);
    this.#limitMs = checkTimeout(timeoutMs);
    this.#dueMs = nowMs() + (this.#limitMs ?? 0);
  }

  /** The `timeoutMs` of the next step. Throws {@link DeadlineError} when there is no time for one. */
  leftMs(): number | null {
    if (this.#limitMs === null || this.#limitMs === 0) return this.#limitMs;
    const leftMs = this.#dueMs - nowMs();
    if (leftMs <= 0) throw this.#late();
    return leftMs;
  }

  /** The error of a step in the terms of the call: the step was given only what was left of the time. */
  explain(error: unknown): unknown {
    return error instanceof DeadlineError ? this.#late() : error;
  }

  #late(): DeadlineError {
    return new DeadlineError(this.#what, this.#limitMs ?? 0, { usable: true });
  }
}
