/** SCRAM under attack: every rule that a client or a server checks, each by a peer that breaks it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  AuthError,
  type HawserError,
  LimitError,
  LocalProtocolError,
  RemoteProtocolError,
} from "../../src/core/errors.js";
import {
  authenticate,
  encodeBase64,
  type SaslClient,
  SaslFailure,
  type SaslLink,
  type SaslServer,
  scramClient,
  scramServer,
} from "../../src/sasl/index.js";
import { digest, hmac, saltedPassword, xor } from "../../src/sasl/scram-keys.js";
import { escapeName, unescapeName } from "../../src/sasl/scram-messages.js";
import {
  accountsOf,
  bound,
  bytes,
  challenge,
  clear,
  converse,
  countPbkdf2,
  rejection,
  scripted,
  success,
  text,
} from "./support.js";

const user = { user: "user", password: "pencil" };
const nonce = "rOprNGfwEbeRWgbNEkqO";
const whole = `${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`;
const salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
const serverFirst = `r=${whole},s=${salt},i=4096`;
const signature = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

function newClient(maxIterations?: number): SaslClient {
  return scramClient("SCRAM-SHA-256", user, clear, { nonce, maxIterations });
}

function againstServer(...says: Parameters<typeof scripted>): Promise<unknown> {
  return rejection(authenticate(scripted(...says), newClient(), clear));
}

const forgedFirsts: readonly [name: string, message: string, error: new (...args: never[]) => HawserError][] =
  [
    ["another nonce", `r=${whole.toLowerCase()},s=${salt},i=4096`, RemoteProtocolError],
    ["the client's nonce alone", `r=${nonce},s=${salt},i=4096`, RemoteProtocolError],
    ["the client's nonce at the end", `r=x${nonce},s=${salt},i=4096`, RemoteProtocolError],
    ["a nonce that is not printable", `r=${nonce}\u00e9,s=${salt},i=4096`, RemoteProtocolError],
    ["an extension that must be understood", `m=x,${serverFirst}`, RemoteProtocolError],
    ["no salt", `r=${whole},s=,i=4096`, RemoteProtocolError],
    ["a salt that is not base64", `r=${whole},s=W22Z!,i=4096`, RemoteProtocolError],
    ["no iterations", `r=${whole},s=${salt}`, RemoteProtocolError],
    ["no count of iterations", `r=${whole},s=${salt},i=many`, RemoteProtocolError],
    ["a negative count", `r=${whole},s=${salt},i=-4096`, RemoteProtocolError],
    ["one iteration too few", `r=${whole},s=${salt},i=4095`, RemoteProtocolError],
    ["a single iteration", `r=${whole},s=${salt},i=1`, RemoteProtocolError],
    ["one iteration too many", `r=${whole},s=${salt},i=600001`, LimitError],
    ["hours of work", `r=${whole},s=${salt},i=2147483647`, LimitError],
    ["more than PBKDF2 can count", `r=${whole},s=${salt},i=9999999999`, LimitError],
    ["nothing", "", RemoteProtocolError],
    ["a final message", signature, RemoteProtocolError],
  ];

for (const [name, message, error] of forgedFirsts) {
  test(`a server's first message is refused before any work: ${name}`, async () => {
    let thrown: unknown;
    const server = scripted(challenge(message));
    const count = await countPbkdf2(async () => {
      thrown = await rejection(authenticate(server, newClient(), clear));
    });
    assert.ok(thrown instanceof error, String(thrown));
    assert.equal(count, 0);
    assert.equal(server.got.at(-1), "*");
  });
}

test("the cap on iterations is the caller's", async () => {
  for (const [cap, iterations, fits] of [
    [5000, 5000, true],
    [5000, 5001, false],
  ] as const) {
    const client = newClient(cap);
    await client.start();
    const step = client.step(bytes(`r=${whole},s=${salt},i=${iterations}`));
    if (fits) assert.match(text(await step) ?? "", /^c=biws,r=/);
    else assert.ok((await rejection(step)) instanceof LimitError);
  }
  assert.throws(() => newClient(100), LocalProtocolError);
});

test("extensions behind the iterations are passed over, and are part of what is signed", async () => {
  const client = newClient();
  await client.start();
  const plain = text(await client.step(bytes(serverFirst)));
  await client.start();
  const extended = text(await client.step(bytes(`${serverFirst},x=y`)));
  assert.notEqual(extended, plain);
});

test("a server that does not know the password is found out", async () => {
  const wrong = `v=${Buffer.alloc(32).toString("base64")}`;
  const endings: readonly [string, Parameters<typeof scripted>][] = [
    ["a wrong signature, as a challenge", [challenge(wrong)]],
    ["a wrong signature, with success", [success(wrong)]],
    ["a signature cut short", [success(signature.replace(/=$/, ""))]],
    ["the start of the signature", [success("v=6rriTRBi")]],
    ["an empty signature", [success("v=")]],
    ["no signature", [success()]],
    ["empty data", [success("")]],
    ["success after the wrong kind of data", [success("ok")]],
  ];
  for (const [name, ending] of endings) {
    const error = await againstServer(challenge(serverFirst), ...ending);
    assert.ok(error instanceof RemoteProtocolError, `${name}: ${error}`);
    assert.equal(error.usable, false);
  }
  assert.ok((await againstServer(success())) instanceof RemoteProtocolError, "success at once");
});

test("the right signature is taken as a challenge and with success", async () => {
  await authenticate(scripted(challenge(serverFirst), success(signature)), newClient(), clear);
  const server = scripted(challenge(serverFirst), challenge(signature), success());
  await authenticate(server, newClient(), clear);
  assert.equal(server.got.at(-1), "");
});

test("a signature of one exchange does not serve another", async () => {
  const other = scramClient("SCRAM-SHA-256", user, clear, { nonce: `${nonce}2` });
  const first = serverFirst.replace(nonce, `${nonce}2`);
  const error = await rejection(authenticate(scripted(challenge(first), success(signature)), other, clear));
  assert.ok(error instanceof RemoteProtocolError);
});

test("a challenge too many, and a first message sent twice, end the exchange", async () => {
  for (const says of [
    [challenge(serverFirst), challenge(serverFirst)],
    [challenge(serverFirst), challenge(signature), challenge(signature)],
  ])
    assert.ok((await againstServer(...says)) instanceof RemoteProtocolError);
});

test("the server's own word for an error is told, and nothing else that it says", async () => {
  for (const [said, told] of [
    ["e=invalid-proof", "invalid-proof"],
    ["e=\u001b[31mboo", "other-error"],
  ] as const) {
    const error = await againstServer(challenge(serverFirst), challenge(said));
    assert.ok(error instanceof AuthError);
    assert.equal(error.reply, told);
  }
});

test("names and passwords that SASLprep refuses are not sent", async () => {
  for (const credentials of [
    { user: "", password: "pencil" },
    { user: "a\0b", password: "pencil" },
    { user: "a\u00adb\u0007", password: "pencil" },
    { user: "\u00ad", password: "pencil" },
    { user: "\ud800", password: "pencil" },
    { user: "\u0627\u0031", password: "pencil" },
    { user: "\u00e9".repeat(1025), password: "pencil" },
    { user: "\u00e9".repeat(200_000), password: "pencil" },
    { user: "user", password: "pencil", authzid: "a\0b" },
    { user: "user", password: "\u0007" },
    { user: "user", password: "pencil\r\n" },
  ]) {
    const server = scripted();
    const client = scramClient("SCRAM-SHA-1", credentials, clear);
    assert.ok((await rejection(authenticate(server, client, clear))) instanceof LocalProtocolError);
    assert.deepEqual(server.got, []);
  }
});

const accounts = accountsOf({ user: "pencil" });

function newServer(link: SaslLink = clear, plus = ""): SaslServer {
  return scramServer(plus === "" ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS", accounts, link);
}

async function reasonOf(server: SaslServer, ...responses: string[]): Promise<string> {
  for (const response of responses) {
    try {
      await server.step(bytes(response));
    } catch (error) {
      assert.ok(error instanceof SaslFailure, String(error));
      return error.reason;
    }
  }
  return "none";
}

const forgedClientFirsts: readonly [name: string, message: string][] = [
  ["nothing", ""],
  ["no header", "n=user,r=abc"],
  ["an unknown flag", "x,,n=user,r=abc"],
  ["a binding that this mechanism has not", "p=tls-exporter,,n=user,r=abc"],
  ["an extension that must be understood", "n,,m=x,n=user,r=abc"],
  ["no user", "n,,n=,r=abc"],
  ["a bad escape in the user", "n,,n=us=er,r=abc"],
  ["a small letter in an escape", "n,,n=us=2cer,r=abc"],
  ["a NUL in the user", "n,,n=us\0er,r=abc"],
  ["an authorization identity without its letter", "n,root,n=user,r=abc"],
  ["an empty authorization identity", "n,a=,n=user,r=abc"],
  ["no nonce", "n,,n=user"],
  ["an empty nonce", "n,,n=user,r="],
  ["a nonce with a space", "n,,n=user,r=a c"],
];

for (const [name, message] of forgedClientFirsts) {
  test(`a client's first message is refused: ${name}`, async () => {
    assert.equal(await reasonOf(newServer(), message), "malformed");
  });
}

/** Runs the client's half by hand and lets `change` have its final message on the way. */
async function finalReason(change: (final: string) => string, link = clear): Promise<string> {
  const plus = link === clear ? "" : "-PLUS";
  const client = scramClient(`SCRAM-SHA-256${plus}` as "SCRAM-SHA-256", user, link);
  const server = newServer(link, plus);
  const first = await server.step(await client.start());
  assert.equal(first.type, "challenge");
  const final = text(await client.step((first as { data: Uint8Array }).data)) ?? "";
  return await reasonOf(server, change(final));
}

