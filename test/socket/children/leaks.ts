/**
 * Loses sockets of every kind to the garbage collector (run it with --expose-gc), then writes a line of JSON: what was
 * expected, `[made, line]` each (line 0: none), the warnings that came, and how many sockets are open all the same.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { createServerSync, Socket, socketPair } from "../../../src/socket/index.js";

const deadlineMs = 10_000;
const expected: [made: string, line: number][] = [];
const warnings: { name: string; code: string; message: string }[] = [];

process.on("warning", (warning) => {
  const { code } = warning as Error & { code: string };
  warnings.push({ name: warning.name, code, message: warning.message });
});

/** The next line of the caller makes a socket that nobody will close. */
function expectNextLine(made: string): void {
  const frame = (new Error().stack ?? "").split("\n")[2] as string;
  expected.push([made, Number(/:(\d+):\d+\)?$/.exec(frame)?.[1]) + 1]);
}

function loseMade(): void {
  expectNextLine("made");
  new Socket();
}

function loseAccepted(): void {
  using listener = createServerSync(["127.0.0.1", 0]);
  using client = new Socket();
  client.connectSync(listener.getsockname());
  expectNextLine("accepted");
  listener.acceptSync();
}

async function loseAcceptedLater(): Promise<void> {
  using listener = createServerSync(["127.0.0.1", 0]);
  using client = new Socket();
  // The event loop accepts it, so that there is no line to name.
  expected.push(["accepted", 0]);
  const accepted = listener.accept();
  client.connectSync(listener.getsockname());
  await accepted;
}

function losePair(): void {
  expectNextLine("made");
  const [left] = socketPair();
  left.close();
}

function loseDuplicate(): void {
  using socket = new Socket();
  expectNextLine("made");
  socket.dup();
}

function loseFile(): void {
  const socket = new Socket();
  expectNextLine("opened by makefile");
  socket.makefile("r");
  socket.close();
}

/** None of these is a leak. */
async function loseNothing(): Promise<void> {
  new Socket().close();
  Socket.fromFd(new Socket().detach()).close();
  {
    using _closed = new Socket();
  }
  const [left, right] = socketPair();
  const file = left.makefile("r");
  left.close();
  await file.close();
  right.close();
}

function openSockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      // The descriptor that listed the folder is gone by now.
      return false;
    }
  }).length;
}

const collect = globalThis.gc as () => void;
const openBefore = openSockets();
loseMade();
loseAccepted();
losePair();
loseDuplicate();
loseFile();
await loseAcceptedLater();
await loseNothing();
const dueMs = performance.now() + deadlineMs;
while (warnings.length < expected.length && performance.now() < dueMs) {
  collect();
  await new Promise(setImmediate);
}
// One too many would come with the next collections.
for (let round = 0; round < 3; round += 1) {
  collect();
  await new Promise(setImmediate);
}
console.log(JSON.stringify({ expected, warnings, leftOpen: openSockets() - openBefore }));
