/** Reading messages whole, and the limits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HawserError, LimitError } from "../../src/core/errors.js";
import { parseMessage } from "../../src/mail/parse.js";

const lines = (...all: string[]): string => all.join("\r\n");

test("parse: text, HTML, a file", async () => {
  const message = await parseMessage(
    lines(
      "From: =?utf-8?Q?J=C3=BCrgen?= <j@x.example>",
      "To: Team: a@x.example;, b@x.example",
      "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=",
      "Date: Fri, 27 Nov 2026 20:18:13 +0000",
      "References: <1@x>",
      " <2@x>",
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "Content-Type: text/plain; charset=iso-8859-1",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "Gr=FC=DFe",
      "--b",
      "Content-Type: text/html",
      "",
      "<p>x</p>",
      "--b",
      'Content-Type: Application/PDF; name="../../etc/passwd"',
      "Content-ID: <c@x>",
      "Content-Transfer-Encoding: base64",
      "",
      "AAEC",
      "--b--",
    ),
  );
  assert.deepEqual(message.from, { name: "Jürgen", address: "j@x.example" });
  assert.equal(message.to.length, 2);
  assert.equal(message.subject, "Grüße");
  assert.match(message.text ?? "", /^Grüße/);
  assert.match(message.html ?? "", /<p>x<\/p>/);
  assert.deepEqual(message.references, ["<1@x>", "<2@x>"]);
  const [file] = message.attachments;
  assert.deepEqual(
    [file?.filename, file?.contentType, file?.cid, [...(file?.content ?? [])]],
    ["../../etc/passwd", "application/pdf", "c@x", [0, 1, 2]],
  );
});

test("parse: what is missing is undefined, and a bad date as well", async () => {
  const message = await parseMessage("Date: yesterday\r\n\r\nx");
  assert.deepEqual(
    [
      message.from,
      message.subject,
      message.date,
      message.messageId,
      message.to,
      message.references,
      message.attachments,
    ],
    [undefined, undefined, undefined, undefined, [], [], []],
  );
  assert.equal((await parseMessage("")).text, undefined);
});

test("parse: streams, of Node and of the web", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("Subject: a");
    yield Buffer.from("b\r\n\r\n");
  }
  assert.equal((await parseMessage(chunks())).subject, "ab");
  const web = new Response("Subject: web\r\n\r\n").body;
  assert.equal((await parseMessage(web ?? "")).subject, "web");
});

test("parse: the limits, and one less", async () => {
  const parts = (count: number): string =>
    lines(
      "Content-Type: multipart/mixed; boundary=b",
      "",
      ...Array.from({ length: count }, () => "--b\r\n\r\nx"),
      "--b--",
    );
  const nested = (depth: number): string => {
    const open = Array.from(
      { length: depth },
      (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
    );
    return `${open.join("")}\r\nx`;
  };
  await parseMessage("x".repeat(10), { maxBytes: 10 });
  await assert.rejects(parseMessage("x".repeat(11), { maxBytes: 10 }), LimitError);
  let chunks = 0;
  let ended = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (; chunks < 1000; chunks += 1) yield Buffer.from("xxxx");
    } finally {
      ended = true;
    }
  }
  await assert.rejects(parseMessage(endless(), { maxBytes: 10 }), LimitError);
  assert.deepEqual([ended, chunks], [true, 2]);
  await parseMessage(parts(9), { maxParts: 10 });
  await assert.rejects(parseMessage(parts(10), { maxParts: 10 }), LimitError);
  await parseMessage(nested(5), { maxDepth: 5 + 1 });
  await assert.rejects(parseMessage(nested(7), { maxDepth: 5 }), LimitError);
  await assert.rejects(parseMessage(nested(100_000)), LimitError);
  const messages = (depth: number): string => `${"Content-Type: message/rfc822\r\n\r\n".repeat(depth)}\r\nx`;
  await parseMessage(messages(4), { maxDepth: 5 });
  await assert.rejects(parseMessage(messages(6), { maxDepth: 5 }), LimitError);
  await parseMessage(`A: ${"x".repeat(7)}\r\n\r\n`, { maxHeaderBytes: 10 });
  await assert.rejects(parseMessage(`A: ${"x".repeat(8)}\r\n\r\n`, { maxHeaderBytes: 10 }), LimitError);
});

test("parse: any bytes give a message or a HawserError", async () => {
  const piece = fc.constantFrom(
    ...[
      "\r\n",
      "\r\n\r\n",
      "--a\r\n",
      "--a--\r\n",
      "x",
      "é",
      "=?utf-8?Q?=",
      "?=",
      "Content-Type: multipart/mixed; boundary=a\r\n",
    ],
    ...[
      "Content-Type: text/html; charset=nonsense\r\n",
      "Content-Transfer-Encoding: base64\r\n",
      "Date: x\r\n",
      "From: <a@\r\n",
    ],
    ...[
      "Content-Type: message/rfc822\r\n",
      "Content-Disposition: inline; filename*0*=x'y'%GG\r\n",
      "Subject: \0\r\n",
    ],
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(piece, { maxLength: 20 }).map((all) => Buffer.from(all.join(""))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (any) => {
      try {
        await parseMessage(any, { maxParts: 5, maxDepth: 3 });
      } catch (error) {
        assert.ok(error instanceof HawserError);
      }
    }),
    { numRuns: 500 },
  );
});
