/**
 * What the ports of CPython's sendmsg and recvmsg tests share: the kinds of socket and the two forms of each call
 * that every body runs over, and the checks of test_socket.py's base classes.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Address,
  type AddressLike,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  type AncillaryItem,
  type AncillaryLike,
  type Family,
  type How,
  IPPROTO_UDPLITE,
  MSG_CTRUNC,
  MSG_OOB,
  MSG_TRUNC,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
} from "../../../src/socket/index.js";
import { limited } from "../support.js";
import { call, exchange, type Form, lacking, portForms } from "./forms.js";

export const SIZEOF_INT = 4;

/** Numbers as C's `int[]`. */
export function ints(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** The whole numbers in the bytes of an `int[]`. */
export function intsOf(data: Uint8Array): number[] {
  return [...new Int32Array(data.slice(0, data.length - (data.length % SIZEOF_INT)).buffer)];
}

/** A value that the types refuse, as a JavaScript program may pass it. */
export function untyped<T>(value: unknown): T {
  return value as T;
}

/** A kind of socket: how a connected pair, or two bound sockets of it, are made. */
export interface Kind {
  readonly family: Family;
  readonly type: number;
  readonly protocol: number;
  readonly connected: boolean;
  readonly host: string;
}

export const tcp: Kind = {
  family: AF_INET,
  type: SOCK_STREAM,
  protocol: 0,
  connected: true,
  host: "127.0.0.1",
};
export const unix: Kind = { family: AF_UNIX, type: SOCK_STREAM, protocol: 0, connected: true, host: "" };
export const udp: Kind = {
  family: AF_INET,
  type: SOCK_DGRAM,
  protocol: 0,
  connected: false,
  host: "127.0.0.1",
};
export const udp6: Kind = { ...udp, family: AF_INET6, host: "::1" };
export const udplite: Kind = { ...udp, protocol: IPPROTO_UDPLITE };
export const udplite6: Kind = { ...udp6, protocol: IPPROTO_UDPLITE };

/** What a message brought, whichever call received it. */
export interface Received {
  readonly data: Uint8Array;
  readonly ancillary: readonly AncillaryItem[];
  readonly flags: number;
  readonly address: Address | undefined;
}

/** Which call receives: CPython runs the same bodies over both. */
export type Receiver = (
  form: Form,
  socket: Socket,
  maxBytes: number,
  ancillaryBytes?: number,
  how?: How,
) => Promise<Received>;

export const byRecvmsg: Receiver = (form, socket, maxBytes, ancillaryBytes, how) =>
  call(form, socket, "recvmsg", maxBytes, ancillaryBytes, how);

export const byRecvmsgInto: Receiver = async (form, socket, maxBytes, ancillaryBytes, how) => {
  const buffer = new Uint8Array(maxBytes);
  const result = await call(form, socket, "recvmsgInto", [buffer], ancillaryBytes, how);
  assert.ok(
    result.bytes >= 0 && result.bytes <= maxBytes,
    `${result.bytes} bytes in a buffer of ${maxBytes}`,
  );
  return { ...result, data: buffer.slice(0, result.bytes) };
};

/** What {@link Run.checkFlags} looks for. */
export interface FlagChecks {
  /** Whether the flags say that the message is whole. Default: that is not looked at. */
  readonly whole?: boolean;
  readonly set?: number;
  readonly unset?: number;
  readonly ignore?: number;
}

/** One run of a body: the sockets, the form of the calls, and the checks. The client sends, the server receives. */
export class Run {
  readonly kind: Kind;
  readonly form: Form;
  readonly client: Socket;
  readonly server: Socket;
  readonly clientAddress: Address;
  readonly serverAddress: Address;
  readonly #receiver: Receiver;
  readonly #cleanups: (() => void)[] = [];

  constructor(kind: Kind, form: Form, receiver: Receiver) {
    this.kind = kind;
    this.form = form;
    this.#receiver = receiver;
    const first = this.#bound();
    if (kind.connected) first.listen();
    this.serverAddress = first.getsockname();
    this.client = this.#bound();
    this.clientAddress = this.client.getsockname();
    this.server = kind.connected ? this.#accepted(first) : first;
  }

  #bound(): Socket {
    const { family, type, protocol, host } = this.kind;
    const socket = limited(new Socket(family, type, protocol));
    this.after(() => socket.close());
    socket.bindSync(family === AF_UNIX ? join(this.directory(), "s") : [host, 0]);
    return socket;
  }

  #accepted(listener: Socket): Socket {
    this.client.connectSync(this.serverAddress);
    const [socket] = listener.acceptSync();
    this.after(() => socket.close());
    return limited(socket);
  }

  /** A directory of this run's own. */
  directory(): string {
    const path = mkdtempSync(join(tmpdir(), "hawser-"));
    this.after(() => rmSync(path, { recursive: true }));
    return path;
  }

  /** Has `cleanup` called at the end of the run, the last one first. */
  after(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  end(): void {
    for (const cleanup of this.#cleanups.reverse()) cleanup();
  }

  /** CPython's sendToServer(). */
  send(data: Uint8Array): Promise<number> {
    const { form, client } = this;
    if (this.kind.connected) return call(form, client, "send", data);
    return call(form, client, "sendto", data, this.serverAddress);
  }

  /** CPython's sendmsgToServer(): what is not given is filled in, the destination where one is needed. */
  sendmsg(
    buffers: Uint8Array | Iterable<Uint8Array>,
    ancillary?: Iterable<AncillaryLike>,
    how?: How,
    address: AddressLike | null = this.kind.connected ? null : this.serverAddress,
  ): Promise<number> {
    return call(this.form, this.client, "sendmsg", buffers, ancillary, address, how);
  }

  /** CPython's doRecvmsg(). */
  receive(maxBytes: number, ancillaryBytes?: number, how?: How): Promise<Received> {
    return this.#receiver(this.form, this.server, maxBytes, ancillaryBytes, how);
  }

  /** Both halves. The promise form begins to receive before anything was sent, so that it has to wait. */
  exchange<T>(send: () => Promise<unknown>, receive: () => Promise<T>): Promise<T> {
    return exchange(this.form, send, receive);
  }

  /** The sender's address: streams tell none, but for the name of a Unix peer. */
  checkAddress(address: Address | undefined): void {
    const told = !this.kind.connected || this.kind.family === AF_UNIX;
    assert.deepEqual(address, told ? this.clientAddress : undefined);
  }

  /** CPython's checkFlags(): MSG_CTRUNC and MSG_OOB are unset unless expected, MSG_TRUNC tells of a cut datagram. */
  checkFlags(flags: number, { whole, set = 0, unset = 0, ignore = 0 }: FlagChecks): void {
    const cut = this.kind.type === SOCK_DGRAM ? MSG_TRUNC : 0;
    const wanted = set | (whole === false ? cut : 0);
    const unwanted = (unset | MSG_CTRUNC | MSG_OOB | (whole === true ? cut : 0)) & ~set;
    const mask = (wanted | unwanted) & ~ignore;
    assert.equal(flags & mask, wanted & mask, `flags 0x${flags.toString(16)}`);
  }

  /** Data, address, flags and that nothing rode beside: most bodies want these. */
  checkPlain(message: Received, data: Uint8Array, checks: FlagChecks): void {
    assert.deepEqual(message.data, data);
    this.checkAddress(message.address);
    assert.deepEqual(message.ancillary, []);
    this.checkFlags(message.flags, checks);
  }
}

export type Body = (run: Run) => Promise<void>;

/** One test for each body, named as CPython names it. It runs over the promise form and the Sync form. */
export function portAll(
  className: string,
  kind: Kind,
  bodies: Readonly<Record<string, Body>>,
  receiver: Receiver = byRecvmsg,
): void {
  const { family, type, protocol, host } = kind;
  const skip = family === AF_UNIX ? false : lacking(family, type, protocol, host);
  for (const [method, body] of Object.entries(bodies)) {
    const runOnce = async (form: Form) => {
      const run = new Run(kind, form, receiver);
      try {
        await body(run);
      } finally {
        run.end();
      }
    };
    portForms(`${className}.${method}`, runOnce, { skip });
  }
}
