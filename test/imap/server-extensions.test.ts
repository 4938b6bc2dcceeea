/** The extensions, one by one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DeflateTransport } from "../../src/imap/deflate.js";
import { Client, message, stage } from "./server-support.js";

test("APPEND: flags, a date, several messages, literal8, UTF-8, APPENDUID", async () => {
  await using on = stage();
  const client = await on.selected();
  const lines = await client.ok(
    'APPEND INBOX (\\Seen $Work) "17-Jul-1996 02:44:25 -0700" {5+}\r\nhello ~{5+}\r\nw\0rld',
  );
  assert.match(lines.at(-1) ?? "", /^OK \[APPENDUID \d+ 1:2\] APPEND completed$/);
  assert.ok(lines.includes("* 2 EXISTS"));
  assert.deepEqual(await client.told("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])"), [
    "* FLAGS (\\Answered \\Deleted \\Draft \\Flagged \\Seen $Work)",
    '* 1 FETCH (FLAGS (\\Seen $Work \\Recent) INTERNALDATE "17-Jul-1996 09:44:25 +0000" BODY[] {5}\r\nhello)',
  ]);
  const [nul = ""] = await client.told("FETCH 2 BINARY.PEEK[]");
  assert.equal(nul, "* 2 FETCH (BINARY[] ~{5}\r\nw\0rld)");
  await client.write("x FETCH 2 BODY.PEEK[]\r\n");
  assert.equal((await client.answer("x"))[0], "* 2 FETCH (BODY[] {5}\r\nw\ufffdrld)");
  assert.match(await client.refused("APPEND INBOX UTF8 (~{5+}\r\nhello)"), /^BAD/);
  await client.ok("ENABLE UTF8=ACCEPT");
  await client.ok("APPEND INBOX UTF8 (~{5+}\r\nhello)");
  assert.match(await client.refused("APPEND nowhere {1+}\r\nx"), /^NO \[TRYCREATE\]/);
  assert.match(await client.refused("APPEND INBOX (\\Magic) {1+}\r\nx"), /^NO \[CANNOT\]/);
  assert.match(await client.refused('APPEND INBOX CATENATE (URL "/x")'), /^BAD/);
});

test("APPEND of a large message comes back as it was, in pieces", async () => {
  await using on = stage();
  const client = await on.selected();
  const large = message("large", "0123456789abcdef\r\n".repeat(60_000));
  await client.write(`a APPEND INBOX {${large.length}}\r\n`);
  assert.equal(await client.line(), "+ OK");
  await client.write(`${large}\r\n`);
  assert.match((await client.answer("a")).at(-1) ?? "", /^OK/);
  const [got = ""] = await client.told("FETCH 1 BODY.PEEK[]");
  assert.equal(got, `* 1 FETCH (BODY[] {${large.length}}\r\n${large})`);
  const [part = ""] = await client.told("FETCH 1 BODY.PEEK[]<1000000.20>");
  assert.equal(part, `* 1 FETCH (BODY[]<1000000> {20}\r\n${large.slice(1_000_000, 1_000_020)})`);
});

test("REPLACE: the new message first, then the old one goes (RFC 8508)", async () => {
  await using on = stage([message("one"), message("two")]);
  const client = await on.selected();
  const lines = await client.ok("REPLACE 1 INBOX (\\Draft) {5+}\r\nhello");
  assert.match(lines[0] ?? "", /^\* OK \[APPENDUID \d+ 3\]/);
  assert.deepEqual(lines.slice(1), ["* 1 EXPUNGE", "* 2 EXISTS", "* 2 RECENT", "OK REPLACE completed"]);
  await client.ok("UID REPLACE 3 INBOX {5+}\r\nagain");
  assert.match(await client.refused("UID REPLACE 3 INBOX {5+}\r\nagain"), /^NO/);
  assert.match(await client.refused("REPLACE 1 nowhere {5+}\r\nhello"), /^NO \[TRYCREATE\]/);
});

test("ID, NAMESPACE, ENABLE", async () => {
  await using on = stage([], { id: { version: "1.0", vendor: null } });
  const client = await on.client();
  assert.deepEqual(await client.told('ID ("name" "x" "version" NIL)'), [
    '* ID ("name" "hawser" "version" "1.0" "vendor" NIL)',
  ]);
  assert.deepEqual(await client.told("NAMESPACE"), ['* NAMESPACE (("" "/")) NIL NIL']);
  assert.deepEqual(await client.told("ENABLE magic imap4rev2 CONDSTORE UIDONLY"), [
    "* ENABLED IMAP4rev2 CONDSTORE UIDONLY",
  ]);
});

test("QUOTA (RFC 9208)", async () => {
  await using on = stage([message("one")], { allowSetQuota: true });
  await on.store.setQuota("alice", { storageOctets: 10_240, messages: 2 });
  const client = await on.client();
  assert.match((await client.told("CAPABILITY"))[0] ?? "", / QUOTA QUOTA=RES-STORAGE .*QUOTASET/);
  assert.deepEqual(await client.told("GETQUOTAROOT INBOX"), [
    '* QUOTAROOT INBOX ""',
    '* QUOTA "" (STORAGE 1 10 MESSAGE 1 2)',
  ]);
  await client.ok("APPEND INBOX {1+}\r\nx");
  assert.match(await client.refused("APPEND INBOX {1+}\r\nx"), /^NO \[OVERQUOTA\]/);
  assert.deepEqual(await client.told('SETQUOTA "" (MESSAGE 9)'), ['* QUOTA "" (MESSAGE 2 9)']);
  assert.match(await client.refused("GETQUOTA other"), /^NO \[NONEXISTENT\]/);
});

test("METADATA (RFC 5464)", async () => {
  await using on = stage();
  const client = await on.client();
  await client.ok('SETMETADATA INBOX (/private/comment "Mine" /shared/a/b {3+}\r\nabc)');
  await client.ok('SETMETADATA "" (/private/comment "Server")');
  assert.deepEqual(await client.told("GETMETADATA INBOX /private/comment"), [
    "* METADATA INBOX (/private/comment {4}\r\nMine)",
  ]);
  assert.deepEqual(await client.told('GETMETADATA "" (/private/comment /private/none)'), [
    '* METADATA "" (/private/comment {6}\r\nServer /private/none NIL)',
  ]);
  assert.deepEqual(await client.told("GETMETADATA (DEPTH infinity) INBOX /shared"), [
    "* METADATA INBOX (/shared/a/b {3}\r\nabc)",
  ]);
  assert.match(
    (await client.send("GETMETADATA (MAXSIZE 3) INBOX (/private/comment)")).at(-1) ?? "",
    /^OK \[METADATA LONGENTRIES 4\]/,
  );
  await client.ok("SETMETADATA INBOX (/private/comment NIL)");
  assert.deepEqual(await client.told("GETMETADATA INBOX /private/comment"), [
    "* METADATA INBOX (/private/comment NIL)",
  ]);
  assert.match(await client.refused('SETMETADATA INBOX (/other/x "y")'), /^NO/);
});

test("OBJECTID, SAVEDATE, PREVIEW (RFC 8474, RFC 8514, RFC 8970)", async () => {
  await using on = stage([
    message("one", "<p>Hello   <b>there</b></p>\r\n", "Content-Type: text/html\r\nMessage-ID: <1@x>\r\n"),
  ]);
  const client = await on.selected();
  const [line = ""] = await client.told("FETCH 1 (EMAILID THREADID SAVEDATE PREVIEW (LAZY))");
  assert.match(
    line,
    /^\* 1 FETCH \(EMAILID \(M1\) THREADID \(T[\w-]+\) SAVEDATE "[^"]+" PREVIEW "Hello there"\)$/,
  );
  assert.deepEqual(await client.told("SEARCH EMAILID M1"), ["* SEARCH 1"]);
});

test("UIDONLY: no sequence numbers (RFC 9586)", async () => {
  await using on = stage([message("one"), message("two")]);
  const client = await on.selected();
  const other = await on.selected();
  await client.ok("ENABLE UIDONLY");
  for (const command of ["FETCH 1 FLAGS", "STORE 1 FLAGS ()", "COPY 1 INBOX", "SEARCH UID 1", "MOVE 1 x"])
    assert.match(await client.refused(command), /^BAD \[UIDREQUIRED\]/, command);
  assert.deepEqual(await client.told("UID FETCH 2 (FLAGS)"), ["* 2 UIDFETCH (FLAGS (\\Recent))"]);
  assert.deepEqual(await client.told("UID STORE 2 +FLAGS (\\Deleted)"), [
    "* 2 UIDFETCH (FLAGS (\\Deleted \\Recent))",
  ]);
  assert.deepEqual(await client.told("UID FETCH 1 BODY.PEEK[TEXT]"), [
    "* 1 UIDFETCH (BODY[TEXT] {8}\r\nHello.\r\n)",
  ]);
  await other.ok("EXPUNGE");
  assert.deepEqual(await client.told("NOOP"), ["* VANISHED 2"]);
});

test("UID FETCH with PARTIAL (RFC 9394)", async () => {
  await using on = stage(["a", "b", "c", "d"].map((subject) => message(subject)));
  const client = await on.selected();
  assert.deepEqual(await client.told("UID FETCH 1:* (UID) (PARTIAL -1:-2)"), [
    "* 3 FETCH (UID 3)",
    "* 4 FETCH (UID 4)",
  ]);
  assert.deepEqual(await client.told("UID FETCH 1:* (UID) (PARTIAL 2:2)"), ["* 2 FETCH (UID 2)"]);
  assert.match(await client.refused("FETCH 1:* (UID) (PARTIAL 1:2)"), /^BAD/);
});

test("COMPRESS=DEFLATE (RFC 4978)", async () => {
  for (const fragmentBytes of [1, 65_536]) {
    await using on = stage([message("one", "x".repeat(100_000))]);
    const client = await on.client("alice", fragmentBytes);
    assert.match(await client.refused("COMPRESS MAGIC"), /^BAD/);
    await client.ok("COMPRESS DEFLATE");
    const compressed = new Client(new DeflateTransport(client.stream.transport));
    assert.doesNotMatch((await compressed.told("CAPABILITY"))[0] ?? "", /COMPRESS/);
    assert.match(await compressed.refused("COMPRESS DEFLATE"), /^NO \[COMPRESSIONACTIVE\]/);
    await compressed.ok("SELECT INBOX");
    const [line = ""] = await compressed.told("FETCH 1 BODY[TEXT]");
    assert.ok(line.includes("x".repeat(100_000)));
    await compressed.ok("LOGOUT");
    assert.deepEqual(on.errors, []);
  }
});

test("a bomb that inflates beyond a line's limit ends the connection", async () => {
  await using on = stage();
  const client = await on.client();
  await client.ok("COMPRESS DEFLATE");
  const compressed = new Client(new DeflateTransport(client.stream.transport));
  await compressed.write("x".repeat(20_000_000));
  assert.match(await compressed.line(), /^\* BYE a line is too long/);
});

test("bytes that are no DEFLATE end the connection", async () => {
  await using on = stage();
  const client = await on.client();
  await client.ok("COMPRESS DEFLATE");
  await client.write(Buffer.alloc(100, 0xff));
  assert.equal(await client.ended(), true);
  assert.deepEqual(on.errors, []);
});

test("BINARY: an encoding that is not known", async () => {
  await using on = stage([
    message("one", "x\r\n", "Content-Transfer-Encoding: x-uuencode\r\n"),
    message("two", "a=3Db=\r\nc\r\n", "Content-Transfer-Encoding: quoted-printable\r\n"),
  ]);
  const client = await on.selected();
  assert.match(await client.refused("FETCH 1 BINARY[1]"), /^NO \[UNKNOWN-CTE\]/);
  assert.deepEqual(await client.told("FETCH 2 (BINARY.SIZE[1] BINARY.PEEK[1])"), [
    "* 2 FETCH (BINARY.SIZE[1] 6 BINARY[1] ~{6}\r\na=bc\r\n)",
  ]);
});
