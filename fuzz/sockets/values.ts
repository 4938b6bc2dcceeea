/** Arguments of all types: those that a method takes, those that look like it, and those that nobody should pass. */
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, AF_VSOCK } from "../../src/socket/index.js";
import type { Random } from "../random.js";

/** What hostile arguments throw: an error of the caller's own goes through, whatever it is. */
export class Hostile extends Error {
  override name = "Hostile";
}

/** What aborts are aborted with. */
export const abortReason: Hostile = new Hostile("aborted");

const int = (random: Random): number =>
  random.pick([0, 1, 2, 3, 4, 5, 6, 8, 10, 16, 17, 40, 41, 64, 100, 128, 255, 256, 1000, 4096, 65535, 65536]);

const oddNumbers = [
  -1,
  -0,
  0.5,
  65537,
  70000,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  1e300,
  NaN,
  Infinity,
];

function bytesOf(random: Random): Uint8Array {
  const length = random.pick([0, 1, 2, 3, 4, 7, 8, 12, 16, 100, 1000, 5000, 70_000]);
  const bytes = new Uint8Array(length);
  for (let index = 0; index < Math.min(length, 64); index += 1) bytes[index] = random.below(256);
  return bytes;
}

/** Views that are bytes and yet not as expected. */
function oddBytes(random: Random): unknown {
  switch (random.below(11)) {
    case 0:
      return new Uint8Array(new SharedArrayBuffer(64));
    case 1:
      return shrunk();
    case 2:
      return detached();
    case 3:
      return Buffer.from("a buffer of the pool");
    case 4:
      return new Uint8Array(new ArrayBuffer(100), 13, 50);
    case 5:
      return new DataView(new ArrayBuffer(16));
    case 6:
      return new Int32Array(4);
    case 7:
      return new ArrayBuffer(16);
    case 8:
      return Object.create(Uint8Array.prototype);
    case 9:
      return new Proxy(new Uint8Array(8), {});
    default:
      return { length: 4, 0: 1, 1: 2, 2: 3, 3: 4 };
  }
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(64);
  // Until Node 24, code that has run often may take a detached view for one of its old length.
  if (/^2[02]\./.test(process.versions.node)) return bytes;
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** A view whose memory has shrunk under it. */
function shrunk(): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(length: number): void };
  const memory = new Resizable(64, { maxByteLength: 128 });
  const view = new Uint8Array(memory, 16, 48);
  memory.resize(8);
  return view;
}

// Every one of these is answered without asking a name server.
const hosts = [
  "127.0.0.1",
  "localhost",
  "",
  "0.0.0.0",
  "127.1",
  "<broadcast>",
  "::1",
  "::",
  "fe80::1%lo",
  "239.1.2.3",
];
const oddHosts = [
  "a\0b",
  "x".repeat(64),
  "..",
  "1.2.3.4.5:",
  "ff02::1%0",
  "::1%nope",
  "256.256.256.256:",
  "ä\0",
];
const texts = [
  "",
  "lo",
  "\0",
  "lo\0",
  "cubic",
  "tcp",
  "http",
  "80",
  "r",
  "rw",
  "rb",
  "utf-8",
  "\ud800",
  "x".repeat(200),
];

const port = (random: Random): unknown =>
  random.pick([0, 1, 9, 80, 65535, "80", "http", 70000, -1, 1.5, "", "no-such-service\0", null, NaN, 10n]);

/** An address of some family, of the right form or nearly so. */
export function address(random: Random, known: readonly unknown[]): unknown {
  if (known.length > 0 && random.chance(0.5)) return random.pick(known);
  const host = random.chance(0.8) ? random.pick(hosts) : random.pick(oddHosts);
  switch (random.below(14)) {
    case 0:
      return { host, port: port(random) };
    case 1:
      return [host, port(random), 0, 0];
    case 2:
      return [host, port(random), random.pick([0, -1, 2 ** 20, "x"]), random.pick([0, 1, 2 ** 32, null])];
    case 3:
      return `/nonexistent/${random.below(9)}`;
    case 4:
      return new TextEncoder().encode(`\0hawser-fuzz-${random.below(20)}`);
    case 5:
      return random.pick(["", "\0", "x".repeat(107), "x".repeat(108), "a\0b"]);
    case 6:
      return [random.below(3), random.below(3)];
    case 7:
      return ["lo", 0x0800];
    case 8:
      return [random.pick([1, 99, -1]), 0x0003, 0, 1, new Uint8Array(6)];
    case 9:
      return bytesOf(random).subarray(0, 128);
    case 10:
      return [host];
    case 11:
      return [random.pick([0x7f000001, -1, 2 ** 32, 10n, {}]), port(random)];
    default:
      return [host, port(random)];
  }
}

