/** The older look-ups of C: gethostbyname and gethostbyaddr, for programs that are written in their terms. */
import type { LocalProtocolError, NameError } from "../../core/errors.js";
import { AF_INET, SOCK_DGRAM } from "../constants.js";
import { errnos } from "../native/errno.js";
import { native } from "../native/index.js";
import { inet4Of } from "../sockaddr/inet.js";
import { show } from "../sockaddr/parts.js";
import type { Host } from "../types.js";
import { inetNtop, inetPton } from "./inet.js";
import { formatInet4 } from "./inet-text.js";
import { Arena, intAt, pointerAt } from "./memory.js";
import { hostError } from "./name-error.js";
import { type getaddrinfo, getaddrinfoSteps } from "./resolve.js";
import { type LookupOptions, type Outcome, runAsync, runSync, type Step, type Steps, step } from "./steps.js";
import { hostTarget } from "./target.js";

/** What the databases know of a host: its official name, its other names, its addresses as text. */
export type HostEntry = [name: string, aliases: string[], addresses: string[]];

/**
 * The first IPv4 address of a host, as a dotted quad. `""` is `0.0.0.0` and `"<broadcast>"` is `255.255.255.255`. Rejects
 * with {@link NameError} (`EAI_NONAME`, …), and otherwise as {@link getaddrinfo}.
 *
 * @example await gethostbyname("localhost") // "127.0.0.1"
 */
export async function gethostbyname(host: Host, options: LookupOptions = {}): Promise<string> {
  return runAsync(addressOf(host), "gethostbyname", options);
}

/** {@link gethostbyname}, waiting on this thread. */
export function gethostbynameSync(host: Host): string {
  return runSync(addressOf(host));
}

/** The official name, the aliases and every IPv4 address of a host. Rejects as {@link gethostbyname}. */
export async function gethostbynameEx(host: Host, options: LookupOptions = {}): Promise<HostEntry> {
  return runAsync(entryByName(host), "gethostbynameEx", options);
}

/** {@link gethostbynameEx}, waiting on this thread. */
export function gethostbynameExSync(host: Host): HostEntry {
  return runSync(entryByName(host));
}

/**
 * The official name, the aliases and the addresses of the host that has an address; a name is looked up first. Rejects with
 * {@link NameError}: `HOST_NOT_FOUND`, `TRY_AGAIN`, `NO_RECOVERY`, `NO_DATA` (1 to 4, as C numbers them) when the address
 * has no name, EAI_ codes when the name has no address. {@link LocalProtocolError} as {@link getaddrinfo}.
 *
 * @example await gethostbyaddr("127.0.0.1") // ["localhost", [], ["127.0.0.1"]]
 */
export async function gethostbyaddr(host: Host, options: LookupOptions = {}): Promise<HostEntry> {
  return runAsync(entryByAddress(host), "gethostbyaddr", options);
}

/** {@link gethostbyaddr}, waiting on this thread. */
export function gethostbyaddrSync(host: Host): HostEntry {
  return runSync(entryByAddress(host));
}

function* addressOf(host: Host): Steps<string> {
  const numeric = inet4Of(host);
  if (numeric !== undefined) return formatInet4(numeric);
  const [first] = yield* getaddrinfoSteps(host, null, { family: AF_INET, type: SOCK_DGRAM });
  return first?.address[0] as string;
}

/** The address is looked up first, so that a name that is not there fails with the same EAI_ code as everywhere. */
function* entryByName(host: Host): Steps<HostEntry> {
  yield* addressOf(host);
  const target = hostTarget(host);
  const call = native().gethostbynameR;
  return yield* hostEntry("gethostbyname", target.text, (record, { bytes }, result, hErrno) =>
    step(!target.numeric, call, target.bytes as Uint8Array, record, bytes, bytes.length, result, hErrno),
  );
}

/** The steps of {@link gethostbyaddr}. */
export function* entryByAddress(host: Host): Steps<HostEntry> {
  const numeric = inet4Of(host);
  const known = numeric === undefined ? undefined : { family: AF_INET, text: formatInet4(numeric) };
  const { family, text } = known ?? (yield* firstAddress(host));
  const address = inetPton(family, text);
  const call = native().gethostbyaddrR;
  return yield* hostEntry("gethostbyaddr", text, (record, { bytes }, result, hErrno) =>
    step(true, call, address, address.length, family, record, bytes, bytes.length, result, hErrno),
  );
}

function* firstAddress(host: Host): Steps<{ family: number; text: string }> {
  const [first] = yield* getaddrinfoSteps(host, null, { type: SOCK_DGRAM });
  return { family: first?.family as number, text: first?.address[0] as string };
}

type HostCall = (record: Uint8Array, arena: Arena, result: Uint8Array, hErrno: Uint8Array) => Step;

/** Makes a `gethostby…_r` call with ever more room until its entry fits. These return their errno. */
function* hostEntry(syscall: string, address: string, call: HostCall): Steps<HostEntry> {
  const record = new Uint8Array(32);
  const result = new Uint8Array(8);
  const hErrno = new Uint8Array(4);
  for (let length = 4096; ; length *= 4) {
    const arena = new Arena(length);
    const outcome: Outcome = yield call(record, arena, result, hErrno);
    if (outcome.result === errnos.ERANGE && length < 1 << 22) continue;
    if (pointerAt(result, 0) !== 0n) return readEntry(record, arena);
    throw hostError(syscall, intAt(hErrno, 0), outcome.result, { address, subject: show(address) });
  }
}

/** struct hostent { char *name; char **aliases; int type; int length; char **list } */
function readEntry(record: Uint8Array, arena: Arena): HostEntry {
  const family = intAt(record, 16);
  const length = intAt(record, 20);
  return [
    arena.text(pointerAt(record, 0)),
    arena.pointers(pointerAt(record, 8)).map((pointer) => arena.text(pointer)),
    arena.pointers(pointerAt(record, 24)).map((pointer) => inetNtop(family, arena.copy(pointer, length))),
  ];
}
