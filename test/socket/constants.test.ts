import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants as os } from "node:os";
import { describe, test } from "node:test";
import {
  HawserError,
  InUseError,
  RefusedError,
  ResetError,
  SocketError,
  TimedOutError,
  WouldBlockError,
} from "../../src/core/errors.js";
import * as constants from "../../src/socket/constants.js";
import { errnoName, errnos, errnoText, socketError } from "../../src/socket/native/errno.js";
import { errnoTable } from "../../src/socket/native/errno-table.js";
import { linux } from "../../src/socket/native/linux.js";
import type { AfInet, AfUnix, Family } from "../../src/socket/types.js";

const ours: Readonly<Record<string, number>> = constants;
const linuxOnly = { skip: process.platform !== "linux" && "the table is Linux's" };

/** What `dir(socket)` of CPython 3.13 on Linux x64 gives, but for the names that stand in `omitted`. */
const python: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(new URL("../../../test/socket/fixtures/python-constants.json", import.meta.url), "utf8"),
);
const omitted: Readonly<Record<string, string>> = {
  has_ipv6: "a boolean, not a constant of the system",
  BDADDR_ANY: "text, and only where BlueZ's headers were installed",
  BDADDR_LOCAL: "text, and only where BlueZ's headers were installed",
};
/** CPython has these as well where BlueZ's headers were installed when it was built. */
const pythonWithBluetooth: Readonly<Record<string, number>> = {
  AF_BLUETOOTH: 31,
  BTPROTO_L2CAP: 0,
  BTPROTO_HCI: 1,
  BTPROTO_SCO: 2,
  BTPROTO_RFCOMM: 3,
  SOL_HCI: 0,
  HCI_DATA_DIR: 1,
  HCI_FILTER: 2,
  HCI_TIME_STAMP: 3,
};

