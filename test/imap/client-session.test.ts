/** How a session begins and ends: greeting, TLS, login, what is learned and forgotten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthError,
  BrokenError,
  ClosedError,
  DeadlineError,
  LocalProtocolError,
  RemoteProtocolError,
  UnsupportedError,
} from "../../src/core/errors.js";
import { transcript } from "../../src/core/trace.js";
import { ImapClient, type ImapClientOptions } from "../../src/imap/client.js";
import { ByeError } from "../../src/imap/errors.js";
import { memoryPair } from "../../src/transport/memory.js";
import { makeCertificates } from "../certificates.js";
import { Scripted, talk, watched } from "./client-support.js";

const certificates = await makeCertificates();
const auth = { user: "joe", password: "tiger" };

/** A client over memory, and the server's end; the client may fail to begin. */
function begin(options: ImapClientOptions): { client: Promise<ImapClient>; server: Scripted } {
  const [near, far] = memoryPair({});
  const client = ImapClient.over(near, options);
  client.catch(() => {});
  return { client, server: new Scripted(far) };
}

/** What the client says until it closes. */
async function saidBy(server: Scripted): Promise<string[]> {
  const lines: string[] = [];
  try {
    for (;;) lines.push(await server.line());
  } catch (error) {
    if (error instanceof DeadlineError) throw error;
    return lines;
  }
}

test("AUTHENTICATE with an initial response; capabilities are asked for anew when not told", async () => {
  const trace = transcript();
  const { client, server } = begin({ auth, allowClearText: true, enable: [], trace });
  await server.send("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n");
  await server.expect("AUTHENTICATE PLAIN AGpvZQB0aWdlcg==", "$ OK in\r\n");
  await server.expect("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE\r\n$ OK ok\r\n");
  const { capabilities, state } = await watched(client);
  assert.deepEqual([...capabilities], ["IMAP4REV1", "IDLE"]);
  assert.equal(state, "authenticated");
  assert.doesNotMatch(String(trace), /AGpvZQ|tiger/);
});

test("AUTHENTICATE without SASL-IR waits for the server's word", async () => {
  const { client, server } = begin({ auth, allowClearText: true, enable: [] });
  await server.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n");
  await server.expect("AUTHENTICATE PLAIN", "+ \r\n");
  assert.equal(await server.line(), "AGpvZQB0aWdlcg==");
  await server.send("A1 OK [CAPABILITY IMAP4rev1 MOVE] in\r\n");
  assert.ok((await watched(client)).has("MOVE"));
});

test("LOGIN where the server has no mechanism for a password", async () => {
  const { client, server } = begin({ auth, allowClearText: true, enable: [] });
  await server.send("* OK [CAPABILITY IMAP4rev1] hi\r\n");
  await server.expect("LOGIN joe tiger", "* CAPABILITY IMAP4rev1 X\r\n$ OK in\r\n");
  assert.ok((await watched(client)).has("X"));
});

test("a refused login is an AuthError", async () => {
  const { client, server } = begin({ auth, allowClearText: true });
  await server.send("* OK [CAPABILITY IMAP4rev1] hi\r\n");
  await server.expect(/^LOGIN/, "$ NO [AUTHENTICATIONFAILED] no\r\n");
  await assert.rejects(
    watched(client),
    (error) => error instanceof AuthError && error.code === "HAWSER_AUTH",
  );
});

test("no password in the clear, and none where LOGIN is forbidden", async () => {
  for (const [capabilities, options] of [
    ["IMAP4rev1", { auth }],
    ["IMAP4rev1 AUTH=PLAIN", { auth }],
    ["IMAP4rev1 LOGINDISABLED", { auth, allowClearText: true }],
  ] as const) {
    const { client, server } = begin(options);
    await server.send(`* OK [CAPABILITY ${capabilities}] hi\r\n`);
    await assert.rejects(watched(client), LocalProtocolError);
    assert.deepEqual(await saidBy(server), []);
  }
});

test("PREAUTH: with STARTTLS, or unexpected, it is an error, and no command is sent", async () => {
  for (const options of [{ tls: "starttls" }, { tls: "starttls", allowPreauth: true }, {}] as const) {
    const { client, server } = begin(options);
    await server.send("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n");
    await assert.rejects(watched(client), RemoteProtocolError);
    assert.deepEqual(await saidBy(server), []);
  }
});

test("STARTTLS that is not offered is an error, and no AUTH is sent", async () => {
  const { client, server } = begin({ tls: "starttls", auth });
  await server.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n");
  await assert.rejects(watched(client), UnsupportedError);
  assert.deepEqual(await saidBy(server), []);
});

test("STARTTLS: what was learned before is forgotten", async () => {
  const options = { tls: "starttls", tlsOptions: { ca: certificates.ca }, auth, enable: [] } as const;
  const { client, server } = begin({ ...options, host: "localhost" });
  await server.send("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=EVIL LOGINDISABLED] hi\r\n");
  await server.expect("STARTTLS", "$ OK go\r\n");
  await server.stream.startTls({ role: "server", options: certificates });
  await server.expect("CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n$ OK ok\r\n");
  await server.expect(/^AUTHENTICATE PLAIN/, "$ OK [CAPABILITY IMAP4rev1] in\r\n");
  const begun = await watched(client);
  assert.deepEqual([...begun.capabilities], ["IMAP4REV1"]);
  assert.ok(begun.tls);
});

