/**
 * The simplest server there is, blocking as in C: each call returns when it is done.
 * Run: node dist/examples/simple-server-sync.js [host] [port]
 */
import { gethostname, socket } from "hawser/socket";

const [host = gethostname(), port = "12345"] = process.argv.slice(2);
const s = socket();
s.reuseAddress = true;
s.bindSync([host, port]);
s.listen(5);
console.log("Listening on", ...s.getsockname());
for (;;) {
  const [c, address] = s.acceptSync();
  console.log("Got connection from", address);
  c.sendallSync(new TextEncoder().encode("Thank you for connecting"));
  c.close();
}
