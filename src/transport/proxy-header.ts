/** The PROXY protocol: a balancer tells for whom it connects, in a header before the first byte. Versions 1 and 2. */
import { isIP } from "node:net";
import type { ByteQueue } from "../core/byte-queue.js";
import type { OpOptions } from "../core/deadline.js";
import { LimitError, RemoteProtocolError } from "../core/errors.js";
import { ByteStream } from "./byte-stream.js";
import { prepended } from "./prepended.js";
import type { Endpoint, Transport } from "./types.js";

/** PROXY protocol section 2.1: the longest header of version 1, its CR LF included. */
const maxTextBytes = 107;
/** Section 2.2: "\r\n\r\n\0\r\nQUIT\n". */
const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const textSignature = Buffer.from("PROXY ");
/** Addresses need 216 bytes at most; what may follow (TLVs) is dropped, and limited. */
const maxBinaryBytes = 2048;
const rfc = "PROXY protocol section 2";

/** What a header says: whom the connection is for, or nothing (`LOCAL`, `UNKNOWN`). */
export interface ProxyHeader {
  readonly source?: Endpoint | undefined;
  readonly destination?: Endpoint | undefined;
}

/**
 * Reads the header and gives the connection as that of the client it names. Call it for listed peers alone: whoever may
 * send a header may say that he is anybody. The connection is closed where there is no good one.
 *
 * @throws {RemoteProtocolError | LimitError} what came is no header.
 */
export async function readProxyHeader(transport: Transport, options: OpOptions = {}): Promise<Transport> {
  const stream = new ByteStream(transport);
  const header = await headerOf(stream, options);
  return prepended(transport, stream.queue.take(stream.queue.length), {
    remote: header.source ?? transport.remote,
    local: header.destination ?? transport.local,
  });
}

async function headerOf(stream: ByteStream, options: OpOptions): Promise<ProxyHeader> {
  try {
    return await stream.receive(proxyHeaderDecoder, { what: "the PROXY header", ...options });
  } catch (error) {
    await stream.close();
    throw error;
  }
}

/** The header of either version. Whatever begins otherwise is refused with its first byte that does. */
export function proxyHeaderDecoder(queue: ByteQueue): ProxyHeader | undefined {
  const start = queue.peek(signature.length);
  if (start.length === 0) return undefined;
  if (beginsLike(start, signature)) return binaryHeader(queue);
  if (!beginsLike(start, textSignature)) throw noHeader(start);
  const line = queue.takeCrLfLine(maxTextBytes - 2);
  return line === undefined ? undefined : parseTextHeader(line);
}

/** Whether the bytes so far are those of the signature so far. */
function beginsLike(start: Uint8Array, wanted: Uint8Array): boolean {
  const length = Math.min(start.length, wanted.length);
  return Buffer.compare(start.subarray(0, length), wanted.subarray(0, length)) === 0;
}

function noHeader(excerpt: Uint8Array): RemoteProtocolError {
  return new RemoteProtocolError("this is no PROXY header", { excerpt, rfc });
}

/** Section 2.1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`. */
function parseTextHeader(line: Uint8Array): ProxyHeader {
  const words = Buffer.from(line).toString("latin1").split(" ");
  const [proxy, family, source = "", destination = "", sourcePort = "", destinationPort = ""] = words;
  if (proxy === "PROXY" && family === "UNKNOWN") return {};
  const version = family === "TCP4" ? 4 : family === "TCP6" ? 6 : undefined;
  const good = version !== undefined && isIP(source) === version && isIP(destination) === version;
  if (proxy !== "PROXY" || !good || words.length !== 6) throw noHeader(line);
  return {
    source: { host: source, port: portOf(sourcePort, line) },
    destination: { host: destination, port: portOf(destinationPort, line) },
  };
}

function portOf(text: string, line: Uint8Array): number {
  const port = /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535)
    throw new RemoteProtocolError("a port of a PROXY header is no port", { excerpt: line, rfc });
  return port;
}

/** Section 2.2: the signature, version and command, family, length, addresses. */
function binaryHeader(queue: ByteQueue): ProxyHeader | undefined {
  if (queue.length < 16) return undefined;
  const head = Buffer.from(queue.peek(16));
  const bytes = head.readUInt16BE(14);
  const [versionAndCommand = 0, family = 0] = head.subarray(12);
  if (versionAndCommand >> 4 !== 2 || (versionAndCommand & 15) > 1)
    throw new RemoteProtocolError("a PROXY header of an unknown version", { excerpt: head, rfc });
  // The other families and protocols are reserved, and whoever sends them is to be refused.
  if (family >> 4 > 3 || (family & 15) > 2)
    throw new RemoteProtocolError("a PROXY header of an unknown family", { excerpt: head, rfc });
  if (bytes > maxBinaryBytes) throw new LimitError("a PROXY header", maxBinaryBytes);
  if (queue.length < 16 + bytes) return undefined;
  const body = Buffer.from(queue.take(16 + bytes).subarray(16));
  if ((versionAndCommand & 15) === 0) return {};
  if (family === 0x11) return addresses(body, 4);
  if (family === 0x21) return addresses(body, 16);
  return {};
}

function addresses(body: Buffer, addressBytes: 4 | 16): ProxyHeader {
  if (body.length < 2 * addressBytes + 4)
    throw new RemoteProtocolError("a PROXY header is too short for its addresses", { excerpt: body, rfc });
  const host = (at: number) => hostOf(body.subarray(at, at + addressBytes));
  return {
    source: { host: host(0), port: body.readUInt16BE(2 * addressBytes) },
    destination: { host: host(addressBytes), port: body.readUInt16BE(2 * addressBytes + 2) },
  };
}

function hostOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL parser writes an address in its one short form (RFC 5952).
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
