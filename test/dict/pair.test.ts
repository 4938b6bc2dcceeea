/** The DICT client against the DICT server: in memory at several sizes of fragments, over TCP, with faults. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DictClient, type DictDefinition, DictError, DictServer } from "../../examples/dict/index.js";
import { BrokenError, LocalProtocolError } from "../../src/core/errors.js";
import { transcript } from "../../src/core/trace.js";
import type { Fault } from "../../src/engine/faults.js";
import { memoryPair, playServer } from "../../src/testing/index.js";
import type { Transport } from "../../src/transport/types.js";
import { testTranscripts } from "../transcripts.js";
import { handler } from "./support.js";

async function withPair(
  fragmentBytes: number,
  use: (client: DictClient) => Promise<void>,
  faults: readonly Fault[] = [],
): Promise<void> {
  const [near, far] = memoryPair({ fragmentBytes });
  const serving = new DictServer({ handler, faults }).serve(far);
  const client = await DictClient.over(near);
  await use(client);
  await client[Symbol.asyncDispose]();
  await serving;
}

for (const fragmentBytes of [1, 7, 65_536]) {
  test(`every command, in reads of ${fragmentBytes}`, () =>
    withPair(fragmentBytes, async (client) => {
      assert.deepEqual(
        (await client.databases()).map(({ name }) => name),
        ["sea", "food"],
      );
      assert.deepEqual(
        (await client.strategies()).map(({ name }) => name),
        ["prefix", "exact"],
      );
      const want: readonly DictDefinition[] = [
        { word: "rope", database: "sea", title: "Words of the sea", lines: ["A thick cord."] },
        {
          ...{ word: "rope", database: "food" },
          title: "What is eaten at sea",
          lines: [".5 kg of onions on a string."],
        },
      ];
      assert.deepEqual(await client.define("rope"), want);
      assert.deepEqual(await client.define("rope", "!"), want.slice(0, 1));
      assert.deepEqual(await client.define("nothing"), []);
      assert.deepEqual(await client.match("gr"), [{ database: "sea", word: "Grüße" }]);
      assert.deepEqual(await client.match('a "quoted" \\word', "exact"), []);
      await assert.rejects(client.define("rope", "galaxy"), {
        name: "DictError",
        permanent: true,
        usable: true,
      });
      await assert.rejects(client.match("rope", "soundex"), DictError);
      assert.equal((await client.define("ROPE", "food")).length, 1);
    }));
}

test("no argument can end the line", () =>
  withPair(65_536, async (client) => {
    for (const evil of ["a\r\nQUIT", "a\nb", "a\0"]) {
      await assert.rejects(client.define(evil), LocalProtocolError);
      await assert.rejects(client.define("rope", evil), LocalProtocolError);
      await assert.rejects(client.match("rope", evil), LocalProtocolError);
    }
    assert.equal((await client.define("rope")).length, 2);
  }));

test("faults: a refusal, a drop", async () => {
  await withPair(
    65_536,
    async (client) => {
      await assert.rejects(client.define("rope"), { permanent: true, message: /try tomorrow/ });
      assert.equal((await client.define("rope")).length, 2);
    },
    [{ on: "DEFINE", reply: "530 try tomorrow", times: 1 }],
  );
  await withPair(65_536, (client) => assert.rejects(client.define("rope"), BrokenError), [
    { on: /rope/, splitBytes: 5, drop: true },
  ]);
});

test("a handler that fails: 420, and nothing of its text", async () => {
  const [near, far] = memoryPair();
  const errors: unknown[] = [];
  const failing = { ...handler, define: () => Promise.reject(new Error("the disk is full")) };
  const serving = new DictServer({ handler: failing, onError: (error) => errors.push(error) }).serve(far);
  const client = await DictClient.over(near);
  await assert.rejects(client.define("rope"), {
    name: "DictError",
    permanent: false,
    message: /^DEFINE was refused: 420/,
  });
  await client.close();
  await serving;
  assert.match(String(errors[0]), /the disk is full/);
});

test("over TCP, with a trace", async () => {
  await using server = await DictServer.listen({ port: 0, handler });
  const trace = transcript();
  await using client = await DictClient.connect({ ...server.address, trace });
  assert.equal((await client.define("rope", "sea")).length, 1);
  assert.match(String(trace), /^S: 220 .*\nC: DEFINE sea rope\nS: 150 1 /);
});

test("the trace of a client is a transcript: it plays the same server again", async () => {
  const trace = transcript();
  const session = async (serve: (far: Transport) => Promise<void>): Promise<unknown> => {
    const [near, far] = memoryPair();
    const serving = serve(far);
    const client = await DictClient.over(near, { trace });
    const found = await client.define("rope");
    await client.quit();
    await serving;
    return found;
  };
  const found = await session((far) => new DictServer({ handler }).serve(far));
  const text = String(trace);
  assert.deepEqual(await session((far) => playServer(text, far)), found);
});

testTranscripts("dict", {
  clients: {
    definitions: async (transport) => {
      const client = await DictClient.over(transport);
      await client.databases();
      await client.define("rope");
      await client.match('r"o', "prefix", "!");
      await client.match("ro", "prefix", "sea");
      await assert.rejects(client.define("rope", "galaxy"), DictError);
      await client.quit();
    },
  },
  serve: (transport) => new DictServer({ handler }).serve(transport),
});
