/** A certificate authority that nobody else knows, and a certificate of it for this machine: made anew in every run. */
import { webcrypto } from "node:crypto";
import { createRequire } from "node:module";

/** What is used of @peculiar/x509. Its own types want those of a browser, which a program for Node does not have. */
interface X509 {
  readonly BasicConstraintsExtension: new (ca: boolean, pathLength?: number, critical?: boolean) => object;
  readonly KeyUsagesExtension: new (usages: number, critical?: boolean) => object;
  readonly KeyUsageFlags: { readonly digitalSignature: number; readonly keyCertSign: number };
  readonly ExtendedKeyUsageExtension: new (usages: readonly string[]) => object;
  readonly ExtendedKeyUsage: { readonly serverAuth: string };
  readonly SubjectAlternativeNameExtension: new (names: readonly { type: string; value: string }[]) => object;
  readonly X509CertificateGenerator: {
    createSelfSigned(options: object): Promise<X509Certificate>;
    create(options: object): Promise<X509Certificate>;
  };
}

interface X509Certificate {
  readonly subject: string;
  toString(format: "pem"): string;
}

/** All in PEM, as `node:tls` takes it. */
export interface Certificates {
  /** The certificate of the authority: what a client trusts. */
  readonly ca: string;
  /** The certificate for localhost, 127.0.0.1 and ::1, and its key: what a server shows. */
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const hourMs = 3_600_000;

export async function makeCertificates(): Promise<Certificates> {
  const x509 = createRequire(import.meta.url)("@peculiar/x509") as X509;
  const dates = { notBefore: new Date(Date.now() - hourMs), notAfter: new Date(Date.now() + 24 * hourMs) };
  const authority = await makeKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...dates,
    serialNumber: "01",
    name: "CN=hawser test authority",
    keys: authority,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const leaf = await makeKeys();
  const cert = await x509.X509CertificateGenerator.create({
    ...dates,
    serialNumber: "02",
    subject: "CN=localhost",
    issuer: ca.subject,
    publicKey: leaf.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
    ],
  });
  return { ca: ca.toString("pem"), cert: cert.toString("pem"), key: await keyPem(leaf.privateKey) };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  const lines = bytes.toString("base64").replace(/.{64}/g, "$&\n");
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}
