/** The resolver, against a DNS server of the test's. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { LocalProtocolError, NameError } from "../../src/index.js";
import { sortExchanges } from "../../src/transport/dns.js";
import { systemResolver } from "../../src/transport/index.js";
import { DnsServer } from "./dns-server.js";

const loopback6 = `${"0".repeat(31)}1`;
const server = await DnsServer.listen({
  "host.test": { a: ["127.0.0.1", "127.0.0.2"], aaaa: [loopback6] },
  "four.test": { a: ["127.0.0.4"] },
  "empty.test": {},
  "alias.test": { cname: "host.test" },
  "mail.test": {
    mx: [
      [20, "backup.test"],
      [10, "a.test"],
      [5, "first.test"],
      [10, "b.test"],
    ],
  },
  "alias-mail.test": { cname: "mail.test" },
  "null.test": { mx: [[0, ""]] },
  "both.test": {
    mx: [
      [0, ""],
      [10, "a.test"],
    ],
  },
  "xn--mnchen-3ya.test": { mx: [[1, "a.test"]] },
  "broken.test": { rcode: 2 },
  "silent.test": { silent: true },
});
after(() => server[Symbol.asyncDispose]());

const resolver = systemResolver({ servers: [server.address], attemptMs: 2000, attempts: 2 });

test("the addresses of a host, of both families", async () => {
  assert.deepEqual(await resolver.addresses("host.test"), [
    { address: "::1", family: 6 },
    { address: "127.0.0.1", family: 4 },
    { address: "127.0.0.2", family: 4 },
  ]);
  assert.deepEqual(await resolver.addresses("four.test."), [{ address: "127.0.0.4", family: 4 }]);
  assert.equal((await resolver.addresses("alias.test")).length, 3);
});

test("an address is its own, without a question", async () => {
  const asked = server.asked.length;
  assert.deepEqual(await resolver.addresses("::1"), [{ address: "::1", family: 6 }]);
  assert.deepEqual(await resolver.mx("[127.0.0.1]"), [{ exchange: "127.0.0.1", preference: 0 }]);
  assert.deepEqual(await resolver.mx("[IPv6:::1]"), [{ exchange: "::1", preference: 0 }]);
  assert.equal(server.asked.length, asked);
});

test("RFC 5321 section 5.1: by preference, and equal ones in any order", async () => {
  const orders = new Set<string>();
  for (let run = 0; run < 40 && orders.size < 2; run += 1) {
    const found = await resolver.mx("mail.test");
    orders.add(found.map(({ exchange }) => exchange).join(" "));
  }
  assert.deepEqual([...orders].sort(), [
    "first.test a.test b.test backup.test",
    "first.test b.test a.test backup.test",
  ]);
});

test("RFC 5321 section 5.1: an alias leads on, and without MX records the domain is its own exchange", async () => {
  assert.equal((await resolver.mx("alias-mail.test"))[0]?.exchange, "first.test");
  assert.deepEqual(await resolver.mx("four.test"), [{ exchange: "four.test", preference: 0 }]);
  assert.deepEqual(await resolver.mx("münchen.test"), [{ exchange: "a.test", preference: 1 }]);
});

test("RFC 7505: the null MX says that there is no mail, and beside others says nothing", async () => {
  await assert.rejects(resolver.mx("null.test"), (error: Error) => {
    assert.ok(error instanceof NameError);
    assert.equal(error.code, "NULL_MX");
    assert.equal(error.fault, "peer");
    return true;
  });
  assert.deepEqual(await resolver.mx("both.test"), [{ exchange: "a.test", preference: 10 }]);
});

for (const [name, code] of [
  ["unknown.test", "ENOTFOUND"],
  ["broken.test", "ESERVFAIL"],
] as const) {
  test(`${name} is a NameError ${code}, and no domain of its own`, async () => {
    await assert.rejects(
      resolver.mx(name),
      (error: Error) => error instanceof NameError && error.code === code,
    );
    await assert.rejects(resolver.addresses(name), NameError);
  });
}

test("a host without addresses", async () => {
  await assert.rejects(resolver.addresses("empty.test"), NameError);
});

test("a server that is silent: the deadline, the signal, and the resolver's own patience", async () => {
  const options = { timeoutMs: 40 };
  await assert.rejects(resolver.mx("silent.test", options), { code: "HAWSER_DEADLINE" });
  await assert.rejects(resolver.addresses("silent.test", options), { code: "HAWSER_DEADLINE" });
  const stop = new AbortController();
  const asking = resolver.mx("silent.test", { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(asking, /enough/);
  await assert.rejects(
    resolver.mx("host.test", { signal: AbortSignal.abort(new Error("before")) }),
    /before/,
  );
  const hasty = systemResolver({ servers: [server.address], attemptMs: 20, attempts: 1 });
  await assert.rejects(
    hasty.mx("silent.test"),
    (error: Error) => error instanceof NameError && error.code === "ETIMEOUT",
  );
});

test("what is no name is not asked for", async () => {
  const asked = server.asked.length;
  for (const bad of ["", "a b", "a\0b", "a\r\nb", "x".repeat(256), "[1.2.3]"]) {
    await assert.rejects(resolver.mx(bad), LocalProtocolError, JSON.stringify(bad));
  }
  await assert.rejects(resolver.addresses("a\0.test"), LocalProtocolError);
  await assert.rejects(systemResolver({ servers: ["nonsense"] }).mx("a.test"), LocalProtocolError);
  assert.equal(server.asked.length, asked);
});

test("the system's own look-up", async () => {
  const found = await systemResolver().addresses("localhost");
  assert.ok(found.some(({ address }) => address === "127.0.0.1" || address === "::1"));
});

test("sorting keeps every exchange", () => {
  const given = [3, 1, 2, 1].map((preference, index) => ({ exchange: `${index}`, preference }));
  const sorted = sortExchanges(given, () => 0);
  assert.deepEqual(
    sorted.map(({ preference }) => preference),
    [1, 1, 2, 3],
  );
  assert.deepEqual(new Set(sorted), new Set(given));
});
