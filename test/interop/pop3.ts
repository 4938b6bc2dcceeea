/** POP3: hawser's client with Dovecot, and hawser's server with curl and Python's poplib. */
import assert from "node:assert/strict";
import { MemoryMailStore } from "../../src/mail/index.js";
import { Pop3Client, type Pop3ClientOptions, Pop3Server } from "../../src/pop3/index.js";
import { Accounts } from "../../src/sasl/index.js";
import { SmtpClient } from "../../src/smtp/index.js";
import type { Pairing } from "./pairing.js";
import { program, python } from "./program.js";
import type { Scratch } from "./scratch.js";
import type { Dovecot } from "./servers/dovecot.js";
import { awkwardMessage, freshId } from "./smtp.js";

/** The pairings of hawser's client. */
export function pop3ClientPairings(scratch: Scratch, dovecot: Dovecot): Pairing[] {
  const tlsOptions = { ca: scratch.certificates.ca };
  const { user, password } = dovecot;
  const base: Pop3ClientOptions = { host: "localhost", port: dovecot.pop3Port, tls: "starttls", tlsOptions };
  const fetchOwn = async (options: Pop3ClientOptions): Promise<string> => {
    const id = freshId();
    const message = awkwardMessage(id);
    {
      await using lmtp = await SmtpClient.connect({ host: "127.0.0.1", port: dovecot.lmtpPort, lmtp: true });
      await lmtp.send({ from: "x@y.test", to: "alice" + "@peers.test" }, message);
    }
    await using client = await Pop3Client.connect(options);
    const { count } = await client.stat();
    assert.equal((await client.list()).length, count);
    const body = await (await client.retr(count)).text();
    assert.ok(body.endsWith(message), "byte for byte behind the headers of the delivery");
    assert.equal((await client.uidl(count)).number, count);
    await client.dele(count);
    await client.quit();
    return client.tls?.protocol ?? "in the clear";
  };
  const name = (what: string) => `hawser's POP3 client → Dovecot: ${what}`;
  return [
    { name: name("STLS and SCRAM"), run: () => fetchOwn({ ...base, auth: { user, password } }) },
    {
      name: name("implicit TLS and PLAIN"),
      run: () =>
        fetchOwn({
          ...base,
          port: dovecot.pop3sPort,
          tls: "implicit",
          auth: { user, password, mechanism: "PLAIN" },
        }),
    },
    {
      name: name("USER and PASS"),
      run: async () => {
        await using client = await Pop3Client.connect(base);
        await client.user(user);
        await client.pass(password);
        await client.noop();
        return undefined;
      },
    },
    {
      name: name("200 messages, 16 at a time"),
      run: async () => {
        const messages = Array.from({ length: 200 }, () => awkwardMessage(freshId()));
        {
          await using lmtp = await SmtpClient.connect({
            host: "127.0.0.1",
            port: dovecot.lmtpPort,
            lmtp: true,
          });
          for (const message of messages)
            await lmtp.send({ from: "x@y.test", to: "bob@peers.test" }, message);
        }
        await using client = await Pop3Client.connect({ ...base, auth: { user: "bob", password } });
        const { count } = await client.stat();
        const numbers = Array.from({ length: count }, (_, index) => index + 1);
        let found = 0;
        for await (const { body } of client.retrMany(numbers, { depth: 16 })) {
          const text = await body.text();
          if (messages.some((message) => text.endsWith(message))) found += 1;
        }
        assert.equal(found, messages.length);
        return undefined;
      },
    },
    {
      name: name("a wrong password is an AuthError"),
      run: async () => {
        const auth = { user, password: "wrong" };
        await assert.rejects(Pop3Client.connect({ ...base, auth }), { code: "HAWSER_AUTH" });
        return undefined;
      },
    },
  ];
}

/** The pairings of hawser's server. */
export function pop3ServerPairings(scratch: Scratch): Pairing[] {
  const password = "secret word";
  const user = "alice@example.test";
  const messages = [awkwardMessage("one"), awkwardMessage("two")];
  const withServer = async (
    mode: "implicit" | "starttls",
    meet: (port: number) => Promise<void>,
  ): Promise<undefined> => {
    const store = MemoryMailStore.of({ [user]: messages.map((content) => ({ content })) });
    const accounts = Accounts.of({ [user]: password }, { keepPlain: true });
    const tls = { ...scratch.certificates, mode };
    await using server = await Pop3Server.listen({
      host: "localhost",
      store,
      accounts,
      tls,
      apop: true,
      allowClearTextAuth: true,
    });
    await meet(server.port);
  };
  const ca = scratch.path("ca.pem");
  const poplib = (what: string, tls: "none" | "starttls" | "implicit", apop: boolean): Pairing => ({
    name: `poplib → hawser's POP3 server: ${what}`,
    needs: ["python3"],
    run: () =>
      withServer(tls === "implicit" ? "implicit" : "starttls", async (port) => {
        const answer = (await python("pop3_client.py", { port, tls, ca, user, password, apop })) as {
          readonly messages: readonly string[];
          readonly stat: readonly [number, number];
        };
        assert.deepEqual(answer.messages, messages);
        assert.deepEqual(answer.stat, [2, messages.reduce((sum, text) => sum + Buffer.byteLength(text), 0)]);
      }),
  });
  const curl = (what: string, mode: "implicit" | "starttls", extra: readonly string[]): Pairing => ({
    name: `curl → hawser's POP3 server: ${what}`,
    needs: ["curl"],
    run: () =>
      withServer(mode, async (port) => {
        const url = `${mode === "implicit" ? "pop3s" : "pop3"}://localhost:${port}/2`;
        const got = await program("curl", [
          "-sS",
          "--cacert",
          ca,
          "--user",
          `${user}:${password}`,
          ...extra,
          url,
        ]);
        assert.equal(got, messages[1]);
      }),
  });
  return [
    poplib("in the clear", "none", false),
    poplib("APOP", "none", true),
    poplib("STLS", "starttls", false),
    poplib("implicit TLS", "implicit", false),
    curl("implicit TLS", "implicit", []),
    curl("STLS", "starttls", ["--ssl-reqd"]),
    curl("AUTH PLAIN", "implicit", ["--login-options", "AUTH=PLAIN"]),
  ];
}
