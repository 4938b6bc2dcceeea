/** Client and server against each other, cut everywhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, BusyError } from "../../src/core/errors.js";
import { transcript } from "../../src/core/trace.js";
import { Pop3Error } from "../../src/pop3/errors.js";
import { alice, clientOf, messages, serverOf, storeOf } from "./support.js";

for (const fragmentBytes of [1, 7, 65_536]) {
  const name = `${fragmentBytes} bytes at a time`;
  test(`${name}: every verb`, { timeout: 60_000 }, async () => {
    const server = await serverOf({ name: "pop.test", expireDays: "never", loginDelaySeconds: 0 });
    const trace = transcript();
    const { client, served } = await clientOf(server, { trace }, { fragmentBytes });
    const octets = messages.map((message) => message.length);
    const total = octets.reduce((sum, each) => sum + each, 0);
    assert.equal(client.greeting.text, "pop.test POP3 server ready");
    assert.deepEqual(await client.stat(), { count: 4, octets: total });
    assert.deepEqual(
      await client.list(),
      octets.map((each, index) => ({ number: index + 1, octets: each })),
    );
    assert.deepEqual(await client.list(2), { number: 2, octets: octets[1] });
    const uids = await client.uidl();
    assert.equal(new Set(uids.map(({ uid }) => uid)).size, 4);
    assert.deepEqual(await client.uidl(3), uids[2]);
    for (const [index, message] of messages.entries())
      assert.equal(await (await client.retr(index + 1)).text(), message);
    assert.equal(await (await client.top(4, 0)).text(), "Subject: four\r\n\r\n");
    assert.equal(await (await client.top(4, 2)).text(), "Subject: four\r\n\r\n1\r\n2\r\n");
    assert.equal(await (await client.top(4, 99)).text(), messages[3]);
    await client.noop();
    const { pipelining, uidl, top, expireDays, lang, implementation, utf8User } = await client.capa();
    assert.deepEqual([pipelining, uidl, top, lang, utf8User], [true, true, true, true, true]);
    assert.deepEqual([expireDays, implementation], ["never", "hawser"]);
    assert.deepEqual(await client.lang(), [{ tag: "en", description: "English" }]);
    assert.equal((await client.lang("*")).text, "en English");
    await assert.rejects(client.lang("fr"), Pop3Error);
    await client.dele(1);
    await assert.rejects(client.retr(1), Pop3Error);
    assert.equal((await client.stat()).count, 3);
    await client.rset();
    assert.equal((await client.stat()).count, 4);
    const { deleted, refused } = await client.deleMany([2, 3, 9]);
    assert.deepEqual([deleted, refused.map(({ number }) => number)], [[2, 3], [9]]);
    await client.quit();
    assert.ok(client.closed);
    await served;
    const again = await clientOf(server, {}, { fragmentBytes });
    assert.equal((await again.client.stat()).count, 2);
    await again.client.quit();
    assert.doesNotMatch(String(trace), /tiger/);
  });

  test(`${name}: retrMany`, { timeout: 60_000 }, async () => {
    const short = messages.filter((message) => message.length < 1000);
    const some = fragmentBytes === 1 ? 18 : 40;
    const mail = Array.from({ length: some }, (_, index) => short[index % 3] ?? "");
    const server = await serverOf({ store: await storeOf(mail) });
    const { client } = await clientOf(server, {}, { fragmentBytes });
    const numbers = mail.map((_, index) => index + 1);
    for (const depth of [1, 3, 16]) {
      const got: string[] = [];
      for await (const { number, body } of client.retrMany(numbers, { depth })) {
        assert.equal(number, got.length + 1);
        await assert.rejects(client.noop(), BusyError);
        got.push(await body.text());
      }
      assert.deepEqual(got, mail);
    }
    await client.noop();
    await client.quit();
  });
}

test("deletes commit on QUIT alone", async () => {
  const server = await serverOf();
  const first = await clientOf(server);
  await first.client.dele(1);
  await first.client.close();
  await first.served;
  const second = await clientOf(server);
  assert.equal((await second.client.stat()).count, 4);
  {
    await using client = second.client;
    await client.dele(1);
  }
  await second.served;
  const third = await clientOf(server);
  assert.equal((await third.client.stat()).count, 3);
  assert.equal(await (await third.client.retr(1)).text(), messages[1]);
  await third.client.quit();
});

test("a mailbox has one session at a time: IN-USE, which passes", async () => {
  const server = await serverOf();
  const { client, served } = await clientOf(server);
  await assert.rejects(clientOf(server), (error: unknown) => {
    assert.ok(error instanceof Pop3Error);
    assert.deepEqual([error.responseCode, error.permanent], ["IN-USE", false]);
    return true;
  });
  await client.quit();
  await served;
  const again = await clientOf(server);
  await again.client.quit();
});

test("wrong passwords are an AuthError, and three of them the end", async () => {
  const server = await serverOf();
  const { client } = await clientOf(server, { auth: undefined });
  for (let turn = 0; turn < 3; turn += 1)
    await assert.rejects(client.login("alice", "wrong"), (error: unknown) => {
      assert.ok(error instanceof AuthError);
      assert.equal((error.reply as { responseCode?: string }).responseCode, "AUTH");
      return true;
    });
  await assert.rejects(client.login("alice", alice.password));
  assert.ok(client.closed);
});

test("retrMany: what is refused throws when read, and the others come; leaving early is no harm", async () => {
  const server = await serverOf();
  const { client } = await clientOf(server);
  await client.dele(2);
  const got: string[] = [];
  for await (const { number, body } of client.retrMany([1, 2, 3, 4]))
    got.push(await body.text().catch((error: unknown) => `${number}: ${error instanceof Pop3Error}`));
  assert.deepEqual(got, [messages[0], "2: true", messages[2], messages[3]]);
  for await (const _ of client.retrMany([1, 3, 4])) break;
  for await (const { number } of client.retrMany([1, 3, 4])) assert.ok(number > 0);
  await assert.rejects(async () => {
    for await (const { body } of client.retrMany([1, 2, 3, 4])) await body.bytes();
  }, Pop3Error);
  await client.noop();
  await client.quit();
});
