/** One operation that waits for its descriptor, and the queue it stands in. */
import { DeadlineError } from "../../core/errors.js";
import type { Expiring } from "./deadlines.js";

/** What a {@link Waiter} tells the reactor. */
export interface WaiterOwner {
  /** The waiter is settled, whichever way: take it out of the queue, the deadlines and the count. */
  settled(waiter: Waiter): void;
}

/** What a waiting operation is told about its end. */
export interface WaitLimits {
  readonly signal: AbortSignal | undefined;
  /** How long at most, in milliseconds; null waits for ever. */
  readonly timeoutMs: number | null;
}

/**
 * A pending operation. `attempt` makes the system call: a value ends the wait, `undefined` means EAGAIN, a throw
 * fails it. It runs in the reactor's dispatch, so it must not call user code.
 */
export class Waiter implements Expiring {
  previous: Waiter | undefined;
  next: Waiter | undefined;
  queue: WaitQueue | undefined;
  dueMs = 0;
  heapIndex = -1;
  /** Whether the wait keeps the process alive. */
  holds = true;
  readonly what: string;
  readonly limits: WaitLimits;
  readonly #owner: WaiterOwner;
  readonly #attempt: () => unknown;
  readonly promise: Promise<unknown>;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;

  constructor(owner: WaiterOwner, what: string, limits: WaitLimits, attempt: () => unknown) {
    this.#owner = owner;
    this.what = what;
    this.limits = limits;
    this.#attempt = attempt;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Tries the operation once more; true when that settled it. */
  run(): boolean {
    try {
      const value = this.#attempt();
      if (value === undefined) return false;
      this.#owner.settled(this);
      this.#resolve(value);
    } catch (error) {
      this.fail(error);
    }
    return true;
  }

  fail(reason: unknown): void {
    this.#owner.settled(this);
    this.#reject(reason);
  }

  /** Time is over: the event loop may be the one that is late, so what can be done by now is done. */
  expire(): void {
    if (this.queue?.first === this && this.run()) return;
    this.fail(new DeadlineError(this.what, this.limits.timeoutMs ?? 0, { usable: this.what !== "connect" }));
  }

  /** On abort. */
  handleEvent(): void {
    this.fail(this.limits.signal?.reason);
  }
}

/** Waiters in the order of their calls: a doubly linked list, for an abort may take one out of the middle. */
export class WaitQueue {
  first: Waiter | undefined;
  last: Waiter | undefined;

  push(waiter: Waiter): void {
    waiter.queue = this;
    waiter.previous = this.last;
    if (this.last === undefined) this.first = waiter;
    else this.last.next = waiter;
    this.last = waiter;
  }

  remove(waiter: Waiter): void {
    if (waiter.previous === undefined) this.first = waiter.next;
    else waiter.previous.next = waiter.next;
    if (waiter.next === undefined) this.last = waiter.previous;
    else waiter.next.previous = waiter.previous;
    waiter.previous = undefined;
    waiter.next = undefined;
    waiter.queue = undefined;
  }

  /** Runs waiters from the front until one has to go on waiting. True when none is left. */
  run(): boolean {
    for (let waiter = this.first; waiter !== undefined; waiter = this.first) {
      if (!waiter.run()) return false;
    }
    return true;
  }

  /** Rejects every waiter; `reason` is told what each was doing. */
  fail(reason: (what: string) => unknown): void {
    for (let waiter = this.first; waiter !== undefined; waiter = this.first) waiter.fail(reason(waiter.what));
  }
}
