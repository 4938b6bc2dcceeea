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
  /** The name that the client asked for (SNI); `undefined` where it was an address. */
  readonly serverName: string | undefined;
  /** The peer's certificate in DER; `undefined` where it sent none. */
  readonly peerCertificate: Uint8Array | undefined;
  /** This side's own certificate in DER, on servers. */
  readonly localCertificate: Uint8Array | undefined;
  /** The subject's common name of the peer's certificate. */
  readonly peerName: string | undefined;
  /**
   * Keying material of this connection (RFC 5705), for channel bindings.
   *
   * @throws {ClosedError} the connection is closed.
   */
  exportKeyingMaterial(bytes: number, label: string): Uint8Array;
}

/** Certificates and keys: PEM text, PEM or DER bytes. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[];

/**
 * The client's half of TLS. The server's certificate and name are always checked. Node makes no difference between an
 * end that the peer declared (close_notify) and a connection that somebody cut: a protocol must tell by itself whether
 * what it got is whole.
 */
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
   * good in the usual way. With `dangerouslyAcceptAnyCertificate` the pin is all that is asked for.
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
  /** Authorities for client certificates, whatever name the client asks for. Given, clients are asked for one. */
  readonly ca?: Pem | undefined;
  /** Demands a client certificate of one of the authorities in `ca`. Default false. */
  readonly requireClientCertificate?: boolean | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Other certificates by the name that the client asks for (SNI): `mail.example.com`, or `*.example.com`. */
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
 *   The memory belongs to the transport from then on: do not write there again.
 * - `end` says that nothing more will be sent; reading goes on, and another `write` rejects with a `ClosedError`.
 *   `close` gives everything up at once: pending calls reject with a `ClosedError`, and what was not read is gone. Both
 *   may be called more than once, and neither rejects.
 * - A connection that broke rejects with a `BrokenError` whose `cause` is the reason, once what arrived was read.
 */
export interface Transport extends AsyncDisposable {
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  /** What TLS agreed upon; `undefined` while the bytes travel in the clear. */
  readonly tls: TlsInfo | undefined;
  /** Bytes that have arrived and have not been read. */
  readonly bufferedBytes: number;
  /** The next bytes: 1 or more, or `undefined` at the end. One read at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Sends bytes; resolves when they were taken and there is room for more. */
  write(data: Uint8Array): Promise<void>;
  /** Says that nothing more will be sent, behind what was written. Reading goes on. */
  end(): Promise<void>;
  /** Gives the connection up at once. Pending calls reject with a `ClosedError`. */
  close(): Promise<void>;
  /**
   * Goes on in TLS. Rejects, and the connection is closed, if the handshake fails or bytes wait unread.
   *
   * @throws {BusyError} a read is under way, or the connection is in TLS already. It goes on as before.
   * @throws {LocalProtocolError} the options make no sense. The connection goes on as before.
   */
  startTls(upgrade: TlsUpgrade, options?: OpOptions): Promise<TlsInfo>;
  /**
   * Hands the connection to Node's streams, with the bytes that wait unread. Of this transport only `close` is left,
   * which destroys the stream.
   *
   * @throws {BusyError} a read is under way.
   * @throws {ClosedError} the connection was closed.
   */
  toNode(): Duplex;
  /** Sends a file without its bytes passing through this process; resolves with their number. Where the system can. */
  readonly sendFile?:
    | ((file: SendableFile, options?: SendFileRange & OpOptions) => Promise<number>)
    | undefined;
}

/** A file to send: a descriptor, or what `fs.promises.open` gives. */
export type SendableFile = number | { readonly fd: number };

/** Which part of a file to send. */
export interface SendFileRange {
  /** Where to begin, in bytes. Default 0. */
  readonly offset?: number | undefined;
  /** How many bytes. Default: to the end. */
  readonly count?: number | undefined;
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
  /** A connection. What fails rejects with the `SocketError` itself. */
  connect(target: ConnectTarget, options?: OpOptions): Promise<Transport>;
  /** Calls `accept` with each connection. It must not throw. */
  listen(target: ListenTarget, accept: (transport: Transport) => void): Promise<Listener>;
}
