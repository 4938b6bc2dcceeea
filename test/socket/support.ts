/** What the socket tests share: connected pairs, paths, and the two ways in which a call may fail. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AF_INET,
  AF_UNIX,
  type AfInet,
  type AfUnix,
  type Family,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  socketPair,
} from "../../src/socket/index.js";

/** How long any wait of a test may last, in milliseconds. */
export const deadlineMs = 5000;

/** An error class, as `rejectsWith` and `throwsWith` take it. */
export type ErrorClass<E extends Error = Error> = abstract new (...args: never[]) => E;

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Two connected TCP sockets on 127.0.0.1: the one that connected, and the one that was accepted. */
export async function tcpPair(): Promise<[client: Socket<AfInet>, server: Socket<AfInet>]> {
  using listener = new Socket(AF_INET, SOCK_STREAM);
  listener.timeoutMs = deadlineMs;
  await listener.bind(["127.0.0.1", 0]);
  listener.listen();
  const client = limited(new Socket(AF_INET, SOCK_STREAM));
  try {
    await client.connect(listener.getsockname());
    const [server] = await listener.accept();
    return [client, limited(server)];
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Two connected Unix sockets. */
export function unixPair(type: number = SOCK_STREAM): [Socket<AfUnix>, Socket<AfUnix>] {
  const [left, right] = socketPair(AF_UNIX, type);
  return [limited(left), limited(right)];
}

/** Two UDP (or, by `protocol`, UDP-Lite) sockets bound on 127.0.0.1, neither connected. */
export function udpPair(protocol = 0): [Socket<AfInet>, Socket<AfInet>] {
  const bound = (): Socket<AfInet> => {
    const socket = limited(new Socket(AF_INET, SOCK_DGRAM, protocol));
    socket.bindSync(["127.0.0.1", 0]);
    return socket;
  };
  return [bound(), bound()];
}

/** The socket, whose waits now end after {@link deadlineMs}. */
export function limited<F extends Family>(socket: Socket<F>): Socket<F> {
  socket.timeoutMs = deadlineMs;
  return socket;
}

/** Closes all of them at the end of a block: `using _ = closing(client, server)`. */
export function closing(...sockets: readonly { close(): void }[]): Disposable {
  return {
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.close();
    },
  };
}

let folder: string | undefined;
let paths = 0;

/** A path that does not exist yet, short enough for a Unix socket; removed when the process ends. */
export function temporaryPath(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "hawser-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  paths += 1;
  return join(folder, `${paths}`);
}

/** Asserts that `promise` rejects with an error of the class, and of the code where one is given; returns the error. */
export async function rejectsWith<E extends Error>(
  promise: Promise<unknown>,
  Class: ErrorClass<E>,
  code?: string,
): Promise<E> {
  return checked(await promise.then(succeeded, caught), Class, code);
}

/** Asserts that `call` throws an error of the class, and of the code where one is given; returns the error. */
export function throwsWith<E extends Error>(call: () => unknown, Class: ErrorClass<E>, code?: string): E {
  let outcome: Outcome;
  try {
    outcome = succeeded(call());
  } catch (error) {
    outcome = caught(error);
  }
  return checked(outcome, Class, code);
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

const succeeded = (value: unknown): Outcome => ({ value });
const caught = (error: unknown): Outcome => ({ error });

function checked<E extends Error>(outcome: Outcome, Class: ErrorClass<E>, code: string | undefined): E {
  if ("value" in outcome) assert.fail(`expected ${Class.name} ${code ?? ""}, but the call succeeded`);
  const { error } = outcome;
  assert.ok(error instanceof Class, `expected ${Class.name} ${code ?? ""}, not ${error}`);
  if (code !== undefined) assert.equal((error as E & { code?: unknown }).code, code);
  return error;
}
