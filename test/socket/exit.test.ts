/** What keeps a process alive and what does not, and how soon a promise is delivered in an idle one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedEnd, runChild, stress } from "./robust.js";

/** Each of these ends by itself, at once, with nothing on stderr. */
const endings = {
  "an idle socket": "idle",
  "a socket that has waited and waits no more": "waited",
  "a listener whose accept was aborted": "aborted",
  "a pending recv on a socket that was unref()ed": "unref",
  "a pending recv with a deadline on a socket that was unref()ed": "unref-deadline",
  "a socket whose pending calls were closed": "closed",
  "a socket that another one was made of by dup": "dup",
  "an accept that ran out of descriptors, aborted while it rests": "rest",
  "a web stream that nobody reads": "stream",
  "a look-up and a connection that are over": "connection",
} as const;

for (const [what, mode] of Object.entries(endings)) {
  test(`the process ends in spite of ${what}`, async () => {
    // The deadline of the calls in it is 5 s: the program must not live as long as that.
    const end = await runChild("endings", { args: [mode], limitMs: 10_000 });
    assert.equal(checkedEnd(end), "last line\n");
    assert.equal(end.stderr, "");
  });
}

for (const mode of ["busy-exit", "busy-throw", "late-exit"]) {
  test(`process.exit() and its kin under load end the process as they should (${mode})`, async () => {
    for (let round = 0; round < (stress ? 50 : 3); round += 1) {
      const end = await runChild("endings", { args: [mode], limitMs: 10_000 });
      assert.deepEqual([end.code, end.signal], [mode === "busy-throw" ? 1 : 5, null], end.stderr);
    }
  });
}

/** Each of these waits for the parent, which ends it once it has seen that it does. */
const holdings = {
  "a pending accept": "hold-accept",
  "a pending recv": "hold-recv",
  "a pending recv with a deadline": "hold-deadline",
  "a pending recv after ref() took unref() back": "hold-ref",
} as const;

for (const [what, mode] of Object.entries(holdings)) {
  test(`${what} keeps the process alive`, async () => {
    const end = await runChild("endings", { args: [mode], limitMs: 10_000 });
    assert.equal(checkedEnd(end), "last line\nstill here\n");
  });
}

test("in a process that is otherwise idle a promise is delivered within 50 ms of its event", async () => {
  for (const args of [["main"], ["worker"]]) {
    const end = await runChild("idle-delivery", { args });
    const delays = JSON.parse(checkedEnd(end)) as number[];
    assert.equal(delays.length, 20);
    delays.sort((a, b) => a - b);
    // The median, for the machine may have other things to do once in a while.
    assert.ok((delays[10] as number) < 50, `${args}: ${delays}`);
    assert.ok((delays[19] as number) < 500, `${args}: ${delays}`);
  }
});

test("an error that is thrown after an await is an ordinary rejection, and the sockets work on", async () => {
  const end = await runChild("endings", { args: ["throw"], limitMs: 10_000 });
  assert.equal(checkedEnd(end), "caught ours\nlast line\n");
});
