/** Names: the addresses of a host, and the hosts that take a domain's mail. */
import { randomInt } from "node:crypto";
import { promises as dns } from "node:dns";
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { type OpOptions, withDeadline } from "../core/deadline.js";
import { LocalProtocolError, NameError } from "../core/errors.js";
import { checkedHost } from "./check-target.js";

/** An address of a host. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A host that takes mail: the lower its preference, the earlier it is tried. */
export interface MailExchange {
  readonly exchange: string;
  readonly preference: number;
}

/** Whoever knows names. Give one as the `resolver` of a client. */
export interface Resolver {
  /**
   * The addresses of a host, in the order in which they are to be tried.
   *
   * @throws {NameError} there are none, or nobody answered.
   */
  addresses(host: string, options?: OpOptions): Promise<readonly ResolvedAddress[]>;
  /**
   * The hosts that take a domain's mail, in the order in which they are to be tried (RFC 5321 section 5.1): by
   * preference, equal ones shuffled. The domain itself where it has no MX record.
   *
   * @throws {NameError} there is no such domain, it takes no mail (RFC 7505; `code` is `NULL_MX`), or nobody answered.
   */
  mx(domain: string, options?: OpOptions): Promise<readonly MailExchange[]>;
}

/** What {@link systemResolver} takes. */
export interface ResolverOptions {
  /** The DNS servers to ask, as `127.0.0.1:53` or `[::1]:53`. Default: those of the system, and its hosts file. */
  readonly servers?: readonly string[] | undefined;
  /** How long one server may take to answer once, in milliseconds. Default 5000. */
  readonly attemptMs?: number | undefined;
  /** How often each server is asked. Default 2. */
  readonly attempts?: number | undefined;
}

/**
 * The resolver of the system, or of the DNS servers that are given.
 *
 * @example
 * ```ts
 * const [best] = await systemResolver().mx("example.com", { timeoutMs: 10_000 });
 * ```
 */
export function systemResolver(options: ResolverOptions = {}): Resolver {
  return {
    addresses: (host, op) => addressesOf(host, options, op),
    mx: (domain, op) => exchangesOf(domain, options, op),
  };
}

async function addressesOf(
  host: string,
  options: ResolverOptions,
  op: OpOptions = {},
): Promise<readonly ResolvedAddress[]> {
  const literal = isIP(checkedHost(host));
  if (literal !== 0) return [{ address: host, family: literal === 4 ? 4 : 6 }];
  const name = asciiName(host);
  // The system's own look-up cannot be ended; its late answer goes nowhere.
  if (options.servers === undefined)
    return await failingAs(
      name,
      withDeadline("the look-up", op, () => lookup(name)),
    );
  return await ask(name, options, op, async (resolver) => {
    const [six, four] = await Promise.allSettled([resolver.resolve6(name), resolver.resolve4(name)]);
    const found = [...addressesIn(six, 6), ...addressesIn(four, 4)];
    if (found.length === 0 && four.status === "rejected") throw four.reason;
    return found;
  });
}

async function lookup(name: string): Promise<readonly ResolvedAddress[]> {
  const found = await dns.lookup(name, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function addressesIn(result: PromiseSettledResult<readonly string[]>, family: 4 | 6): ResolvedAddress[] {
  return result.status === "rejected" ? [] : result.value.map((address) => ({ address, family }));
}

async function exchangesOf(
  domain: string,
  options: ResolverOptions,
  op: OpOptions = {},
): Promise<readonly MailExchange[]> {
  const literal = addressLiteral(domain);
  if (literal !== undefined) return [{ exchange: literal, preference: 0 }];
  const name = asciiName(domain);
  const records = await ask(name, options, op, (resolver) => mxRecords(resolver, name));
  // RFC 5321 section 5.1: without MX records the domain is its own exchange, with preference 0.
  if (records.length === 0) return [{ exchange: name, preference: 0 }];
  // RFC 7505: the root as exchange means that there is none. Beside others it means nothing.
  const usable = records.filter(({ exchange }) => exchange !== "" && exchange !== ".");
  if (usable.length === 0) throw nullMx(name);
  return sortExchanges(usable);
}

/** RFC 5321 section 4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
function addressLiteral(domain: string): string | undefined {
  const [, text] = /^\[(?:IPv6:)?([^\]]*)\]$/i.exec(domain) ?? [];
  if (text === undefined) return undefined;
  if (isIP(text) === 0) throw new LocalProtocolError("an address literal without an address");
  return text;
}

async function mxRecords(resolver: dns.Resolver, name: string): Promise<readonly MailExchange[]> {
  try {
    const records = await resolver.resolveMx(name);
    return records.map(({ exchange, priority }) => ({ exchange, preference: priority }));
  } catch (error) {
    // The name is there, and has no such record. That it is not there at all is another matter.
    if ((error as NodeJS.ErrnoException).code === "ENODATA") return [];
    throw error;
  }
}

/**
 * Exchanges in the order in which they are to be tried: by preference, and those of one preference in an order of chance
 * (RFC 5321 section 5.1).
 */
export function sortExchanges(
  exchanges: readonly MailExchange[],
  random: (below: number) => number = randomInt,
): MailExchange[] {
  const shuffled = [...exchanges];
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = random(at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other] as MailExchange, shuffled[at] as MailExchange];
  }
  return shuffled.sort((a, b) => a.preference - b.preference);
}

/** A question to DNS servers, by a resolver of its own: ending it ends no other. */
async function ask<T>(
  name: string,
  options: ResolverOptions,
  op: OpOptions,
  question: (resolver: dns.Resolver) => Promise<T>,
): Promise<T> {
  const { attemptMs = 5000, attempts = 2, servers } = options;
  const resolver = new dns.Resolver({ timeout: attemptMs, tries: attempts });
  if (servers !== undefined) setServers(resolver, servers);
  try {
    return await failingAs(
      name,
      withDeadline("the look-up", op, () => question(resolver)),
    );
  } finally {
    resolver.cancel();
  }
}

function setServers(resolver: dns.Resolver, servers: readonly string[]): void {
  try {
    resolver.setServers(servers);
  } catch (cause) {
    throw new LocalProtocolError(`not a DNS server's address: ${(cause as Error).message}`, { cause });
  }
}

function asciiName(host: string): string {
  const ascii = domainToASCII(checkedHost(host, "the name").replace(/\.$/, ""));
  if (ascii === "") throw new LocalProtocolError("this is no domain name");
  return ascii;
}

async function failingAs<T>(name: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { code, syscall, errno } = error as NodeJS.ErrnoException;
    if (!isDnsError(error) || code === undefined) throw error;
    throw new NameError(`${syscall} ${name}: ${code}`, {
      ...{ code, syscall: syscall ?? "query", address: name, cause: error },
      errno: Math.abs(errno ?? 0),
    });
  }
}

function isDnsError(error: unknown): boolean {
  return (
    error instanceof Error && /^(query|getaddrinfo)/.test((error as NodeJS.ErrnoException).syscall ?? "")
  );
}

function nullMx(name: string): NameError {
  const facts = { errno: 0, code: "NULL_MX", syscall: "queryMx", address: name, fault: "peer" } as const;
  return new NameError(`${name} takes no mail (null MX, RFC 7505)`, facts);
}
