/**
 * Every look-up is written once, as a generator that yields the calls it needs. {@link runSync} makes them here and now,
 * {@link runAsync} on libuv's pool, of which look-ups never hold more than two threads.
 */

import { DeadlineError, LocalProtocolError } from "../../core/errors.js";
import { forgetAbort, watchAbort } from "../native/aborts.js";
import { native } from "../native/index.js";
import type { ResolverCall } from "../native/native.js";
import { checkObject, checkSignal, show } from "../sockaddr/parts.js";

/** How long a look-up may take. */
export interface LookupOptions {
  /** Gives the look-up up: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long at most, in milliseconds; null, the default, for as long as the system's resolver takes. */
  readonly timeoutMs?: number | null | undefined;
}

/** A call that a look-up wants made, with its arguments: they keep every buffer alive until it has returned. */
export interface Step {
  /** Whether it may have to wait for files or servers. One that does not stays on the main thread. */
  readonly waits: boolean;
  readonly call: ResolverCall<readonly unknown[]>;
  readonly args: readonly unknown[];
}

/** What a call returned, and the errno that it left. */
export interface Outcome {
  readonly result: number;
  readonly errno: number;
}

/** A look-up in steps. Whatever a step allocated is freed before the next one is yielded. */
export type Steps<T> = Generator<Step, T, Outcome>;

/** Describes a call. */
export function step<Args extends readonly unknown[]>(
  waits: boolean,
  call: ResolverCall<Args>,
  ...args: Args
): Step {
  return { waits, call: call as unknown as ResolverCall<readonly unknown[]>, args };
}

function callNow({ call, args }: Step): Outcome {
  const result = call(...args);
  return { result, errno: native().errno() };
}

/** Runs a look-up on this thread, which waits meanwhile. */
export function runSync<T>(steps: Steps<T>): T {
  let turn = steps.next();
  while (!turn.done) turn = steps.next(callNow(turn.value));
  return turn.value;
}

/** Runs a look-up on libuv's pool. `what` names it in a {@link DeadlineError}. */
export function runAsync<T>(steps: Steps<T>, what: string, options: LookupOptions): Promise<T> {
  const timeoutMs = checkTimeout(checkObject(options, "options").timeoutMs ?? null);
  if (options.signal !== undefined) checkSignal(options.signal);
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) reject(options.signal.reason);
    else new Lookup(steps, what, { signal: options.signal, timeoutMs }, resolve, reject).start();
  });
}

function checkTimeout(timeoutMs: number | null): number | null {
  if (timeoutMs === null || (typeof timeoutMs === "number" && timeoutMs >= 0 && Number.isFinite(timeoutMs)))
    return timeoutMs;
  throw new LocalProtocolError(`timeoutMs is a finite number from 0, or null, not ${show(timeoutMs)}`);
}

const MAX_RUNNING = 2;
const LONGEST_TIMER_MS = 0x7fffffff;

/** Look-ups whose next step waits for a place, in the order of their coming. */
const queue = new Map<Lookup<unknown>, Step>();
/** Steps on the pool. The set is what keeps their buffers from being collected. */
const running = new Set<Step>();

function fillPool(): void {
  for (const [lookup, next] of queue) {
    if (running.size >= MAX_RUNNING) return;
    queue.delete(lookup);
    startOnPool(lookup, next);
  }
}

function startOnPool(lookup: Lookup<unknown>, next: Step): void {
  running.add(next);
  try {
    next.call.async(...next.args, (error, result) => {
      const errno = native().errno();
      running.delete(next);
      if (error === null) lookup.advance({ result, errno });
      else lookup.fail(error);
      fillPool();
    });
  } catch (error) {
    running.delete(next);
    lookup.fail(error);
  }
}

class Lookup<T> {
  readonly #steps: Steps<T>;
  readonly #what: string;
  readonly #limits: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number | null };
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #settled = false;

  constructor(
    steps: Steps<T>,
    what: string,
    limits: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number | null },
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#steps = steps;
    this.#what = what;
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    this.#run(() => this.#steps.next());
    if (this.#settled) return;
    const { signal, timeoutMs } = this.#limits;
    watchAbort(signal, this);
    if (timeoutMs === null || timeoutMs > LONGEST_TIMER_MS) return;
    this.#timer = setTimeout(() => this.expire(), timeoutMs);
  }

  /** Goes on with what a call returned; also when nobody waits any more, so that the memory behind it is freed. */
  advance(outcome: Outcome): void {
    this.#run(() => this.#steps.next(outcome));
  }

  expire(): void {
    this.fail(new DeadlineError(this.#what, this.#limits.timeoutMs ?? 0, { usable: true }));
  }

  /** On abort. */
  handleEvent(): void {
    this.fail(this.#limits.signal?.reason);
  }

  fail(reason: unknown): void {
    if (!this.#settle()) return;
    this.#reject(reason);
  }

  #run(next: () => IteratorResult<Step, T>): void {
    try {
      let turn = next();
      while (!turn.done && !turn.value.waits) turn = this.#steps.next(callNow(turn.value));
      if (turn.done) {
        if (this.#settle()) this.#resolve(turn.value);
      } else if (!this.#settled) this.#enqueue(turn.value);
    } catch (error) {
      this.fail(error);
    }
  }

  #enqueue(next: Step): void {
    if (this.#limits.timeoutMs === 0) this.expire();
    else {
      queue.set(this as Lookup<unknown>, next);
      fillPool();
    }
  }

  /** Ends the wait, once. A step that is still queued is dropped. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    queue.delete(this as Lookup<unknown>);
    clearTimeout(this.#timer);
    forgetAbort(this.#limits.signal, this);
    return true;
  }
}
