/** Signals and deadlines in every state: a call rejects at once, and no connection stays half alive. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { DeadlineError } from "../../src/core/errors.js";
import { Pop3Client } from "../../src/pop3/client.js";
import { alice, over, scripted, until } from "./support.js";

const capa = "+OK\r\nSTLS\r\nSASL PLAIN\r\nPIPELINING\r\n.\r\n";

/** What is under way when the server falls silent, with what it has said until then. */
const states: readonly [
  name: string,
  answers: readonly string[],
  call: (client: Pop3Client, options: { signal?: AbortSignal; timeoutMs?: number }) => Promise<unknown>,
][] = [
  ["USER", [], (client, options) => client.user("alice", options)],
  ["PASS", [], (client, options) => client.pass("tiger", options)],
  ["login: CAPA", [], (client, options) => client.login("alice", "tiger", options)],
  ["login: the answer", [capa], (client, options) => client.login("alice", "tiger", options)],
  ["STLS", [], (client, options) => client.stls({}, options)],
  ["STLS: the handshake", ["+OK\r\n"], (client, options) => client.stls({}, options)],
  ["STAT", [], (client, options) => client.stat(options)],
  ["LIST: the list", ["+OK\r\n1 1\r\n"], (client, options) => client.list(undefined, options)],
  ["UIDL", [], (client, options) => client.uidl(1, options)],
  ["RETR", [], (client, options) => client.retr(1, options)],
  ["RETR: the message", ["+OK\r\nhalf"], async (client, options) => (await client.retr(1, options)).bytes()],
  ["TOP", [], (client, options) => client.top(1, 1, options)],
  [
    "retrMany: the second message",
    [capa, "+OK\r\nx\r\n.\r\n"],
    async (client, options) => {
      for await (const { body } of client.retrMany([1, 2], options)) await body.bytes();
    },
  ],
  ["DELE", [], (client, options) => client.dele(1, options)],
  ["deleMany", [capa], (client, options) => client.deleMany([1, 2], options)],
  ["RSET", [], (client, options) => client.rset(options)],
  ["NOOP", [], (client, options) => client.noop(options)],
  ["CAPA", [], (client, options) => client.capa(options)],
  ["UTF8", [], (client, options) => client.utf8(options)],
  ["LANG", [], (client, options) => client.lang(undefined, options)],
  ["QUIT", [], (client, options) => client.quit(options)],
];

for (const [name, answers, call] of states) {
  test(`abort and deadline: ${name}`, async () => {
    const first = await silent(answers);
    const controller = new AbortController();
    const reason = new Error("enough");
    const aborted = call(first.client, { signal: controller.signal }).catch((error: unknown) => error);
    await first.reached;
    const startedMs = performance.now();
    controller.abort(reason);
    assert.equal(await aborted, reason);
    assert.ok(performance.now() - startedMs < 500);
    await first.ended;
    assert.ok(first.client.closed);
    const second = await silent(answers);
    await assert.rejects(call(second.client, { timeoutMs: 20 }), DeadlineError);
    await second.ended;
    assert.ok(second.client.closed);
  });
}

/** A client of a server that says what it is told and then nothing. `reached`: it has read the last command. */
async function silent(
  answers: readonly string[],
): Promise<{ client: Pop3Client; reached: Promise<void>; ended: Promise<void> }> {
  const { near, far, lines } = scripted(answers);
  const client = await over(near, { allowClearText: true });
  const reached = until(() => lines.length > answers.length || (lines.length > 0 && answers.length > 0));
  const ended = until(() => far.read === undefined || client.closed);
  return { client, reached, ended };
}

test("aborted before it began: the connection stays as it was", async () => {
  const { near, lines } = scripted(["+OK\r\n"]);
  const client = await over(near);
  const signal = AbortSignal.abort(new Error("no"));
  await assert.rejects(client.stat({ signal }), /no/);
  await assert.rejects(client.retr(1, { signal }), /no/);
  await assert.rejects(async () => {
    for await (const _ of client.retrMany([1], { signal }));
  }, /no/);
  assert.deepEqual(lines, []);
  await client.noop();
  await client.close();
});

for (const tls of ["implicit", "starttls", "none"] as const) {
  test(`connecting, ${tls}: abort and deadline close the socket`, async () => {
    const sockets: Socket[] = [];
    const closed: Promise<void>[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      closed.push(new Promise((resolve) => socket.on("close", () => resolve()).on("error", () => {})));
      socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const options = { host: "127.0.0.1", port, tls, auth: alice, proxy: false } as const;
    const controller = new AbortController();
    const connecting = Pop3Client.connect({ ...options, signal: controller.signal }).catch(
      (error: unknown) => error,
    );
    await until(() => sockets.length === 1);
    const reason = new Error("enough");
    controller.abort(reason);
    assert.equal(await connecting, reason);
    await closed[0];
    await assert.rejects(Pop3Client.connect({ ...options, connectMs: 50, replyMs: 50 }), DeadlineError);
    await closed[1];
    await new Promise((resolve) => server.close(resolve));
  });
}
