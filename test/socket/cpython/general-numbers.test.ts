/** CPython's GeneralModuleTests: constants, byte orders, addresses as text and bytes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { LocalProtocolError } from "../../../src/core/errors.js";
import * as hawser from "../../../src/socket/index.js";
import {
  AF_INET,
  AF_INET6,
  htonl,
  htons,
  inetAton,
  inetNtoa,
  inetNtop,
  inetPton,
  ntohl,
  ntohs,
} from "../../../src/socket/index.js";
import { throwsWith } from "../support.js";
import { port } from "./forms.js";

const exported: Readonly<Record<string, unknown>> = hawser;
const python = JSON.parse(
  readFileSync(new URL("../../../../test/socket/fixtures/python-constants.json", import.meta.url), "utf8"),
) as Readonly<Record<string, number>>;

port("GeneralModuleTests.testCrucialConstants", () => {
  const { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOL_SOCKET, SO_REUSEADDR } = hawser;
  assert.deepEqual([AF_INET, AF_INET6], [2, 10]);
  assert.deepEqual([SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET], [1, 2, 3, 4, 5]);
  assert.deepEqual([SOL_SOCKET, SO_REUSEADDR], [1, 2]);
});

port("GeneralModuleTests.testCrucialIpProtoConstants", () => {
  assert.deepEqual([hawser.IPPROTO_TCP, hawser.IPPROTO_UDP, hawser.IPPROTO_IPV6], [6, 17, 41]);
});

for (const [method, prefix, least] of [
  ["test_addressfamily_enum", "AF_", 33],
  ["test_socketkind_enum", "SOCK_", 7],
  ["test_msgflag_enum", "MSG_", 14],
  ["test_addressinfo_enum", "AI_", 7],
] as const) {
  port(
    `GeneralModuleTests.${method}`,
    () => {
      const names = Object.keys(python).filter((name) => name.startsWith(prefix));
      assert.ok(names.length >= least, `${names.length} names`);
      for (const name of names) assert.equal(exported[name], python[name], name);
      const [first = ""] = names;
      assert.throws(() => Object.assign(hawser, { [first]: -1 }), TypeError);
      assert.equal(Reflect.deleteProperty(hawser, first), false);
    },
    { note: `plain numbers that cannot be changed: every ${prefix} name of Python is there with its value` },
  );
}

const swaps = [
  [htons, 16],
  [ntohs, 16],
  [htonl, 32],
  [ntohl, 32],
] as const;

port("GeneralModuleTests.testNtoH", () => {
  for (const [swap, size] of swaps) {
    const mask = 2 ** size - 1;
    for (const value of [0, 1, 0xffff, ~0xffff >>> 0, 2, 0x01234567, 0x76543210]) {
      const cut = size === 16 ? value & 0xffff : value;
      assert.equal(swap(swap(cut)), cut);
    }
    assert.equal(swap(mask), mask);
    throwsWith(() => swap(2 ** 34), LocalProtocolError);
  }
  const big = new DataView(Uint8Array.of(1, 2, 3, 4).buffer);
  const host = new Uint32Array(big.buffer)[0] as number;
  assert.equal(ntohl(host), 0x01020304);
  assert.equal(ntohs(new Uint16Array(big.buffer)[0] as number), 0x0102);
});

port("GeneralModuleTests.testNtoHErrors", () => {
  const shorts = [0, 1, 2, 0xffff];
  const longs = [...shorts, 0xffffffff];
  const badLongs = [-1, -2, 2 ** 32, 2 ** 1000, 0.5, Number.NaN, 1n as unknown as number];
  const badShorts = [...badLongs, -(2 ** 31) - 1, 2 ** 31, 2 ** 16, 2 ** 31 - 1];
  for (const [swap, size] of swaps) {
    for (const value of size === 16 ? shorts : longs) assert.equal(typeof swap(value), "number");
    for (const value of size === 16 ? badShorts : badLongs) throwsWith(() => swap(value), LocalProtocolError);
  }
});

function hex(packed: Uint8Array): string {
  return Array.from(packed, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const pton4 = (text: string) => inetPton(AF_INET, text);
const pton6 = (text: string) => inetPton(AF_INET6, text);

port("GeneralModuleTests.testIPv4_inet_aton_fourbytes", () => {
  assert.equal(hex(inetAton("0.0.0.0")), "00000000");
  assert.equal(hex(inetAton("255.255.255.255")), "ffffffff");
});

port("GeneralModuleTests.testIPv4toString", () => {
  for (const parse of [inetAton, pton4]) {
    assert.equal(hex(parse("0.0.0.0")), "00000000");
    assert.equal(hex(parse("255.0.255.0")), "ff00ff00");
    assert.equal(hex(parse("170.170.170.170")), "aaaaaaaa");
    assert.equal(hex(parse("1.2.3.4")), "01020304");
    assert.equal(hex(parse("255.255.255.255")), "ffffffff");
    for (const wrong of ["0.0.0.", "300.0.0.0", "a.0.0.0", "1.2.3.4.5", "::1"]) {
      throwsWith(() => parse(wrong), LocalProtocolError);
    }
  }
});

port("GeneralModuleTests.testIPv6toString", () => {
  const zeros = (count: number) => "00".repeat(count);
  for (const [text, want] of [
    ["::", zeros(16)],
    ["0::0", zeros(16)],
    ["1::", `0001${zeros(14)}`],
    ["45ef:76cb:1a:56ef:afeb:bac:1924:aeae", "45ef76cb001a56efafeb0bac1924aeae"],
    ["ad42:abc::127:0:254:2", `ad420abc${zeros(4)}0127000002540002`],
    ["12:a::", `0012000a${zeros(12)}`],
    ["::254.42.23.64", `${zeros(12)}fe2a1740`],
    ["42::a29b:254.42.23.64", `0042${zeros(8)}a29bfe2a1740`],
    ["42:a8b9:0:2:ffff:a29b:254.42.23.64", "0042a8b900000002ffffa29bfe2a1740"],
  ] as const) {
    assert.equal(hex(pton6(text)), want, text);
  }
  for (const wrong of [
    ...["0x20::", ":::", "::0::", "1::abc::", "1::abc::def", "1:2:3:4:5:6", "1:2:3:4:5:6:"],
    ...["1:2:3:4:5:6:7:8:0", "1:2:3:4:5:6:7:8:", "255.254.253.252", "1::260.2.3.0", "1::0.be.e.0"],
    ...["1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:0", "0.100.200.0:3:4:5:6:7:8"],
  ]) {
    throwsWith(() => pton6(wrong), LocalProtocolError);
  }
});

port("GeneralModuleTests.testStringToIPv4", () => {
  const ntop4 = (packed: Uint8Array) => inetNtop(AF_INET, packed);
  for (const format of [inetNtoa, ntop4]) {
    assert.equal(format(Uint8Array.of(1, 0, 1, 0)), "1.0.1.0");
    assert.equal(format(Uint8Array.of(0xaa, 0x55, 0xaa, 0x55)), "170.85.170.85");
    assert.equal(format(Uint8Array.of(255, 255, 255, 255)), "255.255.255.255");
    assert.equal(format(Uint8Array.of(1, 2, 3, 4)), "1.2.3.4");
    for (const length of [0, 3, 5, 16]) throwsWith(() => format(new Uint8Array(length)), LocalProtocolError);
    assert.equal(format(Buffer.from([0xaa, 0x55, 0xaa, 0x55])), "170.85.170.85");
  }
});

port("GeneralModuleTests.testStringToIPv6", () => {
  const ntop6 = (packed: Uint8Array) => inetNtop(AF_INET6, packed);
  const one = new Uint8Array(16);
  assert.equal(ntop6(one), "::");
  one[15] = 1;
  assert.equal(ntop6(one), "::1");
  const long = Buffer.from("0aef0b0105061001ffff999700550170", "hex");
  assert.equal(ntop6(long), "aef:b01:506:1001:ffff:9997:55:170");
  for (const length of [15, 17, 4]) {
    throwsWith(() => ntop6(new Uint8Array(length).fill(0x12)), LocalProtocolError);
  }
});
