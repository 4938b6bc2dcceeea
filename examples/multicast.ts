/**
 * Joins a multicast group on the loopback interface, says hello to it, and hears itself.
 * Run: node dist/examples/multicast.js [group] [port]
 */
import { AF_INET, SOCK_DGRAM, socket } from "hawser/socket";

const [group = "239.255.77.77", port = "0"] = process.argv.slice(2);
using s = socket(AF_INET, SOCK_DGRAM);
await s.bind([group, port]);
s.joinGroup(group, { interface: "lo" });
s.multicastInterface = "lo";
await s.sendto(new TextEncoder().encode("hello, group"), s.getsockname());
const [data, sender] = await s.recvfrom(1500, { timeoutMs: 5000 });
console.log(`${group} heard "${new TextDecoder().decode(data)}" from`, sender);
