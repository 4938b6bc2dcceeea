import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { HawserError, LocalProtocolError, NameError, SocketError } from "../../src/core/errors.js";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  AF_VSOCK,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
} from "../../src/socket/constants.js";
import { inetNtop } from "../../src/socket/names/index.js";
import { resolveAddress, resolveAddressSync } from "../../src/socket/names/resolve-address.js";
import { decodeAddress, describeAddress, encodeAddress, familyOf } from "../../src/socket/sockaddr.js";
import type {
  Address,
  AddressFor,
  AddressFrom,
  AddressLike,
  Family,
  Inet6Address,
} from "../../src/socket/types.js";
import { UNRESOLVED } from "./names/name-errors.js";

const utf8 = new TextEncoder();

function bytes(text: string): Uint8Array {
  return utf8.encode(text);
}

/** An address that the types refuse, as a JavaScript program may pass it. */
function untyped(value: unknown): AddressLike {
  return value as AddressLike;
}

function roundTrip(family: number, address: AddressLike): Address {
  const encoded = encodeAddress(family, address);
  assert.ok(encoded, "encoded without a look-up");
  assert.equal(familyOf(encoded), family);
  const room = new Uint8Array(128).fill(0xaa);
  room.set(encoded);
  return decodeAddress(room, encoded.length);
}

