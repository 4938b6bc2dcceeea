/** `hawser nc`: bytes between stdin, stdout and a socket, each side no faster than the other takes them. */
import { DeadlineError, ResetError } from "../index.js";
import { type Address, SHUT_WR, type Socket } from "../socket/index.js";
import { hexDump } from "./hex.js";
import type { Input } from "./nc-input.js";
import { say, writeOut } from "./output.js";

/** What a relay needs besides its socket. */
export interface RelayOptions {
  readonly input: Input;
  /** Ends everything: Ctrl-C. */
  readonly signal: AbortSignal;
  /** How long nothing may come or go, in milliseconds; undefined for ever. */
  readonly idleMs: number | undefined;
  /** Whether stdin is sent to its end also to a peer that has finished. */
  readonly sendsAll: boolean;
  /** Dump the bytes on stderr. */
  readonly hex: boolean;
}

const readBytes = 65536;

/** What other netcats put into one datagram at most. */
const datagramBytes = 16384;

/** One conversation: its counters, its idle clock, its end. */
class Conversation implements Disposable {
  readonly #stop = new AbortController();
  readonly #options: RelayOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #writing = false;
  readonly signal: AbortSignal;
  sentBytes = 0;
  receivedBytes = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.signal = AbortSignal.any([this.#stop.signal, options.signal]);
    const { idleMs } = options;
    if (idleMs !== undefined) this.#timer = setTimeout(() => this.#idled(idleMs), idleMs);
  }

  /** A slow reader of stdout is no idle peer. */
  #idled(idleMs: number): void {
    if (this.#writing) this.#timer?.refresh();
    else this.end(new DeadlineError("waiting for data", idleMs));
  }

  /** Ends what is still under way; with a reason, as a failure. */
  end(reason?: unknown): void {
    this.#stop.abort(reason);
  }

  sent(data: Uint8Array): void {
    this.#timer?.refresh();
    if (this.#options.hex) for (const line of hexDump(data, this.sentBytes)) say(`> ${line}`);
    this.sentBytes += data.length;
  }

  /** Writes what was received to stdout. */
  async received(data: Uint8Array): Promise<void> {
    if (this.#options.hex) for (const line of hexDump(data, this.receivedBytes)) say(`< ${line}`);
    this.receivedBytes += data.length;
    this.#writing = true;
    await writeOut(data, this.signal);
    this.#writing = false;
    this.#timer?.refresh();
  }

  /** The next chunk of stdin. */
  next(): Promise<Uint8Array | undefined> {
    return this.#options.input.take(this.signal);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.end();
  }
}

/** A stream: stdin's end half-closes it. */
export async function relay(socket: Socket, options: RelayOptions): Promise<Conversation> {
  using talk = new Conversation(options);
  const sending = send(socket, talk).catch((error: unknown) => {
    // The peer reads no more, but may still have something to say.
    if (!(error instanceof ResetError)) talk.end(error);
  });
  for (;;) {
    const data = await socket.recv(readBytes, { signal: talk.signal });
    if (data.length === 0) break;
    await talk.received(data);
  }
  if (options.sendsAll) {
    await sending;
    talk.signal.throwIfAborted();
  }
  talk.end();
  await sending;
  return talk;
}

async function send(socket: Socket, talk: Conversation): Promise<void> {
  for (let data = await talk.next(); data !== undefined; data = await talk.next()) {
    await socket.sendall(data, { signal: talk.signal });
    talk.sent(data);
  }
  if (!talk.signal.aborted) socket.shutdown(SHUT_WR);
}

/** Who is at the other end of a datagram socket: a connected peer, or whoever wrote last. */
export interface DatagramPeer {
  readonly connected: boolean;
  /** Answer whoever wrote last, and hear everyone. */
  readonly anyone: boolean;
}

/** Datagrams have no end: this returns when it has been idle and had an answer, or throws. */
export async function relayDatagrams(
  socket: Socket,
  peer: DatagramPeer,
  options: RelayOptions,
): Promise<Conversation> {
  // A listener waits for its first datagram as long as it takes.
  const first = peer.connected ? undefined : await socket.recvfrom(readBytes, { signal: options.signal });
  using talk = new Conversation(options);
  const route = new Route(socket, peer);
  if (first !== undefined) {
    await route.learn(first[1]);
    await talk.received(first[0]);
  }
  const sending = sendDatagrams(route, talk).catch((error: unknown) => talk.end(error));
  try {
    for (;;) {
      const [data, address] = await socket.recvfrom(readBytes, { signal: talk.signal });
      await route.learn(address);
      await talk.received(data);
    }
  } catch (error) {
    if (!(error instanceof DeadlineError) || talk.receivedBytes === 0) throw error;
  }
  talk.end();
  await sending;
  return talk;
}

async function sendDatagrams(route: Route, talk: Conversation): Promise<void> {
  for (let data = await talk.next(); data !== undefined; data = await talk.next()) {
    for (let at = 0; at < data.length; at += datagramBytes) {
      const part = data.subarray(at, at + datagramBytes);
      await route.send(part, talk.signal);
      talk.sent(part);
    }
  }
}

/** Where the next datagram goes. */
class Route {
  readonly #socket: Socket;
  readonly #anyone: boolean;
  #connected: boolean;
  #last: Address | undefined;

  constructor(socket: Socket, { connected, anyone }: DatagramPeer) {
    this.#socket = socket;
    this.#connected = connected;
    this.#anyone = anyone;
  }

  /** A datagram came from `address`. A sender without a name cannot be answered. */
  async learn(address: Address): Promise<void> {
    if (address === "") return;
    this.#last = address;
    if (this.#connected || this.#anyone) return;
    await this.#socket.connect(address);
    this.#connected = true;
  }

  async send(data: Uint8Array, signal: AbortSignal): Promise<void> {
    if (this.#connected) await this.#socket.send(data, { signal });
    else if (this.#last !== undefined) await this.#socket.sendto(data, this.#last, { signal });
  }
}
