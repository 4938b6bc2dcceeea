import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  AF_INET,
  AF_UNIX,
  createConnection,
  createServer,
  SHUT_WR,
  SOCK_DGRAM,
  socket,
} from "../../src/socket/index.js";
import { hawser, portOf, start } from "./hawser.js";

const folder = mkdtempSync(join(tmpdir(), "hawser-nc-"));
after(() => rmSync(folder, { recursive: true }));

const limit = { timeoutMs: 20_000 };
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (data: Uint8Array) => new TextDecoder().decode(data);

/** A port that nobody listens on: one that was free a moment ago. */
async function closedPort(): Promise<string> {
  using s = await createServer(["127.0.0.1", 0]);
  return `${s.getsockname()[1]}`;
}

test("nc sends stdin, half-closes, and prints what comes back", async () => {
  using listener = await createServer(["127.0.0.1", 0]);
  const client = hawser(["nc", "127.0.0.1", `${listener.getsockname()[1]}`], "question");
  const [conn] = await listener.accept(limit);
  let asked = "";
  for (let data = await conn.recv(3, limit); data.length > 0; data = await conn.recv(3, limit))
    asked += decode(data);
  await conn.sendall(encode(`answer to ${asked}`), limit);
  conn.close();
  assert.deepEqual(await client, { code: 0, signal: null, stdout: "answer to question", stderr: "" });
});

test("nc sends all of a long stdin to a server that has finished already", async () => {
  using listener = await createServer(["127.0.0.1", 0]);
  const input = "x".repeat(5_000_000);
  const client = hawser(["nc", "127.0.0.1", `${listener.getsockname()[1]}`], input);
  const [conn] = await listener.accept(limit);
  using _ = conn;
  conn.shutdown(SHUT_WR);
  let received = 0;
  for (let data = await conn.recv(65536, limit); data.length > 0; data = await conn.recv(65536, limit))
    received += data.length;
  assert.equal(received, input.length);
  assert.equal((await client).code, 0);
});

test("nc --listen talks with node:net, byte for byte", async () => {
  const sent = "s".repeat(3_000_000);
  const received = "r".repeat(3_000_000);
  await using server = start(["nc", "--listen", "0"]);
  server.process.stdin.end(sent);
  const client = connect({ port: Number(await portOf(server)), host: "127.0.0.1" });
  client.end(received);
  let got = "";
  for await (const chunk of client.setEncoding("utf8")) got += chunk;
  const { code, stdout } = await server.ended();
  assert.equal(code, 0);
  assert.ok(stdout === received && got === sent);
});

test("nc --listen serves one client; with --keep the next one too", async () => {
  await using server = start(["nc", "-lkv", "127.0.0.1", "0"]);
  const port = await portOf(server);
  for (const name of ["first", "second"]) {
    using s = await createConnection(["127.0.0.1", port], limit);
    await s.sendall(encode(name), limit);
    s.shutdown(SHUT_WR);
    await server.expect(new RegExp(name));
  }
  server.process.kill("SIGINT");
  assert.equal((await server.ended()).code, 130);
});

test("nc --keep gives the next client what was typed after the first had gone", async () => {
  await using server = start(["nc", "-lk", "0"]);
  const port = await portOf(server);
  const first = await createConnection(["127.0.0.1", port], limit);
  server.process.stdin.write("for the first");
  assert.equal(decode(await first.recv(1024, limit)), "for the first");
  first.close();
  using second = await createConnection(["127.0.0.1", port], limit);
  await second.sendall(encode("here I am"), limit);
  await server.expect(/here I am/);
  server.process.stdin.write("for the second");
  assert.equal(decode(await second.recv(1024, limit)), "for the second");
});

test("nc reads no more than stdout takes", async () => {
  using listener = await createServer(["127.0.0.1", 0]);
  await using client = start(["nc", "127.0.0.1", `${listener.getsockname()[1]}`]);
  client.process.stdout.pause();
  const [conn] = await listener.accept(limit);
  using _ = conn;
  // Nobody reads: what the two sockets and the pipe hold is some megabytes.
  const flood = encode("x".repeat(1 << 20));
  let sent = 0;
  await assert.rejects(async () => {
    for (; sent < 200; sent += 1) await conn.sendall(flood, { timeoutMs: 500 });
  }, /timed out/);
  assert.ok(sent < 50, `${sent} MiB went into a client that nobody reads`);
});

test("nc --udp sends and receives datagrams, and ends when it has been idle", async () => {
  using server = socket(AF_INET, SOCK_DGRAM);
  server.bindSync(["127.0.0.1", 0]);
  const client = hawser(["nc", "--udp", "-w", "1", "127.0.0.1", `${server.getsockname()[1]}`], "ping");
  const [data, address] = await server.recvfrom(1500, limit);
  await server.sendto(encode(`pong for ${decode(data)}`), address);
  assert.deepEqual(await client, { code: 0, signal: null, stdout: "pong for ping", stderr: "" });
});

test("nc --udp that gets no answer exits with 28", async () => {
  using server = socket(AF_INET, SOCK_DGRAM);
  server.bindSync(["127.0.0.1", 0]);
  const port = `${server.getsockname()[1]}`;
  assert.equal((await hawser(["nc", "-u", "-w", "0.1", "127.0.0.1", port], "ping")).code, 28);
});

test("nc --udp --listen answers whoever wrote first", async () => {
  await using server = start(["nc", "-ul", "0"]);
  using s = socket(AF_INET, SOCK_DGRAM);
  await s.connect(["127.0.0.1", await portOf(server)]);
  await s.send(encode("anybody there?"));
  await server.expect(/anybody there\?/);
  server.process.stdin.write("yes");
  assert.equal(decode(await s.recv(1500, limit)), "yes");
});

