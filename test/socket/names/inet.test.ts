import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalProtocolError } from "../../../src/core/errors.js";
import { AF_INET, AF_INET6, AF_UNIX } from "../../../src/socket/constants.js";
import {
  htonl,
  htons,
  inetAton,
  inetNtoa,
  inetNtop,
  inetPton,
  ntohl,
  ntohs,
} from "../../../src/socket/names/index.js";

function hex(packed: Uint8Array): string {
  return Buffer.from(packed).toString("hex");
}

function refused(action: () => unknown, message = /./): void {
  assert.throws(action, (error) => error instanceof LocalProtocolError && message.test(error.message));
}

describe("inetAton", () => {
  const good: readonly (readonly [text: string, want: string])[] = [
    ["127.0.0.1", "7f000001"],
    ["0.0.0.0", "00000000"],
    ["255.255.255.255", "ffffffff"],
    ["1.2", "01000002"],
    ["1.2.3", "01020003"],
    ["1.65535", "0100ffff"],
    ["1.16777215", "01ffffff"],
    ["1.2.65535", "0102ffff"],
    ["2130706433", "7f000001"],
    ["0", "00000000"],
    ["4294967295", "ffffffff"],
    ["0x7f.1", "7f000001"],
    ["0X7F000001", "7f000001"],
    ["0177.0.0.01", "7f000001"],
    ["127.0.0.1 and the rest", "7f000001"],
    ["127.0.0.1\n", "7f000001"],
  ];
  for (const [text, want] of good) {
    test(JSON.stringify(text), () => assert.equal(hex(inetAton(text)), want));
  }

  const bad = [
    "",
    " ",
    " 1.2.3.4",
    "1.2.3.4.5",
    "256.0.0.0",
    "1.256.0.1",
    "1.2.3.256",
    "1.2.65536",
    "1.16777216",
  ];
  bad.push(
    "4294967296",
    "1.",
    ".1",
    "1..2",
    "08",
    "0x",
    "0xg",
    "a.0.0.0",
    "1,2",
    "-1",
    "+1",
    "1e3",
    "::1",
    "1.2.3.4x",
  );
  bad.push("99999999999999999999999999", "127.0.0.1\0", "localhost", "١.2.3.4");
  for (const text of bad) {
    test(`${JSON.stringify(text)} is refused`, () =>
      refused(() => inetAton(text), /illegal IP address string/));
  }

  test("another type is refused", () => refused(() => inetAton(1 as unknown as string), /string, not 1/));
});

