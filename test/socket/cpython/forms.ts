/** What the ports of CPython's tests share: each body runs over the promise form and the Sync form of the calls. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AF_INET6, type AfInet, type Family, SOCK_STREAM, Socket } from "../../../src/socket/index.js";
import { native } from "../../../src/socket/native/index.js";
import { bytes, deadlineMs } from "../support.js";

/** What CPython's tests send wherever the content does not matter. */
export const MSG: Uint8Array = bytes("Michael Gilfix was here\u1234\r\n");

export type Form = "promise" | "Sync";
const forms: readonly Form[] = ["promise", "Sync"];

type TcpSocket = Socket<AfInet>;
/** The calls that have a Sync twin. */
type Twin = {
  [K in keyof TcpSocket & string]: `${K}Sync` extends keyof TcpSocket ? K : never;
}[keyof TcpSocket & string];

/** Makes a call in one of its forms. One that blocks is wrapped, so that both give a promise. */
export async function call<F extends Family, N extends Twin>(
  form: Form,
  socket: Socket<F>,
  name: N,
  ...args: Parameters<Socket<F>[N]>
): Promise<Awaited<ReturnType<Socket<F>[N]>>> {
  const method = Reflect.get(socket, form === "Sync" ? `${name}Sync` : name);
  return Reflect.apply(method, socket, args);
}

/** Both halves of an exchange. The promise form begins to receive before anything was sent, so that it has to wait. */
export async function exchange<T>(
  form: Form,
  send: () => Promise<unknown>,
  receive: () => Promise<T>,
): Promise<T> {
  if (form === "Sync") {
    await send();
    return receive();
  }
  const received = receive();
  // Should the sending fail, that is the error to see.
  received.catch(() => {});
  await send();
  return received;
}

/** How a test of CPython is carried over. */
interface PortOptions {
  /** Where hawser differs by design, or what stands for something that JavaScript lacks. */
  readonly note?: string;
  /** Why it cannot run on this machine. */
  readonly skip?: string | false;
}

/** A test of CPython by its name. */
export function port(
  id: string,
  body: (t: TestContext) => void | Promise<void>,
  { note, skip = false }: PortOptions = {},
): void {
  const name = note === undefined ? `cpython: ${id}` : `cpython: ${id} – ${note}`;
  test(name, { timeout: 12 * deadlineMs, skip }, body);
}

/** A test of CPython by its name, run over both forms. */
export function portForms(
  id: string,
  body: (form: Form, t: TestContext) => void | Promise<void>,
  options: PortOptions = {},
): void {
  port(
    id,
    async (t) => {
      for (const form of forms) await inForm(form, () => body(form, t));
    },
    options,
  );
}

async function inForm(form: Form, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (error instanceof Error) error.message = `in the ${form} form: ${error.message}`;
    throw error;
  }
}

/** Why a kind of socket cannot be had here, or false. */
export function lacking(family: Family, type: number, protocol: number, host: string): string | false {
  try {
    using probe = new Socket(family, type, protocol);
    probe.bindSync([host, 0]);
    return false;
  } catch (error) {
    return `no such socket on this machine: ${(error as Error).message}`;
  }
}

export const noIpv6: string | false = lacking(AF_INET6, SOCK_STREAM, 0, "::1");

/** C's select(2) on one socket: whether it becomes readable in time. */
export function becomesReadable(socket: { fileno(): number }): boolean {
  const pollIn = 1;
  const pollfd = new DataView(new ArrayBuffer(8));
  pollfd.setInt32(0, socket.fileno(), true);
  pollfd.setInt16(4, pollIn, true);
  return native().poll(new Uint8Array(pollfd.buffer), 1, deadlineMs) === 1;
}

/** The flags of a descriptor (O_NONBLOCK, …) as the kernel tells them, without hawser. */
export function descriptorFlags(socket: { fileno(): number }): number {
  const info = readFileSync(`/proc/self/fdinfo/${socket.fileno()}`, "utf8");
  return Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] as string, 8);
}

/** Runs `body` with another {@link Socket.defaultTimeoutMs}. */
export async function withDefaultTimeout(timeoutMs: number | null, body: () => unknown): Promise<void> {
  const before = Socket.defaultTimeoutMs;
  Socket.defaultTimeoutMs = timeoutMs;
  try {
    await body();
  } finally {
    Socket.defaultTimeoutMs = before;
  }
}

/** Collects garbage, in turns of the event loop, until `done`. */
export async function collectUntil(done: () => boolean, what: string): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const dueMs = performance.now() + deadlineMs;
  while (!done()) {
    assert.ok(performance.now() < dueMs, `${what}: not after ${deadlineMs} ms of collecting`);
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}
