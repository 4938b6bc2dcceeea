/**
 * Sends a file to a sink once for the warm-up and once under the clock: `file-sender hawser|pipeline PORT PATH`. It
 * ends when the sink has read everything. Reports bytes a second, and the processor time of this process.
 */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { connect } from "node:net";
import { pipeline } from "node:stream/promises";
import { SHUT_WR, Socket } from "../../../src/socket/index.js";
import { args, numberArgument, play, report, secondsSince } from "./peer.js";

const port = numberArgument(1);
const path = args[2] ?? "";

await play({ hawser: () => measure(hawser), pipeline: () => measure(piped) });

async function measure(send: (count: number) => Promise<void>): Promise<void> {
  const { size } = await stat(path);
  await send(size >> 4);
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await send(size);
  const seconds = secondsSince(startMs);
  const { user, system } = process.cpuUsage(cpu);
  report("cpu_seconds", (user + system) / 1e6);
  report("bytes_per_second", size / seconds);
}

async function hawser(count: number): Promise<void> {
  using socket = new Socket();
  await socket.connect(["127.0.0.1", port]);
  const file = await open(path);
  await socket.sendFile(file, { count });
  await file.close();
  socket.shutdown(SHUT_WR);
  await socket.recv(1);
}

async function piped(count: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const closed = new Promise((resolve) => socket.resume().on("end", resolve));
  await pipeline(createReadStream(path, { end: count - 1 }), socket);
  await closed;
  socket.destroy();
}