/** What waiting calls take last. `longestMs` bounds the wait of those that block. */
export function options(random: Random, longestMs: number | null): unknown {
  const chosen: Record<string, unknown> = {};
  if (random.chance(0.5)) chosen["flags"] = flags(random);
  if (random.chance(0.6) || longestMs !== null) chosen["timeoutMs"] = timeout(random, longestMs);
  if (random.chance(0.3)) chosen["signal"] = signal(random);
  if (random.chance(0.1)) chosen["offset"] = random.pick([0, 5, -1, NaN, 2 ** 40]);
  if (random.chance(0.1)) chosen["count"] = random.pick([0, 5, -1, NaN, 2 ** 40]);
  if (random.chance(0.1)) chosen["address"] = random.pick([null, ["127.0.0.1", 9], 5]);
  if (random.chance(0.1)) chosen["segmentBytes"] = random.pick([0, 5, 70_000, "x", 1200]);
  if (random.chance(0.1)) chosen["interface"] = random.pick(["lo", 1, "nope", -1, null, 99, "127.0.0.1"]);
  if (random.chance(0.1)) chosen["source"] = random.pick(["127.0.0.1", "::1", "x", 5]);
  if (random.chance(0.05)) chosen["family"] = random.pick([AF_INET, AF_INET6, "x", 99]);
  return chosen;
}

function timeout(random: Random, longestMs: number | null): unknown {
  const short = [0, 0.1, 1, 2, 3];
  if (longestMs !== null) return random.pick(short);
  return random.pick([...short, 20, 50, null, 60_000, -1, NaN, Infinity, "5", 2 ** 40]);
}

function flags(random: Random): unknown {
  if (random.chance(0.1)) return random.pick([-1, 0.5, "1", null, 2 ** 40, 1n, Symbol("flags")]);
  let all = 0;
  for (let count = random.below(3); count > 0; count -= 1) all |= 1 << random.below(31);
  return all;
}

function signal(random: Random): unknown {
  switch (random.below(6)) {
    case 0:
      return AbortSignal.abort(abortReason);
    case 1: {
      const controller = new AbortController();
      setImmediate(() => controller.abort(abortReason));
      return controller.signal;
    }
    case 2:
      return random.pick([null, 5, {}, "signal", { aborted: false }, new EventTarget()]);
    default:
      return new AbortController().signal;
  }
}

/** What has a symbol for a name, throws when it is looked at, or is of no use at all. */
function oddity(random: Random): unknown {
  switch (random.below(14)) {
    case 0:
      return undefined;
    case 1:
      return null;
    case 2:
      return random.chance(0.5);
    case 3:
      return random.pick([0n, 10n, -1n, 2n ** 70n]);
    case 4:
      return Symbol("odd");
    case 5:
      return () => abortReason;
    case 6:
      return new Date();
    case 7:
      return [undefined, null, NaN, "x", {}, []];
    case 8:
      return throwing();
    case 9:
      return { [Symbol.iterator]: 5, length: -1 };
    case 10:
      return Object.create(null);
    case 11:
      return { valueOf: () => 1, toString: () => "1" };
    case 12:
      return Promise.resolve(5);
    default:
      return random.pick(oddNumbers);
  }
}

function throwing(): Iterable<unknown> {
  return {
    *[Symbol.iterator]() {
      yield new Uint8Array(1);
      throw new Hostile("iterating");
    },
  };
}

