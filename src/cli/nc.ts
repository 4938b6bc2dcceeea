/** `hawser nc`: netcat. Connects or listens, and copies stdin to the socket and the socket to stdout. */
import type { Command } from "commander";
import { HawserError } from "../index.js";
import {
  type Address,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  createConnection,
  type Family,
  getaddrinfo,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
} from "../socket/index.js";
import { bound, familyOf, loopback, type Place, secondsToMs } from "./arguments.js";
import { interruptible } from "./interrupt.js";
import { Input } from "./nc-input.js";
import { type RelayOptions, relay, relayDatagrams } from "./nc-relay.js";
import { scan } from "./nc-scan.js";
import { describe, say } from "./output.js";

interface NcOptions {
  readonly listen?: true;
  readonly keep?: true;
  readonly udp?: true;
  readonly unix?: string;
  readonly scan?: true;
  readonly timeout?: number;
  readonly ipv4?: true;
  readonly ipv6?: true;
  readonly verbose?: true;
  readonly hex?: true;
  readonly json?: true;
}

const examples = `
Examples:
  hawser nc localhost 7000                 talk to a server
  hawser nc --listen 7000                  be one, for one client, on loopback
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | hawser nc --hex localhost http
  hawser nc -z localhost 20-25             which ports are open?
  hawser nc --udp -w 1 localhost 7000      datagrams; ends after a second of silence
  hawser nc --listen --unix ./socket > file`;

export function register(program: Command): void {
  program
    .command("nc")
    .description("Connect or listen, and copy stdin to the socket and the socket to stdout.")
    .argument("[host]", "where to connect to; with --listen, where to listen (default: 127.0.0.1)")
    .argument("[port]", "a number or a service; with -z also a range; with --listen 0 for a free one")
    .option("-l, --listen", "wait for one client")
    .option("-k, --keep", "with --listen: one client after the other")
    .option("-u, --udp", "datagrams in place of a connection")
    .option("-U, --unix <path>", "a Unix socket in place of host and port")
    .option("-z, --scan", "only say which ports are open")
    .option("-w, --timeout <seconds>", "how long to wait for a connection, and for data", secondsToMs)
    .option("-4, --ipv4", "IPv4 alone")
    .option("-6, --ipv6", "IPv6 alone")
    .option("-v, --verbose", "tell on stderr what happens")
    .option("--hex", "dump what is sent (>) and received (<) on stderr")
    .option("--json", "with -z: one JSON document")
    .addHelpText("after", examples)
    .showHelpAfterError("(hawser nc --help says more)")
    .action((host: string | undefined, port: string | undefined, options: NcOptions, command: Command) => {
      const place = placeOf(host, port, options, command);
      return interruptible((signal) => nc(place, options, signal));
    });
}

/** What the arguments mean together; a contradiction is a usage error. */
function placeOf(
  host: string | undefined,
  port: string | undefined,
  options: NcOptions,
  command: Command,
): Place {
  const wrong = contradiction(options);
  if (wrong !== undefined) return command.error(`error: ${wrong}`);
  if (options.unix !== undefined)
    return host === undefined ? options.unix : command.error("error: --unix takes no host and no port");
  if (options.listen && host !== undefined && port === undefined)
    return [options.ipv6 ? "::1" : loopback, host];
  if (host === undefined || port === undefined)
    return command.error(options.listen ? "error: give a port, or --unix" : "error: give a host and a port");
  return [host, port];
}

function contradiction(options: NcOptions): string | undefined {
  if (options.scan && options.listen) return "-z connects, --listen waits: take one";
  if (options.scan && options.udp) return "-z needs connections: an open UDP port need not answer";
  if (options.json && !options.scan) return "--json is for -z";
  if (options.keep && !options.listen) return "--keep is for --listen";
  return undefined;
}

async function nc(place: Place, options: NcOptions, signal: AbortSignal): Promise<void> {
  if (options.scan) return scan(place, scanOptions(options, signal));
  const { stdin } = process;
  const input = new Input(stdin as AsyncIterable<Uint8Array>);
  const relayOptions = {
    ...{ input, signal, idleMs: options.timeout, hex: options.hex === true },
    // A file goes to its end, for the peer may have half-closed; somebody who types need not type on for nobody.
    sendsAll: !stdin.isTTY && !options.keep,
  };
  try {
    await (options.listen ? serve(place, options, relayOptions) : connect(place, options, relayOptions));
  } finally {
    // What is still to come from stdin must not keep the process alive.
    stdin.destroy();
  }
}

