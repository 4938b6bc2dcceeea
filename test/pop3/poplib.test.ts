/**
 * The behaviours that CPython 3.11's test_poplib.py checks, each in the clear, over implicit TLS and after STLS, as there.
 * docs/protocols/pop3.md has the table of all of them.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BrokenError, DeadlineError, LimitError, LocalProtocolError } from "../../src/core/errors.js";
import { Pop3Client, type Pop3ClientOptions } from "../../src/pop3/client.js";
import { Pop3Error } from "../../src/pop3/errors.js";
import { Pop3Server } from "../../src/pop3/server.js";
import type { Pop3Handler } from "../../src/pop3/types.js";
import { Accounts } from "../../src/sasl/index.js";
import { makeCertificates } from "../certificates.js";
import { over, scripted } from "./support.js";

const message =
  "From: postmaster@python.org\r\nContent-Type: text/plain\r\nMIME-Version: 1.0\r\nSubject: Dummy\r\n\r\nline1\r\nline2\r\nline3\r\n";
const handler: Pop3Handler = {
  open: () => [20, 20, 20, 20, 20],
  uidl: () => ["1", "2", "3", "4", "5"],
  retr: () => message,
  top: () => message,
  utf8: () => {},
  update: () => {},
};
const accounts = Accounts.of({ guido: "python" }, { iterations: 4096, keepPlain: true });
const { ca, cert, key } = await makeCertificates();
const options = { port: 0, handler, accounts, allowClearTextAuth: true, apop: true, name: "dummy" };
const servers = {
  plain: await Pop3Server.listen({ ...options, tls: { cert, key } }),
  implicit: await Pop3Server.listen({ ...options, tls: { cert, key, mode: "implicit" } }),
};
after(async () => {
  await Promise.all([servers.plain.close(), servers.implicit.close()]);
});

/** The three classes of CPython's tests, and how ours connects for each. */
const classes: Readonly<Record<string, { tls: "none" | "implicit" | "starttls" }>> = {
  TestPOP3Class: { tls: "none" },
  TestPOP3_SSLClass: { tls: "implicit" },
  TestPOP3_TLSClass: { tls: "starttls" },
};

type Case = (client: Pop3Client, tls: string) => Promise<void>;

async function loggedIn(client: Pop3Client): Promise<Pop3Client> {
  await client.user("guido");
  await client.pass("python");
  return client;
}

const cases: Readonly<Record<string, Case>> = {
  test_getwelcome: async (client) =>
    assert.match(client.greeting.text, /^dummy POP3 server ready <.*@dummy>$/),
  test_exceptions: async (client) => {
    await assert.rejects(client.noop(), Pop3Error);
  },
  test_user: async (client) => {
    assert.equal((await client.user("guido")).status, "+OK");
  },
  test_pass_: async (client) => {
    await client.user("guido");
    await assert.rejects(client.pass("wrong"), { code: "HAWSER_AUTH" });
    await loggedIn(client);
    await assert.rejects(client.user("guido"), Pop3Error);
  },
  test_stat: async (client) =>
    assert.deepEqual(await (await loggedIn(client)).stat(), { count: 5, octets: 100 }),
  test_list: async (client) => {
    await loggedIn(client);
    assert.deepEqual(
      await client.list(),
      [1, 2, 3, 4, 5].map((number) => ({ number, octets: 20 })),
    );
    assert.deepEqual(await client.list(1), { number: 1, octets: 20 });
  },
  test_retr: async (client) => assert.equal(await (await (await loggedIn(client)).retr(1)).text(), message),
  test_dele: async (client) => assert.equal((await (await loggedIn(client)).dele(1)).status, "+OK"),
  test_noop: async (client) => assert.equal((await (await loggedIn(client)).noop()).status, "+OK"),
  test_apop_normal: async (client, tls) => {
    if (tls === "starttls")
      await assert.rejects(client.apop("guido", "python"), { code: "HAWSER_UNSUPPORTED" });
    else assert.equal((await client.apop("guido", "python")).status, "+OK");
  },
  test_top: async (client) => assert.equal(await (await (await loggedIn(client)).top(1, 1)).text(), message),
  test_uidl: async (client) => {
    await loggedIn(client);
    assert.equal((await client.uidl()).length, 5);
    assert.deepEqual(await client.uidl(2), { number: 2, uid: "2" });
  },
  test_utf8: async (client) => assert.equal((await client.utf8()).status, "+OK"),
  test_capa: async (client) => assert.equal((await client.capa()).implementation, "hawser"),
  test_quit: async (client) => {
    assert.equal((await client.quit()).status, "+OK");
    assert.ok(client.closed);
  },
  test_stls_capa: async (client, tls) => assert.equal((await client.capa()).stls, tls === "none"),
  test_stls: async (client, tls) => {
    const started = client.stls({ ca });
    if (tls === "none") assert.match((await started).protocol, /^TLSv1/);
    else await assert.rejects(started, LocalProtocolError);
  },
};

for (const [name, { tls }] of Object.entries(classes)) {
  const { port } = tls === "implicit" ? servers.implicit.address : servers.plain.address;
  const how: Pop3ClientOptions = {
    host: "localhost",
    port,
    tls,
    tlsOptions: { ca },
    allowClearText: true,
    proxy: false,
  };
  for (const [caseName, run] of Object.entries(cases))
    test(`${name}.${caseName}`, async () => {
      const client = await Pop3Client.connect(how);
      await run(client, tls);
      await client.close();
    });
}

test("test_stls_context: the certificate's name is checked", async () => {
  const { port } = servers.plain.address;
  const connect = (options: Pop3ClientOptions): Promise<Pop3Client> =>
    Pop3Client.connect({ host: "127.0.0.1", port, tls: "none", proxy: false, ...options });
  const client = await connect({});
  await assert.rejects(client.stls({ ca, serverName: "other.test" }), BrokenError);
  assert.ok(client.closed);
  const good = await connect({ tls: "starttls", tlsOptions: { ca } });
  assert.equal(good.tls?.authorized, true);
  await good.close();
});

test("test_too_long_lines", async () => {
  const client = await over(scripted([`+OK ${"a".repeat(70_000)}\r\n`]).near);
  await assert.rejects(client.noop(), LimitError);
});

test("test_apop_REDOS: a greeting of a million brackets", async () => {
  const limits = { maxLineBytes: 2_000_000 };
  const { near } = scripted([], `+OK${" "}${"<".repeat(1_000_000)}\r\n`);
  const client = await over(near, { limits });
  await assert.rejects(client.apop("a", "kb"), { code: "HAWSER_UNSUPPORTED" });
  await client.close();
});

test("test_utf8_raises_if_unsupported", async () => {
  const client = await over(scripted(["-ERR What is UTF8?!\r\n"]).near);
  await assert.rejects(client.utf8(), Pop3Error);
  await client.close();
});

test("TestTimeouts.testTimeoutValue", async () => {
  await assert.rejects(over(scripted([], "").near, { replyMs: 20 }), DeadlineError);
});
