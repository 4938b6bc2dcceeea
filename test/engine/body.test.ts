import assert from "node:assert/strict";
import { test } from "node:test";
import { BusyError, LimitError } from "../../src/core/errors.js";
import { Body } from "../../src/engine/body.js";
import { collect } from "../../src/testing/index.js";
import { utf8 } from "./support.js";

function bodyOf(...pieces: (string | Error)[]): { body: Body; left: () => number; abandons: () => number } {
  let abandons = 0;
  const next = async (): Promise<Uint8Array | null> => {
    const piece = pieces.shift();
    if (piece instanceof Error) throw piece;
    return piece === undefined ? null : Buffer.from(piece);
  };
  const abandon = async (): Promise<void> => {
    abandons += 1;
    pieces.length = 0;
  };
  return { body: new Body({ next, abandon }), left: () => pieces.length, abandons: () => abandons };
}

test("a body by pieces, as bytes, as text, as a stream of Node and of the Web", async () => {
  const make = () => bodyOf("gr", "üße").body;
  assert.deepEqual((await collect(make())).map(String), ["gr", "üße"]);
  const bytes = await make().bytes();
  assert.deepEqual(bytes, utf8("grüße"));
  assert.equal(await make().text(), "grüße");
  assert.equal(Buffer.concat(await collect(make().toNode())).toString(), "grüße");
  assert.equal(Buffer.concat(await collect(make().toWeb())).toString(), "grüße");
  assert.equal(await bodyOf().body.text(), "");
  assert.deepEqual(await bodyOf().body.bytes(), new Uint8Array(0));
  assert.equal(
    await bodyOf("a").body.text({ encoding: "utf-16le" }),
    new TextDecoder("utf-16le").decode(utf8("a")),
  );
});

test("the bytes of a body of one piece are the user's own, and no Buffer", async () => {
  const bytes = await bodyOf("x").body.bytes();
  assert.equal(bytes.constructor, Uint8Array);
  assert.equal(bytes.buffer.byteLength, 1);
});

test("a body can be read once", async () => {
  const { body } = bodyOf("a", "b");
  await body.bytes();
  await assert.rejects(body.bytes(), BusyError);
  await assert.rejects(body.text(), BusyError);
  assert.throws(() => body.toNode(), BusyError);
  assert.throws(() => body.toWeb(), BusyError);
});

test("leaving the loop, throwing in it, and disposal let the rest go, once", async () => {
  const left = bodyOf("a", "b", "c");
  for await (const _ of left.body) break;
  assert.equal(left.abandons(), 1);
  const thrown = bodyOf("a", "b", "c");
  await assert.rejects(async () => {
    for await (const _ of thrown.body) throw new Error("mine");
  }, /mine/);
  assert.equal(thrown.abandons(), 1);
  const disposed = bodyOf("a", "b");
  {
    await using _body = disposed.body;
  }
  assert.equal(disposed.abandons(), 1);
  const read = bodyOf("a");
  {
    await using body = read.body;
    await body.bytes();
  }
  assert.equal(read.abandons(), 0);
});

test("a stream that is destroyed lets the rest go, whether it was read from or not", async () => {
  for (const isRead of [true, false]) {
    const { body, abandons } = bodyOf("a", "b", "c");
    const stream = body.toNode();
    if (isRead) await stream[Symbol.asyncIterator]().next();
    stream.destroy();
    await new Promise((resolve) => stream.once("close", resolve));
    assert.equal(abandons(), 1);
  }
});

test("a body that is cancelled as a Web stream lets the rest go", async () => {
  const { body, abandons } = bodyOf("a", "b", "c");
  const reader = body.toWeb().getReader();
  await reader.read();
  await reader.cancel();
  for (let turns = 0; turns < 10 && abandons() === 0; turns += 1)
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(abandons(), 1);
});

test("an error of the source comes out, nothing is abandoned, and the body is over", async () => {
  const { body, abandons } = bodyOf("a", new Error("cut"), "b");
  const iterator = body[Symbol.asyncIterator]();
  assert.equal(String((await iterator.next()).value), "a");
  await assert.rejects(iterator.next(), /cut/);
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  assert.equal(abandons(), 0);
});

test("what is held in memory has a limit, exactly", async () => {
  for (const maxBytes of [4, 5]) assert.equal(await bodyOf("ab", "cd").body.text({ maxBytes }), "abcd");
  const { body, abandons } = bodyOf("ab", "cd");
  await assert.rejects(body.text({ maxBytes: 3 }), LimitError);
  assert.equal(abandons(), 1);
});
