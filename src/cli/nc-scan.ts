/** `hawser nc -z`: which ports are open. */
import { DeadlineError, SocketError } from "../index.js";
import {
  AF_UNIX,
  createConnection,
  type Family,
  getaddrinfo,
  getservbyname,
  getservbyport,
  SOCK_STREAM,
  socket,
} from "../socket/index.js";
import type { Place } from "./arguments.js";
import { describe, print, say, table } from "./output.js";

export interface ScanOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
  readonly family: Family | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** What was found at one port, or at a path. */
interface Finding {
  readonly port: number | string;
  readonly service?: string;
  readonly open: boolean;
  readonly address?: string;
  readonly ms: number;
  readonly error?: string;
}

/** A firewall that drops packets answers nothing: without a limit of the user's, this is how long a port may think. */
const defaultMs = 5000;
const atOnce = 64;

/** Throws the failure of the last port when none is open, so that the exit code says what kind it was. */
export async function scan(place: Place, options: ScanOptions): Promise<void> {
  const ports: readonly (number | string)[] = typeof place === "string" ? [place] : portsOf(place[1]);
  const host = typeof place === "string" ? undefined : place[0];
  // An unknown host is one failure, and not one for each port.
  if (host !== undefined) await getaddrinfo(host, null, { type: SOCK_STREAM, signal: options.signal });
  const failures: unknown[] = [];
  const findings = await inParallel(ports, (port) => probe(host, port, options, failures));
  report(host, findings, options);
  if (findings.some(({ open }) => open)) return;
  throw failures.length === 1 ? failures[0] : new AggregateError(failures, "none of these ports is open");
}

/** `22`, `20-25` or a service. */
function portsOf(text: string): number[] {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (from === undefined) return [getservbyname(text, "tcp")];
  const first = Number(from);
  return Array.from({ length: Math.max(0, Number(to) - first + 1) }, (_, index) => first + index);
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const entries = items.entries();
  const worker = async () => {
    for (const [index, item] of entries) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

async function probe(
  host: string | undefined,
  port: number | string,
  options: ScanOptions,
  failures: unknown[],
): Promise<Finding> {
  const startMs = performance.now();
  const took = () => Math.round(100 * (performance.now() - startMs)) / 100;
  const service = typeof port === "number" ? serviceOf(port) : undefined;
  const about = { port, ...(service !== undefined && { service }) };
  try {
    const address = await connectTo(host, port, options);
    return { ...about, open: true, address, ms: took() };
  } catch (error) {
    options.signal.throwIfAborted();
    failures.push(error);
    return { ...about, open: false, ms: took(), error: reasonOf(error) };
  }
}

async function connectTo(
  host: string | undefined,
  port: number | string,
  { signal, timeoutMs = defaultMs, family }: ScanOptions,
): Promise<string> {
  if (host === undefined) {
    using path = socket(AF_UNIX, SOCK_STREAM);
    await path.connect(`${port}`, { signal, timeoutMs });
    return `${port}`;
  }
  using s = await createConnection([host, port], { signal, timeoutMs, ...(family && { family }) });
  return describe(s.getpeername());
}

function serviceOf(port: number): string | undefined {
  try {
    return getservbyport(port, "tcp");
  } catch {
    return undefined;
  }
}

/** `ECONNREFUSED`, `timeout`, …: of several addresses the last one's. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors.at(-1));
  if (error instanceof DeadlineError) return "timeout";
  return error instanceof SocketError ? error.code : (error as Error).message;
}

function report(
  host: string | undefined,
  findings: readonly Finding[],
  { json, verbose }: ScanOptions,
): void {
  const open = findings.filter((finding) => finding.open);
  if (json) {
    print(JSON.stringify({ schemaVersion: 1, host: host ?? null, ports: findings }, null, 2));
    return;
  }
  for (const line of table(
    open.map(({ port, service, address }) => [`${port}`, service ?? "-", "open", address ?? ""]),
  ))
    print(line);
  if (!verbose) return;
  for (const { port, error } of findings) if (error !== undefined) say(`* ${port} ${error}`);
}
