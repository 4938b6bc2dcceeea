/** TLS: the handshake, what it agreed upon, and the checks that Node leaves to us. */
import { createHash, X509Certificate } from "node:crypto";
import { isIP, Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  TLSSocket,
} from "node:tls";
import { domainToASCII } from "node:url";
import { type OpOptions, withDeadline } from "../core/deadline.js";
import { BrokenError, ClosedError, LocalProtocolError } from "../core/errors.js";
import { reveal } from "../core/secret.js";
import { checkedHost } from "./check-target.js";
import { describeEndpoint } from "./network-error.js";
import type { Endpoint, Pem, TlsClientOptions, TlsInfo, TlsServerOptions, TlsUpgrade } from "./types.js";

/** What a handshake leaves behind. */
export interface Secured {
  /** The stream of the bytes in the clear, paused. */
  readonly socket: TLSSocket;
  readonly info: TlsInfo;
}

/** A handshake over a stream, which is destroyed when it fails. */
type Handshake = (plain: Duplex, options: OpOptions) => Promise<Secured>;

/**
 * Checks the options of an upgrade before anything is done to the connection, and gives the handshake.
 *
 * @throws {LocalProtocolError} the name is missing, or a certificate or key is not to be read.
 */
export function prepareTls(upgrade: TlsUpgrade, remote: Endpoint | undefined): Handshake {
  const where = remote === undefined ? "" : ` with ${describeEndpoint(remote)}`;
  const begin =
    upgrade.role === "client" ? clientSide(upgrade.options, remote?.host) : serverSide(upgrade.options);
  return async (plain, options) => {
    try {
      return await withDeadline("the TLS handshake", options, async () => {
        await sent(plain);
        return await begin(plain, where);
      });
    } catch (error) {
      plain.destroy();
      throw error;
    }
  };
}

/** What was written must leave before the handshake does, which goes past the stream's queue. */
function sent(plain: Duplex): Promise<void> {
  if (!(plain instanceof Socket) || plain.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => plain.write(new Uint8Array(0), () => resolve()));
}

type Begin = (plain: Duplex, where: string) => Promise<Secured>;

/** RFC 9525: the certificate is checked against the name that was asked for, and against no other. */
function clientSide(options: TlsClientOptions, host: string | undefined): Begin {
  const anyCertificate = options.dangerouslyAcceptAnyCertificate === true;
  const name = referenceName(options.serverName ?? host);
  if (name === undefined && !anyCertificate) {
    throw new LocalProtocolError("TLS needs the server's name to check its certificate: give serverName");
  }
  const secureContext = secureContextOf(options);
  return async (plain, where) => {
    const socket = connect({
      socket: plain,
      secureContext,
      rejectUnauthorized: !anyCertificate,
      checkServerIdentity: (_host, certificate) => identityError(name ?? "", certificate),
      // RFC 6066 section 3: an address is no server name.
      ...(name !== undefined && isIP(name) === 0 && { servername: name }),
      ...(options.alpn !== undefined && { ALPNProtocols: [...options.alpn] }),
    });
    return await handshake(socket, "secureConnect", where, () => pinError(socket, options.pins));
  };
}

/** Node 22.23 compares IPv6 addresses as text and finds its own short form nowhere: OpenSSL compares the bytes. */
function identityError(name: string, certificate: PeerCertificate): Error | undefined {
  const error = checkServerIdentity(name, certificate);
  if (error === undefined || isIP(name) !== 6) return error;
  return new X509Certificate(certificate.raw).checkIP(name) === undefined ? error : undefined;
}

/** A name as it stands in certificates: A-labels, and no dot at the end (RFC 6066 section 3). */
function referenceName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const bare = checkedHost(name, "the server's name").replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 0) return bare;
  const ascii = domainToASCII(bare.replace(/\.$/, ""));
  if (ascii === "") throw new LocalProtocolError("the server's name is no domain name");
  return ascii;
}

function pinError(socket: TLSSocket, pins: readonly string[] | undefined): Error | undefined {
  if (pins === undefined) return undefined;
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) return new Error("the server showed no certificate");
  const key = new X509Certificate(raw).publicKey.export({ type: "spki", format: "der" });
  const pin = createHash("sha256").update(key).digest("base64");
  return pins.includes(pin) ? undefined : new Error(`the server's key is none of those pinned: ${pin}`);
}

function serverSide(options: TlsServerOptions): Begin {
  if (options.requireClientCertificate === true && options.ca === undefined) {
    throw new LocalProtocolError(
      "requireClientCertificate needs ca: the authorities whose certificates count",
    );
  }
  const secureContext = serverContextOf(options, options);
  const names = contextsByName(options);
  return async (plain, where) => {
    const socket = new TLSSocket(plain, {
      isServer: true,
      secureContext,
      requestCert: options.ca !== undefined,
      rejectUnauthorized: options.requireClientCertificate === true,
      ...(options.alpn !== undefined && { ALPNProtocols: [...options.alpn] }),
      ...(names.size > 0 && {
        SNICallback: (name, done) => done(null, forName(names, name) ?? secureContext),
      }),
    });
    return await handshake(socket, "secure", where, () => clientCertificateError(socket, options));
  };
}

