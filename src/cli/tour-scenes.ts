/** The scenes of `hawser tour`: the programs of examples/, both ends of each in this process, and their conversation. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeadlineError } from "../index.js";
import * as sockets from "../socket/index.js";
import { describe } from "./output.js";

/** Who says a line: the client, the server, or nobody. */
export type Speaker = "C" | "S" | "*";

/** What a scene is given: a way to tell, and when to stop. */
export interface Stage {
  tell(speaker: Speaker, text: string): void;
  readonly signal: AbortSignal;
  /** A folder for socket paths and files, empty at first and removed at the end. */
  readonly folder: string;
}

export interface Scene {
  readonly name: string;
  /** What a reader learns from it. */
  readonly shows: string;
  run(stage: Stage): Promise<void>;
}

const { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, SHUT_WR } = sockets;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const message = "This is the message. It will be repeated.";

async function simple({ tell, signal }: Stage): Promise<void> {
  using listener = await sockets.createServer(["localhost", 0]);
  tell("*", `the server listens on ${describe(listener.getsockname())}`);
  using client = sockets.socket();
  await client.connect(listener.getsockname(), { signal });
  const [conn, address] = await listener.accept({ signal });
  tell("*", `got connection from ${describe(address)}`);
  await conn.sendall(bytes("Thank you for connecting"), { signal });
  conn.close();
  tell("S", text(await client.recv(1024, { signal })));
}

async function echo({ tell, signal }: Stage): Promise<void> {
  using listener = await sockets.createServer(["localhost", 0]);
  using client = await sockets.createConnection(listener.getsockname(), { signal });
  const [conn] = await listener.accept({ signal });
  using _ = conn;
  tell("C", message);
  await client.sendall(bytes(message), { signal });
  client.shutdown(SHUT_WR);
  for (let data = await conn.recv(16, { signal }); data.length > 0; data = await conn.recv(16, { signal })) {
    await conn.sendall(data, { signal });
    tell("S", text(await client.recv(16, { signal })));
  }
  tell("*", "the client has finished: both ends close");
}

async function blocking({ tell }: Stage): Promise<void> {
  const limit = { timeoutMs: 5000 };
  using listener = sockets.createServerSync(["localhost", 0]);
  using client = sockets.socket();
  client.connectSync(listener.getsockname(), limit);
  const [conn] = listener.acceptSync(limit);
  using _ = conn;
  client.sendallSync(bytes("no promise, no event loop"), limit);
  const data = conn.recvSync(1024, limit);
  tell("C", text(data));
  conn.sendallSync(bytes("just system calls"), limit);
  tell("S", text(client.recvSync(1024, limit)));
}

async function lookup({ tell, signal }: Stage): Promise<void> {
  tell("*", `gethostname() is ${sockets.gethostname()}`);
  const found = await sockets.getaddrinfo("localhost", "www", { type: SOCK_STREAM, signal });
  for (const { address } of found) tell("*", `getaddrinfo("localhost", "www") has ${describe(address)}`);
  const ports = ["http", "ftp", "imap", "pop3", "smtp"].map(
    (name) => `${name} ${sockets.getservbyname(name)}`,
  );
  tell("*", `getservbyname: ${ports.join(", ")}`);
}

async function udp({ tell, signal }: Stage): Promise<void> {
  using server = sockets.socket(AF_INET, SOCK_DGRAM);
  await server.bind(["localhost", 0]);
  using client = sockets.socket(AF_INET, SOCK_DGRAM);
  await client.sendto(bytes(message), server.getsockname());
  const [data, address] = await server.recvfrom(4096, { signal });
  tell("C", text(data));
  await server.sendto(data, address);
  const [answer] = await client.recvfrom(4096, { signal });
  tell("S", text(answer));
}

