/** B10 and B11: names, numbers and addresses as text and bytes. */
import { calls, type Probe, type Value } from "../language.js";

const b = (text: string): Value => ({ b: text });
const each = (...values: readonly Value[]): readonly (readonly Value[])[] => values.map((value) => [value]);

const byteOrder: Probe[] = ["htons", "ntohs", "htonl", "ntohl"].flatMap((call) =>
  calls(
    "B11",
    call,
    ...each(0, 1, 255, 256, 0x1234, 65535, 65536, 0x12345678, 0xffffffff, 0x100000000, -1, "1", null, {
      float: 1.5,
    }),
  ),
);

const inetTexts: Probe[] = [
  ...calls(
    "B11",
    "inet_aton",
    ...each("127.0.0.1", "0.0.0.0", "255.255.255.255", "1.2", "1.2.3", "1.2.65535", "1.65536"),
  ),
  ...calls(
    "B11",
    "inet_aton",
    ...each("127.1", "0x7f.1", "0177.0.0.01", "2130706433", "4294967295", "4294967296", "0X7F000001"),
  ),
  ...calls(
    "B11",
    "inet_aton",
    ...each("", " ", "a", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "1..2", "1.", ".1", "08", "0x", "::1"),
  ),
  ...calls(
    "B11",
    "inet_aton",
    ...each("127.0.0.1 x", "127.0.0.1x", " 127.0.0.1", "-1", "+1", "1e3", 1, null, b("1.2.3.4")),
  ),
  ...calls(
    "B11",
    "inet_ntoa",
    ...each(
      b("\x7f\0\0\x01"),
      b("\0\0\0\0"),
      b("\xff\xff\xff\xff"),
      b("\x01\x02\x03"),
      b("12345"),
      b(""),
      "abcd",
    ),
  ),
];

const pton = [
  "127.0.0.1",
  "255.255.255.255",
  "1.2.3",
  "127.1",
  "01.2.3.4",
  "1.2.3.4 ",
  "256.0.0.0",
  "",
  "0x7f.0.0.1",
];
const pton6 = [
  ...[
    "::",
    "::1",
    "1::",
    "FE80::ABCD",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "::ffff:1.2.3.4",
  ],
  ...[
    "::1.2.3.4",
    "64:ff9b::1.2.3.4",
    "1:0:0:2::3",
    "::1%lo",
    "::1%1",
    "fe80::1%lo",
    "1::2::3",
    "12345::",
    "g::",
    "",
    ":",
  ],
  ...["1:2:3:4:5:6:7:8:9", "::1 ", "1.2.3.4", "[::1]", "::256.1.1.1", ":::"],
];
const packed6 = [
  ...[
    "\0".repeat(16),
    `${"\0".repeat(15)}\x01`,
    `\x20\x01\x0d\xb8${"\0".repeat(11)}\x01`,
    `${"\0".repeat(10)}\xff\xff\x01\x02\x03\x04`,
  ],
  ...[
    `${"\0".repeat(12)}\x01\x02\x03\x04`,
    `${"\0\x01\0\0".repeat(4)}`,
    `${"\0\0\0\x01".repeat(4)}`,
    "\xff".repeat(16),
    "\xab\xcd".repeat(8),
  ],
  ...["\0".repeat(4), "\0".repeat(15), ""],
];

const presentation: Probe[] = [
  ...calls("B11", "inet_pton", ...pton.map((text) => ["$AF_INET", text])),
  ...calls("B11", "inet_pton", ...pton6.map((text) => ["$AF_INET6", text])),
  ...calls("B11", "inet_pton", ["$AF_INET", 1], ["$AF_INET6", b("::1")]),
  ...calls("B11", "inet_ntop", ...packed6.map((bytes) => ["$AF_INET6", b(bytes)])),
  ...calls(
    "B11",
    "inet_ntop",
    ["$AF_INET", b("\x01\x02\x03\x04")],
    ["$AF_INET", b("12345")],
    ["$AF_UNIX", b("1234")],
    ["$AF_INET", "1234"],
  ),
];

const services: Probe[] = [
  ...calls(
    "B10",
    "getservbyname",
    ["http"],
    ["http", "tcp"],
    ["domain", "udp"],
    ["domain", "tcp"],
    ["smtp"],
    ["no-such-service"],
  ),
  ...calls("B10", "getservbyname", ["http", "no-such-protocol"], [""], ["80"], [80]),
  ...calls(
    "B10",
    "getservbyport",
    [80],
    [80, "tcp"],
    [53, "udp"],
    [25],
    [65535],
    [65536],
    [-1],
    ["80"],
    [80, "no-such-protocol"],
  ),
  ...calls(
    "B10",
    "getprotobyname",
    ["tcp"],
    ["udp"],
    ["icmp"],
    ["ipv6-icmp"],
    ["no-such-protocol"],
    [""],
    [6],
  ),
  ...calls("B10", "if_nametoindex", ["lo"], ["no-such-if"], [""], [1]),
  ...calls("B10", "if_indextoname", [1], [0], [-1], [99999], ["1"]),
  ...calls("B10", "if_nameindex", []),
  ...calls("B10", "gethostname", []),
];

