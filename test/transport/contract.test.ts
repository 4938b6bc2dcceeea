/** The contract, over every kind of transport. */
import { after, test } from "node:test";
import {
  type CheckTransportOptions,
  checkTransport,
  type TransportPair,
} from "../../src/testing/check-transport.js";
import { dial } from "../../src/transport/index.js";
import type { Transport } from "../../src/transport/types.js";
import { makeCertificates } from "../certificates.js";
import { connectProxy, socksProxy } from "./proxies.js";
import {
  Accepted,
  bsdProvider,
  inTls,
  memoryPair,
  nodeProvider,
  startedTls,
  tcpPair,
  unixPair,
} from "./support.js";

const certificates = await makeCertificates();
const client = { ca: certificates.ca, serverName: "localhost" };

async function proxied(kind: "socks5" | "http"): Promise<() => Promise<[Transport, Transport]>> {
  const proxy = await (kind === "socks5" ? socksProxy() : connectProxy());
  const accepted = new Accepted();
  const listener = await nodeProvider.listen({}, accepted.accept);
  after(async () => {
    await listener.close();
    await proxy[Symbol.asyncDispose]();
  });
  const options = {
    host: "127.0.0.1",
    port: listener.address.port,
    proxy: `${kind}://127.0.0.1:${proxy.port}`,
  };
  return () => Promise.all([dial(options), accepted.next()]);
}

type Make = () => TransportPair | Promise<TransportPair>;
/** Memory holds next to nothing, and in pieces of a byte a flood would take long. */
const memory = { floodBytes: 524_288 };

const kinds: readonly (readonly [name: string, make: Make, options?: CheckTransportOptions])[] = [
  ["memory, 1 byte a read", () => memoryPair({ fragmentBytes: 1 }), memory],
  ["memory, 7 bytes a read", () => memoryPair({ fragmentBytes: 7 }), memory],
  ["memory, 65536 bytes a read", () => memoryPair({ fragmentBytes: 65_536 }), { floodBytes: 8_388_608 }],
  ["memory in TLS", () => inTls(memoryPair(), client, certificates), { floodBytes: 8_388_608 }],
  ["node tcp", () => tcpPair()],
  ["node unix", () => unixPair()],
  ["node tls", async () => inTls(await tcpPair(), client, certificates)],
  ["node starttls", async () => startedTls(await tcpPair(), client, certificates)],
  ["bsd tcp", () => tcpPair(bsdProvider)],
  ["bsd unix", () => unixPair(bsdProvider)],
  ["bsd tls", async () => inTls(await tcpPair(bsdProvider), client, certificates)],
  ["bsd starttls", async () => startedTls(await unixPair(bsdProvider), client, certificates)],
  ["through SOCKS", await proxied("socks5")],
  ["through CONNECT", await proxied("http")],
];

for (const [kind, make, options] of kinds) {
  for (const { name, run } of checkTransport(make, options)) test(`${kind}: ${name}`, run);
}
