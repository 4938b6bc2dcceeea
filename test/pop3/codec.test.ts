/** Commands, replies and lists at every cut. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { HawserError, LimitError, LocalProtocolError, RemoteProtocolError } from "../../src/core/errors.js";
import { defaultLimits } from "../../src/core/limits.js";
import {
  commandDecoder,
  formatReply,
  parseCommand,
  parseNumbers,
  parseReply,
  replyDecoder,
} from "../../src/pop3/codec.js";
import { apopTimestamp } from "../../src/pop3/codec-apop.js";
import { formatCapabilities, parseCapabilities } from "../../src/pop3/codec-capa.js";
import {
  formatLanguage,
  formatListing,
  formatStat,
  formatUniqueId,
  listDecoder,
  parseLanguage,
  parseListing,
  parseStat,
  parseText,
  parseUniqueId,
} from "../../src/pop3/codec-lists.js";
import { topOf } from "../../src/pop3/codec-top.js";
import type { Pop3Reply } from "../../src/pop3/types.js";
import { everyCut } from "../../src/testing/every-cut.js";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

const replies: readonly { name: string; wire: string; want: readonly Pop3Reply[] }[] = [
  {
    name: "RFC 1939 section 3",
    wire: "+OK 2 320\r\n-ERR no such message\r\n",
    want: [
      { status: "+OK", text: "2 320" },
      { status: "-ERR", text: "no such message" },
    ],
  },
  {
    name: "no text",
    wire: "+OK\r\n-ERR\r\n+ \r\n",
    want: [
      { status: "+OK", text: "" },
      { status: "-ERR", text: "" },
      { status: "+", text: "" },
    ],
  },
  {
    name: "RFC 2449 section 8",
    wire: "-ERR [IN-USE] busy\r\n-ERR [sys/temp]  later\r\n-ERR [LOGIN-DELAY]\r\n",
    want: [
      { status: "-ERR", responseCode: "IN-USE", text: "busy" },
      { status: "-ERR", responseCode: "SYS/TEMP", text: "later" },
      { status: "-ERR", responseCode: "LOGIN-DELAY", text: "" },
    ],
  },
  {
    name: "seen: Dovecot",
    wire: "+OK [XCLIENT] Dovecot (Debian) ready.\r\n",
    want: [{ status: "+OK", responseCode: "XCLIENT", text: "Dovecot (Debian) ready." }],
  },
  {
    name: "brackets that are no code",
    wire: "+OK [not a code] x\r\n+OK [] x\r\n+OK [a//b] x\r\n",
    want: ["[not a code] x", "[] x", "[a//b] x"].map((text) => ({ status: "+OK", text })),
  },
  {
    name: "RFC 5034 section 4: a challenge",
    wire: "+ cmVhbG09\r\n",
    want: [{ status: "+", text: "cmVhbG09" }],
  },
  {
    name: "seen: lower case, a tab, a lone LF",
    wire: "+ok\thello\r\n+OK hello\n",
    want: [
      { status: "+OK", text: "hello" },
      { status: "+OK", text: "hello" },
    ],
  },
  {
    name: "RFC 6856 section 2.1: UTF-8",
    wire: "+OK gr\xc3\xbc\xc3\x9fe\r\n",
    want: [{ status: "+OK", text: "grüße" }],
  },
];

for (const { name, wire, want } of replies) {
  test(`replies: ${name}`, () => {
    assert.deepEqual(everyCut(replyDecoder, bytes(wire)), want);
  });
}

test("replies: what is none", () => {
  for (const wire of [
    "OK\r\n",
    "220 ready\r\n",
    "\r\n",
    " +OK\r\n",
    "+OKAY\r\n",
    "-ERROR\r\n",
    "+OK\0\r\n",
    "* OK\r\n",
  ])
    assert.throws(() => everyCut(replyDecoder, bytes(wire)), RemoteProtocolError, wire);
  assert.throws(
    () => everyCut(replyDecoder, bytes(`+OK ${"x".repeat(200)}`), { maxLineBytes: 100 }),
    LimitError,
  );
});

test("replies: format, parse, format", () => {
  const texts = fc.stringMatching(/^[!-Z^-~][ -~]{0,40}$/);
  const codes = fc.option(fc.stringMatching(/^[A-Z]{1,8}(\/[A-Z]{1,8})?$/), { nil: undefined });
  fc.assert(
    fc.property(fc.constantFrom("+OK", "-ERR"), codes, texts, (status, responseCode, text) => {
      const wire = formatReply({ status, responseCode, text } as Pop3Reply);
      const parsed = parseReply(bytes(wire.slice(0, -2)));
      assert.deepEqual([parsed.status, parsed.responseCode, parsed.text], [status, responseCode, text]);
      assert.equal(formatReply(parsed), wire);
    }),
  );
  for (const text of ["a\r\nb", "a\0", "\x1b"])
    assert.throws(() => formatReply({ status: "+OK", text }), LocalProtocolError);
  for (const responseCode of ["A B", "A]", "", "A\r\n"])
    assert.throws(() => formatReply({ status: "-ERR", responseCode, text: "" }), LocalProtocolError);
});

test("commands", () => {
  const limits = { maxLineBytes: 253 };
  const parse = (wire: string) => everyCut(() => commandDecoder, bytes(wire), limits).map(parseCommand);
  assert.deepEqual(parse("user alice\r\nPASS  a b \r\nQUIT\r\nTOP 1 2\r\n"), [
    { verb: "USER", argument: "alice" },
    { verb: "PASS", argument: " a b " },
    { verb: "QUIT", argument: "" },
    { verb: "TOP", argument: "1 2" },
  ]);
  for (const wire of [
    "\r\n",
    " STAT\r\n",
    "NO-OP\r\n",
    "A\nB\r\n",
    "STAT\0\r\n",
    "USER \xff\r\n",
    "A\rB\r\n",
  ])
    assert.throws(() => parse(wire), RemoteProtocolError, JSON.stringify(wire));
  assert.equal(parse(`PASS ${"x".repeat(248)}\r\n`).length, 1);
  assert.throws(() => parse(`PASS ${"x".repeat(249)}\r\n`), LimitError);
});

test("numbers of commands", () => {
  assert.deepEqual(parseNumbers(" 1  2 ", 1, 2), [1, 2]);
  assert.deepEqual(parseNumbers("", 0, 1), []);
  for (const [text, least, most] of [
    ["", 1, 1],
    ["1 2", 1, 1],
    ["-1", 1, 1],
    ["1x", 1, 1],
    ["99999999999", 1, 1],
  ] as const)
    assert.equal(parseNumbers(text, least, most), undefined, text);
});

test("STAT, LIST, UIDL, LANG", () => {
  assert.deepEqual(parseStat("2 320"), { count: 2, octets: 320 });
  assert.deepEqual(parseStat("1 5000000000 and more"), { count: 1, octets: 5_000_000_000 });
  assert.deepEqual(parseListing("1 120"), { number: 1, octets: 120 });
  assert.deepEqual(parseUniqueId('1 "a b'), { number: 1, uid: '"a' });
  assert.deepEqual(parseLanguage("fr-CA français"), { tag: "fr-CA", description: "français" });
  for (const text of ["", "1", "x 1", "1 x", "-1 2", "1 99999999999999999", "1.5 2"])
    assert.throws(() => parseStat(text), RemoteProtocolError, text);
  assert.equal(formatStat({ count: 2, octets: 320 }), "2 320");
  assert.equal(formatListing({ number: 1, octets: 120 }), "1 120");
  assert.equal(formatUniqueId({ number: 1, uid: "abc" }), "1 abc");
  assert.equal(formatLanguage({ tag: "en", description: "English" }), "en English");
  for (const uid of ["", "a b", "x".repeat(71), "é"])
    assert.throws(() => formatUniqueId({ number: 1, uid }), LocalProtocolError);
});

test("lists: lines to a dot, stuffed ones too", () => {
  const wire = "1 120\r\n2 200\r\n.\r\n.\r\n..x\r\n.\r\n";
  const made = everyCut(() => {
    let decode = listDecoder(parseText);
    return (queue, limits) => {
      const list = decode(queue, limits);
      if (list !== undefined) decode = listDecoder(parseText);
      return list;
    };
  }, wire);
  assert.deepEqual(made, [["1 120", "2 200"], [], [".x"]]);
  const limited = (limits: object) => () => everyCut(() => listDecoder(parseText), "a\r\nb\r\nc\r\n", limits);
  assert.throws(limited({ maxItems: 2 }), LimitError);
  assert.throws(limited({ maxReplyBytes: 2 }), LimitError);
  assert.throws(limited({ maxLineBytes: 0 }), LimitError);
});

test("CAPA: RFC 2449, RFC 5034, RFC 6856, and what servers write", () => {
  const lines = [
    ...["TOP", "UIDL", "USER", "STLS", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "LANG"],
    ...["SASL PLAIN", "sasl scram-sha-256", "EXPIRE 60 USER", "LOGIN-DELAY 900", "UTF8 USER"],
    ...["IMPLEMENTATION Shlemazle Plotz 3.0", "X-OTHER a b", ""],
  ];
  const found = parseCapabilities(lines);
  const { keywords, sasl, ...rest } = found;
  assert.deepEqual([...sasl], ["PLAIN", "SCRAM-SHA-256"]);
  assert.equal(keywords.get("X-OTHER"), "a b");
  assert.deepEqual(rest, {
    ...{ top: true, uidl: true, user: true, stls: true, pipelining: true, responseCodes: true },
    ...{ authResponseCode: true, expireDays: 60, expirePerUser: true, loginDelaySeconds: 900 },
    ...{
      loginDelayPerUser: false,
      implementation: "Shlemazle Plotz 3.0",
      utf8: true,
      utf8User: true,
      lang: true,
    },
  });
  assert.equal(parseCapabilities(["EXPIRE NEVER"]).expireDays, "never");
  assert.equal(parseCapabilities(["EXPIRE 0"]).expireDays, 0);
  assert.equal(parseCapabilities(["EXPIRE soon"]).expireDays, undefined);
  assert.equal(parseCapabilities([]).keywords.size, 0);
  const again = parseCapabilities(formatCapabilities(keywords));
  assert.deepEqual(again, found);
});

test("APOP: a timestamp is a msg-id of ASCII characters (CVE-2007-1558)", () => {
  const cases: readonly [string, string | undefined][] = [
    ["POP3 server ready <1896.697170952@dbc.mtview.ca.us>", "<1896.697170952@dbc.mtview.ca.us>"],
    ["ready", undefined],
    ["ready <>", undefined],
    ["ready <a>", undefined],
    ["ready <a@>", undefined],
    ["ready <a@b@c>", undefined],
    ["ready <a\u0080@b>", undefined],
    ["ready <a b@c>", undefined],
    ["ready <a> <b@c>", undefined],
    ["ready <a\u0080@b> <b@c>", undefined],
    ["ready <a\x01@c>", undefined],
    [`ready ${"<".repeat(100_000)}`, undefined],
  ];
  for (const [greeting, want] of cases) assert.equal(apopTimestamp(greeting), want, greeting.slice(0, 40));
});

test("TOP of a message: every cut", async () => {
  const message = "A: 1\r\nB: 2\r\n\r\none\r\n\r\nthree\r\n";
  const wants: readonly [number, string][] = [
    [0, "A: 1\r\nB: 2\r\n\r\n"],
    [1, "A: 1\r\nB: 2\r\n\r\none\r\n"],
    [2, "A: 1\r\nB: 2\r\n\r\none\r\n\r\n"],
    [9, message],
  ];
  for (const [lines, want] of wants)
    for (let at = 0; at <= message.length; at += 1) {
      let got = "";
      for await (const piece of topOf(pieces(message.slice(0, at), message.slice(at)), lines))
        got += Buffer.from(piece).toString();
      assert.equal(got, want, `${lines} lines, cut at ${at}`);
    }
});

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytes(text);
}

test("any bytes give values or a HawserError, and nothing is lost", () => {
  const decoders = [
    replyDecoder,
    () => commandDecoder,
    () => listDecoder(parseListing),
    () => listDecoder(parseUniqueId),
  ];
  const some = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.stringMatching(/^[+\-OKER[\] .\r\n0-9a-z]{0,60}$/).map((text) => bytes(text)),
  );
  fc.assert(
    fc.property(some, fc.constantFrom(...decoders), (wire, make) => {
      const queue = new ByteQueue();
      queue.push(wire);
      try {
        const value = make()(queue, defaultLimits);
        if (make === replyDecoder && value === undefined) assert.ok(!wire.includes(0x0a));
      } catch (error) {
        assert.ok(error instanceof HawserError, String(error));
      }
      assert.ok(
        Buffer.from(wire)
          .subarray(wire.length - queue.length)
          .equals(queue.peek()),
      );
    }),
    { numRuns: 2000 },
  );
});
