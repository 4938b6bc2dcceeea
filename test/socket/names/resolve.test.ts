import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HawserError, LocalProtocolError, NameError } from "../../../src/core/errors.js";
import {
  AF_INET,
  AF_INET6,
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  AI_V4MAPPED,
  EAI_SYSTEM,
  IPPROTO_TCP,
  IPPROTO_UDP,
  NI_DGRAM,
  NI_NAMEREQD,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
} from "../../../src/socket/constants.js";
import {
  type AddressHints,
  type AddressInfo,
  getaddrinfo,
  getaddrinfoSync,
  getnameinfo,
  getnameinfoSync,
  type LookupHost,
  type LookupService,
} from "../../../src/socket/names/index.js";
import { native } from "../../../src/socket/native/index.js";
import type { Inet6AddressLike, InetAddressLike } from "../../../src/socket/types.js";
import { nameError, UNRESOLVED } from "./name-errors.js";

const utf8 = new TextEncoder();

/** Runs a look-up in both its forms, which must agree. */
async function lookUp(
  host: LookupHost,
  service: LookupService,
  hints: AddressHints = {},
): Promise<AddressInfo[]> {
  const sync = async () => getaddrinfoSync(host, service, hints);
  return agree(await Promise.allSettled([getaddrinfo(host, service, hints), sync()]));
}

async function nameOf(
  address: InetAddressLike | Inet6AddressLike,
  flags?: number,
): Promise<[string, string]> {
  return agree(
    await Promise.allSettled([getnameinfo(address, flags), (async () => getnameinfoSync(address, flags))()]),
  );
}

function agree<T>([later, now]: [PromiseSettledResult<T>, PromiseSettledResult<T>]): T {
  assert.deepEqual(later, now);
  if (later.status === "rejected") throw later.reason;
  return later.value;
}

const loopback = ["127.0.0.1", 80];

