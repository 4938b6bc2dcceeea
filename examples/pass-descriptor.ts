/**
 * Sends an open file through a socket: the receiver reads it without ever knowing its name.
 * Run: node dist/examples/pass-descriptor.js [file]
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { recvFds, sendFds, socketPair } from "hawser/socket";

const [a, b] = socketPair();
const file = openSync(process.argv[2] ?? "package.json", "r");
await sendFds(a, new TextEncoder().encode("a file for you"), [file]);
const { data, fds } = await recvFds(b, 1024, 1);
console.log(`received "${new TextDecoder().decode(data)}", ${fds.length} descriptor`);
for (const fd of fds) console.log(readFileSync(fd, "utf8"));
for (const fd of [file, ...fds]) closeSync(fd);
for (const s of [a, b]) s.close();
