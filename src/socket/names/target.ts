/** What the caller gave as host and service, made into what libc takes: checked, never cut short, never wrapped around. */
import { domainToASCII } from "node:url";
import { LocalProtocolError } from "../../core/errors.js";
import { checkHost, checkRange, isBytes, MAX_UINT32, show } from "../sockaddr/parts.js";
import { formatInet4, parseAton } from "./inet-text.js";
import { cString } from "./memory.js";

/** A host as the look-ups take it: a name, an address, an integer in host byte order, bytes for libc as they are, or none. */
export type LookupHost = string | number | Uint8Array | null;

/** A service as the look-ups take it: a port, its digits, a name such as `"http"`, bytes, or none. */
export type LookupService = string | number | Uint8Array | null;

/** A host or service ready for libc. */
export interface Target {
  /** As error messages show it. */
  readonly text: string;
  /** NULL when it is absent. */
  readonly bytes: Uint8Array | null;
  /** Whether libc need look nothing up. */
  readonly numeric: boolean;
}

const latin1 = new TextDecoder("latin1");

/** Throws {@link LocalProtocolError} for NUL, an empty label, one of more than 63 bytes, or another type. */
export function hostTarget(host: LookupHost | undefined): Target {
  if (host === null || host === undefined) return { text: "", bytes: null, numeric: true };
  if (typeof host === "number")
    return textTarget(formatInet4(checkRange(host, MAX_UINT32, "an integer host")), true);
  if (isBytes(host)) {
    return {
      text: latin1.decode(host),
      bytes: cString(host, "a host"),
      numeric: isLiteral(latin1.decode(host)),
    };
  }
  checkHost(host);
  if (isLiteral(host)) return textTarget(host, true);
  return { ...textTarget(toAscii(host), false), text: host };
}

function textTarget(text: string, numeric: boolean): Target {
  return { text, bytes: cString(text, "a host or service"), numeric };
}

/** A colon stands in no host name, so that such text is an address or nothing, and no server need be asked. */
function isLiteral(host: string): boolean {
  return host.includes(":") || parseAton(host) >= 0;
}

function toAscii(host: string): string {
  const ascii = /^\p{ASCII}*$/u.test(host) ? host : domainToASCII(host);
  const labels = ascii.replace(/\.$/, "").split(".");
  if (ascii === "" && host !== "") throw badHost(host, "it cannot be encoded by IDNA");
  if (labels.some((label) => label.length > 63)) throw badHost(host, "a label has more than 63 bytes");
  if (labels.length > 1 && labels.includes("")) throw badHost(host, "a label is empty");
  return ascii;
}

function badHost(host: string, reason: string): LocalProtocolError {
  return new LocalProtocolError(`not a host name, ${reason}: ${show(host)}`);
}

/** Throws {@link LocalProtocolError} for NUL, a port outside 0 to 65535 (libc would wrap it around), or another type. */
export function serviceTarget(service: LookupService | undefined): Target {
  if (service === null || service === undefined) return { text: "", bytes: null, numeric: true };
  if (typeof service === "number") return textTarget(`${checkRange(service, 0xffff, "a port")}`, true);
  if (typeof service !== "string" && !isBytes(service)) {
    throw new LocalProtocolError(`a service is a name, digits, an integer or null, not ${show(service)}`);
  }
  const text = typeof service === "string" ? service : latin1.decode(service);
  // As strtoul(3) reads it, by which libc decides whether a service is a number.
  const numeric = text === "" || /^\s*[-+]?\d+$/.test(text);
  if (numeric) checkRange(Math.abs(Number(text)) * (text.includes("-") ? -1 : 1), 0xffff, "a port");
  return { text, bytes: cString(service, "a service"), numeric };
}
