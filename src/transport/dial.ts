/** One call from a name to a connection: the look-up, the proxy, TLS, and one clock over all of it. */
import { type OpOptions, withDeadline } from "../core/deadline.js";
import { LocalProtocolError } from "../core/errors.js";
import { checkedHost, checkedPort, checkTarget } from "./check-target.js";
import type { Resolver } from "./dns.js";
import { overTls } from "./duplex.js";
import { describeEndpoint } from "./network-error.js";
import { nodeProvider } from "./node.js";
import { prepended } from "./prepended.js";
import { proxyFor, throughProxy } from "./proxy/index.js";
import type { ProxyTarget } from "./proxy/types.js";
import type { TlsClientOptions, Transport, TransportProvider } from "./types.js";

/** How to reach a server. Every client of this package takes these. */
export interface DialOptions {
  /** A name or an address. Default `localhost`. It is the name that the server's certificate must have. */
  readonly host?: string | undefined;
  /** From 1 to 65535. Each protocol has its usual one. */
  readonly port?: number | undefined;
  /** The path of a Unix socket, in place of host and port. No proxy is used then. */
  readonly path?: string | undefined;
  /** The address to connect from. Default: the system chooses. */
  readonly localAddress?: string | undefined;
  /**
   * `implicit`: TLS from the first byte. `starttls`: the protocol asks for it before anything else of weight is said, and
   * goes no further without. `none`: in the clear. There is no form that falls back.
   */
  readonly tls?: "implicit" | "starttls" | "none" | undefined;
  /** The parameters of TLS: authorities, a client certificate, another server name. */
  readonly tlsOptions?: TlsClientOptions | undefined;
  /** Where connections come from. Default: `nodeProvider`, Node's sockets. */
  readonly provider?: TransportProvider | undefined;
  /**
   * `socks5://`, `socks5h://`, `http://` or `https://`, with `user:password@` where needed; `false` for none. Default: the
   * environment's `ALL_PROXY`, unless its `NO_PROXY` names the host. The proxy looks the host's name up.
   */
  readonly proxy?: string | URL | false | undefined;
  /** The parameters of TLS with an `https://` proxy. */
  readonly proxyTlsOptions?: TlsClientOptions | undefined;
  /** The longest that all of it may take, in milliseconds: names, connecting, proxy and TLS. Default 30,000. */
  readonly connectMs?: number | undefined;
  /** Gives up connecting; what was under way is closed. Once there is a connection it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** Looks names up, the proxy's too. Default: the provider does, with the system's resolver. */
  readonly resolver?: Resolver | undefined;
}

const defaultConnectMs = 30_000;

/**
 * Connects to a server, and begins TLS where it is implicit.
 *
 * @throws {SocketError} the connection was refused, the name is unknown (`NameError`), and the like.
 * @throws {BrokenError} the TLS handshake failed, or the certificate is not good.
 * @throws {ProxyError | AuthError} the proxy said no.
 * @throws {DeadlineError} `connectMs` ran out.
 * @throws {LocalProtocolError} an option makes no sense; nothing was sent.
 *
 * @example
 * ```ts
 * await using transport = await dial({ host: "mail.example.com", port: 993, tls: "implicit" });
 * ```
 */
export async function dial(options: DialOptions): Promise<Transport> {
  checkTarget(options);
  const steps = stepsTo(options);
  const stop = new AbortController();
  const { connectMs: timeoutMs = defaultConnectMs, signal } = options;
  const what = `connecting to ${describeEndpoint(endOf(options))}`;
  let work: Promise<Transport> | undefined;
  try {
    return await withDeadline(what, { signal, timeoutMs }, () => {
      work = steps(stop.signal);
      return work;
    });
  } catch (error) {
    stop.abort(error);
    work?.then((late) => late.close()).catch(() => {});
    throw error;
  }
}

function endOf({ host = "localhost", port, path }: DialOptions): {
  host?: string;
  port?: number;
  path?: string;
} {
  if (path !== undefined) return { path };
  return port === undefined ? { host } : { host, port };
}

type Steps = (signal: AbortSignal) => Promise<Transport>;

/** What is to be done. The options have been checked by then, so that none is found wrong in the middle. */
function stepsTo(options: DialOptions): Steps {
  const open = options.path === undefined ? wayTo(options) : unixSteps(options);
  if (options.tls !== "implicit") return open;
  const tlsOptions = { ...options.tlsOptions, serverName: serverNameOf(options) };
  return async (signal) =>
    await overTls(await open(signal), { role: "client", options: tlsOptions }, { signal });
}

function serverNameOf({ host = "localhost", path, tlsOptions }: DialOptions): string | undefined {
  return tlsOptions?.serverName ?? (path === undefined ? host : undefined);
}

function unixSteps({ provider = nodeProvider, path }: DialOptions): Steps {
  return (signal) => provider.connect({ path }, { signal });
}

function wayTo(options: DialOptions): Steps {
  const { host = "localhost", port } = options;
  if (port === undefined) throw new LocalProtocolError("dial needs a port, or the path of a Unix socket");
  const target = { host: unbracketed(host), port: checkedPort(port) };
  const proxy = proxyFor(options.proxy, target);
  if (proxy === undefined) return (signal) => connectTo(target, options, { signal });
  const tls = options.proxyTlsOptions;
  return async (signal) =>
    await throughProxy(await connectTo(proxy, options, { signal }), proxy, target, { signal, tls });
}

/** `[::1]`, as in URLs. */
function unbracketed(host: string): string {
  return checkedHost(host).replace(/^\[(.*)\]$/, "$1");
}

/** A connection to a host by the resolver's addresses, one after the other, or by the provider's own look-up. */
async function connectTo(
  { host, port }: ProxyTarget,
  { provider = nodeProvider, resolver, localAddress, connectMs = defaultConnectMs }: DialOptions,
  options: OpOptions,
): Promise<Transport> {
  if (resolver === undefined) return await provider.connect({ host, port, localAddress }, options);
  let failure: unknown = new LocalProtocolError(`the resolver gave no address for ${host}`);
  const addresses = await resolver.addresses(host, options);
  // One that does not answer leaves the others their share of the time.
  const attempt = { ...options, timeoutMs: connectMs / Math.max(1, addresses.length) };
  for (const { address } of addresses) {
    try {
      const transport = await provider.connect({ host: address, port, localAddress }, attempt);
      // The peer goes by the name that was asked for: its certificate must have it.
      return prepended(transport, new Uint8Array(0), { local: transport.local, remote: { host, port } });
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      failure = error;
    }
  }
  throw failure;
}
