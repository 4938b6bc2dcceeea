/** Which proxy a connection goes through, and the way through it. */

import type { OpOptions } from "../../core/deadline.js";
import { withDeadline } from "../../core/deadline.js";
import { LocalProtocolError } from "../../core/errors.js";
import { ByteStream } from "../byte-stream.js";
import { overTls } from "../duplex.js";
import { prepended } from "../prepended.js";
import type { TlsClientOptions, Transport } from "../types.js";
import { httpConnect } from "./http-connect.js";
import { matchesNoProxy } from "./no-proxy.js";
import { parseProxy } from "./parse-proxy.js";
import { socksConnect } from "./socks.js";
import type { ProxyServer, ProxyTarget } from "./types.js";

/** The proxy for a target: the one that was given, or that of the environment unless `NO_PROXY` names the target. */
export function proxyFor(
  given: string | URL | false | undefined,
  { host, port }: ProxyTarget,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ProxyServer | undefined {
  if (given === false || given === "") return undefined;
  if (given !== undefined) return parseProxy(given);
  // Programs that know both spellings take the lower one first.
  const all = environment["all_proxy"] ?? environment["ALL_PROXY"] ?? "";
  const none = environment["no_proxy"] ?? environment["NO_PROXY"] ?? "";
  if (all === "" || matchesNoProxy(none, host, port)) return undefined;
  try {
    return parseProxy(all);
  } catch (cause) {
    throw new LocalProtocolError(`ALL_PROXY cannot be used: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Goes from a connection with a proxy to one with the target behind it. The connection is closed when that fails.
 *
 * @throws {ProxyError | AuthError} the proxy said no.
 */
export async function throughProxy(
  transport: Transport,
  proxy: ProxyServer,
  target: ProxyTarget,
  options: OpOptions & { readonly tls?: TlsClientOptions | undefined } = {},
): Promise<Transport> {
  try {
    const link = proxy.kind === "https" ? await overTlsTo(proxy, transport, options) : transport;
    return await withDeadline("the proxy", options, () => tunnel(link, proxy, target));
  } catch (error) {
    await transport.close();
    throw error;
  }
}

function overTlsTo(
  proxy: ProxyServer,
  transport: Transport,
  { tls, ...options }: OpOptions & { readonly tls?: TlsClientOptions | undefined },
): Promise<Transport> {
  const named = { ...tls, serverName: tls?.serverName ?? proxy.host };
  return overTls(transport, { role: "client", options: named }, options);
}

async function tunnel(transport: Transport, proxy: ProxyServer, target: ProxyTarget): Promise<Transport> {
  const stream = new ByteStream(transport);
  const connect = proxy.kind === "socks5" ? socksConnect : httpConnect;
  await connect(stream, target, proxy.credentials);
  // What the peer has sent right behind the proxy's answer is the beginning of the conversation.
  const first = stream.queue.take(stream.queue.length);
  return prepended(transport, first, { local: transport.local, remote: { ...target } });
}
