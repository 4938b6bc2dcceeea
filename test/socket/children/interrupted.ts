/**
 * Makes one call that has to wait, while the parent sends SIGALRM again and again: `interrupted.js CALL FORM [PORT]`.
 * It prints "waiting" when the signals may begin, "interrupted" for each that ended poll(2), and a report of one line when
 * they may end; it exits with its stdin.
 */
import { writeSync } from "node:fs";
import {
  AF_INET,
  type AfInet,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type TransferOptions,
} from "../../../src/socket/index.js";
import { native } from "../../../src/socket/native/index.js";
import { tcpPair } from "../support.js";

/** What the parent is told. */
export interface InterruptedReport {
  /** The class of the error that ended the call; "none" when it came to its end. */
  readonly error: string;
  /** Whether the call ended with the reason that the signal's handler gave to `abort`. */
  readonly aborted: boolean;
  readonly tookMs: number;
  /** How often a signal ended poll(2). */
  readonly interruptions: number;
}

interface Waiting {
  sync(options: TransferOptions): unknown;
  promise(options: TransferOptions): Promise<unknown>;
}

/** The time that a call is given, in milliseconds: a busy machine delivers signals late, and several as one. */
const limitMs = 2000;
const errnoEintr = 4;
const chunk = new Uint8Array(512);
const room = new Uint8Array(1024);

function datagramSocket(): Socket<AfInet> {
  const socket = new Socket(AF_INET, SOCK_DGRAM);
  socket.bindSync(["127.0.0.1", 0]);
  return socket;
}

/** A peer that is collected would be closed, and end the call. */
const held: Socket<AfInet>[] = [];

function receiving(make: (socket: Socket<AfInet>) => Waiting): () => Waiting {
  return () => make(datagramSocket());
}

function sending(make: (socket: Socket<AfInet>, peer: Socket<AfInet>) => Waiting): () => Promise<Waiting> {
  return async () => {
    const pair = await tcpPair();
    held.push(...pair);
    return make(...pair);
  };
}

function listener(): Socket<AfInet> {
  const socket = new Socket(AF_INET, SOCK_STREAM);
  socket.bindSync(["127.0.0.1", 0]);
  socket.listen();
  return socket;
}

const large = new Uint8Array(16 * 1024 * 1024).map((_, index) => index % 251);

const calls: Readonly<Record<string, () => Waiting | Promise<Waiting>>> = {
  accept: () => {
    const socket = listener();
    return { sync: (options) => socket.acceptSync(options), promise: (options) => socket.accept(options) };
  },
  recv: receiving((socket) => ({
    sync: (options) => socket.recvSync(1024, options),
    promise: (options) => socket.recv(1024, options),
  })),
  recvInto: receiving((socket) => ({
    sync: (options) => socket.recvIntoSync(room, options),
    promise: (options) => socket.recvInto(room, options),
  })),
  recvfrom: receiving((socket) => ({
    sync: (options) => socket.recvfromSync(1024, options),
    promise: (options) => socket.recvfrom(1024, options),
  })),
  recvfromInto: receiving((socket) => ({
    sync: (options) => socket.recvfromIntoSync(room, options),
    promise: (options) => socket.recvfromInto(room, options),
  })),
  recvmsg: receiving((socket) => ({
    sync: (options) => socket.recvmsgSync(1024, 0, options),
    promise: (options) => socket.recvmsg(1024, 0, options),
  })),
  recvmsgInto: receiving((socket) => ({
    sync: (options) => socket.recvmsgIntoSync([room], 0, options),
    promise: (options) => socket.recvmsgInto([room], 0, options),
  })),
  send: sending((socket) => ({
    sync: (options) => socket.sendSync(chunk, options),
    promise: (options) => socket.send(chunk, options),
  })),
  sendto: sending((socket, peer) => ({
    sync: (options) => socket.sendtoSync(chunk, peer.getsockname(), options),
    promise: (options) => socket.sendto(chunk, peer.getsockname(), options),
  })),
  sendmsg: sending((socket) => ({
    sync: (options) => socket.sendmsgSync([chunk], [], null, options),
    promise: (options) => socket.sendmsg([chunk], [], null, options),
  })),
  sendall: sending((socket) => ({
    sync: (options) => socket.sendallSync(large, options),
    promise: (options) => socket.sendall(large, options),
  })),
};

let interruptions = 0;

/** Counts how often poll(2) is interrupted, and tells the parent of each time. */
function watchPoll(): void {
  const libc = native();
  const { poll } = libc;
  Object.assign(libc, {
    poll: (fds: Uint8Array, count: number, timeoutMs: number): number => {
      const ready = poll(fds, count, timeoutMs);
      if (ready < 0 && libc.errno() === errnoEintr) {
        interruptions += 1;
        writeSync(1, "interrupted\n");
      }
      return ready;
    },
  });
}

const alarm = new Error("alarm");
const controller = new AbortController();
process.on("SIGALRM", () => controller.abort(alarm));

/** Repeats the call until it fails: what is sent may fill the buffers first. A single one is not repeated. */
async function failureOf(once: boolean, call: () => unknown): Promise<InterruptedReport> {
  for (;;) {
    const startedMs = performance.now();
    interruptions = 0;
    let error: unknown;
    try {
      await call();
      if (!once) continue;
    } catch (reason) {
      error = reason;
    }
    const name = error === undefined ? "none" : (error as Error).name;
    const tookMs = performance.now() - startedMs;
    return { error: name, aborted: error === alarm, tookMs, interruptions };
  }
}

async function main([name = "", form = "", port]: readonly string[]): Promise<void> {
  watchPoll();
  let waiting = await calls[name]?.();
  if (port !== undefined) {
    const socket = new Socket();
    await socket.connect(["127.0.0.1", port]);
    waiting = { sync: () => socket.sendallSync(large), promise: () => socket.sendall(large) };
  }
  if (waiting === undefined) throw new Error(`no such call: ${name}`);
  const { sync, promise } = waiting;
  writeSync(1, "waiting\n");
  const report =
    form === "Sync"
      ? await failureOf(port !== undefined, () => sync({ timeoutMs: limitMs }))
      : await failureOf(false, () => promise({ signal: controller.signal, timeoutMs: 20 * limitMs }));
  writeSync(1, `${JSON.stringify(report)}\n`);
  process.stdin.resume();
  process.stdin.once("end", () => process.exit());
}

await main(process.argv.slice(2));
