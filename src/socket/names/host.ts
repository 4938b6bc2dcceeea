/** The name of this machine. */
import { hostname } from "node:os";
import { LocalProtocolError, SocketError } from "../../core/errors.js";
import { socketError } from "../native/errno.js";
import { native } from "../native/index.js";
import { isBytes, show } from "../sockaddr/parts.js";
import { entryByAddress, type HostEntry } from "./host-entry.js";
import { cString } from "./memory.js";
import { type LookupOptions, runAsync, runSync, type Steps } from "./steps.js";

/** The host name of this machine, as the kernel has it. {@link getfqdn} adds the domain where one is known. */
export function gethostname(): string {
  return hostname();
}

/**
 * Renames this machine, for every process on it. Throws {@link SocketError} EPERM without CAP_SYS_ADMIN, EINVAL for
 * more than 64 bytes, and {@link LocalProtocolError} for NUL.
 */
export function sethostname(name: string | Uint8Array): void {
  if (typeof name !== "string" && !isBytes(name)) {
    throw new LocalProtocolError(`a host name is a string or bytes, not ${show(name)}`);
  }
  const text = cString(name, "a host name");
  const libc = native();
  if (libc.sethostname(text, text.length - 1) < 0) throw socketError("sethostname", libc.errno(), show(name));
}

/**
 * The fully qualified name of a host: of its names the first that holds a dot, else its official name, else what was
 * given. `""`, `"0.0.0.0"` and `"::"` stand for this machine. It does not fail for an unknown host; it rejects with
 * `LocalProtocolError` for NUL or a label of more than 63 bytes, with `DeadlineError`, or with the signal's reason.
 */
export async function getfqdn(name = "", options: LookupOptions = {}): Promise<string> {
  return runAsync(fqdnSteps(name), "getfqdn", options);
}

/** {@link getfqdn}, waiting on this thread. */
export function getfqdnSync(name = ""): string {
  return runSync(fqdnSteps(name));
}

function* fqdnSteps(name: unknown): Steps<string> {
  if (typeof name !== "string") throw new LocalProtocolError(`a host name is a string, not ${show(name)}`);
  const trimmed = name.trim();
  const host = trimmed === "" || trimmed === "0.0.0.0" || trimmed === "::" ? gethostname() : trimmed;
  const entry = yield* entryOrNone(host);
  if (entry === undefined) return host;
  const [official, aliases] = entry;
  return [official, ...aliases].find((candidate) => candidate.includes(".")) ?? official;
}

function* entryOrNone(host: string): Steps<HostEntry | undefined> {
  try {
    return yield* entryByAddress(host);
  } catch (error) {
    if (error instanceof SocketError) return undefined;
    throw error;
  }
}
