/**
 * Sends every datagram back to where it came from.
 * Run: node dist/examples/udp-echo-server.js [host] [port]
 */
import { AF_INET, SOCK_DGRAM, socket } from "hawser/socket";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const s = socket(AF_INET, SOCK_DGRAM);
await s.bind([host, port]);
console.log("listening on", ...s.getsockname());
for await (const [data, address] of s.datagrams()) {
  console.log("received", data.length, "bytes from", address);
  await s.sendto(data, address);
}
