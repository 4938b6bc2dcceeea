/**
 * Sends every datagram back to where it came from, blocking.
 * Run: node dist/examples/udp-echo-server-sync.js [host] [port]
 */
import { AF_INET, SOCK_DGRAM, socket } from "hawser/socket";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const s = socket(AF_INET, SOCK_DGRAM);
s.bindSync([host, port]);
console.log("listening on", ...s.getsockname());
for (;;) {
  const [data, address] = s.recvfromSync(4096);
  console.log("received", data.length, "bytes from", address);
  s.sendtoSync(data, address);
}
