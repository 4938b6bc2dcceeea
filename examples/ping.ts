/**
 * One ICMP echo request (RFC 792) and its answer. A raw socket needs root; where the system lets everyone ping
 * (net.ipv4.ping_group_range), a datagram socket does as well.
 * Run: node dist/examples/ping.js [host]
 */
import { AF_INET, type AfInet, IPPROTO_ICMP, SOCK_DGRAM, SOCK_RAW, type Socket, socket } from "hawser/socket";

const [host = "localhost"] = process.argv.slice(2);
const id = process.pid & 0xffff;
const request = new DataView(new ArrayBuffer(8));
request.setUint8(0, 8); // the type: an echo request
request.setUint16(4, id);
request.setUint16(2, ~(0x0800 + id + ((0x0800 + id) >> 16))); // the checksum: the complement of the sum
try {
  using s = openIcmp();
  const startMs = performance.now();
  await s.sendto(new Uint8Array(request.buffer), [host, 0]);
  console.log(await answer(s), "answered after", (performance.now() - startMs).toFixed(2), "ms");
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

function openIcmp(): Socket<AfInet> {
  try {
    return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  } catch {
    return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
  }
}

/** A raw socket sees every ICMP packet of this machine, behind its IP header; a datagram socket only its own. */
async function answer(s: Socket<AfInet>): Promise<string> {
  for (const signal = AbortSignal.timeout(5000); ; ) {
    const [data, [from]] = await s.recvfrom(1500, { signal });
    const icmp = s.type === SOCK_RAW ? data.subarray(((data[0] ?? 0) & 15) * 4) : data;
    const isOurs = s.type === SOCK_DGRAM || ((icmp[4] ?? 0) << 8) + (icmp[5] ?? 0) === id;
    if (icmp[0] === 0 && isOurs) return from;
  }
}
