import assert from "node:assert/strict";
import { test } from "node:test";
import { HawserError, LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import {
  admit,
  anonymousClient,
  authenticate,
  cramMd5Client,
  externalClient,
  loginClient,
  plainClient,
  type SaslClient,
  SaslFailure,
  type SaslStep,
  saslServer,
  scramClient,
  xoauth2Client,
} from "../../src/sasl/index.js";
import {
  accountsOf,
  bytes,
  challenge,
  clear,
  encrypted,
  Joined,
  refusal,
  rejection,
  scripted,
  success,
  text,
} from "./support.js";

const user = { user: "alice", password: "secret" };

test("a clear link gets no password, whoever made the client", async () => {
  for (const client of [plainClient(user), loginClient(user), xoauth2Client({ user: "alice", token: "t" })]) {
    const server = scripted(success());
    assert.ok((await rejection(authenticate(server, client, clear))) instanceof LocalProtocolError);
    assert.deepEqual(server.got, []);
  }
  await authenticate(scripted(success()), plainClient(user), { encrypted: false, allowClearText: true });
});

test("the initial response goes along where it fits, and else after an empty challenge", async () => {
  const message = "\0alice\0secret";
  const cases: readonly [maxInitialBytes: number | undefined, along: boolean][] = [
    [undefined, true],
    [message.length, true],
    [message.length - 1, false],
    [0, false],
  ];
  for (const [maxInitialBytes, along] of cases) {
    const server = scripted(...(along ? [success()] : [challenge("welcome"), success()]));
    await authenticate({ ...server, maxInitialBytes }, plainClient(user), encrypted);
    assert.deepEqual(server.got, along ? ["PLAIN", message] : ["PLAIN", undefined, message]);
  }
});

test("an empty initial response is not an absent one", async () => {
  const server = scripted(success());
  await authenticate(server, externalClient({ external: true }), encrypted);
  assert.deepEqual(server.got, ["EXTERNAL", ""]);
  const late = scripted(challenge(""), success());
  await authenticate({ ...late, maxInitialBytes: 0 }, externalClient({ external: true }), encrypted);
  assert.deepEqual(late.got, ["EXTERNAL", undefined, ""]);
});

test("success that comes too early is not believed", async () => {
  const early: readonly [SaslClient, ...SaslStep[]][] = [
    [loginClient(user), success()],
    [loginClient(user), challenge("Username:"), success()],
    [cramMd5Client(user), success()],
    [scramClient("SCRAM-SHA-1", user, encrypted), success("v=AAAA")],
  ];
  for (const [client, ...says] of early)
    assert.ok(
      (await rejection(authenticate(scripted(...says), client, encrypted))) instanceof RemoteProtocolError,
    );
  const withheld = { ...scripted(success()), maxInitialBytes: 0 };
  assert.ok(
    (await rejection(authenticate(withheld, plainClient(user), encrypted))) instanceof RemoteProtocolError,
  );
});

test("a challenge that the mechanism does not have is answered by cancelling", async () => {
  const cases: readonly [SaslClient, ...SaslStep[]][] = [
    [plainClient(user), challenge("more")],
    [anonymousClient({ anonymous: "" }), challenge("")],
    [loginClient(user), challenge("Username:"), challenge("Password:"), challenge("Token:")],
    [cramMd5Client(user), challenge("<1@a>"), challenge("<2@a>")],
    [cramMd5Client(user), challenge("")],
  ];
  for (const [client, ...says] of cases) {
    const server = scripted(...says);
    assert.ok((await rejection(authenticate(server, client, encrypted))) instanceof RemoteProtocolError);
    assert.equal(server.got.at(-1), "*");
  }
});

test("the reason for cancelling is told even where cancelling fails", async () => {
  const server = scripted(challenge("more"));
  const cancel = async (): Promise<void> => {
    throw new Error("gone");
  };
  const error = await rejection(authenticate({ ...server, cancel }, plainClient(user), encrypted));
  assert.ok(error instanceof RemoteProtocolError);
});

test("a cancelled exchange fails on the server with its own reason", async () => {
  const joined = new Joined((name) => saslServer(name, accountsOf(), encrypted));
  const client = scramClient("SCRAM-SHA-256", user, encrypted, { maxIterations: 4096 });
  const greedy = { ...client, name: client.name, start: () => client.start(), step: fail, finish: () => {} };
  assert.match(String(await rejection(authenticate(joined, greedy, encrypted))), /on purpose/);
  assert.equal(joined.said.at(-1), "C: *");
  assert.ok(joined.failure instanceof SaslFailure);
  assert.equal(joined.failure.reason, "cancelled");
});

async function fail(): Promise<never> {
  throw new HawserError("HAWSER_TEST", "on purpose");
}

test("a refusal is the protocol's own error", async () => {
  const own = refusal("535 no");
  for (const client of [plainClient(user), scramClient("SCRAM-SHA-1", user, encrypted)])
    assert.equal(await rejection(authenticate(scripted(own), client, encrypted)), own);
});

test("what cannot be sent by PLAIN, LOGIN, CRAM-MD5, EXTERNAL or ANONYMOUS is refused before anything is", async () => {
  const bad = ["", "a\0b", "\ud800", "\udc00x"];
  const clients = bad.flatMap((text) => [
    ...[plainClient, loginClient, cramMd5Client].flatMap((make) => [
      make({ user: text, password: "secret" }),
      make({ user: "alice", password: text }),
    ]),
    ...(text === "" ? [] : [plainClient({ ...user, authzid: text })]),
    ...(text === "" ? [] : [externalClient({ external: true, authzid: text })]),
    ...(text === "" ? [] : [anonymousClient({ anonymous: text })]),
  ]);
  clients.push(anonymousClient({ anonymous: "x".repeat(256) }), anonymousClient({ anonymous: "a\nb" }));
  for (const client of clients) {
    const server = scripted(success());
    const error = await rejection(authenticate(server, client, encrypted));
    assert.ok(error instanceof LocalProtocolError, client.name);
    assert.deepEqual(server.got, []);
  }
});

test("what a client cannot have meant is refused by the server", async () => {
  const accounts = accountsOf(undefined, {
    keepPlain: true,
    anonymous: "guest",
    external: async () => "alice",
  });
  const link = { ...encrypted, peerCertificateSubject: "CN=alice" };
  const cases: readonly [mechanism: string, ...responses: (string | undefined)[]][] = [
    ["PLAIN", "alice"],
    ["PLAIN", "\0alice"],
    ["PLAIN", "\0alice\0secret\0"],
    ["PLAIN", "\0\0secret"],
    ["PLAIN", "\0alice\0"],
    ["PLAIN", undefined, undefined],
    ["LOGIN", ""],
    ["LOGIN", "alice", ""],
    ["LOGIN", "alice", "a\0b"],
    ["CRAM-MD5", "alice 00000000000000000000000000000000"],
    ["CRAM-MD5", undefined, "alice"],
    ["CRAM-MD5", undefined, "alice B913A602C7EDA7A495B4E6E7334D3890"],
    ["EXTERNAL", "a\0b"],
    ["ANONYMOUS", "a\nb"],
    ["ANONYMOUS", "x".repeat(256)],
    ["PLAIN", `\0alice\0${"x".repeat(17_000)}`],
  ];
  for (const [mechanism, ...responses] of cases) {
    const server = saslServer(mechanism, accounts, link);
    let error: unknown;
    for (const response of responses) {
      error = await server
        .step(response === undefined ? undefined : bytes(response))
        .catch((thrown) => thrown);
    }
    assert.ok(error instanceof SaslFailure, `${mechanism} ${responses}`);
    assert.equal(error.reason, "malformed", `${mechanism} ${responses}`);
  }
  const notText = saslServer("PLAIN", accounts, link).step(new Uint8Array([0, 0xff, 0, 0x61]));
  assert.ok((await rejection(notText)) instanceof SaslFailure);
});

test("a server's last data go out as a challenge where success cannot carry them", async () => {
  const joined = new Joined((name) => saslServer(name, accountsOf(), encrypted));
  await authenticate(joined, scramClient("SCRAM-SHA-256", user, encrypted), encrypted);
  assert.match(joined.said.at(-2) ?? "", /^S: v=/);
  assert.equal(joined.said.at(-1), "C: ");

  const identity = { user: "alice", authenticatedAs: "alice", mechanism: "X" };
  const server = { name: "X", step: async () => ({ type: "success", identity, data: bytes("v") }) as const };
  const answer = async (): Promise<Uint8Array> => bytes("something");
  const error = await rejection(admit({ successData: false, challenge: answer }, server));
  assert.ok(error instanceof SaslFailure);
  const { data } = await admit({ successData: true, challenge: answer }, server);
  assert.equal(text(data), "v");
});
