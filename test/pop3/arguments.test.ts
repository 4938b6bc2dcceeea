/** CR, LF and NUL in every string argument of every public method: refused before a byte is written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import { Pop3Client } from "../../src/pop3/client.js";
import { Pop3Server } from "../../src/pop3/server.js";
import { Accounts } from "../../src/sasl/index.js";
import { over, scripted, storeOf } from "./support.js";

type Call = (client: Pop3Client, bad: string) => unknown;

/** Each method, and a call for each of its string arguments. None: it takes no string. */
const methods: Readonly<Record<string, readonly Call[]>> = {
  user: [(client, bad) => client.user(bad)],
  pass: [(client, bad) => client.pass(bad), (client, bad) => client.pass(new Secret(bad))],
  apop: [
    (client, bad) => client.apop(bad, "x"),
    (client, bad) => client.apop("x", bad),
    (client, bad) => client.apop("x", new Secret(bad)),
  ],
  auth: [
    (client, bad) => client.auth({ user: bad, password: "x" }),
    (client, bad) => client.auth({ user: "x", password: bad }),
    (client, bad) => client.auth({ user: "x", password: "x", authzid: bad }),
    (client, bad) => client.auth({ user: "x", password: "x", mechanism: bad }),
    (client, bad) => client.auth({ user: "x", token: bad }),
    (client, bad) => client.auth({ user: "x", token: "x", host: bad }),
    (client, bad) => client.auth({ anonymous: bad }),
    (client, bad) => client.auth({ external: true, authzid: bad }),
  ],
  login: [
    (client, bad) => client.login(bad, "x"),
    (client, bad) => client.login("x", bad),
    (client, bad) => client.login("x", new Secret(bad)),
  ],
  lang: [(client, bad) => client.lang(bad)],
  stat: [],
  list: [(client, bad) => client.list(bad as unknown as number)],
  uidl: [(client, bad) => client.uidl(bad as unknown as number)],
  retr: [(client, bad) => client.retr(bad as unknown as number)],
  retrMany: [(client, bad) => client.retrMany([bad as unknown as number]).next()],
  top: [
    (client, bad) => client.top(bad as unknown as number, 1),
    (client, bad) => client.top(1, bad as unknown as number),
  ],
  dele: [(client, bad) => client.dele(bad as unknown as number)],
  deleMany: [(client, bad) => client.deleMany([bad as unknown as number])],
  rset: [],
  noop: [],
  quit: [],
  capa: [],
  // The name goes to TLS, which has a check of its own; nothing of it is said before STLS.
  stls: [],
  utf8: [],
  close: [],
};

const bad = ["a\r\nDELE 1", "a\nb", "a\rb", "a\0b", "\r", "\n", "\0", "half of a pair \ud800"];

test("the table has every public method", () => {
  const found = Object.getOwnPropertyNames(Pop3Client.prototype).filter((name) => {
    const { value } = Object.getOwnPropertyDescriptor(Pop3Client.prototype, name) ?? {};
    return typeof value === "function" && name !== "constructor";
  });
  assert.deepEqual(found.sort(), Object.keys(methods).sort());
});

for (const [name, calls] of Object.entries(methods)) {
  if (calls.length === 0) continue;
  test(`${name} refuses CR, LF and NUL, and sends nothing`, async () => {
    const { near, lines } = scripted([], "+OK <1.2@example.test>\r\n");
    const client = await over(near, { allowClearText: true });
    for (const call of calls)
      for (const text of bad)
        await assert.rejects(
          async () => await call(client, text),
          (error: unknown) => {
            assert.ok(error instanceof LocalProtocolError, `${JSON.stringify(text)}: ${String(error)}`);
            assert.deepEqual([error.sent, error.usable], ["no", true]);
            return true;
          },
        );
    assert.equal(client.closed, false);
    assert.deepEqual(lines, []);
    await client.close();
  });
}

test("numbers that are none are refused, and send nothing", async () => {
  const { near, lines } = scripted([]);
  const client = await over(near);
  for (const number of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])
    for (const call of [
      () => client.list(number),
      () => client.uidl(number),
      () => client.retr(number),
      () => client.dele(number),
      () => client.top(number, 1),
      () => client.retrMany([1, number]).next(),
      () => client.retrMany([1], { depth: number }).next(),
      () => client.deleMany([1, number]),
    ])
      if (!(number === 2 ** 60 && call.toString().includes("depth")))
        await assert.rejects(async () => await call(), LocalProtocolError, `${number}`);
  assert.deepEqual(lines, []);
  await client.close();
});

test("connect refuses what it cannot send, and connects nowhere", async () => {
  for (const text of bad) {
    await assert.rejects(Pop3Client.connect({ host: text, port: 1 }), LocalProtocolError);
    const auth = { user: text, password: "x" };
    await assert.rejects(Pop3Client.connect({ host: "127.0.0.1", port: 1, auth }), LocalProtocolError);
  }
});

test("the server's own texts are checked", async () => {
  const accounts = Accounts.of({});
  const store = await storeOf();
  for (const text of bad)
    for (const options of [{ name: text }, { implementation: text }])
      assert.throws(
        () => new Pop3Server({ accounts, store, ...options }),
        LocalProtocolError,
        JSON.stringify(text),
      );
  for (const options of [
    { accounts },
    { store },
    { accounts, store, expireDays: -1 },
    { accounts, store, loginDelaySeconds: 0.5 },
  ])
    assert.throws(() => new Pop3Server(options), LocalProtocolError);
  await assert.rejects(Pop3Server.listen({ accounts, store, host: "0.0.0.0", port: 0 }), LocalProtocolError);
});
