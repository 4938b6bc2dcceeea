/** The codec of SMTP: tables by section of the RFCs, every cut, round trips, and no surprise whatever the bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import type { Decoder } from "../../src/core/decoder.js";
import {
  HawserError,
  LimitError,
  LocalProtocolError,
  RemoteProtocolError,
  UnsupportedError,
} from "../../src/core/errors.js";
import { defaultLimits } from "../../src/core/limits.js";
import {
  authResponseDecoder,
  chunkDecoder,
  commandDecoder,
  formatBdat,
  formatHello,
  formatMail,
  formatRcpt,
  formatXclient,
  parseBdat,
  parseCommand,
  parseHello,
  parseXclient,
} from "../../src/smtp/codec.js";
import { formatEhlo, noExtensions, parseEhlo } from "../../src/smtp/codec-ehlo.js";
import { parseMailParameters, parseRcptParameters } from "../../src/smtp/codec-parameters.js";
import {
  formatPath,
  formatXtext,
  parseMailbox,
  parseParameters,
  parsePathCommand,
  parseXtext,
} from "../../src/smtp/codec-path.js";
import { formatReply, queueIdOf, replyDecoder, showReply } from "../../src/smtp/codec-reply.js";
import { formatTraceHeaders } from "../../src/smtp/codec-trace.js";
import type { MailOptions, SmtpExtensions, SmtpReply } from "../../src/smtp/types.js";

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** Bytes as a plain array, so that a Buffer equals a Uint8Array. */
function plain<T>(value: T): T {
  return value instanceof Uint8Array ? (new Uint8Array(value) as T & Uint8Array) : value;
}

/** All values of a decoder, made anew for each value where it is one for a value, from bytes in these pieces. */
function decodeAll<T>(
  make: () => Decoder<T>,
  pieces: readonly Uint8Array[],
  anew: boolean,
): { values: T[]; left: number } {
  const queue = new ByteQueue();
  const values: T[] = [];
  let decode = make();
  for (const piece of pieces) {
    queue.push(piece);
    for (
      let value = decode(queue, defaultLimits);
      value !== undefined;
      value = decode(queue, defaultLimits)
    ) {
      values.push(plain(value));
      if (anew) decode = make();
      if (value === null) return { values, left: queue.length };
    }
  }
  return { values, left: queue.length };
}

/** Whole, byte by byte, and cut at every offset. */
function everyCut<T>(
  make: () => Decoder<T>,
  wire: Uint8Array,
  want: readonly T[],
  anew = true,
  left = 0,
): void {
  const cuts = [[wire], [...wire].map((byte) => Uint8Array.of(byte))];
  for (let at = 1; at < wire.length; at += 1) cuts.push([wire.slice(0, at), wire.slice(at)]);
  for (const pieces of cuts) {
    const got = decodeAll(make, pieces, anew);
    assert.deepEqual(got.values, want);
    if (pieces.length === 1) assert.equal(got.left, left);
  }
}

const replies: readonly (readonly [string, string, SmtpReply[]])[] = [
  ["RFC 5321 section 4.2", "250 OK\r\n", [{ code: 250, lines: ["OK"] }]],
  ["RFC 5321 section 4.2.1", "250-a\r\n250-b\r\n250 c\r\n", [{ code: 250, lines: ["a", "b", "c"] }]],
  [
    "two replies",
    "250 a\r\n354 b\r\n",
    [
      { code: 250, lines: ["a"] },
      { code: 354, lines: ["b"] },
    ],
  ],
  [
    "RFC 2034 section 4",
    "550-5.1.1 a\r\n550 5.1.1 b\r\n",
    [{ code: 550, enhancedCode: "5.1.1", lines: ["a", "b"] }],
  ],
  [
    "RFC 3463: only on the first line",
    "550-5.1.1 a\r\n550 b\r\n",
    [{ code: 550, enhancedCode: "5.1.1", lines: ["a", "b"] }],
  ],
  ["seen: a code alone", "250\r\n", [{ code: 250, lines: [""] }]],
  ["seen: a lone LF", "220 x\n", [{ code: 220, lines: ["x"] }]],
  ["no enhanced code", "250 2.0 x\r\n", [{ code: 250, lines: ["2.0 x"] }]],
  ["UTF-8", "250 \xc3\xa4\r\n", [{ code: 250, lines: ["ä"] }]],
];
for (const [name, wire, want] of replies)
  test(`reply: ${name}`, () => everyCut(replyDecoder, bytesOf(wire), want));

