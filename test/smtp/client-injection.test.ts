/** CR, LF and NUL in every string argument of every public method of the client: nothing may be written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HawserError } from "../../src/index.js";
import { SmtpClient } from "../../src/smtp/client.js";
import { memoryPair, playServer } from "../../src/testing/index.js";

const good = { from: "a@x.test", to: "b@y.test" };
type Attack = (client: SmtpClient, text: string) => Promise<unknown>;

/** Each public method, and each place of it where a string can stand. */
const attacks: Readonly<
  Record<string, readonly Attack[] | "no strings" | "a message's text may hold anything">
> = {
  hello: "no strings",
  ehlo: [(client, text) => client.ehlo(text)],
  helo: [(client, text) => client.helo(text)],
  mail: [
    (client, text) => client.mail(`a${text}@x.test`),
    (client, text) => client.mail(`a@x${text}.test`),
    (client, text) => client.mail("a@x.test", { envelopeId: text }),
    (client, text) => client.mail("a@x.test", { authenticatedSender: text }),
    (client, text) => client.mail("a@x.test", { body: text as "7bit" }),
    (client, text) => client.mail("a@x.test", { sizeOctets: text as unknown as number }),
  ],
  rcpt: [
    (client, text) => client.rcpt(`"a${text}"@x.test`),
    (client, text) => client.rcpt({ address: "a@x.test", originalRecipient: text }),
    (client, text) => client.rcpt({ address: "a@x.test", notify: [text as "delay"] }),
  ],
  data: "a message's text may hold anything",
  rset: "no strings",
  vrfy: [(client, text) => client.vrfy(text)],
  expn: [(client, text) => client.expn(text)],
  help: [(client, text) => client.help(text)],
  noop: "no strings",
  quit: "no strings",
  startTls: "no strings",
  auth: [
    (client, text) => client.auth({ user: "u", password: "p", mechanism: text }),
    (client, text) => client.auth({ user: `u${text}`, password: "p" }),
    (client, text) => client.auth({ user: "u", password: `p${text}` }),
  ],
  xclient: [
    (client, text) => client.xclient({ NAME: text }),
    (client, text) => client.xclient({ [text]: "x" }),
  ],
  command: [(client, text) => client.command(text), (client, text) => client.command("NOOP", [text])],
  send: [
    (client, text) => client.send({ ...good, from: `a${text}@x.test` }, "x"),
    (client, text) => client.send({ ...good, to: `a${text}@x.test` }, "x"),
    (client, text) => client.send({ ...good, to: ["b@y.test", `a@x.test${text}`] }, "x"),
    (client, text) => client.send({ ...good, envelopeId: text }, "x"),
    (client, text) => client.send({ ...good, to: [{ address: "b@y.test", originalRecipient: text }] }, "x"),
  ],
  close: "no strings",
};

test("every public method is in the table", () => {
  const methods = Object.getOwnPropertyNames(SmtpClient.prototype).filter((key) => {
    const { value } = Object.getOwnPropertyDescriptor(SmtpClient.prototype, key) ?? {};
    return typeof value === "function" && key !== "constructor";
  });
  assert.deepEqual(methods.sort(), Object.keys(attacks).sort());
});

const hello = `S: 220 x
C: EHLO client.test
S: 250-x
S: 250-PIPELINING
S: 250-DSN
S: 250-SIZE
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-AUTH SCRAM-SHA-256 PLAIN
S: 250 XCLIENT NAME ADDR
`;

for (const [method, places] of Object.entries(attacks)) {
  if (typeof places === "string") continue;
  for (const [place, attack] of places.entries()) {
    test(`${method}, place ${place + 1}: CR, LF and NUL are refused, and nothing is written`, async () => {
      for (const text of ["\r\nNOOP", "x\ny", "x\ry", "x\0y", "\n", "\0", "x\r\n"]) {
        const [near, far] = memoryPair();
        const run = async (): Promise<void> => {
          const client = await SmtpClient.over(near, { name: "client.test" });
          // A refusal of ours, before a byte is written: the script knows no further line of the client's.
          await assert.rejects(
            attack(client, text),
            (error) => error instanceof HawserError && error.sent === "no",
          );
          await client.close();
        };
        await Promise.all([playServer(hello, far), run()]);
      }
    });
  }
}
