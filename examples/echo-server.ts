/**
 * Sends everything back, in pieces of 16 bytes.
 * Run: node dist/examples/echo-server.js [host] [port]
 */
import { AF_INET, SOCK_STREAM, socket } from "hawser/socket";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const s = socket(AF_INET, SOCK_STREAM);
s.reuseAddress = true;
await s.bind([host, port]);
s.listen(1);
console.log("starting up on", ...s.getsockname());
for await (const [c, address] of s) {
  console.log("connection from", address);
  for (let data = await c.recv(16); data.length > 0; data = await c.recv(16)) await c.sendall(data);
  console.log("no more data from", address);
  c.close();
}
