/** Hosts, ports and paths, before anything is done with them. */
import { LocalProtocolError } from "../core/errors.js";
import type { ConnectTarget, Endpoint } from "./types.js";

/** Control characters, spaces and half characters. A NUL would cut a name short, a CR LF begin a line of its own. */
const forbidden = /[\p{Cc}\s]|\p{Surrogate}/u;
/** What a URL or a request line would give another meaning. */
const delimiters = /[/?#@\\]/;
/** RFC 1035 section 3.1, and room for an address literal with a zone. */
const maxHostChars = 255;

/**
 * The host itself, if it can be a name or an address.
 *
 * @throws {LocalProtocolError} it is empty, too long, or holds CR, LF, NUL, a space or a delimiter.
 */
export function checkedHost(host: string, what = "the host"): string {
  const good =
    typeof host === "string" && host !== "" && host.length <= maxHostChars && !forbidden.test(host);
  if (good && !delimiters.test(host)) return host;
  throw new LocalProtocolError(
    `${what} is empty, too long, or holds CR, LF, NUL, a space or one of / ? # @ \\`,
  );
}

/**
 * The port itself, if it is one.
 *
 * @throws {LocalProtocolError} it is no integer from `min` to 65535.
 */
export function checkedPort(port: number, min = 1): number {
  if (Number.isInteger(port) && port >= min && port <= 65_535) return port;
  throw new LocalProtocolError(`a port is an integer from ${min} to 65535, not ${port}`);
}

/** Checks whatever is given of host, port, path and local address. */
export function checkTarget(target: ConnectTarget, minPort = 1): void {
  if (target.path !== undefined) checkPath(target);
  if (target.host !== undefined) checkedHost(target.host);
  if (target.port !== undefined) checkedPort(target.port, minPort);
  if (target.localAddress !== undefined) checkedHost(target.localAddress, "the local address");
}

function checkPath({ path, host, port }: Endpoint): void {
  if (host !== undefined || port !== undefined)
    throw new LocalProtocolError("give a path, or a host and a port, but not both");
  if (path === "" || path?.includes("\0"))
    throw new LocalProtocolError("the path of a Unix socket is empty or holds NUL");
}
