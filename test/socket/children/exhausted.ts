/**
 * Runs out of descriptors while it accepts (start it under a low `ulimit -n`), then closes some and goes on. Writes a
 * line of JSON: the processor time of half a second of exhaustion, the errors seen, and the connections accepted.
 */
import { closeSync, openSync } from "node:fs";
import { createServer, type InetAddress, Socket } from "../../../src/socket/index.js";

const warnings: string[] = [];
process.on("warning", (warning) => warnings.push((warning as Error & { code: string }).code));

const listener = await createServer(["127.0.0.1", 0]);
const address: InetAddress = listener.getsockname();
const client = new Socket();
await client.connect(address);

const taken: number[] = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== "EMFILE") throw error;
}

const first = await listener.accept({ timeoutMs: 5000 }).catch((error: unknown) => error);
const loop = (async () => {
  for await (const [conn] of listener) return conn;
  return undefined;
})();
const before = process.cpuUsage();
const elapsedMs = 500;
await new Promise((resolve) => {
  setTimeout(resolve, elapsedMs);
});
const { user, system } = process.cpuUsage(before);
for (const fd of taken) closeSync(fd);
const conn = await loop;
const accepted = conn?.getpeername()[1] === client.getsockname()[1];
conn?.close();
client.close();
listener.close();
process.stdout.write(
  `${JSON.stringify({
    code: (first as { code?: string }).code,
    load: (user + system) / 1000 / elapsedMs,
    accepted,
    warnings: warnings.length,
    warning: warnings[0],
  })}\n`,
);
