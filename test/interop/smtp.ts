/** SMTP and LMTP: hawser's client with Postfix and Dovecot. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { SmtpClientOptions } from "../../src/smtp/client.js";
import { SmtpClient } from "../../src/smtp/client.js";
import { SmtpError } from "../../src/smtp/errors.js";
import { SmtpPool } from "../../src/smtp/pool.js";
import type { Pairing } from "./pairing.js";
import type { Scratch } from "./scratch.js";
import type { Dovecot } from "./servers/dovecot.js";
import type { Postfix } from "./servers/postfix.js";

/** A message with everything that the wire could damage: dots, long lines, 8-bit text. */
export function awkwardMessage(id: string): string {
  const lines = [".", "..", ".dot", "", "ümlaut", "x".repeat(900), "end"];
  return `From: a@peers.test\r\nTo: alice@peers.test\r\nSubject: ${id}\r\nMessage-ID: <${id}@peers.test>\r\n\r\n${lines.join("\r\n")}\r\n`;
}

export function freshId(): string {
  return `id-${randomBytes(8).toString("hex")}`;
}

/** Waits until a message with this text lies in the maildir of a user, and gives it. */
export async function arrived(scratch: Scratch, user: string, text: string): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    for (const box of ["new", "cur"]) {
      const folder = scratch.path("dovecot/mail", user, box);
      for (const name of listed(folder)) {
        const message = readFileSync(`${folder}/${name}`, "utf8");
        if (message.includes(text)) return message;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no message with ${text} has reached ${user}`);
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The pairings of hawser's client. */
export function smtpClientPairings(scratch: Scratch, dovecot: Dovecot, postfix: Postfix): Pairing[] {
  const tlsOptions = { ca: scratch.certificates.ca };
  const auth = { user: dovecot.user, password: dovecot.password };
  const submission: SmtpClientOptions = {
    host: "localhost",
    port: postfix.submissionPort,
    tls: "starttls",
    tlsOptions,
  };
  const deliver = async (options: SmtpClientOptions, from = "someone@elsewhere.test"): Promise<string> => {
    const id = freshId();
    await using client = await SmtpClient.connect(options);
    const result = await client.send({ from, to: "alice@peers.test" }, awkwardMessage(id));
    assert.ok(result.queueId, "Postfix names the message");
    const message = await arrived(scratch, "alice", id);
    assert.ok(message.replaceAll("\r\n", "\n").includes("\n.\n..\n.dot\n\nümlaut\n"));
    return `${client.tls?.protocol ?? "in the clear"}`;
  };
  const name = (what: string) => `hawser's SMTP client → Postfix: ${what}`;
  return [
    { name: name("a message in the clear"), run: () => deliver({ ...submission, tls: "none" }) },
    { name: name("STARTTLS"), run: () => deliver(submission) },
    {
      name: name("implicit TLS"),
      run: () => deliver({ ...submission, port: postfix.submissionsPort, tls: "implicit" }),
    },
    ...["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"].map(
      (mechanism): Pairing => ({
        name: name(`AUTH ${mechanism}`),
        run: () => deliver({ ...submission, auth: { ...auth, mechanism } }),
      }),
    ),
    {
      name: name("a wrong password is an AuthError"),
      run: async () => {
        await assert.rejects(deliver({ ...submission, auth: { ...auth, password: "wrong" } }), {
          code: "HAWSER_AUTH",
        });
        return undefined;
      },
    },
    {
      name: name("pipelined recipients, some refused"),
      run: async () => {
        await using client = await SmtpClient.connect(submission);
        const to = ["alice@peers.test", "nobody@peers.test", "later@peers.test", "bob@peers.test"];
        const { accepted, rejected } = await client.send({ from: "x@y.test", to }, awkwardMessage(freshId()));
        assert.deepEqual(accepted, ["alice@peers.test", "bob@peers.test"]);
        assert.deepEqual(
          rejected.map(({ reply }) => reply.code),
          [550, 450],
        );
        return undefined;
      },
    },
    {
      name: name("no relaying without AUTH, and with it"),
      run: async () => {
        await using client = await SmtpClient.connect(submission);
        const stranger = { from: "x@y.test", to: "someone@far.test" };
        await assert.rejects(
          client.send(stranger, "x\r\n"),
          (error) => error instanceof SmtpError && error.replyCode === 554,
        );
        await client.auth(auth);
        assert.equal((await client.send(stranger, "Subject: x\r\n\r\nx\r\n")).accepted.length, 1);
        return undefined;
      },
    },
    {
      name: name("BDAT, DSN, SIZE and VRFY"),
      run: async () => {
        const id = freshId();
        await using client = await SmtpClient.connect(submission);
        const envelope = {
          from: "x@y.test",
          to: [
            {
              address: "alice@peers.test",
              notify: ["success", "failure"] as const,
              originalRecipient: "a+b=c@peers.test",
            },
          ],
          envelopeId: "QQ 1+2",
          returnContent: "headers" as const,
        };
        await client.send(envelope, awkwardMessage(id), { transfer: "bdat" });
        await arrived(scratch, "alice", id);
        assert.equal((await client.vrfy("alice@peers.test")).code, 252);
        await assert.rejects(
          client.send({ from: "x@y.test", to: "alice@peers.test" }, new Uint8Array(70_000_000)),
          {
            code: "HAWSER_LIMIT",
          },
        );
        return undefined;
      },
    },
    {
      name: name("XCLIENT"),
      run: async () => {
        await using client = await SmtpClient.connect({ ...submission, tls: "none" });
        await client.xclient({ NAME: "client.far.test", ADDR: "192.0.2.7" });
        const id = freshId();
        await client.send({ from: "x@y.test", to: "alice@peers.test" }, awkwardMessage(id));
        assert.match(await arrived(scratch, "alice", id), /192\.0\.2\.7/);
        return undefined;
      },
    },
    {
      name: name("100 messages through a pool"),
      run: async () => {
        await using pool = new SmtpPool({ ...submission, maxConnections: 3, maxMessages: 20 });
        const sent = Array.from({ length: 100 }, () =>
          pool.send({ from: "x@y.test", to: "someone@discard.test" }, awkwardMessage(freshId())),
        );
        assert.equal((await Promise.all(sent)).length, 100);
        return undefined;
      },
    },
    {
      name: "hawser's LMTP client → Dovecot: a reply for each recipient",
      run: async () => {
        const id = freshId();
        await using client = await SmtpClient.connect({
          host: "127.0.0.1",
          port: dovecot.lmtpPort,
          lmtp: true,
        });
        const { accepted, replies } = await client.send(
          { from: "x@y.test", to: ["alice@peers.test", "bob@peers.test"] },
          awkwardMessage(id),
        );
        assert.equal(accepted.length, 2);
        assert.equal(replies?.size, 2);
        await arrived(scratch, "bob", id);
        return undefined;
      },
    },
  ];
}
