/**
 * Connects to the simple server and prints what it says, blocking.
 * Run: node dist/examples/simple-client-sync.js [host] [port]
 */
import { gethostname, socket } from "hawser/socket";

const [host = gethostname(), port = "12345"] = process.argv.slice(2);
const s = socket();
s.connectSync([host, port]);
console.log(new TextDecoder().decode(s.recvSync(1024)));
s.close();