test("a client's final message is refused when anything in it was changed", async () => {
  assert.equal(await finalReason((final) => final), "none");
  assert.equal(await finalReason((final) => final, bound), "none");
  const changes: readonly [name: string, reason: string, change: (final: string) => string][] = [
    ["nonce", "credentials", (final) => final.replace(/,r=./, ",r=%")],
    ["nonce cut short", "credentials", (final) => final.replace(/.,p=/, ",p=")],
    ["binding", "credentials", (final) => final.replace("c=biws", "c=eSws")],
    ["an extension slipped in", "credentials", (final) => final.replace(",p=", ",x=y,p=")],
    ["proof", "credentials", (final) => final.replace(/p=.*/, `p=${Buffer.alloc(32).toString("base64")}`)],
    ["a short proof", "credentials", (final) => final.replace(/p=.*/, "p=AAAA")],
    ["no proof", "malformed", (final) => final.replace(/,p=.*/, "")],
    ["an empty proof", "malformed", (final) => final.replace(/p=.*/, "p=")],
    ["something behind the proof", "malformed", (final) => `${final},x=y`],
    ["no binding", "malformed", (final) => final.replace("c=biws,", "")],
  ];
  for (const [name, reason, change] of changes) assert.equal(await finalReason(change), reason, name);
});

