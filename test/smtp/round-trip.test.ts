/** Client and server against each other, cut everywhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { transcript } from "../../src/core/trace.js";
import { Accounts } from "../../src/sasl/index.js";
import { SmtpError } from "../../src/smtp/errors.js";
import type { SmtpHandler } from "../../src/smtp/types-server.js";
import { makeCertificates } from "../certificates.js";
import { envelope, message, paired } from "./client-support.js";
import { fragments } from "./server-support.js";

const certificates = await makeCertificates();
const tls = { tls: "starttls", tlsOptions: { ca: certificates.ca, serverName: "localhost" } } as const;

const honours = {
  futureRelease: { maxIntervalSeconds: 432_000, maxDateTime: "2999-01-01T00:00:00Z" },
  deliverBySeconds: 0,
  mtPriority: "MIXER",
};

for (const bytes of fragments) {
  const name = `${bytes} bytes at a time`;

  test(`${name}: every parameter of an envelope arrives as it was given`, { timeout: 60_000 }, async () => {
    const seen: unknown[] = [];
    const handler: SmtpHandler = {
      honours,
      data: async ({ envelope: got, content }) => {
        seen.push({ ...got, text: await content.text() });
      },
    };
    const given = {
      from: "jörg@client.test",
      body: "8bitmime",
      returnContent: "headers",
      envelopeId: "QQ+=1",
      holdForSeconds: 60,
      deliverBy: { seconds: 120, mode: "return", trace: true },
      priority: -3,
      to: [
        {
          address: "b@server.test",
          notify: ["success", "failure", "delay"],
          originalRecipient: "j+g@y.test",
        },
        { address: "ü@server.test", notify: "never" },
      ],
    } as const;
    const text = "Subject: Grüße\r\n\r\nü\r\n.\r\n..\r\n";
    await paired(
      async (client) => {
        const { accepted } = await client.send(given, text);
        assert.deepEqual(accepted, ["b@server.test", "ü@server.test"]);
        await client.quit();
      },
      { handler },
      {},
      bytes,
    );
    const [got] = seen as [Record<string, unknown>];
    const { text: body, smtpUtf8, sizeOctets, to, ...rest } = got;
    assert.deepEqual([body, smtpUtf8, sizeOctets], [text, true, Buffer.byteLength(text)]);
    const { to: recipients, ...wanted } = given;
    for (const [key, value] of Object.entries(wanted)) assert.deepEqual(rest[key], value, key);
    const [first, second] = to as { address: string; notify: unknown; originalRecipient: string }[];
    assert.deepEqual([first?.address, first?.notify], [recipients[0].address, recipients[0].notify]);
    assert.match(first?.originalRecipient ?? "", /j\+g@y\.test$/);
    assert.deepEqual([second?.address, second?.notify], ["ü@server.test", "never"]);
  });

  test(`${name}: REQUIRETLS and holdUntil within TLS`, { timeout: 60_000 }, () => {
    const seen: unknown[] = [];
    const holdUntil = new Date("2998-12-31T00:00:00Z");
    return paired(
      async (client) => {
        assert.ok(client.extensions.requireTls && !client.extensions.startTls);
        await client.send({ ...envelope, requireTls: true, holdUntil }, message);
        await client.quit();
        const [got] = seen as { requireTls: boolean; holdUntil: Date }[];
        assert.deepEqual([got?.requireTls, got?.holdUntil], [true, holdUntil]);
      },
      { tls: certificates, handler: { honours, data: ({ envelope: got }) => void seen.push(got) } },
      tls,
      bytes,
    );
  });

  test(
    `${name}: DATA and BDAT, from strings, bytes and streams, one after the other and at once`,
    {
      timeout: 60_000,
    },
    () =>
      paired(
        async (client, host) => {
          const text = `Subject: x\r\n\r\n.\r\n..\r\n${"line\r\n".repeat(bytes === 1 ? 50 : 20_000)}end`;
          const pieces = async function* () {
            for (let at = 0; at < text.length; at += 999) yield text.slice(at, at + 999);
          };
          const sources = [() => text, () => Buffer.from(text), pieces];
          for (const transfer of ["data", "bdat"] as const)
            for (const source of sources) await client.send(envelope, source(), { transfer });
          await Promise.all(sources.map((source) => client.send(envelope, source())));
          await client.quit();
          const got = host.mail.messages.map((each) => each.text);
          // DATA is made of lines; BDAT of bytes.
          const wanted = [
            ...Array(3).fill(`${text}\r\n`),
            ...Array(3).fill(text),
            ...Array(3).fill(`${text}\r\n`),
          ];
          assert.deepEqual(got.length, 9);
          for (const [index, each] of got.entries()) assert.ok(each === wanted[index], `message ${index}`);
        },
        {},
        {},
        bytes,
      ),
  );

  test(`${name}: a binary message, byte for byte`, () =>
    paired(
      async (client, host) => {
        const binary = Uint8Array.from({ length: 600 }, (_, index) => index % 256);
        await client.send({ ...envelope, body: "binarymime" }, binary);
        await client.quit();
        assert.deepEqual(Buffer.from(host.mail.messages[0]?.bytes ?? []), Buffer.from(binary));
        assert.equal(host.mail.messages[0]?.envelope.body, "binarymime");
      },
      {},
      {},
      bytes,
    ));

  test(`${name}: refused recipients, and a refused message among others that ride`, () => {
    const handler: SmtpHandler = {
      rcpt({ address }) {
        if (address.startsWith("no"))
          throw new SmtpError({ code: 550, enhancedCode: "5.1.1", lines: ["no"] });
      },
      async data({ content }) {
        if ((await content.text()).includes("spam")) throw new SmtpError({ code: 554, lines: ["spam"] });
      },
    };
    return paired(
      async (client) => {
        const to = ["no1@server.test", "b@server.test", "no2@server.test"];
        const results = await Promise.allSettled([
          client.send({ ...envelope, to }, message),
          client.send(envelope, "spam\r\n"),
          client.send({ ...envelope, to: ["no@server.test"] }, message),
          client.send(envelope, message),
        ]);
        assert.deepEqual(
          results.map((each) => (each.status === "fulfilled" ? each.value.accepted : each.reason.replyCode)),
          [["b@server.test"], 554, 550, ["b@server.test"]],
        );
        await client.quit();
      },
      { handler },
      {},
      bytes,
    );
  });

  test(`${name}: LMTP, by DATA and by BDAT`, () => {
    const handler: SmtpHandler = {
      data: async ({ envelope: { to }, content }) => {
        await content.bytes();
        return to.map(({ address }) =>
          address.startsWith("full")
            ? new SmtpError({ code: 452, enhancedCode: "4.2.2", lines: ["full"] })
            : undefined,
        );
      },
    };
    return paired(
      async (client) => {
        const to = ["b@server.test", "full@server.test", "c@server.test"];
        const sent = [
          ...(await Promise.all([
            client.send({ ...envelope, to }, "1"),
            client.send({ ...envelope, to }, "2"),
          ])),
          await client.send({ ...envelope, to }, "3", { transfer: "bdat" }),
        ];
        for (const { accepted, rejected, replies } of sent) {
          assert.deepEqual(accepted, ["b@server.test", "c@server.test"]);
          assert.deepEqual(
            rejected.map(({ address }) => address),
            ["full@server.test"],
          );
          assert.equal(replies?.size, 3);
        }
        const all = { ...envelope, to: ["full@server.test"] };
        await assert.rejects(client.send(all, "4"), { replyCode: 452 });
        await client.quit();
      },
      { handler, lmtp: true },
      { lmtp: true },
      bytes,
    );
  });
}

const text = "first";

/** What others have taken for the end of a message (CVE-2023-51764 to -51766, CVE-2024-27305). */
const smuggling: readonly string[] = [
  ...["\n.\n", "\r.\r", "\r.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r"],
  ...["\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\r\n.\r\n"],
];

