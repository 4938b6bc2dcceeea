/** COMPRESS=DEFLATE, RFC 4978: both ways, flushed for each command, and no bomb. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync } from "node:zlib";
import { LimitError, RemoteProtocolError } from "../../src/core/errors.js";
import type { Transport } from "../../src/transport/types.js";
import { type Scripted, talk, watched } from "./client-support.js";

/** The server's half, by zlib's streams: commands come out as lines, answers go in. */
function compressing(transport: Transport): {
  line(): Promise<string>;
  send(text: string | Uint8Array): Promise<void>;
} {
  const inflate = createInflateRaw();
  const deflate = createDeflateRaw();
  let text = "";
  let wake: (() => void) | undefined;
  inflate.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    wake?.();
  });
  deflate.on("data", (chunk: Uint8Array) => void transport.write(chunk).catch(() => {}));
  void (async () => {
    for (let chunk = await transport.read(); chunk !== undefined; chunk = await transport.read())
      inflate.write(chunk);
  })().catch(() => {});
  return {
    line: async () => {
      for (;;) {
        const at = text.indexOf("\r\n");
        if (at >= 0) {
          const line = text.slice(0, at);
          text = text.slice(at + 2);
          return line;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    send: (data) =>
      new Promise((resolve) => {
        deflate.write(data);
        deflate.flush(constants.Z_SYNC_FLUSH, () => resolve());
      }),
  };
}

async function agreed(server: Scripted, after: Uint8Array = new Uint8Array(0)): Promise<void> {
  const { tag, text } = await server.command();
  assert.equal(text, "COMPRESS DEFLATE");
  await server.send(Buffer.concat([Buffer.from(`${tag} OK go\r\n`), after]));
}

const capabilities = "IMAP4rev1 LITERAL+ COMPRESS=DEFLATE";

for (const fragmentBytes of [1, 7, 65_536]) {
  test(`commands and answers are compressed, in fragments of ${fragmentBytes}`, async () => {
    const { client, server } = await talk({ capabilities, fragmentBytes });
    await watched(Promise.all([client.compress(), agreed(server)]));
    const peer = compressing(server.stream.transport);
    for (let round = 1; round <= 3; round += 1) {
      const status = client.status("a", ["MESSAGES"]);
      const line = await watched(peer.line());
      assert.match(line, /STATUS a \(MESSAGES\)$/);
      await peer.send(`* STATUS a (MESSAGES ${round})\r\n`);
      await peer.send(`${line.split(" ")[0]} OK ok\r\n`);
      assert.equal((await watched(status)).messages, round);
    }
    await client.close();
  });
}

test("large answers come through whole", async () => {
  const { client, server } = await talk({ capabilities });
  await watched(Promise.all([client.compress(), agreed(server)]));
  const peer = compressing(server.stream.transport);
  const selecting = client.select("a");
  const [tag] = (await peer.line()).split(" ");
  await peer.send(`* 1 EXISTS\r\n${tag} OK ok\r\n`);
  const box = await watched(selecting);
  const fetching = box.fetch(1, ["BODY.PEEK[]"], { as: "stream" });
  const [next] = (await peer.line()).split(" ");
  const body = Array.from({ length: 3_000_000 }, (_, at) =>
    String.fromCharCode(97 + (((at * 7919) % 1009) % 26)),
  ).join("");
  void peer.send(`* 1 FETCH (UID 1 BODY[] {${body.length}}\r\n${body})\r\n${next} OK ok\r\n`);
  const read = async (): Promise<string> => {
    for await (const { sections } of fetching) return await sections["BODY.PEEK[]"].text();
    return "";
  };
  assert.equal(await watched(read()), body);
  await client.close();
});

test("what follows the server's OK in the same chunk is compressed already", async () => {
  const { client, server } = await talk({ capabilities });
  const told = deflateRawSync("* CAPABILITY IMAP4rev1 NEWS\r\n", { finishFlush: constants.Z_SYNC_FLUSH });
  await watched(Promise.all([client.compress(), agreed(server, told)]));
  const noop = client.noop();
  const peer = compressing(server.stream.transport);
  const [tag] = (await watched(peer.line())).split(" ");
  // The peer's stream goes on behind what was sent before: that had its own, so this one is stored as a second part.
  await server.send(deflateRawSync(`${tag} OK ok\r\n`, { finishFlush: constants.Z_SYNC_FLUSH }));
  await watched(noop);
  assert.ok(client.has("NEWS"));
  await client.close();
});

test("a bomb ends in a LimitError before it is inflated", async () => {
  const { client, server } = await talk({ capabilities });
  const bomb = deflateRawSync(Buffer.alloc(150_000_000, `* OK ${"x".repeat(3_000)}\r\n`), {
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  const before = process.memoryUsage().arrayBuffers;
  await Promise.all([client.compress(), agreed(server, bomb)]);
  const error = await watched(client.closed);
  assert.ok(error instanceof LimitError && /compressed byte/.test(error.limit), String(error));
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 1_048_576);
});

test("what is no DEFLATE is a breach of the protocol", async () => {
  const { client, server } = await talk({ capabilities });
  await Promise.all([client.compress(), agreed(server, Buffer.from("* OK this is plain text\r\n"))]);
  assert.ok((await watched(client.closed)) instanceof RemoteProtocolError);
});
