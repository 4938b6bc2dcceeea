/** Composing: what comes out reads as what went in, and nothing can be smuggled into a header. */
import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { LocalProtocolError } from "../../src/core/errors.js";
import { Secret } from "../../src/core/secret.js";
import { compose, composeStream } from "../../src/mail/compose.js";
import type { ComposeOptions, DkimOptions } from "../../src/mail/compose-types.js";
import { toCrLf } from "../../src/mail/crlf.js";
import { scanHeaders } from "../../src/mail/headers.js";
import { parseMessage } from "../../src/mail/parse.js";
import { scanStructure } from "../../src/mail/structure.js";

const least: ComposeOptions = { from: "a@x.example", to: "b@x.example" };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function assertCrLf(bytes: Uint8Array): void {
  assert.doesNotMatch(text(bytes), /\r(?!\n)|(?<!\r)\n/);
}

test("compose: everything there and back", async () => {
  const png = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
  const message = await compose({
    from: "Jürgen <jürgen@x.example>",
    sender: { name: 'The "Office"', address: "office@x.example" },
    to: ["b@x.example, C <c@x.example>", { name: "Đ", address: "d@grüße.example" }],
    cc: "Team: e@x.example, f@x.example;",
    bcc: "hidden@x.example, b@x.example",
    replyTo: "r@x.example",
    subject: "Grüße aus 東京, and a subject that is long enough to be folded over several lines",
    text: "Hellö\n.\nline\rtwo",
    html: '<p>Hellö <img src="cid:logo"></p>',
    alternatives: [{ content: "# Hellö", contentType: "text/markdown; charset=utf-8" }],
    attachments: [
      { content: png, filename: "bild-ü.png", cid: "logo" },
      { content: Readable.from([Buffer.from("from a "), Buffer.from("stream")]), filename: "x.txt" },
      { content: "text", filename: 'a"b;c.bin', contentType: "application/x-thing" },
      { content: new Response("web").body ?? "", filename: "web.txt" },
    ],
    icalEvent: { content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", method: "REQUEST" },
    inReplyTo: "p@x.example",
    references: "<o@x.example> p@x.example",
    messageId: "m@x.example",
    date: new Date("2026-11-27T20:18:13Z"),
    headers: { "X-Campaign": "Ünï", "X-Many": ["1", "2"] },
    list: {
      unsubscribe: ["https://x.example/u?a=1", "mailto:u@x.example"],
      id: "news.x.example",
      oneClick: true,
    },
    priority: "high",
  });
  assertCrLf(message.bytes);
  assert.deepEqual(message.envelope, {
    from: "jürgen@x.example",
    to: [
      "b@x.example",
      "c@x.example",
      "d@xn--gre-6ka8l.example",
      "e@x.example",
      "f@x.example",
      "hidden@x.example",
    ],
  });
  assert.deepEqual([message.messageId, message.smtpUtf8], ["<m@x.example>", true]);
  assert.doesNotMatch(text(message.bytes), /hidden/);
  const parsed = await parseMessage(message.bytes);
  assert.equal(
    parsed.subject,
    "Grüße aus 東京, and a subject that is long enough to be folded over several lines",
  );
  assert.deepEqual(parsed.from, { name: "Jürgen", address: "jürgen@x.example" });
  assert.deepEqual(parsed.sender, { name: 'The "Office"', address: "office@x.example" });
  assert.deepEqual(
    parsed.to.map((each) => each.name),
    ["", "C", "Đ"],
  );
  assert.deepEqual(parsed.cc, [
    {
      name: "Team",
      group: [
        { name: "", address: "e@x.example" },
        { name: "", address: "f@x.example" },
      ],
    },
  ]);
  assert.deepEqual(parsed.references, ["<o@x.example>", "<p@x.example>"]);
  assert.deepEqual(
    [parsed.inReplyTo, parsed.date?.toISOString()],
    ["<p@x.example>", "2026-11-27T20:18:13.000Z"],
  );
  assert.match(parsed.text ?? "", /^Hellö\r?\n\.\r?\nline\r?\ntwo/);
  assert.match(parsed.html ?? "", /Hellö <img src="cid:logo">/);
  const files = parsed.attachments.map(({ filename, contentType, cid }) => [contentType, filename, cid]);
  assert.deepEqual(files.sort(), [
    ["application/ics", "invite.ics", undefined],
    ["application/x-thing", 'a"b;c.bin', undefined],
    ["image/png", "bild-ü.png", "logo"],
    ["text/calendar", undefined, undefined],
    ["text/markdown", undefined, undefined],
    ["text/plain", "web.txt", undefined],
    ["text/plain", "x.txt", undefined],
  ]);
  const bytesOf = (name: string): string =>
    text(parsed.attachments.find((each) => each.filename === name)?.content ?? new Uint8Array(0));
  assert.deepEqual(
    [bytesOf("bild-ü.png"), bytesOf("x.txt"), bytesOf("web.txt")],
    [text(png), "from a stream", "web"],
  );
  const headers = scanHeaders(message.bytes);
  assert.equal(headers.get("list-unsubscribe"), "<https://x.example/u?a=1>, <mailto:u@x.example>");
  assert.deepEqual([headers.get("list-id"), headers.all("x-many")], ["<news.x.example>", ["1", "2"]]);
  assert.deepEqual(
    [headers.get("importance"), headers.get("list-unsubscribe-post")],
    ["High", "List-Unsubscribe=One-Click"],
  );
  assert.deepEqual(scanStructure(message.bytes).defects, []);
});

test("compose: the least there is", async () => {
  const message = await compose({ from: "a@x.example" });
  assert.deepEqual(message.envelope, { from: "a@x.example", to: [] });
  assert.match(message.messageId, /^<[^<>\s]+@x\.example>$/);
  assert.equal(message.smtpUtf8, false);
  assertCrLf(message.bytes);
  assert.ok(scanHeaders(message.bytes).has("date"));
  for (const empty of [{ text: "" }, { html: "" }, { text: "", html: "<p>" }, { text: new Uint8Array(0) }])
    assertCrLf((await compose({ ...least, ...empty })).bytes);
});

test("compose: the envelope may be another one", async () => {
  const message = await compose({ ...least, envelope: { from: "", to: ["only@x.example"] } });
  assert.deepEqual(message.envelope, { from: "", to: ["only@x.example"] });
  const bounces = await compose({ ...least, envelope: { from: "bounces@x.example" } });
  assert.deepEqual(bounces.envelope, { from: "bounces@x.example", to: ["b@x.example"] });
});

test("compose: any text comes back", async () => {
  const any = fc.string({ unit: fc.constantFrom(..."ab .=-\n\tü€😀_F"), maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(any, any, async (subject, body) => {
      const line = subject.replaceAll("\n", "");
      const { bytes } = await compose({
        ...least,
        subject: line,
        text: body,
        attachments: [{ content: body }],
      });
      assertCrLf(bytes);
      const parsed = await parseMessage(bytes);
      assert.equal((parsed.subject ?? "").trim(), line.trim());
      assert.equal((parsed.text ?? "").replaceAll("\r\n", "\n").trimEnd(), body.trimEnd());
      assert.equal(Buffer.from(parsed.attachments[0]?.content ?? "").toString(), body);
    }),
    { numRuns: 60 },
  );
});

test("compose: nothing of the caller's is opened as a file or URL", async () => {
  const own = fileURLToPath(import.meta.url);
  const sneaky = { path: own, href: "http://127.0.0.1:1/", raw: "X", content: "plain" };
  const message = await compose({
    ...least,
    text: createReadStream(own),
    attachments: [
      sneaky as ComposeOptions["attachments"] extends readonly (infer A)[] | undefined ? A : never,
    ],
  });
  const parsed = await parseMessage(message.bytes);
  assert.match(parsed.text ?? "", /nothing of the caller's is opened/);
  assert.equal(text(parsed.attachments[0]?.content ?? new Uint8Array(0)), "plain");
});

test("compose: a source that fails is the error", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
    throw new Error("the source broke");
  }
  for (const key of ["text", "html"])
    await assert.rejects(compose({ ...least, [key]: broken() }), /the source broke/);
  await assert.rejects(compose({ ...least, attachments: [{ content: broken() }] }), /the source broke/);
});

test("compose: a large attachment is streamed", async () => {
  async function* megabytes(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 20; count += 1) yield Buffer.alloc(1_048_576, count);
  }
  const { content } = await composeStream({ ...least, attachments: [{ content: megabytes() }] });
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    assert.ok(chunk.length < 4_000_000);
  }
  assert.ok(length > 20 * 1_048_576);
});