for (const wire of ["hello\r\n", "25 OK\r\n", "250_OK\r\n", "250-a\r\n251 b\r\n", "650 x\r\n", "\r\n"])
  test(`no reply: ${JSON.stringify(wire)}`, () => {
    assert.throws(() => decodeAll(replyDecoder, [bytesOf(wire)], true), RemoteProtocolError);
    assert.throws(
      () =>
        decodeAll(
          replyDecoder,
          [...bytesOf(wire)].map((byte) => Uint8Array.of(byte)),
          true,
        ),
      RemoteProtocolError,
    );
  });

test("a reply is limited as a whole", () => {
  const queue = new ByteQueue();
  queue.push(bytesOf("250-x\r\n".repeat(30)));
  assert.throws(() => replyDecoder()(queue, { ...defaultLimits, maxReplyBytes: 100 }), LimitError);
});

test("replies: format and parse are inverse", () => {
  const line = fc
    .string({ unit: fc.constantFrom(..."abc 0123.äß-") })
    .filter((text) => !/^[245]\./.test(text));
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.option(fc.constant("5.7.1"), { nil: undefined }),
      fc.array(line, { minLength: 1 }),
      (code, enhancedCode, lines) => {
        const reply = enhancedCode === undefined ? { code, lines } : { code, enhancedCode, lines };
        const { values } = decodeAll(replyDecoder, [new Uint8Array(Buffer.from(formatReply(reply)))], true);
        assert.deepEqual(values, [reply]);
      },
    ),
  );
  for (const lines of [["a\r\n250 b"], ["\0"], ["\x1b[2J"]])
    assert.throws(() => formatReply({ code: 250, lines }), LocalProtocolError);
  for (const code of [0, 99, 199, 600, 2.5, Number.NaN])
    assert.throws(() => formatReply({ code, lines: ["x"] }), LocalProtocolError);
  assert.deepEqual(showReply({ code: 250, lines: ["a\r\nb", "c"] }), ["250-a??b", "250 c"]);
  assert.equal(queueIdOf({ code: 250, lines: ["Ok: queued as 4XyZ"] }), "4XyZ");
  assert.equal(queueIdOf({ code: 250, lines: ["OK id=1sAbC-2"] }), "1sAbC-2");
  assert.equal(queueIdOf({ code: 250, lines: [] }), undefined);
});

test("command lines at every cut: only CR LF ends one (RFC 5321 section 2.3.8)", () => {
  everyCut(
    () => commandDecoder(512),
    bytesOf("NOOP\r\na\nb\r\nc\rd\r\n\r\n\r\r\n"),
    ["NOOP", "a\nb", "c\rd", "", "\r"].map(bytesOf),
    false,
  );
});

test("a command line that is too long is skipped to its CR LF (RFC 5321 section 4.5.3.1.4)", () => {
  const long = "x".repeat(600);
  const wire = bytesOf(`${long}\r\nNOOP\r\n`);
  everyCut(() => commandDecoder(512), wire, ["too long", bytesOf("NOOP")], false);
  const huge = bytesOf(`${"y".repeat(20_000)}\rRSET\nQUIT\r\r\nNOOP\r\n`);
  const want = ["too long", bytesOf("NOOP")];
  assert.deepEqual(decodeAll(() => commandDecoder(512), [huge], false).values, want);
  assert.deepEqual(
    decodeAll(
      () => commandDecoder(512),
      [...huge].map((byte) => Uint8Array.of(byte)),
      false,
    ).values,
    want,
  );
  const endless = [bytesOf("z".repeat(600_000)), bytesOf("z".repeat(600_000))];
  assert.throws(() => decodeAll(() => commandDecoder(512), endless, false), LimitError);
});

