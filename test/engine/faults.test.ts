import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError } from "../../src/core/errors.js";
import { type Fault, FaultPlan } from "../../src/engine/faults.js";

test("a fault is due at its command, whatever its case, or where its pattern matches the line", () => {
  const named: Fault = { on: "RCPT", drop: true };
  const pattern: Fault = { on: /^MAIL FROM:<slow@/i, delayMs: 1 };
  const plan = new FaultPlan([named, pattern]);
  assert.equal(plan.take("rcpt", "rcpt to:<a>"), named);
  assert.equal(plan.take("RCPTX"), undefined);
  assert.equal(plan.take("MAIL", "MAIL FROM:<slow@b>"), pattern);
  assert.equal(plan.take("MAIL", "mail from:<SLOW@b>"), pattern);
  assert.equal(plan.take("MAIL", "MAIL FROM:<a@b>"), undefined);
  assert.equal(plan.take("connect"), undefined);
});

test("it is due so many times, and then the next one is", () => {
  const first: Fault = { on: "X", reply: "1", times: 2 };
  const second: Fault = { on: "X", reply: "2" };
  const plan = new FaultPlan([first, second]);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => plan.take("X")),
    [first, first, second, second],
  );
  assert.equal(new FaultPlan([{ on: "X", drop: true, times: 0 }]).take("X"), undefined);
});

test("by chance: about as often as it says, and the same with the same seed", () => {
  const run = (seed: number | undefined, chance: number): string => {
    const plan = new FaultPlan([{ on: "X", drop: true, chance }], seed);
    return Array.from({ length: 1000 }, () => (plan.take("X") === undefined ? "." : "x")).join("");
  };
  assert.equal(run(7, 0.3), run(7, 0.3));
  assert.equal(run(undefined, 0.3), run(1, 0.3));
  assert.notEqual(run(7, 0.3), run(8, 0.3));
  const hits = run(7, 0.3).replaceAll(".", "").length;
  assert.ok(hits > 230 && hits < 370, String(hits));
  assert.equal(run(7, 0), ".".repeat(1000));
  assert.equal(run(7, 1), "x".repeat(1000));
});

const wrong: readonly Fault[] = [
  { on: "X" },
  { on: "X", drop: false, tlsFailure: false, delayMs: undefined },
  { on: "X", times: 3 },
  { on: /X/g, drop: true },
  { on: /X/y, drop: true },
];
for (const fault of wrong) {
  test(`a fault that cannot work is refused: ${Object.keys(fault)} on ${fault.on}`, () => {
    assert.throws(() => new FaultPlan([fault]), LocalProtocolError);
  });
}
