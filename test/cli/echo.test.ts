import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  AF_INET,
  AF_UNIX,
  createConnection,
  SHUT_WR,
  SOCK_DGRAM,
  type Socket,
  socket,
} from "../../src/socket/index.js";
import { hawser, portOf, start } from "./hawser.js";

const folder = mkdtempSync(join(tmpdir(), "hawser-echo-"));
after(() => rmSync(folder, { recursive: true }));

const limit = { timeoutMs: 20_000 };
const bytes = new TextEncoder().encode("hello");

async function roundTrip(s: Socket): Promise<void> {
  await s.sendall(bytes, limit);
  assert.deepEqual(await s.recv(1024, limit), bytes);
}

test("echo serves many clients at once, tells of them, and ends by Ctrl-C", async () => {
  await using server = start(["echo", "--port", "0", "--verbose"]);
  const port = await portOf(server);
  using first = await createConnection(["127.0.0.1", port], limit);
  using second = await createConnection(["127.0.0.1", port], limit);
  for (const s of [first, second, first]) await roundTrip(s);
  first.shutdown(SHUT_WR);
  assert.equal((await first.recv(1024, limit)).length, 0);
  await server.expect(/is done: 10 bytes\n/, "stderr");
  server.process.kill("SIGINT");
  const { code, stdout, stderr } = await server.ended();
  assert.equal(code, 130);
  assert.equal(stdout, "");
  assert.equal(stderr.match(/ connected\n/g)?.length, 2);
  assert.equal((await second.recv(1024, limit)).length, 0);
});

test("echo survives a client that breaks off", async () => {
  await using server = start(["echo", "--port", "0", "-v"]);
  const port = await portOf(server);
  const rude = await createConnection(["127.0.0.1", port], limit);
  rude.lingerSeconds = 0;
  await rude.sendall(bytes, limit);
  rude.close();
  await server.expect(/ECONNRESET|is done/, "stderr");
  using polite = await createConnection(["127.0.0.1", port], limit);
  await roundTrip(polite);
});

test("echo sends datagrams back", async () => {
  await using server = start(["echo", "--udp", "--port", "0"]);
  const port = await portOf(server);
  using s = socket(AF_INET, SOCK_DGRAM);
  await s.connect(["127.0.0.1", port]);
  await roundTrip(s);
});

test("echo listens on a path, and removes it at its end", async () => {
  const path = join(folder, "echo");
  await using server = start(["echo", "--unix", path]);
  await server.expect(/listens on/, "stderr");
  using s = socket(AF_UNIX);
  await s.connect(path, limit);
  await roundTrip(s);
  server.process.kill("SIGTERM");
  assert.equal((await server.ended()).code, 143);
  assert.ok(!existsSync(path));
});

test("echo without a free port says so, with curl's exit code", async () => {
  await using server = start(["echo", "--port", "0"]);
  const { code, stderr } = await hawser(["echo", "--port", await portOf(server)]);
  assert.equal(code, 7);
  assert.match(stderr, /^hawser: bind .*EADDRINUSE.*\n$/);
});
