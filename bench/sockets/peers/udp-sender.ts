/** Sends datagrams for as long as it lives: `udp-sender hawser|gso|dgram PORT BYTES`. */
import { createSocket } from "node:dgram";
import { AF_INET, type AfInet, SOCK_DGRAM, Socket } from "../../../src/socket/index.js";
import { numberArgument, play } from "./peer.js";

const port = numberArgument(1);
const bytes = numberArgument(2);
/** Datagrams in one call, and with dgram in one turn of the event loop. */
const batchPackets = 64;
/** The longest payload of a UDP datagram over IPv4, which a segmented packet must not exceed either. */
const longestBytes = 65_507;
const segmentedPackets = 16;

await play({ hawser, gso, dgram });

async function hawser(): Promise<void> {
  const packet = new Uint8Array(bytes);
  const packets = new Array<Uint8Array>(batchPackets).fill(packet);
  const socket = await connected();
  for (;;) await socket.sendMany(packets);
}

async function gso(): Promise<void> {
  const segments = Math.min(Math.floor(longestBytes / bytes), 64);
  const packet = new Uint8Array(segments * bytes);
  const packets = new Array<Uint8Array>(segmentedPackets).fill(packet);
  const socket = await connected();
  for (;;) await socket.sendMany(packets, { segmentBytes: bytes });
}

async function connected(): Promise<Socket<AfInet>> {
  const socket = new Socket(AF_INET, SOCK_DGRAM);
  await socket.connect(["127.0.0.1", port]);
  return socket;
}

function dgram(): void {
  const packet = new Uint8Array(bytes);
  const socket = createSocket("udp4");
  const sendBatch = () => {
    for (let index = 0; index < batchPackets; index += 1) socket.send(packet);
    setImmediate(sendBatch);
  };
  socket.connect(port, "127.0.0.1", sendBatch);
}
