/** Connecting: names, proxies, TLS. */
import type { OpOptions } from "../core/deadline.js";
import { overTls } from "./duplex.js";
import { nodeProvider } from "./node.js";
import type { ConnectTarget, TlsClientOptions, Transport, TransportProvider } from "./types.js";

export interface DialOptions extends ConnectTarget {
  readonly tls?: "implicit" | "starttls" | "none" | undefined;
  readonly tlsOptions?: TlsClientOptions | undefined;
  readonly provider?: TransportProvider | undefined;
  readonly proxy?: string | URL | false | undefined;
  readonly connectMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function dial(options: DialOptions): Promise<Transport> {
  const op: OpOptions = { signal: options.signal, timeoutMs: options.connectMs ?? 30_000 };
  const transport = await (options.provider ?? nodeProvider).connect(options, op);
  if (options.tls !== "implicit") return transport;
  return await overTls(transport, { role: "client", options: options.tlsOptions ?? {} }, op);
}
