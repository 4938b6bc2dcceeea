import assert from "node:assert/strict";
import { test } from "node:test";
import { hawser, output } from "./hawser.js";

interface Document {
  readonly schemaVersion: number;
  readonly name: string;
  readonly service: string | null;
  readonly answers: { readonly type: string; readonly address: string; readonly port: number }[];
}

test("resolve prints the answers as a table", async () => {
  const stdout = await output(["resolve", "-4", "localhost", "http"]);
  assert.match(stdout, /^family +type +protocol +address +port +name$/m);
  assert.match(stdout, /^inet +stream +tcp +127\.0\.0\.1 +80 +\S+$/m);
});

test("resolve takes a protocol behind the service", async () => {
  const udp = JSON.parse(await output(["resolve", "127.0.0.1", "domain/udp", "--json"])) as Document;
  const [answer] = udp.answers;
  assert.equal(udp.answers.length, 1);
  assert.deepEqual([answer?.type, answer?.address, answer?.port], ["dgram", "127.0.0.1", 53]);
  assert.deepEqual([udp.schemaVersion, udp.name, udp.service], [1, "127.0.0.1", "domain/udp"]);
});

test("resolve says in one line that there is no such name", async () => {
  const { code, stdout, stderr } = await hawser(["resolve", "no-such-host.invalid"]);
  assert.equal(code, 6);
  assert.equal(stdout, "");
  assert.match(stderr, /^hawser: getaddrinfo 'no-such-host\.invalid'.*\(EAI_\w+\)\n$/);
});

test("resolve without a name, or with a time that is none, is a usage error", async () => {
  assert.equal((await hawser(["resolve"])).code, 2);
  for (const seconds of ["0", "-1", "soon", ""]) {
    const { code, stderr } = await hawser(["resolve", "-w", seconds, "localhost"]);
    assert.equal(code, 2);
    assert.match(stderr, /number of seconds/);
  }
  assert.equal((await hawser(["resolve", "localhost", "80/sctp"])).code, 2);
});
