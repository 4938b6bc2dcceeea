/** Random bytes against every half, and a hunt for secrets in everything that is thrown or printed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { HawserError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import {
  anonymousClient,
  authenticate,
  choose,
  cramMd5Client,
  decodeBase64,
  externalClient,
  loginClient,
  oauthBearerClient,
  plainClient,
  type SaslClient,
  SaslFailure,
  type SaslLink,
  saslServer,
  scramClient,
  serverMechanisms,
  xoauth2Client,
} from "../../src/sasl/index.js";
import { accountsOf, bound, bytes, encrypted, Joined, refusal } from "./support.js";

const password = "hunter2-pass";
const token = "hunter2-token";
const user = { user: "alice", password };
const link: SaslLink = { ...bound, peerCertificateSubject: "CN=alice" };

function clients(secret: (text: string) => string | Secret = (text) => text): SaslClient[] {
  const wrapped = { user: "alice", password: secret(password) };
  return [
    ...[plainClient(wrapped), loginClient(wrapped), cramMd5Client(wrapped)],
    ...[scramClient("SCRAM-SHA-256-PLUS", wrapped, bound), scramClient("SCRAM-SHA-1", wrapped, bound)],
    xoauth2Client({ user: "alice", token: secret(token) }),
    oauthBearerClient({ user: "alice", token: async () => secret(token) }),
    ...[externalClient({ external: true }), anonymousClient({ anonymous: "a" })],
  ];
}

const accounts = accountsOf(
  { alice: password },
  {
    ...{ keepPlain: true, anonymous: "guest", seed: "hunter2-seed" },
    verifyToken: async (given) => (given.reveal() === token ? "alice" : { status: "invalid_token" }),
    external: async () => "alice",
  },
);

/** Bytes at random, and pieces of real messages at random, for those get further. */
function messages(): fc.Arbitrary<Uint8Array> {
  const pieces = fc.constantFrom(
    ...["n,,", "y,,", "p=tls-exporter,,", "n=alice", "r=abc", "a=root,", ",", "=", "\0", "\x01", "s=AAAA"],
    ...[
      "i=4096",
      "i=0",
      "c=biws",
      "p=AAAA",
      "v=AAAA",
      "e=x",
      "m=1",
      "auth=Bearer t",
      "user=a",
      "{}",
      "\x01\x01",
    ],
    ...["alice", " 00000000000000000000000000000000", '{"status":"401"}', "\u00e9"],
  );
  return fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.array(pieces, { maxLength: 8 }).map((parts) => bytes(parts.join(""))),
  );
}

