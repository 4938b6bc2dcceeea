import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import {
  Accounts,
  authenticate,
  choose,
  deriveScramKeys,
  formatScramKeys,
  parseScramKeys,
  SaslFailure,
  type SaslLink,
  saslServer,
  serverMechanisms,
} from "../../src/sasl/index.js";
import { accountsOf, bound, bytes, clear, countPbkdf2, encrypted, Joined, rejection } from "./support.js";

test("passwords are checked, names and passwords in their SASLprep form", async () => {
  const accounts = accountsOf({ alice: "secret", bob: new Secret("tiger"), "ju\u0308rgen": "IX" });
  assert.equal(await accounts.verify("alice", "secret"), true);
  assert.equal(await accounts.verify("bob", new Secret("tiger")), true);
  assert.equal(await accounts.verify("j\u00fcrgen", "\u2168"), true);
  for (const [user, password] of [
    ["alice", "Secret"],
    ["alice", ""],
    ["Alice", "secret"],
    ["nobody", "secret"],
    ["", "secret"],
    ["alice", "\u0007"],
    ["__proto__", "secret"],
    ["constructor", "secret"],
  ] as const)
    assert.equal(await accounts.verify(user, password), false, `${user} ${password}`);
  assert.equal(await accounts.has("alice"), true);
  assert.equal(await accounts.has("nobody"), false);
});

test("a user that does not exist costs the same work", async () => {
  const accounts = accountsOf();
  await accounts.ready();
  for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1"]) {
    const work = async (user: string): Promise<number> =>
      await countPbkdf2(async () => {
        // By hand, so that the client's own work is not counted.
        const server = saslServer(mechanism, accounts, encrypted);
        const first = mechanism === "PLAIN" ? `\0${user}\0wrong` : `n,,n=${user},r=abc`;
        const step = await server.step(bytes(first)).catch(() => undefined);
        const nonce = /^r=([^,]+)/.exec(new TextDecoder().decode(dataOf(step)))?.[1];
        const proof = Buffer.alloc(mechanism === "SCRAM-SHA-1" ? 20 : 32).toString("base64");
        if (nonce !== undefined) await rejection(server.step(bytes(`c=biws,r=${nonce},p=${proof}`)));
      });
    assert.equal(await work("nobody"), await work("alice"), mechanism);
    assert.equal(await work("nobody"), mechanism === "PLAIN" ? 1 : 0);
  }
});

function dataOf(step: unknown): Uint8Array {
  return (step as { readonly data?: Uint8Array } | undefined)?.data ?? new Uint8Array();
}

test("the keys of a user that does not exist look like all others, and stay the same", async () => {
  const keys = await deriveScramKeys("SHA-256", "pencil", { iterations: 5000, salt: new Uint8Array(24) });
  const accounts = accountsOf({ user: keys }, { seed: "s" });
  const fake = await accounts.scramKeys("nobody", "SHA-256");
  assert.equal(fake.iterations, 5000);
  assert.equal(fake.salt.length, 24);
  assert.deepEqual(await accounts.scramKeys("nobody", "SHA-256"), fake);
  assert.notDeepEqual((await accounts.scramKeys("nobody2", "SHA-256")).salt, fake.salt);
  const restarted = accountsOf({ user: keys }, { seed: new Secret("s") });
  assert.deepEqual(await restarted.scramKeys("nobody", "SHA-256"), fake);
  const other = accountsOf({ user: keys }, { seed: "t" });
  assert.notDeepEqual((await other.scramKeys("nobody", "SHA-256")).salt, fake.salt);
});

test("with a seed, the salts of users that exist outlive the process too", async () => {
  const [one, two] = [accountsOf(undefined, { seed: "s" }), accountsOf(undefined, { seed: "s" })];
  assert.deepEqual(await one.scramKeys("alice", "SHA-1"), await two.scramKeys("alice", "SHA-1"));
  const salts = [await one.scramKeys("alice", "SHA-1"), await one.scramKeys("alice", "SHA-256")];
  assert.notDeepEqual(salts[0]?.salt, salts[1]?.salt);
});

test("accounts of keys alone let in by SCRAM and by PLAIN", async () => {
  const line = formatScramKeys(await deriveScramKeys("SHA-256", "pencil", { iterations: 4096 }));
  const sha1 = await deriveScramKeys("SHA-1", "pencil", { iterations: 4096 });
  for (const entry of [parseScramKeys(line), [parseScramKeys(line), sha1], sha1]) {
    const accounts = Accounts.of([["user", entry]], { iterations: 4096 });
    const names = entry === sha1 ? ["PLAIN", "SCRAM-SHA-1"] : ["PLAIN", "SCRAM-SHA-256"];
    for (const mechanism of names) {
      const joined = new Joined((name) => saslServer(name, accounts, encrypted));
      const credentials = { user: "user", password: "pencil", mechanism };
      await authenticate(joined, choose([mechanism], credentials, encrypted), encrypted);
      assert.equal(joined.identity?.user, "user");
    }
  }
});