describe("constants", () => {
  test("every integer of CPython 3.13's socket module is here with its value", () => {
    const wanted = { ...python, ...pythonWithBluetooth };
    assert.equal(Object.keys(wanted).length, 384);
    for (const [name, value] of Object.entries(wanted)) assert.equal(ours[name], value, name);
    for (const name of Object.keys(omitted)) assert.equal(ours[name], undefined, name);
  });

  test("those beyond Python's, as the kernel's headers give them", () => {
    const wanted = {
      UDP_SEGMENT: 103,
      UDP_GRO: 104,
      MSG_WAITFORONE: 0x10000,
      MSG_ZEROCOPY: 0x4000000,
      MSG_ERRQUEUE: 0x2000,
      MSG_CMSG_CLOEXEC: 0x40000000,
      SO_TIMESTAMP: 29,
      SO_TIMESTAMPNS: 35,
      SO_TIMESTAMPING: 37,
      SCM_TIMESTAMPING: 37,
      SO_PEEK_OFF: 42,
      SO_ZEROCOPY: 60,
      SO_PEERPIDFD: 77,
      SO_ORIGINAL_DST: 80,
      IP_RECVERR: 11,
      IP_RECVTTL: 12,
      IP_MTU_DISCOVER: 10,
      IP_PMTUDISC_PROBE: 3,
      IP_MULTICAST_ALL: 49,
      IP_ORIGDSTADDR: 20,
      IPV6_RECVPKTINFO: 49,
      IPV6_PKTINFO: 50,
      IPV6_MULTICAST_ALL: 29,
      IPV6_FREEBIND: 78,
      MCAST_JOIN_GROUP: 42,
      MCAST_JOIN_SOURCE_GROUP: 46,
      TCP_FASTOPEN_CONNECT: 30,
      TCP_ESTABLISHED: 1,
      TCP_LISTEN: 10,
      SO_EE_ORIGIN_ICMP: 2,
      SO_EE_ORIGIN_ZEROCOPY: 5,
      AF_XDP: 44,
      AF_MCTP: 45,
      ETH_P_IPV6: 0x86dd,
      PACKET_ADD_MEMBERSHIP: 1,
      SOL_PACKET: 263,
      SOL_NETLINK: 270,
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(ours[name], value, name);
  });

  test("each is the number of the table, and only errors and -1 by name are negative", () => {
    const table: Readonly<Record<string, number>> = linux;
    for (const [name, value] of Object.entries(ours)) {
      assert.ok(Number.isSafeInteger(value), name);
      assert.equal(value, table[name], name);
      const mayBeNegative = /^EAI_|^TIPC_WAIT_FOREVER$|^TCP_REPAIR_OFF_NO_WP$/.test(name);
      assert.ok(value >= 0 || mayBeNegative, `${name} is ${value}`);
    }
    assert.equal(constants.INADDR_BROADCAST, 0xffffffff);
    assert.equal(constants.VMADDR_CID_ANY, 0xffffffff);
    assert.equal(linux.EPOLLET, 0x80000000);
  });

  test("PF_ and AF_ agree", () => {
    const families = Object.keys(ours).filter((name) => name.startsWith("AF_"));
    assert.ok(families.length >= 49);
    for (const name of families) assert.equal(ours[name.replace("AF_", "PF_")], ours[name], name);
  });

  test("what only the package itself needs is not exported", () => {
    for (const name of ["EPOLLIN", "EPOLLET", "POLLIN", "F_GETFL", "O_NONBLOCK", "FIONREAD"]) {
      assert.ok(name in linux, name);
      assert.equal(ours[name], undefined, name);
    }
  });

  test("no caller can change one", () => {
    assert.throws(() => Object.assign(constants as object, { AF_INET: 3 }), TypeError);
    assert.equal(constants.AF_INET, 2);
  });

  test("the families are types of their own", () => {
    const inet: AfInet = constants.AF_INET;
    const unix: AfUnix = constants.AF_LOCAL;
    const packet: Family<"packet"> = constants.AF_PACKET;
    // @ts-expect-error a path is no host and port
    const wrong: AfInet = constants.AF_UNIX;
    assert.deepEqual([inet, unix, packet, wrong], [2, 1, 17, 1]);
  });

  test("loading them loads no native library", () => {
    const url = new URL("../../src/socket/constants.js", import.meta.url).href;
    const script = `
      import { createRequire } from "node:module";
      const { AF_INET } = await import(${JSON.stringify(url)});
      const loaded = Object.keys(createRequire(${JSON.stringify(url)}).cache);
      console.log(AF_INET, loaded.filter((file) => file.includes("koffi")).length);`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    assert.equal(stdout.trim(), "2 0");
  });
});

describe("errnos", () => {
  test("agree with node:os", linuxOnly, () => {
    const table: Readonly<Record<string, number>> = errnos;
    for (const [name, value] of Object.entries(os.errno)) assert.equal(table[name], value, name);
  });

  test("names and texts", () => {
    assert.equal(errnoName(111), "ECONNREFUSED");
    assert.equal(errnoText(111), "Connection refused");
    assert.equal(errnoName(11), "EAGAIN");
    assert.equal(errnoName(95), "EOPNOTSUPP");
    assert.equal(errnoName(200), "ERRNO_200");
    assert.equal(errnoText(200), "Unknown error 200");
    assert.equal(errnos.EWOULDBLOCK, errnos.EAGAIN);
  });

  test("every number has one name, and the name gives the number back", () => {
    const table: Readonly<Record<string, number>> = errnos;
    for (const [number, [name, text]] of errnoTable) {
      assert.equal(table[name], number, name);
      assert.notEqual(text, "");
    }
    assert.equal(new Set(Object.values(errnos)).size, errnoTable.size);
  });
});

describe("socketError", () => {
  const expected = [
    [RefusedError, ["ECONNREFUSED"]],
    [ResetError, ["ECONNRESET", "ECONNABORTED", "EPIPE", "ESHUTDOWN"]],
    [InUseError, ["EADDRINUSE"]],
    [TimedOutError, ["ETIMEDOUT"]],
    [WouldBlockError, ["EAGAIN", "EINPROGRESS", "EALREADY"]],
  ] as const;
  const subclassOf = new Map(
    expected.flatMap(([type, names]) => names.map((name) => [name as string, type])),
  );

  test("makes the class that programs catch, and SocketError for the rest", () => {
    for (const [number, [name]] of errnoTable) {
      const error = socketError("recv", number);
      assert.equal(error.constructor, subclassOf.get(name) ?? SocketError, name);
      assert.ok(error instanceof SocketError && error instanceof HawserError);
      assert.equal(error.name, error.constructor.name);
      assert.equal(error.code, name);
      assert.equal(error.errno, number);
      assert.equal(error.syscall, "recv");
      assert.equal(error.address, undefined);
      assert.ok(error.message.startsWith(`recv: ${errnoText(number)} (${name})`), error.message);
    }
  });

  const messages = [
    {
      call: ["connect", errnos.ECONNREFUSED, "127.0.0.1:1"],
      want: "connect 127.0.0.1:1: Connection refused (ECONNREFUSED): nobody listens at that address",
    },
    { call: ["getsockopt", errnos.EINVAL], want: "getsockopt: Invalid argument (EINVAL)" },
    { call: ["recv", errnos.EBADF], want: "recv: Bad file descriptor (EBADF): the socket is closed" },
    { call: ["recv", 200], want: "recv: Unknown error 200 (ERRNO_200)" },
    {
      call: ["socket", errnos.EAFNOSUPPORT],
      want: "socket: Address family not supported by protocol (EAFNOSUPPORT): this kernel lacks the address family",
    },
    {
      call: ["sendto", errnos.EACCES, "255.255.255.255:9"],
      want: "sendto 255.255.255.255:9: Permission denied (EACCES): a broadcast address needs SO_BROADCAST",
    },
  ] as const;
  for (const { call, want } of messages) {
    test(want, () => {
      const [syscall, errno, address] = call;
      assert.equal(socketError(syscall, errno, address).message, want);
      assert.equal(socketError(syscall, errno, address).address, address);
    });
  }

  test("the hint depends on the call", () => {
    assert.match(socketError("socket", errnos.EACCES).message, /root or CAP_NET_RAW/);
    assert.match(socketError("bind", errnos.EACCES).message, /port below 1024/);
    assert.match(socketError("accept4", errnos.EMFILE).message, /ulimit -n/);
    assert.match(socketError("sendmmsg", errnos.EMSGSIZE).message, /larger than/);
  });
});
