import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, LocalProtocolError } from "../../src/core/errors.js";
import { type Credentials, choose, type SaslLink } from "../../src/sasl/index.js";
import { bound, clear, encrypted } from "./support.js";

const password: Credentials = { user: "alice", password: "secret" };
const token: Credentials = { user: "alice", token: "t" };
const all = [
  ...["ANONYMOUS", "CRAM-MD5", "LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "GSSAPI"],
  ...["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"],
];

function without(...names: string[]): string[] {
  return all.filter((name) => !names.includes(name));
}

const named = (mechanism: string): Credentials => ({ user: "alice", password: "secret", mechanism });
const plus = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"];
const scram = ["SCRAM-SHA-256", "SCRAM-SHA-1"];
const leave: SaslLink = { encrypted: false, allowClearText: true };

const chosen: readonly [
  want: string,
  offered: readonly string[],
  credentials: Credentials,
  link: SaslLink,
][] = [
  ["SCRAM-SHA-256-PLUS", all, password, bound],
  ["SCRAM-SHA-1-PLUS", without("SCRAM-SHA-256-PLUS"), password, bound],
  ["SCRAM-SHA-256", without(...plus), password, bound],
  ["SCRAM-SHA-256", all, password, encrypted],
  ["SCRAM-SHA-256", all, password, clear],
  ["SCRAM-SHA-1", without("SCRAM-SHA-256"), password, clear],
  ["PLAIN", without(...plus, ...scram), password, encrypted],
  ["PLAIN", without(...plus, ...scram), password, leave],
  ["LOGIN", ["LOGIN", "CRAM-MD5"], password, encrypted],
  ["PLAIN", ["plain"], password, encrypted],
  ["CRAM-MD5", all, named("CRAM-MD5"), clear],
  ["PLAIN", all, named("plain"), encrypted],
  ["SCRAM-SHA-1", all, named("SCRAM-SHA-1"), bound],
  ["OAUTHBEARER", all, token, encrypted],
  ["XOAUTH2", without("OAUTHBEARER"), token, encrypted],
  ["XOAUTH2", all, { user: "alice", token: "t", mechanism: "XOAUTH2" }, encrypted],
  ["ANONYMOUS", all, { anonymous: "me" }, clear],
  ["EXTERNAL", all, { external: true }, encrypted],
];

for (const [want, offered, credentials, link] of chosen) {
  test(`${want} is chosen for ${Object.keys(credentials)} out of ${offered}`, () => {
    assert.equal(choose(offered, credentials, link).name, want);
  });
}

test("a client that could bind says so where no -PLUS was offered, and only there", async () => {
  const flag = async (offered: string[], credentials: Credentials, link: SaslLink): Promise<string> =>
    new TextDecoder().decode(await choose(offered, credentials, link).start()).slice(0, 3);
  assert.equal(await flag(scram, password, bound), "y,,");
  assert.equal(await flag(scram, password, encrypted), "n,,");
  assert.equal(await flag(all, named("SCRAM-SHA-256"), bound), "n,,");
});

test("where none serves, the error says what was offered and what was possible", () => {
  const cases: readonly [offered: string[], credentials: Credentials, message: RegExp][] = [
    [
      ["GSSAPI", "NTLM"],
      password,
      /offers GSSAPI, NTLM; possible would be SCRAM-SHA-256, SCRAM-SHA-1, PLAIN/,
    ],
    [[], password, /offers no mechanism/],
    [["CRAM-MD5"], password, /offers CRAM-MD5/],
    [["LOGIN"], { user: "a", password: "secret", authzid: "b" }, /offers LOGIN/],
    [["PLAIN"], token, /possible would be OAUTHBEARER, XOAUTH2/],
    [["PLAIN"], named("SCRAM-SHA-1"), /offers PLAIN; possible would be SCRAM-SHA-1$/],
    [["\x1b[31mEVIL", "NTLM"], password, /offers NTLM;/],
  ];
  for (const [offered, credentials, message] of cases)
    assert.throws(
      () => choose(offered, credentials, encrypted),
      (error) =>
        error instanceof AuthError && error.sent === "no" && error.usable && message.test(error.message),
      String(offered),
    );
});

test("a password or token is not sent over a clear link", () => {
  for (const [offered, credentials] of [
    [["PLAIN", "LOGIN"], password],
    [all, named("PLAIN")],
    [all, token],
  ] as const)
    assert.throws(
      () => choose(offered, credentials, clear),
      (error) => error instanceof LocalProtocolError && /allowClearText: true/.test(error.message),
    );
});

test("a named mechanism that cannot be is the caller's error", () => {
  for (const mechanism of ["GSSAPI", "XOAUTH2", "SCRAM-SHA-256-PLUS", ""])
    assert.throws(() => choose(all, named(mechanism), encrypted), LocalProtocolError);
});

test("the cap on iterations is handed on", () => {
  assert.throws(() => choose(all, password, clear, { maxIterations: 1 }), LocalProtocolError);
});
