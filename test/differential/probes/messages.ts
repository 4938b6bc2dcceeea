/** B13 and B14: options, and messages with ancillary data. */
import { calls, group, type Probe, type Step, type Value } from "../language.js";

const tcp: Step = ["s=socket"];
const udp: Step = ["s=socket", "$AF_INET", "$SOCK_DGRAM"];
const b = (text: string): Value => ({ b: text });

/** What an option is before anybody sets it. */
const initial = (socket: Step, level: string, ...names: readonly string[]): Probe[] =>
  names.map((name) => ({
    name: `B13 initial ${name} of ${socket.slice(1).join(" ") || "TCP"}`,
    steps: [socket, ["s.getsockopt", level, name]],
  }));

/** What an option is after it was set. */
const set = (
  socket: Step,
  level: string,
  ...pairs: readonly (readonly [name: string, value: Value])[]
): Probe[] =>
  pairs.map(([name, value]) => ({
    name: `B13 set ${name} to ${JSON.stringify(value)}`,
    steps: [socket, ["s.setsockopt", level, name, value], ["s.getsockopt", level, name]],
  }));

const options: Probe[] = [
  ...initial(
    tcp,
    "$SOL_SOCKET",
    "$SO_TYPE",
    "$SO_REUSEADDR",
    "$SO_KEEPALIVE",
    "$SO_ERROR",
    "$SO_ACCEPTCONN",
    "$SO_RCVBUF",
    "$SO_SNDBUF",
  ),
  ...initial(
    tcp,
    "$SOL_SOCKET",
    "$SO_DOMAIN",
    "$SO_PROTOCOL",
    "$SO_PRIORITY",
    "$SO_RCVLOWAT",
    "$SO_OOBINLINE",
  ),
  ...initial(
    tcp,
    "$IPPROTO_TCP",
    "$TCP_NODELAY",
    "$TCP_KEEPIDLE",
    "$TCP_KEEPINTVL",
    "$TCP_KEEPCNT",
    "$TCP_USER_TIMEOUT",
    "$TCP_MAXSEG",
  ),
  ...initial(tcp, "$IPPROTO_IP", "$IP_TTL", "$IP_TOS", "$IP_MULTICAST_TTL"),
  ...initial(udp, "$SOL_SOCKET", "$SO_BROADCAST", "$SO_TYPE"),
  ...initial(udp, "$IPPROTO_IP", "$IP_MULTICAST_LOOP", "$IP_MULTICAST_ALL", "$IP_PKTINFO"),
  ...initial(udp, "$IPPROTO_TCP", "$TCP_NODELAY"),
  ...set(
    tcp,
    "$SOL_SOCKET",
    ["$SO_REUSEADDR", 1],
    ["$SO_REUSEADDR", true],
    ["$SO_REUSEPORT", 1],
    ["$SO_KEEPALIVE", b("\x01\0\0\0")],
  ),
  ...set(
    tcp,
    "$SOL_SOCKET",
    ["$SO_RCVBUF", 8192],
    ["$SO_SNDBUF", 16384],
    ["$SO_RCVBUF", 0],
    ["$SO_PRIORITY", 3],
    ["$SO_TYPE", 1],
  ),
  ...set(
    tcp,
    "$IPPROTO_TCP",
    ["$TCP_NODELAY", 1],
    ["$TCP_KEEPIDLE", 77],
    ["$TCP_KEEPIDLE", 0],
    ["$TCP_USER_TIMEOUT", 1234],
    ["$TCP_CORK", 1],
  ),
  ...set(
    tcp,
    "$IPPROTO_IP",
    ["$IP_TTL", 42],
    ["$IP_TTL", 0],
    ["$IP_TTL", 256],
    ["$IP_TOS", 16],
    ["$IP_TTL", "42"],
    ["$IP_TTL", { float: 1.5 }],
  ),
  ...set(
    udp,
    "$IPPROTO_IP",
    ["$IP_MULTICAST_TTL", 5],
    ["$IP_MULTICAST_LOOP", 0],
    ["$IP_MULTICAST_TTL", b("\x07")],
    ["$IP_RECVTOS", 1],
  ),
];

