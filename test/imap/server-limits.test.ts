/** What a client may send at most, and how long it may take. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, stage } from "./server-support.js";

test("a line before the login has 8192 bytes at most", async () => {
  await using on = stage();
  for (const [bytes, taken] of [
    [8192, true],
    [8193, false],
  ] as const) {
    const client = on.connect();
    await client.line();
    await client.write(`${"a NOOP ".padEnd(bytes, "x")}\r\n`);
    const line = await client.line();
    assert.match(line, taken ? /^a BAD too many arguments/ : /^\* BYE a line is too long/);
    if (!taken) assert.equal(await client.ended(), true);
  }
});

test("a line without an end is cut off before it fills the memory", async () => {
  await using on = stage();
  const client = on.connect();
  await client.line();
  await client.write("x".repeat(20_000));
  assert.match(await client.line(), /^\* BYE a line is too long/);
});

test("a line after the login has as many bytes as the limit says", async () => {
  await using on = stage([message("one")], { limits: { maxLineBytes: 10_000 } });
  for (const [bytes, taken] of [
    [10_000, true],
    [10_001, false],
  ] as const) {
    const client = await on.selected();
    await client.write(`${"a SEARCH SUBJECT ".padEnd(bytes, "x")}\r\n`);
    await client.write("b NOOP\r\n");
    const lines = await client.until(/^b OK|BYE/);
    assert.match(lines.at(-1) ?? "", taken ? /^b OK/ : /BYE a line is too long/);
  }
});

test("a literal before the login has 4096 octets at most, waited for or not", async () => {
  await using on = stage();
  for (const plus of ["", "+"]) {
    const client = on.connect();
    await client.line();
    await client.write(`a LOGIN {4097${plus}}\r\n`);
    assert.equal(await client.line(), "a BAD [TOOBIG] this is too large");
    // What comes without waiting is thrown away.
    if (plus === "+") await client.write(`${"x".repeat(4097)} y\r\n`);
    await client.ok("NOOP");
    await client.write(`b LOGIN {4096${plus}}\r\n`);
    if (plus === "") assert.equal(await client.line(), "+ OK");
    await client.write(`${"x".repeat(4096)} y\r\n`);
    assert.match(await client.line(), /^b NO \[AUTHENTICATIONFAILED\]/);
  }
});

test("a message too large is refused before it is sent", async () => {
  await using on = stage([], {}, { limits: { maxMessageOctets: 1000 } });
  const client = await on.client();
  assert.match((await client.told("CAPABILITY"))[0] ?? "", / APPENDLIMIT=1000( |$)/);
  await client.write("a APPEND INBOX {1001}\r\n");
  assert.equal(await client.line(), "a NO [TOOBIG] a message has 1000 octets at most");
  await client.write("b APPEND INBOX {1000}\r\n");
  assert.equal(await client.line(), "+ OK");
  await client.write(`${"x".repeat(1000)}\r\n`);
  assert.match(await client.line(), /^b OK \[APPENDUID /);
  await client.write(`c APPEND INBOX {5000+}\r\n${"x".repeat(5000)}\r\n`);
  assert.match(await client.line(), /^c NO \[TOOBIG\]/);
  await client.ok("NOOP");
});

test("the messages of a MULTIAPPEND together are limited too", async () => {
  await using on = stage([], {}, { limits: { maxMessageOctets: 5000 } });
  const client = await on.client();
  const literal = (octets: number): string => `{${octets}+}\r\n${"x".repeat(octets)}`;
  await client.write(`a APPEND INBOX ${literal(5000)} ${literal(5000)}\r\n`);
  assert.match(await client.line(), /^a OK \[APPENDUID \d+ 1:2\]/);
  await client.write(`b APPEND INBOX ${literal(5000)} ${literal(4999)} ${literal(4097)}\r\n`);
  assert.match(await client.line(), /^b NO \[TOOBIG\] the messages together/);
  await client.ok("NOOP");
});

test("a search text has 64 KiB at most", async () => {
  await using on = stage([message("one")]);
  const client = await on.selected();
  await client.write("a SEARCH TEXT {65537}\r\n");
  assert.match(await client.line(), /^a NO \[TOOBIG\]/);
  await client.write(`b SEARCH TEXT {65536+}\r\n${"x".repeat(65_536)}\r\n`);
  assert.deepEqual(await client.answer("b"), ["* SEARCH", "OK SEARCH completed"]);
});

test("sets, lists and items are as long as the limits say", async () => {
  await using on = stage([message("one")], { limits: { maxItems: 10 } });
  const client = await on.selected();
  await client.ok(`UID FETCH ${"1,".repeat(9)}1 FLAGS`);
  assert.match(await client.refused(`UID FETCH ${"1,".repeat(10)}1 FLAGS`), /^BAD/);
  await client.ok(`LIST "" (${"a ".repeat(9)}a)`);
  assert.match(await client.refused(`LIST "" (${"a ".repeat(10)}a)`), /^BAD/);
  await using wide = stage([message("one")]);
  const other = await wide.selected();
  assert.equal((await other.told(`FETCH 1 (${"FLAGS ".repeat(99)}UID)`)).length, 1);
  assert.match(await other.refused(`FETCH 1 (${"FLAGS ".repeat(100)}UID)`), /^BAD too many items/);
});

test("keys that stand too deep are refused", async () => {
  await using on = stage([message("one")], { limits: { maxDepth: 10 } });
  const client = await on.selected();
  assert.deepEqual(await client.told(`SEARCH ${"NOT ".repeat(8)}ALL`), ["* SEARCH 1"]);
  assert.match(await client.refused(`SEARCH ${"NOT ".repeat(10)}ALL`), /^BAD/);
  assert.match(await client.refused(`SEARCH ${"(".repeat(5000)}ALL${")".repeat(5000)}`), /^BAD/);
});

test("too many wrong commands end the connection", async () => {
  await using on = stage([], { maxBadCommands: 3 });
  const client = on.connect();
  await client.line();
  await client.refused("X");
  await client.refused("Y");
  await client.refused("Z");
  assert.equal(await client.line(), "* BYE too many commands were wrong");
  assert.equal(await client.ended(), true);
});

test("who does not log in in time is let go, however busy", async () => {
  await using on = stage([], { preAuthMs: 100 });
  const client = on.connect();
  await client.line();
  await client.write("a NO");
  assert.match(await client.line(), /^\* BYE autologout/);
  assert.equal(await client.ended(), true);
});

test("who does not log in and does not read is let go as soon", async () => {
  await using on = stage([], { preAuthMs: 200 });
  const client = on.connect();
  void client.write("a CAPABILITY\r\n".repeat(20_000)).catch(() => {});
  const startedMs = performance.now();
  while (on.server.connections > 0 && performance.now() - startedMs < 5000)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(on.server.connections, 0);
});

test("autologout after a silence, in IDLE too", async () => {
  await using on = stage([], { idleMs: 100 });
  const client = await on.client();
  assert.match(await client.line(), /^\* BYE autologout/);
  const other = await on.client();
  await other.write("a IDLE\r\n");
  await other.line();
  assert.match(await other.line(), /^\* BYE autologout/);
});

test("patterns of LIST cost little", async () => {
  await using on = stage();
  await on.store.createMailbox("alice", "a".repeat(900));
  const client = await on.client();
  const startedMs = performance.now();
  await client.ok(`LIST "" ${"*a".repeat(2000)}b`);
  assert.ok(performance.now() - startedMs < 5000);
});

test("a client that does not read holds up nobody else, and costs no memory", async () => {
  const big = `Subject: big\r\n\r\n${"x".repeat(1_000_000)}\r\n`;
  await using on = stage([big]);
  const slow = await on.selected();
  for (let at = 0; at < 50; at += 1) await slow.write(`s${at} FETCH 1 BODY.PEEK[]\r\n`);
  const other = await on.selected();
  await other.ok("FETCH 1 (RFC822.SIZE)");
  const { arrayBuffers } = process.memoryUsage();
  assert.ok(arrayBuffers < 40_000_000, `${arrayBuffers} bytes are held`);
});

test("whatever comes, the server does not fall over", async () => {
  const seeds = [
    "a LOGIN alice secret\r\nb SELECT INBOX\r\n",
    "a FETCH 1:* (FLAGS BODY[1.2.HEADER.FIELDS (X)]<0.5>)\r\n",
    "a APPEND INBOX (\\Seen) {10+}\r\n0123456789\r\n",
    "a SEARCH RETURN (MIN) OR NOT 1:* (SUBJECT x)\r\n",
    "\0\x80\xff{5}\r\n",
    "a IDLE\r\nDONE\r\n",
    'a LIST (SUBSCRIBED) "" (%) RETURN (STATUS (MESSAGES))\r\n',
    "a UID STORE 1 (UNCHANGEDSINCE 1) FLAGS (x)\r\n",
    "a COMPRESS DEFLATE\r\n",
    "a THREAD REFERENCES UTF-8 ALL\r\nb SORT (SIZE) UTF-8 ALL\r\n",
  ];
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  await using on = stage([message("one")], { maxBadCommands: 1000 });
  for (let run = 0; run < 150; run += 1) {
    const client = on.connect();
    await client.line();
    if (run % 3 > 0) await client.ok("LOGIN alice secret");
    if (run % 3 > 1) await client.ok("SELECT INBOX");
    for (let part = 0; part < 5; part += 1) {
      const bytes = Buffer.from(seeds[random(seeds.length)] ?? "", "latin1");
      for (let at = random(3); at > 0; at -= 1) bytes[random(bytes.length)] = random(256);
      await client.write(bytes.subarray(0, bytes.length - random(3)));
    }
    await client.close();
  }
  assert.deepEqual(on.errors, []);
});
