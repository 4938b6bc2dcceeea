/** Every mechanism: our client against our server, over protocols of each kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError } from "../../src/core/errors.js";
import {
  type Accounts,
  authenticate,
  type Credentials,
  choose,
  SaslFailure,
  type SaslLink,
  saslServer,
  serverMechanisms,
} from "../../src/sasl/index.js";
import { accountsOf, bound, encrypted, Joined, type JoinOptions, rejection } from "./support.js";

const accounts: Accounts = accountsOf(
  { alice: "secret", "b=o,b": "p,=w", "j\u00fcrgen": "\u00c4pfel \u2168" },
  {
    keepPlain: true,
    anonymous: "guest",
    verifyToken: async (token) => (token.reveal() === "good" ? "alice" : { status: "invalid_token" }),
    external: async (subject) => (subject === "CN=alice" ? "alice" : undefined),
    mayActFor: async (user, authzid) => user === "alice" && authzid === "staff",
  },
);
const certified: SaslLink = { encrypted: true, peerCertificateSubject: "CN=alice" };
const endPoint: SaslLink = {
  encrypted: true,
  channelBinding: { type: "tls-server-end-point", data: new Uint8Array([1, 2, 3]) },
};

interface Login {
  readonly mechanism: string;
  readonly link: SaslLink;
  readonly credentials: Credentials;
  readonly user: string;
}

const passwordMechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"];
const plusMechanisms = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"];

function logins(): Login[] {
  const found: Login[] = [];
  const people: readonly [string, string][] = [
    ["alice", "secret"],
    ["b=o,b", "p,=w"],
  ];
  for (const [user, password] of people) {
    for (const mechanism of passwordMechanisms)
      found.push({ mechanism, link: encrypted, user, credentials: { user, password, mechanism } });
    for (const mechanism of plusMechanisms)
      for (const link of [bound, endPoint])
        found.push({ mechanism, link, user, credentials: { user, password, mechanism } });
  }
  // SASLprep: a decomposed name, a soft hyphen, and the letters of which the Roman numeral is made.
  for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "PLAIN", "LOGIN"])
    found.push({
      ...{ mechanism, link: bound, user: "j\u00fcrgen" },
      credentials: { user: "ju\u0308rgen", password: "\u00c4pf\u00adel IX", mechanism },
    });
  for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1"])
    found.push({
      ...{ mechanism, link: encrypted, user: "staff" },
      credentials: { user: "alice", password: "secret", authzid: "staff", mechanism },
    });
  for (const mechanism of ["XOAUTH2", "OAUTHBEARER"] as const)
    found.push({
      ...{ mechanism, link: encrypted, user: "alice" },
      credentials: { user: "alice", token: "good", mechanism },
    });
  found.push(
    { mechanism: "ANONYMOUS", link: encrypted, user: "guest", credentials: { anonymous: "" } },
    { mechanism: "EXTERNAL", link: certified, user: "alice", credentials: { external: true } },
    {
      ...{ mechanism: "EXTERNAL", link: certified, user: "staff" },
      credentials: { external: true, authzid: "staff" },
    },
  );
  return found;
}

const protocols: readonly (JoinOptions & { readonly name: string })[] = [
  { name: "initial response, no data with success (SMTP)" },
  { name: "initial response and data with success (NNTP)", successData: true },
  { name: "no initial response (IMAP without SASL-IR)", maxInitialBytes: 0 },
  { name: "an initial response too long for the command", maxInitialBytes: 4, successData: true },
];

function log(credentials: Credentials, link: SaslLink, options: JoinOptions = {}) {
  const joined = new Joined((name) => saslServer(name, accounts, link), options);
  return {
    joined,
    done: authenticate(joined, choose(serverMechanisms(accounts, link), credentials, link), link),
  };
}

for (const { name, ...options } of protocols) {
  test(`every mechanism logs in: ${name}`, async () => {
    for (const { mechanism, credentials, link, user } of logins()) {
      const { joined, done } = log(credentials, link, options);
      await done;
      assert.equal(joined.identity?.user, user, mechanism);
      assert.equal(joined.identity?.mechanism, mechanism);
    }
  });
}

test("a wrong password, an unknown user and a wrong token are refused in the same words", async () => {
  const wrong: readonly [string, Credentials][] = [
    ...[...passwordMechanisms, ...plusMechanisms].flatMap((mechanism): [string, Credentials][] => [
      [mechanism, { user: "alice", password: "Secret", mechanism }],
      [mechanism, { user: "nobody", password: "secret", mechanism }],
    ]),
    ["XOAUTH2", { user: "alice", token: "bad", mechanism: "XOAUTH2" }],
    ["OAUTHBEARER", { user: "alice", token: "bad" }],
  ];
  for (const [mechanism, credentials] of wrong) {
    const { joined, done } = log(credentials, bound);
    assert.ok((await rejection(done)) instanceof AuthError, mechanism);
    assert.ok(joined.failure instanceof SaslFailure);
    assert.equal(joined.failure.reason, "credentials");
    assert.equal(joined.failure.message, "authentication failed");
    assert.equal(joined.identity, undefined);
  }
});

test("acting for another user without leave is refused, and only once the credentials were right", async () => {
  const cases: readonly [Credentials, string, SaslLink][] = [
    [{ user: "alice", password: "secret", authzid: "root", mechanism: "PLAIN" }, "authorization", encrypted],
    [
      { user: "alice", password: "secret", authzid: "root", mechanism: "SCRAM-SHA-1" },
      "authorization",
      encrypted,
    ],
    [{ user: "alice", password: "wrong", authzid: "root", mechanism: "PLAIN" }, "credentials", encrypted],
    [{ user: "bob", token: "good", mechanism: "XOAUTH2" }, "authorization", encrypted],
    [{ external: true, authzid: "root" }, "authorization", certified],
    [{ external: true }, "credentials", { encrypted: true, peerCertificateSubject: "CN=mallory" }],
  ];
  for (const [credentials, reason, link] of cases) {
    const { joined, done } = log(credentials, link);
    await rejection(done);
    assert.ok(joined.failure instanceof SaslFailure);
    assert.equal(joined.failure.reason, reason);
  }
});
