/**
 * Sends one datagram and waits for the answer, blocking.
 * Run: node dist/examples/udp-echo-client-sync.js [host] [port]
 */
import { AF_INET, SOCK_DGRAM, socket } from "hawser/socket";

const [host = "localhost", port = "10000"] = process.argv.slice(2);
const s = socket(AF_INET, SOCK_DGRAM);
try {
  s.sendtoSync(new TextEncoder().encode("This is the message. It will be repeated."), [host, port]);
  const [data, server] = s.recvfromSync(4096, { timeoutMs: 5000 });
  console.log(`received "${new TextDecoder().decode(data)}" from`, server);
} finally {
  s.close();
}
