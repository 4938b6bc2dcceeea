/** Descriptors that change hands between level 1 and Node: net, dgram and tls, both ways, and what is refused. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer as createNodeServer,
  type Socket as NodeSocket,
} from "node:net";
import { after, before, describe, test } from "node:test";
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { DeadlineError, LocalProtocolError, SocketError } from "../../src/core/errors.js";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  createServer,
  type Family,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
} from "../../src/socket/index.js";
import { type Certificates, makeCertificates } from "../certificates.js";
import {
  bytes,
  deadlineMs,
  limited,
  rejectsWith,
  tcpPair,
  temporaryPath,
  text,
  throwsWith,
  udpPair,
  unixPair,
} from "./support.js";

const timeout = 10_000;
const deadline = () => ({ signal: AbortSignal.timeout(deadlineMs) });

/** The next chunk of a stream of Node's. */
async function nextChunk(stream: NodeSocket): Promise<string> {
  const [chunk] = (await once(stream, "data", deadline())) as [Uint8Array];
  return Buffer.from(chunk).toString();
}

function isOpen(socket: Socket<Family>): boolean {
  return !socket.closed && socket.fileno() >= 0;
}

describe("toNodeSocket", { timeout }, () => {
  for (const [name, pair] of [
    ["TCP", tcpPair],
    ["a Unix stream", () => Promise.resolve(unixPair())],
  ] as const) {
    test(`${name}: both directions go on, and what was there already arrives`, async () => {
      const [left, right] = (await pair()) as [Socket, Socket];
      await right.sendall(bytes("early"));
      const node = left.toNodeSocket();
      assert.equal(left.closed, true);
      assert.equal(left.fileno(), -1);
      throwsWith(() => left.recvSync(1), SocketError, "EBADF");
      assert.equal(await nextChunk(node), "early");
      node.write("from node");
      assert.equal(text(await right.recv(20)), "from node");
      const late = nextChunk(node);
      await right.sendall(bytes("late"));
      assert.equal(await late, "late");
      const ended = once(node, "close", deadline());
      right.close();
      node.resume();
      await ended;
    });
  }

  test("half-open where it is asked for", async () => {
    const [left, right] = await tcpPair();
    const node = left.toNodeSocket({ allowHalfOpen: true });
    right.shutdown(SHUT_WR);
    const ended = once(node, "end", deadline());
    node.resume();
    await ended;
    node.end("still");
    assert.equal(text(await right.recv(10)), "still");
    assert.equal((await right.recv(10)).length, 0);
    right.close();
  });

  test("an end of file ends both directions where it is not", async () => {
    const [left, right] = await tcpPair();
    const node = left.toNodeSocket();
    right.shutdown(SHUT_WR);
    node.resume();
    assert.equal((await right.recv(10)).length, 0);
    await once(node, "close", deadline());
    right.close();
  });

  test("refused while an operation is pending, which goes on", async () => {
    const [left, right] = await tcpPair();
    const pending = left.recv(10);
    throwsWith(() => left.toNodeSocket(), LocalProtocolError);
    throwsWith(() => left.detach(), LocalProtocolError);
    await rejectsWith(left.toTls(), LocalProtocolError);
    assert.ok(isOpen(left));
    await right.sendall(bytes("x"));
    assert.equal(text(await pending), "x");
    left.toNodeSocket().destroy();
    right.close();
  });

  test("refused for what Node cannot drive, and the socket stays open", async () => {
    using listener = await createServer(["127.0.0.1", 0]);
    const [datagrams, other] = unixPair(SOCK_DGRAM);
    const [packets, more] = unixPair(SOCK_SEQPACKET);
    const [udp, udpOther] = udpPair();
    for (const socket of [listener, datagrams, packets, udp]) {
      throwsWith(() => socket.toNodeSocket(), LocalProtocolError);
      await rejectsWith(socket.toTls(), LocalProtocolError);
      assert.equal(socket.closed, false);
    }
    using unconnected = new Socket(AF_INET, SOCK_STREAM);
    throwsWith(() => unconnected.toNodeSocket(), SocketError, "ENOTCONN");
    assert.equal(unconnected.closed, false);
    unconnected.close();
    throwsWith(() => unconnected.toNodeSocket(), SocketError, "EBADF");
    for (const socket of [datagrams, other, packets, more, udp, udpOther]) socket.close();
  });
});