describe("addresses that need no look-up", () => {
  const long = "x".repeat(107);
  const rows: readonly (readonly [name: string, family: number, address: AddressLike, want: Address])[] = [
    ["a dotted quad", AF_INET, ["127.0.0.1", 80], ["127.0.0.1", 80]],
    ["'' is INADDR_ANY", AF_INET, ["", 0], ["0.0.0.0", 0]],
    ["<broadcast>", AF_INET, ["<broadcast>", 65535], ["255.255.255.255", 65535]],
    ["255.255.255.255", AF_INET, ["255.255.255.255", 1], ["255.255.255.255", 1]],
    ["an integer in host byte order", AF_INET, [0x7f000001, 80], ["127.0.0.1", 80]],
    ["the integer 0", AF_INET, [0, 80], ["0.0.0.0", 80]],
    ["the largest integer", AF_INET, [0xffffffff, 80], ["255.255.255.255", 80]],
    ["inet_aton's short form", AF_INET, ["127.1", 80], ["127.0.0.1", 80]],
    ["inet_aton's hexadecimal", AF_INET, ["0x7f.1", 80], ["127.0.0.1", 80]],
    ["inet_aton's one number", AF_INET, ["2130706433", 80], ["127.0.0.1", 80]],
    ["inet_aton's octal", AF_INET, ["010.0.0.1", 80], ["8.0.0.1", 80]],
    ["a port in digits", AF_INET, ["127.0.0.1", "8080"], ["127.0.0.1", 8080]],
    ["a port with a leading zero is decimal", AF_INET, ["127.0.0.1", "080"], ["127.0.0.1", 80]],
    ["an object", AF_INET, { host: "127.0.0.1", port: 80 }, ["127.0.0.1", 80]],
    ["IPv6", AF_INET6, ["::1", 80], ["::1", 80, 0, 0]],
    ["IPv6 in lower case", AF_INET6, ["FE80::ABCD", 80], ["fe80::abcd", 80, 0, 0]],
    ["'' is ::", AF_INET6, ["", 80], ["::", 80, 0, 0]],
    ["IPv4 mapped", AF_INET6, ["::ffff:1.2.3.4", 80], ["::ffff:1.2.3.4", 80, 0, 0]],
    ["flow information", AF_INET6, ["::1", 80, 0xfffff], ["::1", 80, 0xfffff, 0]],
    ["a scope id", AF_INET6, ["fe80::1", 80, 0, 0xffffffff], ["fe80::1", 80, 0, 0xffffffff]],
    ["a numeric zone", AF_INET6, ["fe80::1%7", 80], ["fe80::1", 80, 0, 7]],
    ["a zone and the same scope id", AF_INET6, ["fe80::1%7", 80, 0, 7], ["fe80::1", 80, 0, 7]],
    [
      "an object with all fields",
      AF_INET6,
      { host: "::1", port: 1, flowinfo: 2, scopeId: 3 },
      ["::1", 1, 2, 3],
    ],
    ["an object without the optional ones", AF_INET6, { host: "::1", port: "1" }, ["::1", 1, 0, 0]],
    ["a path", AF_UNIX, "/tmp/a.sock", "/tmp/a.sock"],
    ["a path in bytes", AF_UNIX, bytes("/tmp/a.sock"), "/tmp/a.sock"],
    ["a path beyond ASCII", AF_UNIX, "/tmp/schäkel-\u{1f6a2}", "/tmp/schäkel-\u{1f6a2}"],
    ["a path with a byte order mark", AF_UNIX, "\ufeffa", "\ufeffa"],
    ["a path that is not UTF-8", AF_UNIX, Uint8Array.of(47, 0xff, 0xfe), Uint8Array.of(47, 0xff, 0xfe)],
    ["a path of 107 bytes", AF_UNIX, long, long],
    ["no name", AF_UNIX, "", ""],
    ["no name in bytes", AF_UNIX, new Uint8Array(), ""],
    ["an abstract name", AF_UNIX, bytes("\0name"), bytes("\0name")],
    ["an abstract name as text", AF_UNIX, "\0name", bytes("\0name")],
    ["an abstract name of exact length", AF_UNIX, bytes("\0a\0b\0\0"), bytes("\0a\0b\0\0")],
    ["an abstract name of 108 bytes", AF_UNIX, bytes(`\0${long}`), bytes(`\0${long}`)],
    ["netlink", AF_NETLINK, [1234, 0xffffffff], [1234, 0xffffffff]],
    ["vsock", AF_VSOCK, [0xffffffff, 5000], [0xffffffff, 5000]],
  ];
  for (const [name, family, address, want] of rows) {
    test(name, () => assert.deepEqual(roundTrip(family, address), want));
  }

  test("the layouts are those of C", () => {
    const hex = (family: number, address: AddressLike) =>
      Buffer.from(encodeAddress(family, address) as Uint8Array).toString("hex");
    assert.equal(hex(AF_INET, ["1.2.3.4", 0x1234]), `0200123401020304${"00".repeat(8)}`);
    assert.equal(
      hex(AF_INET6, ["1::2", 0x1234, 0x56789, 0xa]),
      `0a00123400056789${"0001"}${"00".repeat(13)}02${"0a000000"}`,
    );
    assert.equal(hex(AF_UNIX, "/a"), "01002f6100");
    assert.equal(hex(AF_UNIX, "\0a"), "01000061");
    assert.equal(hex(AF_UNIX, ""), "0100");
    assert.equal(hex(AF_NETLINK, [1, 2]), "1000000001000000" + "02000000");
    assert.equal(hex(AF_VSOCK, [3, 4]), "2800000004000000" + "0300000000000000");
    assert.equal(
      hex(AF_PACKET, [5, 0x0806, 1, 2, Uint8Array.of(9, 8)]),
      "1100080605000000" + "02000102" + "0908000000000000",
    );
  });

  test("raw bytes of other families pass through as copies", () => {
    const raw = Uint8Array.of(29, 0, 1, 2, 3, 4);
    const encoded = encodeAddress(29, raw);
    assert.deepEqual(encoded, raw);
    assert.notEqual(encoded, raw);
    assert.deepEqual(decodeAddress(raw, 6), raw);
    assert.deepEqual(decodeAddress(raw, 4), raw.subarray(0, 4));
    assert.deepEqual(encodeAddress(AF_PACKET, raw), raw);
  });

  test("an address that the kernel left out or cut short is unnamed", () => {
    assert.equal(decodeAddress(new Uint8Array(128), 0), "");
    assert.equal(decodeAddress(Uint8Array.of(1, 0), 2), "");
  });

  test("a path that fills sun_path without NUL is read to its end, however long the kernel says it is", () => {
    const sockaddr = new Uint8Array(110).fill(97);
    sockaddr.set([1, 0]);
    assert.equal(decodeAddress(sockaddr, 111), "a".repeat(108));
  });

  test("different peers that share a place in the cache keep their own text", () => {
    for (const host of [
      "1.2.3.4",
      "1.2.3.4",
      "4.2.3.1",
      "0.0.0.0",
      "1.2.3.4",
      "255.255.255.255",
      "127.255.255.127",
    ]) {
      assert.deepEqual(roundTrip(AF_INET, [host, 1]), [host, 1]);
    }
  });
});