const evil = ["\r\nBcc: evil@x.example", "\n", "\r", "\0"];

/** Every string that an option may hold, and the options with it: a body is no header and is left out. */
const injections: readonly [option: string, make: (bad: string) => Partial<ComposeOptions>][] = [
  ["from", (bad) => ({ from: `a${bad} <a@x.example>` })],
  ["from's name", (bad) => ({ from: { name: bad, address: "a@x.example" } })],
  ["from's address", (bad) => ({ from: { address: `a@x.example${bad}` } })],
  ["sender", (bad) => ({ sender: `a@x.example${bad}` })],
  ["to", (bad) => ({ to: `"a${bad}"@x.example` })],
  ["to in a list", (bad) => ({ to: ["a@x.example", `b@x.example${bad}`] })],
  ["cc", (bad) => ({ cc: `g${bad}: a@x.example;` })],
  ["bcc", (bad) => ({ bcc: `a@x${bad}.example` })],
  ["replyTo", (bad) => ({ replyTo: { name: `x${bad}`, address: "a@x.example" } })],
  ["subject", (bad) => ({ subject: `x${bad}` })],
  [
    "alternatives.contentType",
    (bad) => ({ alternatives: [{ content: "x", contentType: `text/x; y=${bad}` }] }),
  ],
  ["attachments.filename", (bad) => ({ attachments: [{ content: "x", filename: `x${bad}.txt` }] })],
  [
    "attachments.contentType",
    (bad) => ({ attachments: [{ content: "x", contentType: `text/plain${bad}` }] }),
  ],
  ["attachments.cid", (bad) => ({ html: "x", attachments: [{ content: "x", cid: `x${bad}` }] })],
  [
    "attachments.disposition",
    (bad) => ({ attachments: [{ content: "x", disposition: `inline${bad}` as "inline" }] }),
  ],
  ["icalEvent.method", (bad) => ({ icalEvent: { content: "x", method: `REQUEST${bad}` } })],
  ["icalEvent.filename", (bad) => ({ icalEvent: { content: "x", filename: `x${bad}` } })],
  ["inReplyTo", (bad) => ({ inReplyTo: `<x@x${bad}>` })],
  ["references", (bad) => ({ references: `<x@x>${bad}` })],
  ["references in a list", (bad) => ({ references: ["<x@x>", `y@x${bad}`] })],
  ["messageId", (bad) => ({ messageId: `<x${bad}@x>` })],
  ["headers' name", (bad) => ({ headers: { [`X-A${bad}`]: "x" } })],
  ["headers' value", (bad) => ({ headers: { "X-A": `x${bad}` } })],
  ["headers' values", (bad) => ({ headers: { "X-A": ["x", `y${bad}`] } })],
  ...["help", "unsubscribe", "subscribe", "post", "owner", "archive"].flatMap(
    (name): [string, (bad: string) => Partial<ComposeOptions>][] => [
      [`list.${name}`, (bad) => ({ list: { [name]: `https://x.example/${bad}` } })],
      [`list.${name} in a list`, (bad) => ({ list: { [name]: ["https://x.example", `mailto:x${bad}@x`] } })],
    ],
  ),
  ["list.id", (bad) => ({ list: { id: `x${bad}.example` } })],
  ["envelope.from", (bad) => ({ envelope: { from: `a@x.example${bad}` } })],
  ["envelope.to", (bad) => ({ envelope: { to: ["a@x.example", `b@x.example${bad}`] } })],
  ["dkim.domain", (bad) => ({ dkim: dkim({ domain: `x${bad}.example` }) })],
  ["dkim.selector", (bad) => ({ dkim: dkim({ selector: `s${bad}` }) })],
  ["dkim.headerFields", (bad) => ({ dkim: dkim({ headerFields: ["From", `To${bad}`] }) })],
];

