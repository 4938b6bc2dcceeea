/**
 * Sends one datagram and waits for the answer: 5 seconds, for a datagram may get lost.
 * Run: node dist/examples/udp-echo-client.js [host] [port]
 */
import { AF_INET, SOCK_DGRAM, socket } from "hawser/socket";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const s = socket(AF_INET, SOCK_DGRAM);
try {
  await s.sendto(new TextEncoder().encode("This is the message. It will be repeated."), [host, port]);
  const [data, server] = await s.recvfrom(4096, { timeoutMs: 5000 });
  console.log(`received "${new TextDecoder().decode(data)}" from`, server);
} finally {
  s.close();
}
