/**
 * Talks to the echo server at a path, blocking.
 * Run: node dist/examples/unix-echo-client-sync.js [path]
 */
import { AF_UNIX, SHUT_WR, SOCK_STREAM, socket } from "hawser/socket";

const s = socket(AF_UNIX, SOCK_STREAM);
s.connectSync(process.argv[2] ?? "./uds_socket");
s.sendallSync(new TextEncoder().encode("This is the message. It will be repeated."));
s.shutdown(SHUT_WR);
for (let data = s.recvSync(16); data.length > 0; data = s.recvSync(16)) {
  console.log(`received "${new TextDecoder().decode(data)}"`);
}
s.close();
