import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalProtocolError } from "../../src/core/errors.js";
import {
  formatTranscript,
  memoryPair,
  type PlayOptions,
  parseTranscript,
  playClient,
  playServer,
  readToEnd,
  transcriptBytes,
} from "../../src/testing/index.js";
import type { Transport } from "../../src/transport/types.js";
import { fragments, readText, utf8 } from "../engine/support.js";

const session = "S: 220 ready\nC: NOOP\nS: 250-a\n   250 b\nC: QUIT\nS: 221 bye\n";

test("a transcript is parsed: speakers, lines that go on, comments, notes, a shared indent", () => {
  const text = "\n  # a comment\n  S: 220 ready\r\n     and more\n\n  * TLS started\n  C:\n  C: \n  C:  x \n";
  assert.deepEqual(parseTranscript(text), [
    { who: "S", text: "220 ready", line: 3 },
    { who: "S", text: "and more", line: 4 },
    { who: "*", text: "TLS started", line: 6 },
    { who: "C", text: "", line: 7 },
    { who: "C", text: "", line: 8 },
    { who: "C", text: " x ", line: 9 },
  ]);
  const lines = parseTranscript(session);
  assert.deepEqual(parseTranscript(formatTranscript(lines)), lines);
  assert.deepEqual(parseTranscript(""), []);
});

for (const text of ["hello", "   goes on with nothing", "S:220", "X: 1", "C: DATA\nC: [12 bytes]"]) {
  test(`not a transcript: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseTranscript(`C: x\n${text}`.slice(text.startsWith(" ") ? 5 : 0)),
      LocalProtocolError,
    );
  });
}

test("the bytes of a line: UTF-8, bytes by number, an open end; other backslashes are themselves", () => {
  const bytes: readonly [text: string, want: string][] = [
    ["", "\r\n"],
    ["ü\\x00\\xfF", "\xc3\xbc\0\xff\r\n"],
    ["FLAGS (\\Seen \\x)", "FLAGS (\\Seen \\x)\r\n"],
    ["open\\", "open"],
  ];
  for (const [text, want] of bytes) assert.equal(Buffer.from(transcriptBytes(text)).toString("latin1"), want);
});

/** Says what it is told to, whatever it hears, and ends. */
async function say(transport: Transport, text: string): Promise<void> {
  const heard = readToEnd(transport).catch(() => {});
  await transport.write(utf8(text));
  await transport.end();
  await heard;
  await transport.close();
}

async function server(
  text: string,
  said: string,
  options: PlayOptions = {},
  fragmentBytes = 7,
): Promise<void> {
  const [near, far] = memoryPair({ fragmentBytes });
  const client = say(near, said);
  await playServer(text, far, options).finally(() => near.close());
  await client;
}

for (const fragmentBytes of fragments) {
  test(`both sides are played (reads of ${fragmentBytes})`, async () => {
    await server(session, "NOOP\r\nQUIT\r\n", {}, fragmentBytes);
    const [near, far] = memoryPair({ fragmentBytes });
    const heard = (async () => {
      await far.write(utf8("220 ready\r\n"));
      assert.equal(await readText(far, 6), "NOOP\r\n");
      await far.write(utf8("250-a\r\n250 b\r\n"));
      assert.equal(await readText(far, 6), "QUIT\r\n");
      await far.write(utf8("221 bye\r\n"));
      await far.end();
      await readToEnd(far);
      await far.close();
    })();
    await playClient(session, near);
    await heard;
  });
}

const differences: Readonly<Record<string, [said: string, message: RegExp]>> = {
  "another line": ["NOOP\r\nNOPE\r\n", /^line 5 .*the client[\s\S]*\n {2}S: 250 b\n- C: QUIT\n\+ C: NOPE$/],
  "a lone LF": ["NOOP\n", /- C: NOOP\n\+ C: NOOP\\x0a\\$/],
  "a longer line": ["NOOP x\r\n", /\+ C: NOOP x$/],
  "a shorter line": ["NOO\r\n", /\+ C: NOO$/],
  "too little": ["NOOP\r\nQU", /- C: QUIT\n\+ C: \(the end of the connection\) after QU\\$/],
  "too much": [
    "NOOP\r\nQUIT\r\nRSET\r\n",
    /behind the last[\s\S]*- \* the end of the connection\n\+ \* RSET$/,
  ],
};
for (const [name, [said, message]] of Object.entries(differences)) {
  test(`a difference is shown: ${name}`, async () => {
    await assert.rejects(server(session, said), (error) => {
      assert.ok(error instanceof assert.AssertionError);
      assert.match(error.message, message);
      return true;
    });
  });
}

test("nothing in time is a difference too", async () => {
  const [near, far] = memoryPair();
  await assert.rejects(playServer(session, far, { timeoutMs: 10 }), /\(nothing more within 10 ms\)/);
  const [, other] = memoryPair();
  await assert.rejects(playServer("S: 221 bye\n", other, { timeoutMs: 10 }), /the end of the connection/);
  await near.close();
});

test("what may vary, what is secret, what is not text, and what has no line end", async () => {
  await server(
    "C: DATE … of …\nC: PASS [secret]\nC: {3}\\\nC: a\\x00b\nC: (.*+?)[x] \\Seen",
    ["DATE 1 of 2\r\nPASS tiger\r\n{3}a\0b\r\n(.*+?)[x] \\Seen\r\n"].join(""),
  );
  await assert.rejects(server("C: DATE … of …", "DATE 1 off 2\r\n"), /off/);
  const [near, far] = memoryPair();
  const heard = readToEnd(far).then((bytes) => Buffer.from(bytes).toString());
  const ended = far.end();
  await playClient("C: PASS [secret]\nC: [secret]", near, { secrets: ["$& tiger"] });
  assert.equal(await heard, "PASS $& tiger\r\n[secret]\r\n");
  await ended;
});

test("notes are told, in their order", async () => {
  const notes: string[] = [];
  const onNote = async (text: string) => void notes.push(text);
  await server("* one\nC: A\n* two\n", "A\r\n", { onNote });
  assert.deepEqual(notes, ["one", "two"]);
});
