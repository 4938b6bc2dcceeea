/**
 * Sends everything back, in pieces of 16 bytes, blocking.
 * Run: node dist/examples/echo-server-sync.js [host] [port]
 */
import { createServerSync } from "hawser/socket";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const s = createServerSync([host, port], { backlog: 1 });
console.log("starting up on", ...s.getsockname());
for (;;) {
  const [c, address] = s.acceptSync();
  console.log("connection from", address);
  for (let data = c.recvSync(16); data.length > 0; data = c.recvSync(16)) c.sendallSync(data);
  console.log("no more data from", address);
  c.close();
}