const optionForms: Probe[] = group("B13", {
  "an option as bytes": [tcp, ["s.getsockopt", "$SOL_SOCKET", "$SO_TYPE", 4]],
  "an option cut short": [tcp, ["s.getsockopt", "$SOL_SOCKET", "$SO_TYPE", 2]],
  "a length of 0": [tcp, ["s.getsockopt", "$SOL_SOCKET", "$SO_TYPE", 0]],
  "a length of 1024": [tcp, ["s.getsockopt", "$SOL_SOCKET", "$SO_TYPE", 1024]],
  "a length of 1025": [tcp, ["s.getsockopt", "$SOL_SOCKET", "$SO_TYPE", 1025]],
  "a length of -1": [tcp, ["s.getsockopt", "$SOL_SOCKET", "$SO_TYPE", -1]],
  SO_LINGER: [
    tcp,
    ["s.setsockopt", "$SOL_SOCKET", "$SO_LINGER", b("\x01\0\0\0\x05\0\0\0")],
    ["s.getsockopt", "$SOL_SOCKET", "$SO_LINGER", 8],
  ],
  "SO_LINGER as a number": [tcp, ["s.setsockopt", "$SOL_SOCKET", "$SO_LINGER", 1]],
  "an option that is none": [
    tcp,
    ["s.getsockopt", "$SOL_SOCKET", 9999],
    ["s.setsockopt", "$SOL_SOCKET", 9999, 1],
  ],
  "a level that is none": [tcp, ["s.getsockopt", 9999, 1], ["s.setsockopt", 9999, 1, 1]],
  "an option that is text": [tcp, ["s.getsockopt", "$SOL_SOCKET", "SO_TYPE"]],
  "a value of null without a length": [tcp, ["s.setsockopt", "$SOL_SOCKET", "$SO_REUSEADDR", null]],
  "a value of null with a length": [tcp, ["s.setsockopt", "$SOL_SOCKET", "$SO_REUSEADDR", null, 4]],
  "a value with a length": [tcp, ["s.setsockopt", "$SOL_SOCKET", "$SO_REUSEADDR", 1, 4]],
  "too few bytes": [tcp, ["s.setsockopt", "$SOL_SOCKET", "$SO_REUSEADDR", b("\x01")]],
  "a number beyond 32 bits": [tcp, ["s.setsockopt", "$SOL_SOCKET", "$SO_PRIORITY", 0x1_0000_0000]],
  "a multicast group": [
    udp,
    ["s.setsockopt", "$IPPROTO_IP", "$IP_ADD_MEMBERSHIP", b("\xef\x01\x02\x03\x7f\0\0\x01")],
    ["s.setsockopt", "$IPPROTO_IP", "$IP_ADD_MEMBERSHIP", b("\xef\x01\x02\x03\x7f\0\0\x01")],
    ["s.setsockopt", "$IPPROTO_IP", "$IP_DROP_MEMBERSHIP", b("\xef\x01\x02\x03\x7f\0\0\x01")],
  ],
  "SO_BINDTODEVICE of no device": [
    tcp,
    ["s.setsockopt", "$SOL_SOCKET", "$SO_BINDTODEVICE", b("no-such-if\0")],
  ],
  TCP_CONGESTION: [
    tcp,
    ["s.setsockopt", "$IPPROTO_TCP", "$TCP_CONGESTION", b("reno")],
    ["s.getsockopt", "$IPPROTO_TCP", "$TCP_CONGESTION", 16],
  ],
  IPV6_V6ONLY: [
    ["s=socket", "$AF_INET6"],
    ["s.setsockopt", "$IPPROTO_IPV6", "$IPV6_V6ONLY", 1],
    ["s.getsockopt", "$IPPROTO_IPV6", "$IPV6_V6ONLY"],
  ],
});