describe("addresses that are refused before any system call", () => {
  const rows: readonly (readonly [name: string, family: number, address: unknown, message: RegExp])[] = [
    ["a port of 65536", AF_INET, ["127.0.0.1", 65536], /65535.*65536/],
    ["a port of 70000 in digits", AF_INET, ["127.0.0.1", "70000"], /65535.*70000/],
    ["a negative port", AF_INET, ["127.0.0.1", -1], /-1/],
    ["a negative port in digits", AF_INET, ["127.0.0.1", "-1"], /-1/],
    ["a fraction", AF_INET, ["127.0.0.1", 80.5], /80\.5/],
    ["NaN", AF_INET, ["127.0.0.1", Number.NaN], /NaN/],
    ["no port", AF_INET, ["127.0.0.1", undefined], /undefined/],
    ["an empty port", AF_INET, ["127.0.0.1", ""], /service name, not ''/],
    ["a port with NUL", AF_INET, ["127.0.0.1", "http\0"], /service name/],
    ["a bigint port", AF_INET, ["127.0.0.1", 80n], /80n/],
    ["a string", AF_INET, "127.0.0.1:80", /\[host, port\]/],
    ["bytes", AF_INET, new Uint8Array(16), /\[host, port\]/],
    ["one element", AF_INET, ["127.0.0.1"], /\[host, port\]/],
    ["three elements", AF_INET, ["127.0.0.1", 80, 0], /\[host, port\]/],
    ["undefined", AF_INET, undefined, /undefined/],
    ["null", AF_INET, null, /null/],
    ["an object without a port", AF_INET, { host: "127.0.0.1" }, /\{ host, port \}/],
    ["an integer host that is too large", AF_INET, [2 ** 32, 80], /4294967295/],
    ["a negative integer host", AF_INET, [-1, 80], /-1/],
    ["a host with NUL", AF_INET, ["127.0.0.1\0x", 80], /NUL/],
    ["a host of null", AF_INET, [null, 80], /null/],
    ["<broadcast> for IPv6", AF_INET6, ["<broadcast>", 80], /address family mismatched/],
    ["an integer host for IPv6", AF_INET6, [1, 80], /address family mismatched/],
    ["flow information beyond 20 bits", AF_INET6, ["::1", 80, 0x100000], /1048575/],
    ["negative flow information", AF_INET6, ["::1", 80, -10], /flowinfo.*-10/],
    ["a scope id beyond 32 bits", AF_INET6, ["::1", 80, 0, 2 ** 32], /scope id/],
    ["a zone beyond 32 bits", AF_INET6, ["fe80::1%4294967296", 80], /scope id/],
    ["a zone and another scope id", AF_INET6, ["fe80::1%7", 80, 0, 8], /two interfaces/],
    ["five elements", AF_INET6, ["::1", 80, 0, 0, 0], /scopeId/],
    ["a string for IPv6", AF_INET6, "::1", /AF_INET6/],
    ["a path of 108 bytes", AF_UNIX, "x".repeat(108), /AF_UNIX path too long/],
    ["a path of 108 bytes in UTF-8", AF_UNIX, "é".repeat(54), /AF_UNIX path too long/],
    ["an abstract name of 109 bytes", AF_UNIX, `\0${"x".repeat(108)}`, /AF_UNIX path too long/],
    ["NUL inside a path", AF_UNIX, "/tmp/a\0b", /NUL/],
    ["NUL at the end of a path", AF_UNIX, bytes("/tmp/a\0"), /NUL/],
    ["a lone surrogate", AF_UNIX, "/tmp/\ud800", /surrogate/],
    ["a tuple for a path", AF_UNIX, ["/tmp/a", 80], /path \(string or bytes\)/],
    ["a number for a path", AF_UNIX, 7, /path/],
    ["netlink with one number", AF_NETLINK, [1], /\[pid, groups\]/],
    ["netlink with text", AF_NETLINK, ["1", 2], /\[pid, groups\]/],
    ["vsock with a fraction", AF_VSOCK, [1, 2.5], /\[cid, port\]/],
    ["packet with one element", AF_PACKET, ["lo"], /AF_PACKET/],
    ["packet with a name and a bad protocol", AF_PACKET, ["lo", 70000], /ethernet protocol/],
    ["packet with a long hardware address", AF_PACKET, [1, 2, 3, 4, new Uint8Array(9)], /hardware address/],
    ["a tuple for a family without a form", 29, [1, 2], /struct sockaddr/],
    ["one byte", 29, Uint8Array.of(1), /struct sockaddr/],
    ["129 bytes", 29, new Uint8Array(129), /struct sockaddr/],
  ];
  for (const [name, family, address, message] of rows) {
    test(name, () => {
      assert.throws(
        () => encodeAddress(family, untyped(address)),
        (error) => error instanceof LocalProtocolError && message.test(error.message),
      );
      assert.throws(() => resolveAddress(family, SOCK_STREAM, untyped(address)), LocalProtocolError);
      assert.throws(() => resolveAddressSync(family, SOCK_STREAM, untyped(address)), LocalProtocolError);
    });
  }
});

