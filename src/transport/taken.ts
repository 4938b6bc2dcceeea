/** Writes that have nothing to wait for. */

/**
 * What a transport's `write` may return where it took the data at once. Whoever knows it by sight needs no clock for the
 * wait, which costs a timer and three promises.
 */
export const taken: Promise<void> = Promise.resolve();