for (const [option, make] of injections) {
  test(`compose: ${option} cannot end a header field`, async () => {
    for (const bad of evil) {
      await assert.rejects(compose({ ...least, ...make(bad) }), LocalProtocolError, JSON.stringify(bad));
      await assert.rejects(composeStream({ ...least, ...make(bad) }), LocalProtocolError);
    }
  });
}

/** The keys of an options object, as deep as strings may stand: the table above must name each. */
const options: Readonly<Record<keyof ComposeOptions, "table" | "body" | "no string">> = {
  ...{
    from: "table",
    sender: "table",
    to: "table",
    cc: "table",
    bcc: "table",
    replyTo: "table",
    subject: "table",
  },
  ...{ text: "body", html: "body", alternatives: "table", attachments: "table", icalEvent: "table" },
  ...{ inReplyTo: "table", references: "table", messageId: "table", date: "no string", headers: "table" },
  ...{ list: "table", priority: "no string", envelope: "table", dkim: "table" },
};

test("compose: every string option stands in the table of injections", () => {
  for (const [option, where] of Object.entries(options))
    if (where === "table")
      assert.ok(
        injections.some(([name]) => name.startsWith(option)),
        option,
      );
});

test("compose: what a field may not hold besides", async () => {
  const refused: readonly Partial<ComposeOptions>[] = [
    { from: "" },
    { from: "undisclosed:;" },
    { from: "a b" },
    { to: "a@b@c.example" },
    { to: { address: "A <a@x.example>" } },
    { to: { address: "a@x.example, b@x.example" } },
    { date: new Date(Number.NaN) },
    { messageId: "" },
    { messageId: "a b@x" },
    { references: "<a> <b c>" },
    { inReplyTo: "<a>, <b>" },
    { headers: { Bcc: "x@x.example" } },
    { headers: { "content-type": "text/html" } },
    { headers: { "": "x" } },
    { headers: { "X Y": "x" } },
    { list: { help: "not a url" } },
    { list: { help: "https://x.example/>, <mailto:evil" } },
    { list: { id: "a b" } },
    { attachments: [{ content: "x", contentType: "nonsense" }] },
    { envelope: { to: ["nobody"] } },
    { dkim: dkim({ domain: "" }) },
    { dkim: dkim({ domain: "x.example; t=y" }) },
    { dkim: dkim({ selector: "" }) },
    { dkim: dkim({ headerFields: ["Subject"] }) },
    { dkim: dkim({ privateKey: "not a key" }) },
    { dkim: dkim({ privateKey: generateKeyPairSync("ed25519").privateKey }) },
    { dkim: dkim({ privateKey: generateKeyPairSync("rsa", { modulusLength: 512 }).privateKey }) },
    { dkim: dkim({ privateKey: pair.publicKey }) },
  ];
  for (const each of refused)
    await assert.rejects(compose({ ...least, ...each }), LocalProtocolError, JSON.stringify(each));
});

