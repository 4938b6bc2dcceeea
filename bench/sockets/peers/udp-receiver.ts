/** Counts the datagrams that arrive: `udp-receiver hawser|gro|dgram WARM_UP_SECONDS SECONDS`. */
import { createSocket } from "node:dgram";
import { AF_INET, type AfInet, type ReceivedPacket, SOCK_DGRAM, Socket } from "../../../src/socket/index.js";
import { numberArgument, play, report } from "./peer.js";

/** Asked for by both; the kernel may give less (net.core.rmem_max). */
const receiveBufferBytes = 4 * 1024 * 1024;
const warmUpMs = numberArgument(1) * 1000;
const durationMs = numberArgument(2) * 1000;

let firstMs = 0;
let startMs = 0;
let packets = 0;

await play({ hawser: () => hawser(false), gro: () => hawser(true), dgram });

async function hawser(gro: boolean): Promise<void> {
  const socket = new Socket(AF_INET, SOCK_DGRAM);
  socket.receiveBufferBytes = receiveBufferBytes;
  if (gro) socket.gro = true;
  await socket.bind(["127.0.0.1", 0]);
  report("port", socket.getsockname()[1]);
  for (;;) count(datagramsOf(await socket.recvMany()));
}

function datagramsOf(received: readonly ReceivedPacket<AfInet>[]): number {
  let datagrams = 0;
  for (const { data, segmentBytes } of received) {
    datagrams += segmentBytes === undefined ? 1 : Math.ceil(data.length / segmentBytes);
  }
  return datagrams;
}

function dgram(): void {
  const socket = createSocket({ type: "udp4", recvBufferSize: receiveBufferBytes });
  socket.on("message", () => count(1));
  socket.bind(0, "127.0.0.1", () => report("port", socket.address().port));
}

function count(datagrams: number): void {
  packets += datagrams;
  const timeMs = performance.now();
  if (firstMs === 0) firstMs = timeMs;
  if (startMs === 0) {
    if (timeMs - firstMs >= warmUpMs) begin(timeMs);
  } else if (timeMs - startMs >= durationMs) {
    report("packets_per_second", packets / ((timeMs - startMs) / 1000));
    process.exit(0);
  }
}

function begin(timeMs: number): void {
  startMs = timeMs;
  packets = 0;
}
