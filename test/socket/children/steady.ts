/** A steady exchange for strace to look at: `rounds` pings over TCP, as promises, between two sockets of one process. */
import { createServer, type InetAddress, Socket } from "../../../src/socket/index.js";

const rounds = Number(process.argv[2]);
const listener = await createServer(["127.0.0.1", 0]);
const address: InetAddress = listener.getsockname();
const client = new Socket();
const accepting = listener.accept();
await client.connect(address);
const [server] = await accepting;
const ping = new Uint8Array(64);
const buffers = [new Uint8Array(128), new Uint8Array(128)] as const;
let received = server.recvInto(buffers[0]);
for (let round = 0; round < rounds; round += 1) {
  const answer = client.recvInto(buffers[1]);
  await client.sendall(ping);
  await received;
  received = server.recvInto(buffers[0]);
  await server.sendall(ping);
  await answer;
}
client.close();
await received;
server.close();
listener.close();
