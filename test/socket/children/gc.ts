/** Sends and receives with random iovecs, collecting garbage all the time, and checks every byte. */

import { Random } from "../../../fuzz/random.js";
import {
  AF_INET,
  AF_UNIX,
  getaddrinfo,
  gethostbyaddr,
  getnameinfo,
  MSG_WAITALL,
  packetControl,
  SOCK_DGRAM,
  type Socket,
  socketPair,
} from "../../../src/socket/index.js";
import { turn, udpSocket } from "../robust.js";

const [mode = "", count = "0"] = process.argv.slice(2);
const { gc } = globalThis as unknown as { gc: (options?: { type: "minor" }) => void };
const random = new Random(7);
const limit = { timeoutMs: 10_000 };
let operations = 0;

/** Counts an operation; every hundredth collects, at once or in the next turn of the event loop, young memory or all. */
function operation(): void {
  operations += 1;
  if (operations % 100 !== 0) return;
  const collect = operations % 400 < 200 ? () => gc() : () => gc({ type: "minor" });
  if (operations % 200 === 0) collect();
  else setImmediate(collect);
}

/** Bytes that their own first four tell: what follows is `seed + index`. */
function made(length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, 4));
  const seed = random.below(0x7fffffff);
  new DataView(bytes.buffer).setUint32(0, seed);
  for (let index = 4; index < bytes.length; index += 1) bytes[index] = seed + index;
  return bytes;
}

/** What was received is checked, and once more a good while later: it is the caller's to keep. */
function check(bytes: Uint8Array, length: number): void {
  checkNow(bytes, length);
  kept.push({ bytes, length });
  if (kept.length < 50) return;
  const [old] = kept.splice(random.below(kept.length), 1);
  if (old !== undefined) checkNow(old.bytes, old.length);
}

const kept: { bytes: Uint8Array; length: number }[] = [];

function checkNow(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new Error(`${bytes.length} bytes in place of ${length}`);
  const seed = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  for (let index = 4; index < bytes.length; index += 1) {
    if (bytes[index] !== ((seed + index) & 255)) throw new Error(`byte ${index} of ${length} is changed`);
  }
}

/** The bytes in pieces, each memory of its own. */
function pieces(bytes: Uint8Array): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = random.chance(0.1) ? 0 : 1 + random.below(300);
    list.push(bytes.slice(at, at + length));
    at += length;
  }
  return list;
}

function joined(list: readonly Uint8Array[], length: number): Uint8Array {
  return new Uint8Array(Buffer.concat(list).subarray(0, length));
}

/** sendmsg and recvmsgInto, recvmsg, recvfrom over datagrams, some of the receivers waiting. */
async function messages(total: number): Promise<void> {
  const [a, b] = socketPair(AF_UNIX, SOCK_DGRAM) as [Socket, Socket];
  for (let done = 0; done < total; done += 1) {
    const bytes = made(random.below(2000));
    const waits = random.chance(0.3);
    const receiving = waits ? receive(b, bytes.length) : undefined;
    operation();
    if (waits && random.chance(0.3)) await turn();
    await send(a, bytes);
    operation();
    await (receiving ?? receive(b, bytes.length));
  }
}

async function send(a: Socket, bytes: Uint8Array): Promise<void> {
  const way = random.below(4);
  if (way < 2) await a.sendmsg(pieces(bytes), [], null, limit);
  else if (way === 2) await a.send(bytes, limit);
  else a.sendmsgSync(pieces(bytes), [], null, limit);
}

async function receive(b: Socket, length: number): Promise<void> {
  switch (random.below(4)) {
    case 0: {
      const list = Array.from({ length: 8 }, () => new Uint8Array(random.below(300)));
      list.push(new Uint8Array(2000));
      const { bytes } = await b.recvmsgInto(list, 0, limit);
      return check(joined(list, bytes), length);
    }
    case 1:
      return check((await b.recvmsg(2000, 0, limit)).data, length);
    case 2:
      return check((await b.recvfrom(2000, limit))[0], length);
    default:
      return check(await b.recv(2000, limit), length);
  }
}

/** sendMany and recvMany: small packets are copied to their header, long ones pinned, some carry ancillary data. */
async function batches(total: number): Promise<void> {
  const a = udpSocket();
  const b = udpSocket();
  b.receiveBufferBytes = 1 << 22;
  const address = b.getsockname();
  const here = a.getsockname() as [string, number];
  for (let done = 0; done < total; ) {
    const lengths = Array.from(
      { length: 1 + random.below(12) },
      () => 4 + random.below(random.chance(0.2) ? 9000 : 1500),
    );
    const packets = lengths.map((length) => {
      const data = made(length);
      const ancillary = random.chance(0.3) ? packetControl(AF_INET, { ttl: 9, source: here[0] }) : undefined;
      return ancillary ? { data, ancillary } : random.chance(0.5) ? { data } : data;
    });
    operation();
    const sent = await a.sendMany(packets, { ...limit, address });
    if (sent !== packets.length) throw new Error(`${sent} of ${packets.length} were sent`);
    operation();
    for (let index = 0; index < lengths.length; ) {
      for (const { data } of await b.recvMany(1 + random.below(16), limit)) {
        check(data, lengths[index] as number);
        index += 1;
      }
      operation();
    }
    done += lengths.length;
  }
}

/** sendall and recv with MSG_WAITALL over a stream, both waiting for each other, many at once. */
async function streams(total: number): Promise<void> {
  const [a, b] = socketPair() as [Socket, Socket];
  for (let done = 0; done < total; ) {
    const all = Array.from({ length: 1 + random.below(10) }, () => made(random.below(60_000)));
    const sends = all.map((bytes) => a.sendall(bytes, limit));
    operation();
    for (const { length } of all) {
      check(await b.recv(length, { ...limit, flags: MSG_WAITALL }), length);
      operation();
    }
    await Promise.all(sends);
    done += all.length * 20;
  }
}

/** Look-ups of every kind at once. */
async function names(total: number): Promise<void> {
  for (let done = 0; done < total; done += 40) {
    const results = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        operation();
        if (index % 4 === 0) return (await gethostbyaddr("127.0.0.1"))[2][0];
        if (index % 4 === 1) return (await getnameinfo(["127.0.0.1", 80], 3))[0];
        const [first] = await getaddrinfo(index % 4 === 2 ? "localhost" : "127.0.0.1", 80, {
          family: AF_INET,
        });
        return first?.address[0];
      }),
    );
    const wrong = results.filter((host) => host !== "127.0.0.1");
    if (wrong.length > 0) throw new Error(`127.0.0.1 became ${wrong[0]}`);
  }
}

const modes: Record<string, (total: number) => Promise<void>> = { messages, batches, streams, names };
await modes[mode]?.(Number(count));
for (const { bytes, length } of kept) checkNow(bytes, length);
console.log(`${count} intact`);
process.exit(0);
