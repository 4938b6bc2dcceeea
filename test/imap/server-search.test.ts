/** SEARCH against a naive evaluator; its results, SORT and THREAD. RFC 9051 section 6.4.4, RFC 4731, RFC 5182, RFC 5256. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { baseSubject } from "../../src/imap/server-subject.js";
import type { SeedMessage } from "../../src/mail/index.js";
import { stage } from "./server-support.js";

interface Mail {
  readonly subject: string;
  readonly from: string;
  readonly body: string;
  readonly flags: readonly string[];
  readonly day: number;
  readonly sentDay: number;
}

const mails: readonly Mail[] = Array.from({ length: 40 }, (_, index) => ({
  subject: `${["Invoice", "Hello", "Grüße", "Re: Hello"][index % 4]} ${index}`,
  from: index % 3 === 0 ? "anna@example.test" : "bert@example.test",
  body: `The body has ${index % 5 === 0 ? "gold" : "lead"} in it${"!".repeat(index * 7)}\r\n`,
  flags: ["\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "$Done"].filter(
    (_flag, bit) => (index >> bit) & 1,
  ),
  day: 1 + (index % 28),
  sentDay: 1 + ((index * 3) % 28),
}));

function contentOf({ subject, from, body, sentDay }: Mail): string {
  return `From: ${from}\r\nTo: team@example.test\r\nSubject: ${subject}\r\nDate: ${sentDay} Feb 1994 23:30:00 -0800\r\n\r\n${body}`;
}

const seeds: readonly SeedMessage[] = mails.map((mail) => ({
  content: contentOf(mail),
  flags: mail.flags,
  internalDate: new Date(Date.UTC(2020, 1, mail.day, 12)),
}));

function sizeOf(mail: Mail): number {
  return Buffer.byteLength(contentOf(mail));
}

/** Each key on the wire, and what it means in the plainest words. */
const keys: readonly [wire: string, holds: (mail: Mail, index: number) => boolean][] = [
  ["ALL", () => true],
  ["SEEN", ({ flags }) => flags.includes("\\Seen")],
  ["UNSEEN", ({ flags }) => !flags.includes("\\Seen")],
  ["FLAGGED", ({ flags }) => flags.includes("\\Flagged")],
  ["UNFLAGGED", ({ flags }) => !flags.includes("\\Flagged")],
  ["ANSWERED", ({ flags }) => flags.includes("\\Answered")],
  ["UNANSWERED", ({ flags }) => !flags.includes("\\Answered")],
  ["DELETED", ({ flags }) => flags.includes("\\Deleted")],
  ["UNDELETED", ({ flags }) => !flags.includes("\\Deleted")],
  ["DRAFT", () => false],
  ["UNDRAFT", () => true],
  ["KEYWORD $done", ({ flags }) => flags.includes("$Done")],
  ["UNKEYWORD $Done", ({ flags }) => !flags.includes("$Done")],
  ["RECENT", () => true],
  ["OLD", () => false],
  ["NEW", ({ flags }) => !flags.includes("\\Seen")],
  ["BEFORE 10-Feb-2020", ({ day }) => day < 10],
  ["ON 10-Feb-2020", ({ day }) => day === 10],
  ["SINCE 10-Feb-2020", ({ day }) => day >= 10],
  ["SENTBEFORE 10-Feb-1994", ({ sentDay }) => sentDay < 10],
  ["SENTON 10-Feb-1994", ({ sentDay }) => sentDay === 10],
  ["SENTSINCE 10-Feb-1994", ({ sentDay }) => sentDay >= 10],
  ["SAVEDSINCE 1-Jan-2000", () => true],
  ["SAVEDBEFORE 1-Jan-2000", () => false],
  ["OLDER 86400", () => true],
  ["YOUNGER 86400", () => false],
  ["FROM anna", ({ from }) => from.startsWith("anna")],
  ["TO TEAM", () => true],
  ["CC x", () => false],
  ["BCC x", () => false],
  ["SUBJECT hello", ({ subject }) => /hello/i.test(subject)],
  ['HEADER Subject "Re:"', ({ subject }) => subject.startsWith("Re:")],
  ['HEADER X-None ""', () => false],
  ['HEADER Date ""', () => true],
  ["BODY gold", ({ body }) => body.includes("gold")],
  ["BODY anna", () => false],
  ["TEXT anna", ({ from }) => from.startsWith("anna")],
  ["TEXT gold", ({ body }) => body.includes("gold")],
  ["LARGER 300", (mail) => sizeOf(mail) > 300],
  ["SMALLER 300", (mail) => sizeOf(mail) < 300],
  ["3:7,20", (_, index) => (index >= 2 && index <= 6) || index === 19],
  ["35:*", (_, index) => index >= 34],
  ["UID 5:6,100", (_, index) => index === 4 || index === 5],
  ["UID 100:*", (_, index) => index === 39],
];

function naive(holds: (mail: Mail, index: number) => boolean): number[] {
  return mails.flatMap((mail, index) => (holds(mail, index) ? [index + 1] : []));
}

function answerOf(ids: readonly number[]): string {
  return ["* SEARCH", ...ids].join(" ");
}

