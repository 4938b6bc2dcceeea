/** Conversations as they are written down, played to our client and to our server. */
import assert from "node:assert/strict";
import type { SmtpClient, SmtpClientOptions } from "../../src/smtp/client.js";
import { SmtpError } from "../../src/smtp/errors.js";
import { SmtpServer, type SmtpServerOptions } from "../../src/smtp/server.js";
import type { SmtpHandler } from "../../src/smtp/types-server.js";
import type { Transport } from "../../src/transport/types.js";
import { type Script, testTranscripts } from "../transcripts.js";
import { over } from "./client-support.js";

function script(run: (client: SmtpClient) => Promise<unknown>, options: SmtpClientOptions = {}): Script {
  return async (transport: Transport) => {
    const client = await over(transport, { name: "bar.com", ...options });
    await run(client);
    await client.quit();
  };
}

const smith = (...to: string[]): { from: string; to: string[] } => ({ from: "Smith@bar.com", to });
const test = { user: "test", password: "1234" };

const handler: SmtpHandler = {
  rcpt({ address }) {
    if (address === "Green@foo.com") throw new SmtpError({ code: 550, enhancedCode: "5.1.1", lines: ["no"] });
  },
  data: async ({ envelope, content }) => {
    await content.bytes();
    return envelope.to.map(({ address }) =>
      address === "pat@foo.com"
        ? new SmtpError({ code: 452, enhancedCode: "4.2.2", lines: ["full"] })
        : undefined,
    );
  },
  expn: () => "Mark.Crispin@foo.com",
};
/** Accounts that know no more than whether a password is right: only PLAIN and LOGIN are offered. */
const accounts = {
  verify: async (user: string, password: { reveal(): string }): Promise<boolean> =>
    user === "test" && password.reveal() === "1234",
};

const extensions = [
  ...["PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN", "ENHANCEDSTATUSCODES"],
  ...["LIMITS", "EXPN", "AUTH"],
];
/** A server that offers these and nothing else. */
const offering = (...offered: string[]): SmtpServerOptions => ({
  hide: extensions.filter((name) => !offered.includes(name)),
});

const servers: Readonly<Record<string, SmtpServerOptions>> = {
  "rfc5321-d4": offering("EXPN"),
  "rfc2920-pipelining": offering("PIPELINING", "ENHANCEDSTATUSCODES"),
  "rfc3030-chunking": offering("8BITMIME", "CHUNKING", "BINARYMIME"),
  "rfc3461-dsn": offering("DSN"),
  "rfc4954-plain": { ...offering("AUTH"), accounts, allowClearTextAuth: true },
  login: { ...offering("AUTH"), accounts, allowClearTextAuth: true },
  "rfc2033-lmtp": { ...offering("PIPELINING", "SIZE"), lmtp: true },
};

testTranscripts("smtp", {
  clients: {
    "rfc5321-d1": script(async (client) => {
      const to = ["Jones@foo.com", "Green@foo.com", "Brown@foo.com"];
      const { rejected } = await client.send(smith(...to), "Blah blah blah...\n.etc. etc. etc.");
      assert.equal(rejected[0]?.address, "Green@foo.com");
    }),
    "rfc5321-d2": script(async (client) => {
      await client.mail("Smith@bar.com");
      await client.rcpt("Jones@foo.com");
      await assert.rejects(client.rcpt("Green@foo.com"), SmtpError);
      await client.rset();
    }),
    "rfc5321-d4": script(async (client) => {
      await client.vrfy("Crispin");
      await client.expn("Admin");
      await client.help();
      await assert.rejects(client.command("XYZZY"), SmtpError);
      await client.noop();
    }),
    "rfc2920-pipelining": script(async (client) => {
      const sent = await Promise.all([
        client.send(smith("Green@foo.com", "Jones@foo.com"), "first"),
        client.send(smith("Brown@foo.com"), "second"),
      ]);
      assert.deepEqual(
        sent.map(({ accepted }) => accepted),
        [["Jones@foo.com"], ["Brown@foo.com"]],
      );
    }),
    "rfc2920-nobody": script(async (client) => {
      await assert.rejects(client.send(smith("Green@foo.com"), "x"), { replyCode: 550 });
    }),
    "rfc3030-chunking": script(async (client) => {
      const stream = (text: string | Uint8Array): Iterable<string | Uint8Array> => [text];
      await client.send(smith("Jones@foo.com"), stream(".\nQUIT\n"), { transfer: "bdat" });
      const binary = Uint8Array.of(0x61, 0, 0x0a, 0xff, 0x0d);
      await client.send({ ...smith("Jones@foo.com"), body: "binarymime" }, stream(binary));
    }),
    "rfc3461-dsn": script(async (client) => {
      const to = [
        { address: "Bob@foo.com", notify: ["success"], originalRecipient: "rfc822;Bob@foo.com" },
        { address: "Carol@foo.com", notify: ["failure"], originalRecipient: "rfc822;Carol@foo.com" },
        { address: "Dana@foo.com", notify: "never" },
      ] as const;
      const reports = { returnContent: "headers", envelopeId: "QQ314159" } as const;
      await client.send({ from: "Alice@bar.com", to, ...reports }, "message goes here");
    }),
    "rfc4954-plain": script(
      async (client) => {
        const wrong = { ...test, password: "wrong" };
        await assert.rejects(client.auth(wrong), { code: "HAWSER_AUTH" });
        await client.auth(test);
      },
      { allowClearText: true },
    ),
    login: script((client) => client.auth({ ...test, mechanism: "LOGIN" }), { allowClearText: true }),
    "rfc2033-lmtp": script(
      async (client) => {
        const to = ["pat@foo.com", "Jones@foo.com", "Green@foo.com"];
        const { accepted, rejected } = await client.send({ from: "chris@bar.com", to }, "x\r\n");
        assert.deepEqual(accepted, ["Jones@foo.com"]);
        assert.deepEqual(
          rejected.map(({ address, reply }) => [address, reply.code]),
          [
            ["Green@foo.com", 550],
            ["pat@foo.com", 452],
          ],
        );
      },
      { lmtp: true },
    ),
    "postfix-3": script(async (client) => {
      const { queueId } = await client.send(smith("nobody@mail.example", "root@mail.example"), "x\r\n");
      assert.equal(queueId, "4ABCD1234E");
    }),
    "old-server": script(async (client) => {
      await client.send(smith("Jones@old.example"), "x\r\n");
    }),
  },
  notServed: {
    "rfc2920-nobody": "our server refuses DATA where nobody was taken",
    "postfix-3": "another server's texts and capabilities",
    "old-server": "another server's texts, and no EHLO",
  },
  serve: async (transport, name) => {
    const server = new SmtpServer({ name: "foo.com", handler, ...(servers[name] ?? offering()) });
    await server.serve(transport);
  },
});
