/**
 * The reactor: one epoll instance a thread, in which every socket is registered once, edge-triggered, for reading
 * and writing alike.
 *
 * The rule of an edge-triggered reactor: make the call first, and wait only after EAGAIN. A {@link Watch} therefore
 * remembers, for each direction, whether the next call is worth making.
 */
import { forgetAbort, watchAbort } from "./aborts.js";
import { Deadlines as DeadlineHeap, type Deadlines, nowMs } from "./deadlines.js";
import { errnos, socketError } from "./errno.js";
import { native } from "./index.js";
import { linux } from "./linux.js";
import { Waiter, type WaiterOwner, type WaitLimits, WaitQueue } from "./waiter.js";
import { startWakeup, type Wakeup } from "./wakeup.js";

/** What an operation waits for. `exceptional` is urgent data and the error queue. */
export type Direction = "readable" | "writable" | "exceptional";

const { EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLPRI, EPOLLERR, EPOLLHUP, EPOLLET } = linux;
const interest = (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET) >>> 0;

// struct epoll_event is packed on x64 alone: { u32 events; u64 data } in 12 bytes, elsewhere in 16.
const eventWords = process.arch === "x64" ? 3 : 4;
const dataWord = eventWords - 2;

/** Events taken from the kernel at once. */
const batchEvents = 512;

/**
 * Operations that may end without waiting in one turn of the event loop, so that a fast peer starves nobody; and how
 * many more for each event of the turn, so that 500 connections may all answer in it (a quarter less JavaScript in an
 * echo server, and no reads in vain).
 */
const operationsPerTurn = 64;
const operationsPerEvent = 2;

/** After so many short reads the next call is made without an event, to see whether that finds something. */
const shortReadsPerLook = 64;

/** What the reactor knows of one descriptor. It does not refer to the Socket, which may be collected meanwhile. */
export class Watch {
  readonly fd: number;
  registered = false;
  readable = true;
  writable = true;
  exceptional = true;
  /** The peer has finished or failed, or urgent data came: a short read no longer means "drained". */
  shortReadsMislead = false;
  /** Whether the last look after a short read found more: a peer that answers at once, or a stream at full speed. */
  #looksAgain = false;
  #shortReads = 0;
  /** Until when, on the monotonic clock, reading rests: accept(2) ran out of descriptors. */
  restsUntilMs = 0;
  readonly readers: WaitQueue = new WaitQueue();
  readonly writers: WaitQueue = new WaitQueue();
  readonly watchers: WaitQueue = new WaitQueue();

  constructor(fd: number) {
    this.fd = fd;
  }

  queue(direction: Direction): WaitQueue {
    if (direction === "readable") return this.readers;
    return direction === "writable" ? this.writers : this.watchers;
  }

  /** Whether any operation is pending. */
  get busy(): boolean {
    return (this.readers.first ?? this.writers.first ?? this.watchers.first) !== undefined;
  }

  /**
   * A short read left nothing behind. The next one waits for an event, except where it pays to look first: that is
   * found out once in a while (a ping-pong on one processor: 20 to 16 µs).
   */
  drained(): void {
    if (this.shortReadsMislead) return;
    this.#shortReads += 1;
    if (this.#shortReads % shortReadsPerLook === 0) this.#looksAgain = true;
    this.readable = this.#looksAgain;
  }

  foundNothing(): undefined {
    this.#looksAgain = false;
  }

  /** Notes what epoll reported, and lets the waiters try. */
  notify(events: number): void {
    const failed = (events & (EPOLLERR | EPOLLHUP)) !== 0;
    if (failed || (events & (EPOLLIN | EPOLLRDHUP)) !== 0) this.readable = true;
    if (failed || (events & EPOLLOUT) !== 0) this.writable = true;
    if ((events & (EPOLLERR | EPOLLPRI)) !== 0) this.exceptional = true;
    if (failed || (events & (EPOLLRDHUP | EPOLLPRI)) !== 0) this.shortReadsMislead = true;
    this.run();
  }

  /** Lets every waiter try once more, whatever the last call said. */
  retry(): void {
    this.readable = true;
    this.writable = true;
    this.exceptional = true;
    this.run();
  }

  /** Lets the waiters of every ready direction try. */
  run(): void {
    if (this.readable && (this.restsUntilMs === 0 || this.restsUntilMs <= nowMs()))
      this.readable = this.readers.run() && this.readable;
    if (this.writable) this.writable = this.writers.run() && this.writable;
    if (this.exceptional) this.exceptional = this.watchers.run() && this.exceptional;
  }

  fail(reason: (what: string) => unknown): void {
    this.readers.fail(reason);
    this.writers.fail(reason);
    this.watchers.fail(reason);
  }
}

/** The event loop's half of every waiting call. One a thread: take it from {@link reactor}. */
export class Reactor implements WaiterOwner {
  readonly deadlines: Deadlines = new DeadlineHeap();
  readonly #watches: (Watch | undefined)[] = [];
  readonly #epfd: number;
  readonly #wakeup: Wakeup;
  readonly #events: Int32Array = new Int32Array(batchEvents * eventWords);
  readonly #eventBytes: Uint8Array = new Uint8Array(this.#events.buffer);
  readonly #registration: Uint32Array = new Uint32Array(eventWords);
  readonly #registrationBytes: Uint8Array = new Uint8Array(this.#registration.buffer);
  #retries: Watch[] = [];
  readonly #dispatchBound: () => void = () => this.#dispatch();
  #dispatchArmed = false;
  #operationsLeft = operationsPerTurn;
  #held = 0;