/** One argument, of any type. */
export function value(random: Random, known: readonly unknown[], longestMs: number | null): unknown {
  switch (random.below(16)) {
    case 0:
    case 1:
      return int(random);
    case 2:
      return random.pick(oddNumbers);
    case 3:
    case 4:
      return bytesOf(random);
    case 5:
      return oddBytes(random);
    case 6:
    case 7:
      return address(random, known);
    case 8:
    case 9:
      return options(random, longestMs);
    case 10:
      return random.pick([AF_INET, AF_INET6, AF_UNIX, AF_PACKET, AF_NETLINK, AF_VSOCK, 9, 99]);
    case 11:
      return Array.from({ length: random.below(5) }, () => bytesOf(random));
    case 12:
      return ancillary(random);
    case 13:
      return random.pick(random.chance(0.5) ? texts : hosts);
    case 14:
      return random.chance(0.5);
    default:
      return oddity(random);
  }
}

function ancillary(random: Random): unknown {
  return Array.from({ length: random.below(3) }, () => {
    const level = random.pick([0, 1, 41, 17, -1, "x", null]);
    const data = random.chance(0.7) ? bytesOf(random).subarray(0, 100) : oddBytes(random);
    return random.chance(0.5) ? [level, int(random), data] : { level, type: int(random), data };
  });
}

/** What each parameter of a call is made for, a letter each; see {@link likely}. */
export const forms: readonly (readonly [name: RegExp, form: string])[] = [
  [/^(recv|recvfrom|recvMany)(Sync)?$/, "no"],
  [/^(recv|recvfrom)Into(Sync)?$|^tryRecvInto$/, "bo"],
  [/^recvmsg(Sync)?$/, "nno"],
  [/^recvmsgInto(Sync)?$/, "Lno"],
  [/^(send|sendall)(Sync)?$/, "bo"],
  [/^sendto(Sync)?$/, "bao"],
  [/^sendmsg(Sync)?$/, "Lcxo"],
  [/^sendMany(Sync)?$/, "Lo"],
  [/^(connect|connectEx|createConnection|createServer)(Sync)?$/, "ao"],
  [/^bind(Sync)?$/, "a"],
  [/^accept(Sync)?$/, "o"],
  [/^shutdown$/, "h"],
  [/^listen$/, "h"],
  [/^(sendFds)(Sync)?$/, "_bho"],
  [/^(recvFds)(Sync)?$/, "_nho"],
  [/^getaddrinfo(Sync)?$/, "tpo"],
  [/^(reuseAddress|reusePort|broadcast|noDelay|cork|quickAck|freeBind|multicastLoop|gro|receive\w+)=$/, "f"],
  [/^(timeoutMs|ttl|tos|ecn|multicastTtl|userTimeoutMs|\w+BufferBytes|mark|fastOpen)=$/, "n"],
];

/** Arguments of a form. */
export function likely(
  random: Random,
  form: string,
  known: readonly unknown[],
  longestMs: number | null,
): unknown[] {
  return Array.from(form, (letter) => {
    switch (letter) {
      case "n":
        return int(random);
      case "b":
        return bytesOf(random);
      case "L":
        return Array.from({ length: 1 + random.below(4) }, () => bytesOf(random));
      case "a":
        return address(random, known);
      case "x":
        return random.chance(0.5) ? null : address(random, known);
      case "c":
        return random.chance(0.8) ? [] : ancillary(random);
      case "o":
        return random.chance(0.3) ? 0 : plainOptions(random, longestMs);
      case "h":
        return random.below(3);
      case "t":
        return random.pick(hosts);
      case "p":
        return random.pick([80, "http", null]);
      case "f":
        return random.chance(0.5);
      default:
        return undefined;
    }
  });
}

/** Options that are in order, the few flags that matter among them. */
function plainOptions(random: Random, longestMs: number | null): unknown {
  const flags = random.pick([0, 0, 0, 1, 2, 0x20, 0x40, 0x100, 0x102, 0x2000]);
  const timeoutMs = longestMs ?? random.pick([0, 1, 5, 50, null]);
  return random.chance(0.2) ? { flags, timeoutMs, signal: signal(random) } : { flags, timeoutMs };
}
