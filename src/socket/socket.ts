/** The socket itself: how it is made, accepted, iterated and handed on. Its calls stand in the classes it extends. */
import type { Socket as DatagramSocket } from "node:dgram";
import type { Socket as NodeSocket, Server } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { inspect } from "node:util";
import { LocalProtocolError } from "../core/errors.js";
import { BatchingSocket } from "./batching.js";
import {
  AF_INET,
  SO_DOMAIN,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./constants.js";
import { defaultTimeout } from "./descriptor.js";
import type { BinaryFileMode, FileOptions, TextFileMode, TextFileOptions } from "./files/format.js";
import { SocketFile } from "./files/socket-file.js";
import * as handOff from "./hand-off.js";
import { Handle, type Identity } from "./handle.js";
import { inspectSocket } from "./inspect.js";
import { nowMs } from "./native/deadlines.js";
import { errnos, socketError } from "./native/errno.js";
import { native } from "./native/index.js";
import { linux } from "./native/linux.js";
import { reactor } from "./native/reactor.js";
import { checkInt, SOCKADDR_BYTES, show } from "./sockaddr.js";
import { readableStream, writableStream } from "./streams.js";
import type { AddressFrom, AfInet, Family, WaitOptions } from "./types.js";

/** How long accepting rests after EMFILE and its kin, unless a descriptor is closed earlier by someone else. */
const acceptRestMs = 100;

/** accept(2) hands on errors of the connection that it was about to return: the next one is not concerned. */
const acceptRetries: ReadonlySet<number> = new Set([
  ...[
    errnos.ECONNABORTED,
    errnos.EINTR,
    errnos.EPROTO,
    errnos.ENETDOWN,
    errnos.ENOPROTOOPT,
    errnos.EHOSTDOWN,
  ],
  ...[errnos.ENONET, errnos.EHOSTUNREACH, errnos.EOPNOTSUPP, errnos.ENETUNREACH],
]);

const exhausted: ReadonlySet<number> = new Set([errnos.EMFILE, errnos.ENFILE, errnos.ENOBUFS, errnos.ENOMEM]);

const addressBytes = new Uint8Array(SOCKADDR_BYTES);
const lengthValue = new Uint32Array(1);
const lengthBytes = new Uint8Array(lengthValue.buffer);
const intValue = new Int32Array(1);
const intBytes = new Uint8Array(intValue.buffer);

/**
 * A socket of the operating system. Waiting calls return promises and take `{ signal, timeoutMs }`; each has a twin
 * whose name ends in `Sync` and blocks as C does.
 *
 * @example
 * using s = new Socket(AF_INET, SOCK_STREAM);
 * await s.connect(["localhost", 12345]);
 * console.log(new TextDecoder().decode(await s.recv(1024)));
 */
export class Socket<F extends Family = Family> extends BatchingSocket<F> {
  static {
    // What `console.log` shows. A method of this name cannot be declared under isolatedDeclarations.
    Object.defineProperty(Socket.prototype, inspect.custom, {
      value(this: Socket): string {
        return inspectSocket(this);
      },
    });
  }

  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /**
   * Makes a socket. Defaults: AF_INET, SOCK_STREAM, protocol 0 (the family's own). Throws {@link SocketError}
   * EAFNOSUPPORT or EPROTONOSUPPORT for what this kernel lacks, EPERM for raw sockets without the right.
   */
  constructor(family?: F, type?: number, protocol?: number);
  constructor(family: F = AF_INET as F, type: number = SOCK_STREAM, protocol = 0, adopted?: Adopted) {
    super(adopted?.handle ?? openHandle(family, type, protocol), adopted?.made ?? "made");
  }

  /**
   * Adopts a descriptor that the caller owns: it is made non-blocking and close-on-exec, and closed with the socket.
   * Throws {@link SocketError} EBADF or ENOTSOCK for what is none.
   */
  static fromFd(fd: number): Socket {
    if (!Number.isInteger(fd) || fd < 0 || fd > 0x7fffffff) {
      throw new LocalProtocolError(`a descriptor is an integer from 0, not ${show(fd)}`);
    }
    const identity = identify(fd);
    setFlags(fd);
    native().closeAtExit(fd);
    return adopt(fd, identity);
  }

  /** The `timeoutMs` of sockets made or accepted from now on. Default: null. (Python's setdefaulttimeout, in ms.) */
  static get defaultTimeoutMs(): number | null {
    return defaultTimeout.get();
  }

  static set defaultTimeoutMs(timeoutMs: number | null) {
    defaultTimeout.set(timeoutMs);
  }

  /**
   * Waits for the next connection: its socket, and the address at its other end. Throws {@link SocketError} EMFILE
   * when the process may open no more descriptors; the next accept then rests for 100 ms, so that a loop that goes on
   * accepting costs next to nothing and recovers by itself.
   */
  accept(options: WaitOptions = {}): Promise<[Socket<F>, AddressFrom<F>]> {
    return this.handle.perform("readable", "accept", options, () => this.#acceptRested());
  }

  /** {@link Socket.accept}, blocking. */
  acceptSync(options: WaitOptions = {}): [Socket<F>, AddressFrom<F>] {
    return this.handle.performSync("readable", "accept", options, () => this.#accept());
  }

  #acceptRested(): [Socket<F>, AddressFrom<F>] | undefined {
    return this.handle.watch.restsUntilMs > nowMs() ? undefined : this.#accept();
  }

  /** One accept4(2), repeated while it reports the failure of a connection that is gone already. */
  #accept(): [Socket<F>, AddressFrom<F>] | undefined {
    const { handle } = this;
    for (;;) {
      lengthValue[0] = SOCKADDR_BYTES;
      const fd = native().accept4(handle.fd, addressBytes, lengthBytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) return this.#accepted(fd);
      const errno = native().errno();
      if (errno === errnos.EAGAIN) return undefined;
      if (exhausted.has(errno)) this.#rest();
      if (!acceptRetries.has(errno) || !this.listening) throw socketError("accept4", errno);
    }
  }

  #accepted(fd: number): [Socket<F>, AddressFrom<F>] {
    const address = this.from(addressBytes, lengthValue[0] as number) as AddressFrom<F>;
    return [adopt<F>(fd, this.handle, "accepted"), address];
  }

  #rest(): void {
    const { watch } = this.handle;
    watch.restsUntilMs = nowMs() + acceptRestMs;
    const expire = () => {
      // Set outright, for a timer may fire a fraction of a millisecond early.
      watch.restsUntilMs = 0;
      watch.retry();
    };
    reactor().deadlines.add({ dueMs: watch.restsUntilMs, heapIndex: -1, expire });
  }

  /** A second descriptor for the same open socket, close-on-exec, with the same `timeoutMs`. */
  dup(): Socket<F> {
    const fd = native().fcntl(this.handle.fd, linux.F_DUPFD_CLOEXEC, 0);
    if (fd < 0) throw this.handle.failed("dup");
    const copy = adopt<F>(fd, this.handle);
    copy.timeoutMs = this.timeoutMs;
    return copy;
  }

  /**
   * The connections of a listener, one after the other, until it is closed. A lack of descriptors is reported as a
   * warning, and accepting goes on when there are some.
   *
   * @example for await (const [conn, address] of listener) serve(conn)
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<[Socket<F>, AddressFrom<F>], void, undefined> {
    while (!this.closed) {
      try {
        yield await this.accept();
      } catch (error) {
        const { errno } = error as { errno?: number };
        if (errno === errnos.EBADF && this.closed) return;
        if (errno === undefined || !exhausted.has(errno)) throw error;
        process.emitWarning((error as Error).message, { code: "HAWSER_ACCEPT" });
      }
    }
  }

  /** The datagrams of a socket, `[data, address]` each, until it is closed. `maxBytes` is the longest. Default: 65,536. */
  async *datagrams(maxBytes = 65536): AsyncGenerator<[Uint8Array, AddressFrom<F>], void, undefined> {
    while (!this.closed) {
      try {
        yield await this.recvfrom(maxBytes);
      } catch (error) {
        if (this.closed && (error as { errno?: number }).errno === errnos.EBADF) return;
        throw error;
      }
    }
  }

  /** The bytes of a stream as a web stream; it reads when asked, and closes at the end of file. */
  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= readableStream(this);
    return this.#readable;
  }

  /** A web stream to write to; closing it half-closes the socket. */
  get writable(): WritableStream<Uint8Array> {
    this.#writable ??= writableStream(this);
    return this.#writable;
  }

  /**
   * The socket as a file, as Python's `makefile`: text by default, bytes with a `b` in the mode. The descriptor stays
   * open until the socket and all its files are closed; `timeoutMs` is theirs in common. Throws
   * {@link LocalProtocolError} for another mode, or an encoding that is unknown.
   *
   * @example
   * await using file = s.makefile("rw");
   * await file.write("hello\n");
   * await file.flush();
   * console.log(await file.readLine());
   */
  makefile(
    mode: BinaryFileMode,
    options: FileOptions & { readonly bufferBytes: 0 },
  ): SocketFile<Uint8Array | null>;
  makefile(mode: BinaryFileMode, options?: FileOptions): SocketFile<Uint8Array>;
  makefile(mode?: TextFileMode, options?: TextFileOptions): SocketFile<string>;
  makefile(
    mode: TextFileMode | BinaryFileMode = "r",
    options: TextFileOptions = {},
  ): SocketFile<string> | SocketFile<Uint8Array> | SocketFile<Uint8Array | null> {
    this.handle.check("makefile");
    const open = () => wrap<Family>(this.handle.retain(), "opened by makefile");
    return new SocketFile<string>(open, mode, options);
  }

  /** Hands the descriptor of a connected stream to Node: this socket is closed, the `net.Socket` goes on. */
  toNodeSocket(options: { readonly allowHalfOpen?: boolean } = {}): NodeSocket {
    return handOff.toNodeSocket(this, options);
  }

  /** Hands the descriptor of a listener to Node as a `net.Server`, listening. */
  toNodeServer(): Promise<Server> {
    return handOff.toNodeServer(this);
  }

  /** Hands the descriptor of a bound UDP socket to Node as a `dgram.Socket`. */
  toDgram(): Promise<DatagramSocket> {
    return handOff.toDgram(this);
  }

  /**
   * Hands the descriptor to Node and begins TLS as the client; resolves when the handshake is done and the certificate
   * verified. Rejects, with the connection closed, when it is not.
   *
   * @example const secure = await s.toTls({ servername: "localhost", ca })
   */
  toTls(options: ConnectionOptions & WaitOptions = {}): Promise<TLSSocket> {
    return handOff.toTls(this, options);
  }
}

