/** B8, B9 and B12: addresses of every family as calls take and give them, and the helpers that connect and serve. */
import { group, type Probe, type Step, type Value } from "../language.js";

const udp: Step = ["s=socket", "$AF_INET", "$SOCK_DGRAM"];
const udp6: Step = ["s=socket", "$AF_INET6", "$SOCK_DGRAM"];
const b = (text: string): Value => ({ b: text });

/** Binds a datagram socket, which needs nobody else, and asks for its name. */
const bound = (socket: Step, address: Value): readonly Step[] => [
  socket,
  ["s.bind", address],
  ["s.getsockname"],
];
/** Connects a datagram socket, which sends nothing, and asks for the peer's name. */
const peer = (socket: Step, address: Value): readonly Step[] => [
  socket,
  ["s.connect", address],
  ["s.getpeername"],
];

const inet: Probe[] = group("B8", {
  loopback: bound(udp, ["127.0.0.1", 0]),
  INADDR_ANY: bound(udp, ["", 0]),
  "0.0.0.0": bound(udp, ["0.0.0.0", 0]),
  "a name": bound(udp, ["localhost", 0]),
  "another loopback address": bound(udp, ["127.1.2.3", 0]),
  "two parts": bound(udp, ["127.1", 0]),
  hexadecimal: bound(udp, ["0x7f.0.0.1", 0]),
  "one number": bound(udp, ["2130706433", 0]),
  broadcast: [udp, ["s.setsockopt", "$SOL_SOCKET", "$SO_BROADCAST", 1], ["s.connect", ["<broadcast>", 9]]],
  "broadcast without leave": peer(udp, ["<broadcast>", 9]),
  "an address of no interface": bound(udp, ["192.0.2.1", 0]),
  "an IPv6 address": bound(udp, ["::1", 0]),
  "port 65535": peer(udp, ["127.0.0.1", 65535]),
  "port 65536": peer(udp, ["127.0.0.1", 65536]),
  "port -1": peer(udp, ["127.0.0.1", -1]),
  "a port that is a fraction": peer(udp, ["127.0.0.1", { float: 80.5 }]),
  "a port of null": peer(udp, ["127.0.0.1", null]),
  "a host of null": peer(udp, [null, 9]),
  "a host that is a fraction": peer(udp, [{ float: 1.5 }, 9]),
  "one part": peer(udp, ["127.0.0.1"]),
  "three parts": peer(udp, ["127.0.0.1", 9, 0]),
  "no parts": peer(udp, []),
  text: peer(udp, "127.0.0.1:9"),
  null: peer(udp, null),
  "a number": peer(udp, 9),
  "a bound address again": [
    ["l=socket"],
    ["l.bind", ["127.0.0.1", 0]],
    ["l.listen"],
    ["~a=l.getsockname"],
    ["t=socket"],
    ["t.bind", "@a"],
  ],
  "bind twice": [["s=socket"], ["s.bind", ["127.0.0.1", 0]], ["s.bind", ["127.0.0.1", 0]]],
  "getsockname of a new socket": [["s=socket"], ["s.getsockname"]],
  "getpeername of a new socket": [["s=socket"], ["s.getpeername"]],
  "connect a datagram socket to 0.0.0.0": peer(udp, ["0.0.0.0", 9]),
  "connect_ex with a bad address": [["s=socket"], ["s.connect_ex", ["127.0.0.1"]]],
  "connect_ex with a bad port": [["s=socket"], ["s.connect_ex", ["127.0.0.1", 70_000]]],
  "listen on a datagram socket": [udp, ["s.listen"]],
  "listen with a backlog": [
    ["s=socket"],
    ["s.bind", ["127.0.0.1", 0]],
    ["s.listen", 0],
    ["s.listen", 5],
    ["s.listen", -1],
  ],
  "listen with text": [["s=socket"], ["s.listen", "5"]],
  "accept without listen": [["s=socket"], ["s.accept"]],
  "accept of a datagram socket": [udp, ["s.accept"]],
});

const inet6: Probe[] = group("B8 IPv6", {
  loopback: bound(udp6, ["::1", 0]),
  any: bound(udp6, ["", 0]),
  "all four parts": peer(udp6, ["::1", 9, 0, 0]),
  "flow information": peer(udp6, ["::1", 9, 5, 0]),
  "the most flow information": peer(udp6, ["::1", 9, 0xfffff, 0]),
  "too much flow information": peer(udp6, ["::1", 9, 0x100000, 0]),
  "negative flow information": peer(udp6, ["::1", 9, -1, 0]),
  "a scope": peer(udp6, ["fe80::1", 9, 0, 1]),
  "a scope that is text": peer(udp6, ["fe80::1", 9, 0, "lo"]),
  "a mapped address": peer(udp6, ["::ffff:127.0.0.1", 9]),
  "upper case": peer(udp6, ["::FFFF:7F00:1", 9]),
  broadcast: peer(udp6, ["<broadcast>", 9]),
  "an IPv4 address": peer(udp6, ["127.0.0.1", 9]),
  "port 65536": peer(udp6, ["::1", 65536]),
  "five parts": peer(udp6, ["::1", 9, 0, 0, 0]),
  "a datagram": [
    udp6,
    ["s.bind", ["::1", 0]],
    ["~a=s.getsockname"],
    ["t=socket", "$AF_INET6", "$SOCK_DGRAM"],
    ["t.sendto", b("x"), "@a"],
    ["s.recvfrom", 5],
  ],
});

const stream: Step = ["s=socket", "$AF_UNIX", "$SOCK_STREAM"];