describe("getaddrinfo", { timeout: 60_000 }, () => {
  test("answers with what socket() and connect() take", async () => {
    assert.deepEqual(await lookUp("127.0.0.1", 80, { type: SOCK_STREAM }), [
      { family: AF_INET, type: SOCK_STREAM, protocol: IPPROTO_TCP, canonicalName: "", address: loopback },
    ]);
    assert.deepEqual(await lookUp("::1", 80, { type: SOCK_DGRAM }), [
      {
        family: AF_INET6,
        type: SOCK_DGRAM,
        protocol: IPPROTO_UDP,
        canonicalName: "",
        address: ["::1", 80, 0, 0],
      },
    ]);
  });

  const hosts: readonly (readonly [host: LookupHost, want: string])[] = [
    ["localhost", "127.0.0.1"],
    [utf8.encode("localhost"), "127.0.0.1"],
    [utf8.encode("127.0.0.1"), "127.0.0.1"],
    ["127.1", "127.0.0.1"],
    ["0x7f.1", "127.0.0.1"],
    ["2130706433", "127.0.0.1"],
    [0x7f000001, "127.0.0.1"],
    [0, "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    [null, "127.0.0.1"],
  ];
  for (const [host, want] of hosts) {
    test(`host ${host instanceof Uint8Array ? "in bytes" : JSON.stringify(host)}`, async () => {
      const [first] = await lookUp(host, 80, { family: AF_INET, type: SOCK_STREAM });
      assert.deepEqual(first?.address, [want, 80]);
    });
  }

  const services: readonly (readonly [service: LookupService, port: number, type: number])[] = [
    ["http", 80, SOCK_STREAM],
    [utf8.encode("http"), 80, SOCK_STREAM],
    ["80", 80, SOCK_STREAM],
    ["080", 80, SOCK_STREAM],
    [utf8.encode("80"), 80, SOCK_STREAM],
    [80, 80, SOCK_STREAM],
    [0, 0, SOCK_STREAM],
    [65535, 65535, SOCK_STREAM],
    [null, 0, SOCK_STREAM],
    ["", 0, SOCK_STREAM],
    ["tftp", 69, SOCK_DGRAM],
  ];
  for (const [service, port, type] of services) {
    test(`service ${service instanceof Uint8Array ? "in bytes" : JSON.stringify(service)}`, async () => {
      for (const host of ["127.0.0.1", "localhost"]) {
        const [first] = await lookUp(host, service, { family: AF_INET, type });
        assert.deepEqual(first?.address, ["127.0.0.1", port]);
      }
    });
  }

  test("without hints there is an answer for each type", async () => {
    const types = (await lookUp("127.0.0.1", 80)).map(({ type }) => type);
    assert.deepEqual(types, [SOCK_STREAM, SOCK_DGRAM, SOCK_RAW]);
  });

  test("a service restricts the types to those that have it", async () => {
    assert.deepEqual(
      (await lookUp("127.0.0.1", "domain")).map(({ type }) => type),
      [SOCK_STREAM, SOCK_DGRAM],
    );
    assert.deepEqual(
      (await lookUp("127.0.0.1", "tftp")).map(({ type }) => type),
      [SOCK_DGRAM],
    );
  });

  test("the protocol restricts the answers", async () => {
    const [first, ...rest] = await lookUp("127.0.0.1", 80, { protocol: IPPROTO_UDP });
    assert.equal(first?.type, SOCK_DGRAM);
    assert.equal(rest.length, 0);
  });

  test("AI_CANONNAME fills the name of the first answer", async () => {
    const [first, second] = await lookUp("localhost", 80, { flags: AI_CANONNAME, family: AF_INET });
    assert.equal(first?.canonicalName, "localhost");
    assert.equal(second?.canonicalName, "");
  });

  test("AI_PASSIVE and no host: any address of this machine", async () => {
    const [first] = await lookUp(null, 80, { flags: AI_PASSIVE, family: AF_INET, type: SOCK_STREAM });
    assert.deepEqual(first?.address, ["0.0.0.0", 80]);
    const [second] = await lookUp(null, 80, { flags: AI_PASSIVE, family: AF_INET6, type: SOCK_STREAM });
    assert.deepEqual(second?.address, ["::", 80, 0, 0]);
  });

  test("AI_V4MAPPED", async () => {
    const [first] = await lookUp("127.0.0.1", 80, { family: AF_INET6, flags: AI_V4MAPPED });
    assert.deepEqual(first?.address, ["::ffff:127.0.0.1", 80, 0, 0]);
  });

  test("zones, by name and by number", async () => {
    const [byName] = await lookUp("fe80::1%lo", 80);
    assert.deepEqual(byName?.address, ["fe80::1", 80, 0, 1]);
    const [byNumber] = await lookUp("fe80::1%7", 80);
    assert.deepEqual(byNumber?.address, ["fe80::1", 80, 0, 7]);
  });

  const failures: readonly (readonly [string, LookupHost, LookupService, AddressHints, code: string])[] = [
    ["an unknown host", "nobody.invalid", 80, {}, UNRESOLVED],
    ["an unknown host beyond ASCII", "schäkel.invalid", 80, {}, UNRESOLVED],
    ["neither host nor service", null, null, {}, "EAI_NONAME"],
    ["an empty host", "", 80, {}, "EAI_NONAME"],
    ["an empty host in bytes", new Uint8Array(), 80, {}, "EAI_NONAME"],
    ["a host with a port", "127.0.0.1:80", null, {}, "EAI_NONAME"],
    ["a host in brackets", "[::1]", null, {}, "EAI_NONAME"],
    ["an address with a blank", "127.0.0.1 ", null, {}, UNRESOLVED],
    ["an unknown zone", "fe80::1%no-such-if", 80, {}, "EAI_NONAME"],
    ["a name with AI_NUMERICHOST", "localhost", 80, { flags: AI_NUMERICHOST }, "EAI_NONAME"],
    ["a service name with AI_NUMERICSERV", "127.0.0.1", "http", { flags: AI_NUMERICSERV }, "EAI_NONAME"],
    ["an unknown service", "127.0.0.1", "no-such-service", {}, "EAI_SERVICE"],
    ["a service that the type lacks", "127.0.0.1", "http", { type: SOCK_DGRAM }, "EAI_SERVICE"],
    ["a service with SOCK_RAW", "127.0.0.1", "http", { type: SOCK_RAW }, "EAI_SERVICE"],
    ["an unknown family", "localhost", 80, { family: 99 }, "EAI_FAMILY"],
    ["an unknown type", "localhost", 80, { type: 99 }, "EAI_SOCKTYPE"],
    ["unknown flags", "localhost", 80, { flags: 0x40000000 }, "EAI_BADFLAGS"],
    ["an address of the other family", "127.0.0.1", 80, { family: AF_INET6 }, "EAI_ADDRFAMILY"],
  ];
  for (const [name, host, service, hints, code] of failures) {
    test(`${name} fails with ${code}`, () => assert.rejects(lookUp(host, service, hints), nameError(code)));
  }

  test("an error says which call, which host, and what to do", async () => {
    await assert.rejects(getaddrinfo("nobody.invalid", 80), (error) => {
      assert.ok(error instanceof NameError && error instanceof HawserError);
      assert.equal(error.syscall, "getaddrinfo");
      assert.equal(error.address, "nobody.invalid");
      assert.match(error.message, /nobody\.invalid.*check/);
      return true;
    });
    await assert.rejects(getaddrinfo("127.0.0.1", "no-such-service"), /no-such-service.*port's number/);
  });

  const refused: readonly (readonly [name: string, host: unknown, service: unknown, hints?: object])[] = [
    ["a host with NUL", "127.0.0.1\0x", 80],
    ["a host with NUL in bytes", utf8.encode("127.0.0.1\0x"), 80],
    ["a host that begins with NUL", "\0", 80],
    ["a service with NUL", "127.0.0.1", "80\0x"],
    ["a service with NUL in bytes", "127.0.0.1", utf8.encode("80\0")],
    ["a label of 64 bytes", `${"x".repeat(64)}.invalid`, 80],
    ["a label of 64 bytes once it is encoded", `${"ä".repeat(60)}.invalid`, 80],
    ["an empty label", "a..invalid", 80],
    ["an empty label at the start", ".invalid", 80],
    ["a name that IDNA cannot encode", "a\u{e000}ä<b", 80],
    ["a lone surrogate", "\ud800.invalid", 80],
    ["a port of 65536", "localhost", 65536],
    ["a port of 70000", "localhost", 70000],
    ["a port of 70000 in digits", "localhost", "70000"],
    ["a port of 70000 behind a blank", "localhost", " 70000"],
    ["a port of 70000 with a sign", "localhost", "+70000"],
    ["a port of 70000 in bytes", "localhost", utf8.encode("70000")],
    ["a port beyond 64 bits", "localhost", "99999999999999999999"],
    ["a negative port", "localhost", -1],
    ["a negative port in digits", "localhost", "-1"],
    ["a fraction", "localhost", 80.5],
    ["a boolean service", "localhost", true],
    ["an array for a service", "localhost", [80]],
    ["an integer host that is too large", 2 ** 32, 80],
    ["a boolean host", true, 80],
    ["an array for a host", ["localhost"], 80],
    ["a family in text", "localhost", 80, { family: "inet" }],
    ["a family beyond 32 bits", "localhost", 80, { family: 2 ** 32 + 2 }],
    ["a fraction for a type", "localhost", 80, { type: 1.5 }],
    ["flags in text", "localhost", 80, { flags: "0" }],
    ["a bigint for a protocol", "localhost", 80, { protocol: 6n }],
  ];
  for (const [name, host, service, hints] of refused) {
    test(`${name} is refused`, async () => {
      await assert.rejects(lookUp(host as LookupHost, service as LookupService, hints), LocalProtocolError);
    });
  }

  test("IDNA: what libc is asked for is punycode", (t) => {
    const asked: string[] = [];
    t.mock.method(native(), "getaddrinfo", (node: Uint8Array) => {
      asked.push(Buffer.from(node).toString("latin1"));
      return -2;
    });
    for (const host of [
      "schäkel.invalid",
      "例え.invalid",
      "BÜCHER.invalid",
      "plain_name.invalid",
      "localhost.",
    ]) {
      assert.throws(() => getaddrinfoSync(host, 80), nameError("EAI_NONAME"));
    }
    const want = [
      "xn--schkel-dua.invalid",
      "xn--r8jz45g.invalid",
      "xn--bcher-kva.invalid",
      "plain_name.invalid",
      "localhost.",
    ];
    assert.deepEqual(
      asked,
      want.map((name) => `${name}\0`),
    );
  });

  test("EAI_SYSTEM gives the errno behind it", (t) => {
    t.mock.method(native(), "getaddrinfo", () => EAI_SYSTEM);
    t.mock.method(native(), "errno", () => 24);
    assert.throws(() => getaddrinfoSync("localhost", 80), nameError("EMFILE"));
  });

  test("services that the machine's database lacks come from the table", (t) => {
    const libc = native();
    const original = libc.getaddrinfo;
    t.mock.method(libc, "getaddrinfo", ((...args: Parameters<typeof original>) => {
      const service = args[1] as Uint8Array | null;
      return service !== null && /[a-z]/.test(Buffer.from(service).toString()) ? -8 : original(...args);
    }) as typeof original);
    const shape = (host: LookupHost, service: string, hints?: AddressHints) =>
      getaddrinfoSync(host, service, { family: AF_INET, ...hints }).map(({ type, address }) => [
        type,
        address[1],
      ]);
    assert.deepEqual(shape("localhost", "imap"), [[SOCK_STREAM, 143]]);
    assert.deepEqual(shape("127.0.0.1", "tftp"), [[SOCK_DGRAM, 69]]);
    assert.deepEqual(shape("127.0.0.1", "domain", { type: SOCK_DGRAM }), [[SOCK_DGRAM, 53]]);
    assert.deepEqual(shape("127.0.0.1", "domain", { protocol: IPPROTO_UDP }), [[SOCK_DGRAM, 53]]);
    assert.throws(() => shape("127.0.0.1", "http", { type: SOCK_DGRAM }), nameError("EAI_SERVICE"));
    assert.throws(() => shape("127.0.0.1", "no-such-service"), nameError("EAI_SERVICE"));
  });
});

describe("getnameinfo", { timeout: 60_000 }, () => {
  const rows: readonly (readonly [
    address: InetAddressLike | Inet6AddressLike,
    flags: number,
    want: [string, string],
  ])[] = [
    [["127.0.0.1", 80], 0, ["localhost", "http"]],
    [{ host: "127.0.0.1", port: 80 }, 0, ["localhost", "http"]],
    [["127.1", 80], NI_NUMERICHOST, ["127.0.0.1", "http"]],
    [[0x7f000001, 80], NI_NUMERICHOST | NI_NUMERICSERV, ["127.0.0.1", "80"]],
    [["127.0.0.1", "http"], NI_NUMERICSERV, ["localhost", "80"]],
    [["127.0.0.1", 69], NI_NUMERICHOST | NI_DGRAM, ["127.0.0.1", "tftp"]],
    [["127.0.0.1", 69], NI_NUMERICHOST, ["127.0.0.1", "69"]],
    [["127.0.0.1", "tftp"], NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM, ["127.0.0.1", "69"]],
    [["::1", 80], NI_NUMERICHOST, ["::1", "http"]],
    [["::1", 80, 0xfffff, 0], NI_NUMERICHOST | NI_NUMERICSERV, ["::1", "80"]],
    [["fe80::1", 80, 0, 1], NI_NUMERICHOST | NI_NUMERICSERV, ["fe80::1%lo", "80"]],
    [["fe80::1%lo", 80], NI_NUMERICHOST | NI_NUMERICSERV, ["fe80::1%lo", "80"]],
  ];
  for (const [address, flags, want] of rows) {
    test(`${JSON.stringify(address)} with flags ${flags}`, async () =>
      assert.deepEqual(await nameOf(address, flags), want));
  }

  for (const [name, address, flags, code] of [
    ["a host name", ["localhost", 80], 0, "EAI_NONAME"],
    ["no host", ["", 80], 0, "EAI_NONAME"],
    ["text that is nearly an address", ["::1::", 80], 0, "EAI_NONAME"],
    ["an unknown service", ["127.0.0.1", "no-such-service"], 0, "EAI_SERVICE"],
    ["unknown flags", ["127.0.0.1", 80], 0x40000000, "EAI_BADFLAGS"],
    ["an address without a name, with NI_NAMEREQD", ["192.0.2.1", 80], NI_NAMEREQD, "EAI_NONAME"],
  ] as const) {
    test(`${name} fails with ${code}`, () => assert.rejects(nameOf(address, flags), nameError(code)));
  }

  const refused: readonly (readonly [name: string, address: unknown, flags?: unknown])[] = [
    ["a port of 70000", ["127.0.0.1", 70000]],
    ["flow information beyond 20 bits", ["::1", 80, 0x100000]],
    ["four elements for IPv4", ["127.0.0.1", 80, 0, 0]],
    ["a string", "127.0.0.1:80"],
    ["null", null],
    ["a host with NUL", ["127.0.0.1\0", 80]],
    ["flags in text", ["127.0.0.1", 80], "0"],
  ];
  for (const [name, address, flags] of refused) {
    test(`${name} is refused`, async () => {
      const action = nameOf(address as InetAddressLike, flags as number | undefined);
      await assert.rejects(
        action,
        (error) => error instanceof LocalProtocolError || name === "a host with NUL",
      );
    });
  }
});
