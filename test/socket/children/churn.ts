/** A worker that opens pairs and closes them, and sends its own mark through each: it must never see another's. */
import { parentPort, workerData } from "node:worker_threads";
import { type Socket, socketPair } from "../../../src/socket/index.js";

const { mark, cycles } = workerData as { mark: number; cycles: number };
const open: [Socket, Socket][] = [];

for (let cycle = 0; cycle < cycles; cycle += 1) {
  const [a, b] = socketPair() as [Socket, Socket];
  const value = [mark, cycle & 255, (cycle >> 8) & 255, cycle % 7];
  // Some wait first, some find their bytes there, some are closed under a call that waits.
  const waiting = cycle % 3 === 0 ? a.recv(10) : undefined;
  b.sendallSync(Uint8Array.from(value));
  const got = [...(await (waiting ?? a.recv(10)))];
  if (got.join() !== value.join()) throw new Error(`worker ${mark} sent ${value} and got ${got}`);
  open.push([a, b]);
  if (cycle % 5 === 0) void a.recv(10).catch(() => {});
  if (open.length < 1 + (cycle % 6)) continue;
  for (const pair of open.splice(0)) for (const s of pair) s.close();
}
for (const pair of open) for (const s of pair) s.close();
parentPort?.postMessage(cycles);