test("nc --unix connects and listens, and leaves no path behind", async () => {
  const path = join(folder, "stream");
  await using server = start(["nc", "-lv", "--unix", path]);
  await server.expect(/listening on/, "stderr");
  server.process.stdin.end("from the server");
  const client = await hawser(["nc", "--unix", path], "from the client");
  assert.equal(client.stdout, "from the server");
  const { code, stdout } = await server.ended();
  assert.equal(code, 0);
  assert.equal(stdout, "from the client");
  assert.ok(!existsSync(path));
});

test("nc --unix --udp gets an answer, for it has a name of its own", async () => {
  const path = join(folder, "datagrams");
  using server = socket(AF_UNIX, SOCK_DGRAM);
  server.bindSync(path);
  const client = hawser(["nc", "-u", "-w", "1", "--unix", path], "ping");
  const [, address] = await server.recvfrom(1500, limit);
  await server.sendto(encode("pong"), address);
  assert.equal((await client).stdout, "pong");
});

test("nc -v and --hex tell on stderr", async () => {
  await using server = start(["echo", "--port", "0"]);
  const { stdout, stderr } = await hawser(
    ["nc", "-v", "--hex", "127.0.0.1", await portOf(server)],
    "hello\n",
  );
  assert.equal(stdout, "hello\n");
  assert.match(stderr, /^\* connected to 127\.0\.0\.1 port \d+\n/);
  assert.match(
    stderr,
    /\n> 00000000 {2}68 65 6c 6c 6f 0a +\|hello\.\|\n< 00000000 {2}68 65 6c 6c 6f 0a +\|hello\.\|\n/,
  );
  assert.match(stderr, /\* sent 6 bytes, received 6 bytes\n$/);
});

test("nc -z prints the ports that are open", async () => {
  using listener = await createServer(["127.0.0.1", 0]);
  const port = listener.getsockname()[1];
  const { code, stdout } = await hawser(["nc", "-z", "127.0.0.1", `${port}`]);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^${port} +\\S+ +open +127\\.0\\.0\\.1 port ${port}\n$`));
  const range = await hawser(["nc", "-z", "--json", "127.0.0.1", `${port - 3}-${port}`]);
  const { ports } = JSON.parse(range.stdout) as { ports: { port: number; open: boolean }[] };
  assert.deepEqual(
    ports.map((found) => found.port),
    [port - 3, port - 2, port - 1, port],
  );
  assert.equal(ports.at(-1)?.open, true);
});

test("nc -z without an open port exits with 7", async () => {
  const { code, stdout, stderr } = await hawser(["nc", "-z", "-v", "127.0.0.1", await closedPort()]);
  assert.equal(code, 7);
  assert.equal(stdout, "");
  assert.match(stderr, /^\* \d+ ECONNREFUSED\nhawser: connect .*\n$/);
});

test("each way to fail has its exit code and one line", async () => {
  const cases: [number, RegExp, string[]][] = [
    [7, /ECONNREFUSED/, ["127.0.0.1", await closedPort()]],
    [7, /ENOENT/, ["--unix", join(folder, "absent")]],
    [6, /EAI_/, ["no-such-host.invalid", "80"]],
    [6, /EAI_SERVICE/, ["-z", "127.0.0.1", "no-such-service"]],
    [2, /65535/, ["127.0.0.1", "65536"]],
  ];
  for (const [code, message, args] of cases) {
    const ended = await hawser(["nc", ...args]);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, message);
    assert.match(ended.stderr, /^hawser: .*\n$/);
  }
});

test("arguments that contradict each other are usage errors", async () => {
  const cases = [
    ...[
      [],
      ["localhost"],
      ["--listen"],
      ["--unix", "path", "localhost"],
      ["-z", "-l", "1"],
      ["-z", "-u", "h", "1"],
    ],
    ...[
      ["--json", "localhost", "1"],
      ["--keep", "localhost", "1"],
      ["-w", "0", "localhost", "1"],
    ],
  ];
  for (const args of cases) assert.equal((await hawser(["nc", ...args])).code, 2, args.join(" "));
});

test("nc -w gives up on a server that says nothing: 28", async () => {
  using listener = await createServer(["127.0.0.1", 0]);
  const port = `${listener.getsockname()[1]}`;
  await using client = start(["nc", "-w", "0.2", "127.0.0.1", port]);
  const { code, stderr } = await client.ended();
  assert.equal(code, 28);
  assert.match(stderr, /^hawser: waiting for data timed out after 200 ms\n$/);
});

test("nc ends by Ctrl-C with 130 and without a word", async () => {
  await using client = start(["nc", "--listen", "0"]);
  await portOf(client);
  client.process.kill("SIGINT");
  const { code, stderr } = await client.ended();
  assert.equal(code, 130);
  assert.match(stderr, /^\* listening on .*\n$/);
});

test("nc is silent when its reader goes away", async () => {
  using listener = await createServer(["127.0.0.1", 0]);
  await using client = start(["nc", "127.0.0.1", `${listener.getsockname()[1]}`]);
  const [conn] = await listener.accept(limit);
  using _ = conn;
  client.process.stdout.destroy();
  await once(client.process.stdout, "close");
  const flood = async () => {
    for (;;) await conn.sendall(encode("x".repeat(65536)), limit);
  };
  await assert.rejects(flood(), /EPIPE|ECONNRESET/);
  const { code, stderr } = await client.ended();
  assert.equal(code, 0);
  assert.equal(stderr, "");
});
