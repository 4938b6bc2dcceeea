/** Every waiting call of level 1, in a situation where it has to wait: one table for the tests of close, abort, deadlines. */
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AddressLike,
  AF_UNIX,
  type AfUnix,
  MSG_ERRQUEUE,
  recvFds,
  recvFdsSync,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  sendFds,
  sendFdsSync,
  socketPair,
  type TransferOptions,
} from "../../src/socket/index.js";
import { drain, fill, listener, tcpPair, turn, udpSocket } from "./robust.js";

/** A call that waits. */
export interface PendingCall {
  readonly socket: Socket;
  call(options: TransferOptions): Promise<unknown>;
  callSync(options: TransferOptions): unknown;
  /** Has the other side do what the call waits for, so that it (or the next one) succeeds. */
  unblock(): void | Promise<void>;
  /** Closes everything; what still pends rejects. */
  close(): void;
}

/** Its name, and how it comes about. */
export interface PendingCase {
  readonly name: string;
  /** What a DeadlineError says was waited for. */
  readonly what: string;
  /** It takes a second to get through, for a dropped SYN is sent again that late. */
  readonly slow?: boolean;
  prepare(): PendingCall | Promise<PendingCall>;
}

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
let names = 0;

/** A Unix datagram socket with an abstract name of its own. */
function unixDatagram(): Socket {
  const socket: Socket = new Socket(AF_UNIX as number, SOCK_DGRAM);
  names += 1;
  socket.bindSync(new TextEncoder().encode(`\0hawser-pending-${process.pid}-${names}`));
  return socket;
}

type Call = (socket: Socket, options: TransferOptions) => Promise<unknown>;
type SyncCall = (socket: Socket, options: TransferOptions) => unknown;

/** Receivers wait for a peer that is silent. */
function receiving(name: string, what: string, call: Call, callSync: SyncCall): PendingCase {
  return {
    name,
    what,
    prepare: () => {
      const [socket, peer] = tcpPair();
      return {
        socket,
        call: (options) => call(socket, options),
        callSync: (options) => callSync(socket, options),
        unblock: () => peer.sendallSync(bytes(10)),
        close: () => {
          socket.close();
          peer.close();
        },
      };
    },
  };
}

/** Receivers of datagrams. */
function receivingDatagrams(name: string, what: string, call: Call, callSync: SyncCall): PendingCase {
  return {
    name: `${name} (UDP)`,
    what,
    prepare: () => {
      const socket = udpSocket();
      const peer = udpSocket();
      return {
        socket,
        call: (options) => call(socket, options),
        callSync: (options) => callSync(socket, options),
        unblock: () => void peer.sendtoSync(bytes(10), socket.getsockname() as AddressLike),
        close: () => {
          socket.close();
          peer.close();
        },
      };
    },
  };
}

/** Senders wait for a peer that does not read. A Unix stream is full once and for all; TCP's buffers grow. */
function sending(name: string, what: string, call: Call, callSync: SyncCall): PendingCase {
  return {
    name,
    what,
    prepare: () => {
      const [socket, peer] = socketPair() as [Socket, Socket];
      fill(socket);
      return {
        socket,
        call: (options) => call(socket, options),
        callSync: (options) => callSync(socket, options),
        unblock: () => void drain(peer),
        close: () => {
          socket.close();
          peer.close();
        },
      };
    },
  };
}

/** Senders of Unix datagrams, which wait when the peer's queue is full, as those of UDP do not. */
function sendingDatagrams(
  name: string,
  what: string,
  call: (socket: Socket, peer: AddressLike, options: TransferOptions) => Promise<unknown>,
  callSync: (socket: Socket, peer: AddressLike, options: TransferOptions) => unknown,
): PendingCase {
  return {
    name: `${name} (Unix datagrams)`,
    what,
    prepare: () => {
      const socket = unixDatagram();
      const peer = unixDatagram();
      const address = peer.getsockname();
      socket.connectSync(address);
      fill(socket, bytes(10));
      return {
        socket,
        call: (options) => call(socket, address, options),
        callSync: (options) => callSync(socket, address, options),
        unblock: () => {
          while (peer.tryRecvInto(new Uint8Array(10)) !== undefined);
        },
        close: () => {
          socket.close();
          peer.close();
        },
      };
    },
  };
}

