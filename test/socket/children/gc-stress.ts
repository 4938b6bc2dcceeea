/**
 * Messages with random iovecs while the garbage collector runs all the time (start it with --expose-gc): every message
 * carries its number and a checksum. `gc-stress COUNT SEED` writes a line of JSON: how many came, and how many were wrong.
 */
import { AF_INET, getaddrinfo, SOCK_DGRAM, SOCK_SEQPACKET, Socket, socketPair, AF_UNIX } from "../../../src/socket/index.js";

const count = Number(process.argv[2]);
let state = Number(process.argv[3]) | 1;
const collect = globalThis.gc as () => void;
const counts = { messages: 0, wrong: 0, packets: 0, wrongPackets: 0, lookUps: 0 };

/** xorshift: the same run for the same seed. */
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

/** A message of up to 2,000 bytes: its number, a sum of what follows, random bytes. */
function message(number: number): Uint8Array {
  const bytes = new Uint8Array(8 + random(2000));
  for (let at = 8; at < bytes.length; at += 1) bytes[at] = random(256);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, number);
  view.setUint32(4, sum(bytes));
  return bytes;
}

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let at = 8; at < bytes.length; at += 1) total = (Math.imul(total, 31) + (bytes[at] as number)) | 0;
  return total >>> 0;
}

function intact(bytes: Uint8Array, number: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return bytes.length >= 8 && view.getUint32(0) === number && view.getUint32(4) === sum(bytes);
}

/** The bytes in pieces of random length, each in memory of its own. */
function pieces(bytes: Uint8Array): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random(bytes.length - at);
    list.push(bytes.slice(at, at + length));
    at += length;
  }
  return list.length > 0 ? list : [bytes];
}

const [left, right] = socketPair(AF_UNIX, SOCK_SEQPACKET);
const udp = new Socket(AF_INET, SOCK_DGRAM);
udp.bindSync(["127.0.0.1", 0]);
udp.receiveBufferBytes = 4_000_000;
const out = new Socket(AF_INET, SOCK_DGRAM);
out.connectSync(udp.getsockname());

for (let number = 0; number < count; number += 1) {
  if (number % 100 === 0) collect();
  const sent = message(number);
  const into = [new Uint8Array(1 + random(500)), new Uint8Array(2500)] as const;
  const receiving = right.recvmsgInto(into);
  await left.sendmsg(pieces(sent));
  const { bytes } = await receiving;
  const whole = Buffer.concat(into).subarray(0, bytes);
  // The first buffer is filled before the second one is begun.
  counts.messages += 1;
  if (!intact(whole, number)) counts.wrong += 1;
  if (number % 50 === 0) await batch(number);
  if (number % 500 === 0) await lookUps();
}
process.stdout.write(`${JSON.stringify(counts)}\n`);
left.close();
right.close();
udp.close();
out.close();

/** Some packets short enough to be copied, some that are pinned where they are. */
async function batch(from: number): Promise<void> {
  const packets = Array.from({ length: 30 }, (_, index) => {
    const bytes = message(from + index);
    return index % 3 === 0 ? Buffer.concat([bytes, new Uint8Array(4000)]) : bytes;
  });
  const sending = out.sendMany(packets);
  collect();
  await sending;
  let seen = 0;
  while (seen < packets.length) {
    for (const { data } of await udp.recvMany(16, { timeoutMs: 5000 })) {
      const own = seen % 3 === 0 ? data.subarray(0, data.length - 4000) : data;
      counts.packets += 1;
      if (!intact(own, from + seen)) counts.wrongPackets += 1;
      seen += 1;
    }
  }
}

async function lookUps(): Promise<void> {
  const asked = Array.from({ length: 8 }, () => getaddrinfo("localhost", "http"));
  collect();
  for (const answer of await Promise.all(asked)) if (answer.length > 0) counts.lookUps += 1;
}