const hosts: Probe[] = [
  ...calls(
    "B10",
    "gethostbyname",
    ...each("localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "", "<broadcast>", "::1", "1.2.3.4.5"),
  ),
  ...calls("B10", "gethostbyname", ...each(null, { repeat: ["a", 64] }, "a..b", { repeat: ["ab.", 3] })),
  ...calls("B10", "gethostbyname_ex", ...each("127.0.0.1", "localhost", "0.0.0.0", null)),
  ...calls("B10", "gethostbyaddr", ...each("127.0.0.1", "localhost", "::1", null)),
  ...calls("B10", "getfqdn", ...each("127.0.0.1", "localhost")),
  ...calls("B10", "getfqdn", []),
];

const nameinfo: Probe[] = calls(
  "B10",
  "getnameinfo",
  ...[
    ["127.0.0.1", 80],
    ["127.0.0.1", 0],
    ["::1", 80],
    ["::1", 80, 0, 0],
    ["::1", 443, 5, 0],
  ].map((address) => [address, 0]),
  ...["$NI_NUMERICHOST", "$NI_NUMERICSERV", "$NI_NUMERICHOST|NI_NUMERICSERV", "$NI_NAMEREQD"].map((flags) => [
    ["127.0.0.1", 80],
    flags,
  ]),
  [["127.0.0.1", 514], "$NI_DGRAM"],
  [["127.0.0.1", 514], 0],
  [["localhost", 80], 0],
  [["::1", 80, 0x100000, 0], 0],
  [["::1", 80, -1, 0], 0],
  [["fe80::1", 80, 0, 1], "$NI_NUMERICHOST|NI_NUMERICSERV"],
  [["::ffff:1.2.3.4", 80], "$NI_NUMERICHOST|NI_NUMERICSERV"],
  [["127.0.0.1"], 0],
  ["127.0.0.1", 0],
);

const type = "$SOCK_STREAM";
const addrinfo: Probe[] = [
  ...calls(
    "B10",
    "getaddrinfo",
    ...each("127.0.0.1", "::1", "", null, "127.1", "0x7f000001", "localhost").map(([host]) => [
      host as Value,
      null,
      0,
      type,
    ]),
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ...each(80, "80", "http", b("http"), 0, 65535, "no-such-service", "").map(([port]) => [
      "127.0.0.1",
      port as Value,
      0,
      type,
    ]),
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    [null, 80, 0, type],
    [null, 80, "$AF_INET", type, 0, "$AI_PASSIVE"],
    [null, 80, "$AF_INET6", type, 0, "$AI_PASSIVE"],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["127.0.0.1", 80],
    ["::1", 80],
    ["127.0.0.1", 80, "$AF_INET6", type],
    ["::1", 80, "$AF_INET", type],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["127.0.0.1", 80, 0, 0, "$IPPROTO_UDP"],
    ["127.0.0.1", 80, 0, "$SOCK_DGRAM"],
    ["127.0.0.1", 80, 0, "$SOCK_RAW"],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["127.0.0.1", "http", 0, "$SOCK_RAW"],
    ["127.0.0.1", "domain", 0, "$SOCK_DGRAM"],
    ["127.0.0.1", 80, 0, "$SOCK_SEQPACKET"],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["127.0.0.1", 80, 99],
    ["127.0.0.1", 80, 0, 99],
    ["127.0.0.1", 80, 0, type, "$IPPROTO_UDP"],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["localhost", 80, "$AF_INET", type, 0, "$AI_CANONNAME"],
    ["127.0.0.1", 80, 0, type, 0, "$AI_CANONNAME"],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["localhost", 80, 0, type, 0, "$AI_NUMERICHOST"],
    ["127.0.0.1", "http", 0, type, 0, "$AI_NUMERICSERV"],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["::1", 80, "$AF_INET6", type, 0, "$AI_V4MAPPED"],
    ["127.0.0.1", 80, "$AF_INET6", type, 0, "$AI_V4MAPPED"],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["fe80::1%lo", 80, 0, type],
    ["fe80::1%1", 80, 0, type],
    ["::1%no-such-if", 80, 0, type],
    [b("127.0.0.1"), 80, 0, type],
  ),
  ...calls(
    "B10",
    "getaddrinfo",
    ["127.0.0.1", 80, 0, type, 0, 0x8000],
    ["127.0.0.1", { float: 80.5 }, 0, type],
    [{ repeat: ["a", 64] }, 80],
    ["a..b", 80],
  ),
  ...calls("B10", "getaddrinfo", [{ float: 1.5 }, 80], ["127.0.0.1", " 80", 0, type]),
];

export const nameProbes: Probe[] = [
  ...byteOrder,
  ...inetTexts,
  ...presentation,
  ...services,
  ...hosts,
  ...nameinfo,
  ...addrinfo,
];
