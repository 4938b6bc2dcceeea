/** Uses up its descriptors under a listener with connections in its backlog, and gives them back. */
import { closeSync, openSync } from "node:fs";
import { Socket } from "../../../src/socket/index.js";
import { codeOf, listener, within } from "../robust.js";

const { server, address } = listener();
// Three connections wait; the sockets at this end are made before there are no numbers left.
const clients = Array.from({ length: 3 }, () => new Socket() as Socket);
for (const client of clients) client.connectSync(address);
process.on("warning", () => {
  warnings += 1;
});
let warnings = 0;

// Whatever loads late must have its descriptors before they are gone.
await within(
  server.accept({ timeoutMs: 1 }).then(([conn]) => conn.close()),
  "the first connection",
);
const held: number[] = [];
try {
  for (;;) held.push(openSync("/dev/null", "r"));
} catch {
  // There are no more.
}

const beginMs = performance.now();
const error = await server.accept().catch((reason: Error) => reason);
let syncCode: string | undefined;
try {
  server.acceptSync({ timeoutMs: 1000 });
} catch (reason) {
  syncCode = codeOf(reason);
}

// The loop goes on by itself while there is nothing to be had, and takes what there is when there is.
const accepted: Socket[] = [];
const looping = (async () => {
  for await (const [conn] of server) {
    accepted.push(conn);
    if (accepted.length === 3) break;
  }
})();
const before = process.cpuUsage();
const startMs = performance.now();
await new Promise((resolve) => {
  setTimeout(resolve, 1500);
});
const { user, system } = process.cpuUsage(before);
const cpuShare = (user + system) / 1000 / (performance.now() - startMs);

for (const fd of held.splice(0)) closeSync(fd);
const late: Socket = new Socket();
clients.push(late);
await late.connect(address);
await within(looping, "the loop to recover", 5000);
for (const socket of [...clients, ...accepted, server]) socket.close();
console.log(
  JSON.stringify({
    code: codeOf(error),
    message: (error as Error).message,
    cpuShare,
    warnings,
    withinMs: performance.now() - beginMs,
    recovered: accepted.length === 3,
    iterated: accepted.length,
    syncCode,
  }),
);
