/**
 * The services and protocols databases: libc's (`/etc/services`, `/etc/protocols`, whatever else the machine is
 * configured for) first, and where that has no answer or no libc is at hand, a table of the well-known ones.
 */
import { type LocalProtocolError, NameError, UnsupportedError } from "../../core/errors.js";
import { EAI_SERVICE } from "../constants.js";
import { errnos } from "../native/errno.js";
import { native } from "../native/index.js";
import type { Native } from "../native/native.js";
import { checkRange, show } from "../sockaddr/parts.js";
import { builtinProtocol, builtinService, builtinServiceName } from "./builtin-services.js";
import { htons } from "./inet.js";
import { Arena, cStringOf, intAt, pointerAt } from "./memory.js";

/**
 * The port of a service such as `"http"`, for a protocol (`"tcp"`, `"udp"`) or for any. Reads local files only, and
 * knows some 75 services without them. Throws {@link NameError} with code `EAI_SERVICE` when there is none.
 *
 * @example getservbyname("https", "tcp") // 443
 */
export function getservbyname(name: string, protocol?: string | null): number {
  const nameText = cStringOf(name, "a service name");
  const protocolText = protocolString(protocol);
  const port =
    fromLibc((libc) => libcService(libc, nameText, protocolText)) ??
    builtinService(name, protocol ?? undefined);
  if (port === undefined) throw notFound("getservbyname", "service/proto not found", pair(name, protocol));
  return port;
}

/**
 * The name of the service at a port, for a protocol or for any. Throws {@link NameError} with code `EAI_SERVICE` when
 * there is none, {@link LocalProtocolError} for a port outside 0 to 65535.
 *
 * @example getservbyport(25) // "smtp"
 */
export function getservbyport(port: number, protocol?: string | null): string {
  checkRange(port, 0xffff, "a port");
  const protocolText = protocolString(protocol);
  const name =
    fromLibc((libc) => libcServiceName(libc, port, protocolText)) ??
    builtinServiceName(port, protocol ?? undefined);
  if (name === undefined) throw notFound("getservbyport", "port/proto not found", pair(port, protocol));
  return name;
}

/**
 * The number of an Internet protocol such as `"icmp"`, for the third argument of `socket()`. Throws {@link NameError}
 * with code `EAI_SERVICE` when there is none of the name.
 *
 * @example getprotobyname("udp") // 17
 */
export function getprotobyname(name: string): number {
  const nameText = cStringOf(name, "a protocol name");
  const number = fromLibc((libc) => libcProtocol(libc, nameText)) ?? builtinProtocol(name);
  if (number === undefined) throw notFound("getprotobyname", "protocol not found", name);
  return number;
}

// struct servent { char *name; char **aliases; int port; char *proto }, the port in network byte order

function libcService(libc: Native, name: Uint8Array, protocol: Uint8Array | null): number | undefined {
  return entry(
    (record, { bytes }, result) => libc.getservbynameR(name, protocol, record, bytes, bytes.length, result),
    portOf,
  );
}

function libcServiceName(libc: Native, port: number, protocol: Uint8Array | null): string | undefined {
  const networkPort = htons(port);
  return entry(
    (record, { bytes }, result) =>
      libc.getservbyportR(networkPort, protocol, record, bytes, bytes.length, result),
    (record, arena) => arena.text(pointerAt(record, 0)),
  );
}

// struct protoent { char *name; char **aliases; int number }

function libcProtocol(libc: Native, name: Uint8Array): number | undefined {
  return entry(
    (record, { bytes }, result) => libc.getprotobynameR(name, record, bytes, bytes.length, result),
    (record) => intAt(record, 16),
  );
}

function portOf(record: Uint8Array): number {
  return ((record[16] ?? 0) << 8) | (record[17] ?? 0);
}

type FindEntry = (record: Uint8Array, arena: Arena, result: Uint8Array) => number;

/** Calls a `get…_r` function with ever more room until its entry fits; undefined when there is no entry. */
function entry<T>(find: FindEntry, read: (record: Uint8Array, arena: Arena) => T): T | undefined {
  const record = new Uint8Array(32);
  const result = new Uint8Array(8);
  for (let length = 1024; ; length *= 4) {
    const arena = new Arena(length);
    const errno = find(record, arena, result);
    if (errno === errnos.ERANGE && length < 1 << 20) continue;
    return errno === 0 && pointerAt(result, 0) !== 0n ? read(record, arena) : undefined;
  }
}

function fromLibc<T>(look: (libc: Native) => T | undefined): T | undefined {
  const libc = libcOrNone();
  return libc === undefined ? undefined : look(libc);
}

function libcOrNone(): Native | undefined {
  try {
    return native();
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function protocolString(protocol: unknown): Uint8Array | null {
  if (protocol === undefined || protocol === null) return null;
  return cStringOf(protocol, "a protocol name");
}

function pair(key: string | number, protocol: string | null | undefined): string {
  return protocol === undefined || protocol === null ? `${key}` : `${key}/${protocol}`;
}

function notFound(syscall: string, text: string, address: string): NameError {
  const message = `${syscall} ${show(address)}: ${text}; check /etc/services and /etc/protocols, or give the number (EAI_SERVICE)`;
  return new NameError(message, { errno: EAI_SERVICE, code: "EAI_SERVICE", syscall, address });
}