const sizes: Probe[] = [
  ...calls("B14", "CMSG_LEN", [0], [1], [4], [12]),
  ...calls("B14", "CMSG_SPACE", [0], [1], [4], [12], [8]),
];

const pair: Step = ["~p=socketpair"];
const dgrams: Step = ["~p=socketpair", "$AF_UNIX", "$SOCK_DGRAM"];
const udpPair: readonly Step[] = [
  ["r=socket", "$AF_INET", "$SOCK_DGRAM"],
  ["r.bind", ["127.0.0.1", 0]],
  ["~a=r.getsockname"],
  udp,
];
const credentials: Step = ["p[1].setsockopt", "$SOL_SOCKET", "$SO_PASSCRED", 1];

const messages: Probe[] = group("B14", {
  "sendmsg gathers": [pair, ["p[0].sendmsg", [b("one"), b(""), b("two")]], ["p[1].recv", 20]],
  "sendmsg of nothing": [pair, ["p[0].sendmsg", []]],
  "sendmsg of text": [pair, ["p[0].sendmsg", ["text"]], ["p[0].sendmsg", 5], ["p[0].sendmsg", [5]]],
  "sendmsg to an address": [...udpPair, ["s.sendmsg", [b("x")], [], "@a"], ["r.recvmsg", 10, 0]],
  "sendmsg with flags": [pair, ["p[0].sendmsg", [b("x")], [], null, "$MSG_DONTWAIT"], ["p[1].recv", 10]],
  "sendmsg without an address": [udp, ["s.sendmsg", [b("x")]]],
  "ancillary data that are no list": [pair, ["p[0].sendmsg", [b("x")], 5]],
  "ancillary data of two parts": [pair, ["p[0].sendmsg", [b("x")], [["$SOL_SOCKET", "$SCM_RIGHTS"]]]],
  "ancillary data of four parts": [
    pair,
    ["p[0].sendmsg", [b("x")], [["$SOL_SOCKET", "$SCM_RIGHTS", b("\0\0\0\0"), 1]]],
  ],
  "ancillary data that are text": [
    pair,
    ["p[0].sendmsg", [b("x")], [["$SOL_SOCKET", "$SCM_RIGHTS", "text"]]],
  ],
  "ancillary data of a kind that is none": [
    pair,
    ["p[0].sendmsg", [b("x")], [["$SOL_SOCKET", 99, b("\0\0\0\0")]]],
  ],
  "a descriptor that is none": [
    pair,
    ["p[0].sendmsg", [b("x")], [["$SOL_SOCKET", "$SCM_RIGHTS", b("\xff\xff\0\0")]]],
  ],
  recvmsg: [pair, ["p[0].send", b("hello")], ["p[1].recvmsg", 10, 0]],
  "recvmsg(-1)": [pair, ["p[1].recvmsg", -1, 0], ["p[1].recvmsg", 1, -1]],
  "recvmsg of text": [pair, ["p[1].recvmsg", "1", 0]],
  "recvmsg of nothing": [pair, ["p[0].send", b("x")], ["p[1].recvmsg", 0, 0], ["p[1].recv", 5]],
  "recvmsg at the end of file": [pair, ["p[0].close"], ["p[1].recvmsg", 10, 0]],
  "recvmsg of a datagram": [...udpPair, ["s.sendto", b("dgram"), "@a"], ["r.recvmsg", 10, 0]],
  "a datagram cut short": [...udpPair, ["s.sendto", b("dgram"), "@a"], ["r.recvmsg", 2, 0]],
  "a datagram's real length": [
    ...udpPair,
    ["s.sendto", b("dgram"), "@a"],
    ["b=buffer", 2],
    ["r.recvmsg_into", ["@b"], 0, "$MSG_TRUNC"],
    ["slice", "@b", 0, 2],
  ],
  "recvmsg with MSG_PEEK": [
    dgrams,
    ["p[0].send", b("dgram")],
    ["p[1].recvmsg", 3, 0, "$MSG_PEEK"],
    ["p[1].recvmsg", 9, 0],
  ],
  recvmsg_into: [
    pair,
    ["p[0].send", b("0123456")],
    ["b=buffer", 2],
    ["c=buffer", 3],
    ["p[1].recvmsg_into", ["@b", "@c"], 0],
    ["slice", "@b", 0, 2],
    ["slice", "@c", 0, 3],
    ["p[1].recv", 9],
  ],
  "recvmsg_into nothing": [dgrams, ["p[0].send", b("x")], ["p[1].recvmsg_into", [], 0]],
  "recvmsg_into a number": [pair, ["p[1].recvmsg_into", 5, 0], ["p[1].recvmsg_into", [5], 0]],
  "a record's end": [
    ["~p=socketpair", "$AF_UNIX", "$SOCK_SEQPACKET"],
    ["p[0].sendmsg", [b("x")], [], null, "$MSG_EOR"],
    ["p[1].recvmsg", 5, 0],
  ],
  "the TTL of a datagram": [
    ...udpPair,
    ["s.setsockopt", "$IPPROTO_IP", "$IP_TTL", 33],
    ["r.setsockopt", "$IPPROTO_IP", "$IP_RECVTTL", 1],
    ["s.sendto", b("x"), "@a"],
    ["r.recvmsg", 9, 100],
  ],
  "the TOS of a datagram": [
    ...udpPair,
    ["s.setsockopt", "$IPPROTO_IP", "$IP_TOS", 8],
    ["r.setsockopt", "$IPPROTO_IP", "$IP_RECVTOS", 1],
    ["s.sendto", b("x"), "@a"],
    ["r.recvmsg", 9, 100],
  ],
  "no room for the TTL": [
    ...udpPair,
    ["r.setsockopt", "$IPPROTO_IP", "$IP_RECVTTL", 1],
    ["s.sendto", b("x"), "@a"],
    ["r.recvmsg", 9, 0],
  ],
  "half the room for the TTL": [
    ...udpPair,
    ["r.setsockopt", "$IPPROTO_IP", "$IP_RECVTTL", 1],
    ["s.sendto", b("x"), "@a"],
    ["r.recvmsg", 9, 18],
  ],
  "the TTL sent with a datagram": [
    ...udpPair,
    ["r.setsockopt", "$IPPROTO_IP", "$IP_RECVTTL", 1],
    ["s.sendmsg", [b("x")], [["$IPPROTO_IP", "$IP_TTL", b("\x15\0\0\0")]], "@a"],
    ["r.recvmsg", 9, 100],
  ],
  "the destination of a datagram": [
    ...udpPair,
    ["r.setsockopt", "$IPPROTO_IP", "$IP_PKTINFO", 1],
    ["s.sendto", b("x"), "@a"],
    ["r.recvmsg", 9, 100],
  ],
  "no room for credentials": [pair, credentials, ["p[0].send", b("x")], ["p[1].recvmsg", 9, 0]],
  "hop limit and traffic class of IPv6": [
    ["r=socket", "$AF_INET6", "$SOCK_DGRAM"],
    ["r.bind", ["::1", 0]],
    ["~a=r.getsockname"],
    ["r.setsockopt", "$IPPROTO_IPV6", "$IPV6_RECVHOPLIMIT", 1],
    ["r.setsockopt", "$IPPROTO_IPV6", "$IPV6_RECVTCLASS", 1],
    ["s=socket", "$AF_INET6", "$SOCK_DGRAM"],
    ["s.setsockopt", "$IPPROTO_IPV6", "$IPV6_UNICAST_HOPS", 21],
    ["s.setsockopt", "$IPPROTO_IPV6", "$IPV6_TCLASS", 8],
    ["s.sendto", b("x"), "@a"],
    ["r.recvmsg", 9, 200],
  ],
});

export const messageProbes: Probe[] = [...options, ...optionForms, ...sizes, ...messages];
