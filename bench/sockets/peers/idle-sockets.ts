/**
 * Ten thousand idle connections, on this side of one process: `idle-sockets server COUNT` accepts them and reports what
 * each costs in bytes, without and with a pending recvInto that has a deadline, and how many timers those deadlines
 * made. `idle-sockets client PORT COUNT` is the other side. The server is started with --expose-gc.
 */
import { createHook } from "node:async_hooks";
import { AF_INET, type AfInet, createServer, Socket } from "../../../src/socket/index.js";
import { numberArgument, peerLifeMs, play, report } from "./peer.js";

await play({ server, client });

async function server(): Promise<void> {
  const count = numberArgument(1);
  const listener = await createServer(["127.0.0.1", 0], { backlog: 1024 });
  const accepted: Socket<AfInet>[] = new Array(count);
  report("port", listener.getsockname()[1]);
  accepted[0] = (await listener.accept())[0];
  const emptyBytes = usedBytes();
  for (let index = 1; index < count; index += 1) accepted[index] = (await listener.accept())[0];
  const idleBytes = usedBytes();
  report("idle_bytes", (idleBytes - emptyBytes) / count);
  const timers = countTimers();
  const buffer = new Uint8Array(64);
  const pending = new Array<Promise<unknown>>(count);
  for (const [index, socket] of accepted.entries()) {
    pending[index] = socket.recvInto(buffer, { timeoutMs: peerLifeMs + index });
  }
  report("timers", timers());
  report("waiting_bytes", (usedBytes() - emptyBytes) / count);
  await Promise.all(pending);
}

async function client(): Promise<void> {
  const port = numberArgument(1);
  const count = numberArgument(2);
  const sockets: Socket<AfInet>[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = new Socket(AF_INET);
    await socket.connect(["127.0.0.1", port]);
    sockets.push(socket);
  }
  report("connected", sockets.length);
  await sockets[0]?.recv(1);
}

/** What the heap, external memory and array buffers hold after a collection. */
function usedBytes(): number {
  // The second collection takes what the finalizers of the first one let go.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

/** Counts the timers made from now on; the list of active resources leaves out those that were unref'ed. */
function countTimers(): () => number {
  let timers = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === "Timeout") timers += 1;
    },
  }).enable();
  return () => {
    hook.disable();
    return timers;
  };
}