test("512 octets with CR LF, 12,288 for AUTH (RFC 4954 section 4), and not one more", () => {
  const of = (line: string) =>
    decodeAll(() => commandDecoder(512), [bytesOf(`${line}\r\n`)], false).values[0];
  assert.notEqual(of("x".repeat(510)), "too long");
  assert.equal(of("x".repeat(511)), "too long");
  assert.notEqual(of(`auth ${"x".repeat(12_281)}`), "too long");
  assert.equal(of(`AUTH ${"x".repeat(12_282)}`), "too long");
  const queue = new ByteQueue();
  queue.push(bytesOf(`${"x".repeat(12_287)}\r\n`));
  assert.throws(() => authResponseDecoder(queue, defaultLimits), LimitError);
});

test("commands", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["NOOP", "NOOP", ""],
    ["noop", "NOOP", ""],
    ["MAIL  FROM:<>  ", "MAIL", "FROM:<>"],
    ["HELP a b", "HELP", "a b"],
    ["RCPT TO:<\xc3\xa4@b>", "RCPT", "TO:<ä@b>"],
  ];
  for (const [line, verb, argument] of cases)
    assert.deepEqual(parseCommand(bytesOf(line)), { verb, argument });
  for (const line of ["", " NOOP", "NO\0OP", "NOOP \r", "NOOP\nQUIT", "\xff", "a".repeat(33), "MAIL:x"])
    assert.throws(() => parseCommand(bytesOf(line)), RemoteProtocolError, JSON.stringify(line));
});

test("BDAT and its chunks (RFC 3030 section 2)", () => {
  assert.deepEqual(parseBdat("10"), { bytes: 10, last: false });
  assert.deepEqual(parseBdat("0 last"), { bytes: 0, last: true });
  for (const argument of ["", "x", "-1", "1.5", "1 LAS", "LAST", "1LAST", "9999999999999"])
    assert.throws(() => parseBdat(argument), RemoteProtocolError, argument);
  for (const [bytes, last] of [
    [0, true],
    [12, false],
  ] as const)
    assert.deepEqual(parseBdat(formatBdat(bytes, last).wire.slice(5).trimEnd()), { bytes, last });
  const joined = (pieces: readonly (Uint8Array | null)[]) =>
    Buffer.concat(pieces.filter((piece) => piece !== null)).toString();
  for (let at = 0; at < 8; at += 1) {
    const wire = bytesOf("ab\r\n.\r\nXYZ");
    const { values, left } = decodeAll(() => chunkDecoder(8), [wire.slice(0, at), wire.slice(at)], false);
    assert.equal(joined(values), "ab\r\n.\r\nX");
    assert.equal(left, 2);
  }
  const cutOff = new ByteQueue();
  cutOff.end();
  assert.throws(() => chunkDecoder(1)(cutOff, defaultLimits), RemoteProtocolError);
});

const mailboxes: readonly (readonly [string, boolean])[] = [
  ["a@b", true],
  ["alice@example.test", true],
  ["a.b+c/d=e@x-y.test", true],
  ['"a b"@x.test', true],
  ['"a\\"b"@x.test', true],
  ["a@[192.0.2.1]", true],
  ["a@[IPv6:2001:db8::1]", true],
  ["Postmaster", true],
  ["ä@ö.test", true],
  ["a", false],
  ["@b", false],
  ["a@", false],
  [".a@b", false],
  ["a..b@c", false],
  ["a b@c", false],
  ["a@b@c", false],
  ["a@-b", false],
  ["a@b..c", false],
  ["a@[b", false],
  ["a\r\n@b", false],
  ["<a>@b", false],
  [`${"a".repeat(250)}@b.cd`, false],
];
for (const [mailbox, good] of mailboxes)
  test(`mailbox ${JSON.stringify(mailbox.slice(0, 30))}: ${good}`, () => {
    assert.equal(parseMailbox(mailbox) !== undefined, good);
    if (good)
      assert.equal(
        parsePathCommand(`TO:${formatPath(mailbox).path}`, "TO").path.split("@")[0],
        mailbox.split("@")[0],
      );
    else if (mailbox !== "") assert.throws(() => formatPath(mailbox), LocalProtocolError);
  });

test("parsing a mailbox takes linear time", () => {
  const started = performance.now();
  for (const text of [
    "a.".repeat(5000),
    `"${"\\a".repeat(5000)}`,
    "@".repeat(10_000),
    `a@${"b-".repeat(5000)}`,
  ])
    parseMailbox(text);
  assert.ok(performance.now() - started < 500);
});

