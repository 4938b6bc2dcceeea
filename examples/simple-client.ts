/**
 * Connects to the simple server and prints what it says.
 * Run: node dist/examples/simple-client.js [host] [port]
 */
import { gethostname, socket } from "hawser/socket";

const [host = gethostname(), port = "12345"] = process.argv.slice(2);
const s = socket();
await s.connect([host, port]);
console.log(new TextDecoder().decode(await s.recv(1024)));
s.close();
