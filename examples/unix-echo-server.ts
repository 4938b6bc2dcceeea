/**
 * The echo server for programs of the same machine: its address is a path.
 * Run: node dist/examples/unix-echo-server.js [path]
 */
import { rmSync } from "node:fs";
import { AF_UNIX, SOCK_STREAM, socket } from "hawser/socket";

const [path = "./uds_socket"] = process.argv.slice(2);
rmSync(path, { force: true });
const s = socket(AF_UNIX, SOCK_STREAM);
await s.bind(path);
s.listen(1);
console.log("starting up on", s.getsockname());
for await (const [c] of s) {
  console.log("connection from process", c.peerCredentials().pid);
  for (let data = await c.recv(16); data.length > 0; data = await c.recv(16)) await c.sendall(data);
  c.close();
}
