import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { BusyError, LimitError, RemoteProtocolError } from "../../src/core/errors.js";
import type { Limits } from "../../src/core/limits.js";
import { commandFramer } from "../../src/imap/codec-command-framer.js";
import { parseFetchLiteral } from "../../src/imap/codec-fetch.js";
import { type FrameEvent, imapLimits, responseFramer } from "../../src/imap/codec-framer.js";
import { parseResponse } from "../../src/imap/codec-response.js";
import { bytes, eventsOf, frameOf, leastCpuMs, onlyOurErrors, text } from "./support.js";

const framed: readonly {
  readonly name: string;
  readonly wire: string;
  readonly want: readonly (readonly [text: string, ...literals: string[]])[];
}[] = [
  { name: "RFC 9051 section 7: one line", wire: "* OK hi\r\n", want: [["* OK hi"]] },
  { name: "two responses", wire: "* 1 EXISTS\r\na OK\r\n", want: [["* 1 EXISTS"], ["a OK"]] },
  { name: "seen: a lone LF", wire: "* OK hi\n", want: [["* OK hi"]] },
  {
    name: "RFC 9051 section 4.3: a literal",
    wire: "* 1 FETCH (BODY[] {5}\r\na\r\nbc)\r\n",
    want: [["* 1 FETCH (BODY[] {5})", "a\r\nbc"]],
  },
  {
    name: "an empty literal",
    wire: "* 1 FETCH (BODY[] {0}\r\n)\r\n",
    want: [["* 1 FETCH (BODY[] {0})", ""]],
  },
  {
    name: "RFC 3516: literal8, and a non-synchronizing one",
    wire: "* 1 FETCH (BINARY[1] ~{3}\r\na\0b BODY[] {1+}\r\nx)\r\n",
    want: [["* 1 FETCH (BINARY[1] ~{3} BODY[] {1+})", "a\0b", "x"]],
  },
  {
    name: "a literal that ends the response",
    wire: '* LIST () "/" {3}\r\na{1\r\n* 1 EXISTS\r\n',
    want: [['* LIST () "/" {3}', "a{1"], ["* 1 EXISTS"]],
  },
  { name: "RFC 9051 section 7.1: no literal in text", wire: "* OK see {5}\r\n", want: [["* OK see {5}"]] },
  { name: "nor in a tagged one", wire: "a1 no {5}\r\n", want: [["a1 no {5}"]] },
  { name: "nor in a continuation", wire: "+ idling {5}\r\n", want: [["+ idling {5}"]] },
  {
    name: "no marks: braces of other shapes",
    wire: "* X {}\r\n* X {a}\r\n",
    want: [["* X {}"], ["* X {a}"]],
  },
];

function shown(events: readonly FrameEvent[]): (readonly string[])[] {
  return events.map((event) =>
    event.type === "literal"
      ? [`literal of ${event.octets}`]
      : [text(event.frame.text), ...event.frame.literals.map(({ data }) => text(data))],
  );
}

for (const { name, wire, want } of framed) {
  test(`frames: ${name}`, () => {
    const all = bytes(wire);
    assert.deepEqual(shown(eventsOf([all])), want);
    assert.deepEqual(shown(eventsOf(Array.from(all, (byte) => Uint8Array.of(byte)))), want);
    for (let at = 1; at < all.length; at += 1)
      assert.deepEqual(shown(eventsOf([all.slice(0, at), all.slice(at)])), want);
  });
}

test("a literal beyond maxBufferedBytes comes as a stream, and the response goes on behind it", () => {
  const framer = responseFramer({ maxBufferedBytes: 3 });
  const queue = new ByteQueue();
  queue.push(bytes("* 7 FETCH (UID 9 BODY[1]<5> {4}\r\nab"));
  const event = framer.next(queue, imapLimits);
  assert.equal(event?.type, "literal");
  assert.ok(event?.type === "literal");
  const literal = parseFetchLiteral(event);
  assert.equal(literal?.sequence, 7);
  assert.equal(literal?.attributes.uid, 9);
  assert.deepEqual(literal?.item, {
    section: { part: "1", text: "", fields: [] },
    origin: 5,
    data: { streamed: true, octets: 4, index: 0 },
  });
  assert.throws(() => framer.next(queue, imapLimits), BusyError);
  assert.equal(text(framer.literal(queue, imapLimits)), "ab");
  assert.equal(framer.literal(queue, imapLimits), undefined);
  queue.push(bytes("cd BODY[2] {1}\r\nx FLAGS ())\r\n"));
  assert.equal(text(framer.literal(queue, imapLimits)), "cd");
  assert.equal(framer.literal(queue, imapLimits), null);
  const end = framer.next(queue, imapLimits);
  assert.ok(end?.type === "frame");
  const response = parseResponse(end.frame);
  assert.ok(response.type === "fetch");
  assert.deepEqual(response.attributes.sections?.[0]?.data, { streamed: true, octets: 4, index: 0 });
  assert.equal(text(response.attributes.sections?.[1]?.data as Uint8Array), "x");
  assert.deepEqual(response.attributes.flags, []);
  assert.throws(() => framer.literal(queue, imapLimits), BusyError);
});

