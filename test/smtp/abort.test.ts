/** Giving up in every state: the call rejects at once, and nothing is left that the event loop would wait for. */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AF_INET, Socket as BsdSocket, SOCK_STREAM } from "../../src/socket/index.js";
import { makeCertificates } from "../certificates.js";
import { run } from "../child.js";
import { DnsServer } from "../transport/dns-server.js";

const program = fileURLToPath(new URL("children/abort.js", import.meta.url));

const answers: Readonly<Record<string, string>> = {
  ehlo: "250-x\r\n250-STARTTLS\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n",
  data: "354 go\r\n",
  quit: "221 bye\r\n",
  starttls: "220 go\r\n",
};

/** Answers commands until the stage comes that stands in the client's name, and then no more. */
function stall(socket: Socket): void {
  let stage = "";
  socket.on("error", () => {});
  socket.write("220 x\r\n");
  socket.on("data", (data) => {
    const [verb = ""] = data.toString("latin1").toLowerCase().split(/[ \r]/, 1);
    stage ||= /^ehlo (\w+)\.test/i.exec(data.toString("latin1"))?.[1] ?? "";
    if (stage === "body" && verb === "data") {
      // Nothing of the message is read.
      socket.pause();
      socket.write(answers["data"] ?? "");
    } else if (verb === stage || verb.startsWith("x") || data[0] === 0x16) {
      if (verb === "bdat") socket.pause();
    } else socket.write(answers[verb] ?? "250 ok\r\n");
  });
}

async function listening(accept: (socket: Socket) => void): Promise<[number, Server]> {
  const server = createServer(accept);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return [(server.address() as { port: number }).port, server];
}

test("an abort at DNS, connect, TLS, and at every command leaves no handle", {
  timeout: 60_000,
}, async () => {
  const { ca } = await makeCertificates();
  const sockets = new Set<Socket>();
  const kept = (socket: Socket): Socket => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    return socket;
  };
  const [silent, silentServer] = await listening((socket) =>
    kept(socket)
      .on("error", () => {})
      .resume(),
  );
  const [staged, stagedServer] = await listening((socket) => stall(kept(socket)));
  await using dns = await DnsServer.listen({ "silent.test": { silent: true } });
  // A backlog that is full: whoever connects now is not answered.
  using full = new BsdSocket(AF_INET, SOCK_STREAM);
  await full.bind(["127.0.0.1", 0]);
  full.listen(0);
  const address = full.getsockname() as [string, number];
  using first = new BsdSocket(AF_INET, SOCK_STREAM);
  await first.connect(address);
  const places = { silent, staged, full: address[1], dns: dns.address, ca };
  const { code, stdout, stderr } = await run([program, JSON.stringify(places)]);
  for (const socket of sockets) socket.destroy();
  for (const server of [silentServer, stagedServer]) server.close();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /nothing is left\n$/);
  // Ten times what is asked for: this machine may have other things to do.
  for (const [, ms] of stdout.matchAll(/: ([\d.]+) ms/g)) assert.ok(Number(ms) < 500, stdout);
});
