import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import {
  authenticate,
  OAuthError,
  oauthBearerClient,
  oauthBearerServer,
  SaslFailure,
  type TokenRequest,
  xoauth2Client,
  xoauth2Server,
} from "../../src/sasl/index.js";
import {
  accountsOf,
  bytes,
  challenge,
  encrypted,
  Joined,
  refusal,
  rejection,
  scripted,
  success,
} from "./support.js";

const user = "someuser@example.com";
const both = [xoauth2Client, oauthBearerClient] as const;
const google = '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}';

test("a refusal is acknowledged, and its status and scope are told", async () => {
  for (const make of both) {
    const server = scripted(challenge(google), refusal("535 5.7.8"));
    const error = await rejection(authenticate(server, make({ user, token: "stale" }), encrypted));
    assert.ok(error instanceof OAuthError);
    assert.equal(error.status, "400");
    assert.equal(error.scope, "https://mail.google.com/");
    assert.equal(error.schemes, "Bearer");
    assert.equal(error.reply, "535 5.7.8");
    assert.equal(error.code, "HAWSER_AUTH");
    assert.equal(server.got.at(-1), make === xoauth2Client ? "" : "\x01");
  }
});

test("a refusal without JSON is the protocol's own error", async () => {
  const own = refusal("535 5.7.3");
  assert.equal(
    await rejection(authenticate(scripted(own), xoauth2Client({ user, token: "t" }), encrypted)),
    own,
  );
});

test("what is not JSON, or not an object, is acknowledged as well", async () => {
  for (const said of ["", "no JSON", "null", "[1]", '"text"', '{"status":{}}', '{"status":401}']) {
    const server = scripted(challenge(said), refusal("535"));
    const error = await rejection(authenticate(server, xoauth2Client({ user, token: "t" }), encrypted));
    assert.ok(error instanceof OAuthError, said);
    assert.equal(error.status, said.includes("401") ? "401" : undefined);
  }
});

test("a server that repeats the token, or sends escapes, does not get them into the error", async () => {
  const said = JSON.stringify({ status: "no t0ken-xyz", scope: "\x1b[31m" });
  const server = scripted(challenge(said), refusal("535"));
  const error = await rejection(authenticate(server, xoauth2Client({ user, token: "t0ken-xyz" }), encrypted));
  assert.ok(error instanceof OAuthError);
  assert.equal(error.status, "no [secret]");
  assert.equal(error.scope, "?[31m");
});

test("success after the story of an error, and a second story, break the rules", async () => {
  for (const says of [
    [challenge(google), success()],
    [challenge(google), challenge(google)],
  ]) {
    const error = await rejection(
      authenticate(scripted(...says), xoauth2Client({ user, token: "t" }), encrypted),
    );
    assert.ok(error instanceof RemoteProtocolError);
  }
});

/** A function that gives one token after the other, and notes why it was asked. */
function tokens(...values: string[]): {
  readonly asked: boolean[];
  token(request: TokenRequest): Promise<Secret>;
} {
  const asked: boolean[] = [];
  return {
    asked,
    token: async ({ renew }) => {
      asked.push(renew);
      return new Secret(values.shift() ?? "none-left");
    },
  };
}

test("an expired token is fetched once more, and the login tried again on the same connection", async () => {
  const accounts = accountsOf(
    {},
    { verifyToken: async (token) => (token.reveal() === "fresh" ? user : { status: "invalid_token" }) },
  );
  for (const [make, serve] of [
    [xoauth2Client, xoauth2Server],
    [oauthBearerClient, oauthBearerServer],
  ] as const) {
    const source = tokens("stale", "fresh");
    const joined = new Joined(() => serve(accounts));
    await authenticate(joined, make({ user, token: source.token }), encrypted);
    assert.deepEqual(source.asked, [false, true]);
    assert.equal(joined.identity?.user, user);
    assert.equal(joined.said.filter((line) => /^C: (XO|O)AUTH/.test(line)).length, 2);
  }
});