test("keys as text: RFC 5803's form, both ways", async () => {
  const text =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:" +
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
  assert.equal(formatScramKeys(await deriveScramKeys("SHA-256", "pencil", { iterations: 4096, salt })), text);
  assert.equal(formatScramKeys(parseScramKeys(text)), text);
  for (const bad of [
    "",
    "secret",
    text.replace("4096", "1000"),
    text.replace("256", "512"),
    text.replace("wfPL", "wf!L"),
    text.replace("SHA-256", "SHA-1"),
    text.replace("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
    `${text}:`,
  ])
    assert.throws(
      () => parseScramKeys(bad),
      (error) => error instanceof LocalProtocolError && !/wfPL|secret/.test(error.message),
    );
});

test("accounts come and go", async () => {
  const accounts = accountsOf();
  await accounts.set("bob", "tiger");
  assert.equal(await accounts.verify("bob", "tiger"), true);
  await accounts.set("bob", "lion");
  assert.equal(await accounts.verify("bob", "tiger"), false);
  assert.equal(await accounts.delete("bob"), true);
  assert.equal(await accounts.delete("bob"), false);
  assert.equal(await accounts.verify("bob", "lion"), false);
  for (const [user, password] of [
    ["", "x"],
    ["x", ""],
    ["x", "\u0007"],
  ] as const)
    assert.ok((await rejection(accounts.set(user, password))) instanceof LocalProtocolError);
  assert.throws(() => Accounts.of({}, { iterations: 4095 }), LocalProtocolError);
});

test("an account whose password SASLprep refuses is told by ready(), and harms no other", async () => {
  const accounts = accountsOf({ alice: "secret", eve: "bell\u0007" });
  const error = await rejection(accounts.ready());
  assert.ok(error instanceof LocalProtocolError);
  assert.match(error.message, /"eve"/);
  assert.doesNotMatch(error.message, /bell/);
  assert.equal(await accounts.verify("alice", "secret"), true);
  assert.equal(await accounts.verify("eve", "bell\u0007"), false);
});

const everything = accountsOf(undefined, {
  keepPlain: true,
  anonymous: "guest",
  verifyToken: async () => "alice",
  external: async () => "alice",
});
const scram = ["SCRAM-SHA-256", "SCRAM-SHA-1"];
const plus = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"];
const offers: readonly [name: string, accounts: Accounts, link: SaslLink, names: string[]][] = [
  ["a clear link", accountsOf(), clear, scram],
  ["TLS", accountsOf(), encrypted, [...scram, "PLAIN", "LOGIN"]],
  ["leave by name", accountsOf(), { ...clear, allowClearText: true }, [...scram, "PLAIN", "LOGIN"]],
  ["channel binding", accountsOf(), bound, [...plus, ...scram, "PLAIN", "LOGIN"]],
  ["everything on a clear link", everything, clear, [...scram, "CRAM-MD5", "ANONYMOUS"]],
  [
    "everything",
    everything,
    { ...bound, peerCertificateSubject: "CN=alice" },
    [...plus, ...scram, "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN", "CRAM-MD5", "ANONYMOUS"],
  ],
];

for (const [name, accounts, link, names] of offers) {
  test(`what a server offers: ${name}`, () => {
    assert.deepEqual(serverMechanisms(accounts, link), names);
    for (const one of names) assert.equal(saslServer(one.toLowerCase(), accounts, link).name, one);
  });
}

test("what is not offered is not there either", () => {
  const refused: readonly [name: string, accounts: Accounts, link: SaslLink, reason: string][] = [
    ["PLAIN", accountsOf(), clear, "encryption"],
    ["LOGIN", accountsOf(), clear, "encryption"],
    ["XOAUTH2", everything, clear, "encryption"],
    ["XOAUTH2", accountsOf(), encrypted, "mechanism"],
    ["CRAM-MD5", accountsOf(), encrypted, "mechanism"],
    ["ANONYMOUS", accountsOf(), encrypted, "mechanism"],
    ["EXTERNAL", everything, encrypted, "mechanism"],
    ["SCRAM-SHA-256-PLUS", everything, encrypted, "mechanism"],
    ["GSSAPI", everything, bound, "mechanism"],
    ["", everything, bound, "mechanism"],
  ];
  for (const [name, accounts, link, reason] of refused)
    assert.throws(
      () => saslServer(name, accounts, link),
      (error) => error instanceof SaslFailure && error.reason === reason,
      name,
    );
});