test("every search key finds what the naive evaluator finds", async () => {
  await using on = stage(seeds);
  const client = await on.selected();
  for (const [wire, holds] of keys)
    assert.deepEqual(await client.told(`SEARCH ${wire}`), [answerOf(naive(holds))], wire);
  assert.deepEqual(await client.told("SEARCH CHARSET UTF-8 SUBJECT {7+}\r\ngrüße"), [
    answerOf(naive(({ subject }) => subject.startsWith("Grüße"))),
  ]);
});

test("keys joined by AND, OR and NOT", async () => {
  await using on = stage(seeds);
  const client = await on.selected();
  const leaf = fc.constantFrom(...keys);
  type Key = (typeof keys)[number];
  const { key } = fc.letrec<{ key: Key }>((tie) => ({
    key: fc.oneof(
      { maxDepth: 4 },
      leaf,
      tie("key").map(([wire, holds]): Key => [`NOT ${wire}`, (...of) => !holds(...of)]),
      fc
        .tuple(tie("key"), tie("key"))
        .map(([a, b]): Key => [`OR ${a[0]} ${b[0]}`, (...of) => a[1](...of) || b[1](...of)]),
      fc
        .tuple(tie("key"), tie("key"))
        .map(([a, b]): Key => [`(${a[0]} ${b[0]})`, (...of) => a[1](...of) && b[1](...of)]),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(key, async ([wire, holds]) => {
      assert.deepEqual(await client.told(`SEARCH ${wire}`), [answerOf(naive(holds))], wire);
    }),
    { numRuns: 60 },
  );
});

test("RETURN: ESEARCH with MIN, MAX, COUNT, ALL, PARTIAL", async () => {
  await using on = stage(seeds);
  const client = await on.selected();
  const cases: [returns: string, key: string, want: string][] = [
    ["()", "3:7", " ALL 3:7"],
    ["(MIN MAX)", "3:7", " MIN 3 MAX 7"],
    ["(COUNT)", "3:7", " COUNT 5"],
    ["(COUNT ALL)", "DRAFT", " COUNT 0"],
    ["(MIN)", "DRAFT", ""],
    ["(ALL)", "1,3,5:8", " ALL 1,3,5:8"],
    ["(PARTIAL 2:3)", "1,3,5:8", " PARTIAL (2:3 3,5)"],
    ["(PARTIAL -1:-2)", "1,3,5:8", " PARTIAL (-1:-2 7:8)"],
    ["(PARTIAL 100:200 COUNT)", "1,3", " COUNT 2 PARTIAL (100:200 NIL)"],
  ];
  for (const [returns, key, want] of cases) {
    const [line = ""] = await client.told(`SEARCH RETURN ${returns} ${key}`);
    assert.equal(line.replace(/^\* ESEARCH \(TAG "t\d+"\)/, ""), want, returns);
  }
  const [uid = ""] = await client.told("UID SEARCH RETURN (COUNT) 1:3");
  assert.match(uid, /^\* ESEARCH \(TAG "t\d+"\) UID COUNT 3$/);
  assert.match(await client.refused("SEARCH RETURN (PARTIAL 1:2 ALL) ALL"), /^BAD/);
  assert.match(await client.refused("SEARCH RETURN (UPDATE) ALL"), /^BAD/);
  assert.match(await client.refused("SEARCH CHARSET KLINGON ALL"), /^NO \[BADCHARSET \(UTF-8 US-ASCII\)\]/);
});

test("RETURN (SAVE) and $ (RFC 5182)", async () => {
  await using on = stage(seeds);
  const client = await on.selected();
  assert.deepEqual(await client.told("SEARCH RETURN (SAVE) 3:7"), []);
  assert.deepEqual(await client.told("FETCH $ (UID)").then((lines) => lines.length), 5);
  assert.deepEqual(await client.told("SEARCH $ SMALLER 1"), ["* SEARCH"]);
  assert.match((await client.told("SEARCH RETURN (SAVE COUNT) $"))[0] ?? "", /COUNT 5$/);
  assert.match((await client.told("UID SEARCH RETURN (SAVE MIN) 3:7"))[0] ?? "", /MIN 3$/);
  assert.deepEqual(await client.told("UID SEARCH UID $"), ["* SEARCH 3"]);
  await client.ok("STORE $ +FLAGS.SILENT (\\Deleted)");
  await client.ok("UID EXPUNGE $");
  assert.deepEqual(await client.told("FETCH $ (UID)"), []);
  await client.ok("SEARCH RETURN (SAVE) 1:2");
  await client.refused("SEARCH RETURN (SAVE) CHARSET KLINGON ALL");
  assert.deepEqual(await client.told("FETCH $ (UID)"), []);
});

test("SORT by every criterion, and ESORT", async () => {
  const sorting: SeedMessage[] = [
    ["b", "zoe@x.test", "Re: beta", "3 Feb 1994 00:00:00 +0000", 300],
    ["a", "adam@x.test", "alpha", "1 Feb 1994 00:00:00 +0000", 100],
    ["c", "mia@x.test", "[list] Beta", "2 Feb 1994 00:00:00 +0000", 200],
  ].map(([name, from, subject, date, size], index) => ({
    content: `From: "${name}" <${from}>\r\nTo: ${from}\r\nCc: ${from}\r\nSubject: ${subject}\r\nDate: ${date}\r\n\r\n${"x".repeat(Number(size))}`,
    internalDate: new Date(Date.UTC(2020, 0, 9 - index)),
  }));
  await using on = stage(sorting);
  const client = await on.selected();
  const cases: [criteria: string, want: string][] = [
    ["ARRIVAL", "3 2 1"],
    ["DATE", "2 3 1"],
    ["REVERSE DATE", "1 3 2"],
    ["SIZE", "2 3 1"],
    ["FROM", "2 3 1"],
    ["TO", "2 3 1"],
    ["CC", "2 3 1"],
    ["SUBJECT", "2 1 3"],
    ["SUBJECT REVERSE ARRIVAL", "2 1 3"],
    ["SUBJECT ARRIVAL", "2 3 1"],
    ["DISPLAYFROM", "2 1 3"],
    ["DISPLAYTO", "2 3 1"],
  ];
  for (const [criteria, want] of cases)
    assert.deepEqual(await client.told(`SORT (${criteria}) UTF-8 ALL`), [`* SORT ${want}`], criteria);
  const [line = ""] = await client.told("UID SORT RETURN (ALL MIN MAX COUNT) (SIZE) UTF-8 ALL");
  assert.match(line, /^\* ESEARCH \(TAG "t\d+"\) UID MIN 2 MAX 1 COUNT 3 ALL 2:3,1$/);
});

test("base subjects (RFC 5256 section 2.1)", () => {
  const cases: [string, string, boolean][] = [
    ["hello", "HELLO", false],
    ["Re: hello", "HELLO", true],
    ["re[2]: Fwd: FW: hello (fwd)  (fwd)", "HELLO", true],
    ["[list] Re: [list] hello", "HELLO", true],
    ["[Fwd: Re: hello]", "HELLO", true],
    ["[only]", "[ONLY]", false],
    ["Re:", "", true],
    ["=?utf-8?Q?Re:_h=C3=A9llo?=", "HÉLLO", true],
    ["", "", false],
  ];
  for (const [subject, text, isReply] of cases)
    assert.deepEqual(baseSubject(subject), { text, isReply }, subject);
});

test("THREAD: by subject and by references (RFC 5256 section 3)", async () => {
  const mail = (id: string, subject: string, references: string, day: number): SeedMessage => ({
    content: `From: a@x.test\r\nSubject: ${subject}\r\nMessage-ID: <${id}@x>\r\nDate: ${day} Feb 1994 00:00:00 +0000\r\n${references}\r\nx\r\n`,
  });
  await using on = stage([
    mail("a", "one", "", 1),
    mail("b", "Re: one", "References: <a@x>\r\n", 2),
    mail("c", "Re: one", "References: <a@x> <b@x>\r\n", 3),
    mail("d", "Re: one", "In-Reply-To: <a@x>\r\n", 4),
    mail("e", "two", "References: <missing@x>\r\n", 5),
    mail("f", "three", "References: <missing@x>\r\n", 6),
    mail("g", "Re: two hundred", "", 7),
    mail("h", "two hundred", "", 8),
    mail("i", "loop", "References: <j@x>\r\n", 9),
    mail("j", "loop", "References: <i@x>\r\n", 10),
  ]);
  const client = await on.selected();
  assert.deepEqual(await client.told("THREAD REFERENCES UTF-8 ALL"), [
    "* THREAD (1 (2 3)(4))((5)(6))(8 7)(10 9)",
  ]);
  assert.deepEqual(await client.told("UID THREAD ORDEREDSUBJECT UTF-8 1:4"), ["* THREAD (1 (2)(3)(4))"]);
  assert.match(await client.refused("THREAD MAGIC UTF-8 ALL"), /^BAD/);
});

test("under IMAP4rev2 SEARCH is answered by ESEARCH, and nothing is recent", async () => {
  await using on = stage(seeds.slice(0, 3));
  const client = await on.client();
  await client.ok("ENABLE IMAP4rev2");
  const select = await client.ok("SELECT INBOX");
  assert.ok(select.includes('* LIST () "/" INBOX'));
  assert.ok(!select.some((line) => /RECENT|UNSEEN/.test(line)));
  assert.match((await client.told("SEARCH 2:3"))[0] ?? "", /^\* ESEARCH \(TAG "t\d+"\) ALL 2:3$/);
  assert.match(await client.refused("SEARCH NEW"), /^BAD/);
  assert.match(await client.refused('LSUB "" *'), /^BAD unknown command/);
  assert.match(await client.refused("STATUS INBOX (RECENT)"), /^BAD/);
  assert.match(await client.refused("CHECK"), /^BAD unknown command/);
  await client.ok("SEARCH CHARSET UTF-8 ALL");
  await client.ok("ENABLE UTF8=ACCEPT");
  assert.match(await client.refused("SEARCH CHARSET UTF-8 ALL"), /^BAD/);
});
