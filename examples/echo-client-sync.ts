/**
 * Sends a message to the echo server and prints the pieces that come back, blocking.
 * Run: node dist/examples/echo-client-sync.js [host] [port]
 */
import { createConnectionSync, SHUT_RDWR } from "hawser/socket";

const message: Uint8Array = new TextEncoder().encode("This is the message. It will be repeated.");
const s = createConnectionSync([process.argv[2] ?? "localhost", process.argv[3] ?? "10000"]);
try {
  s.sendallSync(message);
  for (let data = message, left = message.length; left > 0 && data.length > 0; left -= data.length) {
    data = s.recvSync(16);
    console.log(`received "${new TextDecoder().decode(data)}"`);
  }
} finally {
  s.shutdown(SHUT_RDWR);
  s.close();
}
