/** TLS and logins: STARTTLS and what is injected before it, passwords in the clear, failures, SASL. */
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { saslLink } from "../../src/engine/sasl-link.js";
import { ImapServer } from "../../src/imap/server.js";
import { MemoryMailStore } from "../../src/mail/index.js";
import {
  authenticate,
  decodeBase64,
  encodeBase64,
  type SaslProfile,
  type SaslStep,
  type ScramName,
  scramClient,
} from "../../src/sasl/index.js";
import { nodeProvider } from "../../src/transport/node.js";
import { type Certificates, makeCertificates } from "../certificates.js";
import { accounts, Client, message, stage } from "./server-support.js";

let made: Promise<Certificates> | undefined;
function certificates(): Promise<Certificates> {
  made ??= makeCertificates();
  return made;
}

async function tls() {
  const { cert, key } = await certificates();
  return { cert, key };
}

async function upgrade(client: Client): Promise<void> {
  const { ca } = await certificates();
  await client.stream.startTls({ role: "client", options: { ca, serverName: "localhost" } });
}

test("without TLS there are no passwords; with it there are, and STARTTLS is gone", async () => {
  await using on = stage([message("one")], { tls: await tls(), allowClearTextAuth: false });
  const client = on.connect();
  const greeting = await client.line();
  assert.match(greeting, / STARTTLS LOGINDISABLED AUTH=SCRAM-SHA-256 /);
  assert.doesNotMatch(greeting, /AUTH=PLAIN/);
  assert.match(await client.refused("LOGIN alice secret"), /^NO \[PRIVACYREQUIRED\]/);
  assert.match(await client.refused("AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="), /^NO \[PRIVACYREQUIRED\]/);
  await client.ok("STARTTLS");
  await upgrade(client);
  const [line = ""] = await client.told("CAPABILITY");
  assert.match(line, /AUTH=PLAIN/);
  assert.doesNotMatch(line, /STARTTLS|LOGINDISABLED/);
  assert.match(await client.refused("STARTTLS"), /^BAD/);
  await client.ok("LOGIN alice secret");
  await client.ok("SELECT INBOX");
});

test("bytes behind STARTTLS end the connection, in the same write or the next", async () => {
  for (const fragmentBytes of [1, 7, 65_536]) {
    await using on = stage([], { tls: await tls() });
    const client = on.connect(fragmentBytes);
    await client.line();
    await client.write("a STARTTLS\r\nb NOOP\r\n");
    // Neither is the answer sent, nor the injected command carried out.
    const got = await client.stream.receive((queue) => (queue.ended ? queue.take(queue.length) : undefined), {
      timeoutMs: 5000,
    });
    assert.equal(Buffer.from(got).toString(), "");
    assert.deepEqual(on.errors, []);
  }
});

test("a command that was begun before STARTTLS's handshake is not ended after it", async () => {
  await using on = stage([], { tls: await tls() });
  const client = on.connect();
  await client.line();
  await client.write("a STARTTLS\r\nb NO");
  assert.equal(await client.ended(), true);
});

