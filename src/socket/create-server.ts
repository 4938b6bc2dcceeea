/** Listening in one call. */
import { LocalProtocolError } from "../core/errors.js";
import { AF_INET, AF_INET6, SOCK_STREAM } from "./constants.js";
import { checkBoolean, checkInt, checkObject, encodeAddress } from "./sockaddr.js";
import { Socket } from "./socket.js";
import type { AddressFor, AfInet, AfInet6, Family } from "./types.js";

/** What {@link createServer} takes. */
export interface ServerOptions<F extends Family = Family> {
  /** AF_INET (the default), AF_INET6 or AF_UNIX. */
  readonly family?: F;
  /** How many connections may wait to be accepted. Default: 128. */
  readonly backlog?: number;
  /** SO_REUSEPORT: several processes or threads share the port. Default: false. */
  readonly reusePort?: boolean;
  /** One AF_INET6 socket for IPv4 as well. Needs `family: AF_INET6`. Default: false. */
  readonly dualStack?: boolean;
}

/**
 * A bound and listening stream socket, with SO_REUSEADDR set. Throws as `bind` and `listen` do; the socket is closed
 * then.
 *
 * @example const listener = await createServer(["localhost", 0])
 */
export async function createServer<F extends Family = AfInet>(
  address: AddressFor<F>,
  options: ServerOptions<F> = {},
): Promise<Socket<F>> {
  const server = prepared(address, options);
  try {
    await server.bind(address);
    server.listen(options.backlog);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

/** {@link createServer}, blocking. */
export function createServerSync<F extends Family = AfInet>(
  address: AddressFor<F>,
  options: ServerOptions<F> = {},
): Socket<F> {
  const server = prepared(address, options);
  try {
    server.bindSync(address);
    server.listen(options.backlog);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

function prepared<F extends Family>(address: AddressFor<F>, options: ServerOptions<F>): Socket<F> {
  const { family, reusePort = false, dualStack = false, backlog = 0 } = checkObject(options, "options");
  checkInt(backlog, "backlog");
  checkBoolean(reusePort, "reusePort");
  checkBoolean(dualStack, "dualStack");
  // Only to throw for what is no address, before there is a socket.
  encodeAddress(family ?? AF_INET, address);
  if (dualStack && family !== (AF_INET6 as AfInet6 as Family)) {
    throw new LocalProtocolError("dualStack needs family: AF_INET6");
  }
  const server = new Socket(family ?? (AF_INET as Family as F), SOCK_STREAM);
  try {
    if (server.family === AF_INET || server.family === AF_INET6) server.reuseAddress = true;
    if (reusePort) server.reusePort = true;
    if (server.family === AF_INET6) server.v6Only = !dualStack;
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

/** Whether this kernel can serve IPv4 on an AF_INET6 socket. */
export function hasDualStack(): boolean {
  try {
    using probe = new Socket(AF_INET6, SOCK_STREAM);
    probe.v6Only = false;
    return true;
  } catch {
    return false;
  }
}