test("paths (RFC 5321 section 4.1.2)", () => {
  const route = parsePathCommand("TO:<@a.test,@b.test:c@d.test>", "TO");
  assert.deepEqual([route.path, route.sourceRoute], ["c@d.test", true]);
  assert.equal(parsePathCommand("from:<> X=1", "FROM").parameters.get("X"), "1");
  assert.equal(parsePathCommand('TO:<"a>b"@c.test>', "TO").path, '"a>b"@c.test');
  for (const argument of [
    "",
    "TO:",
    "TO:<>",
    "TO:a@b",
    "TO:<a@b",
    "TO:<a@b>X=1",
    "FROM:<a@b>",
    "TO:<<a@b>>",
    "TO:<a@b> =",
    "TO:<a@b> A=1 a=2",
  ])
    assert.throws(() => parsePathCommand(argument, "TO"), RemoteProtocolError, argument);
});

test("xtext (RFC 3461 section 4): inverse for every text, and nothing else is read", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }).filter((text) => !/\p{Surrogate}/u.test(text)),
      (text) => {
        assert.match(formatXtext(text), /^[!-~]*$/);
        assert.equal(parseXtext(formatXtext(text)), text);
      },
    ),
  );
  for (const bad of ["+", "+2", "+2b", "a=b", "a b", "ä", "+GG"])
    assert.throws(() => parseXtext(bad), RemoteProtocolError, bad);
});

const everything: SmtpExtensions = parseEhlo({
  code: 250,
  lines: [
    "mx.test hello",
    ...[
      "PIPELINING",
      "size 1000",
      "8BITMIME",
      "SMTPUTF8",
      "CHUNKING",
      "BINARYMIME",
      "DSN",
      "ENHANCEDSTATUSCODES",
    ],
    ...[
      "STARTTLS",
      "REQUIRETLS",
      "AUTH=PLAIN",
      "AUTH LOGIN scram-sha-1",
      "FUTURERELEASE 3600 2100-01-01T00:00:00Z",
    ],
    ...[
      "DELIVERBY 60",
      "MT-PRIORITY MIXER",
      "LIMITS RCPTMAX=5 MAILMAX=2",
      "XCLIENT NAME ADDR",
      "X-OWN a b",
      "-chat",
    ],
  ],
});

test("EHLO (RFC 5321 section 4.1.1.1)", () => {
  const { keywords, ...rest } = everything;
  assert.equal(keywords.get("X-OWN"), "a b");
  assert.deepEqual(rest, {
    ...{
      domain: "mx.test",
      pipelining: true,
      eightBitMime: true,
      smtpUtf8: true,
      chunking: true,
      binaryMime: true,
    },
    ...{ dsn: true, enhancedStatusCodes: true, startTls: true, requireTls: true, sizeOctets: 1000 },
    futureRelease: { maxIntervalSeconds: 3600, maxDateTime: "2100-01-01T00:00:00Z" },
    ...{ deliverBySeconds: 60, mtPriority: "MIXER" },
    limits: { mailMax: 2, rcptMax: 5, rcptDomainMax: undefined },
    auth: new Set(["PLAIN", "LOGIN", "SCRAM-SHA-1"]),
    xclient: new Set(["NAME", "ADDR"]),
  });
  assert.deepEqual(parseEhlo(formatEhlo("mx.test", keywords)), everything);
  assert.equal(noExtensions.sizeOctets, undefined);
  assert.equal(parseEhlo({ code: 250, lines: ["x", "SIZE"] }).sizeOctets, 0);
});