const unix: Probe[] = group("B9", {
  "a path": [...bound(stream, "{tmp}/x"), ["exists", "{tmp}/x"]],
  "a path as bytes": bound(stream, b("{tmp}/x")),
  "a path beyond ASCII": bound(stream, "{tmp}/ä€"),
  "a path that is not UTF-8": bound(stream, b("{tmp}/\xff\xfe")),
  "107 bytes": [stream, ["s.bind", { path: 107 }], ["~n=s.getsockname"], ["len", "@n"]],
  "108 bytes": bound(stream, { path: 108 }),
  "an empty path binds to a name of the kernel's": [
    stream,
    ["s.bind", ""],
    ["~n=s.getsockname"],
    ["len", "@n"],
  ],
  "no name": [stream, ["s.getsockname"]],
  "no peer": [stream, ["s.getpeername"]],
  "an abstract name": bound(stream, b("\0{tmp}")),
  "an abstract name that is text": bound(stream, "\0{tmp}"),
  "an abstract name with NUL": bound(stream, b("\0{tmp}\0b\0")),
  "the longest abstract name": [stream, ["s.bind", b(`\0{tmp}`.padEnd(92, "x"))]],
  "an abstract name that is too long": [stream, ["s.bind", b(`\0{tmp}`.padEnd(120, "x"))]],
  "abstract names differ by length": [
    stream,
    ["s.bind", b("\0{tmp}a")],
    ["t=socket", "$AF_UNIX", "$SOCK_STREAM"],
    ["t.bind", b("\0{tmp}a\0")],
    ["t.getsockname"],
  ],
  "a bound path again": [
    stream,
    ["s.bind", "{tmp}/x"],
    ["t=socket", "$AF_UNIX", "$SOCK_STREAM"],
    ["t.bind", "{tmp}/x"],
  ],
  "a folder that is not there": [stream, ["s.bind", "{tmp}/no/x"]],
  "connect where nothing is": [stream, ["s.connect", "{tmp}/x"]],
  "connect to a file": [["writefile", "{tmp}/f", b("x")], stream, ["s.connect", "{tmp}/f"]],
  "connect where nobody listens": [
    stream,
    ["s.bind", "{tmp}/x"],
    ["t=socket", "$AF_UNIX", "$SOCK_STREAM"],
    ["t.connect", "{tmp}/x"],
  ],
  "connect and accept": [
    stream,
    ["s.bind", "{tmp}/x"],
    ["s.listen"],
    ["t=socket", "$AF_UNIX", "$SOCK_STREAM"],
    ["t.connect", "{tmp}/x"],
    ["n=s.accept"],
    ["t.getpeername"],
    ["n[0].getsockname"],
    ["n[0].getpeername"],
  ],
  "connect with the wrong type": [
    stream,
    ["s.bind", "{tmp}/x"],
    ["s.listen"],
    ["t=socket", "$AF_UNIX", "$SOCK_DGRAM"],
    ["t.connect", "{tmp}/x"],
  ],
  "the socket file outlives the socket": [stream, ["s.bind", "{tmp}/x"], ["s.close"], ["exists", "{tmp}/x"]],
  "a host and a port": [stream, ["s.bind", ["127.0.0.1", 0]]],
  "a number": [stream, ["s.bind", 5]],
});

const served: readonly Step[] = [["l=create_server", ["127.0.0.1", 0]], ["~a=l.getsockname"]];

const helpers: Probe[] = group("B12", {
  create_server: [
    ...served,
    ["l.getsockname"],
    ["l.getsockopt_truth", "$SOL_SOCKET", "$SO_REUSEADDR"],
    ["l.getsockopt_truth", "$SOL_SOCKET", "$SO_REUSEPORT"],
    ["l.getsockopt", "$SOL_SOCKET", "$SO_ACCEPTCONN"],
  ],
  "create_server for IPv6 alone": [
    ["l=create_server", ["::1", 0], "$AF_INET6"],
    ["l.getsockopt", "$IPPROTO_IPV6", "$IPV6_V6ONLY"],
  ],
  "create_server for both": [
    ["l=create_server", ["", 0], "$AF_INET6", true],
    ["l.getsockopt", "$IPPROTO_IPV6", "$IPV6_V6ONLY"],
    ["~a=l.getsockname"],
    ["c=socket"],
    ["c.connect", ["127.0.0.1", "@a[1]"]],
    ["~n=l.accept"],
    ["n[0].getsockname"],
  ],
  "create_server for both families in one": [["create_server", ["127.0.0.1", 0], "$AF_INET", true]],
  "create_server with a shared port": [
    ["l=create_server", ["127.0.0.1", 0], "$AF_INET", false, true],
    ["l.getsockopt_truth", "$SOL_SOCKET", "$SO_REUSEPORT"],
    ["~a=l.getsockname"],
    ["m=create_server", "@a", "$AF_INET", false, true],
  ],
  "create_server on a taken port": [...served, ["create_server", "@a"]],
  "create_server with an address that is none": [["create_server", "127.0.0.1"]],
  create_connection: [
    ...served,
    ["c=create_connection", "@a"],
    ["c.gettimeout"],
    ["c.getpeername"],
    ["n=l.accept"],
  ],
  "create_connection with a timeout, in time": [
    ...served,
    ["~c=create_connection", "@a", 5],
    ["c.getpeername"],
  ],
  "create_connection from an address": [
    ...served,
    ["c=create_connection", "@a", null, ["127.0.0.9", 0]],
    ["c.getsockname"],
  ],
  "create_connection from an address of no interface": [
    ...served,
    ["create_connection", "@a", null, ["192.0.2.1", 0]],
  ],
  "create_connection refused": [...served, ["l.close"], ["create_connection", "@a"]],
  "create_connection to a bad literal": [["create_connection", ["1.2.3.4.5:", 80]]],
});

export const addressProbes: Probe[] = [...inet, ...inet6, ...unix, ...helpers];
