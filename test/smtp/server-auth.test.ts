/** AUTH (RFC 4954), STARTTLS (RFC 3207), XCLIENT, PROXY: who the client is, and what is believed of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError } from "../../src/core/errors.js";
import { transcript } from "../../src/core/trace.js";
import { Accounts, choose } from "../../src/sasl/index.js";
import { SmtpServer } from "../../src/smtp/server.js";
import { nodeProvider } from "../../src/transport/node.js";
import { makeCertificates } from "../certificates.js";
import { accounts, base64, fragments, Host, Talk, waitMs } from "./server-support.js";

const certificates = await makeCertificates();
const tls = { cert: certificates.cert, key: certificates.key };
const plain = base64("\0alice\0wonderland");
const wrong = base64("\0alice\0looking-glass");

test("PLAIN and LOGIN are neither offered nor taken before TLS", async () => {
  await using host = new Host({ accounts: accounts(), tls });
  await using talk = await host.memory().upTo("greeting");
  const [offer = ""] = await talk.say("EHLO client.test");
  assert.match(offer, /AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5\|/);
  await talk.expect(
    [`AUTH PLAIN ${plain}`, "538 5.7.11"],
    ["AUTH LOGIN", "538 5.7.11"],
    ["AUTH FROB", "504 5.5.4"],
    ["STARTTLS", "220 2.0.0"],
  );
  await talk.secure(certificates.ca);
  await talk.expect(["AUTH PLAIN", "503 5.5.1"]);
  const [secureOffer = ""] = await talk.say("EHLO client.test");
  assert.match(secureOffer, /AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN/);
  assert.match(secureOffer, /REQUIRETLS/);
  assert.doesNotMatch(secureOffer, /STARTTLS/);
  await talk.expect(["STARTTLS", "503 5.5.1"], [`AUTH PLAIN ${plain}`, "235 2.7.0"]);
  await talk.expect(["MAIL FROM:<a@b.test> AUTH=x@y.test REQUIRETLS", "250"], ["RCPT TO:<b@c.test>", "250"]);
  await talk.expect(["DATA", "354"], [".", "250"]);
  const { user, protocol, envelope } = await host.mail.next();
  assert.deepEqual([user, protocol, envelope.authenticatedSender], ["alice", "ESMTPSA", "x@y.test"]);
});

test("the flows of PLAIN and LOGIN, where they are allowed in the clear", async () => {
  for (const bytes of fragments) {
    const flows: readonly (readonly (readonly [string, string])[])[] = [
      [
        [`AUTH PLAIN ${plain}`, "235 2.7.0"],
        [`AUTH PLAIN ${plain}`, "503"],
      ],
      [
        ["auth plain", "334 "],
        [plain, "235"],
      ],
      [
        ["AUTH LOGIN", "334 VXNlcm5hbWU6"],
        [base64("alice"), "334 UGFzc3dvcmQ6"],
        [base64("wonderland"), "235"],
      ],
      [
        [`AUTH LOGIN ${base64("alice")}`, "334 UGFzc3dvcmQ6"],
        [base64("wonderland"), "235"],
      ],
      [
        [`AUTH PLAIN ${wrong}`, "535 5.7.8"],
        [`AUTH PLAIN ${plain}`, "235"],
      ],
      [
        ["AUTH PLAIN", "334"],
        ["*", "501 5.7.0"],
        ["NOOP", "250"],
        [`AUTH PLAIN ${plain}`, "235"],
      ],
      [
        ["AUTH PLAIN", "334"],
        ["no base64!", "501 5.5.2"],
        ["NOOP", "250"],
      ],
      [
        ["AUTH PLAIN =", "501 5.5.2"],
        ["AUTH PLAIN ====", "501 5.5.2"],
        ["AUTH", "501 5.5.4"],
      ],
      [
        ["AUTH PLAIN a b", "501 5.5.4"],
        ["AUTH PLAIN/x", "501 5.5.4"],
      ],
      [
        ["MAIL FROM:<a@b.test>", "250"],
        [`AUTH PLAIN ${plain}`, "503"],
      ],
    ];
    for (const flow of flows) {
      await using host = new Host({ accounts: accounts(), allowClearTextAuth: true });
      await using talk = await host.memory(bytes).upTo("hello");
      await talk.expect(...flow);
    }
  }
});

test("SCRAM, its last message as a challenge (RFC 5802 section 5)", async () => {
  for (const bytes of fragments) {
    await using host = new Host({ accounts: accounts() });
    await using talk = await host.memory(bytes).upTo("hello");
    const client = choose(["SCRAM-SHA-256"], { user: "alice", password: "wonderland" }, { encrypted: false });
    let line = `AUTH ${client.name} ${base64(Buffer.from((await client.start()) ?? []).toString("latin1"))}`;
    for (;;) {
      const [reply = ""] = await talk.say(line);
      if (!reply.startsWith("334")) {
        assert.match(reply, /^235/);
        break;
      }
      const challenge = new Uint8Array(Buffer.from(reply.slice(4), "base64"));
      line = Buffer.from(await client.step(challenge)).toString("base64");
    }
    await client.finish();
  }
});

test("failed logins are counted over all mechanisms", async () => {
  await using host = new Host({ accounts: accounts(), allowClearTextAuth: true, maxAuthFailures: 2 });
  await using talk = await host.memory().upTo("hello");
  await talk.expect(
    [`AUTH PLAIN ${wrong}`, "535"],
    [`AUTH LOGIN ${base64("bob")}`, "334"],
    [base64("x"), "535"],
  );
  assert.match(await talk.reply(), /^421 4\.7\.0/);
  await talk.ended();
});

test("a response longer than 12,288 octets ends the connection (RFC 4954 section 4)", async () => {
  await using host = new Host({ accounts: accounts(), allowClearTextAuth: true });
  for (const [chars, want] of [
    [12_284, "535"],
    [12_288, "500"],
  ] as const) {
    await using talk = await host.memory().upTo("hello");
    const fill = base64(`\0alice\0${"x".repeat((chars / 4) * 3 - 7)}`);
    await talk.expect(["AUTH PLAIN", "334"], [fill, want]);
  }
});

test("a password reaches no trace", async () => {
  const trace = transcript();
  await using host = new Host({ accounts: accounts(), allowClearTextAuth: true, trace });
  await using talk = await host.memory().upTo("hello");
  await talk.expect(
    [`AUTH PLAIN ${wrong}`, "535"],
    ["AUTH PLAIN", "334"],
    [plain, "235"],
    ["AUTH PLAIN", "503"],
  );
  assert.match(String(trace), /C: AUTH PLAIN \[secret\]\n.*C: AUTH PLAIN\n.*C: \[secret\]\n/s);
  for (const secret of [wrong, plain, "wonderland"]) assert.ok(!String(trace).includes(secret));
});

test("whoever has not logged in: no MAIL where that is required, and no AUTH= is believed", async () => {
  await using host = new Host({ accounts: accounts(), allowClearTextAuth: true });
  await using talk = await host.memory().upTo("hello");
  await talk.expect(["MAIL FROM:<a@b.test> AUTH=x@y.test", "250"], ["RCPT TO:<b@c.test>", "250"]);
  await talk.expect(["DATA", "354"], [".", "250"]);
  assert.equal((await host.mail.next()).envelope.authenticatedSender, "");
  await using strict = new Host({ accounts: accounts(), allowClearTextAuth: true, requireAuth: true });
  await using other = await strict.memory().upTo("hello");
  await other.expect(["MAIL FROM:<a@b.test>", "530 5.7.0"], [`AUTH PLAIN ${plain}`, "235"]);
  await other.expect(["MAIL FROM:<a@b.test>", "250"]);
});

test("accounts that throw: 454, and nothing of it to the client", async () => {
  const broken = { verify: () => Promise.reject(new Error("database secret")) };
  await using host = new Host({ accounts: broken, allowClearTextAuth: true });
  await using talk = await host.memory().upTo("hello");
  const [reply = ""] = await talk.say(`AUTH PLAIN ${plain}`);
  assert.match(reply, /^454 4\.7\.0/);
  assert.doesNotMatch(reply, /database/);
  assert.match(String(host.errors[0]), /database secret/);
});

test("before TLS that is required nothing is taken (RFC 3207 section 4)", async () => {
  await using host = new Host({ tls, requireTls: true, accounts: accounts(), allowClearTextAuth: true });
  await using talk = await host.memory().upTo("hello");
  for (const line of [
    "MAIL FROM:<>",
    "RCPT TO:<a@b.test>",
    "DATA",
    "RSET",
    "VRFY a",
    "HELP",
    `AUTH PLAIN ${plain}`,
  ])
    await talk.expect([line, "530 5.7.0"]);
  await talk.expect(["BDAT 6\r\nQUIT", "530 5.7.0"], ["NOOP", "250"], ["STARTTLS", "220"]);
  await talk.secure(certificates.ca);
  await talk.expect(["MAIL FROM:<>", "503"], ["EHLO x", "250"], ["MAIL FROM:<>", "250"]);
});

test("everything that was learned before TLS is forgotten (RFC 3207 section 4.2)", async () => {
  await using host = new Host({ tls, accounts: accounts(), allowClearTextAuth: true });
  await using talk = await host.memory().upTo("hello");
  await talk.expect([`AUTH PLAIN ${plain}`, "235"], ["MAIL FROM:<a@b.test>", "250"], ["STARTTLS", "503"]);
  await talk.expect(["RSET", "250"], ["STARTTLS", "220"]);
  await talk.secure(certificates.ca);
  await talk.expect(["MAIL FROM:<a@b.test>", "503"], ["EHLO x", "250"], [`AUTH PLAIN ${plain}`, "235"]);
});

test("bytes behind STARTTLS are fatal, in the same segment and in the next (CVE-2011-0411)", async () => {
  for (const bytes of fragments) {
    await using host = new Host({ tls });
    await using same = await host.memory(bytes).upTo("hello");
    await same.send("STARTTLS\r\nNOOP\r\n");
    await same.ended();
    await using next = await host.memory(bytes).upTo("hello");
    await next.expect(["STARTTLS", "220"]);
    await next.send("MAIL FROM:<evil@x.test>\r\n");
    await next.endedInAlert();
    assert.deepEqual(host.errors, []);
  }
});

test("TLS with the first byte, and STARTTLS, over TCP", async () => {
  await using implicit = new Host({ tls: { ...tls, mode: "implicit" } });
  await using talk = await implicit.tcp();
  await talk.secure(certificates.ca);
  await talk.upTo("rcpt");
  await talk.expect(["DATA", "354"], ["x\r\n.", "250"], ["STARTTLS", "503"], ["QUIT", "221"]);
  await talk.ended();
  await using explicit = new Host({ tls });
  await using other = await explicit.tcp();
  await other.upTo("hello");
  await other.expect(["STARTTLS", "220"]);
  await other.secure(certificates.ca);
  await other.expect(["EHLO x", "250"], ["MAIL FROM:<>", "250"], ["RCPT TO:<b@c.test>", "250"]);
  await other.expect(["BDAT 3 LAST\r\nx", "250"]);
  assert.equal((await explicit.mail.next()).protocol, "ESMTPS");
});

test("a handshake that fails ends one connection, and the server goes on", async () => {
  await using host = new Host({ tls: { ...tls, mode: "implicit" } });
  await using bad = await host.tcp();
  await bad.send("EHLO x\r\n");
  await bad.ended();
  await using good = new Talk(await nodeProvider.connect(host.server.address, { timeoutMs: waitMs }));
  await good.secure(certificates.ca);
  await good.upTo("hello");
  assert.equal(host.errors.length, 1);
});

test("an address that others can reach needs accounts, TLS and a choice of recipients", async () => {
  const data = (): void => {};
  const rcpt = (): void => {};
  for (const options of [
    { handler: { data, rcpt } },
    { handler: { data, rcpt }, tls },
    { handler: { data, rcpt }, accounts: accounts() },
    { handler: { data }, accounts: accounts(), tls },
  ])
    await assert.rejects(SmtpServer.listen({ ...options, host: "0.0.0.0", port: 0 }), LocalProtocolError);
  const all = { accounts: accounts(), tls, host: "0.0.0.0", port: 0 };
  await using byRcpt = await SmtpServer.listen({ ...all, handler: { data, rcpt } });
  await using byDomains = await SmtpServer.listen({ ...all, handler: { data }, domains: ["x.test"] });
  assert.ok(byRcpt.port > 0 && byDomains.port > 0);
});

test("options that contradict each other are refused", () => {
  const handler = {};
  const bad = [
    {},
    { handler, requireTls: true },
    { handler, requireAuth: true },
    { handler, maxRecipients: 99 },
    { handler, maxCommandLineBytes: 511 },
    { handler, name: "a\r\nb" },
  ];
  for (const options of bad) assert.throws(() => new SmtpServer(options), LocalProtocolError);
});

test("XCLIENT is for listed peers alone, and begins the session anew", async () => {
  await using host = new Host({ xclientFrom: ["127.0.0.1"], hide: [], addTraceHeaders: true });
  await using talk = await host.memory().upTo("hello");
  await talk.expect(["MAIL FROM:<>", "250"], ["XCLIENT ADDR=192.0.2.1", "503"], ["RSET", "250"]);
  await talk.expect(["XCLIENT FROB=1", "501"], ["XCLIENT", "501"]);
  await talk.expect(
    ["XCLIENT ADDR=IPV6:2001:db8::1 NAME=spike.test LOGIN=al+2Bice", "220"],
    ["MAIL FROM:<>", "503"],
  );
  await talk.expect(["EHLO spike.test", "250"], ["MAIL FROM:<>", "250"], ["RCPT TO:<b@c.test>", "250"]);
  await talk.expect(["DATA", "354"], [".", "250"], ["XCLIENT NAME=[UNAVAILABLE]", "220"]);
  const { user, text } = await host.mail.next();
  assert.equal(user, "al+ice");
  assert.match(text, /from spike\.test \(spike\.test \[IPv6:2001:db8::1\]\)/);
  await using other = new Host({ xclientFrom: ["192.0.2.9"] });
  await using refused = await other.memory().upTo("hello");
  await refused.expect(["XCLIENT ADDR=192.0.2.9", "550"], ["XCLIENT ADDR=192.0.2.9", "550"]);
});

test("a PROXY header is read from listed peers, and is no command from others", async () => {
  const remotes: unknown[] = [];
  const handler = { connect: (session: { remote: unknown }) => void remotes.push(session.remote) };
  for (const proxyFrom of [["127.0.0.1"], []]) {
    await using server = await SmtpServer.listen({ port: 0, handler, proxyFrom });
    await using talk = new Talk(await nodeProvider.connect(server.address, { timeoutMs: waitMs }));
    await talk.send("PROXY TCP4 192.0.2.1 192.0.2.2 4000 25\r\n");
    assert.match(await talk.reply(), /^220/);
    if (proxyFrom.length === 0) assert.match(await talk.reply(), /^500/);
    await talk.expect(["NOOP", "250"]);
  }
  assert.deepEqual(remotes[0], { host: "192.0.2.1", port: 4000 });
});

test("OAUTHBEARER's refusal comes as a challenge that is answered (RFC 7628 section 3.2.3)", async () => {
  const tokens = Accounts.of({}, { verifyToken: () => Promise.resolve({ status: "invalid_token" }) });
  await using host = new Host({ accounts: tokens, allowClearTextAuth: true });
  await using talk = await host.memory().upTo("hello");
  const initial = base64("n,a=alice,\x01auth=Bearer x\x01\x01");
  await talk.expect([`AUTH OAUTHBEARER ${initial}`, "334"], ["AQ==", "535"], ["NOOP", "250"]);
});