function scanOptions({ timeout, json, verbose, ...options }: NcOptions, signal: AbortSignal) {
  return {
    signal,
    timeoutMs: timeout,
    family: chosenFamily(options),
    json: json === true,
    verbose: verbose === true,
  };
}

function chosenFamily({ ipv4, ipv6 }: NcOptions): Family | undefined {
  if (ipv4 === ipv6) return undefined;
  return ipv4 ? AF_INET : AF_INET6;
}

async function connect(place: Place, options: NcOptions, relayOptions: RelayOptions): Promise<void> {
  using s = await (options.udp ? datagramsTo : connectionTo)(place, options, relayOptions.signal);
  if (options.verbose) say(`* connected to ${describe(s.getpeername())}`);
  await converse(s, options, relayOptions, true);
}

async function connectionTo(place: Place, options: NcOptions, signal: AbortSignal): Promise<Socket> {
  const limits = { signal, timeoutMs: options.timeout ?? null };
  if (typeof place !== "string") {
    const family = chosenFamily(options);
    return createConnection(place, { ...limits, ...(family !== undefined && { family }) });
  }
  return connected(new Socket<Family>(AF_UNIX, SOCK_STREAM), place, limits);
}

async function datagramsTo(place: Place, options: NcOptions, signal: AbortSignal): Promise<Socket> {
  const limits = { signal, timeoutMs: options.timeout ?? null };
  if (typeof place !== "string") {
    const hints = { ...limits, type: SOCK_DGRAM, family: chosenFamily(options) };
    const [found] = await getaddrinfo(...place, hints);
    return connected(new Socket<Family>(found?.family, SOCK_DGRAM), found?.address ?? place, limits);
  }
  const s = new Socket<Family>(AF_UNIX, SOCK_DGRAM);
  // The kernel picks a name: without one there would be no answer.
  s.bindSync("");
  return connected(s, place, limits);
}

async function connected(
  s: Socket,
  address: Address | Place,
  limits: { readonly signal: AbortSignal; readonly timeoutMs: number | null },
): Promise<Socket> {
  try {
    await s.connect(address, limits);
    return s;
  } catch (error) {
    s.close();
    throw error;
  }
}

async function serve(place: Place, options: NcOptions, relayOptions: RelayOptions): Promise<void> {
  const family = typeof place === "string" ? AF_UNIX : (chosenFamily(options) ?? familyOf(place));
  const { socket, remove } = await bound(place, options.udp === true, family);
  try {
    const isChosen = typeof place !== "string" && place[1] === "0";
    if (options.verbose || isChosen) say(`* listening on ${describe(socket.getsockname())}`);
    if (options.udp) await converse(socket, options, relayOptions, false);
    else await serveClients(socket, options, relayOptions);
  } finally {
    socket.close();
    remove();
  }
}

async function serveClients(listener: Socket, options: NcOptions, relayOptions: RelayOptions): Promise<void> {
  do {
    const [conn, address] = await listener.accept({ signal: relayOptions.signal });
    using _ = conn;
    // The others are refused at once, and do not wait in vain.
    if (!options.keep) listener.close();
    if (options.verbose) say(`* ${describe(address)} connected`);
    try {
      await converse(conn, options, relayOptions, true);
    } catch (error) {
      if (!options.keep || !(error instanceof HawserError)) throw error;
      say(`* ${describe(address)}: ${error.message}`);
    }
  } while (options.keep);
}

async function converse(
  s: Socket,
  options: NcOptions,
  relayOptions: RelayOptions,
  isConnected: boolean,
): Promise<void> {
  const peer = { connected: isConnected, anyone: options.keep === true };
  const talk = await (options.udp ? relayDatagrams(s, peer, relayOptions) : relay(s, relayOptions));
  if (options.verbose) say(`* sent ${talk.sentBytes} bytes, received ${talk.receivedBytes} bytes`);
}
