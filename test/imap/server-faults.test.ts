/** What the server does wrong when it is told to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCertificates } from "../certificates.js";
import { message, stage } from "./server-support.js";

test("any reply, once, with the command's tag", async () => {
  await using on = stage([message("one")], {
    faults: [{ on: "FETCH", reply: ["* 1 EXISTS", "{tag} NO [INUSE] later"], times: 1 }],
  });
  const client = await on.selected();
  assert.deepEqual(await client.send("FETCH 1 FLAGS"), ["* 1 EXISTS", "NO [INUSE] later"]);
  await client.ok("FETCH 1 FLAGS");
});

test("the greeting", async () => {
  await using on = stage([], { faults: [{ on: "connect", reply: "* BYE go away" }] });
  assert.equal(await on.connect().line(), "* BYE go away");
});

test("a wrong tag", async () => {
  await using on = stage([], { faults: [{ on: "NOOP", reply: "wrong OK done", times: 1 }] });
  const client = await on.client();
  await client.write("a NOOP\r\n");
  assert.equal(await client.line(), "wrong OK done");
});

test("a delay, by a pattern over the line", async () => {
  await using on = stage([], { faults: [{ on: /^\S+ STATUS INBOX/i, delayMs: 50 }] });
  const client = await on.client();
  const startedMs = performance.now();
  await client.ok("STATUS INBOX (MESSAGES)");
  assert.ok(performance.now() - startedMs >= 45);
});

test("a reply in two pieces", async () => {
  await using on = stage([], { faults: [{ on: "NOOP", splitBytes: 3 }] });
  const client = await on.client();
  assert.deepEqual(await client.told("NOOP"), []);
});

test("the connection dropped, at once or after some bytes of the reply", async () => {
  await using on = stage([], {
    faults: [
      { on: "NOOP", drop: true },
      { on: "CHECK", drop: true, splitBytes: 4 },
    ],
  });
  const client = await on.client();
  await client.write("a NOOP\r\n");
  assert.equal(await client.ended(), true);
  const other = await on.selected();
  await other.write("abc CHECK\r\n");
  const got = await other.stream.receive((queue) => (queue.ended ? queue.take(queue.length) : undefined), {
    timeoutMs: 5000,
  });
  assert.equal(Buffer.from(got).toString(), "abc ");
  assert.deepEqual(on.errors, []);
});

test("a TLS handshake that fails", async () => {
  const { cert, key, ca } = await makeCertificates();
  await using on = stage([], {
    tls: { cert, key },
    faults: [{ on: "STARTTLS", tlsFailure: true, times: 1 }],
  });
  const client = on.connect();
  await client.line();
  await client.ok("STARTTLS");
  await assert.rejects(client.stream.startTls({ role: "client", options: { ca } }));
  const again = on.connect();
  await again.line();
  await again.ok("STARTTLS");
  await again.stream.startTls({ role: "client", options: { ca } });
  await again.ok("NOOP");
});

test("a flood", async () => {
  const flood = Array.from({ length: 20_000 }, () => "* 1 EXISTS");
  await using on = stage([], { faults: [{ on: "NOOP", reply: [...flood, "{tag} OK done"] }] });
  const client = await on.client();
  assert.equal((await client.told("NOOP")).length, 20_000);
});

test("chances repeat with their seed", async () => {
  const outcomes: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    await using on = stage([], { faults: [{ on: "NOOP", reply: "{tag} NO", chance: 0.5 }], faultSeed: 7 });
    const client = await on.client();
    const answers: string[] = [];
    for (let at = 0; at < 20; at += 1) answers.push(((await client.send("NOOP")).at(-1) ?? "").slice(0, 2));
    outcomes.push(answers.join(" "));
  }
  assert.equal(outcomes[0], outcomes[1]);
  assert.match(outcomes[0] ?? "", /OK/);
  assert.match(outcomes[0] ?? "", /NO/);
});
