/** Giving up, at every place where a client waits: the call rejects with the caller's reason, and nothing stays open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClosedError, HawserError } from "../../src/core/errors.js";
import { ImapClient, type ImapClientOptions } from "../../src/imap/client.js";
import { memoryPair } from "../../src/transport/memory.js";
import { Scripted, talk, talkInMailbox, watched } from "./client-support.js";

const reason = new Error("enough");

/** The server's part before it falls silent for ever. */
const beginnings: readonly (readonly [
  name: string,
  options: ImapClientOptions,
  script: (s: Scripted) => Promise<unknown>,
])[] = [
  ["the greeting", {}, async () => {}],
  ["CAPABILITY", {}, (s) => s.send("* OK hi\r\n")],
  ["STARTTLS", { tls: "starttls" }, (s) => s.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n")],
  [
    "the TLS handshake",
    { tls: "starttls", host: "localhost" },
    async (s) => {
      await s.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
      await s.expect("STARTTLS", "$ OK go\r\n");
    },
  ],
  [
    "AUTHENTICATE",
    { auth: { user: "a", password: "b" }, allowClearText: true },
    (s) => s.send("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"),
  ],
  [
    "a challenge",
    { auth: { user: "a", password: "b" }, allowClearText: true },
    async (s) => {
      await s.send("* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256] hi\r\n");
      await s.expect(/^AUTHENTICATE/, "+ \r\n");
    },
  ],
];

for (const [name, options, script] of beginnings) {
  test(`while it waits for ${name}`, async () => {
    const [near, far] = memoryPair({});
    const stop = new AbortController();
    const server = new Scripted(far);
    const beginning = ImapClient.over(near, { ...options, signal: stop.signal });
    beginning.catch(() => {});
    await script(server);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort(reason);
    await assert.rejects(
      watched(beginning),
      (error) => error === reason || (error instanceof HawserError && error.cause === reason),
    );
    await assert.rejects(near.read(), ClosedError);
    await server.close();
  });
}

test("while a literal waits for the server's word, and while it streams", async () => {
  for (const capabilities of ["IMAP4rev1", "IMAP4rev1 LITERAL+"]) {
    const { client, server } = await talk({ capabilities });
    const stop = new AbortController();
    let returned = false;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield new Uint8Array(70_000).fill(120);
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        returned = true;
      }
    };
    const size = 7_000_000_000;
    const appending = client
      .append("a", source(), { size, signal: stop.signal, binary: false })
      .catch((error) => error);
    await server.line();
    stop.abort(reason);
    const error = await watched(appending);
    assert.ok(error === reason || error instanceof HawserError);
    assert.ok(await watched(client.closed));
    await server.close();
    await new Promise((resolve) => setImmediate(resolve));
    if (capabilities !== "IMAP4rev1") assert.ok(returned, "the source was let go");
  }
});

test("while messages stream", async () => {
  const { client, server, mailbox } = await talkInMailbox();
  const stop = new AbortController();
  const reading = (async () => {
    const options = { as: "stream", signal: stop.signal } as const;
    for await (const { sections } of mailbox.fetch(1, ["BODY.PEEK[]"], options))
      await sections["BODY.PEEK[]"].bytes();
  })();
  reading.catch(() => {});
  await server.command();
  await server.send(`* 1 FETCH (UID 1 BODY[] {5000000}\r\n${"x".repeat(100_000)}`);
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort(reason);
  await assert.rejects(watched(reading));
  assert.ok((await watched(client.closed)) instanceof ClosedError);
  await server.close();
});

test("what waits behind a command that was given up fails with it, and says that it was not sent", async () => {
  const { client, server } = await talk();
  const stop = new AbortController();
  const first = client.select("a", { signal: stop.signal });
  const second = client.noop();
  await server.command();
  stop.abort(reason);
  await assert.rejects(first, reason);
  await assert.rejects(second, (error) => error instanceof ClosedError && error.sent === "no");
});
