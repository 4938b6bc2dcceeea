/** Delivery to the recipients' own servers, by a DNS server on loopback. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "../../src/engine/faults.js";
import { BrokenError, DeadlineError, LocalProtocolError, NameError, RefusedError } from "../../src/index.js";
import { Collector, type DeliverOptions, deliver, SmtpError, SmtpServer } from "../../src/smtp/index.js";
import { systemResolver } from "../../src/transport/dns.js";
import { DnsServer, type Zone } from "../transport/dns-server.js";

const message = "Subject: x\r\n\r\nx\r\n";

async function withMail(
  zone: Zone,
  run: (options: DeliverOptions, collector: Collector, asked: readonly string[]) => Promise<void>,
  faults: readonly Fault[] = [],
): Promise<void> {
  const collector = new Collector();
  await using dns = await DnsServer.listen(zone);
  await using server = await SmtpServer.listen({ host: "127.0.0.1", handler: collector, faults });
  const resolver = systemResolver({ servers: [dns.address] });
  await run({ resolver, port: server.port, proxy: false }, collector, dns.asked);
}

/** Nobody listens at the second address. */
const [here, nobody] = [{ a: ["127.0.0.1"] }, { a: ["127.0.0.9"] }];

const zone: Zone = {
  "y.test": {
    mx: [
      [20, "mx2.y.test"],
      [10, "mx1.y.test"],
    ],
  },
  "mx1.y.test": here,
  "mx2.y.test": here,
  "down.test": {
    mx: [
      [10, "dead.y.test"],
      [20, "mx2.y.test"],
    ],
  },
  "dead.y.test": nobody,
  "plain.test": here,
  "null.test": { mx: [[0, ""]] },
  "z.test": { mx: [[1, "dead.y.test"]] },
};

test("RFC 5321 section 5.1: the preferred exchanger gets the message", () =>
  withMail(zone, async (options, collector) => {
    const [result] = await deliver({ from: "a@x.test", to: "b@y.test" }, message, options);
    assert.deepEqual([result?.exchange, result?.result?.accepted], ["mx1.y.test", ["b@y.test"]]);
    assert.equal(collector.messages.length, 1);
  }));

test("an exchanger that is down is followed by the next", () =>
  withMail(zone, async (options) => {
    const [result] = await deliver({ from: "a@x.test", to: "b@down.test" }, message, options);
    assert.equal(result?.exchange, "mx2.y.test");
  }));

test("one that says later to the connection is followed by the next", () =>
  withMail(
    zone,
    async (options) => {
      const [result] = await deliver({ from: "a@x.test", to: "b@y.test" }, message, options);
      assert.equal(result?.exchange, "mx2.y.test");
    },
    [{ on: "connect", reply: "421 4.3.2 busy", times: 1 }],
  ));

test("one that refuses for good is not followed by another", () =>
  withMail(
    zone,
    async (options) => {
      const [result] = await deliver({ from: "a@x.test", to: "b@y.test" }, message, options);
      assert.ok(result?.error instanceof SmtpError && result.error.replyCode === 550);
      assert.equal(result?.exchange, "mx1.y.test");
    },
    [{ on: "MAIL", reply: "550 5.7.1 no" }],
  ));

test("no MX record: the domain itself; a null MX: nobody; no such domain: an error", () =>
  withMail(zone, async (options) => {
    const to = ["b@plain.test", "b@null.test", "b@missing.test"];
    const [plain, none, missing] = await deliver({ from: "a@x.test", to }, message, options);
    assert.equal(plain?.exchange, "plain.test");
    assert.ok(none?.error instanceof NameError && none.error.code === "NULL_MX");
    assert.ok(missing?.error instanceof NameError);
  }));

test("each domain gets one message with its own recipients", () =>
  withMail(zone, async (options, collector) => {
    const to = ["b@y.test", "c@plain.test", "d@Y.test"];
    const results = await deliver({ from: "a@x.test", to }, message, options);
    assert.equal(results.length, 2);
    const recipients = collector.messages.map(({ envelope }) =>
      envelope.to.map(({ address }) => address).join(),
    );
    assert.deepEqual(recipients.sort(), ["b@y.test,d@Y.test", "c@plain.test"]);
  }));

test("nobody can be reached: the last reason", () =>
  withMail(zone, async (options) => {
    const [result] = await deliver({ from: "a@x.test", to: "b@z.test" }, message, options);
    assert.ok(result?.error instanceof RefusedError);
  }));

for (const fault of [
  { on: "connect", drop: true, times: 1 },
  { on: "EHLO", drop: true, times: 1 },
  { on: "connect", delayMs: 700, times: 1 },
  { on: "MAIL", drop: true, times: 1 },
  { on: "RCPT", delayMs: 700, times: 1 },
  { on: "DATA", reply: "451 4.3.0 later", times: 1 },
] as const)
  test(`one that fails by ${JSON.stringify(fault)} is followed by the next`, () =>
    withMail(
      zone,
      async (options, collector) => {
        const patience = { ...options, replyMs: 250 };
        const [result] = await deliver({ from: "a@x.test", to: "b@y.test" }, message, patience);
        assert.deepEqual([result?.exchange, result?.result?.accepted], ["mx2.y.test", ["b@y.test"]]);
        assert.equal(collector.messages.length, 1);
      },
      [fault],
    ));

test("one that may have accepted the message is not followed by another", () =>
  withMail(
    zone,
    async (options, collector) => {
      const [result] = await deliver({ from: "a@x.test", to: "b@y.test" }, message, options);
      assert.equal(result?.exchange, "mx1.y.test");
      assert.ok(result?.error instanceof BrokenError && result.error.sent === "perhaps");
      assert.equal(collector.messages.length, 1);
    },
    [{ on: "message", drop: true, times: 1 }],
  ));

test("timeoutMs is for all of it, and what was delivered by then is told", () =>
  withMail(
    zone,
    async (options) => {
      const to = ["b@plain.test", "slow@y.test"];
      const results = await deliver({ from: "a@x.test", to }, message, { ...options, timeoutMs: 200 });
      assert.deepEqual(results[0]?.result?.accepted, ["b@plain.test"]);
      assert.ok(results[1]?.error instanceof DeadlineError);
    },
    [{ on: /^RCPT TO:<slow@/, delayMs: 1000 }],
  ));

test("a domain that would be more than one line is refused before anything is looked up", () =>
  withMail(zone, async (options, _, asked) => {
    for (const to of ["b@y.test\r\nRCPT TO:<c@x.test>", "b@y\0.test", "b\n@y.test", "nobody"])
      await assert.rejects(deliver({ from: "a@x.test", to }, message, options), LocalProtocolError);
    assert.deepEqual(asked, []);
  }));
