/** A certificate authority that nobody else knows, and a certificate of it for this machine: made anew in every run. */
import { webcrypto } from "node:crypto";
import { createRequire } from "node:module";

/** What is used of @peculiar/x509. Its own types want those of a browser, which a program for Node does not have. */
interface X509 {
  readonly BasicConstraintsExtension: new (ca: boolean, pathLength?: number, critical?: boolean) => object;
  readonly KeyUsagesExtension: new (usages: number, critical?: boolean) => object;
  readonly KeyUsageFlags: { readonly digitalSignature: number; readonly keyCertSign: number };
  readonly ExtendedKeyUsageExtension: new (usages: readonly string[]) => object;
  readonly ExtendedKeyUsage: { readonly serverAuth: string; readonly clientAuth: string };
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
  const authority = await makeAuthority();
  return { ca: authority.ca, ...(await authority.issue()) };
}

/** A certificate and its key, in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. Default: that of a server on this machine, good for a day. */
export interface CertificateOptions {
  readonly commonName?: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** For a client, and not a server. */
  readonly client?: boolean;
  /** Good until an hour ago. */
  readonly expired?: boolean;
}

/** An authority that signs. */
export interface Authority {
  /** Its own certificate, in PEM. */
  readonly ca: string;
  issue(options?: CertificateOptions): Promise<Issued>;
}

/** An authority that nobody else knows. */
export async function makeAuthority(name = "hawser test authority"): Promise<Authority> {
  const x509 = createRequire(import.meta.url)("@peculiar/x509") as X509;
  const keys = await makeKeys();
  let serial = 1;
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...dates(false),
    serialNumber: "01",
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const issue = async (options: CertificateOptions = {}): Promise<Issued> => {
    const leaf = await makeKeys();
    serial += 1;
    const cert = await x509.X509CertificateGenerator.create({
      ...dates(options.expired === true),
      serialNumber: serial.toString(16).padStart(2, "0"),
      subject: `CN=${options.commonName ?? "localhost"}`,
      issuer: ca.subject,
      publicKey: leaf.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: extensionsOf(x509, options),
    });
    return { cert: cert.toString("pem"), key: await keyPem(leaf.privateKey) };
  };
  return { ca: ca.toString("pem"), issue };
}

function dates(expired: boolean): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: new Date(now - 2 * hourMs),
    notAfter: new Date(now + (expired ? -1 : 24) * hourMs),
  };
}

function extensionsOf(x509: X509, options: CertificateOptions): object[] {
  const { dns = ["localhost"], ips = ["127.0.0.1", "::1"], client = false } = options;
  const names = [
    ...dns.map((value) => ({ type: "dns", value })),
    ...ips.map((value) => ({ type: "ip", value })),
  ];
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([client ? clientAuth : serverAuth]),
    ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
  ];
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  const lines = bytes.toString("base64").replace(/.{64}/g, "$&\n");
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}