test("any challenges give answers or HawserErrors", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(8), fc.array(messages(), { maxLength: 4 }), async (at, challenges) => {
      const client = clients()[at] as SaslClient;
      try {
        await client.start();
        for (const challenge of challenges) assert.ok((await client.step(challenge)) instanceof Uint8Array);
        await client.finish(challenges[0]);
      } catch (error) {
        if (!(error instanceof HawserError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test("any responses give challenges or SaslFailures, and never let anybody in", async () => {
  const names = serverMechanisms(accounts, link).filter((name) => !["EXTERNAL", "ANONYMOUS"].includes(name));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.array(fc.option(messages(), { nil: undefined, freq: 10 }), { maxLength: 4 }),
      async (name, responses) => {
        const server = saslServer(name, accounts, link);
        try {
          for (const response of responses) {
            const step = await server.step(response);
            assert.equal(step.type, "challenge");
          }
        } catch (error) {
          if (!(error instanceof SaslFailure)) throw error;
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("a flood is cut off before it is read", async () => {
  const flood = new Uint8Array(20_000).fill(0x61);
  for (const client of clients()) {
    await client.start();
    await assert.rejects(async () => client.step(flood), HawserError);
  }
  for (const name of serverMechanisms(accounts, link)) {
    const server = saslServer(name, accounts, link);
    await assert.rejects(async () => {
      if (name === "CRAM-MD5") await server.step(undefined);
      await server.step(flood);
    }, SaslFailure);
  }
});

/** Everything that a value shows, however it is printed, base64 and hexadecimal included. */
function shows(value: unknown): string {
  const errors = [];
  for (let error = value; error instanceof Error; error = error.cause)
    errors.push(error.message, error.stack, ...Object.values(error).map(String));
  return [
    inspect(value, { depth: 10, showHidden: true, getters: true }),
    inspect(value, { depth: 10, customInspect: false }),
    JSON.stringify(value),
    String(value),
    ...errors,
  ].join("\n");
}

function assertSecretFree(value: unknown, what: string): void {
  const shown = shows(value);
  for (const secret of [password, token, "hunter2"])
    for (const form of ["utf8", "base64", "hex"] as const) {
      const text = Buffer.from(secret).toString(form).replace(/=+$/, "");
      assert.ok(!shown.includes(text), `${what} shows ${text}:\n${shown}`);
    }
}

test("the hunt finds a secret where there is one", () => {
  assert.throws(() => assertSecretFree(new Error("x", { cause: new Error(password) }), "error"));
  assert.throws(() => assertSecretFree({ deep: { token } }, "object"));
});

test("no client, server or account shows a secret, before, during or after an exchange", async () => {
  assertSecretFree(accounts, "accounts");
  for (const wrap of [(text: string) => text, (text: string) => new Secret(text)]) {
    for (const client of clients(wrap)) {
      assertSecretFree(client, client.name);
      const server = saslServer(client.name, accounts, link);
      const joined = new Joined(() => server);
      await authenticate(joined, client, encrypted).catch(() => {});
      assertSecretFree(client, client.name);
      assertSecretFree(server, client.name);
      assertSecretFree(joined.failure, client.name);
      assertSecretFree(joined.identity, client.name);
    }
  }
  assertSecretFree(accounts, "accounts after use");
});

test("no error shows a secret", async () => {
  const errors: unknown[] = [];
  const note = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      errors.push(error);
    }
  };
  const others = accountsOf(
    { alice: "another" },
    { keepPlain: true, verifyToken: async () => ({ status: "x" }) },
  );
  const bad = `${password}\0\u0007`;
  for (const client of clients()) {
    // Refused by a server that has other passwords, by one that says nothing but no, and by challenges of all kinds.
    await note(() => authenticate(new Joined((name) => saslServer(name, others, link)), client, encrypted));
    const says = async () => Promise.reject(refusal("535"));
    const profile = { begin: says, respond: says, cancel: async () => {} };
    await note(() => authenticate(profile, client, encrypted));
    await note(() => authenticate(profile, client, { encrypted: false }));
    // Only a server that was sent the token can repeat it.
    const repeated = client.name.includes("OAUTH") ? [`{"status":"${token}","scope":"${token}"}`] : [];
    for (const text of ["", "x", "r=,s=,i=", "\xff", ...repeated]) {
      const steps = { ...profile, begin: async () => ({ type: "challenge", data: bytes(text) }) as const };
      await note(() => authenticate(steps, client, encrypted));
      await note(() => client.finish(bytes(text)));
    }
  }
  for (const make of [plainClient, loginClient, cramMd5Client])
    await note(() => make({ ...user, password: bad }).start());
  for (const make of [xoauth2Client, oauthBearerClient])
    await note(() => make({ user: "a", token: `${token} x` }).start());
  await note(() => choose(["PLAIN"], user, { encrypted: false }));
  await note(() => choose(["GSSAPI"], user, encrypted));
  await note(() => choose(["X"], { ...user, mechanism: "X" }, encrypted));
  await note(() => accountsOf({ alice: bad }).ready());
  await note(() => accounts.set("bob", bad));
  await note(() => decodeBase64(`${Buffer.from(password).toString("base64")}!`));
  for (const name of serverMechanisms(accounts, link))
    for (const text of [`\0alice\0${password}x`, `\0alice\0${password}\0`, `auth=Bearer ${token}`, password])
      await note(() => saslServer(name, accounts, link).step(bytes(text)));
  assert.ok(errors.length > 60, `${errors.length} errors`);
  for (const error of errors) {
    assert.ok(error instanceof HawserError, String(error));
    assertSecretFree(error, error.name);
  }
});