const mailOptions: readonly (readonly [string, MailOptions])[] = [
  [" BODY=8BITMIME", { body: "8bitmime" }],
  [" BODY=BINARYMIME", { body: "binarymime" }],
  [" RET=HDRS ENVID=a+20b", { returnContent: "headers", envelopeId: "a b" }],
  [" RET=FULL", { returnContent: "full" }],
  [" REQUIRETLS", { requireTls: true }],
  [" HOLDFOR=60", { holdForSeconds: 60 }],
  [" HOLDUNTIL=2030-01-02T03:04:05Z", { holdUntil: new Date("2030-01-02T03:04:05Z") }],
  [" BY=120;R", { deliverBy: { seconds: 120, mode: "return" } }],
  [" BY=-5;NT", { deliverBy: { seconds: -5, mode: "notify", trace: true } }],
  [" MT-PRIORITY=-9", { priority: -9 }],
  [" AUTH=e+3Df@x.test", { authenticatedSender: "e=f@x.test" }],
  [" AUTH=<>", { authenticatedSender: "" }],
];
for (const [parameters, options] of mailOptions)
  test(`MAIL${parameters}`, () => {
    const { wire } = formatMail("a@b.test", options, {}, everything);
    assert.equal(wire, `MAIL FROM:<a@b.test>${parameters}\r\n`);
    const { parameters: read } = parsePathCommand(wire.slice(5).trimEnd(), "FROM");
    assert.deepEqual(parseMailParameters(read), { smtpUtf8: false, ...options });
    assert.throws(() => formatMail("a@b.test", options, {}, noExtensions), UnsupportedError);
  });

test("MAIL: what cannot be sent, and what is malformed", () => {
  const bad: readonly MailOptions[] = [
    { envelopeId: "x\r\n" },
    { envelopeId: "x".repeat(101) },
    { holdForSeconds: 0 },
    { holdForSeconds: 1, holdUntil: new Date() },
    { deliverBy: { seconds: 59, mode: "return" } },
    { deliverBy: { seconds: 1.5, mode: "notify" } },
    { priority: 10 },
    { authenticatedSender: "\n" },
  ];
  for (const options of bad)
    assert.throws(() => formatMail("a@b.test", options, {}, everything), LocalProtocolError);
  assert.throws(() => formatMail("a@b.test", {}, { sizeOctets: 1001 }, everything), LimitError);
  assert.equal(
    formatMail("ä@b.test", {}, { sizeOctets: 5 }, everything).wire,
    "MAIL FROM:<ä@b.test> SIZE=5 SMTPUTF8\r\n",
  );
  assert.throws(() => formatMail("ä@b.test", {}, {}, noExtensions), UnsupportedError);
  assert.equal(formatMail("a@ö.test", {}, {}, noExtensions).wire, "MAIL FROM:<a@xn--nda.test>\r\n");
  for (const word of [
    "SIZE=",
    "SIZE=x",
    "BODY=9BIT",
    "RET=ALL",
    "ENVID=+",
    "HOLDFOR=0",
    "HOLDUNTIL=soon",
    "BY=1",
    "BY=1;X",
    "MT-PRIORITY=10",
    "AUTH=a=b",
  ]) {
    assert.throws(() => parseMailParameters(parseParameters(word)), RemoteProtocolError, word);
  }
});

test("RCPT (RFC 3461 section 4)", () => {
  const recipient = {
    address: "b@c.test",
    notify: ["success", "delay"],
    originalRecipient: "rfc822;b+x@c.test",
  } as const;
  const { wire } = formatRcpt(recipient, everything);
  assert.equal(wire, "RCPT TO:<b@c.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bx@c.test\r\n");
  assert.deepEqual(
    {
      address: "b@c.test",
      ...parseRcptParameters(parsePathCommand(wire.slice(5).trimEnd(), "TO").parameters),
    },
    recipient,
  );
  assert.equal(
    formatRcpt({ address: "b@c.test", notify: "never" }, everything).wire,
    "RCPT TO:<b@c.test> NOTIFY=NEVER\r\n",
  );
  for (const bad of [
    { address: "" },
    { address: "a@b", notify: [] },
    { address: "a@b", originalRecipient: "x\r\n" },
    { address: "a@b", originalRecipient: "x".repeat(500) },
  ])
    assert.throws(() => formatRcpt(bad, everything), LocalProtocolError);
  for (const word of [
    "NOTIFY=",
    "NOTIFY=NEVER,DELAY",
    "NOTIFY=SOON",
    "ORCPT=x",
    "ORCPT=;x",
    "ORCPT=rfc822;a+b",
  ])
    assert.throws(() => parseRcptParameters(parseParameters(word)), RemoteProtocolError, word);
});

