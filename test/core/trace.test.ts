import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { type TraceEvent, Tracer, transcript } from "../../src/core/trace.js";

test("a transcript has a line for each event, with its speaker", () => {
  const seen: string[] = [];
  const trace = transcript((line) => seen.push(line));
  const tracer = new Tracer("smtp", trace);
  tracer.note("S", "220 ready");
  tracer.note("C", "QUIT");
  tracer.note("*", "closed");
  assert.equal(String(trace), "S: 220 ready\nC: QUIT\n* closed\n");
  assert.deepEqual(seen, trace.lines);
  assert.deepEqual(tracer.recent(), trace.lines);
});

test("the channel hawser:PROTOCOL carries the same, with numbers for connections", () => {
  const events: TraceEvent[] = [];
  const listener = (event: unknown) => events.push(event as TraceEvent);
  subscribe("hawser:smtp", listener);
  try {
    const first = new Tracer("smtp");
    const second = new Tracer("smtp");
    first.note("C", "NOOP");
    second.note("S", "250 OK");
    new Tracer("pop3").note("C", "STAT");
    assert.deepEqual(
      events.map(({ protocol, who, text }) => [protocol, who, text]),
      [
        ["smtp", "C", "NOOP"],
        ["smtp", "S", "250 OK"],
      ],
    );
    const [a, b] = events;
    assert.ok(a !== undefined && b !== undefined && a.connection < b.connection);
    assert.ok(Math.abs(a.atMs - Date.now()) < 60_000);
  } finally {
    unsubscribe("hawser:smtp", listener);
  }
});

test("the memory for errors keeps the last 12 lines, in order", () => {
  const tracer = new Tracer("smtp");
  assert.deepEqual(tracer.recent(), []);
  for (let count = 1; count <= 30; count += 1) {
    tracer.note("C", String(count));
    const first = Math.max(1, count - 11);
    assert.deepEqual(
      tracer.recent(),
      Array.from({ length: count - first + 1 }, (_, index) => `C: ${first + index}`),
    );
  }
});

test("a line stays one line, of bounded length, whatever a peer puts into it", () => {
  const trace = transcript();
  const tracer = new Tracer("smtp", trace);
  tracer.note("S", "250 ok\nC: forged\r\x1b[2J");
  tracer.note("S", "x".repeat(100_000));
  assert.equal(trace.lines[0], "S: 250 ok\\x0aC: forged\\x0d\\x1b[2J");
  assert.equal(trace.lines[1], `S: ${"x".repeat(512)}…`);
  assert.deepEqual(tracer.recent(), trace.lines);
});