const pair = generateKeyPairSync("rsa", { modulusLength: 1024 });

function dkim(more: Partial<DkimOptions> = {}): DkimOptions {
  return { domain: "x.example", selector: "s1", privateKey: pair.privateKey, ...more };
}

/** RFC 6376 section 3.4.2 and 3.4.4, by hand. */
function relaxedHeader(name: string, value: string): string {
  return `${name.toLowerCase()}:${value
    .replace(/\r\n/g, "")
    .replace(/[ \t]+/g, " ")
    .trim()}`;
}

function relaxedBody(body: string): string {
  const lines = body.split("\r\n").map((line) => line.replace(/[ \t]+/g, " ").replace(/ $/, ""));
  const joined = lines.join("\r\n").replace(/(\r\n)+$/, "");
  return joined === "" ? "" : `${joined}\r\n`;
}

/** Whether the first DKIM-Signature of a message holds. */
function verifies(bytes: Uint8Array): boolean {
  const raw = text(bytes);
  const headers = scanHeaders(bytes);
  const field = headers.fields.find((each) => each.name === "DKIM-Signature");
  assert.ok(field !== undefined);
  const value = raw.slice(field.valueStart, field.end - 2);
  const tags = new Map(
    value.split(";").map((tag) => [tag.split("=")[0]?.trim(), tag.slice(tag.indexOf("=") + 1)]),
  );
  const hash = createHash("sha256")
    .update(relaxedBody(raw.slice(headers.range.end)), "latin1")
    .digest("base64");
  const last = headers.fields.toReversed();
  const signed = (tags.get("h") ?? "").split(":").map((name) => {
    const each = last.find((other) => other.name.toLowerCase() === name.trim());
    return each === undefined
      ? ""
      : `${relaxedHeader(name.trim(), raw.slice(each.valueStart, each.end - 2))}\r\n`;
  });
  const unsigned = relaxedHeader("DKIM-Signature", value.replace(/(;\s*b=)[\s\S]*$/, "$1"));
  const signature = Buffer.from((tags.get("b") ?? "").replace(/\s/g, ""), "base64");
  const key = createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" }));
  const good = verify("sha256", Buffer.from(signed.join("") + unsigned, "latin1"), key, signature);
  return (
    good &&
    hash === tags.get("bh")?.replace(/\s/g, "") &&
    tags.get("d") === "x.example" &&
    tags.get("s") === "s1"
  );
}

