/** What a connection is to the protocols. */
import type { Duplex } from "node:stream";
import type { OpOptions } from "../core/deadline.js";
import type { Secret } from "../core/secret.js";

/** One end of a connection: an address and a port, or the path of a Unix socket. */
export interface Endpoint {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
}

/** What was agreed upon in a TLS handshake. */
export interface TlsInfo {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** The cipher suite by its standard name. */
  readonly cipher: string;
  /** The protocol that ALPN chose. */
  readonly alpn: string | undefined;
  /** Whether the peer's certificate was checked and found good. */
  readonly authorized: boolean;
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined;
  /** The peer's certificate in DER; `undefined` where it sent none. */
  readonly peerCertificate: Uint8Array | undefined;
  /** This side's own certificate in DER, on servers. */
  readonly localCertificate: Uint8Array | undefined;
  /** The subject's common name of the peer's certificate. */
  readonly peerName: string | undefined;
  /** Keying material of this connection (RFC 5705), for channel bindings. */
  exportKeyingMaterial(bytes: number, label: string): Uint8Array;
}

/** Certificates and keys: PEM text, PEM or DER bytes. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[];

/** The client's half of TLS. The server's certificate and name are always checked. */
export interface TlsClientOptions {
  /** The name that the server's certificate must have, and that is sent as SNI. Default: the host that was connected to. */
  readonly serverName?: string | undefined;
  /** The authorities to trust, in place of Node's. */
  readonly ca?: Pem | undefined;
  /** A client certificate, and its key. */
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  readonly passphrase?: string | Secret | undefined;
  /** Protocol names to offer by ALPN. */
  readonly alpn?: readonly string[] | undefined;
  /** `TLSv1.2` (default) or `TLSv1.3`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /**
   * SHA-256 of public keys (SPKI), in base64. When given, the server's certificate must have one of them, besides being
   * good in the usual way.
   */
  readonly pins?: readonly string[] | undefined;
  /** For tests alone: takes any certificate, so that anybody in between can read and change everything. */
  readonly dangerouslyAcceptAnyCertificate?: boolean | undefined;
}

/** The server's half of TLS. */
export interface TlsServerOptions {
  readonly cert: Pem;
  readonly key: Pem;
  readonly passphrase?: string | Secret | undefined;
  /** Authorities for client certificates. Given, clients are asked for one, and `requireClientCertificate` demands it. */
  readonly ca?: Pem | undefined;
  readonly requireClientCertificate?: boolean | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Other certificates by the name that the client asks for (SNI). */
  readonly serverNames?: Readonly<Record<string, { readonly cert: Pem; readonly key: Pem }>> | undefined;
}

/** An upgrade of a connection to TLS: which half this side plays, and what its parameters are. */
export type TlsUpgrade =
  | { readonly role: "client"; readonly options: TlsClientOptions }
  | { readonly role: "server"; readonly options: TlsServerOptions };

/**
 * A reliable two-way stream of bytes.
 *
 * - One `read` at a time. It gives 1 or more bytes, or `undefined` at the end. The bytes stay valid: nothing is written
 *   there again.
 * - `write` resolves when the data was taken and there is room for more. Several may be under way: their order is kept.
 * - `end` says that nothing more will be sent; reading goes on. `close` gives everything up at once, and pending calls
 *   reject with a `ClosedError`. Both may be called more than once.
 * - A connection that broke rejects with a `BrokenError` whose `cause` is the reason.
 */
export interface Transport extends AsyncDisposable {
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  /** What TLS agreed upon; `undefined` while the bytes travel in the clear. */
  readonly tls: TlsInfo | undefined;
  /** Bytes that have arrived and have not been read. */
  readonly bufferedBytes: number;
  read(): Promise<Uint8Array | undefined>;
  write(data: Uint8Array): Promise<void>;
  end(): Promise<void>;
  close(): Promise<void>;
  /** Goes on in TLS. Rejects, and the connection is closed, if the handshake fails or bytes wait unread. */
  startTls(upgrade: TlsUpgrade, options?: OpOptions): Promise<TlsInfo>;
  /** Hands the connection to Node's streams. This transport is done for afterwards. */
  toNode(): Duplex;
}

/** Where to connect to. */
export interface ConnectTarget extends Endpoint {
  /** The address to connect from. */
  readonly localAddress?: string | undefined;
}

/** Where to listen. */
export interface ListenTarget {
  /** An address or a name. Default `127.0.0.1`: whoever wants to be reached from elsewhere says so. */
  readonly host?: string | undefined;
  /** 0 lets the system choose. */
  readonly port?: number | undefined;
  /** A Unix socket in place of host and port. */
  readonly path?: string | undefined;
  readonly backlog?: number | undefined;
}

/** An accept loop. */
export interface Listener extends AsyncDisposable {
  readonly address: Endpoint;
  /** Stops accepting. Connections that were accepted go on. */
  close(): Promise<void>;
}

/** A maker of transports: Node's sockets, the system's own, or none at all. */
export interface TransportProvider {
  connect(target: ConnectTarget, options?: OpOptions): Promise<Transport>;
  /** Calls `accept` with each connection. */
  listen(target: ListenTarget, accept: (transport: Transport) => void): Promise<Listener>;
}
