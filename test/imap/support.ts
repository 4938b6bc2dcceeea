/** Wire text into frames, whole and cut in every way. */
import assert from "node:assert/strict";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { HawserError } from "../../src/core/errors.js";
import type { Limits } from "../../src/core/limits.js";
import { type Frame, type FrameEvent, imapLimits, ResponseFramer } from "../../src/imap/codec-framer.js";
import { parseResponse } from "../../src/imap/codec-response.js";
import type { ParseOptions } from "../../src/imap/codec-tokens.js";
import type { ImapResponse } from "../../src/imap/types.js";

/** Bytes of text: UTF-8. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(of: Uint8Array | null | undefined): string {
  return Buffer.from(of ?? []).toString("utf8");
}

/** All events that chunks give; streamed literals are read and dropped. */
export function eventsOf(
  chunks: readonly Uint8Array[],
  framer: ResponseFramer = new ResponseFramer(),
  limits: Limits = imapLimits,
): FrameEvent[] {
  const queue = new ByteQueue();
  const events: FrameEvent[] = [];
  let streaming = false;
  const drain = (): void => {
    for (;;) {
      if (streaming) {
        const piece = framer.literal(queue, limits);
        if (piece === undefined) return;
        streaming = piece !== null;
      } else {
        const event = framer.next(queue, limits);
        if (event === undefined) return;
        events.push(event);
        streaming = event.type === "literal";
      }
    }
  };
  for (const chunk of chunks) {
    queue.push(chunk);
    drain();
  }
  assert.equal(queue.length, 0);
  return events;
}

export function frameOf(wire: string | Uint8Array): Frame {
  const [event, more] = eventsOf([typeof wire === "string" ? bytes(wire) : wire]);
  assert.equal(more, undefined);
  assert.equal(event?.type, "frame");
  return (event as Extract<FrameEvent, { type: "frame" }>).frame;
}

/** One response, parsed whole, byte by byte and cut at every offset: the same each time. */
export function parseEveryWay(wire: string | Uint8Array, options: ParseOptions = {}): ImapResponse {
  const all = typeof wire === "string" ? bytes(wire) : wire;
  const whole = parseResponse(frameOf(all), options);
  const ways = [Array.from(all, (byte) => Uint8Array.of(byte))];
  for (let at = 1; at < all.length; at += 1) ways.push([all.slice(0, at), all.slice(at)]);
  for (const chunks of ways) {
    const [event] = eventsOf(chunks);
    assert.equal(event?.type, "frame");
    if (event?.type === "frame") assert.deepEqual(parseResponse(event.frame, options), whole);
  }
  return whole;
}

/** Runs it and lets only a HawserError pass. */
export function onlyOurErrors<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof HawserError, String((error as Error).stack));
    return undefined;
  }
}

/** The CPU time of `run` in milliseconds, the least of several. */
export function leastCpuMs(times: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < times; at += 1) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}
