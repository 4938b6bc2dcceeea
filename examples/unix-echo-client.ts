/**
 * Talks to the echo server at a path. The only difference to TCP is the address.
 * Run: node dist/examples/unix-echo-client.js [path]
 */
import { AF_UNIX, SHUT_WR, SOCK_STREAM, socket } from "hawser/socket";

const s = socket(AF_UNIX, SOCK_STREAM);
await s.connect(process.argv[2] ?? "./uds_socket");
await s.sendall(new TextEncoder().encode("This is the message. It will be repeated."));
s.shutdown(SHUT_WR);
for (let data = await s.recv(16); data.length > 0; data = await s.recv(16)) {
  console.log(`received "${new TextDecoder().decode(data)}"`);
}
s.close();