test("STARTTLS: bytes that came in the clear end it, wherever they stand", async () => {
  for (const injected of ["* CAPABILITY AUTH=PLAIN\r\n", "A2 OK [CAPABILITY AUTH=PLAIN] x\r\n", "x"]) {
    const { client, server } = begin({
      tls: "starttls",
      tlsOptions: { ca: certificates.ca },
      auth,
      host: "localhost",
    });
    await server.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
    await server.expect("STARTTLS", `$ OK go\r\n${injected}`);
    await assert.rejects(watched(client), RemoteProtocolError);
    assert.deepEqual(await saidBy(server), []);
  }
});

test("STARTTLS that is refused is an error, and nothing else is sent", async () => {
  const { client, server } = begin({ tls: "starttls", auth });
  await server.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
  await server.expect("STARTTLS", "$ NO not now\r\n");
  await assert.rejects(watched(client), /STARTTLS was refused/);
  assert.deepEqual(await saidBy(server), []);
});

test("IMAP4rev2 is enabled where both are offered; names are UTF-8 then, and LSUB becomes LIST", async () => {
  const { client, server } = begin({ auth, allowClearText: true });
  await server.send("* OK [CAPABILITY IMAP4rev1 IMAP4rev2] hi\r\n");
  await server.expect(/^LOGIN/, "$ OK [CAPABILITY IMAP4rev1 IMAP4rev2 ENABLE] in\r\n");
  await server.expect("ENABLE IMAP4rev2", "* ENABLED IMAP4rev2\r\n$ OK ok\r\n");
  const begun = await watched(client);
  assert.ok(begun.has("MOVE"));
  const done = (async () => {
    await server.expect('CREATE "Entwürfe"', "$ OK ok\r\n");
    await server.expect('LIST (SUBSCRIBED) "" *', '* LIST () "/" "Entwürfe"\r\n$ OK ok\r\n');
  })();
  await begun.create("Entwürfe");
  assert.equal((await begun.lsub())[0]?.mailbox, "Entwürfe");
  await done;
});

test("without UTF-8, names are modified UTF-7", async () => {
  const { client, server } = await talk();
  const done = server.expect("CREATE Entw&APw-rfe", "$ OK ok\r\n");
  await client.create("Entwürfe");
  await done;
});

test("BYE as a greeting, in between, and after LOGOUT", async () => {
  const turnedAway = begin({});
  await turnedAway.server.send("* BYE [UNAVAILABLE] full\r\n");
  await assert.rejects(watched(turnedAway.client), ByeError);
  const { client, server } = await talk();
  const noop = client.noop();
  const rest = client.status("INBOX");
  await server.command();
  await server.send("* BYE idle for too long\r\n");
  await assert.rejects(
    watched(noop),
    (error) => error instanceof ByeError && error.text === "idle for too long",
  );
  await assert.rejects(watched(rest), ByeError);
  assert.ok((await client.closed) instanceof ByeError);
  await assert.rejects(client.noop(), ClosedError);
  const good = await talk();
  const leaving = good.client.logout();
  await good.server.expect("LOGOUT", "* BYE bye\r\n$ OK done\r\n");
  await watched(leaving);
  assert.equal(await good.client.closed, undefined);
});

test("the server ends the connection: what waits fails, and `closed` tells", async () => {
  const { client, server } = await talk();
  const pending = Promise.allSettled([client.noop(), client.status("a"), client.namespace()]);
  await server.command();
  await server.close();
  for (const { status } of await watched(pending)) assert.equal(status, "rejected");
  assert.ok((await client.closed) instanceof BrokenError);
});

test("silence ends the connection when an answer is owed", async () => {
  const { client } = await talk({ client: { replyMs: 40 } });
  await assert.rejects(watched(client.noop()), DeadlineError);
  assert.ok((await client.closed) instanceof DeadlineError);
});

test("given up before it was sent, a command leaves the connection as it is; after that it closes it", async () => {
  const { client, server } = await talk();
  const stop = new AbortController();
  const first = client.noop();
  const waits = client.select("INBOX", { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(waits, /enough/);
  await server.expect("NOOP", "$ OK ok\r\n");
  await first;
  await assert.rejects(client.noop({ signal: AbortSignal.abort(new Error("never")) }), /never/);
  const late = new AbortController();
  const sent = client.noop({ signal: late.signal });
  await server.command();
  late.abort(new Error("too late"));
  await assert.rejects(sent, /too late/);
  assert.ok((await client.closed) instanceof ClosedError);
  const timed = await talk();
  await assert.rejects(watched(timed.client.noop({ timeoutMs: 20 })), DeadlineError);
});

test("UNAUTHENTICATE and ENABLE and COMPRESS wait for an empty line", async () => {
  const { client, server } = await talk({ capabilities: "IMAP4rev1 UNAUTHENTICATE ENABLE" });
  const order: string[] = [];
  const all = Promise.all([
    client.noop(),
    client.enable(["X"]),
    client.unauthenticate(),
    client.capability(),
  ]);
  for (let at = 0; at < 4; at += 1) {
    const { tag, text } = await server.command();
    order.push(text);
    await server.send(`${text === "CAPABILITY" ? "* CAPABILITY IMAP4rev1\r\n" : ""}${tag} OK ok\r\n`);
  }
  const asked = server.expect("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n$ OK ok\r\n").catch(() => {});
  await watched(all);
  assert.deepEqual(order, ["NOOP", "ENABLE X", "UNAUTHENTICATE", "CAPABILITY"]);
  assert.equal(client.state, "not-authenticated");
  await client.close();
  await asked;
});