describe("addresses that need a look-up", () => {
  const rows: readonly (readonly [
    name: string,
    family: number,
    type: number,
    address: AddressLike,
    want: Address,
  ])[] = [
    ["a host name", AF_INET, SOCK_STREAM, ["localhost", 80], ["127.0.0.1", 80]],
    ["a service name", AF_INET, SOCK_STREAM, ["127.0.0.1", "http"], ["127.0.0.1", 80]],
    ["both", AF_INET, SOCK_STREAM, { host: "localhost", port: "https" }, ["127.0.0.1", 443]],
    ["a service of udp", AF_INET, SOCK_DGRAM, ["127.0.0.1", "tftp"], ["127.0.0.1", 69]],
    ["a service whatever the protocol", AF_INET, SOCK_RAW, ["127.0.0.1", "tftp"], ["127.0.0.1", 69]],
    ["a service for IPv6", AF_INET6, SOCK_STREAM, ["::1", "smtp"], ["::1", 25, 0, 0]],
    ["a zone by name", AF_INET6, SOCK_STREAM, ["fe80::1%lo", 80], ["fe80::1", 80, 0, 1]],
    ["a zone by name on any address", AF_INET6, SOCK_STREAM, ["::1%lo", 80, 5], ["::1", 80, 5, 1]],
  ];
  for (const [name, family, type, address, want] of rows) {
    test(name, async () => {
      assert.equal(encodeAddress(family, address), undefined);
      const encoded = await resolveAddress(family, type, address);
      assert.deepEqual(decodeAddress(encoded, encoded.length), want);
      assert.deepEqual(resolveAddressSync(family, type, address), encoded);
    });
  }

  test("what is numeric needs no promise", () => {
    assert.ok(resolveAddress(AF_INET, SOCK_STREAM, ["127.0.0.1", 80]) instanceof Uint8Array);
    assert.ok(resolveAddress(AF_UNIX, SOCK_STREAM, "/tmp/a") instanceof Uint8Array);
  });

  test("an AF_PACKET interface by name", async () => {
    const encoded = await resolveAddress(AF_PACKET, SOCK_RAW, ["lo", 0x0800]);
    assert.deepEqual(encoded, encodeAddress(AF_PACKET, [1, 0x0800]));
  });

  const failures: readonly (readonly [
    name: string,
    family: number,
    type: number,
    address: AddressLike,
    code: string,
  ])[] = [
    ["an unknown host", AF_INET, SOCK_STREAM, ["nobody.invalid", 80], UNRESOLVED],
    ["an unknown service", AF_INET, SOCK_STREAM, ["127.0.0.1", "no-such-service"], "EAI_SERVICE"],
    ["a service of the other protocol", AF_INET, SOCK_STREAM, ["127.0.0.1", "tftp"], "EAI_SERVICE"],
    ["IPv6 text for AF_INET", AF_INET, SOCK_STREAM, ["::1", 80], "EAI_ADDRFAMILY"],
    ["IPv4 text for AF_INET6", AF_INET6, SOCK_STREAM, ["127.0.0.1", 80], "EAI_ADDRFAMILY"],
    ["an unknown interface", AF_INET6, SOCK_STREAM, ["fe80::1%no-such-if", 80], "ENODEV"],
    ["an unknown interface for AF_PACKET", AF_PACKET, SOCK_RAW, ["no-such-if", 3], "ENODEV"],
  ];
  for (const [name, family, type, address, code] of failures) {
    test(name, async () => {
      const matches = (error: unknown) =>
        error instanceof SocketError &&
        error instanceof NameError === code.startsWith("EAI") &&
        code.split(" or ").includes(error.code);
      await assert.rejects(async () => resolveAddress(family, type, address), matches);
      assert.throws(() => resolveAddressSync(family, type, address), matches);
    });
  }
});

