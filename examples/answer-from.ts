/**
 * A server on every address answers each datagram from the address that it was sent to. Without this, a machine with
 * several addresses answers from one that the client never asked.
 * Run: node dist/examples/answer-from.js [address]
 */
import { AF_INET, packetControl, packetInfo, SOCK_DGRAM, socket } from "hawser/socket";

const [asked = "127.0.0.2"] = process.argv.slice(2);
using server = socket(AF_INET, SOCK_DGRAM);
await server.bind(["", 0]);
server.receivePacketInfo = true;
using client = socket(AF_INET, SOCK_DGRAM);
await client.sendto(new TextEncoder().encode("who are you?"), [asked, server.getsockname()[1]]);
const { data, ancillary, address } = await server.recvmsg();
const { destination = asked, ttl } = packetInfo(ancillary);
await server.sendmsg(data, packetControl(AF_INET, { source: destination }), address);
const [, from] = await client.recvfrom(1500, { timeoutMs: 5000 });
console.log("asked", asked, "with ttl", ttl, "and was answered by", from[0]);
