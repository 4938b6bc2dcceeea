/** TLS: the handshake, what it agreed upon, and the checks that Node leaves to us. */
import { createHash, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  TLSSocket,
  type TLSSocketOptions,
} from "node:tls";
import { type OpOptions, withDeadline } from "../core/deadline.js";
import { BrokenError, LocalProtocolError } from "../core/errors.js";
import { reveal } from "../core/secret.js";
import { describeEndpoint } from "./network-error.js";
import type { Endpoint, Pem, TlsClientOptions, TlsInfo, TlsServerOptions, TlsUpgrade } from "./types.js";

/** Runs a handshake over a stream. The caller destroys the stream when it fails. */
export async function upgradeDuplex(
  plain: Duplex,
  upgrade: TlsUpgrade,
  options: OpOptions,
  remote: Endpoint | undefined,
): Promise<TLSSocket> {
  return await withDeadline("the TLS handshake", options, () => {
    const name = remote === undefined ? undefined : describeEndpoint(remote);
    return upgrade.role === "client"
      ? clientHandshake(connect({ ...clientOptions(upgrade.options, remote?.host), socket: plain }), name)
      : serverHandshake(new TLSSocket(plain, serverOptions(upgrade.options)), upgrade.options, name);
  });
}

/** Node's options for a client. */
function clientOptions(options: TlsClientOptions, host: string | undefined): ConnectionOptions {
  const name = options.serverName ?? host;
  if (name === undefined && options.dangerouslyAcceptAnyCertificate !== true) {
    throw new LocalProtocolError("TLS needs the server's name to check its certificate: give serverName");
  }
  return {
    ...credentials(options),
    ...(name !== undefined && isIP(name) === 0 && { servername: name }),
    ...(options.alpn !== undefined && { ALPNProtocols: [...options.alpn] }),
    minVersion: options.minVersion ?? "TLSv1.2",
    rejectUnauthorized: options.dangerouslyAcceptAnyCertificate !== true,
    checkServerIdentity: (_host, certificate) => identityError(name ?? "", certificate, options.pins),
  };
}

function identityError(
  name: string,
  certificate: PeerCertificate,
  pins: readonly string[] | undefined,
): Error | undefined {
  const error = checkServerIdentity(name, certificate);
  if (error !== undefined || pins === undefined) return error;
  const pin = createHash("sha256").update(spkiOf(certificate)).digest("base64");
  return pins.includes(pin) ? undefined : new Error(`the key of ${name} is none of those pinned: ${pin}`);
}

function spkiOf(certificate: PeerCertificate): Uint8Array {
  return new X509Certificate(certificate.raw).publicKey.export({ type: "spki", format: "der" });
}

/** Node's options for a server. */
function serverOptions(options: TlsServerOptions): TLSSocketOptions {
  const names = options.serverNames;
  return {
    isServer: true,
    secureContext: secureContextOf(options),
    requestCert: options.ca !== undefined,
    rejectUnauthorized: options.requireClientCertificate === true,
    ...(options.alpn !== undefined && { ALPNProtocols: [...options.alpn] }),
    ...(names !== undefined && {
      SNICallback: (name, done) => {
        const own = Object.hasOwn(names, name) ? names[name] : undefined;
        done(null, secureContextOf(own ?? options));
      },
    }),
  };
}

/** One context for all connections of a server: it holds the keys of the session tickets. */
const contexts: WeakMap<object, SecureContext> = new WeakMap();

function secureContextOf(
  options: Credentials & { minVersion?: TlsServerOptions["minVersion"] },
): SecureContext {
  const known = contexts.get(options);
  if (known !== undefined) return known;
  const context = createSecureContext({
    ...credentials(options),
    minVersion: options.minVersion ?? "TLSv1.2",
  });
  contexts.set(options, context);
  return context;
}

interface Credentials {
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  readonly ca?: Pem | undefined;
  readonly passphrase?: TlsClientOptions["passphrase"];
}

function credentials({ cert, key, ca, passphrase }: Credentials): Record<string, unknown> {
  return {
    ...(cert !== undefined && { cert: asBuffers(cert) }),
    ...(key !== undefined && { key: asBuffers(key) }),
    ...(ca !== undefined && { ca: asBuffers(ca) }),
    ...(passphrase !== undefined && { passphrase: reveal(passphrase) }),
  };
}

function asBuffers(pem: Pem): (string | Buffer)[] {
  const parts = typeof pem === "string" || pem instanceof Uint8Array ? [pem] : pem;
  return parts.map((part) => (typeof part === "string" ? part : Buffer.from(part)));
}

/** Resolves once the server's certificate was found good. */
function clientHandshake(socket: TLSSocket, name: string | undefined): Promise<TLSSocket> {
  return handshake(socket, "secureConnect", name);
}

/** Resolves once the client has finished its half. */
async function serverHandshake(
  socket: TLSSocket,
  options: TlsServerOptions,
  name: string | undefined,
): Promise<TLSSocket> {
  await handshake(socket, "secure", name);
  if (options.ca === undefined) return socket;
  socket.authorized = clientCertificateError(socket) === null;
  if (socket.authorized || options.requireClientCertificate !== true) return socket;
  socket.destroy();
  throw tlsError(new Error("the client's certificate is missing or not good"), name);
}

/** Node asks this itself only for connections that a `tls.Server` accepted. Whatever is not `null` is a refusal. */
function clientCertificateError(socket: TLSSocket): unknown {
  const { _handle: handle } = socket as { _handle?: { verifyError?(): unknown } };
  return handle?.verifyError === undefined ? "no answer" : handle.verifyError();
}

function handshake(socket: TLSSocket, event: string, name: string | undefined): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      reject(tlsError(error, name));
    };
    const onClose = () => fail(new Error("the peer ended the connection"));
    socket.once(event, () => {
      socket.off("error", fail).off("close", onClose).off("end", onClose);
      // No error may be without a listener, not even until the next one is attached.
      socket.on("error", () => {});
      socket.pause();
      resolve(socket);
    });
    socket.once("error", fail).once("close", onClose).once("end", onClose);
  });
}

function tlsError(error: Error, name: string | undefined): BrokenError {
  const where = name === undefined ? "" : ` with ${name}`;
  return new BrokenError(`the TLS handshake${where} failed: ${error.message}`, { cause: error });
}

/** What a finished handshake agreed upon. */
export function tlsInfo(socket: TLSSocket, upgrade: TlsUpgrade): TlsInfo {
  const peer = socket.getPeerX509Certificate();
  const serverName = upgrade.role === "client" ? upgrade.options.serverName : socket.servername;
  return {
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().standardName,
    alpn: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
    authorized: socket.authorized,
    serverName: typeof serverName === "string" ? serverName : undefined,
    peerCertificate: peer === undefined ? undefined : new Uint8Array(peer.raw),
    localCertificate: rawCertificate(socket),
    peerName: peer === undefined ? undefined : commonNameOf(peer.subject),
    exportKeyingMaterial: (bytes, label) =>
      new Uint8Array(socket.exportKeyingMaterial(bytes, label, Buffer.alloc(0))),
  };
}

function rawCertificate(socket: TLSSocket): Uint8Array | undefined {
  const own = socket.getX509Certificate();
  return own === undefined ? undefined : new Uint8Array(own.raw);
}

function commonNameOf(subject: string | undefined): string | undefined {
  return /^CN=(.+)$/m.exec(subject ?? "")?.[1];
}
