/**
 * Reads a stream and reports bytes a second, and by how much array buffers grew meanwhile at the most:
 * `bulk-reader hawser|data|onread PORT WARM_UP_SECONDS SECONDS`.
 */
import { connect, type Socket as NodeSocket } from "node:net";
import { Socket } from "../../../src/socket/index.js";
import { numberArgument, play, report } from "./peer.js";

const bufferBytes = 256 * 1024;
/** How many bytes pass between two looks at the memory. */
const lookEveryBytes = 8 * 1024 * 1024;

const port = numberArgument(1);
const warmUpMs = numberArgument(2) * 1000;
const durationMs = numberArgument(3) * 1000;
const bornMs = performance.now();

let totalBytes = 0;
let nextLookBytes = 0;
let startMs = 0;
let arrayBufferBytes = 0;
let grownBytes = 0;

await play({ hawser, data, onread });

async function hawser(): Promise<void> {
  const socket = new Socket();
  await socket.connect(["127.0.0.1", port]);
  const buffer = new Uint8Array(bufferBytes);
  while (count(await socket.recvInto(buffer)));
  socket.close();
}

function data(): void {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("data", (chunk) => {
    if (!count(chunk.length)) socket.destroy();
  });
}

function onread(): void {
  const buffer = new Uint8Array(bufferBytes);
  const callback = (bytes: number): boolean => count(bytes) || stop(socket);
  const socket: NodeSocket = connect({ port, host: "127.0.0.1", onread: { buffer, callback } });
}

function stop(socket: NodeSocket): false {
  socket.destroy();
  return false;
}

/** False when the time is over. */
function count(bytes: number): boolean {
  totalBytes += bytes;
  if (totalBytes < nextLookBytes) return true;
  nextLookBytes = totalBytes + lookEveryBytes;
  return look(performance.now());
}

function look(timeMs: number): boolean {
  if (startMs === 0) {
    if (timeMs - bornMs >= warmUpMs) begin();
    return true;
  }
  const { arrayBuffers } = process.memoryUsage();
  grownBytes = Math.max(grownBytes, arrayBuffers - arrayBufferBytes);
  if (timeMs - startMs < durationMs) return true;
  report("grown_bytes", grownBytes);
  report("bytes_per_second", totalBytes / ((timeMs - startMs) / 1000));
  return false;
}

function begin(): void {
  globalThis.gc?.();
  arrayBufferBytes = process.memoryUsage().arrayBuffers;
  totalBytes = 0;
  nextLookBytes = lookEveryBytes;
  startMs = performance.now();
}
