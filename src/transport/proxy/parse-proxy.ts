/** Proxies as URLs: `socks5://user:password@host:port`, `http://[::1]:3128`. */
import { LocalProtocolError } from "../../core/errors.js";
import { Secret } from "../../core/secret.js";
import { checkedArgument } from "../../wire/command-line.js";
import { checkedHost, checkedPort } from "../check-target.js";
import type { ProxyServer } from "./types.js";

/** By scheme: how such a proxy is spoken to, and its usual port. Names are looked up by the proxy, whichever it is. */
const kinds: Readonly<Record<string, readonly [kind: ProxyServer["kind"], port: number]>> = {
  "socks5:": ["socks5", 1080],
  "socks5h:": ["socks5", 1080],
  "http:": ["http", 80],
  "https:": ["https", 443],
};

/**
 * A proxy out of its URL. Without a scheme it is an HTTP proxy.
 *
 * @throws {LocalProtocolError} the scheme is none of socks5, socks5h, http, https, or something else is wrong. The text
 * is not shown: it may hold a password.
 */
export function parseProxy(from: string | URL): ProxyServer {
  const url = urlOf(String(from));
  const [kind, usualPort] = Object.hasOwn(kinds, url.protocol) ? (kinds[url.protocol] ?? []) : [];
  if (kind === undefined || usualPort === undefined)
    throw new LocalProtocolError("a proxy's URL begins with socks5://, socks5h://, http:// or https://");
  const host = checkedHost(decoded(url.hostname).replace(/^\[(.*)\]$/, "$1"), "the proxy's host");
  const port = url.port === "" ? usualPort : checkedPort(Number(url.port));
  return { kind, host, port, credentials: credentialsOf(url) };
}

function urlOf(text: string): URL {
  // The parser of URLs drops tabs and line ends, which would make another host of this.
  const url = checkedArgument(text, "the proxy's URL");
  try {
    return new URL(url.includes("://") ? url : `http://${url}`);
  } catch {
    throw new LocalProtocolError("the proxy's URL is none");
  }
}

function credentialsOf({ username, password }: URL): ProxyServer["credentials"] {
  if (username === "" && password === "") return undefined;
  const user = checkedArgument(decoded(username), "the proxy's user name");
  const pass = checkedArgument(decoded(password), "the proxy's password");
  return { username: user, password: new Secret(pass) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new LocalProtocolError("the proxy's URL holds a % that is no escape");
  }
}
