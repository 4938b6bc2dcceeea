/** getnameinfo: addresses to names. */
import type { NameError } from "../../core/errors.js";
import {
  AF_INET,
  AF_INET6,
  EAI_NONAME,
  NI_DGRAM,
  NI_MAXHOST,
  NI_MAXSERV,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../constants.js";
import { native } from "../native/index.js";
import { checkInt } from "../sockaddr/parts.js";
import { describeAddress } from "../sockaddr.js";
import type { Inet6AddressLike, InetAddressLike } from "../types.js";
import { parseAton } from "./inet-text.js";
import { textAt } from "./memory.js";
import { eaiError } from "./name-error.js";
import type { getaddrinfo } from "./resolve.js";
import { addressSteps } from "./resolve-address.js";
import { type LookupOptions, runAsync, runSync, type Steps, step } from "./steps.js";

/**
 * The host name and service name of an address whose host is numeric. `NI_…` flags: `NI_NUMERICHOST` for the host as a
 * number, `NI_NUMERICSERV` for the port as one, `NI_NAMEREQD` to fail where the host has no name. Rejects with
 * {@link NameError}, and otherwise as {@link getaddrinfo}.
 *
 * @example await getnameinfo(["127.0.0.1", 80]) // ["localhost", "http"]
 */
export async function getnameinfo(
  address: InetAddressLike | Inet6AddressLike,
  flags = 0,
  options: LookupOptions = {},
): Promise<[host: string, service: string]> {
  return runAsync(getnameinfoSteps(address, flags), "getnameinfo", options);
}

/** {@link getnameinfo}, waiting on this thread. */
export function getnameinfoSync(
  address: InetAddressLike | Inet6AddressLike,
  flags = 0,
): [host: string, service: string] {
  return runSync(getnameinfoSteps(address, flags));
}

/** The family is that of the host, which must be an address: a name is refused as EAI_NONAME, as libc does. */
function familyOfNumeric(address: InetAddressLike | Inet6AddressLike): number {
  const host: unknown = Array.isArray(address) ? address[0] : (address as { host?: unknown } | null)?.host;
  if (typeof host !== "string" || parseAton(host) >= 0) return AF_INET;
  if (host.includes(":")) return AF_INET6;
  const text = describeAddress(address);
  throw eaiError("getnameinfo", EAI_NONAME, 0, {
    address: text,
    subject: `${text}, whose host is not an address`,
  });
}

function* getnameinfoSteps(
  address: InetAddressLike | Inet6AddressLike,
  flags: number,
): Steps<[string, string]> {
  const type = (checkInt(flags, "flags") & NI_DGRAM) !== 0 ? SOCK_DGRAM : SOCK_STREAM;
  const sockaddr = yield* addressSteps(familyOfNumeric(address), type, address);
  const host = new Uint8Array(NI_MAXHOST);
  const service = new Uint8Array(NI_MAXSERV);
  const numeric = NI_NUMERICHOST | NI_NUMERICSERV;
  const { result, errno } = yield step(
    (flags & numeric) !== numeric,
    native().getnameinfo,
    ...([sockaddr, sockaddr.length, host, host.length, service, service.length, flags] as const),
  );
  if (result !== 0) throw eaiError("getnameinfo", result, errno, { address: describeAddress(address) });
  return [textAt(host, 0), textAt(service, 0)];
}
