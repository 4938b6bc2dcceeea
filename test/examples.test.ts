/** Every program of examples/, run as a user runs it: as a process of its own, on loopback. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { AF_UNIX, SOCK_DGRAM, socket } from "../src/socket/index.js";
import { makeCertificates } from "./certificates.js";
import { Child, type Ended, root, run } from "./child.js";
import { countLines } from "./example-lines.js";

const message = "This is the message. It will be repeated.";
const pieces = ["This is the mess", "age. It will be ", "repeated."];
const folder = mkdtempSync(join(tmpdir(), "hawser-examples-"));
after(() => rmSync(folder, { recursive: true }));

const covered = new Set<string>();

/** The compiled program, noted as covered. */
function program(name: string): string {
  covered.add(`${name}.ts`);
  return join(root, "dist/examples", `${name}.js`);
}

async function succeeds(name: string, ...args: string[]): Promise<Ended> {
  const ended = await run([program(name), ...args]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.stderr, "");
  return ended;
}

/** Starts a server on a free port and gives the port it printed. */
async function serve(name: string, ...args: string[]): Promise<[server: Child, port: string]> {
  const server = new Child([program(name), ...args]);
  const [, port = ""] = await server.expect(/ (\d+)\n/);
  return [server, port];
}

/** Each server with each client: the promise form and the Sync form speak the same protocol. */
function pairs(server: string, client: string): [string, string][] {
  return ["", "-sync"].flatMap((serverForm) =>
    ["", "-sync"].map((clientForm): [string, string] => [server + serverForm, client + clientForm]),
  );
}

for (const [serverName, clientName] of pairs("simple-server", "simple-client")) {
  test(`${serverName} thanks ${clientName}`, async () => {
    const [server, port] = await serve(serverName, "localhost", "0");
    await using _ = server;
    assert.equal((await succeeds(clientName, "localhost", port)).stdout, "Thank you for connecting\n");
    assert.equal((await succeeds(clientName, "localhost", port)).stdout, "Thank you for connecting\n");
    await server.expect(/(Got connection from \[ '127\.0\.0\.1', \d+ \]\n){2}/);
  });
}

const echoed = pieces.map((piece) => `received "${piece}"\n`).join("");

for (const [serverName, clientName] of pairs("echo-server", "echo-client")) {
  test(`${serverName} repeats what ${clientName} says, 16 bytes at a time`, async () => {
    const [server, port] = await serve(serverName, "localhost", "0");
    await using _ = server;
    assert.equal((await succeeds(clientName, "localhost", port)).stdout, echoed);
    await server.expect(/connection from .*\nno more data from .*\n/);
  });
}

for (const [serverName, clientName] of pairs("udp-echo-server", "udp-echo-client")) {
  test(`${serverName} repeats the datagram of ${clientName}`, async () => {
    const [server, port] = await serve(serverName, "localhost", "0");
    await using _ = server;
    const { stdout } = await succeeds(clientName, "localhost", port);
    assert.equal(stdout, `received "${message}" from [ '127.0.0.1', ${port} ]\n`);
    await server.expect(/received 41 bytes from/);
  });
}

for (const [serverName, clientName] of pairs("unix-echo-server", "unix-echo-client")) {
  test(`${serverName} repeats what ${clientName} says over a path`, async () => {
    const path = join(folder, `${serverName}-${clientName}`);
    await using server = new Child([program(serverName), path]);
    await server.expect(/starting up on .*\n/);
    assert.equal((await succeeds(clientName, path)).stdout, echoed);
    await server.expect(/connection from process \d+/);
  });
}

for (const name of ["lookup", "lookup-sync"]) {
  test(`${name} prints names and numbers`, async () => {
    const { stdout } = await succeeds(name, "localhost");
    assert.match(stdout, /^this machine is \S+\n127\.0\.0\.1 is \S+/);
    assert.match(stdout, /http 80\nftp 21\nimap 143\npop3 110\nsmtp 25\n/);
    assert.match(stdout, /localhost is 127\.0\.0\.1 80\n/);
  });

  test(`${name} says in one line that a name is unknown`, async () => {
    const { code, stderr } = await run([program(name), "no-such-host.invalid"]);
    assert.equal(code, 1);
    assert.match(stderr, /^getaddrinfo 'no-such-host\.invalid'.*\(EAI_\w+\)\n$/);
  });
}

test("syslog writes a line to the log's socket", async () => {
  const path = join(folder, "log");
  using log = socket(AF_UNIX, SOCK_DGRAM);
  log.bindSync(path);
  await succeeds("syslog", path, "all is well");
  const line = new TextDecoder().decode(log.recvSync(1024, { timeoutMs: 0 }));
  assert.match(line, /^<14>hawser\[\d+\]: all is well$/);
});

