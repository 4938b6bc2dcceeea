/** Where hawser is not to do as Python does. docs/differences-from-python.md says why. */
import type { Difference, Result, Step } from "../language.js";

const pair: Step = ["~p=socketpair"];
const udp: Step = ["s=socket", "$AF_INET", "$SOCK_DGRAM"];
const tcpPair: readonly Step[] = [
  ["l=socket"],
  ["l.bind", ["127.0.0.1", 0]],
  ["l.listen"],
  ["~a=l.getsockname"],
  ["c=socket"],
  ["c.connect", "@a"],
  ["~n=l.accept"],
];
const argument = { error: "argument" };
const timeout = { error: "timeout" };
const errno = (number: number): Result => ({ error: "errno", number });
const EBADF = errno(9);
const EAGAIN = errno(11);
const EINVAL = errno(22);
const EAFNOSUPPORT = errno(97);
const ENETUNREACH = errno(101);
const ECONNREFUSED = errno(111);
const short = { float: 0.02 };

export const differences: readonly Difference[] = [
  {
    id: "stale-bytes",
    steps: [
      udp,
      ["s.bind", ["127.0.0.1", 0]],
      ["~a=s.getsockname"],
      ["s.sendto", { b: "0123456789" }, "@a"],
      ["~d=s.recv", 4, "$MSG_TRUNC"],
      ["len", "@d"],
    ],
    python: 10,
    hawser: 4,
  },
  {
    id: "nul-in-path",
    steps: [
      ["s=socket", "$AF_UNIX"],
      ["s.bind", "{tmp}/x\0y"],
    ],
    python: null,
    hawser: argument,
  },
  {
    id: "nul-in-path",
    steps: [
      ["s=socket", "$AF_UNIX"],
      ["s.bind", { b: "{tmp}/x\0y" }],
    ],
    python: null,
    hawser: argument,
  },
  {
    id: "nul-in-host",
    steps: [["getaddrinfo", "127.0.0.1\0x", 80, 0, "$SOCK_STREAM"]],
    python: [[2, 1, 6, "", ["127.0.0.1", 80]]],
    hawser: argument,
  },
  {
    id: "port-wrap",
    steps: [["getaddrinfo", "127.0.0.1", 70_000, 0, "$SOCK_STREAM"]],
    python: [[2, 1, 6, "", ["127.0.0.1", 4464]]],
    hawser: argument,
  },
  {
    id: "port-wrap",
    steps: [["getaddrinfo", "127.0.0.1", "70000", 0, "$SOCK_STREAM"]],
    python: [[2, 1, 6, "", ["127.0.0.1", 4464]]],
    hawser: argument,
  },
  {
    id: "service-names",
    steps: [udp, ["s.connect", ["127.0.0.1", "domain"]]],
    python: argument,
    hawser: null,
  },
  { id: "digit-ports", steps: [udp, ["s.connect", ["127.0.0.1", "80"]]], python: argument, hawser: null },
  {
    id: "digit-ports",
    steps: [udp, ["s.bind", ["127.0.0.1", "70000"]], ["s.bind", ["127.0.0.1", "0"]]],
    python: argument,
    hawser: null,
  },
  { id: "integer-hosts", steps: [udp, ["s.connect", [0x7f000001, 9]]], python: argument, hawser: null },
  {
    id: "happy-eyeballs",
    // No host is both loopback addresses, whatever the machine calls itself.
    steps: [
      ["l=socket"],
      ["l.bind", ["127.0.0.1", 0]],
      ["~a=l.getsockname"],
      ["l.close"],
      ["create_connection", [null, "@a[1]"]],
    ],
    python: ECONNREFUSED,
    hawser: { error: "several" },
  },
  {
    id: "connection-timeout",
    steps: [
      ["l=socket"],
      ["l.bind", ["127.0.0.1", 0]],
      ["l.listen"],
      ["~a=l.getsockname"],
      ["c=create_connection", "@a", 5],
      ["c.gettimeout"],
    ],
    python: 5,
    hawser: null,
  },
  { id: "always-nonblocking", steps: [["s=socket"], ["s.o_nonblock"]], python: false, hawser: true },
  {
    id: "milliseconds",
    steps: [["s=socket"], ["s.set_timeout", 40], ["s.timeout_ms"]],
    python: 40_000,
    hawser: 40,
  },
  {
    id: "recvfrom-address",
    steps: [
      ["~p=socketpair", "$AF_UNIX", "$SOCK_DGRAM"],
      ["p[0].send", { b: "x" }],
      ["p[1].recvfrom", 5],
    ],
    python: [{ b: "x" }, null],
    hawser: [{ b: "x" }, ""],
  },
  {
    id: "recvfrom-address",
    steps: [...tcpPair, ["c.send", { b: "x" }], ["n[0].recvfrom", 5]],
    python: [{ b: "x" }, null],
    hawser: [{ b: "x" }, ["127.0.0.1", "port"]],
  },
  { id: "early-refusal", steps: [["inet_pton", "$AF_UNIX", "::1"]], python: EAFNOSUPPORT, hawser: argument },
  {
    id: "early-refusal",
    steps: [["getaddrinfo", "127.0.0.1", "-1", 0, "$SOCK_STREAM"]],
    python: { error: "resolver", number: -8 },
    hawser: argument,
  },
  {
    id: "received-close-on-exec",
    steps: [
      pair,
      ["writefile", "{tmp}/f", { b: "x" }],
      ["~fd=open", "{tmp}/f"],
      ["send_fds", "@p[0]", { b: "x" }, ["@fd"]],
      ["~closefd", "@fd"],
      ["recv_fds", "@p[1]", 10, 1],
    ],
    python: [{ b: "x" }, [false], 0],
    hawser: [{ b: "x" }, [true], 0],
  },
  {
    id: "dontwait",
    steps: [pair, ["p[1].settimeout", short], ["p[1].recv", 3, "$MSG_DONTWAIT"]],
    python: timeout,
    hawser: EAGAIN,
  },
  {
    id: "urgent-wait",
    steps: [
      ...tcpPair,
      ["c.send", { b: "!" }, "$MSG_OOB"],
      ["n[0].settimeout", { float: 0.1 }],
      ["n[0].recv", 1, "$MSG_OOB"],
    ],
    python: timeout,
    hawser: { b: "!" },
  },
  {
    id: "ipv6-zone",
    steps: [
      ["s=socket", "$AF_INET6", "$SOCK_DGRAM"],
      ["s.connect", ["fe80::1%lo", 9]],
    ],
    python: EINVAL,
    hawser: ENETUNREACH,
  },
  {
    id: "connect-ex-timeout",
    steps: [
      ["l=socket"],
      ["l.bind", ["127.0.0.1", 0]],
      ["l.listen", 0],
      ["~a=l.getsockname"],
      ["x=socket"],
      ["x.connect", "@a"],
      ["c=socket"],
      ["c.settimeout", short],
      ["c.connect_ex", "@a"],
    ],
    python: 11,
    hawser: timeout,
  },
  {
    id: "closed-with-a-file",
    steps: [pair, ["f=p[1].makefile", "rb"], ["p[1].close"], ["p[1].recv", 1, "$MSG_DONTWAIT"]],
    python: EAGAIN,
    hawser: EBADF,
  },
  {
    id: "sendfile-position",
    steps: [
      pair,
      ["writefile", "{tmp}/f", { b: "0123" }],
      ["~f=openfile", "{tmp}/f"],
      ["p[0].sendfile", "@f"],
      ["position", "@f"],
    ],
    python: 4,
    hawser: 0,
  },
  {
    id: "buffered-never-waiting",
    steps: [
      pair,
      ["p[0].send", { b: "ab" }],
      ["p[1].setblocking", false],
      ["f=p[1].makefile", "rb"],
      ["f.read", 5],
    ],
    python: { b: "ab" },
    hawser: EAGAIN,
  },
  {
    id: "lenient-text",
    steps: [pair, ["p[0].send", { b: "\xff\n" }], ["f=p[1].makefile", "r"], ["f.readline"]],
    python: argument,
    hawser: "\ufffd\n",
  },
  { id: "makefile-modes", steps: [pair, ["f=p[0].makefile", "br"]], python: "file", hawser: argument },
];
