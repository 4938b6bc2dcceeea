import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hostname } from "node:os";
import { describe, test } from "node:test";
import { LocalProtocolError, type NameError } from "../../../src/core/errors.js";
import {
  getfqdn,
  getfqdnSync,
  gethostbyaddr,
  gethostbyaddrSync,
  gethostbyname,
  gethostbynameEx,
  gethostbynameExSync,
  gethostbynameSync,
  gethostname,
  sethostname,
} from "../../../src/socket/names/index.js";
import { native } from "../../../src/socket/native/index.js";
import type { Host } from "../../../src/socket/types.js";
import { nameError, UNRESOLVED } from "./name-errors.js";

/** Of util-linux: runs a command in namespaces of its own. */
const unshare = "unshare";
const names = new URL("../../../src/socket/names/index.js", import.meta.url).href;

/** Runs a look-up in both its forms, which must agree. */
async function both<T>(promised: () => Promise<T>, sync: () => T): Promise<T> {
  const [later, now] = await Promise.allSettled([promised(), (async () => sync())()]);
  assert.deepEqual(later, now);
  if (later.status === "rejected") throw later.reason;
  return later.value;
}

describe("gethostbyname", { timeout: 60_000 }, () => {
  const good: readonly (readonly [host: Host, want: string])[] = [
    ["localhost", "127.0.0.1"],
    ["127.0.0.1", "127.0.0.1"],
    ["", "0.0.0.0"],
    ["<broadcast>", "255.255.255.255"],
    ["255.255.255.255", "255.255.255.255"],
    ["127.1", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    [0x7f000001, "127.0.0.1"],
  ];
  for (const [host, want] of good) {
    test(JSON.stringify(host), async () => {
      assert.equal(
        await both(
          () => gethostbyname(host),
          () => gethostbynameSync(host),
        ),
        want,
      );
    });
  }

  for (const [host, code] of [
    ["nobody.invalid", UNRESOLVED],
    ["1.2.3.4.5", UNRESOLVED],
    ["127.0.0.1 ", UNRESOLVED],
    ["[::1]", "EAI_NONAME"],
    ["::1", "EAI_ADDRFAMILY"],
  ] as const) {
    test(`${JSON.stringify(host)} fails`, async () => {
      await assert.rejects(
        both(
          () => gethostbyname(host),
          () => gethostbynameSync(host),
        ),
        nameError(code),
      );
      await assert.rejects(
        both(
          () => gethostbynameEx(host),
          () => gethostbynameExSync(host),
        ),
        nameError(code),
      );
    });
  }

  test("what is no host is refused", async () => {
    for (const host of [
      "127.0.0.1\0x",
      "a..b",
      "x".repeat(64),
      -1,
      2 ** 32,
      null,
      undefined,
      ["localhost"],
    ]) {
      const value = host as Host;
      await assert.rejects(
        both(
          () => gethostbyname(value),
          () => gethostbynameSync(value),
        ),
        LocalProtocolError,
      );
      await assert.rejects(
        both(
          () => gethostbynameEx(value),
          () => gethostbynameExSync(value),
        ),
        LocalProtocolError,
      );
      await assert.rejects(
        both(
          () => gethostbyaddr(value),
          () => gethostbyaddrSync(value),
        ),
        LocalProtocolError,
      );
    }
  });
});

describe("gethostbynameEx", { timeout: 60_000 }, () => {
  test("a name", async () => {
    const [name, aliases, addresses] = await both(
      () => gethostbynameEx("localhost"),
      () => gethostbynameExSync("localhost"),
    );
    assert.equal(name, "localhost");
    assert.ok(aliases.every((alias) => typeof alias === "string"));
    assert.ok(addresses.includes("127.0.0.1"));
  });

  test("an address answers with itself", async () => {
    const want = ["127.0.0.1", [], ["127.0.0.1"]];
    assert.deepEqual(
      await both(
        () => gethostbynameEx("127.0.0.1"),
        () => gethostbynameExSync("127.0.0.1"),
      ),
      want,
    );
    assert.deepEqual(
      await both(
        () => gethostbynameEx(0x7f000001),
        () => gethostbynameExSync(0x7f000001),
      ),
      want,
    );
  });
});

describe("gethostbyaddr", { timeout: 60_000 }, () => {
  for (const host of ["127.0.0.1", "localhost", "127.1", 0x7f000001]) {
    test(JSON.stringify(host), async () => {
      const [name, , addresses] = await both(
        () => gethostbyaddr(host),
        () => gethostbyaddrSync(host),
      );
      assert.equal(name, "localhost");
      assert.deepEqual(addresses, ["127.0.0.1"]);
    });
  }

  test("a name without an address fails as every look-up of it", async () => {
    const action = both(
      () => gethostbyaddr("nobody.invalid"),
      () => gethostbyaddrSync("nobody.invalid"),
    );
    await assert.rejects(action, nameError(UNRESOLVED));
  });

  for (const [hErrno, code] of [
    [1, "HOST_NOT_FOUND"],
    [2, "TRY_AGAIN"],
    [3, "NO_RECOVERY"],
    [4, "NO_DATA"],
  ] as const) {
    test(`an address without a name fails with ${code}`, (t) => {
      t.mock.method(native(), "gethostbyaddrR", (...args: Uint8Array[]) => {
        new DataView((args[7] as Uint8Array).buffer).setInt32(0, hErrno, true);
        return 0;
      });
      assert.throws(
        () => gethostbyaddrSync("192.0.2.1"),
        (error) => nameError(code)(error) && (error as NameError).address === "192.0.2.1",
      );
    });
  }

  test("an entry that needs more room is asked for again, and errno stands behind NETDB_INTERNAL", (t) => {
    const lengths: number[] = [];
    t.mock.method(native(), "gethostbyaddrR", (...args: (Uint8Array | number)[]) => {
      lengths.push(args[5] as number);
      new DataView((args[7] as Uint8Array).buffer).setInt32(0, -1, true);
      return args[5] === 4096 ? 34 : 24;
    });
    assert.throws(() => gethostbyaddrSync("192.0.2.1"), nameError("EMFILE"));
    assert.deepEqual(lengths, [4096, 16384]);
  });
});

describe("getfqdn", { timeout: 60_000 }, () => {
  test("of this machine", async () => {
    const own = await both(
      () => getfqdn(),
      () => getfqdnSync(),
    );
    assert.ok(own.length > 0);
    for (const name of ["", "  ", "0.0.0.0", "::", gethostname()]) {
      assert.equal(
        await both(
          () => getfqdn(name),
          () => getfqdnSync(name),
        ),
        own,
      );
    }
  });

  test("of an unknown host is what was given", async () => {
    assert.equal(
      await both(
        () => getfqdn("nobody.invalid"),
        () => getfqdnSync("nobody.invalid"),
      ),
      "nobody.invalid",
    );
    assert.equal(
      await both(
        () => getfqdn(" nobody.invalid "),
        () => getfqdnSync(" nobody.invalid "),
      ),
      "nobody.invalid",
    );
  });

  test("what is no host is refused", async () => {
    for (const host of ["a\0b", "a..b", 7, null]) {
      const value = host as string;
      await assert.rejects(
        both(
          () => getfqdn(value),
          () => getfqdnSync(value),
        ),
        LocalProtocolError,
      );
    }
  });

  test("an abort or a deadline is not taken for an unknown host", async () => {
    const reason = new Error("enough");
    await assert.rejects(getfqdn("localhost", { signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(getfqdn("localhost", { timeoutMs: 0 }), { name: "DeadlineError", what: "getfqdn" });
  });
});

describe("gethostname and sethostname", { timeout: 60_000 }, () => {
  test("the kernel's name", () => assert.equal(gethostname(), hostname()));

  test("what is no name is refused", () => {
    assert.throws(() => sethostname("a\0b"), LocalProtocolError);
    assert.throws(() => sethostname(7 as unknown as string), LocalProtocolError);
  });

  test("in a namespace of its own", (t) => {
    const program = `
      import { gethostname, sethostname } from "${names}";
      sethostname("hawser-test");
      console.log(gethostname());
      sethostname(new TextEncoder().encode("hawser-bytes"));
      console.log(gethostname());
      try { sethostname("x".repeat(65)); } catch (error) { console.log(error.name, error.code, error.syscall); }
      process.setuid(65534);
      try { sethostname("no"); } catch (error) { console.log(error.name, error.code, error.errno); }`;
    const node = [process.execPath, "--input-type=module", "-e", program];
    if (spawnSync(unshare, ["--uts", "true"]).status !== 0)
      return t.skip("unshare --uts is not permitted here");
    const child = spawnSync(unshare, ["--uts", ...node], { timeout: 30_000 });
    const want = "hawser-test\nhawser-bytes\nSocketError EINVAL sethostname\nSocketError EPERM 1\n";
    assert.equal(`${child.stdout}${child.stderr}`, want);
  });
});
