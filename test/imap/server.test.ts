/** The IMAP server by hand: each command as a client sends it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, stage } from "./server-support.js";

const three = [message("one"), message("two"), message("three")];

test("greeting, login, select, fetch, logout, in fragments", async () => {
  for (const fragmentBytes of [1, 7, 65_536]) {
    await using on = stage(three);
    const client = on.connect(fragmentBytes);
    assert.match(await client.line(), /^\* OK \[CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL\+ SASL-IR ID ENABLE/);
    const login = await client.ok("LOGIN alice secret");
    assert.match(login.at(-1) ?? "", /^OK \[CAPABILITY .*IDLE.*\] welcome$/);
    const select = await client.ok("SELECT INBOX");
    for (const line of [
      "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen)",
      "* 3 EXISTS",
      "* 3 RECENT",
      "* OK [UNSEEN 1] the first unseen message",
      "* OK [UIDNEXT 4] the next UID",
    ])
      assert.ok(select.includes(line), line);
    assert.equal(select.at(-1), "OK [READ-WRITE] SELECT completed");
    assert.deepEqual(await client.told("FETCH 1:2 (UID FLAGS)"), [
      "* 1 FETCH (UID 1 FLAGS (\\Recent))",
      "* 2 FETCH (UID 2 FLAGS (\\Recent))",
    ]);
    assert.deepEqual(await client.told("FETCH 2 BODY[TEXT]"), [
      "* 2 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {8}\r\nHello.\r\n)",
    ]);
    assert.deepEqual(await client.told("LOGOUT"), ["* BYE goodbye"]);
    assert.equal(await client.ended(), true);
    assert.deepEqual(on.errors, []);
  }
});

test("ENVELOPE, BODYSTRUCTURE, sections and parts", async () => {
  const mime = [
    "From: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= <a@example.test>",
    "To: Team: b@example.test, c@example.test;",
    "Subject: parts",
    "Date: Mon, 7 Feb 1994 21:52:25 -0800",
    "Message-ID: <1@example.test>",
    'Content-Type: multipart/mixed; boundary="x"',
    "",
    "--x",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    "SGVsbG8=",
    "--x",
    "Content-Type: application/octet-stream",
    "Content-Disposition: attachment; filename=a.bin",
    "",
    "data",
    "--x--",
    "",
  ].join("\r\n");
  await using on = stage([mime]);
  const client = await on.selected();
  assert.deepEqual(await client.told("FETCH 1 ENVELOPE"), [
    '* 1 FETCH (ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "parts" (("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=" NIL "a" "example.test")) (("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=" NIL "a" "example.test")) (("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=" NIL "a" "example.test")) ((NIL NIL "Team" NIL)(NIL NIL "b" "example.test")(NIL NIL "c" "example.test")(NIL NIL NIL NIL)) NIL NIL NIL "<1@example.test>"))',
  ]);
  const [structure = ""] = await client.told("FETCH 1 BODYSTRUCTURE");
  assert.match(
    structure,
    /^\* 1 FETCH \(BODYSTRUCTURE \(\("text" "plain" \("charset" "utf-8"\) NIL NIL "base64" 8 /,
  );
  assert.match(
    structure,
    /\("attachment" \("filename" "a.bin"\)\) NIL NIL\) "mixed" \("boundary" "x"\) NIL NIL NIL\)\)$/,
  );
  const cases: [string, string][] = [
    ["BODY.PEEK[1]", "BODY[1] {8}\r\nSGVsbG8="],
    ["BODY.PEEK[1]<2.3>", "BODY[1]<2> {3}\r\nVsb"],
    ["BODY.PEEK[1]<100.3>", "BODY[1]<100> {0}\r\n"],
    ["BINARY.PEEK[1]", "BINARY[1] ~{5}\r\nHello"],
    ["BINARY.SIZE[1]", "BINARY.SIZE[1] 5"],
    ["BODY.PEEK[2]", "BODY[2] {4}\r\ndata"],
    ["BODY.PEEK[9]", "BODY[9] NIL"],
    ["BODY.PEEK[HEADER.FIELDS (Subject)]", "BODY[HEADER.FIELDS (Subject)] {18}\r\nSubject: parts\r\n\r\n"],
    ["PREVIEW", 'PREVIEW "Hello"'],
  ];
  for (const [item, want] of cases)
    assert.deepEqual(await client.told(`FETCH 1 ${item}`), [`* 1 FETCH (${want})`], item);
  assert.deepEqual(await client.told("FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS (\\Recent))"]);
  assert.deepEqual(on.errors, []);
});
