/** The PROXY header, version 1 and 2: cut everywhere, too long, and lying. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteQueue } from "../../src/core/byte-queue.js";
import { HawserError, LimitError, RemoteProtocolError } from "../../src/index.js";
import { memoryPair, readProxyHeader } from "../../src/transport/index.js";
import { type ProxyHeader, proxyHeaderDecoder } from "../../src/transport/proxy-header.js";
import { bytes, readAll } from "./support.js";

const signature = "0d0a0d0a000d0a515549540a";

/** Version 2: version and command, family and protocol, the length unless another is claimed, the rest. */
function binary(command: number, family: number, rest: string, claimedBytes = rest.length / 2): Uint8Array {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  return Buffer.from(`${signature}${hex(command, 2)}${hex(family, 2)}${hex(claimedBytes, 4)}${rest}`, "hex");
}

const at = (host: string, port: number) => ({ host, port });
const four = "c0000201c0000202dc0401bb";
const six = `20010db8${"0".repeat(23)}1${"0".repeat(31)}1dc0401bb`;
const ends4 = { source: at("192.0.2.1", 56_324), destination: at("192.0.2.2", 443) };

const good: readonly (readonly [name: string, wire: Uint8Array, want: ProxyHeader])[] = [
  ["TCP4", bytes("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), ends4],
  [
    "TCP6",
    bytes("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"),
    { source: at("2001:db8::1", 0), destination: at("::1", 65_535) },
  ],
  ["UNKNOWN", bytes("PROXY UNKNOWN\r\n"), {}],
  ["UNKNOWN with addresses", bytes("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), {}],
  ["the longest of version 1", bytes(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`), {}],
  ["v2 TCP4", binary(0x21, 0x11, four), ends4],
  ["v2 TCP6", binary(0x21, 0x21, six), { source: at("2001:db8::1", 56_324), destination: at("::1", 443) }],
  ["v2 TCP4 with a TLV", binary(0x21, 0x11, `${four}0300040a0b0c0d`), ends4],
  ["v2 LOCAL", binary(0x20, 0, ""), {}],
  ["v2 LOCAL with addresses", binary(0x20, 0x11, four), {}],
  ["v2 unspecified", binary(0x21, 0, "0102"), {}],
  ["v2 UDP4", binary(0x21, 0x12, four), {}],
  ["v2 Unix", binary(0x21, 0x31, "00".repeat(216)), {}],
];

for (const [name, wire, want] of good) {
  test(`cut at every offset, with what follows: ${name}`, () => {
    const whole = Buffer.concat([wire, bytes("\x16\x03\x01 what follows")]);
    for (let cut = 0; cut <= whole.length; cut += 1)
      assert.deepEqual(fed([whole.subarray(0, cut), whole.subarray(cut)]), [want, 16], `cut at ${cut}`);
    assert.deepEqual(fed(Array.from(whole, (byte) => Uint8Array.of(byte))), [want, 16]);
  });
}

function fed(pieces: readonly Uint8Array[]): [ProxyHeader | undefined, number] {
  const queue = new ByteQueue();
  let header: ProxyHeader | undefined;
  for (const piece of pieces) {
    queue.push(Uint8Array.from(piece));
    header ??= proxyHeaderDecoder(queue);
  }
  return [header, queue.length];
}

const bad: readonly (readonly [
  name: string,
  wire: Uint8Array,
  Class: typeof LimitError | typeof RemoteProtocolError,
])[] = [
  ["something else", bytes("G"), RemoteProtocolError],
  ["a ClientHello", bytes("\x16\x03\x01"), RemoteProtocolError],
  ["a wrong second byte", bytes("\r\r"), RemoteProtocolError],
  ["lower case", bytes("proxy"), RemoteProtocolError],
  ["no family", bytes("PROXY \r\n"), RemoteProtocolError],
  ["another family", bytes("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), RemoteProtocolError],
  ["a name for an address", bytes("PROXY TCP4 a.b 1.2.3.4 1 2\r\n"), RemoteProtocolError],
  ["IPv6 as IPv4", bytes("PROXY TCP4 ::1 ::1 1 2\r\n"), RemoteProtocolError],
  ["a port of 65536", bytes("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"), RemoteProtocolError],
  ["a port with a sign", bytes("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"), RemoteProtocolError],
  ["a port with a zero before it", bytes("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"), RemoteProtocolError],
  ["a word too many", bytes("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"), RemoteProtocolError],
  ["a word too few", bytes("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), RemoteProtocolError],
  ["two spaces", bytes("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"), RemoteProtocolError],
  ["a lone LF", bytes("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\nX\r\n"), RemoteProtocolError],
  ["one byte too long", bytes(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`), LimitError],
  ["no end", bytes(`PROXY UNKNOWN ${"x".repeat(200)}`), LimitError],
  ["v2, version 1", binary(0x11, 0x11, four), RemoteProtocolError],
  ["v2, command 2", binary(0x22, 0x11, four), RemoteProtocolError],
  ["v2, family 4", binary(0x21, 0x41, four), RemoteProtocolError],
  ["v2, protocol 3", binary(0x21, 0x13, four), RemoteProtocolError],
  ["v2, too short for its addresses", binary(0x21, 0x11, four.slice(2)), RemoteProtocolError],
  ["v2, too short for IPv6", binary(0x21, 0x21, four), RemoteProtocolError],
  ["v2, beyond the limit", binary(0x21, 0x11, four, 2049), LimitError],
  ["v2, the largest length", binary(0x21, 0x11, four, 65_535), LimitError],
];

for (const [name, wire, Class] of bad) {
  test(`refused: ${name}`, () => {
    assert.throws(() => fed([wire]), Class);
    assert.throws(() => fed(Array.from(wire, (byte) => Uint8Array.of(byte))), Class);
  });
}

test("any bytes give a header, a wish for more, or one of our errors", () => {
  const start = fc.constantFrom<Uint8Array>(new Uint8Array(0), bytes("PROXY "), binary(0x21, 0x11, ""));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 60 }), (head, rest) => {
      try {
        const [, left] = fed([Buffer.concat([head, rest])]);
        assert.ok(left <= head.length + rest.length);
      } catch (error) {
        assert.ok(error instanceof HawserError, `${error}`);
      }
    }),
  );
});

test("the connection goes on as that of the client that was named", async () => {
  const [near, far] = memoryPair({ fragmentBytes: 5 });
  await near.write(bytes("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nhello"));
  await near.end();
  const named = await readProxyHeader(far);
  assert.deepEqual(named.remote, ends4.source);
  assert.deepEqual(named.local, ends4.destination);
  assert.equal(await readAll(named), "hello");
});

test("what follows the header in one segment goes over to Node with the rest, and so does an end", async () => {
  const [near, far] = memoryPair();
  await near.write(bytes("PROXY UNKNOWN\r\nhello"));
  await near.end();
  const named = await readProxyHeader(far);
  assert.ok(named.bufferedBytes >= 5);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const stream = named.toNode();
  let text = "";
  for await (const piece of stream) text += piece;
  assert.equal(text, "hello");
});

test("a connection without a good header is closed, and what is late too", async () => {
  const [near, far] = memoryPair();
  await near.write(bytes("GET / HTTP/1.1\r\n"));
  await assert.rejects(readProxyHeader(far), RemoteProtocolError);
  assert.equal(await near.read(), undefined);
  const [one, two] = memoryPair();
  await assert.rejects(readProxyHeader(two, { timeoutMs: 20 }), { code: "HAWSER_DEADLINE" });
  assert.equal(await one.read(), undefined);
});
