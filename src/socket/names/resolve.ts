/** getaddrinfo: hosts and services to addresses. */
import { LocalProtocolError, type NameError } from "../../core/errors.js";
import {
  AI_NUMERICHOST,
  EAI_NONAME,
  EAI_SERVICE,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../constants.js";
import { native } from "../native/index.js";
import { checkInt, checkObject, show } from "../sockaddr/parts.js";
import { decodeAddress } from "../sockaddr.js";
import type { Inet6Address, InetAddress } from "../types.js";
import { builtinService } from "./builtin-services.js";
import { foreignBytes, foreignText, intAt, pointerAt } from "./memory.js";
import { eaiError } from "./name-error.js";
import { type LookupOptions, runAsync, runSync, type Steps, step } from "./steps.js";
import { hostTarget, type LookupHost, type LookupService, serviceTarget, type Target } from "./target.js";

/** One answer of {@link getaddrinfo}: the arguments of `socket()` and the address to connect or bind it to. */
export interface AddressInfo {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** The host's official name, in the first answer and only with `AI_CANONNAME`; else `""`. */
  readonly canonicalName: string;
  readonly address: InetAddress | Inet6Address;
}

/** What {@link getaddrinfo} is to answer with. What is left out is not restricted. */
export interface AddressHints {
  /** `AF_INET`, `AF_INET6`, or `AF_UNSPEC`, the default, for both. */
  readonly family?: number | undefined;
  /** `SOCK_STREAM` and the like; 0, the default, for every type. */
  readonly type?: number | undefined;
  /** `IPPROTO_TCP` and the like; 0, the default, for every protocol. */
  readonly protocol?: number | undefined;
  /** `AI_…` flags, 0 by default. */
  readonly flags?: number | undefined;
}

/**
 * The addresses of a host and a service. A host of null is this machine (with `AI_PASSIVE`: any address of it). Literal
 * addresses are answered at once; names are looked up on libuv's pool, at most two at a time. Names beyond ASCII are
 * encoded by IDNA.
 *
 * Rejects with {@link NameError} (`EAI_NONAME`, `EAI_SERVICE`, …), with {@link LocalProtocolError} for NUL, a label of
 * more than 63 bytes or a port outside 0 to 65535, with `DeadlineError` after `timeoutMs`, or with the signal's reason.
 *
 * @example
 * const [first] = await getaddrinfo("localhost", "http", { type: SOCK_STREAM });
 * // { family: AF_INET, type: SOCK_STREAM, protocol: IPPROTO_TCP, canonicalName: "", address: ["127.0.0.1", 80] }
 */
export async function getaddrinfo(
  host: LookupHost,
  service: LookupService = null,
  options: AddressHints & LookupOptions = {},
): Promise<AddressInfo[]> {
  return runAsync(getaddrinfoSteps(host, service, options), "getaddrinfo", options);
}

/** {@link getaddrinfo}, waiting on this thread. */
export function getaddrinfoSync(
  host: LookupHost,
  service: LookupService = null,
  hints: AddressHints = {},
): AddressInfo[] {
  return runSync(getaddrinfoSteps(host, service, hints));
}

/** The steps of getaddrinfo, for look-ups that begin with it. */
export function* getaddrinfoSteps(
  host: LookupHost,
  service: LookupService,
  hints: AddressHints,
): Steps<AddressInfo[]> {
  checkObject(hints, "hints");
  const node = hostTarget(host);
  const wanted = serviceTarget(service);
  const about = { address: node.text, subject: describeTargets(node, wanted) };
  // libc answers these two alike, but only after it has asked the name servers for "".
  if (node.bytes === null ? wanted.bytes === null : node.bytes.length === 1) {
    throw eaiError("getaddrinfo", EAI_NONAME, 0, about);
  }
  const first = yield* callGetaddrinfo(node, wanted, hints);
  if (Array.isArray(first)) return first;
  const fallback = first.eai === EAI_SERVICE ? builtinTarget(wanted, hints) : undefined;
  const second = fallback && (yield* callGetaddrinfo(node, fallback.service, fallback.hints));
  if (Array.isArray(second)) return second;
  throw eaiError("getaddrinfo", first.eai, first.errno, about);
}

function describeTargets(node: Target, service: Target): string {
  const host = node.bytes === null ? "this machine" : show(node.text);
  return service.bytes === null ? host : `${host} with service ${show(service.text)}`;
}

interface Failure {
  readonly eai: number;
  readonly errno: number;
}

function* callGetaddrinfo(
  node: Target,
  service: Target,
  hints: AddressHints,
): Steps<AddressInfo[] | Failure> {
  const literal = node.bytes !== null && node.numeric;
  const flags = checkInt(hints.flags ?? 0, "flags") | (literal ? AI_NUMERICHOST : 0);
  const waits = !(service.numeric && (node.numeric || (flags & AI_NUMERICHOST) !== 0));
  const record = new Uint8Array(48);
  new Int32Array(record.buffer, 0, 4).set([
    flags,
    checkInt(hints.family ?? 0, "family"),
    checkInt(hints.type ?? 0, "type"),
    checkInt(hints.protocol ?? 0, "protocol"),
  ]);
  const list = new Uint8Array(8);
  const outcome = yield step(waits, native().getaddrinfo, node.bytes, service.bytes, record, list);
  if (outcome.result !== 0) return { eai: outcome.result, errno: outcome.errno };
  return takeList(pointerAt(list, 0));
}

function takeList(list: bigint): AddressInfo[] {
  const found: AddressInfo[] = [];
  try {
    for (let at = list; at !== 0n; ) {
      const node = foreignBytes(at, 48);
      found.push(decodeNode(node));
      at = pointerAt(node, 40);
    }
  } finally {
    native().freeaddrinfo(list);
  }
  return found;
}

/** struct addrinfo { int flags, family, socktype, protocol; socklen_t addrlen; sockaddr *addr; char *canonname; … *next } */
function decodeNode(node: Uint8Array): AddressInfo {
  const length = intAt(node, 16);
  const canonicalName = pointerAt(node, 32);
  return {
    family: intAt(node, 4),
    type: intAt(node, 8),
    protocol: intAt(node, 12),
    canonicalName: canonicalName === 0n ? "" : foreignText(canonicalName),
    address: decodeAddress(foreignBytes(pointerAt(node, 24), length), length) as InetAddress | Inet6Address,
  };
}

/** A service that libc does not know, as a port and for the one protocol that has it. */
function builtinTarget(
  service: Target,
  hints: AddressHints,
): { service: Target; hints: AddressHints } | undefined {
  const { type = 0, protocol = 0 } = hints;
  for (const [name, itsType, itsProtocol] of [
    ["tcp", SOCK_STREAM, IPPROTO_TCP],
    ["udp", SOCK_DGRAM, IPPROTO_UDP],
  ] as const) {
    if ((type !== 0 && type !== itsType) || (protocol !== 0 && protocol !== itsProtocol)) continue;
    const port = service.numeric ? undefined : builtinService(service.text, name);
    if (port !== undefined) return { service: serviceTarget(port), hints: { ...hints, type: itsType } };
  }
  return undefined;
}
