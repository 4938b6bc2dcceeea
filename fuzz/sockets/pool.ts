/** The sockets that the fuzz works on: every kind, in every state, and how each is got rid of. */
import { closeSync, openSync, writeSync } from "node:fs";
import { createServer, type Socket as NodeSocket, connect as nodeConnect, type Server } from "node:net";
import koffi from "koffi";
import {
  type AddressLike,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  AF_VSOCK,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  socketPair,
} from "../../src/socket/index.js";
import type { Random } from "../random.js";

/** One socket, and what may not be done with it. */
export interface Subject {
  readonly kind: string;
  readonly target: Socket;
  /** Methods that would break something that is not hawser's: the descriptor belongs to somebody else as well. */
  readonly forbidden?: ReadonlySet<string>;
  /** Steps to take at once, before anything else opens a descriptor. */
  readonly rush?: number;
  /** It cannot be closed, and so what waits on it may wait for ever. It does not hold the process. */
  readonly neverEnds?: boolean;
  /** Called after each step, after the whole rush the first time. */
  after?(): void;
  retire(): void;
}

const libc = koffi.load(null);
const eventfd = libc.func("int eventfd(unsigned int, int)");
const epoll = libc.func("int epoll_create1(int)");
const pipe = libc.func("int pipe2(void *, int)");

/** Descriptors that are no sockets: a file, both ends of a pipe, an eventfd, an epoll instance. */
export function otherDescriptors(): number[] {
  const ends = new Int32Array(2);
  pipe(new Uint8Array(ends.buffer), 0o2000000);
  return [
    openSync("/dev/null", "r+"),
    ends[0] as number,
    ends[1] as number,
    eventfd(0, 0o2000000),
    epoll(0o2000000),
  ];
}

const ioctl = libc.func("int ioctl(int, unsigned long, void *)");

/** Turns the loopback interface on, as it is not in a new network namespace. */
export function raiseLoopback(): void {
  using s = new Socket(AF_INET, SOCK_DGRAM);
  // struct ifreq { char name[16]; short flags; … }; SIOCGIFFLAGS, SIOCSIFFLAGS; IFF_UP
  const request = new Uint8Array(40);
  request.set([108, 111]);
  ioctl(s.fileno(), 0x8913, request);
  request[16] = (request[16] as number) | 1;
  ioctl(s.fileno(), 0x8914, request);
}

const handOffs = ["detach", "toNodeSocket", "toNodeServer", "toDgram", "toTls", "makefile"];
const giving: ReadonlySet<string> = new Set(handOffs);
const disposing = [Symbol.dispose, Symbol.asyncDispose].map(String);
const notOurs: ReadonlySet<string> = new Set([...handOffs, "close", "ref", ...disposing]);

function tryTo(act: () => unknown): void {
  try {
    act();
  } catch {
    // It was closed, or refuses: both are what the step before has led to.
  }
}

/** Closes a socket; whatever waits in it is rejected. */
export function close(socket: Socket): void {
  // A positive linger time, inherited or set, would make close(2) wait.
  tryTo(() => {
    socket.lingerSeconds = null;
  });
  tryTo(() => socket.close());
}

function simple(kind: string, ...targets: Socket[]): Subject[] {
  return targets.map((target) => ({ kind, target, retire: () => close(target) }));
}

function bound(family: number, type: number, host: string): Socket {
  const s: Socket = new Socket(family, type);
  try {
    s.bindSync([host, 0]);
    return s;
  } catch (error) {
    s.close();
    throw error;
  }
}

function listening(): Socket {
  const s = bound(AF_INET as number, SOCK_STREAM, "127.0.0.1");
  s.listen(random4(s));
  return s;
}

const random4 = (s: Socket): number => s.fileno() % 4;

/** Two ends of a TCP connection; the client binds nothing. */
function tcpPair(): [Socket, Socket] {
  using server = listening();
  const client: Socket = new Socket();
  client.connectSync(server.getsockname());
  const [conn] = server.acceptSync({ timeoutMs: 1000 });
  return [client, conn];
}

function pair(type: number): [Socket, Socket] {
  return socketPair(AF_UNIX, type) as [Socket, Socket];
}

function detached(): Subject[] {
  const target: Socket = new Socket();
  const fd = target.detach();
  return [{ kind: "detached", target, retire: () => closeSync(fd) }];
}

/** Two Sockets on one descriptor. Once one has closed it, the other gives the number up at once, for it may come back. */
function twins(): Subject[] {
  const [first, other] = tcpPair();
  const second = Socket.fromFd(first.fileno());
  const after = () => {
    if (first.closed) tryTo(() => abandon(second));
    if (second.closed) tryTo(() => abandon(first));
  };
  const make = (target: Socket): Subject => ({
    kind: "twin",
    target,
    forbidden: giving,
    after,
    retire: () => {
      close(target);
      after();
    },
  });
  return [make(first), make(second), ...simple("peer of twins", other)];
}

/** Lets go of a number that is somebody else's by now: closing a stand-in under it rejects what waits. */
function abandon(socket: Socket): void {
  const fd = socket.fileno();
  if (fd < 0) return;
  if (occupy(fd)) tryTo(() => socket.close());
  else limbo.push(socket);
}

