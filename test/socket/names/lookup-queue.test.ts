import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import { DeadlineError, LocalProtocolError } from "../../../src/core/errors.js";
import { SOCK_STREAM } from "../../../src/socket/constants.js";
import { getaddrinfo, getaddrinfoSync, getnameinfo } from "../../../src/socket/names/index.js";
import { runAsync, type Steps, step } from "../../../src/socket/names/steps.js";
import { native } from "../../../src/socket/native/index.js";
import type { ResolverCall } from "../../../src/socket/native/native.js";

type Done = (error: Error | null, result: number) => void;

/** A resolver call that ends when the test says so. */
class SlowCall {
  readonly started: { readonly name: string; readonly done: Done }[] = [];
  syncCalls = 0;

  readonly call: ResolverCall<[name: string]> = Object.assign(
    () => {
      this.syncCalls += 1;
      return 0;
    },
    { async: (name: string, done: Done) => void this.started.push({ name, done }) },
  );

  /** Ends the oldest call that is under way. */
  finish(result: number, error: Error | null = null): void {
    this.started.shift()?.done(error, result);
  }

  get names(): string[] {
    return this.started.map(({ name }) => name);
  }
}

function* once(slow: SlowCall, name: string, seen: number[] = [], waits = true): Steps<number> {
  const { result } = yield step(waits, slow.call, name);
  seen.push(result);
  return result;
}

/** Counts the lists that are freed. Not by `t.mock`, which remembers every call, and so grows. */
function counted(t: TestContext): { freed: number } {
  const libc = native();
  const original = libc.freeaddrinfo;
  const count = { freed: 0 };
  libc.freeaddrinfo = (list) => {
    count.freed += 1;
    original(list);
  };
  t.after(() => {
    libc.freeaddrinfo = original;
  });
  return count;
}

describe("the queue of look-ups", { timeout: 60_000 }, () => {
  test("never more than two at a time, in the order of their coming", async () => {
    const slow = new SlowCall();
    const all = Promise.all(["a", "b", "c", "d"].map((name) => runAsync(once(slow, name), name, {})));
    assert.deepEqual(slow.names, ["a", "b"]);
    slow.finish(1);
    assert.deepEqual(slow.names, ["b", "c"]);
    slow.finish(2);
    slow.finish(3);
    assert.deepEqual(slow.names, ["d"]);
    slow.finish(4);
    assert.deepEqual(await all, [1, 2, 3, 4]);
  });

  test("a step that does not wait stays on this thread, whatever else is under way", async () => {
    const slow = new SlowCall();
    const others = ["a", "b", "c"].map((name) => runAsync(once(slow, name), name, {}));
    assert.equal(await runAsync(once(slow, "literal", [], false), "literal", {}), 0);
    assert.equal(slow.syncCalls, 1);
    while (slow.started.length > 0) slow.finish(0);
    await Promise.all(others);
  });

  test("a failure makes room for the next", async () => {
    const slow = new SlowCall();
    const broken = new Error("broken");
    const first = runAsync(once(slow, "a"), "a", {});
    const second = runAsync(once(slow, "b"), "b", {});
    const third = runAsync(once(slow, "c"), "c", {});
    slow.finish(0, broken);
    await assert.rejects(first, broken);
    assert.deepEqual(slow.names, ["b", "c"]);
    slow.finish(0);
    slow.finish(0);
    await Promise.all([second, third]);
  });

  test("a call that cannot be started rejects, and makes room for the next", async () => {
    const refused = new Error("too many calls");
    const call: ResolverCall<[]> = Object.assign(() => 0, {
      async: () => {
        throw refused;
      },
    });
    function* steps(): Steps<void> {
      yield step(true, call);
    }
    await Promise.all([1, 2, 3, 4].map(() => assert.rejects(runAsync(steps(), "x", {}), refused)));
    assert.equal((await getaddrinfo("localhost", 80)).length > 0, true);
  });
});

