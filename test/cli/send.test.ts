/** `hawser send` against hawser's own server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MemoryMailStore, parseMessage } from "../../src/mail/index.js";
import { Accounts } from "../../src/sasl/index.js";
import { SmtpServer, type SmtpServerOptions } from "../../src/smtp/index.js";
import { makeCertificates } from "../certificates.js";
import { hawser } from "./hawser.js";

const user = "alice@example.test";
const certificates = await makeCertificates();

async function withServer(
  options: Partial<SmtpServerOptions>,
  run: (port: number, store: MemoryMailStore) => Promise<void>,
): Promise<void> {
  const store = MemoryMailStore.of({ [user]: [], "bob@example.test": [] });
  await using server = await SmtpServer.listen({ host: "localhost", store, ...options });
  await run(server.port, store);
}

async function withFiles(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-send-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const envelope = ["-f", "Me <me@example.org>", "-t", user];

test("text from standard input becomes a message, and the transcript goes to stderr", () =>
  withServer({}, async (port, store) => {
    const args = ["send", "-s", `smtp://localhost:${port}`, ...envelope, "--subject", "Grüße", "--trace"];
    const { code, stdout, stderr } = await hawser(args, "Ahoy ü\n");
    assert.deepEqual([code, stdout], [0, `${user}  250 Message accepted\n`]);
    assert.match(stderr, /^C: MAIL FROM:<me@example.org>/m);
    const { subject, text } = await parseMessage((await store.inbox(user).next({ timeoutMs: 5000 })).bytes);
    assert.deepEqual([subject, text?.trim()], ["Grüße", "Ahoy ü"]);
  }));

test("a file, copies, an attachment and HTML", () =>
  withServer({}, (port, store) =>
    withFiles(async (folder) => {
      writeFileSync(join(folder, "text.txt"), "see the file");
      writeFileSync(join(folder, "text.html"), "<b>see the file</b>");
      writeFileSync(join(folder, "data.bin"), Uint8Array.of(0, 1, 2, 255));
      const files = [
        "--html",
        join(folder, "text.html"),
        "-a",
        join(folder, "data.bin"),
        join(folder, "text.txt"),
      ];
      const args = [
        "send",
        "-s",
        `smtp://localhost:${port}`,
        ...envelope,
        "--bcc",
        "bob@example.test",
        "--json",
        ...files,
      ];
      const { code, stdout } = await hawser(args);
      assert.equal(code, 0);
      assert.deepEqual(JSON.parse(stdout).accepted, [user, "bob@example.test"]);
      const { bytes } = await store.inbox("bob@example.test").next({ timeoutMs: 5000 });
      assert.ok(!Buffer.from(bytes).includes("bob@"), "Bcc stands in the envelope alone");
      const { attachments, html } = await parseMessage(bytes);
      assert.deepEqual(Buffer.from(attachments[0]?.content ?? []), Buffer.of(0, 1, 2, 255));
      assert.match(html ?? "", /<b>/);
    }),
  ));

test("STARTTLS and a login; the password stands in the environment and in no output", () =>
  withServer({ accounts: Accounts.of({ [user]: "tiger" }), tls: certificates, requireAuth: true }, (port) =>
    withFiles(async (folder) => {
      writeFileSync(join(folder, "ca.pem"), certificates.ca);
      const args = [
        "send",
        "-s",
        `smtp://localhost:${port}`,
        "-u",
        user,
        "--cacert",
        join(folder, "ca.pem"),
        ...envelope,
      ];
      const good = await hawser([...args, "--trace"], "x", { HAWSER_PASSWORD: "tiger" });
      assert.equal(good.code, 0, good.stderr);
      assert.match(good.stderr, /TLSv1\.3 started/);
      assert.ok(!`${good.stdout}${good.stderr}`.includes("tiger"));
      const bad = await hawser(args, "x", { HAWSER_PASSWORD: "lion" });
      assert.equal(bad.code, 67, bad.stderr);
      const none = await hawser(args, "x", { HAWSER_PASSWORD: undefined });
      assert.equal(none.code, 2);
      assert.match(none.stderr, /HAWSER_PASSWORD/);
    }),
  ));

test("a whole message is sent as it is", () =>
  withServer({}, async (port, store) => {
    const message = "Subject: raw\r\n\r\n.dot\r\n";
    const { code } = await hawser(["send", "-s", `localhost:${port}`, ...envelope, "--raw"], message);
    assert.equal(code, 0);
    const { bytes } = await store.inbox(user).next({ timeoutMs: 5000 });
    assert.equal(Buffer.from(bytes).toString(), message);
  }));

test("--dry-run prints the message and connects nowhere", async () => {
  const { code, stdout } = await hawser(["send", "-s", "smtp://localhost:1", ...envelope, "--dry-run"], "hi");
  assert.equal(code, 0);
  assert.match(stdout, /^From: Me <me@example\.org>\r$/m);
});

test("the exit code tells what went wrong", async () => {
  await withServer({ domains: ["example.test"] }, async (port) => {
    const args = ["send", "-s", `smtp://localhost:${port}`, "-f", "me@example.org"];
    assert.equal((await hawser([...args, "-t", "x@far.test"], "x")).code, 22);
    const some = await hawser([...args, "-t", user, "-t", "x@far.test"], "x");
    assert.equal(some.code, 22);
    assert.match(some.stdout, /x@far\.test {2}refused: 550/);
  });
  assert.equal((await hawser(["send", "-s", "smtp://127.0.0.1:1", ...envelope], "x")).code, 7);
  assert.equal((await hawser(["send", "-s", "gopher://x", ...envelope], "x")).code, 2);
  assert.equal((await hawser(["send", "-s", "smtp://localhost:1", "-f", "a\r\nb", "-t", user], "x")).code, 2);
});
