/** What SMTP goes over: TLS and those who meddle with it, Unix sockets, PROXY headers, and large messages. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BrokenError, HawserError, RemoteProtocolError, UnsupportedError } from "../../src/core/errors.js";
import { SmtpClient } from "../../src/smtp/client.js";
import { Collector } from "../../src/smtp/memory.js";
import { SmtpServer } from "../../src/smtp/server.js";
import type { SmtpHandler } from "../../src/smtp/types-server.js";
import { memoryPair } from "../../src/transport/memory.js";
import { nodeProvider } from "../../src/transport/node.js";
import type { Transport } from "../../src/transport/types.js";
import { makeCertificates } from "../certificates.js";
import { envelope, message, over } from "./client-support.js";
import { accounts, Host, Talk } from "./server-support.js";

const { ca, cert, key } = await makeCertificates();
const tlsOptions = { ca };
const auth = { user: "alice", password: "wonderland" };

for (const mode of ["implicit", "starttls"] as const) {
  test(`TLS ${mode} over TCP, with SCRAM bound to it`, async () => {
    const mail = new Collector(accounts());
    await using server = await SmtpServer.listen({ port: 0, handler: mail, tls: { mode, cert, key } });
    const { host, port } = server.address;
    await using client = await SmtpClient.connect({ host, port, tls: mode, tlsOptions, auth, proxy: false });
    assert.match(client.tls?.protocol ?? "", /^TLSv1\.[23]$/);
    await client.send(envelope, message);
    assert.deepEqual([mail.messages[0]?.protocol, mail.messages[0]?.user], ["ESMTPSA", "alice"]);
  });

  test(`TLS ${mode}: a certificate of nobody's, and one for another name`, async () => {
    const mail = new Collector(accounts());
    await using server = await SmtpServer.listen({ port: 0, handler: mail, tls: { mode, cert, key } });
    const { host, port } = server.address;
    const options = { host, port, tls: mode, auth, proxy: false } as const;
    await assert.rejects(SmtpClient.connect(options), BrokenError);
    const other = { ca, serverName: "other.test" };
    await assert.rejects(SmtpClient.connect({ ...options, tlsOptions: other }), BrokenError);
  });
}

/**
 * A server that says what it is told: the greeting, then an answer to each line. `""` says nothing. What the client has
 * sent stands in `lines`.
 */
function scripted(
  greeting: string,
  ...answers: string[]
): { near: Transport; far: Transport; lines: string[] } {
  const [near, far] = memoryPair();
  const lines: string[] = [];
  const play = async (): Promise<void> => {
    await far.write(Buffer.from(greeting));
    let text = "";
    for (let chunk = await far.read(); chunk !== undefined; chunk = await far.read()) {
      text += Buffer.from(chunk).toString("latin1");
      for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
        lines.push(text.slice(0, end));
        text = text.slice(end + 2);
        const answer = answers.shift();
        if (answer) await far.write(Buffer.from(answer));
      }
    }
  };
  void play().catch(() => {});
  return { near, far, lines };
}

const ehlo = "250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n";
/** Where somebody in between may put what the server has not said. */
const injections: readonly (readonly [where: string, greeting: string, answers: readonly string[]])[] = [
  ["behind the answer to STARTTLS", "220 mx\r\n", [ehlo, "220 go\r\n250 injected\r\n"]],
  ["an unfinished line behind it", "220 mx\r\n", [ehlo, "220 go\r\n2"]],
  ["a whole answer to the EHLO to come", "220 mx\r\n", [ehlo, `220 go\r\n${ehlo}`]],
  ["an answer to STARTTLS before it was sent", "220 mx\r\n", [`${ehlo}220 go\r\n`, "250 x\r\n"]],
  ["answers to all of it with the greeting", `220 mx\r\n${ehlo}220 go\r\n`, ["250 x\r\n", "250 x\r\n"]],
];

for (const [where, greeting, answers] of injections)
  test(`injected into the client: ${where}`, async () => {
    const { near, lines } = scripted(greeting, ...answers);
    await assert.rejects(
      over(near, { tls: "starttls", tlsOptions, host: "localhost", auth }),
      RemoteProtocolError,
    );
    assert.ok(
      lines.every((line) => /^(?:EHLO|STARTTLS)/.test(line)),
      String(lines),
    );
  });

test("injected into the client: in place of the handshake", async () => {
  const { near, far, lines } = scripted("220 mx\r\n", ehlo, "220 go\r\n");
  const connecting = over(near, { tls: "starttls", tlsOptions, host: "localhost", auth });
  const sent = setInterval(() => {
    if (lines.includes("STARTTLS")) void far.write(Buffer.from("250 injected\r\n")).catch(() => {});
  }, 5);
  await assert.rejects(connecting, HawserError);
  clearInterval(sent);
  assert.ok(!lines.some((line) => /^(?:AUTH|MAIL)/.test(line)));
});

