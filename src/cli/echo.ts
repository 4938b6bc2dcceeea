/** `hawser echo`: a server that sends everything back. */
import type { Command } from "commander";
import { HawserError } from "../index.js";
import type { Socket } from "../socket/index.js";
import { bound, loopback } from "./arguments.js";
import { interruptible } from "./interrupt.js";
import { describe, say } from "./output.js";

interface EchoOptions {
  readonly host: string;
  readonly port: string;
  readonly udp?: true;
  readonly unix?: string;
  readonly verbose?: true;
}

const readBytes = 65536;

export function register(program: Command): void {
  program
    .command("echo")
    .description("Run an echo server: every client gets back what it sends. Ctrl-C ends it.")
    .option("--host <host>", "the address to listen on", loopback)
    .option("-p, --port <port>", "the port; 0 picks a free one", "10000")
    .option("-u, --udp", "datagrams in place of connections")
    .option("-U, --unix <path>", "a Unix socket in place of host and port")
    .option("-v, --verbose", "tell of each connection on stderr")
    .addHelpText(
      "after",
      "\nExample:\n  hawser echo --port 7000 --verbose &\n  echo hello | hawser nc localhost 7000",
    )
    .showHelpAfterError("(hawser echo --help says more)")
    .action((options: EchoOptions) => interruptible((signal) => echo(options, signal)));
}

async function echo(options: EchoOptions, signal: AbortSignal): Promise<void> {
  const { socket, remove } = await bound(options.unix ?? [options.host, options.port], options.udp === true);
  const tell = options.verbose ? say : () => {};
  say(`* echo listens on ${describe(socket.getsockname())}${options.udp ? ", for datagrams" : ""}`);
  try {
    await (options.udp ? echoDatagrams(socket, tell, signal) : echoConnections(socket, tell, signal));
  } finally {
    socket.close();
    remove();
  }
}

async function echoConnections(listener: Socket, tell: typeof say, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", () => listener.close(), { once: true });
  const clients = new Set<Promise<void>>();
  for await (const [conn, address] of listener) {
    const name = describe(address);
    tell(`* ${name} connected`);
    const client = echoOne(conn, signal)
      .then(
        (bytes) => tell(`* ${name} is done: ${bytes} bytes`),
        (error: Error) => tell(`* ${name}: ${error.message}`),
      )
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** Until the client has finished, or for an interrupted server until what has come was sent back. */
async function echoOne(conn: Socket, signal: AbortSignal): Promise<number> {
  using _ = conn;
  let bytes = 0;
  for (;;) {
    const data = await conn.recv(readBytes, { signal });
    if (data.length === 0) return bytes;
    await conn.sendall(data);
    bytes += data.length;
  }
}

async function echoDatagrams(socket: Socket, tell: typeof say, signal: AbortSignal): Promise<void> {
  for (;;) {
    const [data, address] = await socket.recvfrom(readBytes, { signal });
    tell(`* ${data.length} bytes from ${describe(address)}`);
    try {
      await socket.sendto(data, address, { signal });
    } catch (error) {
      // A sender that cannot be answered is its own loss: it has no name, or it is gone.
      if (!(error instanceof HawserError)) throw error;
      tell(`* ${error.message}`);
    }
  }
}
