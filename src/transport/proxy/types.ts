/** Proxies as data. */
import type { Secret } from "../../core/secret.js";

/** Where a proxy is to connect to. */
export interface ProxyTarget {
  /** A name, which the proxy looks up, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A proxy, and what it knows us by. */
export interface ProxyServer {
  /** How it is spoken to: SOCKS, or HTTP CONNECT in the clear or within TLS. */
  readonly kind: "socks5" | "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly credentials: { readonly username: string; readonly password: Secret } | undefined;
}
