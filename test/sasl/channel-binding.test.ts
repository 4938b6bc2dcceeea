/** -PLUS with the bindings of real TLS connections on the loopback. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { AuthError } from "../../src/core/errors.js";
import {
  type ChannelBinding,
  decodeBase64,
  type SaslLink,
  scramClient,
  scramServer,
} from "../../src/sasl/index.js";
import { type Certificates, makeCertificates } from "../certificates.js";
import { accountsOf, bytes, converse, rejection, text } from "./support.js";

const accounts = accountsOf({ alice: "secret" });
const credentials = { user: "alice", password: "secret" };
let certificates: Certificates;
let server: Server;

before(async () => {
  certificates = await makeCertificates();
  server = createServer({ cert: certificates.cert, key: certificates.key });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

after(() => server.close());

/** RFC 9266 section 4: 32 bytes, this label, an empty context. */
function exporter(socket: TLSSocket): ChannelBinding {
  const data = socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  return { type: "tls-exporter", data: new Uint8Array(data) };
}

/** RFC 5929 section 4.1: a hash of the server's certificate, here the SHA-256 that signed it. */
function endPoint(certificate: Uint8Array): ChannelBinding {
  return { type: "tls-server-end-point", data: createHash("sha256").update(certificate).digest() };
}

interface Ends {
  readonly client: SaslLink;
  readonly server: SaslLink;
  close(): void;
}

/** A TLS connection, and what each end knows of it. */
async function connection(): Promise<Ends> {
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const client = connect({ port, host: "127.0.0.1", ca: certificates.ca, minVersion: "TLSv1.3" });
  const [[peer]] = await Promise.all([accepted, once(client, "secureConnect")]);
  const own = new X509Certificate(certificates.cert).raw;
  return {
    client: {
      encrypted: true,
      channelBinding: [exporter(client), endPoint(client.getPeerCertificate().raw)],
    },
    server: { encrypted: true, channelBinding: [exporter(peer), endPoint(own)] },
    close() {
      client.destroy();
      peer.destroy();
    },
  };
}

function only(link: SaslLink, at: number): SaslLink {
  const bindings = link.channelBinding as readonly ChannelBinding[];
  return { encrypted: true, channelBinding: bindings.slice(at, at + 1) };
}

test("both ends of a connection have the same bindings, and a login binds to them", async () => {
  const ends = await connection();
  for (const name of ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"] as const)
    for (const at of [0, 1]) {
      const client = scramClient(name, credentials, only(ends.client, at));
      const joined = await converse(client, scramServer(name, accounts, ends.server));
      assert.equal(joined.identity?.mechanism, name);
    }
  ends.close();
});

test("a login through somebody in the middle, who has two connections, is refused", async () => {
  const [near, far] = [await connection(), await connection()];
  const client = scramClient("SCRAM-SHA-256-PLUS", credentials, only(near.client, 0));
  const error = await rejection(converse(client, scramServer("SCRAM-SHA-256-PLUS", accounts, far.server)));
  assert.ok(error instanceof AuthError);
  near.close();
  far.close();
});

test("RFC 5802 section 7: what is sent is the header and the binding's bytes, in base64", async () => {
  const link: SaslLink = {
    encrypted: true,
    channelBinding: { type: "tls-exporter", data: new Uint8Array([0, 255, 44]) },
  };
  const client = scramClient("SCRAM-SHA-256-PLUS", { ...credentials, authzid: "a,b" }, link, { nonce: "n" });
  assert.equal(text(await client.start()), "p=tls-exporter,a=a=2Cb,n=alice,r=n");
  const final = text(await client.step(bytes("r=nm,s=AAAA,i=4096"))) ?? "";
  const sent = decodeBase64(/^c=([^,]+)/.exec(final)?.[1] ?? "");
  assert.deepEqual(sent, new Uint8Array([...bytes("p=tls-exporter,a=a=2Cb,"), 0, 255, 44]));
});
