import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { mock, test } from "node:test";
import { Deadline, withDeadline } from "../../src/core/deadline.js";
import { DeadlineError, LocalProtocolError } from "../../src/core/errors.js";

const never = new Promise<never>(() => {});

function withClock(run: (tick: (ms: number) => void) => Promise<void>): () => Promise<void> {
  return async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
    try {
      await run((ms) => mock.timers.tick(ms));
    } finally {
      mock.timers.reset();
    }
  };
}

test(
  "the clock runs out: what, how long, and the three facts",
  withClock(async (tick) => {
    using deadline = new Deadline("the greeting", { timeoutMs: 500 });
    const raced = deadline.race(never);
    tick(499);
    assert.equal(deadline.remainingMs(), 1);
    deadline.throwIfOver();
    tick(1);
    await assert.rejects(raced, (error) => {
      assert.ok(error instanceof DeadlineError);
      assert.deepEqual([error.what, error.limitMs], ["the greeting", 500]);
      assert.deepEqual([error.fault, error.sent, error.usable], ["time", "perhaps", false]);
      return true;
    });
    assert.throws(() => deadline.throwIfOver(), DeadlineError);
    await assert.rejects(deadline.race(Promise.resolve(1)), DeadlineError);
  }),
);

test(
  "a race within a race: both end with the clock, in whichever order they wait",
  withClock(async (tick) => {
    using deadline = new Deadline("it", { timeoutMs: 10 });
    const outer = deadline.race(never);
    assert.equal(await deadline.race(Promise.resolve("inner")), "inner");
    tick(10);
    await assert.rejects(outer, DeadlineError);
  }),
);

test("an abort rejects with the signal's reason, before and during the wait", async () => {
  const reason = { my: "reason" };
  const controller = new AbortController();
  using deadline = new Deadline("it", { signal: controller.signal });
  const raced = deadline.race(never);
  controller.abort(reason);
  await assert.rejects(raced, (error) => error === reason);
  using late = new Deadline("it", { signal: controller.signal });
  assert.throws(
    () => late.throwIfOver(),
    (error) => error === reason,
  );
  await assert.rejects(
    withDeadline("it", { signal: controller.signal }, () => assert.fail("the work was begun")),
    (error) => error === reason,
  );
});

test(
  "the first to come decides: an abort after the clock changes nothing",
  withClock(async (tick) => {
    const controller = new AbortController();
    using deadline = new Deadline("it", { timeoutMs: 5, signal: controller.signal });
    tick(5);
    controller.abort(new Error("late"));
    assert.throws(() => deadline.throwIfOver(), DeadlineError);
  }),
);

test("when it is disposed neither a timer nor a listener is left", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const controller = new AbortController();
  {
    using deadline = new Deadline("it", { timeoutMs: 60_000, signal: controller.signal });
    assert.equal(timers(), before + 1);
    assert.equal(getEventListeners(controller.signal, "abort").length, 1);
    assert.equal(await deadline.race(Promise.resolve(7)), 7);
  }
  assert.equal(timers(), before);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  await assert.rejects(
    withDeadline("it", { timeoutMs: 60_000 }, () => Promise.reject(new Error("work"))),
    /work/,
  );
  assert.equal(timers(), before);
});

test("without a limit nothing is over; a limit longer than a timer's does not fire at once", () => {
  using none = new Deadline("it");
  assert.equal(none.remainingMs(), Number.POSITIVE_INFINITY);
  none.throwIfOver();
  using long = new Deadline("it", { timeoutMs: 2 ** 40 });
  long.throwIfOver();
  using zero = new Deadline("it", { timeoutMs: 0 });
  assert.throws(() => zero.throwIfOver(), DeadlineError);
  for (const timeoutMs of [Number.NaN, -1])
    assert.throws(() => new Deadline("it", { timeoutMs }), LocalProtocolError);
});

test(
  "work that fails after its deadline is nobody's unhandled rejection",
  withClock(async (tick) => {
    let fail: (error: Error) => void = () => {};
    const work = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const raced = withDeadline("it", { timeoutMs: 1 }, () => work);
    tick(1);
    await assert.rejects(raced, DeadlineError);
    fail(new Error("too late"));
    await new Promise((resolve) => setImmediate(resolve));
  }),
);