async function unix({ tell, signal, folder }: Stage): Promise<void> {
  const path = join(folder, "socket");
  using listener = await sockets.createServer(path, { family: AF_UNIX });
  tell("*", `the server listens on ${path}`);
  using client = sockets.socket(AF_UNIX, SOCK_STREAM);
  await client.connect(path, { signal });
  const [conn] = await listener.accept({ signal });
  using _ = conn;
  const { pid, uid } = conn.peerCredentials();
  tell("*", `the kernel vouches for the client: process ${pid}, user ${uid}`);
  await client.sendall(bytes("who am I?"), { signal });
  tell("C", text(await conn.recv(1024, { signal })));
  await conn.sendall(bytes(`you are process ${pid}`), { signal });
  tell("S", text(await client.recv(1024, { signal })));
}

async function syslog({ tell, signal, folder }: Stage): Promise<void> {
  using log = sockets.socket(AF_UNIX, SOCK_DGRAM);
  await log.bind(join(folder, "log"));
  using client = sockets.socket(AF_UNIX, SOCK_DGRAM);
  await client.sendto(bytes(`<14>hawser[${process.pid}]: hello, log`), join(folder, "log"));
  tell("C", text(await log.recv(1024, { signal })));
  tell("*", "a Unix datagram, as syslog and systemd's notify take it; node:dgram has none");
}

async function descriptor({ tell, signal, folder }: Stage): Promise<void> {
  const path = join(folder, "letter");
  writeFileSync(path, "the letter that was in the file");
  const [a, b] = sockets.socketPair();
  using _a = a;
  using _b = b;
  const file = openSync(path, "r");
  rmSync(path);
  await sockets.sendFds(a, bytes("an open file for you; its name is gone"), [file], { signal });
  closeSync(file);
  const { data, fds } = await sockets.recvFds(b, 1024, 1, { signal });
  tell("C", text(data));
  for (const fd of fds) {
    tell("S", `descriptor ${fd} reads: ${readFileSync(fd, "utf8")}`);
    closeSync(fd);
  }
}

async function multicast({ tell, signal }: Stage): Promise<void> {
  const group = "239.255.77.77";
  using member = sockets.socket(AF_INET, SOCK_DGRAM);
  await member.bind([group, 0]);
  member.joinGroup(group, { interface: "lo" });
  tell("*", `joined ${group} on the loopback interface`);
  using sender = sockets.socket(AF_INET, SOCK_DGRAM);
  sender.multicastInterface = "lo";
  await sender.sendto(bytes("hello, group"), member.getsockname());
  tell("C", text(await member.recv(1500, { signal })));
}

async function answerFrom({ tell, signal }: Stage): Promise<void> {
  using server = sockets.socket(AF_INET, SOCK_DGRAM);
  await server.bind(["", 0]);
  server.receivePacketInfo = true;
  using client = sockets.socket(AF_INET, SOCK_DGRAM);
  await client.sendto(bytes("who are you?"), ["127.0.0.42", server.getsockname()[1]]);
  const { data, ancillary, address } = await server.recvmsg(1500, 512, { signal });
  tell("C", text(data));
  const { destination = "", ttl } = sockets.packetInfo(ancillary);
  tell("*", `it was sent to ${destination}, with TTL ${ttl}`);
  const control = sockets.packetControl(AF_INET, { source: destination });
  await server.sendmsg(bytes("the one you asked"), control, address, { signal });
  const [answer, from] = await client.recvfrom(1500, { signal });
  tell("S", `${text(answer)}, ${from[0]}`);
}

async function crowd({ tell, signal }: Stage): Promise<void> {
  using listener = await sockets.createServer(["localhost", 0]);
  const serveAll = async () => {
    for await (const [conn] of listener) {
      conn.sendall(bytes("served"), { signal }).then(
        () => conn.close(),
        () => conn.close(),
      );
    }
  };
  const serving = serveAll();
  const client = async (): Promise<string> => {
    using s = sockets.socket();
    await s.connect(listener.getsockname(), { signal });
    return text(await s.recv(1024, { signal }));
  };
  const answers = await Promise.all(Array.from({ length: 100 }, client));
  tell("*", `${answers.filter((answer) => answer === "served").length} clients at once were served`);
  listener.close();
  await serving;
}