describe("describeAddress", () => {
  const rows: readonly (readonly [address: unknown, want: string])[] = [
    [["127.0.0.1", 80], "127.0.0.1:80"],
    [["::1", 80, 0, 0], "[::1]:80"],
    [["", 80], "*:80"],
    [["localhost", "http"], "localhost:http"],
    [[0x7f000001, 80], "127.0.0.1:80"],
    [{ host: "::1", port: 80 }, "[::1]:80"],
    [[1234, 0], "1234:0"],
    ["/tmp/a.sock", "/tmp/a.sock"],
    ["/tmp/a\nb", "/tmp/a\\x0ab"],
    ["\0name", "@name"],
    [bytes("\0na\0me"), "@na\\x00me"],
    [bytes("/tmp/a"), "/tmp/a"],
    ["", ""],
    [undefined, "undefined"],
    [null, "null"],
    [[Symbol("x"), 80], "[ Symbol(x), 80 ]"],
    [["a", Symbol("x")], "[ 'a', Symbol(x) ]"],
  ];
  for (const [address, want] of rows) {
    test(want || "no name", () => assert.equal(describeAddress(address), want));
  }
});

describe("types", () => {
  test("an address is of its family's form", () => {
    const path: AddressFor<typeof AF_UNIX> = "/tmp/a";
    const pair: AddressFor<typeof AF_INET> = ["localhost", "http"];
    const netlink: AddressFrom<typeof AF_NETLINK> = [1, 2];
    const vsock: AddressFrom<typeof AF_VSOCK> = [1, 2];
    const link: AddressFor<typeof AF_PACKET> = ["lo", 3];
    const raw: AddressFrom<typeof AF_PACKET> = new Uint8Array(20);
    const any: AddressFor<Family> = path;
    // @ts-expect-error a tuple is no path
    const noPath: AddressFor<typeof AF_UNIX> = pair;
    // @ts-expect-error a path is no host and port
    const noPair: AddressFor<typeof AF_INET> = path;
    // @ts-expect-error these are numbers
    const noPid: AddressFor<typeof AF_NETLINK> = ["a", 1];
    const four: Inet6Address = ["::1", 1, 0, 0] satisfies AddressFrom<typeof AF_INET6>;
    assert.equal([path, pair, netlink, vsock, link, raw, any, noPath, noPair, noPid, four].length, 11);
  });
});

describe("properties", () => {
  const port = fc.nat(0xffff);
  const quad = fc.ipV4();

  test("AF_INET comes back as it went", () => {
    fc.assert(
      fc.property(quad, port, (host, number) =>
        assert.deepEqual(roundTrip(AF_INET, [host, number]), [host, number]),
      ),
    );
  });

  test("AF_INET by integer is AF_INET by text", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), port, (host, number) => {
        const text = [host >>> 24, (host >>> 16) & 255, (host >>> 8) & 255, host & 255].join(".");
        assert.deepEqual(encodeAddress(AF_INET, [host, number]), encodeAddress(AF_INET, [text, number]));
      }),
    );
  });

  test("AF_INET6 comes back as it went", () => {
    const packed = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(packed, port, fc.nat(0xfffff), fc.nat(0xffffffff), (host, number, flowinfo, scopeId) => {
        const address = [inetNtop(AF_INET6, host), number, flowinfo, scopeId] as const;
        assert.deepEqual(roundTrip(AF_INET6, address), [...address]);
      }),
    );
  });

  test("AF_UNIX comes back as it went, as text where it is UTF-8", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 107 }), (name) => {
        fc.pre(name[0] === 0 || !name.includes(0));
        const back = roundTrip(AF_UNIX, name);
        assert.deepEqual(typeof back === "string" ? bytes(back) : back, name);
        assert.equal(typeof back === "string", name[0] !== 0 && isUtf8(name));
      }),
    );
  });

  test("any value gives bytes, undefined or a HawserError; any bytes give an address", () => {
    const families = fc.constantFrom<number>(AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_VSOCK, AF_PACKET, 29);
    fc.assert(
      fc.property(families, fc.anything(), (family, value) => {
        try {
          encodeAddress(family, untyped(value));
        } catch (error) {
          assert.ok(error instanceof HawserError, String(error));
        }
        assert.equal(typeof describeAddress(value), "string");
      }),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 128, maxLength: 128 }),
        families,
        fc.nat(128),
        (raw, family, length) => {
          raw.set([family, 0]);
          decodeAddress(raw, length);
        },
      ),
    );
  });
});

function isUtf8(name: Uint8Array): boolean {
  return Buffer.from(Buffer.from(name).toString("utf8"), "utf8").equals(name);
}
