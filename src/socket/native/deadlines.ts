/**
 * The deadlines of a thread in one binary heap behind one timer: ten thousand waiting sockets cost one `setTimeout`.
 * An entry is removed in O(log n), so an operation that ends early leaves nothing behind.
 */

/** Something that is to be told when its time is over. */
export interface Expiring {
  /** When, in milliseconds on the monotonic clock of {@link nowMs}. */
  dueMs: number;
  /** Its place in the heap, or -1. Only {@link Deadlines} writes it. */
  heapIndex: number;
  expire(): void;
}

/** The monotonic clock, in milliseconds. */
export function nowMs(): number {
  return performance.now();
}

/** A heap of {@link Expiring} entries, the earliest first. */
export class Deadlines {
  readonly #heap: Expiring[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  add(entry: Expiring): void {
    entry.heapIndex = this.#heap.length;
    this.#heap.push(entry);
    this.#siftUp(entry);
    if (entry.dueMs < this.#timerDueMs) this.#arm(entry.dueMs);
  }

  remove(entry: Expiring): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#heap[index] = last;
    last.heapIndex = index;
    this.#siftUp(last);
    this.#siftDown(last);
  }

  /** One timer for the earliest entry. A removed entry leaves the timer as it is: it fires once for nothing. */
  #arm(dueMs: number): void {
    clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    // The wait itself holds the event loop, so the timer need not.
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(dueMs - nowMs(), 0), 0x7fffffff)).unref();
  }

  #fire(): void {
    // The timer's own due time counts beside the clock's: timers may fire a fraction of a millisecond early.
    const untilMs = Math.max(nowMs(), Math.min(this.#timerDueMs, nowMs() + 1));
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= untilMs; first = this.#heap[0]) {
      this.remove(first);
      first.expire();
    }
    const next = this.#heap[0];
    if (next !== undefined) this.#arm(next.dueMs);
  }

  #siftUp(entry: Expiring): void {
    const heap = this.#heap;
    let index = entry.heapIndex;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Expiring;
      if (parent.dueMs <= entry.dueMs) break;
      heap[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    heap[index] = entry;
    entry.heapIndex = index;
  }

  #siftDown(entry: Expiring): void {
    const heap = this.#heap;
    let index = entry.heapIndex;
    for (;;) {
      let childIndex = 2 * index + 1;
      const right = heap[childIndex + 1];
      if (right !== undefined && right.dueMs < (heap[childIndex] as Expiring).dueMs) childIndex += 1;
      const child = heap[childIndex];
      if (child === undefined || child.dueMs >= entry.dueMs) break;
      heap[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    heap[index] = entry;
    entry.heapIndex = index;
  }
}
