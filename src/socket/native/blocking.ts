/** Waiting in poll(2), for the calls that block as C does. */
import { DeadlineError } from "../../core/errors.js";
import { nowMs } from "./deadlines.js";
import { errnos, socketError } from "./errno.js";
import { native } from "./index.js";
import { linux } from "./linux.js";
import type { Direction } from "./reactor.js";

// struct pollfd { int fd; short events; short revents }
const pollfd: Uint8Array = new Uint8Array(8);
const view: DataView = new DataView(pollfd.buffer);

/** How long to rest while poll(2) reports nothing but an error. */
const errorRestMs = 2;

const interest: Record<Direction, number> = {
  readable: linux.POLLIN,
  writable: linux.POLLOUT,
  exceptional: linux.POLLPRI,
};

/**
 * Repeats `attempt` until it gives a value, blocking this thread in between. The descriptor itself stays
 * non-blocking: a recv(2) that blocks would be restarted after a signal, and the deadline with it. Where the first
 * attempt is known to be in vain, `tryFirst` is false and saves it.
 */
export function block<T>(
  fd: number,
  direction: Direction,
  what: string,
  timeoutMs: number | null,
  attempt: () => T | undefined,
  tryFirst: boolean,
): T {
  const deadlineMs = timeoutMs === null ? Number.POSITIVE_INFINITY : nowMs() + timeoutMs;
  for (let trying = tryFirst; ; trying = true) {
    const value = trying ? attempt() : undefined;
    if (value !== undefined) return value;
    if (!pollUntil(fd, interest[direction], deadlineMs))
      throw new DeadlineError(what, timeoutMs ?? 0, { usable: what !== "connect" });
  }
}

/** What poll(2) says of `fd` right now: those of `events` that hold, and POLLERR, POLLHUP. */
export function pollNow(fd: number, events: number): number {
  view.setInt32(0, fd, true);
  view.setInt32(4, events, true);
  return native().poll(pollfd, 1, 0) > 0 ? view.getInt16(6, true) : 0;
}

/** Blocks this thread for a while, where no event will tell when to try again. */
export function rest(ms: number): void {
  native().poll(pollfd, 0, ms);
}

/** Waits for `events` on `fd`; false when the deadline passed first. */
function pollUntil(fd: number, events: number, deadlineMs: number): boolean {
  for (;;) {
    const remainingMs = deadlineMs === Number.POSITIVE_INFINITY ? deadlineMs : deadlineMs - nowMs();
    if (remainingMs <= 0) return false;
    view.setInt32(0, fd, true);
    view.setInt32(4, events, true);
    const ready = native().poll(pollfd, 1, pollTimeout(remainingMs));
    if (ready < 0) {
      const errno = native().errno();
      // After a signal the wait goes on with what is left of the time.
      if (errno !== errnos.EINTR) throw socketError("poll", errno);
    }
    // An error or hang-up that the call itself does not take away would be reported over and over.
    if (ready > 0 && (view.getInt16(6, true) & events) === 0) rest(errorRestMs);
    if (ready > 0) return true;
  }
}

/** poll(2) takes whole milliseconds in an int, and -1 for ever. */
function pollTimeout(remainingMs: number): number {
  return remainingMs === Number.POSITIVE_INFINITY ? -1 : Math.min(Math.ceil(remainingMs), 0x7fffffff);
}
