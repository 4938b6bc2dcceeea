/** Proxies for tests: SOCKS5 and HTTP CONNECT, on loopback, that note what they were asked. */
import { connect, type Socket } from "node:net";
import { RawServer } from "./support.js";

/** What a client asked a proxy for. */
export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly login: string | undefined;
}

export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  readonly asked: readonly Asked[];
}

export interface TestProxyOptions {
  /** `user:password` that is demanded. */
  readonly login?: string;
  /** Names that the proxy knows, and the addresses that it goes to. Others it takes as they are. */
  readonly names?: Readonly<Record<string, string>>;
}

/** Bytes as they are asked for. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  async take(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) await this.#more();
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  async until(end: string): Promise<string> {
    for (;;) {
      const at = this.#bytes.indexOf(end);
      if (at >= 0) return (await this.take(at + end.length)).toString("latin1");
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done === true) throw new Error("the client went");
    this.#bytes = Buffer.concat([this.#bytes, value]);
  }

  /** Leaves the socket to somebody else, with what was read too much. */
  async leave(socket: Socket): Promise<void> {
    await this.#chunks.return?.();
    if (this.#bytes.length > 0) socket.unshift(this.#bytes);
  }
}

/** RFC 1928 and RFC 1929, the server's half. */
export async function socksProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const asked: Asked[] = [];
  const server = await RawServer.listen((socket) => {
    serveSocks(socket, options, asked).catch(() => socket.destroy());
  });
  return testProxy(server, asked);
}

async function serveSocks(socket: Socket, options: TestProxyOptions, asked: Asked[]): Promise<void> {
  const reader = new Reader(socket);
  const [, methods = 0] = await reader.take(2);
  const offered = await reader.take(methods);
  let login: string | undefined;
  if (options.login !== undefined && !offered.includes(2)) {
    socket.end(Uint8Array.of(5, 0xff));
    return;
  }
  socket.write(Uint8Array.of(5, options.login === undefined ? 0 : 2));
  if (options.login !== undefined) {
    login = await readLogin(reader);
    const good = login === options.login;
    socket.write(Uint8Array.of(1, good ? 0 : 1));
    if (!good) return void socket.end();
  }
  const target = await readTarget(reader);
  asked.push({ ...target, login });
  await reader.leave(socket);
  relay(socket, target, options, (open) => Uint8Array.of(5, open ? 0 : 5, 0, 1, 127, 0, 0, 1, 0, 1));
}

async function readLogin(reader: Reader): Promise<string> {
  const [, userBytes = 0] = await reader.take(2);
  const user = await reader.take(userBytes);
  const [passBytes = 0] = await reader.take(1);
  return `${user}:${await reader.take(passBytes)}`;
}

async function readTarget(reader: Reader): Promise<{ host: string; port: number }> {
  const [, , , type] = await reader.take(4);
  const host = await readHost(reader, type ?? 0);
  return { host, port: (await reader.take(2)).readUInt16BE(0) };
}

async function readHost(reader: Reader, type: number): Promise<string> {
  if (type === 1) return [...(await reader.take(4))].join(".");
  if (type === 4) {
    const address = await reader.take(16);
    const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16));
    return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
  }
  const [length = 0] = await reader.take(1);
  return (await reader.take(length)).toString("latin1");
}

/** RFC 9110 section 9.3.6, the server's half. */
export async function connectProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const asked: Asked[] = [];
  const server = await RawServer.listen((socket) => {
    serveConnect(socket, options, asked).catch(() => socket.destroy());
  });
  return testProxy(server, asked);
}

export async function serveConnect(socket: Socket, options: TestProxyOptions, asked: Asked[]): Promise<void> {
  const reader = new Reader(socket);
  const head = await reader.until("\r\n\r\n");
  const [, host = "", port = ""] = /^CONNECT \[?([^\]\s]+?)\]?:(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
  const [, basic] = /^Proxy-Authorization: Basic (.*)\r$/m.exec(head) ?? [];
  const login = basic === undefined ? undefined : Buffer.from(basic, "base64").toString();
  if (options.login !== undefined && login !== options.login) {
    socket.end(`HTTP/1.1 407 ${head.replaceAll("\r\n", " ")}\r\nContent-Length: 0\r\n\r\n`);
    return;
  }
  const target = { host, port: Number(port) };
  asked.push({ ...target, login });
  await reader.leave(socket);
  relay(socket, target, options, (open) =>
    open ? "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n" : "HTTP/1.1 502 Bad\r\n\r\n",
  );
}

/** Joins the client with the target. The answer and the target's first bytes go out in one piece. */
function relay(
  client: Socket,
  { host, port }: { host: string; port: number },
  { names = {} }: TestProxyOptions,
  answer: (open: boolean) => Uint8Array | string,
): void {
  const target = connect({ host: names[host] ?? host, port, allowHalfOpen: true });
  let open = false;
  target.on("error", () => (open ? client.destroy() : client.end(answer(false))));
  client.on("close", () => target.destroy());
  target.on("close", () => {
    if (open && !target.readableEnded) client.destroy();
  });
  target.on("connect", () => {
    open = true;
    client.write(answer(true));
    client.pipe(target);
    target.pipe(client);
  });
}

function testProxy(server: RawServer, asked: readonly Asked[]): TestProxy {
  return { port: server.port, asked, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
