/** The exchanges that stand in the RFCs, against both halves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anonymousClient,
  anonymousServer,
  cramMd5Client,
  cramMd5Server,
  decodeBase64,
  deriveScramKeys,
  encodeBase64,
  oauthBearerClient,
  oauthBearerServer,
  plainClient,
  plainServer,
  type SaslServer,
  type ScramName,
  scramClient,
  scramServer,
  xoauth2Client,
} from "../../src/sasl/index.js";
import { accountsOf, bytes, clear, rejection, text } from "./support.js";

async function identityOf(server: SaslServer, response: string): Promise<unknown> {
  const step = await server.step(bytes(response));
  return step.type === "success" ? step.identity : step;
}

test("RFC 4616 section 4: PLAIN", async () => {
  const tim = plainClient({ user: "tim", password: "tanstaaftanstaaf" });
  assert.equal(text(await tim.start()), "\0tim\0tanstaaftanstaaf");
  const kurt = plainClient({ user: "Kurt", password: "xipj3plmq", authzid: "Ursel" });
  assert.equal(text(await kurt.start()), "Ursel\0Kurt\0xipj3plmq");

  const accounts = accountsOf(
    { tim: "tanstaaftanstaaf", Kurt: "xipj3plmq" },
    { mayActFor: async (user, authzid) => user === "Kurt" && authzid === "Ursel" },
  );
  assert.deepEqual(await identityOf(plainServer(accounts), "\0tim\0tanstaaftanstaaf"), {
    ...{ user: "tim", authenticatedAs: "tim", mechanism: "PLAIN" },
  });
  assert.deepEqual(await identityOf(plainServer(accounts), "Ursel\0Kurt\0xipj3plmq"), {
    ...{ user: "Ursel", authenticatedAs: "Kurt", mechanism: "PLAIN" },
  });
});

test("RFC 2195 section 2: CRAM-MD5", async () => {
  const challenge = bytes("<1896.697170952@postoffice.reston.mci.net>");
  const response = "tim b913a602c7eda7a495b4e6e7334d3890";
  const client = cramMd5Client({ user: "tim", password: "tanstaaftanstaaf" });
  assert.equal(await client.start(), undefined);
  assert.equal(text(await client.step(challenge)), response);
  client.finish();

  const server = cramMd5Server(accountsOf({ tim: "tanstaaftanstaaf" }, { keepPlain: true }), challenge);
  assert.deepEqual(await server.step(undefined), { type: "challenge", data: challenge });
  assert.deepEqual(await identityOf(server, response), {
    ...{ user: "tim", authenticatedAs: "tim", mechanism: "CRAM-MD5" },
  });
});

test("RFC 4505 section 5: ANONYMOUS", async () => {
  const client = anonymousClient({ anonymous: "sirhc" });
  assert.equal(encodeBase64((await client.start()) ?? bytes("")), "c2lyaGM=");
  assert.deepEqual(await identityOf(anonymousServer(accountsOf({}, { anonymous: "guest" })), "sirhc"), {
    ...{ user: "guest", authenticatedAs: "guest", mechanism: "ANONYMOUS", anonymous: "sirhc" },
  });
});

interface ScramVector {
  readonly rfc: string;
  readonly name: ScramName;
  readonly clientNonce: string;
  readonly serverNonce: string;
  readonly salt: string;
  readonly proof: string;
  readonly signature: string;
}

const scramVectors: readonly ScramVector[] = [
  {
    rfc: "RFC 5802 section 5",
    name: "SCRAM-SHA-1",
    clientNonce: "fyko+d2lbbFgONRv9qkxdawL",
    serverNonce: "3rfcNHYJY1ZVvWVs7j",
    salt: "QSXCR+Q6sek8bf92",
    proof: "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  {
    rfc: "RFC 7677 section 3",
    name: "SCRAM-SHA-256",
    clientNonce: "rOprNGfwEbeRWgbNEkqO",
    serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
    proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
];

for (const { rfc, name, clientNonce, serverNonce, salt, proof, signature } of scramVectors) {
  const nonce = `${clientNonce}${serverNonce}`;
  const first = `n,,n=user,r=${clientNonce}`;
  const serverFirst = `r=${nonce},s=${salt},i=4096`;
  const final = `c=biws,r=${nonce},p=${proof}`;

  test(`${rfc}: the client's half of ${name}`, async () => {
    const client = scramClient(name, { user: "user", password: "pencil" }, clear, { nonce: clientNonce });
    assert.equal(text(await client.start()), first);
    assert.equal(text(await client.step(bytes(serverFirst))), final);
    assert.equal(text(await client.step(bytes(`v=${signature}`))), "");
    client.finish();
  });

  test(`${rfc}: the server's half of ${name}`, async () => {
    const hash = name === "SCRAM-SHA-1" ? "SHA-1" : "SHA-256";
    const keys = await deriveScramKeys(hash, "pencil", { salt: decodeBase64(salt), iterations: 4096 });
    const server = scramServer(name, accountsOf({ user: keys }), clear, serverNonce);
    assert.deepEqual(await server.step(bytes(first)), { type: "challenge", data: bytes(serverFirst) });
    const end = await server.step(bytes(final));
    assert.equal(end.type, "success");
    assert.equal(text(end.data), `v=${signature}`);
  });
}

const bearer = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
const bearerMessage = `n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer ${bearer}\x01\x01`;

test("RFC 7628 section 4.1: OAUTHBEARER", async () => {
  const client = oauthBearerClient({
    ...{ user: "user@example.com", token: bearer, host: "server.example.com", port: 143 },
  });
  assert.equal(text(await client.start()), bearerMessage);
  const seen: unknown[] = [];
  const accounts = accountsOf(
    {},
    {
      verifyToken: async (token, context) => {
        seen.push(token.reveal(), context);
        return "user@example.com";
      },
    },
  );
  await identityOf(oauthBearerServer(accounts), bearerMessage);
  assert.deepEqual(seen, [
    bearer,
    { mechanism: "OAUTHBEARER", user: "user@example.com", host: "server.example.com", port: 143 },
  ]);
});

test("RFC 7628 section 4.3: OAUTHBEARER refused", async () => {
  const json =
    '{"status":"invalid_token","scope":"example_scope",' +
    '"openid-configuration":"https://example.com/.well-known/openid-configuration"}';
  const accounts = accountsOf(
    {},
    {
      verifyToken: async () => ({
        status: "invalid_token",
        scope: "example_scope",
        openidConfiguration: "https://example.com/.well-known/openid-configuration",
      }),
    },
  );
  const server = oauthBearerServer(accounts);
  assert.deepEqual(await server.step(bytes(bearerMessage)), { type: "challenge", data: bytes(json) });
  const client = oauthBearerClient({ user: "user@example.com", token: bearer });
  await client.start();
  const acknowledgement = await client.step(bytes(json));
  assert.equal(encodeBase64(acknowledgement), "AQ==");
  assert.match(String(await rejection(server.step(acknowledgement))), /authentication failed/);
});

test("seen: Google's XOAUTH2", async () => {
  const client = xoauth2Client({
    user: "someuser@example.com",
    token: "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
  });
  assert.equal(
    encodeBase64((await client.start()) ?? bytes("")),
    "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRj" +
      "Mk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==",
  );
  assert.equal(text(await client.step(bytes('{"status":"400"}'))), "");
});