/** A listener that takes nobody in: its backlog is full, and a SYN is dropped. */
function connecting(
  name: string,
  call: (socket: Socket, address: AddressLike, options: TransferOptions) => Promise<unknown>,
  callSync: (socket: Socket, address: AddressLike, options: TransferOptions) => unknown,
  unix = false,
): PendingCase {
  return {
    name: unix ? `${name} (Unix)` : name,
    what: "connect",
    slow: !unix,
    prepare: async () => {
      const { server, address } = unix ? unixListener() : listener(0);
      const others = await crowd(server, address);
      const socket: Socket = new Socket(server.family, SOCK_STREAM);
      return {
        socket,
        call: (options) => call(socket, address, options),
        callSync: (options) => callSync(socket, address, options),
        unblock: async () => {
          for (const _ of others) (await server.accept({ timeoutMs: 5000 }))[0].close();
        },
        close: () => {
          for (const other of [...others, socket, server]) other.close();
        },
      };
    },
  };
}

function unixListener(): { server: Socket; address: AddressLike } {
  const server: Socket = new Socket(AF_UNIX as number, SOCK_STREAM);
  names += 1;
  server.bindSync(new TextEncoder().encode(`\0hawser-pending-${process.pid}-${names}`));
  server.listen(0);
  return { server, address: server.getsockname() };
}

/** Clients until the backlog is full: over loopback a connection is made within the call, or not at all. */
async function crowd(server: Socket, address: AddressLike): Promise<Socket[]> {
  const others: Socket[] = [];
  for (;;) {
    const other: Socket = new Socket(server.family, SOCK_STREAM);
    const connected = other.connect(address, { timeoutMs: 50 }).then(
      () => true,
      () => false,
    );
    await turn();
    if (await connected) others.push(other);
    else {
      other.close();
      return others;
    }
  }
}

const iovec = () => [bytes(3), bytes(5)];

