/**
 * Sends a message to the echo server and prints the pieces that come back.
 * Run: node dist/examples/echo-client.js [host] [port]
 */
import { createConnection, SHUT_RDWR } from "hawser/socket";

const message: Uint8Array = new TextEncoder().encode("This is the message. It will be repeated.");
const s = await createConnection([process.argv[2] ?? "localhost", process.argv[3] ?? "10000"]);
try {
  await s.sendall(message);
  for (let data = message, left = message.length; left > 0 && data.length > 0; left -= data.length) {
    data = await s.recv(16);
    console.log(`received "${new TextDecoder().decode(data)}"`);
  }
} finally {
  s.shutdown(SHUT_RDWR);
  s.close();
}