test("a streamed literal that is no body belongs to nothing, also behind one that is", () => {
  const wire = "* 7 FETCH (BODY[] {4}\r\nabcd ENVELOPE (NIL {5}\r\nabcde";
  const framer = responseFramer({ maxBufferedBytes: 3 });
  const events = eventsOf([bytes(wire)], framer);
  assert.deepEqual(
    events.map((event) => event.type === "literal" && parseFetchLiteral(event) !== undefined),
    [true, false],
  );
});

const small: Limits = { ...imapLimits, maxLineBytes: 20, maxReplyBytes: 60, maxItems: 3, maxBodyBytes: 100 };

const limited: readonly { readonly name: string; readonly ok: string; readonly tooMuch: string }[] = [
  { name: "maxLineBytes", ok: `* ${"x".repeat(18)}\r\n`, tooMuch: `* ${"x".repeat(19)}\r\n` },
  {
    name: "maxLineBytes without an end",
    ok: `* ${"x".repeat(18)}\r`,
    tooMuch: `* ${"x".repeat(20)}`,
  },
  {
    name: "maxReplyBytes of a literal",
    ok: `* X {52}\r\n${"x".repeat(52)}`,
    tooMuch: `* X {53}\r\n`,
  },
  {
    name: "maxReplyBytes of the text behind it",
    ok: `* X {49}\r\n${"x".repeat(49)}xxx\r\n`,
    tooMuch: `* X {49}\r\n${"x".repeat(49)}xxxx\r\n`,
  },
  { name: "maxItems", ok: "* X {0}\r\n{0}\r\n{0}\r\n\r\n", tooMuch: "* X {0}\r\n{0}\r\n{0}\r\n{0}\r\n" },
];

for (const { name, ok, tooMuch } of limited) {
  test(`limit: ${name}`, () => {
    const run = (wire: string, size: number) => {
      const queue = new ByteQueue();
      const framer = responseFramer();
      const all = bytes(wire);
      for (let at = 0; at < all.length; at += size) {
        queue.push(all.slice(at, at + size));
        while (framer.next(queue, small) !== undefined);
      }
    };
    for (const size of [1, 7, 1000]) {
      run(ok, size);
      assert.throws(() => run(tooMuch, size), LimitError);
    }
  });
}

test("limit: maxBodyBytes of a streamed literal", () => {
  const announce = (octets: number) =>
    eventsOf([bytes(`* X {${octets}}\r\n`)], responseFramer({ maxBufferedBytes: 9 }), small);
  assert.equal(announce(100)[0]?.type, "literal");
  assert.throws(() => announce(101), LimitError);
});

test("an announcement of 4 GiB, or of more digits than there are numbers, costs nothing", () => {
  const before = process.memoryUsage().arrayBuffers;
  const big = responseFramer({ maxBufferedBytes: Number.MAX_SAFE_INTEGER });
  assert.throws(() => eventsOf([bytes("* X {4294967296}\r\n")], big), LimitError);
  assert.throws(() => eventsOf([bytes(`* X {${"9".repeat(400)}}\r\n`)]), LimitError);
  assert.equal(eventsOf([bytes("* X {4294967296}\r\n")])[0]?.type, "literal");
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
});

test("a connection that ends in the middle of a response broke the rules, one that ends behind it did not", () => {
  for (const wire of ["* OK", "* X {5}\r\nab", "* X {1}\r\na"]) {
    const queue = new ByteQueue();
    queue.push(bytes(wire));
    queue.end();
    assert.throws(() => responseFramer().next(queue, imapLimits), RemoteProtocolError);
  }
  const queue = new ByteQueue();
  queue.end();
  assert.equal(responseFramer().next(queue, imapLimits), undefined);
});

/**
 * How the time grows when the input becomes eight times as long, at its best of some tries: about 8 where the work is
 * linear, and 64 where it is quadratic. Others use this machine as well, and the collector has steps of its own: at 2.0
 * to 2.2 for each doubling on a quiet one, this much room is left.
 */
function growth(run: (size: number) => void, size: number): number {
  run(size);
  run(size);
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5 && best > maxGrowth; attempt += 1)
    best = Math.min(best, leastCpuMs(3, () => run(size * 8)) / leastCpuMs(3, () => run(size)));
  return best;
}

const maxGrowth = 24;