/** The table. */
export const pendingCases: readonly PendingCase[] = [
  {
    name: "accept",
    what: "accept",
    prepare: () => {
      const { server, address } = listener();
      const clients: Socket[] = [];
      return {
        socket: server,
        call: (options) => server.accept(options).then(([conn]) => conn.close()),
        callSync: (options) => server.acceptSync(options)[0].close(),
        unblock: () => {
          const client: Socket = new Socket();
          clients.push(client);
          client.connectSync(address);
        },
        close: () => {
          for (const socket of [server, ...clients]) socket.close();
        },
      };
    },
  },
  connecting(
    "connect",
    (s, address, o) => s.connect(address, o),
    (s, address, o) => s.connectSync(address, o),
  ),
  connecting(
    "connectEx",
    (s, address, o) => s.connectEx(address, o),
    (s, address, o) => s.connectExSync(address, o),
  ),
  connecting(
    "connect",
    (s, address, o) => s.connect(address, o),
    (s, address, o) => s.connectSync(address, o),
    true,
  ),
  receiving(
    "recv",
    "recv",
    (s, o) => s.recv(10, o),
    (s, o) => s.recvSync(10, o),
  ),
  receiving(
    "recvInto",
    "recv",
    (s, o) => s.recvInto(bytes(10), o),
    (s, o) => s.recvIntoSync(bytes(10), o),
  ),
  receiving(
    "recvfrom",
    "recvfrom",
    (s, o) => s.recvfrom(10, o),
    (s, o) => s.recvfromSync(10, o),
  ),
  receivingDatagrams(
    "recvfromInto",
    "recvfrom",
    (s, o) => s.recvfromInto(bytes(10), o),
    (s, o) => s.recvfromIntoSync(bytes(10), o),
  ),
  receivingDatagrams(
    "recvmsg",
    "recvmsg",
    (s, o) => s.recvmsg(10, 64, o),
    (s, o) => s.recvmsgSync(10, 64, o),
  ),
  receiving(
    "recvmsgInto",
    "recvmsg",
    (s, o) => s.recvmsgInto(iovec(), 64, o),
    (s, o) => s.recvmsgIntoSync(iovec(), 64, o),
  ),
  receivingDatagrams(
    "recvMany",
    "recvmmsg",
    (s, o) => s.recvMany(4, o),
    (s, o) => s.recvManySync(4, o),
  ),
  {
    name: "recvmsg (error queue)",
    what: "recvmsg",
    prepare: () => {
      const socket = udpSocket();
      const gone = udpSocket();
      const address = gone.getsockname();
      gone.close();
      socket.receiveErrors = true;
      return {
        socket,
        call: (options) => socket.recvmsg(10, 512, { ...options, flags: MSG_ERRQUEUE }),
        callSync: (options) => socket.recvmsgSync(10, 512, { ...options, flags: MSG_ERRQUEUE }),
        unblock: () => void socket.sendtoSync(bytes(1), address),
        close: () => socket.close(),
      };
    },
  },
  {
    name: "recvFds",
    what: "recvmsg",
    prepare: () => {
      const [socket, peer] = socketPair();
      return {
        socket: socket as Socket,
        call: (options) => recvFds(socket, 10, 1, options),
        callSync: (options) => recvFdsSync(socket, 10, 1, options),
        unblock: () => peer.sendallSync(bytes(1)),
        close: () => {
          socket.close();
          peer.close();
        },
      };
    },
  },
  sending(
    "send",
    "send",
    (s, o) => s.send(bytes(10), o),
    (s, o) => s.sendSync(bytes(10), o),
  ),
  sending(
    "sendall",
    "sendall",
    (s, o) => s.sendall(bytes(1000), o),
    (s, o) => s.sendallSync(bytes(1000), o),
  ),
  sendingDatagrams(
    "sendto",
    "sendto",
    (s, peer, o) => s.sendto(bytes(10), peer, o),
    (s, peer, o) => s.sendtoSync(bytes(10), peer, o),
  ),
  sendingDatagrams(
    "sendmsg",
    "sendmsg",
    (s, _, o) => s.sendmsg(iovec(), [], null, o),
    (s, _, o) => s.sendmsgSync(iovec(), [], null, o),
  ),
  sendingDatagrams(
    "sendMany",
    "sendmmsg",
    (s, _, o) => s.sendMany([bytes(1), bytes(2)], o),
    (s, _, o) => s.sendManySync([bytes(1), bytes(2)], o),
  ),
  {
    name: "sendFds",
    what: "sendmsg",
    prepare: () => {
      const [socket, peer] = socketPair();
      fill(socket as Socket);
      return {
        socket: socket as Socket,
        call: (options) => sendFds(socket as Socket<AfUnix>, bytes(1), [0], options),
        callSync: (options) => sendFdsSync(socket as Socket<AfUnix>, bytes(1), [0], options),
        unblock: () => void drain(peer as Socket),
        close: () => {
          socket.close();
          peer.close();
        },
      };
    },
  },
  {
    name: "sendFile",
    what: "sendfile",
    prepare: () => {
      const [socket, peer] = socketPair() as [Socket, Socket];
      fill(socket);
      names += 1;
      const path = join(tmpdir(), `hawser-pending-${process.pid}-${names}`);
      writeFileSync(path, bytes(100_000));
      const file = openSync(path, "r");
      rmSync(path);
      return {
        socket,
        call: (options) => socket.sendFile(file, options),
        callSync: (options) => socket.sendFileSync(file, options),
        unblock: () => void drain(peer),
        close: () => {
          closeSync(file);
          socket.close();
          peer.close();
        },
      };
    },
  },
];
