/**
 * The echo server for programs of the same machine, blocking.
 * Run: node dist/examples/unix-echo-server-sync.js [path]
 */
import { rmSync } from "node:fs";
import { AF_UNIX, createServerSync } from "hawser/socket";

const [path = "./uds_socket"] = process.argv.slice(2);
rmSync(path, { force: true });
const s = createServerSync(path, { family: AF_UNIX, backlog: 1 });
console.log("starting up on", s.getsockname());
for (;;) {
  const [c] = s.acceptSync();
  console.log("connection from process", c.peerCredentials().pid);
  for (let data = c.recvSync(16); data.length > 0; data = c.recvSync(16)) c.sendallSync(data);
  c.close();
}