function contextsByName(options: TlsServerOptions): ReadonlyMap<string, SecureContext> {
  const entries = Object.entries(options.serverNames ?? {});
  return new Map(entries.map(([name, own]) => [name.toLowerCase(), serverContextOf(own, options)]));
}

/** RFC 6066 section 3: names are compared without regard to case. A `*` stands for one label. */
function forName(names: ReadonlyMap<string, SecureContext>, name: string): SecureContext | undefined {
  const lower = name.toLowerCase();
  return names.get(lower) ?? names.get(lower.replace(/^[^.]+/, "*"));
}

/** One context for all connections of a server: it holds the keys of the session tickets. */
const contexts: WeakMap<object, WeakMap<object, SecureContext>> = new WeakMap();

/** The context of a certificate. Whom it trusts and how old TLS may be is the server's affair, whatever the name. */
function serverContextOf(own: Credentials, server: TlsServerOptions): SecureContext {
  const ofServer = contexts.get(server) ?? new WeakMap<object, SecureContext>();
  contexts.set(server, ofServer);
  const known = ofServer.get(own);
  if (known !== undefined) return known;
  const { cert, key, passphrase } = own;
  const context = secureContextOf({ cert, key, passphrase, ca: server.ca, minVersion: server.minVersion });
  ofServer.set(own, context);
  return context;
}

/** Without it a client with a certificate could not resume its session. */
const sessionIdContext = "hawser";

function secureContextOf(options: Credentials & Pick<TlsClientOptions, "minVersion">): SecureContext {
  const { cert, key, ca, passphrase, minVersion = "TLSv1.2" } = options;
  try {
    return createSecureContext({
      ...(cert !== undefined && { cert: asBuffers(cert) }),
      ...(key !== undefined && { key: asBuffers(key) }),
      ...(ca !== undefined && { ca: asBuffers(ca) }),
      ...(passphrase !== undefined && { passphrase: reveal(passphrase) }),
      minVersion,
      sessionIdContext,
    });
  } catch (cause) {
    throw new LocalProtocolError(`a certificate or key cannot be used: ${(cause as Error).message}`, {
      cause,
    });
  }
}

interface Credentials {
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  readonly ca?: Pem | undefined;
  readonly passphrase?: TlsClientOptions["passphrase"];
}

function asBuffers(pem: Pem): (string | Buffer)[] {
  const parts = typeof pem === "string" || pem instanceof Uint8Array ? [pem] : pem;
  return parts.map((part) => (typeof part === "string" ? part : Buffer.from(part)));
}

/** Node enforces this itself only for connections that a `tls.Server` accepted. */
function clientCertificateError(socket: TLSSocket, options: TlsServerOptions): Error | undefined {
  if (options.ca === undefined) return undefined;
  socket.authorized = verifyError(socket) === null;
  if (socket.authorized || options.requireClientCertificate !== true) return undefined;
  return new Error("the client's certificate is missing or not good");
}

/** Whatever is not `null` is a refusal. */
function verifyError(socket: TLSSocket): unknown {
  const { _handle: handle } = socket as { _handle?: { verifyError?(): unknown } };
  return handle?.verifyError === undefined ? "no answer" : handle.verifyError();
}

/** Resolves once the handshake is done and `check` finds nothing wrong with the peer. */
function handshake(
  socket: TLSSocket,
  event: string,
  where: string,
  check: () => Error | undefined,
): Promise<Secured> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      reject(new BrokenError(`the TLS handshake${where} failed: ${error.message}`, { cause: error }));
    };
    const onClose = () => fail(new Error("the peer ended the connection"));
    socket.once("error", fail).once("close", onClose).once("end", onClose);
    // No error may be without a listener, not even until the next one is attached.
    socket.on("error", () => {});
    socket.once(event, () => {
      socket.off("error", fail).off("close", onClose).off("end", onClose);
      socket.pause();
      try {
        const error = check();
        if (error === undefined) resolve({ socket, info: tlsInfo(socket) });
        else fail(error);
      } catch (error) {
        fail(error as Error);
      }
    });
  });
}

/** What a finished handshake agreed upon. To be asked at once: a connection that is gone has no answers. */
function tlsInfo(socket: TLSSocket): TlsInfo {
  const peer = socket.getPeerX509Certificate();
  const own = socket.getX509Certificate();
  const { servername, alpnProtocol } = socket as { servername?: unknown; alpnProtocol?: unknown };
  return {
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    alpn: typeof alpnProtocol === "string" ? alpnProtocol : undefined,
    authorized: socket.authorized,
    serverName: typeof servername === "string" && servername !== "" ? servername : undefined,
    peerCertificate: peer === undefined ? undefined : new Uint8Array(peer.raw),
    localCertificate: own === undefined ? undefined : new Uint8Array(own.raw),
    peerName: peer === undefined ? undefined : commonNameOf(peer.subject),
    exportKeyingMaterial: (bytes, label) => exported(socket, bytes, label),
  };
}

function exported(socket: TLSSocket, bytes: number, label: string): Uint8Array {
  if (socket.destroyed) throw new ClosedError("the connection is over, and with it its keys");
  return new Uint8Array(socket.exportKeyingMaterial(bytes, label, Buffer.alloc(0)));
}

function commonNameOf(subject: string | undefined): string | undefined {
  return /^CN=(.+)$/m.exec(subject ?? "")?.[1];
}
