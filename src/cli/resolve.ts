/** `hawser resolve`: what the machine's resolver makes of a name. */
import type { Command } from "commander";
import { LocalProtocolError } from "../index.js";
import {
  type AddressInfo,
  AF_INET,
  AF_INET6,
  AI_CANONNAME,
  getaddrinfo,
  getnameinfo,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  NI_NAMEREQD,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
} from "../socket/index.js";
import { secondsToMs } from "./arguments.js";
import { interruptible } from "./interrupt.js";
import { print, table } from "./output.js";

interface ResolveOptions {
  readonly ipv4?: true;
  readonly ipv6?: true;
  readonly timeout: number;
  readonly json?: true;
}

/** One answer, in the words of the output. */
interface Answer {
  readonly family: string;
  readonly type: string;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly scopeId?: number;
  /** The name that the address has; absent where it has none. */
  readonly name?: string;
}

/** How long an address may take to say its name: it is a courtesy, and not what was asked. */
const reverseMs = 2000;

const familyNames = new Map<number, string>([
  [AF_INET, "inet"],
  [AF_INET6, "inet6"],
]);
const typeNames = new Map<number, string>([
  [SOCK_STREAM, "stream"],
  [SOCK_DGRAM, "dgram"],
  [SOCK_RAW, "raw"],
]);
const protocolNames = new Map<number, string>([
  [IPPROTO_IP, "ip"],
  [IPPROTO_TCP, "tcp"],
  [IPPROTO_UDP, "udp"],
]);

export function register(program: Command): void {
  program
    .command("resolve")
    .description("Look a name up as programs do: getaddrinfo's answers in their order, and the way back.")
    .argument("<name>", "a host name or an address")
    .argument("[service]", "a port or a service: 80, http, smtp/tcp")
    .option("-4, --ipv4", "IPv4 alone")
    .option("-6, --ipv6", "IPv6 alone")
    .option("-w, --timeout <seconds>", "how long to wait", secondsToMs, 10_000)
    .option("--json", "one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  hawser resolve localhost http\n  hawser resolve ::1 smtp/tcp --json",
    )
    .showHelpAfterError("(hawser resolve --help says more)")
    .action((name: string, service: string | undefined, options: ResolveOptions) =>
      interruptible((signal) => resolve(name, service, options, signal)),
    );
}

async function resolve(
  name: string,
  service: string | undefined,
  options: ResolveOptions,
  signal: AbortSignal,
): Promise<void> {
  const found = await lookUp(name, service, options, signal);
  const names = await namesOf(found, signal);
  const answers = found.map((info) => answerOf(info, names.get(info.address[0])));
  const canonicalName = found[0]?.canonicalName ?? "";
  if (options.json) {
    print(
      JSON.stringify({ schemaVersion: 1, name, service: service ?? null, canonicalName, answers }, null, 2),
    );
    return;
  }
  if (canonicalName !== "" && canonicalName !== name) print(`${name} is an alias of ${canonicalName}\n`);
  for (const line of table([headings, ...answers.map(rowOf)])) print(line);
}

function lookUp(
  name: string,
  service: string | undefined,
  { ipv4, ipv6, timeout }: ResolveOptions,
  signal: AbortSignal,
): Promise<AddressInfo[]> {
  const [port, protocol] = service?.split("/") ?? [];
  const type = protocol === undefined ? undefined : typeOf(protocol);
  const family = ipv4 === ipv6 ? undefined : ipv4 ? AF_INET : AF_INET6;
  return getaddrinfo(name, port ?? null, { flags: AI_CANONNAME, type, family, signal, timeoutMs: timeout });
}

function typeOf(protocol: string): number {
  if (protocol === "tcp") return SOCK_STREAM;
  if (protocol === "udp") return SOCK_DGRAM;
  throw new LocalProtocolError(`a service's protocol is tcp or udp, not '${protocol}'`);
}

/** The name of each address that has one. */
async function namesOf(found: readonly AddressInfo[], signal: AbortSignal): Promise<Map<string, string>> {
  const addresses = new Map(found.map(({ address }) => [address[0], address]));
  const names = new Map<string, string>();
  const ask = async (address: AddressInfo["address"]) => {
    const [name] = await getnameinfo(address, NI_NAMEREQD, { signal, timeoutMs: reverseMs });
    names.set(address[0], name);
  };
  await Promise.allSettled([...addresses.values()].map(ask));
  return names;
}

function answerOf({ family, type, protocol, address }: AddressInfo, name: string | undefined): Answer {
  const [host, port, , scopeId = 0] = address;
  return {
    family: familyNames.get(family) ?? `${family}`,
    type: typeNames.get(type) ?? `${type}`,
    protocol: protocolNames.get(protocol) ?? `${protocol}`,
    address: host,
    port,
    ...(scopeId !== 0 && { scopeId }),
    ...(name !== undefined && { name }),
  };
}

const headings = ["family", "type", "protocol", "address", "port", "name"];

function rowOf({ family, type, protocol, address, port, name = "-" }: Answer): string[] {
  return [family, type, protocol, address, `${port}`, name];
}