test("hello", () => {
  for (const name of ["client.test", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]", "my_pc"]) {
    assert.equal(parseHello(formatHello("EHLO", name).wire.slice(5).trimEnd()), name);
  }
  for (const name of ["", "a b", "a\r\nb", "<x>", "\0"]) {
    assert.throws(() => formatHello("EHLO", name), LocalProtocolError);
    assert.throws(() => parseHello(name), RemoteProtocolError);
  }
});

test("XCLIENT: inverse, and nothing else is read", () => {
  const extensions = { ...everything, xclient: new Set(["NAME", "ADDR", "LOGIN"]) };
  const attributes = { NAME: "a b+c=d", ADDR: "IPV6:2001:db8::1", LOGIN: "x" };
  const { wire } = formatXclient(attributes, extensions);
  assert.deepEqual(Object.fromEntries(parseXclient(wire.slice(8).trimEnd())), attributes);
  assert.equal(parseXclient("NAME=[TEMPUNAVAIL]").get("NAME"), undefined);
  assert.throws(() => formatXclient({ PORT: "1" }, extensions), UnsupportedError);
  for (const value of ["", "a\r\nb", "ä"])
    assert.throws(() => formatXclient({ NAME: value }, extensions), LocalProtocolError);
  for (const argument of ["", "FROB=1", "NAME", "NAME=", "NAME=a NAME=b", "NAME=+"])
    assert.throws(() => parseXclient(argument), RemoteProtocolError, argument);
});

test("trace headers: no text of a client's ends a line", () => {
  const header = formatTraceHeaders(
    { from: "a@b.test" },
    { helo: "x", remote: { host: "192.0.2.1" }, remoteName: "evil\r\nX-Own: 1", protocol: "ESMTP" },
    { by: "mx.test", receivedAt: new Date(0) },
  );
  assert.equal(
    header,
    "Return-Path: <a@b.test>\r\nReceived: from x (evil??X-Own: 1 [192.0.2.1])\r\n\tby mx.test with ESMTP;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n",
  );
});

/** Text that nearly is SMTP. */
const nearly = fc.string({
  unit: fc.constantFrom(...'25 \r\n-.<>@:aB=+;"\\0ä\0,[]', "MAIL FROM:", "TO:", "SIZE=", "NOTIFY=", "250-"),
});

test("whatever the bytes are, parsers give values or errors of hawser's", () => {
  const parsers: readonly ((text: string) => unknown)[] = [
    (text) => parseCommand(new Uint8Array(Buffer.from(text))),
    (text) => parsePathCommand(text, "FROM"),
    (text) => parsePathCommand(text, "TO"),
    (text) => parseMailParameters(parseParameters(text)),
    (text) => parseRcptParameters(parseParameters(text)),
    (text) => parseEhlo({ code: 250, lines: text.split("\n") }),
    parseMailbox,
    parseXtext,
    parseBdat,
    parseHello,
    parseXclient,
    formatPath,
    (text) => formatHello("EHLO", text),
    (text) => formatMail(text, { envelopeId: text, authenticatedSender: text }, {}, everything),
    (text) => formatRcpt({ address: text, originalRecipient: text }, everything),
  ];
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: "binary" })), (text) => {
      for (const parse of parsers) {
        try {
          parse(text);
        } catch (error) {
          assert.ok(error instanceof HawserError, String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("whatever the bytes are and however they are cut, decoders give the same, and lose none", () => {
  const decoders: readonly (() => Decoder<unknown>)[] = [
    replyDecoder,
    () => commandDecoder(512),
    () => authResponseDecoder,
  ];
  const outcome = (make: () => Decoder<unknown>, pieces: readonly Uint8Array[]): unknown => {
    try {
      return decodeAll(make, pieces, make === replyDecoder);
    } catch (error) {
      assert.ok(error instanceof HawserError, String(error));
      return error.code;
    }
  };
  fc.assert(
    fc.property(
      fc.oneof(
        nearly.map((text) => new Uint8Array(Buffer.from(text))),
        fc.uint8Array({ maxLength: 200 }),
      ),
      (wire) => {
        for (const make of decoders)
          assert.deepEqual(
            outcome(
              make,
              [...wire].map((byte) => Uint8Array.of(byte)),
            ),
            outcome(make, [wire]),
          );
      },
    ),
    { numRuns: 300 },
  );
});