describe("inetPton and inetNtop", () => {
  const rows: readonly (readonly [text: string, packed: string, printed?: string])[] = [
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["1::", `0001${"0".repeat(28)}`],
    ["FE80::ABCD", `fe80${"0".repeat(24)}abcd`, "fe80::abcd"],
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "00000002000300040005000600070008", "0:2:3:4:5:6:7:8"],
    ["::ffff:1.2.3.4", "00000000000000000000ffff01020304"],
    ["::1.2.3.4", "00000000000000000000000001020304"],
    ["::1:2", "00000000000000000000000000010002", "::0.1.0.2"],
    ["1:2:3:4:5:6:1.2.3.4", "00010002000300040005000601020304", "1:2:3:4:5:6:102:304"],
    ["64:ff9b::1.2.3.4", "0064ff9b000000000000000001020304", "64:ff9b::102:304"],
    ["0:0:1::", "00000000000100000000000000000000", "0:0:1::"],
    ["1:0:0:2:0:0:0:3", "00010000000000020000000000000003", "1:0:0:2::3"],
    ["1:0:2:0:3:0:4:0", "00010000000200000003000000040000", "1:0:2:0:3:0:4:0"],
  ];
  for (const [text, packed, printed = text] of rows) {
    test(text, () => {
      assert.equal(hex(inetPton(AF_INET6, text)), packed);
      assert.equal(inetNtop(AF_INET6, Buffer.from(packed, "hex")), printed);
    });
  }

  const bad6 = [
    "",
    ":",
    ":::",
    "1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    "::1%lo",
    "::1%1",
  ];
  bad6.push(
    "12345::",
    "g::",
    "1:",
    ":1",
    "1:2:3:4:5:6:7:",
    "::1.2.3",
    "::1.2.3.4.5",
    "::01.2.3.4",
    "1.2.3.4",
    "1.2.3.4::",
    "::1 ",
  );
  bad6.push("1:2:3:4:5:6:7:1.2.3.4", "::1\0", "[::1]", "0x1::", `::${"0".repeat(60)}`);
  for (const text of bad6) {
    test(`${JSON.stringify(text)} is refused`, () =>
      refused(() => inetPton(AF_INET6, text), /illegal IP address string/));
  }

  const bad4 = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4 ",
    "0x7f.0.0.1",
    "127.1",
    "1.2.3.",
    "::1",
    "1.2.3.4\0",
  ];
  for (const text of bad4) {
    test(`${JSON.stringify(text)} is refused for AF_INET`, () =>
      refused(() => inetPton(AF_INET, text), /illegal/));
  }

  test("another family, type or length is refused", () => {
    refused(() => inetPton(AF_UNIX, "::1"), /unknown address family 1/);
    refused(() => inetNtop(99, new Uint8Array(4)), /unknown address family 99/);
    refused(() => inetNtop(AF_INET, new Uint8Array(16)), /4 bytes/);
    refused(() => inetNtop(AF_INET6, new Uint8Array(4)), /16 bytes/);
    refused(() => inetNtoa(new Uint8Array(3)), /4 bytes/);
    refused(() => inetNtoa("1234" as unknown as Uint8Array), /4 bytes/);
    refused(() => inetPton(AF_INET, 1 as unknown as string));
  });

  test("bytes → text → bytes", () => {
    for (const [family, length] of [
      [AF_INET, 4],
      [AF_INET6, 16],
    ] as const) {
      const words = fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: length, maxLength: length });
      const packed = fc.oneof(
        words.map((values) => Uint8Array.from(values)),
        fc.uint8Array({ minLength: length, maxLength: length }),
      );
      fc.assert(
        fc.property(packed, (value) =>
          assert.deepEqual(inetPton(family, inetNtop(family, value)), Uint8Array.from(value)),
        ),
      );
    }
  });

  test("inetNtoa is the way back of inetAton, whatever part of a buffer it is given", () => {
    assert.equal(inetNtoa(inetAton("10.20.30.40")), "10.20.30.40");
    assert.equal(inetNtoa(Uint8Array.of(0, 0, 255, 254, 253, 252, 0).subarray(2, 6)), "255.254.253.252");
  });
});

describe("byte order", () => {
  test("there and back", () => {
    for (const value of [0, 1, 255, 256, 0x1234, 0xffff]) assert.equal(ntohs(htons(value)), value);
    for (const value of [0, 1, 0x12345678, 0x80000000, 0xffffffff]) assert.equal(ntohl(htonl(value)), value);
  });

  test("the network's order is the big end first", () => {
    assert.deepEqual(new Uint8Array(Uint16Array.of(htons(0x1234)).buffer), Uint8Array.of(0x12, 0x34));
    assert.deepEqual(
      new Uint8Array(Uint32Array.of(htonl(0x12345678)).buffer),
      Uint8Array.of(0x12, 0x34, 0x56, 0x78),
    );
  });

  for (const [name, swap, max] of [
    ["htons", htons, 0xffff],
    ["ntohs", ntohs, 0xffff],
    ["htonl", htonl, 0xffffffff],
    ["ntohl", ntohl, 0xffffffff],
  ] as const) {
    test(`${name} refuses what does not fit`, () => {
      for (const value of [-1, max + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1", null, 1n]) {
        refused(() => swap(value as number), new RegExp(name));
      }
    });
  }
});