for (const end of smuggling) {
  test(`smuggling: ${JSON.stringify(end)} goes through client and server as one message`, async () => {
    const sent = `${text}${end}MAIL FROM:<evil@x.test>\r\nRCPT TO:<b@server.test>\r\nDATA\r\nevil\r\n`;
    const lines = sent.replace(/\r\n|\r|\n/g, "\r\n");
    for (const bytes of fragments)
      await paired(
        async (client, host) => {
          await client.send(envelope, sent);
          await client.send(envelope, [text, ...sent.slice(text.length)], { transfer: "data" });
          await client.send(envelope, sent, { transfer: "bdat" });
          await client.send({ ...envelope, body: "binarymime" }, sent);
          await client.quit();
          assert.deepEqual(
            host.mail.messages.map((each) => each.text),
            [lines, lines, lines, sent],
          );
          assert.ok(host.mail.messages.every((each) => each.envelope.from === "a@client.test"));
        },
        {},
        {},
        bytes,
      );
  });
}

const accounts = Accounts.of(
  { alice: "wonderland" },
  {
    iterations: 4096,
    keepPlain: true,
    verifyToken: async (token) => (token.reveal() === "good" ? "alice" : { status: "invalid_token" }),
    anonymous: "guest",
  },
);
const alice = { user: "alice", password: "wonderland" };
const mechanisms: readonly (readonly [mechanism: string, credentials: object, encrypted: boolean])[] = [
  ...["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"].map(
    (name) => [name, { ...alice, mechanism: name }, false] as const,
  ),
  ...["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "PLAIN"].map(
    (name) => [name, { ...alice, mechanism: name }, true] as const,
  ),
  ["SCRAM-SHA-256-PLUS", alice, true],
  ["SCRAM-SHA-256", alice, false],
  ["OAUTHBEARER", { user: "alice", token: "good" }, true],
  ["XOAUTH2", { user: "alice", token: "good", mechanism: "XOAUTH2" }, true],
  ["ANONYMOUS", { anonymous: "me@client.test" }, true],
];

