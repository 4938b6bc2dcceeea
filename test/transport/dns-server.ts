/** A DNS server for tests, on loopback: RFC 1035, as much of it as a stub resolver needs. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** What the server says of a name: records by type, or a failure. */
export type Zone = Readonly<Record<string, Answer>>;

export interface Answer {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly mx?: readonly (readonly [preference: number, exchange: string])[];
  readonly cname?: string;
  /** RFC 1035 section 4.1.1: 2 is a server failure, 3 an unknown name. */
  readonly rcode?: number;
  /** Never answers. */
  readonly silent?: boolean;
}

const types = { 1: "a", 28: "aaaa", 15: "mx" } as const;

/** A server over UDP on 127.0.0.1. */
export class DnsServer implements AsyncDisposable {
  readonly #socket: Socket;
  /** What was asked, as `mx example.test`. */
  readonly asked: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async listen(zone: Zone): Promise<DnsServer> {
    const socket = createSocket("udp4");
    const server = new DnsServer(socket);
    socket.on("message", (query, { address, port }) => {
      const answer = server.#answer(query, zone);
      if (answer !== undefined) socket.send(answer, port, address);
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return server;
  }

  /** As a resolver takes it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  #answer(query: Buffer, zone: Zone): Buffer | undefined {
    const [name, end] = readName(query, 12);
    const type = types[query.readUInt16BE(end) as keyof typeof types];
    this.asked.push(`${type} ${name}`);
    const found = zone[name] ?? { rcode: 3 };
    if (found.silent === true) return undefined;
    const records = found.rcode === undefined ? recordsOf(zone, name, found, type) : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (found.rcode ?? 0), 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    return Buffer.concat([head, query.subarray(12, end + 4), ...records]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
  }
}

function readName(message: Buffer, at: number): [name: string, end: number] {
  const labels: string[] = [];
  let next = at;
  for (let length = message[next] ?? 0; length > 0; length = message[next] ?? 0) {
    labels.push(message.toString("latin1", next + 1, next + 1 + length));
    next += length + 1;
  }
  return [labels.join(".").toLowerCase(), next + 1];
}

/** RFC 1034 section 4.3.2: a resolver that follows aliases gives the alias and what it leads to. */
function recordsOf(
  zone: Zone,
  name: string,
  answer: Answer,
  type: "a" | "aaaa" | "mx" | undefined,
): Buffer[] {
  if (answer.cname !== undefined) {
    const target = zone[answer.cname] ?? {};
    return [record(name, 5, nameBytes(answer.cname)), ...recordsOf(zone, answer.cname, target, type)];
  }
  if (type === "a")
    return (answer.a ?? []).map((text) => record(name, 1, Buffer.from(text.split(".").map(Number))));
  if (type === "aaaa") return (answer.aaaa ?? []).map((text) => record(name, 28, Buffer.from(text, "hex")));
  return (answer.mx ?? []).map(([preference, exchange]) => {
    return record(
      name,
      15,
      Buffer.concat([Buffer.of(preference >> 8, preference & 255), nameBytes(exchange)]),
    );
  });
}

function record(name: string, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(60, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(name), head, data]);
}

function nameBytes(name: string): Buffer {
  const labels = name === "" ? [] : name.split(".");
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.of(0),
  ]);
}
