/**
 * Sends a file to every client. The bytes go from the disk's cache to the network, and never through this process.
 * Run: node dist/examples/sendfile-server.js [host] [port] [file]
 */
import { open } from "node:fs/promises";
import { createServer } from "hawser/socket";

const [host = "localhost", port = "10000", path = "package.json"] = process.argv.slice(2);
const server = await createServer([host, port]);
console.log("listening on", ...server.getsockname());
for await (const [c, address] of server) {
  const file = await open(path);
  console.log("sent", await c.sendFile(file), "bytes to", address);
  await file.close();
  c.close();
}