/** Puts a harmless file under a free number, if it is free, so that what is closed next is not somebody else's. */
function occupy(fd: number): boolean {
  const opened: number[] = [];
  try {
    for (;;) {
      const next = openSync("/dev/null", "r+");
      if (next === fd) return true;
      opened.push(next);
      if (next > fd || opened.length > 200) return false;
    }
  } finally {
    for (const other of opened) closeSync(other);
  }
}

/**
 * Closed behind hawser's back: after the first few steps a file stands under the number, as it well might. What waits
 * on such a socket ends when it is closed, which cannot be done when the number is somebody else's by then.
 */
function stolen(random: Random): Subject[] {
  const [target, other] = random.chance(0.5) ? tcpPair() : pair(SOCK_STREAM);
  const fd = target.fileno();
  target.unref();
  if (random.chance(0.5)) void target.recv(10).catch(() => {});
  closeSync(fd);
  let standIn = false;
  const after = () => {
    if (!target.closed && !standIn) standIn = occupy(fd);
  };
  const retire = () => {
    after();
    if (standIn) close(target);
    else if (!target.closed) limbo.push(target);
  };
  const subject = { kind: "stolen", target, rush: 10, after, retire, forbidden: notOurs, neverEnds: true };
  return [subject, ...simple("peer of the stolen", other)];
}

let nodeServer: Server | undefined;

/** A descriptor of Node's own, which libuv watches too: it may be used, not closed. */
async function foreign(): Promise<Subject[]> {
  nodeServer ??= createServer((conn) =>
    conn
      .on("error", () => {})
      .resume()
      .unref(),
  ).listen(0, "127.0.0.1");
  nodeServer.unref();
  if (!nodeServer.listening) await new Promise((resolve) => nodeServer?.once("listening", resolve));
  const conn = nodeConnect((nodeServer.address() as { port: number }).port, "127.0.0.1");
  conn.on("error", () => {}).resume();
  const connected = await new Promise<boolean>((resolve) => {
    conn.once("connect", () => resolve(true)).once("close", () => resolve(false));
  });
  if (!connected) return [];
  const target = Socket.fromFd((conn as NodeSocket & { _handle: { fd: number } })._handle.fd);
  target.unref();
  const retire = () => {
    release(target);
    conn.destroy();
  };
  return [{ kind: "foreign", target, forbidden: notOurs, retire, neverEnds: true }];
}

/** Detaches a socket; most of the calls that pend on it end when its reading and writing do. */
function release(socket: Socket): void {
  limbo.push(socket);
  tryTo(() => socket.shutdown(2));
  setImmediate(() => tryTo(() => socket.detach()));
}

/** Sockets whose number is somebody else's: collected, they would be closed. */
const limbo: Socket[] = [];

/** Ends the server that the foreign sockets are connected to. */
export function endPool(): void {
  nodeServer?.close();
}

type Maker = (random: Random) => Subject[] | Promise<Subject[]>;

const makers: readonly Maker[] = [
  () => simple("TCP", ...tcpPair()),
  () => simple("TCP", ...tcpPair()),
  () => simple("listener", listening()),
  () => simple("new TCP", new Socket() as Socket),
  () => simple("UDP", bound(AF_INET as number, SOCK_DGRAM, "127.0.0.1")),
  () => simple("UDP v6", bound(AF_INET6 as number, SOCK_DGRAM, "::1")),
  () => simple("unbound UDP", new Socket(AF_INET as number, SOCK_DGRAM) as Socket),
  () => simple("Unix stream", ...pair(SOCK_STREAM)),
  () => simple("Unix datagram", ...pair(SOCK_DGRAM)),
  () => simple("Unix packets", ...pair(SOCK_SEQPACKET)),
  () => simple("raw", new Socket(AF_INET as number, SOCK_RAW, 1) as Socket),
  () => simple("raw v6", new Socket(AF_INET6 as number, SOCK_RAW, 58) as Socket),
  () => simple("packet", new Socket(AF_PACKET as number, SOCK_RAW) as Socket),
  () => simple("netlink", new Socket(AF_NETLINK as number, SOCK_RAW) as Socket),
  () => simple("vsock", new Socket(AF_VSOCK as number, SOCK_STREAM) as Socket),
  () => {
    const [first, other] = tcpPair();
    return simple("dup", first, first.dup(), other);
  },
  () => {
    const [first, other] = tcpPair();
    first.close();
    return simple("closed", first, other);
  },
  (random) => {
    const [first, other] = tcpPair();
    other.lingerSeconds = 0;
    if (random.chance(0.5)) other.sendSync(new Uint8Array(5));
    other.close();
    return simple("reset", first);
  },
  detached,
  twins,
  stolen,
  foreign,
];

/** A new subject or several; none where this machine or this user may not have such a socket. */
export async function make(random: Random): Promise<Subject[]> {
  try {
    return await random.pick(makers)(random);
  } catch {
    return [];
  }
}

/** Where a socket can be reached, for others to connect and send to. */
export function addressOf({ target }: Subject): AddressLike | undefined {
  try {
    return target.getsockname();
  } catch {
    return undefined;
  }
}

/** Writes one line at once, for the process may not live to write another. */
export function note(fd: number, line: string): void {
  writeSync(fd, `${line}\n`);
}