async function batch({ tell, signal }: Stage): Promise<void> {
  using receiver = sockets.socket(AF_INET, SOCK_DGRAM);
  await receiver.bind(["localhost", 0]);
  using sender = sockets.socket(AF_INET, SOCK_DGRAM);
  const packets = Array.from({ length: 64 }, (_, index) => bytes(`datagram ${index}`));
  await sender.sendMany(packets, { address: receiver.getsockname(), signal });
  let received = 0;
  let calls = 0;
  for (; received < packets.length; calls += 1) received += (await receiver.recvMany(64, { signal })).length;
  tell("*", `${received} datagrams went in 1 system call and came in ${calls}`);
}

async function patience({ tell }: Stage): Promise<void> {
  const [a, b] = sockets.socketPair();
  using _a = a;
  using _b = b;
  const late = await a.recv(1024, { timeoutMs: 20 }).catch((error: Error) => error);
  if (!(late instanceof DeadlineError)) throw new Error("the deadline was missed");
  tell("*", late.message);
  const cancel = new AbortController();
  const waiting = a.recv(1024, { signal: cancel.signal }).catch((error: Error) => error);
  cancel.abort(new Error("recv was cancelled: we changed our mind"));
  tell("*", ((await waiting) as Error).message);
  await b.sendall(bytes("and the socket still works"));
  tell("S", text(await a.recv(1024, { timeoutMs: 5000 })));
}

async function sendFile({ tell, signal, folder }: Stage): Promise<void> {
  const path = join(folder, "file");
  writeFileSync(path, new Uint8Array(1_000_000));
  using listener = await sockets.createServer(["localhost", 0]);
  using client = await sockets.createConnection(listener.getsockname(), { signal });
  const [conn] = await listener.accept({ signal });
  const file = openSync(path, "r");
  const sending = conn.sendFile(file, { signal }).finally(() => conn.close());
  let received = 0;
  for (
    let data = await client.recv(65536, { signal });
    data.length > 0;
    data = await client.recv(65536, { signal })
  )
    received += data.length;
  tell(
    "*",
    `${await sending} bytes left by sendfile(2), ${received} arrived; none passed through JavaScript here`,
  );
  closeSync(file);
}

async function ping({ tell, signal }: Stage): Promise<void> {
  using s = sockets.socket(AF_INET, sockets.SOCK_RAW, sockets.IPPROTO_ICMP);
  // An echo request with identifier 0x6877 and the checksum that goes with it.
  const request = Uint8Array.of(8, 0, 0x8f, 0x88, 0x68, 0x77, 0, 0);
  await s.sendto(request, ["127.0.0.1", 0]);
  tell("C", "ICMP echo request");
  for (;;) {
    const [packet, [from]] = await s.recvfrom(1500, { signal });
    const icmp = packet.subarray(((packet[0] ?? 0) & 15) * 4);
    if (icmp[0] === 0 && icmp[4] === 0x68 && icmp[5] === 0x77)
      return tell("S", `ICMP echo reply from ${from}`);
  }
}

/** Those of the sockets, in the order of the tutorial. */
export const socketScenes: readonly Scene[] = [
  { name: "simple", shows: "a server that thanks whoever connects", run: simple },
  { name: "echo", shows: "a stream, read in pieces of 16 bytes", run: echo },
  { name: "blocking", shows: "the same calls without promises", run: blocking },
  { name: "lookup", shows: "names, addresses, services", run: lookup },
  { name: "udp", shows: "datagrams, there and back", run: udp },
  { name: "unix", shows: "a path as the address, and who connected", run: unix },
  { name: "syslog", shows: "Unix datagrams", run: syslog },
  { name: "descriptor", shows: "an open file sent through a socket", run: descriptor },
  { name: "multicast", shows: "one datagram for a group", run: multicast },
  { name: "answer-from", shows: "the right source address of many", run: answerFrom },
  { name: "crowd", shows: "a hundred clients at once", run: crowd },
  { name: "batch", shows: "many datagrams in one system call", run: batch },
  { name: "patience", shows: "deadlines and cancelling", run: patience },
  { name: "sendfile", shows: "a file to a socket inside the kernel", run: sendFile },
  { name: "ping", shows: "raw sockets", run: ping },
];

/** Runs `work` with a folder of its own. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-tour-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