test("a token is fetched once more and no oftener", async () => {
  const source = tokens("one", "two", "three");
  const server = scripted(
    ...[challenge(google), refusal("535 first"), challenge(google), refusal("535 second")],
  );
  const error = await rejection(
    authenticate(server, xoauth2Client({ user, token: source.token }), encrypted),
  );
  assert.ok(error instanceof OAuthError);
  assert.equal(error.reply, "535 second");
  assert.deepEqual(source.asked, [false, true]);
});

test("there is no second login where it cannot help", async () => {
  const scope = '{"status":"insufficient_scope"}';
  const cases: readonly [
    name: string,
    asked: boolean[],
    says: Parameters<typeof scripted>,
    values: string[],
  ][] = [
    ["a missing scope", [false], [challenge(scope), refusal("535")], ["a", "b"]],
    ["a server that is busy", [false], [refusal("454", false)], ["a", "b"]],
    ["the same token again", [false, true], [challenge(google), refusal("535")], ["a", "a"]],
  ];
  for (const [name, asked, says, values] of cases) {
    const source = tokens(...values);
    const server = scripted(...says);
    await rejection(authenticate(server, xoauth2Client({ user, token: source.token }), encrypted));
    assert.deepEqual(source.asked, asked, name);
    assert.equal(server.got.filter((line) => line === "XOAUTH2").length, 1, name);
  }
});

test("a function that fails is heard, and nothing is sent", async () => {
  const server = scripted();
  const failure = new Error("no network");
  const token = async (): Promise<string> => {
    throw failure;
  };
  assert.equal(await rejection(authenticate(server, xoauth2Client({ user, token }), encrypted)), failure);
  assert.deepEqual(server.got, []);
});

test("what cannot be sent is refused before anything is", async () => {
  for (const make of both)
    for (const credentials of [
      { user: "a\x01auth=Bearer x", token: "t" },
      { user: "a\0b", token: "t" },
      { user: "", token: "t" },
      { user, token: "" },
      { user, token: "a\x01b" },
      { user, token: "a b" },
      { user, token: "a\r\nb" },
      ...(make === oauthBearerClient
        ? [
            { user, token: "t", host: "h\x01port=1" },
            { user, token: "t", port: 65_536 },
          ]
        : []),
    ]) {
      const server = scripted();
      const error = await rejection(authenticate(server, make(credentials), encrypted));
      assert.ok(error instanceof LocalProtocolError, JSON.stringify(credentials));
      assert.deepEqual(server.got, []);
    }
});

test("a user cannot slip a second user or token past OAUTHBEARER's header", async () => {
  const client = oauthBearerClient({ user: "a,b=c", token: "t" });
  assert.equal(new TextDecoder().decode(await client.start()), "n,a=a=2Cb=3Dc,\x01auth=Bearer t\x01\x01");
});

const malformed: readonly [serve: typeof xoauth2Server, message: string][] = [
  [xoauth2Server, ""],
  [xoauth2Server, "user=a\x01auth=Bearer t\x01"],
  [xoauth2Server, "user=a\x01auth=Basic t\x01\x01"],
  [xoauth2Server, "user=a\x01auth=Bearer \x01\x01"],
  [xoauth2Server, "user=a\x01user=b\x01auth=Bearer t\x01\x01"],
  [xoauth2Server, "auth=Bearer t\x01\x01"],
  [oauthBearerServer, "n,a=u\x01auth=Bearer t\x01\x01"],
  [oauthBearerServer, "n,,auth=Bearer t\x01\x01"],
  [oauthBearerServer, "p=tls-exporter,,\x01auth=Bearer t\x01\x01"],
  [oauthBearerServer, "n,,\x01port=x\x01auth=Bearer t\x01\x01"],
  [oauthBearerServer, "n,,\x01auth=Bearer t\x01\x01\x01"],
];

test("a server refuses malformed messages without asking anybody", async () => {
  const accounts = accountsOf(
    {},
    {
      verifyToken: async () => {
        throw new Error("asked");
      },
    },
  );
  for (const [serve, message] of malformed) {
    const error = await rejection(serve(accounts).step(bytes(message)));
    assert.ok(error instanceof SaslFailure, JSON.stringify(message));
    assert.equal(error.reason, "malformed");
  }
});