test("linear: many literals in one response (CVE-2026-42245)", () => {
  const run = (literals: number) => {
    const wire = bytes(`* 1 FETCH (${"BODY[1] {3}\r\nabc ".repeat(literals)}FLAGS ())\r\n`);
    const response = parseResponse(frameOf(wire));
    assert.ok(response.type === "fetch" && response.attributes.sections?.length === literals);
  };
  assert.ok(growth(run, 4_000) <= maxGrowth);
});

test("linear: one-byte segments, none beside another in memory", () => {
  const run = (size: number) => {
    const all = bytes(`* X "${"y".repeat(size)}" {${size}}\r\n${"z".repeat(size)}\r\n`);
    // Every other byte of one buffer: chunks that cannot be joined, and no load on the collector.
    const spread = new Uint8Array(all.length * 2);
    all.forEach((byte, at) => {
      spread[at * 2] = byte;
    });
    const queue = new ByteQueue();
    const framer = responseFramer();
    let frames = 0;
    for (let at = 0; at < all.length; at += 1) {
      queue.push(spread.subarray(at * 2, at * 2 + 1));
      if (framer.next(queue, imapLimits) !== undefined) frames += 1;
    }
    assert.equal(frames, 1);
  };
  assert.ok(growth(run, 10_000) <= maxGrowth);
});

test("property: any bytes give frames or a HawserError, and consumed + left = fed", () => {
  const piece = fc.constantFrom(
    "* ",
    "OK",
    "{3}\r\n",
    "~{1+}\r\n",
    "\r\n",
    "(",
    "a",
    "{",
    "}",
    "\0",
    '"',
    "\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (pieces, size) => {
      const all = bytes(pieces.join(""));
      const queue = new ByteQueue();
      const framer = responseFramer();
      for (let at = 0; at < all.length; at += size) queue.push(all.slice(at, at + size));
      let fed = queue.length;
      onlyOurErrors(() => {
        for (let event = framer.next(queue, imapLimits); event; event = framer.next(queue, imapLimits)) {
          assert.ok(queue.length < fed);
          fed = queue.length;
          if (event.type === "frame") onlyOurErrors(() => parseResponse(event.frame));
        }
      });
    }),
  );
});

test("commands: a synchronizing literal is asked about and taken", () => {
  const framer = commandFramer();
  const queue = new ByteQueue();
  queue.push(bytes("a LOGIN {3}\r\n"));
  const asked = framer.next(queue, imapLimits);
  assert.ok(asked?.type === "literal");
  assert.deepEqual([asked.octets, asked.nonSync, text(asked.before.text)], [3, false, "a LOGIN {3}"]);
  assert.throws(() => framer.next(queue, imapLimits), BusyError);
  framer.accept();
  assert.equal(framer.next(queue, imapLimits), undefined);
  queue.push(bytes("joe {2+}\r\npw\r\nb NOOP\r\n"));
  const whole = framer.next(queue, imapLimits);
  assert.ok(whole?.type === "frame");
  assert.deepEqual(
    [text(whole.frame.text), ...whole.frame.literals.map(({ data }) => text(data))],
    ["a LOGIN {3} {2+}", "joe", "pw"],
  );
  assert.ok(framer.idle);
  assert.equal(framer.next(queue, imapLimits)?.type, "frame");
});

test("commands: a refused literal is forgotten, and one sent without waiting is thrown away with its command", () => {
  const framer = commandFramer({ maxBufferedBytes: 4 });
  const queue = new ByteQueue();
  queue.push(bytes("a LOGIN {9}\r\nb X {5+}\r\nhel"));
  assert.ok(framer.next(queue, imapLimits)?.type === "literal");
  framer.refuse();
  const asked = framer.next(queue, imapLimits);
  assert.ok(asked?.type === "literal" && asked.nonSync);
  framer.refuse();
  assert.equal(framer.next(queue, imapLimits), undefined);
  queue.push(bytes("lo {6+}\r\na\r\nb\r\n tail\r\nc NOOP\r\n"));
  const next = framer.next(queue, imapLimits);
  assert.equal(next?.type === "frame" && text(next.frame.text), "c NOOP");
});

test("commands: an accepted literal can be read as a stream", () => {
  const framer = commandFramer();
  const queue = new ByteQueue();
  queue.push(bytes("a APPEND x {5}\r\nhello\r\n"));
  assert.ok(framer.next(queue, imapLimits)?.type === "literal");
  framer.accept("stream");
  assert.equal(text(framer.literal(queue, imapLimits)), "hello");
  assert.equal(framer.literal(queue, imapLimits), null);
  const whole = framer.next(queue, imapLimits);
  assert.ok(whole?.type === "frame" && whole.frame.literals[0]?.data === undefined);
});