describe("toNodeServer", { timeout }, () => {
  test("goes on accepting, a connection that was waiting included", async () => {
    const listener = await createServer(["127.0.0.1", 0]);
    const address = listener.getsockname();
    using early = limited(new Socket(AF_INET));
    await early.connect(address);
    const server = await listener.toNodeServer();
    server.on("connection", (socket) => socket.end("hello"));
    assert.equal(listener.closed, true);
    assert.deepEqual((server.address() as AddressInfo).port, address[1]);
    using late = limited(new Socket(AF_INET));
    await late.connect(address);
    assert.equal(text(await early.recv(10)), "hello");
    assert.equal(text(await late.recv(10)), "hello");
    early.close();
    late.close();
    server.close();
    await once(server, "close", deadline());
  });

  test("a Unix listener too", async () => {
    const path = temporaryPath();
    const listener = await createServer(path, { family: AF_UNIX });
    const server = await listener.toNodeServer();
    server.on("connection", (socket) => socket.end("hello"));
    using client = limited(new Socket(AF_UNIX));
    await client.connect(path);
    assert.equal(text(await client.recv(10)), "hello");
    client.close();
    server.close();
    await once(server, "close", deadline());
  });

  test("refused while accepting, before listening, and for datagrams", async () => {
    using listener = await createServer(["127.0.0.1", 0]);
    const stop = new AbortController();
    const pending = listener.accept({ signal: stop.signal });
    await rejectsWith(listener.toNodeServer(), LocalProtocolError);
    assert.ok(!listener.closed);
    stop.abort(new Error("enough"));
    await assert.rejects(pending, /enough/);
    using idle = new Socket(AF_INET);
    await rejectsWith(idle.toNodeServer(), LocalProtocolError);
    using udp = new Socket(AF_INET, SOCK_DGRAM);
    await rejectsWith(udp.toNodeServer(), LocalProtocolError);
    using unix = new Socket(AF_UNIX, SOCK_SEQPACKET);
    await rejectsWith(unix.toNodeServer(), LocalProtocolError);
  });
});

describe("toDgram", { timeout }, () => {
  for (const [family, host] of [
    [AF_INET, "127.0.0.1"],
    [AF_INET6, "::1"],
  ] as const) {
    test(`${host}: both directions go on`, async () => {
      const socket: Socket = new Socket(family as Family, SOCK_DGRAM);
      await socket.bind([host, 0]);
      const [, port] = socket.getsockname() as [string, number];
      using peer: Socket = limited(new Socket(family as Family, SOCK_DGRAM));
      await peer.bind([host, 0]);
      await peer.sendto(bytes("early"), [host, port]);
      const dgram = await socket.toDgram();
      assert.equal(socket.closed, true);
      assert.equal(dgram.address().port, port);
      const [message, from] = (await once(dgram, "message", deadline())) as [Uint8Array, AddressInfo];
      assert.equal(text(message), "early");
      dgram.send("answer", from.port, host);
      assert.equal(text(await peer.recv(20)), "answer");
      dgram.close();
      await once(dgram, "close", deadline());
    });
  }

  test("refused while receiving, for Unix datagrams and for streams", async () => {
    const [udp, other] = udpPair();
    const pending = udp.recv(10);
    await rejectsWith(udp.toDgram(), LocalProtocolError);
    await other.sendto(bytes("x"), udp.getsockname());
    assert.equal(text(await pending), "x");
    const [left, right] = unixPair(SOCK_DGRAM);
    await rejectsWith(left.toDgram(), LocalProtocolError);
    await left.send(bytes("still open"));
    assert.equal(text(await right.recv(20)), "still open");
    using tcp = new Socket(AF_INET);
    await rejectsWith(tcp.toDgram(), LocalProtocolError);
    for (const socket of [udp, other, left, right]) socket.close();
  });
});

describe("from Node to level 1", { timeout }, () => {
  test("a connection of Node's goes to a child as a descriptor, and is adopted there", async () => {
    const server = createNodeServer().listen(0, "127.0.0.1");
    await once(server, "listening", deadline());
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [conn] = (await once(server, "connection", deadline())) as [NodeSocket];
    const program = fileURLToPath(new URL("children/inherited.js", import.meta.url));
    const child = spawn(process.execPath, [program], {
      stdio: ["ignore", "ignore", "inherit", conn],
      timeout,
    });
    const exited = once(child, "exit", deadline());
    conn.destroy();
    client.write("ping");
    assert.equal(await nextChunk(client), "ping");
    client.end();
    assert.deepEqual(await exited, [0, null]);
    client.destroy();
    server.close();
  });

  test("there and back: detach, fromFd, toNodeSocket", async () => {
    const [left, right] = await tcpPair();
    const again = Socket.fromFd(left.detach());
    assert.deepEqual([again.family, again.type], [AF_INET, SOCK_STREAM]);
    const node = again.toNodeSocket();
    await right.sendall(bytes("x"));
    assert.equal(await nextChunk(node), "x");
    node.destroy();
    right.close();
  });
});