describe("giving a look-up up", { timeout: 60_000 }, () => {
  test("aborted before: it is not even begun", async () => {
    const slow = new SlowCall();
    const reason = new Error("enough");
    await assert.rejects(runAsync(once(slow, "a"), "a", { signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual(slow.names, []);
  });

  test("aborted while it is queued: it is dropped", async () => {
    const slow = new SlowCall();
    const controller = new AbortController();
    const others = ["a", "b"].map((name) => runAsync(once(slow, name), name, {}));
    const queued = runAsync(once(slow, "c"), "c", { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(queued, reason);
    slow.finish(0);
    slow.finish(0);
    await Promise.all(others);
    assert.deepEqual(slow.names, []);
  });

  test("aborted while it runs: rejected at once, its place kept and its result taken when it ends", async () => {
    const slow = new SlowCall();
    const seen: number[] = [];
    const controller = new AbortController();
    const running = ["a", "b"].map((name) =>
      runAsync(once(slow, name, seen), name, { signal: controller.signal }),
    );
    const queued = runAsync(once(slow, "c", seen), "c", {});
    const reason = new Error("enough");
    controller.abort(reason);
    for (const promise of running) await assert.rejects(promise, reason);
    assert.deepEqual(slow.names, ["a", "b"]);
    slow.finish(1);
    assert.deepEqual(slow.names, ["b", "c"]);
    slow.finish(2);
    slow.finish(3);
    assert.equal(await queued, 3);
    assert.deepEqual(seen, [1, 2, 3]);
  });

  test("given up between two steps: the second is not begun", async () => {
    const slow = new SlowCall();
    function* twice(): Steps<number> {
      yield step(true, slow.call, "first");
      return (yield step(true, slow.call, "second")).result;
    }
    const controller = new AbortController();
    const promise = runAsync(twice(), "twice", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assert.rejects(promise, /enough/);
    slow.finish(0);
    assert.deepEqual(slow.names, []);
  });

  test("out of time, queued or running", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const slow = new SlowCall();
    const running = ["a", "b"].map((name) => runAsync(once(slow, name), name, { timeoutMs: 100 }));
    const queued = runAsync(once(slow, "c"), "c", { timeoutMs: 50 });
    t.mock.timers.tick(50);
    await assert.rejects(
      queued,
      (error) => error instanceof DeadlineError && error.what === "c" && error.limitMs === 50,
    );
    t.mock.timers.tick(50);
    for (const promise of running) await assert.rejects(promise, DeadlineError);
    slow.finish(0);
    slow.finish(0);
    assert.deepEqual(slow.names, []);
  });

  test("timeoutMs 0: only what need not wait", async () => {
    const slow = new SlowCall();
    await assert.rejects(runAsync(once(slow, "a"), "a", { timeoutMs: 0 }), DeadlineError);
    assert.deepEqual(slow.names, []);
    assert.equal(await runAsync(once(slow, "b", [], false), "b", { timeoutMs: 0 }), 0);
    await assert.rejects(getaddrinfo("localhost", 80, { timeoutMs: 0 }), DeadlineError);
    assert.equal((await getaddrinfo("127.0.0.1", 80, { timeoutMs: 0, type: SOCK_STREAM })).length, 1);
  });

  test("no time limit, and times longer than a timer can hold", async () => {
    for (const timeoutMs of [null, undefined, 2 ** 40]) {
      assert.ok((await getaddrinfo("localhost", 80, { timeoutMs })).length > 0);
    }
  });

  test("what is no time is refused", async () => {
    for (const timeoutMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1"]) {
      const options = { timeoutMs: timeoutMs as number };
      await assert.rejects(getaddrinfo("localhost", 80, options), LocalProtocolError);
      await assert.rejects(getaddrinfo("127.0.0.1", 80, options), LocalProtocolError);
    }
  });

  test("a signal keeps no listener of a look-up that has ended", async (t) => {
    const { signal } = new AbortController();
    const added = t.mock.method(signal, "addEventListener");
    const removed = t.mock.method(signal, "removeEventListener");
    await getaddrinfo("localhost", 80, { signal });
    await assert.rejects(getaddrinfo("127.0.0.1", "no-such-service", { signal }));
    assert.equal(added.mock.callCount(), 2);
    assert.equal(removed.mock.callCount(), 2);
  });

  test("real look-ups, aborted while they run, still free their memory", async (t) => {
    const count = counted(t);
    const controller = new AbortController();
    const reason = new Error("enough");
    const promises = [1, 2, 3, 4].map(() => getaddrinfo("localhost", 80, { signal: controller.signal }));
    controller.abort(reason);
    for (const promise of promises) await assert.rejects(promise, reason);
    await getaddrinfo("localhost", 80);
    await getaddrinfo("localhost", 80);
    assert.equal(
      count.freed,
      4,
      "two that ran when they were aborted, none of the two queued, two that went well",
    );
  });
});

describe("many look-ups", { timeout: 60_000 }, () => {
  test("200 at once, with files read meanwhile", async (t) => {
    const count = counted(t);
    const lookups = Array.from({ length: 200 }, (_, index) =>
      index % 4 === 0
        ? getnameinfo(["127.0.0.1", 80])
        : getaddrinfo("localhost", "http", { type: SOCK_STREAM }),
    );
    const files = Array.from({ length: 20 }, () => readFile(new URL(import.meta.url)));
    const answers = await Promise.all(lookups);
    await Promise.all(files);
    assert.deepEqual(answers[0], ["localhost", "http"]);
    assert.equal(answers.length, 200);
    assert.equal(count.freed, 150);
  });

  test("200 at once that fail", async () => {
    const lookups = Array.from({ length: 200 }, () => getaddrinfo("127.0.0.1", "no-such-service"));
    const results = await Promise.allSettled(lookups);
    assert.ok(
      results.every((result) => result.status === "rejected" && result.reason.code === "EAI_SERVICE"),
    );
  });

  test("10,000 look-ups free what they take", async (t) => {
    const count = counted(t);
    const round = async () => {
      for (let index = 0; index < 50; index += 1) {
        await Promise.all(Array.from({ length: 100 }, () => getaddrinfo("localhost", 80)));
        for (let again = 0; again < 100; again += 1) getaddrinfoSync("127.0.0.1", 80);
      }
      return process.memoryUsage().rss;
    };
    const before = await round();
    const after = await round();
    assert.equal(count.freed, 20_000);
    assert.ok(after - before < 64 * 2 ** 20, `grew by ${(after - before) / 2 ** 20} MiB`);
  });
});
