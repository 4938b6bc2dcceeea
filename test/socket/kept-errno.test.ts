/** The errno of a failed call is that of the call, whatever runs before somebody asks for it. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { errnos } from "../../src/socket/native/errno.js";
import { native } from "../../src/socket/native/index.js";
import { KeptErrno } from "../../src/socket/native/kept-errno.js";
import type { ResolverCall } from "../../src/socket/native/native.js";

/** Fails in libc on this very thread, which leaves ENOENT in errno. */
function otherFailure(): void {
  assert.equal(statSync("/no/such/path", { throwIfNoEntry: false }), undefined);
}

test("a failed call of something else in between does not change it", () => {
  for (let round = 0; round < 100; round += 1) {
    assert.equal(native().close(-1), -1);
    otherFailure();
    assert.equal(native().errno(), errnos.EBADF);
    assert.equal(native().errno(), errnos.EBADF, "asked twice");
  }
});

test("the next call of the table replaces it", () => {
  const noSocket = native().socket(-1, 1, 0);
  assert.equal(noSocket, -1);
  assert.equal(native().errno(), errnos.EAFNOSUPPORT);
  native().close(-1);
  assert.equal(native().errno(), errnos.EBADF);
});

test("a call on the thread pool leaves its own before its callback runs", () => {
  const location = new Int32Array(1);
  const kept = new KeptErrno(location);
  let finish = (): void => assert.fail("not called");
  const call = Object.assign(() => 0, {
    async: (callback: (error: null, result: number) => void) => {
      finish = () => callback(null, -11);
    },
  }) satisfies ResolverCall<[]>;
  let seen: readonly number[] = [];
  kept.afterResolver<[]>(call).async((_, result) => {
    location[0] = errnos.ENOENT;
    seen = [result, kept.last];
  });
  location[0] = errnos.EMFILE;
  finish();
  assert.deepEqual(seen, [-11, errnos.EMFILE]);
});
