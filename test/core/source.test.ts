import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { LocalProtocolError } from "../../src/core/errors.js";
import { chunksOf, type Source, sizeOf } from "../../src/core/source.js";
import { collect } from "../../src/testing/index.js";

async function* generated(): AsyncGenerator<Uint8Array | string> {
  yield "gr";
  yield Buffer.from("üße");
}

const sources: readonly [kind: string, make: () => Source, size: number | undefined][] = [
  ["string", () => "grüße", 7],
  ["Uint8Array", () => new Uint8Array(Buffer.from("grüße")), 7],
  ["Buffer", () => Buffer.from("grüße"), 7],
  ["array", () => ["gr", Buffer.from("üße")], undefined],
  ["async generator", generated, undefined],
  ["Readable", () => Readable.from([Buffer.from("gr"), Buffer.from("üße")]), undefined],
  [
    "ReadableStream",
    () => Readable.toWeb(Readable.from([Buffer.from("grüße")])) as ReadableStream<Uint8Array>,
    undefined,
  ],
];
for (const [kind, make, size] of sources) {
  test(`a source may be: ${kind}`, async () => {
    assert.equal(Buffer.concat(await collect(chunksOf(make()))).toString(), "grüße");
    assert.equal(sizeOf(make()), size);
  });
}

for (const wrong of [undefined, null, 7, {}, [7], [new ArrayBuffer(2)], [null]]) {
  test(`a source is not: ${JSON.stringify(wrong)}`, async () => {
    await assert.rejects(async () => collect(chunksOf(wrong as never)), LocalProtocolError);
  });
}
