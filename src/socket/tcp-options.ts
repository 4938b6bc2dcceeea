/** Typed options of TCP. */
import * as c from "./constants.js";
import { checkCount } from "./handle.js";
import { IpOptionSocket } from "./ip-options.js";
import { checkName, checkObject } from "./sockaddr.js";
import { parseTcpInfo, type TcpInfo } from "./tcp-info.js";
import type { Family } from "./types.js";

/** When and how a silent connection is probed. */
export interface KeepAlive {
  /** TCP_KEEPIDLE: how long the connection is silent before the first probe, in seconds. */
  readonly idleSeconds?: number;
  /** TCP_KEEPINTVL: between probes, in seconds. */
  readonly intervalSeconds?: number;
  /** TCP_KEEPCNT: how many unanswered probes break the connection. */
  readonly count?: number;
}

/** A socket with TCP's options. On other sockets they throw {@link SocketError} ENOPROTOOPT or EOPNOTSUPP. */
export abstract class TcpOptionSocket<F extends Family = Family> extends IpOptionSocket<F> {
  /** SO_KEEPALIVE with its three numbers; null when off. Set `true` for the kernel's numbers, or those that matter. */
  get keepAlive(): Required<KeepAlive> | null {
    if (!this.flag(c.SOL_SOCKET, c.SO_KEEPALIVE)) return null;
    return {
      idleSeconds: this.getsockopt(c.IPPROTO_TCP, c.TCP_KEEPIDLE),
      intervalSeconds: this.getsockopt(c.IPPROTO_TCP, c.TCP_KEEPINTVL),
      count: this.getsockopt(c.IPPROTO_TCP, c.TCP_KEEPCNT),
    };
  }

  set keepAlive(value: KeepAlive | boolean | null) {
    const numbers = typeof value === "boolean" || value === null ? {} : checkObject(value, "keepAlive");
    const { idleSeconds, intervalSeconds, count } = numbers;
    for (const number of [idleSeconds, intervalSeconds, count]) {
      if (number !== undefined) checkCount(number, "keepAlive's numbers", 0x7fffffff);
    }
    this.setsockopt(c.SOL_SOCKET, c.SO_KEEPALIVE, value !== null && value !== false);
    if (idleSeconds !== undefined) this.setsockopt(c.IPPROTO_TCP, c.TCP_KEEPIDLE, idleSeconds);
    if (intervalSeconds !== undefined) this.setsockopt(c.IPPROTO_TCP, c.TCP_KEEPINTVL, intervalSeconds);
    if (count !== undefined) this.setsockopt(c.IPPROTO_TCP, c.TCP_KEEPCNT, count);
  }

  /** TCP_NODELAY: small writes leave at once (Nagle's algorithm is off). */
  get noDelay(): boolean {
    return this.flag(c.IPPROTO_TCP, c.TCP_NODELAY);
  }

  set noDelay(value: boolean) {
    this.setsockopt(c.IPPROTO_TCP, c.TCP_NODELAY, value);
  }

  /** TCP_QUICKACK: acknowledge at once. Not lasting: the kernel goes back to delaying when it sees fit. */
  get quickAck(): boolean {
    return this.flag(c.IPPROTO_TCP, c.TCP_QUICKACK);
  }

  set quickAck(value: boolean) {
    this.setsockopt(c.IPPROTO_TCP, c.TCP_QUICKACK, value);
  }

  /** TCP_CORK: hold partial segments back until it is cleared, for 200 ms at most. */
  get cork(): boolean {
    return this.flag(c.IPPROTO_TCP, c.TCP_CORK);
  }

  set cork(value: boolean) {
    this.setsockopt(c.IPPROTO_TCP, c.TCP_CORK, value);
  }

  /** TCP_USER_TIMEOUT, in milliseconds: how long sent data may stay unacknowledged. 0: the system's default. */
  get userTimeoutMs(): number {
    return this.getsockopt(c.IPPROTO_TCP, c.TCP_USER_TIMEOUT);
  }

  set userTimeoutMs(ms: number) {
    this.setsockopt(c.IPPROTO_TCP, c.TCP_USER_TIMEOUT, checkCount(ms, "userTimeoutMs", 0x7fffffff));
  }

  /**
   * TCP Fast Open (RFC 7413). On a listener: how many connections may wait with data in their SYN. On a client: true
   * (TCP_FASTOPEN_CONNECT) lets the first write ride in the SYN.
   */
  get fastOpen(): number | boolean {
    if (this.listening) return this.getsockopt(c.IPPROTO_TCP, c.TCP_FASTOPEN);
    return this.flag(c.IPPROTO_TCP, c.TCP_FASTOPEN_CONNECT);
  }

  set fastOpen(value: number | boolean) {
    const option = typeof value === "boolean" ? c.TCP_FASTOPEN_CONNECT : c.TCP_FASTOPEN;
    this.setsockopt(c.IPPROTO_TCP, option, value);
  }

  /** TCP_CONGESTION: the congestion control algorithm, such as `cubic` or `reno`. */
  get congestion(): string {
    const name = this.getsockopt(c.IPPROTO_TCP, c.TCP_CONGESTION, 16);
    const end = name.indexOf(0);
    return new TextDecoder().decode(end < 0 ? name : name.subarray(0, end));
  }

  set congestion(name: string) {
    const bytes = new TextEncoder().encode(checkName(name, "a congestion control algorithm"));
    this.setsockopt(c.IPPROTO_TCP, c.TCP_CONGESTION, bytes);
  }

  /** TCP_INFO: what the kernel knows of the connection. Fields that an older kernel lacks are undefined. */
  tcpInfo(): TcpInfo {
    return parseTcpInfo(this.getsockopt(c.IPPROTO_TCP, c.TCP_INFO, 512));
  }
}
