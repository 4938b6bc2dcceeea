/**
 * The simplest server there is: it waits for a client, thanks it and hangs up.
 * Run: node dist/examples/simple-server.js [host] [port]
 */
import { gethostname, socket } from "hawser/socket";

const [host = gethostname(), port = "12345"] = process.argv.slice(2);
const s = socket();
s.reuseAddress = true;
await s.bind([host, port]);
s.listen(5);
console.log("Listening on", ...s.getsockname());
for await (const [c, address] of s) {
  console.log("Got connection from", address);
  await c.sendall(new TextEncoder().encode("Thank you for connecting"));
  c.close();
}
