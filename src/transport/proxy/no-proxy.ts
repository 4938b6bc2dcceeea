/** `NO_PROXY`: what is reached without a proxy. */
import { BlockList, isIP } from "node:net";

/**
 * Whether a list in the form of `NO_PROXY` names a host. Its entries are separated by commas or spaces: `*` for all, a
 * name or address for that one, `.example.com` or `*.example.com` for all names below it, `10.0.0.0/8` for a network.
 * Each may have a port: `localhost:8080`, `[::1]:25`.
 */
export function matchesNoProxy(list: string, host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  return list.split(/[\s,]+/).some((entry) => entry !== "" && matches(entry.toLowerCase(), name, port));
}

function matches(entry: string, name: string, port: number): boolean {
  const [pattern, wantedPort] = withPort(entry);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (pattern === "*") return true;
  if (isIP(name) !== 0) return matchesAddress(pattern, name);
  const suffix = pattern.replace(/^\*(?=\.)/, "");
  return suffix.startsWith(".") ? name.endsWith(suffix) && name !== suffix : name === pattern;
}

/** The pattern and its port. A bare IPv6 address has colons, and no port. */
function withPort(entry: string): [pattern: string, port: number | undefined] {
  const [, bracketed, bracketedPort] = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry) ?? [];
  if (bracketed !== undefined) return [bracketed, bracketedPort === undefined ? undefined : +bracketedPort];
  const [, pattern, port] = /^([^:]*):(\d+)$/.exec(entry) ?? [];
  return pattern === undefined ? [entry, undefined] : [pattern, Number(port)];
}

function matchesAddress(pattern: string, address: string): boolean {
  const [network = "", prefix, ...more] = pattern.split("/");
  const family = isIP(network);
  if (family === 0 || more.length > 0) return false;
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : prefixBits(prefix, family);
  if (bits === undefined) return false;
  const block = new BlockList();
  block.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  return block.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}

function prefixBits(text: string, family: number): number | undefined {
  const bits = /^\d{1,3}$/.test(text) ? Number(text) : 129;
  return bits <= (family === 4 ? 32 : 128) ? bits : undefined;
}