test("STARTTLS that is stripped or refused: no login, and nothing in the clear", async () => {
  for (const [answers, error] of [
    [["250-mx\r\n250 AUTH PLAIN\r\n"], UnsupportedError],
    [["502 what?\r\n", "250 mx\r\n"], HawserError],
    [[ehlo, "454 not now\r\n"], HawserError],
    [[ehlo, "554 no\r\n"], HawserError],
  ] as const) {
    const { near, lines } = scripted("220 mx\r\n", ...answers);
    await assert.rejects(over(near, { tls: "starttls", tlsOptions, auth }), error);
    assert.ok(
      lines.every((line) => /^(?:EHLO|STARTTLS)/.test(line)),
      String(lines),
    );
  }
});

test("what was learned before TLS is forgotten by the client", async () => {
  await using host = new Host({ tls: { cert, key }, accounts: accounts(), hide: ["XCLIENT"] });
  const [near, far] = memoryPair();
  host.served.push(host.server.serve(far));
  const client = await over(near, { tlsOptions: { ca, serverName: "localhost" } });
  assert.deepEqual([client.extensions.startTls, client.extensions.auth.has("PLAIN")], [true, false]);
  await client.startTls({ ca, serverName: "localhost" });
  assert.deepEqual([client.extensions.startTls, client.extensions.auth.has("PLAIN")], [false, true]);
  await assert.rejects(client.startTls(), UnsupportedError);
  await client.quit();
});

test("LMTP over a Unix socket: an answer for each recipient (RFC 2033)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-lmtp-"));
  try {
    const path = join(folder, "lmtp");
    const mail = new Collector();
    await using server = await SmtpServer.listen({ path, handler: mail, lmtp: true });
    assert.equal(server.address.path, path);
    await using client = await SmtpClient.connect({ path, lmtp: true });
    const to = ["b@server.test", "c@server.test"];
    const { accepted, replies } = await client.send({ ...envelope, to }, message);
    assert.deepEqual(accepted, to);
    assert.deepEqual([...(replies?.keys() ?? [])], to);
    assert.equal(mail.messages[0]?.protocol, "LMTP");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Version 2 of the header: from 192.0.2.1:56324 to 192.0.2.2:25. */
const binaryHeader = Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000201c0000202dc040019", "hex");

for (const [version, header] of [
  ["1", Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\n")],
  ["2", binaryHeader],
] as const)
  for (const mode of ["none", "implicit"] as const)
    test(`PROXY header, version ${version}, TLS ${mode}: the session is that of the client that is named`, async () => {
      const remotes: unknown[] = [];
      const handler: SmtpHandler = {
        mail: (_, session) => void remotes.push(session.remote?.host),
        data: () => {},
      };
      await using server = await SmtpServer.listen({
        ...{ port: 0, handler, proxyFrom: ["127.0.0.1"] },
        ...(mode === "implicit" && { tls: { mode, cert, key } }),
      });
      const balancer = {
        listen: nodeProvider.listen,
        connect: async (...args: Parameters<typeof nodeProvider.connect>) => {
          const transport = await nodeProvider.connect(...args);
          await transport.write(header);
          return transport;
        },
      };
      const { host, port } = server.address;
      await using client = await SmtpClient.connect({
        ...{ host, port, tls: mode, tlsOptions, provider: balancer, proxy: false },
      });
      await client.send(envelope, message);
      assert.deepEqual(remotes, ["192.0.2.1"]);
    });

test("a PROXY header is required of those that are listed: a client without one is let go", async () => {
  await using server = await SmtpServer.listen({
    ...{ port: 0, handler: new Collector(), proxyFrom: ["127.0.0.1"] },
  });
  await using talk = new Talk(await nodeProvider.connect(server.address));
  await talk.send("EHLO client.test\r\n");
  await talk.ended();
});

for (const transfer of ["data", "bdat"] as const)
  test(`50 MB stream through client and server in little memory, by ${transfer}`, {
    timeout: 60_000,
  }, async () => {
    let bytes = 0;
    const handler: SmtpHandler = {
      data: async ({ content }) => {
        for await (const piece of content) bytes += piece.length;
      },
    };
    await using server = await SmtpServer.listen({ port: 0, handler, maxMessageBytes: 100_000_000 });
    const { host, port } = server.address;
    await using client = await SmtpClient.connect({ host, port, tls: "none", proxy: false });
    const line = Buffer.from(`${"x".repeat(78)}\r\n`.repeat(800));
    const large = async function* () {
      for (let sent = 0; sent < 50_000_000; sent += line.length) yield line;
    };
    const run = async (): Promise<number> => {
      let peak = 0;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage.rss());
      }, 5);
      await client.send(envelope, large(), { transfer });
      clearInterval(watch);
      return Math.max(peak, process.memoryUsage.rss());
    };
    // The bar is for the bench; here is room for a garbage collector that takes its time.
    const first = await run();
    const growth = (await run()) - first;
    assert.ok(bytes >= 100_000_000);
    assert.ok(growth < 64 * 1024 * 1024, `grew by ${growth} bytes`);
    assert.ok(first < 400 * 1024 * 1024, `${first} bytes`);
  });
