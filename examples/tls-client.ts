/**
 * TLS over a socket of level 1: connected and tuned here, then handed to Node with `toTls`.
 * Run: node dist/examples/tls-client.js [host] [port] [file with the CA's certificate]
 */
import { readFileSync } from "node:fs";
import { createConnection } from "hawser/socket";

const [host = "localhost", port = "443", ca] = process.argv.slice(2);
const s = await createConnection([host, port], { timeoutMs: 10_000 });
s.noDelay = true;
const secure = await s.toTls({ servername: host, ...(ca && { ca: readFileSync(ca) }), timeoutMs: 10_000 });
console.log(secure.getProtocol(), "with", secure.getPeerCertificate().subject.CN);
secure.end(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
for await (const chunk of secure) process.stdout.write(chunk);
