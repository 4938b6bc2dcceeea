/** What a connection means for a login: whether it is private, and which secrets of TLS a mechanism can bind to. */
import { createHash } from "node:crypto";
import type { ChannelBinding, SaslLink } from "../sasl/index.js";
import type { TlsInfo, Transport } from "../transport/types.js";

/** The link of a client or a server for `hawser/sasl`. A Unix socket does not leave the machine: it counts as encrypted. */
export function saslLink(
  transport: Pick<Transport, "tls" | "remote" | "local">,
  side: "client" | "server",
  options: { readonly allowClearText?: boolean | undefined } = {},
): SaslLink {
  const { tls, remote, local } = transport;
  const own = remote?.path !== undefined || local?.path !== undefined;
  if (tls === undefined) return { encrypted: own, allowClearText: options.allowClearText };
  return {
    encrypted: true,
    allowClearText: options.allowClearText,
    channelBinding: channelBindings(tls, side),
    ...(tls.authorized && tls.peerName !== undefined && { peerCertificateSubject: tls.peerName }),
  };
}

/** RFC 9266 for TLS 1.3, where the exporter is safe without more; RFC 5929 by the server's certificate. */
function channelBindings(tls: TlsInfo, side: "client" | "server"): ChannelBinding[] {
  const bindings: ChannelBinding[] = [];
  if (tls.protocol === "TLSv1.3")
    bindings.push({ type: "tls-exporter", data: tls.exportKeyingMaterial(32, "EXPORTER-Channel-Binding") });
  const certificate = side === "client" ? tls.peerCertificate : tls.localCertificate;
  const hash = certificate === undefined ? undefined : hashOf(certificate);
  if (certificate !== undefined && hash !== undefined)
    bindings.push({ type: "tls-server-end-point", data: createHash(hash).update(certificate).digest() });
  return bindings;
}

/** The object identifiers of signature algorithms in DER, and the hash that RFC 5929 section 4.1 takes for each. */
const signatureHashes: readonly (readonly [oid: string, hash: string])[] = [
  ["2a864886f70d010104", "sha256"], // MD5 with RSA, which SHA-256 replaces
  ["2a864886f70d010105", "sha256"], // SHA-1 with RSA, likewise
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
];

/** The hash of a certificate's signature. The algorithm stands last before the signature; `undefined` where it has none. */
function hashOf(certificate: Uint8Array): string | undefined {
  const der = Buffer.from(certificate);
  const found = signatureHashes
    .map(([oid, hash]) => ({ at: der.lastIndexOf(Buffer.from(oid, "hex")), hash }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => b.at - a.at);
  return found[0]?.hash;
}