test("syslog says in one line that there is no log", async () => {
  const { code, stderr } = await run([program("syslog"), join(folder, "absent")]);
  assert.equal(code, 1);
  assert.match(stderr, /^sendto .*\(ENOENT\).*\n$/);
});

for (const name of [join(folder, "notify"), `@hawser-examples-${process.pid}`]) {
  test(`sd-notify reports to ${name.startsWith("@") ? "an abstract name" : "a path"}`, async () => {
    using manager = socket(AF_UNIX, SOCK_DGRAM);
    manager.bindSync(name.replace("@", "\0"));
    const { code } = await run([program("sd-notify")], "", { env: { NOTIFY_SOCKET: name } });
    assert.equal(code, 0);
    assert.equal(new TextDecoder().decode(manager.recvSync(1024, { timeoutMs: 0 })), "READY=1");
  });
}

test("sd-notify without a service manager says so", async () => {
  const { stdout } = await run([program("sd-notify")], "", { env: { NOTIFY_SOCKET: undefined } });
  assert.match(stdout, /NOTIFY_SOCKET is not set/);
});

test("multicast hears itself", async () => {
  assert.match((await succeeds("multicast")).stdout, /^239\.255\.77\.77 heard "hello, group" from/);
});

test("answer-from answers from the address that was asked", async () => {
  const { stdout } = await succeeds("answer-from", "127.0.0.42");
  assert.match(stdout, /^asked 127\.0\.0\.42 with ttl \d+ and was answered by 127\.0\.0\.42\n$/);
});

test("pass-descriptor reads a file through a socket", async () => {
  const path = join(root, "package.json");
  const { stdout } = await succeeds("pass-descriptor", path);
  assert.equal(stdout, `received "a file for you", 1 descriptor\n${readFileSync(path, "utf8")}\n`);
});

test("tls-client verifies the certificate and gets its answer", async () => {
  const certificates = await makeCertificates();
  const server = createTlsServer({ key: certificates.key, cert: certificates.cert }, (c) => {
    c.once("data", (request) => c.end(`you asked ${String(request).split("\r\n")[0]}\n`));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as { port: number };
  try {
    const ca = join(folder, "ca.pem");
    writeFileSync(ca, certificates.ca);
    const { stdout } = await succeeds("tls-client", "localhost", `${port}`, ca);
    assert.equal(stdout, "TLSv1.3 with localhost\nyou asked GET / HTTP/1.0\n");
    const strange = await run([program("tls-client"), "localhost", `${port}`]);
    assert.equal(strange.code, 1);
    assert.match(strange.stderr, /UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  } finally {
    server.close();
  }
});

test("mail-server shows what send-mail sends, and takes mail for nobody else", async () => {
  await using server = new Child([program("mail-server"), "0"]);
  const [, port = ""] = await server.expect(/ port (\d+)\n/);
  const refused = await run([program("send-mail"), "localhost", port, "carol@example.test"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /550 5\.1\.1/);
  const { stdout } = await succeeds("send-mail", "localhost", port, "alice@example.test");
  assert.equal(stdout, "alice@example.test (250)\n");
  await server.expect(/^bob@example\.test: Grüße: Hello, Alice\.\n/m);
});

test("sendfile-server sends the file", async () => {
  const path = join(root, "package.json");
  const [server, port] = await serve("sendfile-server", "localhost", "0", path);
  await using _ = server;
  using s = socket();
  await s.connect(["localhost", port]);
  let received = "";
  for (let data = await s.recv(65536); data.length > 0; data = await s.recv(65536))
    received += new TextDecoder().decode(data);
  assert.equal(received, readFileSync(path, "utf8"));
  await server.expect(new RegExp(`sent ${received.length} bytes to`));
});

test("ping is answered, or says what it lacks", async () => {
  const { code, stdout, stderr } = await run([program("ping"), "127.0.0.1"]);
  if (code === 0) assert.match(stdout, /^127\.0\.0\.1 answered after [\d.]+ ms\n$/);
  else assert.match(stderr, /^socket: .*CAP_NET_RAW\n$/);
});

/** Two ways to open a socket and the anatomy of an ICMP packet do not go into twelve lines. */
const longer: Readonly<Record<string, number>> = { "ping.ts": 30 };

test("every example is run here, and none has more than 12 lines", () => {
  // examples/dict is a protocol of several files; test/dict runs it.
  const files = readdirSync(join(root, "examples"))
    .filter((name) => name.endsWith(".ts"))
    .sort();
  assert.deepEqual([...covered].sort(), files);
  for (const file of files) {
    const lines = countLines(readFileSync(join(root, "examples", file), "utf8"));
    assert.ok(lines <= (longer[file] ?? 12), `${file} has ${lines} lines`);
  }
});