describe("toTls", { timeout }, () => {
  let certificates: Certificates;
  let server: TlsServer;
  /** Accepts, and leaves the rest to the test. */
  let silent: Socket;

  before(async () => {
    certificates = await makeCertificates();
    const { key, cert } = certificates;
    server = createTlsServer({ key, cert }, (socket) => socket.on("error", () => {}).pipe(socket));
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening", deadline());
    silent = (await createServer(["127.0.0.1", 0])) as unknown as Socket;
  });

  after(() => {
    server.close();
    silent.close();
  });

  async function connected(to = (server.address() as AddressInfo).port): Promise<Socket> {
    const socket: Socket = limited(new Socket());
    await socket.connect(["127.0.0.1", to]);
    return socket;
  }

  for (const name of ["localhost", "127.0.0.1"]) {
    test(`a certificate for ${name} is verified, and bytes go both ways`, async () => {
      const socket = await connected();
      const secure = await socket.toTls({
        host: name,
        servername: name === "localhost" ? name : "",
        ca: certificates.ca,
      });
      assert.equal(socket.closed, true);
      assert.equal(secure.authorized, true);
      assert.equal(secure.getPeerCertificate().subject.CN, "localhost");
      secure.write("secret");
      assert.equal(await nextChunk(secure), "secret");
      secure.destroy();
    });
  }

  test("over IPv6", async () => {
    const { key, cert, ca } = certificates;
    const server6 = createTlsServer({ key, cert }, (socket) => socket.end("six")).listen(0, "::1");
    await once(server6, "listening", deadline());
    try {
      const socket: Socket = limited(new Socket(AF_INET6 as Family));
      await socket.connect(["::1", (server6.address() as AddressInfo).port]);
      // Not by the address: Node 22.23 finds no IPv6 address in any certificate.
      const secure = await socket.toTls({ servername: "localhost", ca });
      assert.equal(await nextChunk(secure), "six");
      secure.destroy();
    } finally {
      server6.close();
    }
  });

  test("the server's side: an accepted socket, handed to Node, begins TLS", async () => {
    using listener = await createServer(["127.0.0.1", 0]);
    const connecting = connected(listener.getsockname()[1]);
    const [conn] = await listener.accept();
    const { key, cert, ca } = certificates;
    const secured = new TLSSocket(conn.toNodeSocket(), { isServer: true, key, cert });
    const client = await (await connecting).toTls({ servername: "localhost", ca });
    secured.write("from the server");
    assert.equal(await nextChunk(client), "from the server");
    client.destroy();
    secured.destroy();
  });

  test("an authority that is not known rejects, and the connection is closed", async () => {
    const socket = await connected();
    const error = await rejectsWith(socket.toTls({ servername: "localhost" }), Error);
    assert.match((error as Error & { code: string }).code, /UNABLE_TO_VERIFY|SELF_SIGNED/);
    assert.equal(socket.closed, true);
  });

  test("another name than the certificate's rejects", async () => {
    const socket = await connected();
    const { ca } = certificates;
    await rejectsWith(socket.toTls({ servername: "example.org", ca }), Error, "ERR_TLS_CERT_ALTNAME_INVALID");
    assert.equal(socket.closed, true);
  });

  test("a peer that never answers is a DeadlineError, and the connection is closed", async () => {
    const socket = await connected((silent.getsockname() as [string, number])[1]);
    const [conn] = await silent.accept();
    const error = await rejectsWith(socket.toTls({ servername: "localhost", timeoutMs: 30 }), DeadlineError);
    assert.deepEqual([error.what, error.limitMs], ["TLS handshake", 30]);
    limited(conn);
    while ((await conn.recv(65_536)).length > 0);
    conn.close();
  });

  test("an abort rejects with its reason, and the connection is closed", async () => {
    const socket = await connected((silent.getsockname() as [string, number])[1]);
    const [conn] = await silent.accept();
    const stop = new AbortController();
    const secure = socket.toTls({ servername: "localhost", signal: stop.signal });
    const reason = new Error("changed my mind");
    stop.abort(reason);
    await assert.rejects(secure, reason);
    limited(conn);
    while ((await conn.recv(65_536)).length > 0);
    conn.close();
  });

  test("an abort before it began leaves the socket as it was", async () => {
    const socket = await connected();
    await assert.rejects(socket.toTls({ signal: AbortSignal.abort(new Error("too early")) }), /too early/);
    assert.equal(socket.closed, false);
    socket.close();
  });

  test("a peer that speaks no TLS rejects", async () => {
    const socket = await connected((silent.getsockname() as [string, number])[1]);
    const [conn] = await silent.accept();
    await conn.sendall(bytes("220 hello, I am a mail server\r\n"));
    await rejectsWith(socket.toTls({ servername: "localhost" }), Error);
    assert.equal(socket.closed, true);
    conn.close();
  });

  test("a peer that closes rejects", async () => {
    const socket = await connected((silent.getsockname() as [string, number])[1]);
    const [conn] = await silent.accept();
    conn.close();
    await rejectsWith(socket.toTls({ servername: "localhost" }), Error);
    assert.equal(socket.closed, true);
  });
});