/** {@link Socket}'s constructor as a function, as in C and Python. */
export function socket<F extends Family = AfInet>(family?: F, type?: number, protocol?: number): Socket<F> {
  return new Socket(family, type, protocol);
}

/** A socket over a descriptor that is non-blocking and close-on-exec already. */
export function adopt<F extends Family = Family>(fd: number, identity: Identity, made = "made"): Socket<F> {
  const handle = new Handle(fd, identity);
  handle.timeoutMs = defaultTimeout.get();
  return wrap(handle, made);
}

/** A socket over a handle that exists already. */
function wrap<F extends Family>(handle: Handle, made: string): Socket<F> {
  return new AdoptingSocket(undefined, undefined, undefined, { handle, made });
}

/** A handle that exists already, and how it came to be. */
interface Adopted {
  readonly handle: Handle;
  readonly made: string;
}

/** The constructor with the parameter that is not for users. */
const AdoptingSocket = Socket as unknown as new <F extends Family>(
  family: undefined,
  type: undefined,
  protocol: undefined,
  adopted: Adopted,
) => Socket<F>;

function openHandle(family: number, type: number, protocol: number): Handle {
  for (const [name, value] of Object.entries({ family, type, protocol })) {
    checkInt(value, name);
  }
  const fd = native().socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) throw socketError("socket", native().errno());
  const handle = new Handle(fd, { family, type: type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol });
  handle.timeoutMs = (type & SOCK_NONBLOCK) !== 0 ? 0 : defaultTimeout.get();
  return handle;
}

/** What the kernel says of a descriptor. */
function identify(fd: number): Identity {
  return {
    family: identityOption(fd, SO_DOMAIN),
    type: identityOption(fd, SO_TYPE),
    protocol: identityOption(fd, SO_PROTOCOL),
  };
}

function identityOption(fd: number, option: number): number {
  lengthValue[0] = 4;
  if (native().getsockopt(fd, SOL_SOCKET, option, intBytes, lengthBytes) < 0) {
    throw socketError("getsockopt", native().errno());
  }
  return intValue[0] as number;
}

function setFlags(fd: number): void {
  const flags = native().fcntl(fd, linux.F_GETFL, 0);
  if (flags < 0) throw socketError("fcntl", native().errno());
  if (native().fcntl(fd, linux.F_SETFL, flags | linux.O_NONBLOCK) < 0)
    throw socketError("fcntl", native().errno());
  if (native().fcntl(fd, linux.F_SETFD, linux.FD_CLOEXEC) < 0) throw socketError("fcntl", native().errno());
}