test("TLS from the first byte, over sockets; and nothing but this machine without it", async () => {
  const store = MemoryMailStore.of({ alice: [message("one")] });
  const { ca } = await certificates();
  await using server = await ImapServer.listen({
    ...{ port: 0, store, accounts, tls: { ...(await tls()), mode: "implicit" } },
  });
  const { host = "", port = 0 } = server.address;
  const transport = await nodeProvider.connect({ host, port });
  await transport.startTls({ role: "client", options: { ca, serverName: "localhost" } });
  const client = new Client(transport);
  assert.match(await client.line(), /^\* OK \[CAPABILITY IMAP4rev1 .*AUTH=SCRAM-SHA-256-PLUS/);
  await client.ok("LOGIN alice secret");
  assert.equal(server.connections, 1);
  await client.close();
  await assert.rejects(
    ImapServer.listen({ port: 0, host: "0.0.0.0", store, accounts }),
    /would let everybody in/,
  );
});

test("three failures end the connection; the answer does not tell who exists", async () => {
  await using on = stage();
  const client = on.connect();
  await client.line();
  const first = await client.refused("LOGIN alice wrong");
  assert.match(first, /^NO \[AUTHENTICATIONFAILED\]/);
  assert.equal(await client.refused("LOGIN nobody wrong"), first);
  assert.equal(await client.refused("AUTHENTICATE PLAIN AG5vAG5v"), first);
  assert.equal(await client.line(), "* BYE too many logins have failed");
  assert.equal(await client.ended(), true);
});

test("AUTHENTICATE: with and without an initial response, cancelled, malformed, unknown", async () => {
  await using on = stage();
  const client = on.connect();
  await client.line();
  await client.write("a AUTHENTICATE PLAIN\r\n");
  assert.equal(await client.line(), "+ ");
  await client.write("*\r\n");
  assert.deepEqual(await client.answer("a"), ["BAD cancelled"]);
  assert.match(await client.refused("AUTHENTICATE MAGIC"), /^NO \[CANNOT\]/);
  assert.match(await client.refused("AUTHENTICATE PLAIN !!!"), /^BAD/);
  await client.write("b AUTHENTICATE PLAIN\r\n");
  await client.line();
  await client.write("not base64\r\n");
  assert.match((await client.answer("b")).at(-1) ?? "", /^BAD/);
  await client.ok("AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==");
  assert.match(await client.refused("LOGIN alice secret"), /^BAD LOGIN is not for the state/);
});

/** SASL by a client of ours: the profile of a client is three small functions. */
async function scram(client: Client, name: ScramName, tag: string): Promise<void> {
  const link = saslLink(client.stream.transport, "client");
  const step = async (): Promise<SaslStep> => {
    const line = await client.line();
    if (line.startsWith(`${tag} OK`)) return { type: "success" };
    const [, data] = /^\+ (\S*)$/.exec(line) ?? assert.fail(line);
    return { type: "challenge", data: decodeBase64(data ?? "") };
  };
  const profile: SaslProfile = {
    begin: async (mechanism, initial) => {
      await client.write(
        `${tag} AUTHENTICATE ${mechanism} ${encodeBase64(initial ?? new Uint8Array(0))}\r\n`,
      );
      return await step();
    },
    respond: async (data) => {
      await client.write(`${encodeBase64(data)}\r\n`);
      return await step();
    },
    cancel: async () => await client.write("*\r\n"),
  };
  await authenticate(profile, scramClient(name, { user: "alice", password: "secret" }, link), link);
}

test("SCRAM, and SCRAM bound to the TLS connection", async () => {
  await using on = stage([message("one")], { tls: await tls(), allowClearTextAuth: false });
  const plain = on.connect();
  await plain.line();
  await scram(plain, "SCRAM-SHA-256", "a");
  await plain.ok("SELECT INBOX");
  const bound = on.connect();
  await bound.line();
  await bound.ok("STARTTLS");
  await upgrade(bound);
  await scram(bound, "SCRAM-SHA-256-PLUS", "a");
  await bound.ok("SELECT INBOX");
});

test("no password comes into a trace", async () => {
  const lines: string[] = [];
  await using on = stage([], { trace: { event: ({ who, text }) => lines.push(`${who}: ${text}`) } });
  const client = on.connect();
  await client.line();
  await client.refused('LOGIN alice "tiger1"');
  await client.refused('LOGIN "alice" tiger2 tiger2');
  await client.refused("tiger3");
  await client.refused("LOGIN alice {6+}\r\ntiger4");
  await client.write("p AUTHENTICATE PLAIN\r\n");
  await client.line();
  await client.write(`${Buffer.from("\0alice\0tiger5").toString("base64")}\r\n`);
  await client.line();
  const text = lines.join("\n");
  assert.doesNotMatch(text, /tiger[1245]|AGFsaWNl/);
  assert.match(text, /C: t1 LOGIN "alice" \[secret\]/);
});

test("UNAUTHENTICATE: all is as before the login (RFC 8437)", async () => {
  await using on = stage([message("one")]);
  const client = await on.client();
  await client.ok("ENABLE IMAP4rev2");
  await client.ok("SELECT INBOX");
  await client.ok("UNAUTHENTICATE");
  assert.match(await client.refused("SELECT INBOX"), /^BAD SELECT is not for the state: not authenticated/);
  await client.ok("LOGIN bob hidden");
  assert.ok((await client.ok("SELECT INBOX")).includes("* 0 EXISTS"));
  assert.deepEqual(await client.told("SEARCH ALL"), ["* SEARCH"]);
});

test("a client that goes away in the handshake leaves nothing behind", async () => {
  const store = MemoryMailStore.of({ alice: [] });
  const errors: unknown[] = [];
  await using server = await ImapServer.listen({
    ...{ port: 0, store, accounts, tls: await tls(), onError: (error: unknown) => errors.push(error) },
  });
  const socket = connectTcp(server.address.port ?? 0, "127.0.0.1");
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("data", (data) => {
    if (String(data).startsWith("* OK")) socket.write("a STARTTLS\r\n");
    else socket.end("not a handshake");
  });
  await closed;
  assert.deepEqual(errors, []);
});