test("a client that knows the password must still repeat the nonce and the binding", async () => {
  const final = async (change: (withoutProof: string) => string): Promise<string> => {
    const server = scramServer("SCRAM-SHA-256", accounts, clear, "own");
    const { salt, iterations } = await accounts.scramKeys("user", "SHA-256");
    await server.step(bytes("n,,n=user,r=abc"));
    const salted = await saltedPassword("SHA-256", "pencil", salt, iterations);
    const clientKey = hmac("SHA-256", salted, "Client Key");
    const withoutProof = change("c=biws,r=abcown");
    const authMessage = `n=user,r=abc,r=abcown,s=${encodeBase64(salt)},i=${iterations},${withoutProof}`;
    const proof = xor(clientKey, hmac("SHA-256", digest("SHA-256", clientKey), authMessage));
    return await reasonOf(server, `${withoutProof},p=${encodeBase64(proof)}`);
  };
  assert.equal(await final((text) => text), "none");
  assert.equal(await final((text) => text.replace("abcown", "abcold")), "credentials");
  assert.equal(await final((text) => text.replace("biws", "eSws")), "credentials");
});

test("names of any text round-trip through their escapes, without a comma", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("=", ",", "2", "C", "3", "D", "\u00e9"), minLength: 1 }),
      (name) => {
        const escaped = escapeName(name);
        assert.equal(unescapeName(escaped), name);
        assert.ok(!escaped.includes(","));
      },
    ),
  );
});

test("two TLS connections with one in the middle: the bindings differ, and nobody gets in", async () => {
  const other: SaslLink = {
    ...bound,
    channelBinding: { type: "tls-exporter", data: new Uint8Array(32).fill(8) },
  };
  const server = scramServer("SCRAM-SHA-256-PLUS", accounts, other);
  const error = await rejection(converse(scramClient("SCRAM-SHA-256-PLUS", user, bound), server));
  assert.ok(error instanceof AuthError);
});

test("a server takes any binding that it has, and refuses one that it has not", async () => {
  const endPoint = { type: "tls-server-end-point", data: new Uint8Array([1]) } as const;
  const exporter = { type: "tls-exporter", data: new Uint8Array([2]) } as const;
  const both = { encrypted: true, channelBinding: [exporter, endPoint] };
  for (const binding of [endPoint, exporter])
    await converse(
      scramClient("SCRAM-SHA-1-PLUS", user, { encrypted: true, channelBinding: binding }),
      scramServer("SCRAM-SHA-1-PLUS", accounts, both),
    );
  const only = scramServer("SCRAM-SHA-256-PLUS", accounts, { encrypted: true, channelBinding: endPoint });
  assert.equal(await reasonOf(only, "p=tls-exporter,,n=user,r=abc"), "mechanism");
  assert.equal(await reasonOf(newServer(bound, "-PLUS"), "n,,n=user,r=abc"), "malformed");
  assert.throws(() => scramClient("SCRAM-SHA-1-PLUS", user, clear), LocalProtocolError);
});

test("RFC 5802 section 6: -PLUS taken out of the server's list is found out", async () => {
  const fooled = scramClient("SCRAM-SHA-256", user, bound, { plusOffered: false });
  assert.match(text(await fooled.start()) ?? "", /^y,,/);
  assert.equal(await reasonOf(newServer(bound), "y,,n=user,r=abc"), "mechanism");
  // A server that really has none takes the same client, and one that chose not to bind is no victim.
  await converse(fooled, newServer(clear));
  await converse(scramClient("SCRAM-SHA-256", user, bound, { plusOffered: true }), newServer(bound));
});

test("a server answers nothing more once the exchange has failed or ended", async () => {
  const server = newServer();
  assert.equal(await reasonOf(server, "nonsense"), "malformed");
  assert.equal(await reasonOf(server, "n,,n=user,r=abc"), "malformed");
  const asked = newServer();
  await asked.step(undefined);
  assert.ok((await rejection(asked.step(undefined))) instanceof SaslFailure);
});

test("nonces are new each time", async () => {
  const client = scramClient("SCRAM-SHA-256", user, clear);
  const starts = [text(await client.start()), text(await client.start())];
  assert.notEqual(starts[0], starts[1]);
});