test("compose: a DKIM signature that verifies, and stops to when the message is changed", async () => {
  const { bytes } = await compose({
    ...{ ...least, subject: "Grüße", text: "Hello \n there\n\n\n", dkim: dkim() },
    attachments: [{ content: "x\ny" }],
  });
  assertCrLf(bytes);
  assert.ok(verifies(bytes));
  const changed = (from: string, to: string): Uint8Array =>
    Buffer.from(text(bytes).replace(from, to), "latin1");
  assert.ok(!verifies(changed("there", "where")));
  assert.ok(!verifies(changed("From: a@", "From: z@")));
});

test("compose: keys as PEM or secret, several signatures, streams", async () => {
  const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  for (const privateKey of [pem, new Secret(pem)])
    assert.ok(verifies((await compose({ ...least, text: "x", dkim: dkim({ privateKey }) })).bytes));
  const two = await composeStream({
    ...least,
    text: "x",
    dkim: [dkim(), dkim({ headerFields: ["From", "To"] })],
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of two.content) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  assert.equal(scanHeaders(bytes).all("dkim-signature").length, 2);
  assert.match(scanHeaders(bytes).get("dkim-signature") ?? "", /h=from:to;/);
  assert.ok(verifies(bytes));
});

test("line ends: every cut of every kind gives CR LF", async () => {
  async function through(chunks: readonly string[]): Promise<string> {
    const out: Uint8Array[] = [];
    for await (const chunk of toCrLf(Readable.from(chunks.map((each) => Buffer.from(each))))) out.push(chunk);
    return Buffer.concat(out).toString();
  }
  const any = fc.array(fc.string({ unit: fc.constantFrom("a", "\r", "\n"), minLength: 1, maxLength: 6 }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(any, async (chunks) => {
      assert.equal(await through(chunks), chunks.join("").replace(/\r\n|\r|\n/g, "\r\n"));
    }),
    { numRuns: 500 },
  );
});
