/**
 * How long after the bytes were sent a promise is delivered, in a process (or a worker) that does nothing else: the
 * sender is another process, and tells by the bytes when it sent them.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isMainThread, Worker } from "node:worker_threads";
import { type AddressLike, Socket } from "../../../src/socket/index.js";
import { listener } from "../robust.js";

const rounds = 20;

async function receive(): Promise<void> {
  const { server, address } = listener();
  const path = fileURLToPath(import.meta.url);
  const sender = spawn(process.execPath, [path, "sender", JSON.stringify(address)], { stdio: "inherit" });
  sender.unref();
  const [conn] = await server.accept();
  server.close();
  const delays: number[] = [];
  while (delays.length < rounds) {
    const data = await conn.recv(8);
    const sentMs = new DataView(data.buffer, data.byteOffset).getFloat64(0);
    delays.push(performance.timeOrigin + performance.now() - sentMs);
  }
  conn.close();
  console.log(JSON.stringify(delays));
}

/** Pauses between its messages, so that the receiver's event loop sleeps. */
function send(address: AddressLike): void {
  using s: Socket = new Socket();
  s.connectSync(address);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const message = new DataView(new ArrayBuffer(8));
  for (let round = 0; round < rounds; round += 1) {
    Atomics.wait(pause, 0, 0, 30);
    message.setFloat64(0, performance.timeOrigin + performance.now());
    s.sendallSync(new Uint8Array(message.buffer));
  }
}

if (process.argv[2] === "sender") send(JSON.parse(process.argv[3] as string) as AddressLike);
else if (process.argv[2] === "worker" && isMainThread) new Worker(new URL(import.meta.url));
else await receive();