for (const [mechanism, auth, encrypted] of mechanisms)
  test(`AUTH ${mechanism}${encrypted ? " within TLS" : ""}${"mechanism" in auth ? "" : ", chosen"}`, {
    timeout: 60_000,
  }, async () => {
    for (const bytes of fragments) {
      const trace = transcript();
      const options = {
        auth: auth as typeof alice,
        trace,
        allowClearText: !encrypted,
        ...(encrypted && tls),
      };
      await paired(
        async (client, host) => {
          assert.ok(client.authenticated);
          await client.send(envelope, message);
          await client.quit();
          assert.equal(host.mail.messages[0]?.user, mechanism === "ANONYMOUS" ? "guest" : "alice");
        },
        { accounts, allowClearTextAuth: !encrypted, ...(encrypted && { tls: certificates }) },
        options,
        bytes,
      );
      assert.match(String(trace), new RegExp(`^C: AUTH ${mechanism}( \\[secret\\])?$`, "m"));
      assert.doesNotMatch(String(trace), /wonderland|good|d29uZGVy/);
    }
  });

for (const [mechanism, status] of [
  ["XOAUTH2", "401"],
  ["OAUTHBEARER", "invalid_token"],
] as const)
  test(`${mechanism}: a token that has expired is fetched anew, once`, async () => {
    for (const bytes of fragments)
      for (const tokens of [
        ["old", "good"],
        ["old", "worse"],
      ]) {
        const asked: boolean[] = [];
        const token = ({ renew }: { renew: boolean }): Promise<string> => {
          asked.push(renew);
          return Promise.resolve(tokens[asked.length - 1] ?? "never");
        };
        const connecting = paired(
          async (client) => {
            assert.ok(client.authenticated);
            await client.quit();
          },
          { accounts, allowClearTextAuth: true },
          { auth: { user: "alice", token, mechanism }, allowClearText: true },
          bytes,
        );
        if (tokens[1] === "good") await connecting;
        else await assert.rejects(connecting, { name: "OAuthError", status });
        assert.deepEqual(asked, [false, true]);
      }
  });

test("a wrong password is an AuthError, and the connection goes on", () =>
  paired(
    async (client) => {
      for (const mechanism of ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"]) {
        const wrong = { user: "alice", password: "x", mechanism };
        await assert.rejects(client.auth(wrong), { code: "HAWSER_AUTH", usable: true });
      }
      assert.equal(client.authenticated, false);
      await client.auth(alice);
      assert.ok(client.authenticated);
      await client.quit();
    },
    { accounts, allowClearTextAuth: true, maxAuthFailures: 9 },
    { allowClearText: true },
  ));

test("VRFY, EXPN, HELP, RSET, NOOP, and a command of one's own", () =>
  paired(
    async (client) => {
      assert.equal((await client.vrfy("alice")).code, 252);
      assert.equal((await client.expn("list")).lines[0], "alice");
      assert.equal((await client.help()).code, 214);
      await client.mail("a@client.test");
      await client.rset();
      await assert.rejects(client.rcpt("b@server.test"), { replyCode: 503 });
      await client.noop();
      await assert.rejects(client.command("ETRN", ["x"]), { replyCode: 502 });
      await client.quit();
    },
    { handler: { expn: () => "alice", data: () => {} } },
  ));

test("XCLIENT speaks for another client", () =>
  paired(
    async (client, host) => {
      await client.xclient({ ADDR: "192.0.2.7", NAME: "other.test", LOGIN: "bob" });
      await client.send(envelope, message);
      await client.quit();
      assert.equal(host.mail.messages[0]?.user, "bob");
    },
    { xclientFrom: ["127.0.0.1"] },
  ));
