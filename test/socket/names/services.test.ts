import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { LocalProtocolError, NameError } from "../../../src/core/errors.js";
import {
  builtinProtocol,
  builtinService,
  builtinServiceName,
} from "../../../src/socket/names/builtin-services.js";
import { getprotobyname, getservbyname, getservbyport } from "../../../src/socket/names/index.js";
import { native } from "../../../src/socket/native/index.js";

const names = new URL("../../../src/socket/names/index.js", import.meta.url).href;

const wellKnown: readonly (readonly [name: string, port: number, protocol: string])[] = [
  ["http", 80, "tcp"],
  ["www", 80, "tcp"],
  ["https", 443, "tcp"],
  ["ftp", 21, "tcp"],
  ["ftp-data", 20, "tcp"],
  ["ftps", 990, "tcp"],
  ["imap", 143, "tcp"],
  ["imaps", 993, "tcp"],
  ["pop3", 110, "tcp"],
  ["pop3s", 995, "tcp"],
  ["smtp", 25, "tcp"],
  ["smtps", 465, "tcp"],
  ["submission", 587, "tcp"],
  ["submissions", 465, "tcp"],
  ["telnet", 23, "tcp"],
  ["gopher", 70, "tcp"],
  ["nntp", 119, "tcp"],
  ["nntps", 563, "tcp"],
  ["domain", 53, "udp"],
  ["ssh", 22, "tcp"],
  ["tftp", 69, "udp"],
  ["ntp", 123, "udp"],
  ["snmp", 161, "udp"],
  ["syslog", 514, "udp"],
  ["ldap", 389, "tcp"],
  ["ldaps", 636, "tcp"],
  ["sip", 5060, "udp"],
  ["xmpp-client", 5222, "tcp"],
];

function isUnknown(error: unknown): boolean {
  return (
    error instanceof NameError &&
    error.code === "EAI_SERVICE" &&
    error.errno === -8 &&
    /not found/.test(error.message)
  );
}

describe("getservbyname", () => {
  for (const [name, port, protocol] of wellKnown) {
    test(`${name}/${protocol}`, () => {
      assert.equal(getservbyname(name, protocol), port);
      assert.equal(getservbyname(name), port);
      assert.equal(builtinService(name, protocol), port);
      assert.equal(builtinService(name), port);
    });
  }

  test("an unknown service, or one of the other protocol", () => {
    assert.throws(() => getservbyname("no-such-service"), isUnknown);
    assert.throws(() => getservbyname("tftp", "tcp"), isUnknown);
    assert.throws(() => getservbyname("http", "no-such-protocol"), isUnknown);
    assert.throws(() => getservbyname(""), isUnknown);
  });

  test("NUL and other types are refused", () => {
    for (const action of [
      () => getservbyname("http\0x"),
      () => getservbyname("http", "tcp\0"),
      () => getservbyname(80 as unknown as string),
      () => getservbyname("http", 6 as unknown as string),
    ]) {
      assert.throws(action, LocalProtocolError);
    }
  });

  test("an absent protocol may be null", () => assert.equal(getservbyname("http", null), 80));
});

describe("getservbyport", () => {
  test("with and without a protocol", () => {
    assert.equal(getservbyport(80), "http");
    assert.equal(getservbyport(25, "tcp"), "smtp");
    assert.equal(getservbyport(53, "udp"), "domain");
    assert.equal(builtinServiceName(80), "http");
    assert.equal(builtinServiceName(69, "udp"), "tftp");
  });

  test("a port without a service", () => {
    assert.throws(() => getservbyport(0), isUnknown);
    assert.throws(() => getservbyport(69, "tcp"), isUnknown);
    assert.equal(builtinServiceName(1), undefined);
    assert.equal(builtinServiceName(69, "tcp"), undefined);
  });

  test("a port out of range is refused, and never wrapped around", () => {
    for (const port of [-1, 65536, 65536 + 80, 80.5, Number.NaN, "80"]) {
      assert.throws(() => getservbyport(port as number), LocalProtocolError);
    }
  });
});

describe("getprotobyname", () => {
  test("tcp, udp, icmp", () => {
    for (const [name, number] of [
      ["icmp", 1],
      ["tcp", 6],
      ["udp", 17],
    ] as const) {
      assert.equal(getprotobyname(name), number);
      assert.equal(builtinProtocol(name), number);
    }
  });

  test("an unknown protocol", () => assert.throws(() => getprotobyname("no-such-protocol"), isUnknown));
  test("NUL is refused", () => assert.throws(() => getprotobyname("tcp\0"), LocalProtocolError));
});

describe("on a machine without databases", () => {
  test("the table of well-known services answers", (t) => {
    const libc = native();
    t.mock.method(libc, "getservbynameR", () => 0);
    t.mock.method(libc, "getservbyportR", () => 0);
    t.mock.method(libc, "getprotobynameR", () => 2);
    assert.equal(getservbyname("smtp", "tcp"), 25);
    assert.equal(getservbyport(25), "smtp");
    assert.equal(getprotobyname("tcp"), 6);
    assert.throws(() => getservbyname("no-such-service"), isUnknown);
  });

  test("an entry that needs more room is asked for again", (t) => {
    const libc = native();
    const original = libc.getservbynameR;
    const lengths: number[] = [];
    t.mock.method(libc, "getservbynameR", ((...args: Parameters<typeof original>) => {
      lengths.push(args[4]);
      return args[4] < 20_000 ? 34 : original(...args);
    }) as typeof original);
    assert.equal(getservbyname("tcpmux", "tcp"), 1);
    assert.deepEqual(lengths, [1024, 4096, 16384, 65536]);
  });

  test("no native library is needed", () => {
    const program = `
      import { getservbyname, getservbyport, getprotobyname, gethostname } from "${names}";
      console.log(getservbyname("imap"), getservbyport(70), getprotobyname("udp"), gethostname() !== "");`;
    const child = spawnSync(process.execPath, ["--no-addons", "--input-type=module", "-e", program], {
      timeout: 30_000,
    });
    assert.equal(`${child.stdout}${child.stderr}`, "143 gopher 17 true\n");
  });
});
