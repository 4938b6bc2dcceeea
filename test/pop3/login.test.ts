/** How a client logs in, and what never crosses a link that others can read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, LocalProtocolError, UnsupportedError } from "../../src/core/errors.js";
import { transcript } from "../../src/core/trace.js";
import { Pop3Error } from "../../src/pop3/errors.js";
import { Accounts } from "../../src/sasl/index.js";
import { alice, clientOf, over, scripted, serverOf } from "./support.js";

/** What the client said first of a login. */
async function firstWords(
  server: Awaited<ReturnType<typeof serverOf>>,
  options: object = {},
): Promise<string> {
  const trace = transcript();
  const { client } = await clientOf(server, { trace, ...options });
  await client.quit();
  assert.doesNotMatch(String(trace), /tiger/);
  return trace.lines.filter((line) => /^C: (?:AUTH|APOP|USER)/.test(line)).join();
}

test("the best way that both have: SASL, APOP where it is wanted, USER and PASS", async () => {
  assert.match(await firstWords(await serverOf()), /^C: AUTH SCRAM-SHA-256/);
  const withoutSasl = await serverOf({ hide: ["SASL"], apop: true });
  assert.equal(await firstWords(withoutSasl), "C: USER alice");
  assert.equal(await firstWords(withoutSasl, { apop: true }), "C: APOP alice [secret]");
  const withoutCapa = await serverOf({ hide: ["CAPA"] });
  assert.equal(await firstWords(withoutCapa), "C: USER alice");
  for (const mechanism of ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1"])
    assert.match(
      await firstWords(await serverOf(), { auth: { ...alice, mechanism } }),
      new RegExp(`^C: AUTH ${mechanism}`),
    );
});

test("a token, and an initial response that is too long for a command of 255 octets", async () => {
  const token = "t".repeat(3000);
  const accounts = Accounts.of(
    { alice: "tiger" },
    {
      iterations: 4096,
      verifyToken: async (got) => (got.reveal() === token ? "alice" : { status: "invalid_token" }),
    },
  );
  const server = await serverOf({ accounts });
  for (const mechanism of ["OAUTHBEARER", "XOAUTH2"] as const) {
    const { client } = await clientOf(server, { auth: { user: "alice", token, mechanism } });
    assert.equal((await client.stat()).count, 4);
    await client.quit();
    await assert.rejects(clientOf(server, { auth: { user: "alice", token: "other", mechanism } }), AuthError);
  }
});

for (const mechanism of ["OAUTHBEARER", "XOAUTH2"] as const)
  test(`${mechanism}: a token that has expired is fetched anew, once`, async () => {
    const verifyToken = async (token: { reveal(): string }): Promise<string | { status: string }> =>
      token.reveal() === "good" ? "alice" : { status: "invalid_token" };
    const server = await serverOf({
      accounts: Accounts.of({ alice: "tiger" }, { iterations: 4096, verifyToken }),
    });
    for (const fresh of ["good", "worse"]) {
      const asked: boolean[] = [];
      const token = ({ renew }: { renew: boolean }): Promise<string> => {
        asked.push(renew);
        return Promise.resolve(renew ? fresh : "old");
      };
      const connecting = clientOf(server, { auth: { user: "alice", token, mechanism } });
      if (fresh === "good") await (await connecting).client.quit();
      else await assert.rejects(connecting, { name: "OAuthError" });
      assert.deepEqual(asked, [false, true]);
    }
  });

test("a function for tokens that does not answer does not outlive the signal or the clock", async () => {
  const verifyToken = async (): Promise<string> => "alice";
  const server = await serverOf({ accounts: Accounts.of({}, { verifyToken }) });
  for (const how of ["signal", "timeoutMs"]) {
    const { client } = await clientOf(server, { auth: undefined });
    const abort = new AbortController();
    const token = (): Promise<string> => {
      setImmediate(() => abort.abort(new Error("enough")));
      return new Promise(() => {});
    };
    const options = how === "signal" ? { signal: abort.signal } : { timeoutMs: 20 };
    await assert.rejects(client.auth({ user: "alice", token }, options), /enough|timed out/);
    assert.ok(client.closed);
  }
});

test("no password in the clear unless that is allowed, and nothing of it is sent", async () => {
  const answers = ["+OK\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"];
  const { near, lines } = scripted(answers);
  await assert.rejects(over(near, { auth: alice }), LocalProtocolError);
  assert.deepEqual(lines, ["CAPA"]);
  const other = scripted([]);
  const client = await over(other.near);
  await assert.rejects(client.user("alice"), LocalProtocolError);
  await assert.rejects(client.pass("tiger"), LocalProtocolError);
  assert.deepEqual(other.lines, []);
  assert.equal(client.closed, false);
  await client.close();
});

test("SCRAM goes over a clear link, and so does APOP by request", async () => {
  const server = await serverOf({ allowClearTextAuth: false, apop: true });
  const { client } = await clientOf(server, { allowClearText: false });
  assert.equal((await client.stat()).count, 4);
  await client.quit();
  const hidden = await serverOf({ allowClearTextAuth: false, apop: true, hide: ["SASL"] });
  await assert.rejects(clientOf(hidden, { allowClearText: false }), AuthError);
  const byApop = await clientOf(hidden, { allowClearText: false, apop: true });
  await byApop.client.quit();
});

test("the server takes no password in the clear", async () => {
  const server = await serverOf({ allowClearTextAuth: false });
  const { client } = await clientOf(server, { auth: undefined });
  const { user, sasl } = await client.capa();
  assert.deepEqual([user, [...sasl].filter((name) => /PLAIN|LOGIN/.test(name))], [false, []]);
  await assert.rejects(client.user("alice"), Pop3Error);
  await assert.rejects(client.auth({ ...alice, mechanism: "PLAIN" }), AuthError);
  await client.quit();
});

test("APOP by RFC 1939's example; refused by a greeting without a timestamp", async () => {
  const greeting = "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n";
  const { near, lines } = scripted(["+OK maildrop has 1 message (369 octets)\r\n"], greeting);
  const client = await over(near);
  await client.apop("mrose", "tanstaaf");
  assert.deepEqual(lines, ["APOP mrose c4c9334bac560ecc979e58001b3e22fb"]);
  assert.ok(client.authenticated);
  await client.close();
  const without = await over(scripted([]).near);
  await assert.rejects(without.apop("mrose", "tanstaaf"), UnsupportedError);
  await assert.rejects(without.apop("m rose", "x"), LocalProtocolError);
  await without.close();
});

test("the server's APOP: wrong digests, unknown users, accounts that keep no password", async () => {
  const server = await serverOf({ apop: true });
  const { client } = await clientOf(server, { auth: undefined });
  await assert.rejects(client.apop("alice", "wrong"), AuthError);
  await assert.rejects(client.apop("nobody", "tiger"), AuthError);
  await client.apop("alice", "tiger");
  await client.quit();
  const accounts = Accounts.of({ alice: "tiger" }, { iterations: 4096 });
  const keepsNone = await clientOf(await serverOf({ apop: true, accounts }), { auth: undefined });
  await assert.rejects(keepsNone.client.apop("alice", "tiger"), AuthError);
  await keepsNone.client.quit();
  const off = await clientOf(await serverOf(), { auth: undefined });
  await assert.rejects(off.client.apop("alice", "tiger"), UnsupportedError);
  await off.client.quit();
});

test("what a refused login is: RFC 3206", async () => {
  const cases: readonly [capa: string, refusal: string, credentials: boolean, permanent: boolean][] = [
    ["USER", "-ERR no", true, true],
    ["USER\r\nAUTH-RESP-CODE", "-ERR [AUTH] no", true, true],
    ["USER\r\nAUTH-RESP-CODE", "-ERR no", false, true],
    ["USER", "-ERR [IN-USE] no", false, false],
    ["USER", "-ERR [LOGIN-DELAY] no", false, false],
    ["USER", "-ERR [SYS/TEMP] no", false, false],
    ["USER", "-ERR [SYS/PERM] no", false, true],
  ];
  for (const [capa, refusal, isCredentials, permanent] of cases) {
    const { near } = scripted([`+OK\r\n${capa}\r\n.\r\n`, "+OK\r\n", `${refusal}\r\n`]);
    await assert.rejects(over(near, { auth: alice, allowClearText: true }), (error: unknown) => {
      assert.ok(error instanceof AuthError || error instanceof Pop3Error);
      assert.equal(error instanceof AuthError, isCredentials, refusal);
      assert.equal(error.permanent, permanent, refusal);
      assert.doesNotMatch(JSON.stringify(error), /tiger/);
      return true;
    });
  }
});

test("LOGIN-DELAY is kept", async () => {
  const server = await serverOf({ loginDelaySeconds: 60 });
  const { client, served } = await clientOf(server);
  assert.equal((await client.capa()).loginDelaySeconds, 60);
  await client.quit();
  await served;
  await assert.rejects(clientOf(server), (error: unknown) => {
    assert.ok(error instanceof Pop3Error);
    return error.responseCode === "LOGIN-DELAY" && !error.permanent;
  });
});

test("SASL on the wire: an empty initial response, cancelling, base64 that is none", async () => {
  const { near, lines } = scripted(["+OK\r\nSASL EXTERNAL ANONYMOUS\r\n.\r\n", "+OK\r\n"]);
  const client = await over(near);
  await client.auth({ anonymous: "" });
  assert.deepEqual(lines, ["CAPA", "AUTH ANONYMOUS ="]);
  await client.close();
  const bad = scripted(["+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n", "+ !!!\r\n"]);
  await assert.rejects(over(bad.near, { auth: alice }), { code: "HAWSER_REMOTE_PROTOCOL" });
  const wrong = scripted(["+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n", "+ cj1ub25l\r\n", "-ERR\r\n"]);
  await assert.rejects(over(wrong.near, { auth: alice }), { code: "HAWSER_REMOTE_PROTOCOL" });
  assert.equal(wrong.lines.at(-1), "*");
});
