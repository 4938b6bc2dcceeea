/** TLS on loopback and in memory: implicit, by STLS, and what somebody in between may try. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenError, HawserError, RemoteProtocolError, UnsupportedError } from "../../src/core/errors.js";
import { Pop3Client } from "../../src/pop3/client.js";
import { Pop3Error } from "../../src/pop3/errors.js";
import { Pop3Server } from "../../src/pop3/server.js";
import { memoryPair } from "../../src/transport/memory.js";
import { makeCertificates } from "../certificates.js";
import { accounts, alice, clientOf, over, scripted, serverOf, storeOf } from "./support.js";

const { ca, cert, key } = await makeCertificates();
const tlsOptions = { ca };

for (const mode of ["implicit", "starttls"] as const) {
  test(`loopback: ${mode}`, async () => {
    await using server = await Pop3Server.listen({
      ...{ port: 0, accounts, store: await storeOf(), tls: { mode, cert, key } },
    });
    const { host, port } = server.address;
    await using client = await Pop3Client.connect({ host, port, tls: mode, tlsOptions, auth: alice });
    assert.match(client.tls?.protocol ?? "", /^TLSv1\.[23]$/);
    assert.equal((await client.stat()).count, 4);
    assert.equal((await client.capa()).stls, false);
    let count = 0;
    for await (const { body } of client.retrMany([1, 2, 3, 4]))
      count += (await body.bytes()).length > 0 ? 1 : 0;
    assert.equal(count, 4);
  });
}

test("the certificate is checked", async () => {
  await using server = await Pop3Server.listen({
    ...{ port: 0, accounts, store: await storeOf(), tls: { mode: "implicit", cert, key } },
  });
  const { host, port } = server.address;
  await assert.rejects(Pop3Client.connect({ host, port, auth: alice }), HawserError);
  const tls = { ...tlsOptions, serverName: "other.test" };
  await assert.rejects(Pop3Client.connect({ host, port, auth: alice, tlsOptions: tls }), HawserError);
});

test("SCRAM binds to the TLS connection", async () => {
  const server = await serverOf({ tls: { cert, key }, allowClearTextAuth: false });
  const auth = { ...alice, mechanism: "SCRAM-SHA-256-PLUS" };
  const { client } = await clientOf(server, {
    ...{ auth, tls: "starttls", tlsOptions: { ca, serverName: "localhost" }, allowClearText: false },
  });
  assert.equal((await client.stat()).count, 4);
  await client.quit();
});

test("starttls: without STLS there is no login", async () => {
  const cases: readonly [answers: readonly string[], error: typeof UnsupportedError | typeof Pop3Error][] = [
    [["+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"], UnsupportedError],
    [["+OK\r\nSTLS\r\n.\r\n", "-ERR no\r\n"], Pop3Error],
    [["-ERR what\r\n", "-ERR what\r\n"], Pop3Error],
  ];
  for (const [answers, error] of cases) {
    const { near, lines } = scripted(answers);
    await assert.rejects(over(near, { tls: "starttls", auth: alice }), error);
    assert.ok(
      lines.every((line) => line === "CAPA" || line === "STLS"),
      String(lines),
    );
  }
});

const capa = "+OK\r\nSTLS\r\nUSER\r\n.\r\n";

/** Where somebody in between may put bytes. `{}` is where the handshake would begin. */
const injections: readonly [where: string, answers: readonly string[]][] = [
  ["behind the answer, in the same segment", [capa, "+OK begin\r\n+OK injected\r\n"]],
  ["behind the answer, an unfinished line", [capa, "+OK begin\r\n+"]],
  ["before STLS was sent: an answer that was not asked for", [`${capa}+OK begin\r\n`, "+OK injected\r\n"]],
];

for (const [where, answers] of injections) {
  test(`injection into the client: ${where}`, async () => {
    const { near, lines } = scripted(answers);
    await assert.rejects(over(near, { tls: "starttls", auth: alice }), RemoteProtocolError);
    assert.ok(lines.every((line) => line === "CAPA" || line === "STLS" || !/^[A-Z]{4} /.test(line)));
  });
}

test("injection into the client: in the next segment, in place of the handshake", async () => {
  const { near, far, lines } = scripted([capa, "+OK begin\r\n"]);
  const connecting = over(near, { tls: "starttls", auth: alice, tlsOptions: { ca } });
  const sent = setInterval(() => {
    if (lines.includes("STLS")) void far.write(Buffer.from("+OK injected\r\n")).catch(() => {});
  }, 5);
  await assert.rejects(connecting, BrokenError);
  clearInterval(sent);
  assert.ok(!lines.some((line) => /^(?:USER|PASS|AUTH) /.test(line)));
});

test("what was learned before STLS is forgotten", async () => {
  const server = await serverOf({ tls: { cert, key }, apop: true });
  const { client } = await clientOf(server, { auth: undefined });
  assert.equal((await client.capa()).stls, true);
  await client.stls({ ca, serverName: "localhost" });
  assert.equal(client.capabilities, undefined);
  await assert.rejects(client.apop("alice", "tiger"), UnsupportedError);
  await assert.rejects(client.stls({ ca }), { code: "HAWSER_LOCAL_PROTOCOL" });
  await client.login("alice", "tiger");
  await client.quit();
});

for (const [where, sent] of [
  ["in the same segment", ["STLS\r\nUSER alice\r\n"]],
  ["in the next segment", ["STLS\r\n", "USER alice\r\nPASS tiger\r\n"]],
] as const) {
  test(`injection into the server: ${where}`, async () => {
    const [near, far] = memoryPair();
    const server = await serverOf({ tls: { cert, key } });
    const served = server.serve(far);
    await near.read();
    for (const text of sent) await near.write(Buffer.from(text));
    let got = "";
    for (let chunk = await near.read(); chunk !== undefined; chunk = await near.read())
      got += Buffer.from(chunk).toString("latin1");
    await served;
    assert.doesNotMatch(got, /now the password|messages|-ERR/);
  });
}

test("injection into the server: with a handshake behind it, which must not come about", async () => {
  const [near, far] = memoryPair();
  const server = await serverOf({ tls: { cert, key } });
  const served = server.serve(far);
  await near.read();
  await near.write(Buffer.from("STLS\r\nUSER alice\r\n"));
  const answer = await near.read();
  if (answer !== undefined)
    await assert.rejects(near.startTls({ role: "client", options: { ca, serverName: "localhost" } }));
  assert.equal(answer, undefined);
  await near.close();
  await served;
});