  constructor() {
    this.#epfd = native().epollCreate(linux.EPOLL_CLOEXEC);
    if (this.#epfd < 0) throw socketError("epoll_create1", native().errno());
    this.#wakeup = startWakeup(
      this.#epfd,
      () => this.#armDispatch(),
      () => this.#dispatch(),
    );
  }

  /** Takes one of this turn's operations; false when they are used up and the caller has to queue. */
  spend(): boolean {
    if (this.#operationsLeft === 0) return false;
    this.#operationsLeft -= 1;
    return true;
  }

  /** Resolves in the next turn of the event loop, with operations to spend. */
  nextTurn(): Promise<void> {
    this.#armDispatch();
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** Queues `attempt` until the descriptor is ready. Rejects on abort, deadline, and close. */
  wait<T>(
    watch: Watch,
    direction: Direction,
    what: string,
    limits: WaitLimits,
    holds: boolean,
    attempt: () => T | undefined,
  ): Promise<T> {
    if (!watch.registered) this.#register(watch);
    else if (watch[direction]) this.retrySoon(watch);
    const waiter = new Waiter(this, what, limits, attempt);
    waiter.holds = holds;
    watch.queue(direction).push(waiter);
    if (holds && ++this.#held === 1) this.#wakeup.ref();
    if (limits.signal !== undefined) watchAbort(limits.signal, waiter);
    if (limits.timeoutMs !== null) {
      waiter.dueMs = nowMs() + limits.timeoutMs;
      this.deadlines.add(waiter);
    }
    return waiter.promise as Promise<T>;
  }

  settled(waiter: Waiter): void {
    waiter.queue?.remove(waiter);
    if (waiter.limits.timeoutMs !== null) this.deadlines.remove(waiter);
    if (waiter.limits.signal !== undefined) forgetAbort(waiter.limits.signal, waiter);
    if (waiter.holds && --this.#held === 0) this.#wakeup.unref();
  }

  /** Lets the waiters of `watch` try again in the next turn of the event loop. */
  retrySoon(watch: Watch): void {
    this.#retries.push(watch);
    this.#armDispatch();
  }

  /** Takes a descriptor out before it is closed or given away; its waiters are rejected with `reason`. */
  release(watch: Watch, reason: (what: string) => unknown): void {
    if (watch.registered) {
      // Closed behind our back, the number may be another socket's by now, registered under it.
      if (this.#watches[watch.fd] === watch) {
        this.#watches[watch.fd] = undefined;
        native().epollCtl(this.#epfd, linux.EPOLL_CTL_DEL, watch.fd, null);
      }
      watch.registered = false;
    }
    watch.fail(reason);
  }

  #register(watch: Watch): void {
    this.#registration[0] = interest;
    this.#registration[dataWord] = watch.fd;
    if (native().epollCtl(this.#epfd, linux.EPOLL_CTL_ADD, watch.fd, this.#registrationBytes) < 0) {
      throw socketError("epoll_ctl", native().errno());
    }
    // A descriptor that was closed behind our back leaves its old watch here: its waiters must not wait for ever.
    this.#watches[watch.fd]?.fail((what) => socketError(what, errnos.EBADF));
    this.#watches[watch.fd] = watch;
    watch.registered = true;
  }

  /** One dispatch a turn of the event loop, however many reasons there are for it. */
  #armDispatch(): void {
    if (this.#dispatchArmed) return;
    this.#dispatchArmed = true;
    setImmediate(this.#dispatchBound);
  }

  #dispatch(): void {
    this.#dispatchArmed = false;
    this.#operationsLeft = operationsPerTurn;
    const retries = this.#retries;
    if (retries.length > 0) {
      this.#retries = [];
      for (const watch of retries) watch.retry();
    }
    const count = native().epollWait(this.#epfd, this.#eventBytes, batchEvents, 0);
    if (count > 0) this.#operationsLeft += count * operationsPerEvent;
    for (let index = 0; index < count; index += 1) {
      const word = index * eventWords;
      this.#watches[this.#events[word + dataWord] as number]?.notify(this.#events[word] as number);
    }
    if (count === batchEvents) this.#armDispatch();
  }
}

let instance: Reactor | undefined;

/** This thread's reactor, made on first use. */
export function reactor(): Reactor {
  instance ??= new Reactor();
  return instance;
}
