/** 421 may come in answer to anything (RFC 5321 section 3.8): CPython's test_421_from_mail_cmd, _rcpt_cmd and _data_cmd. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SmtpClient } from "../../src/smtp/client.js";
import { SmtpError } from "../../src/smtp/errors.js";
import { memoryPair, playServer } from "../../src/testing/index.js";

const greeting = "S: 220 x\nC: EHLO here.test\nS: 250 x\n";
const mail = "C: MAIL FROM:<a@x.test>\n";
const rcpt = "S: 250 ok\nC: RCPT TO:<b@y.test>\n";
const data = "S: 250 ok\nC: DATA\n";
const goodbye = "S: 421 4.3.2 closing\n";

for (const [command, script] of [
  ["MAIL", mail],
  ["RCPT", `${mail}${rcpt}`],
  ["DATA", `${mail}${rcpt}${data}`],
  ["the message", `${mail}${rcpt}${data}S: 354 go\nC: x\nC: .\n`],
] as const) {
  test(`421 in answer to ${command} ends the connection`, async () => {
    const [near, far] = memoryPair();
    const served = playServer(`${greeting}${script}${goodbye}`, far);
    const client = await SmtpClient.over(near, { name: "here.test" });
    await assert.rejects(
      client.send({ from: "a@x.test", to: "b@y.test" }, "x\r\n"),
      (error) => error instanceof SmtpError && error.replyCode === 421 && !error.usable,
    );
    assert.equal(client.closed, true);
    await served;
  });
}
