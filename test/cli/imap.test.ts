/** `hawser ls` and `hawser get` against hawser's own server. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ImapServer } from "../../src/imap/index.js";
import { MemoryMailStore } from "../../src/mail/index.js";
import { Accounts } from "../../src/sasl/index.js";
import { makeCertificates } from "../certificates.js";
import { hawser } from "./hawser.js";

const user = "alice@example.test";
const certificates = await makeCertificates();
const message = (subject: string): string =>
  `From: Bob <bob@example.test>\r\nSubject: ${subject}\r\n\r\nHello ${subject}\r\n`;

interface Place {
  readonly url: string;
  readonly folder: string;
  run(...args: readonly string[]): ReturnType<typeof hawser>;
}

async function withServer(run: (place: Place) => Promise<void>): Promise<void> {
  const contents = ["one", "=?UTF-8?Q?zw=C3=B6lf?=", "three"].map((subject) => ({
    content: message(subject),
  }));
  const store = MemoryMailStore.of({ [user]: contents });
  await store.createMailbox(user, "Entwürfe");
  const accounts = Accounts.of({ [user]: "tiger" });
  await using server = await ImapServer.listen({ host: "localhost", store, accounts, tls: certificates });
  const folder = mkdtempSync(join(tmpdir(), "hawser-imap-"));
  writeFileSync(join(folder, "ca.pem"), certificates.ca);
  try {
    await run({
      url: `imap://${encodeURIComponent(user)}@localhost:${server.port}`,
      folder,
      run: (...args) =>
        hawser([...args, "--cacert", join(folder, "ca.pem")], "", { HAWSER_PASSWORD: "tiger" }),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("ls: the mailboxes, in STARTTLS", () =>
  withServer(async ({ url, run }) => {
    const { code, stdout, stderr } = await run("ls", url, "--trace");
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(" ")[0]),
      ["Entwürfe", "INBOX"],
    );
    assert.match(stderr, /TLSv1\.3 started/);
    assert.ok(!stderr.includes("tiger"));
  }));

test("ls: the newest messages of a mailbox, as a table and as JSON", () =>
  withServer(async ({ url, run }) => {
    const { stdout } = await run("ls", `${url}/INBOX`, "-n", "2");
    assert.equal(stdout.trimEnd().split("\n").length, 3);
    assert.match(stdout, /^2 +\* .* Bob +\d+ +zwölf$/m);
    const json = JSON.parse((await run("ls", `${url}/INBOX`, "--json")).stdout);
    assert.deepEqual(
      json.messages.map(({ subject }: { subject: string }) => subject),
      ["one", "zwölf", "three"],
    );
    assert.equal((await run("ls", `${url}/Entw%C3%BCrfe`, "--json")).code, 0);
  }));

test("get: a message, a part, a file, and nothing that is not there", () =>
  withServer(async ({ url, folder, run }) => {
    assert.equal((await run("get", `${url}/INBOX/;UID=1`)).stdout, message("one"));
    const header = await run("get", `${url}/INBOX/;UID=3/;SECTION=HEADER`);
    assert.equal(header.stdout, "From: Bob <bob@example.test>\r\nSubject: three\r\n\r\n");
    const file = join(folder, "message.eml");
    const { code, stdout } = await run("get", `${url}/INBOX/;UID=3`, "-o", file, "--json");
    assert.deepEqual([code, JSON.parse(stdout).bytes], [0, message("three").length]);
    assert.equal(readFileSync(file, "utf8"), message("three"));
    const missing = await run("get", `${url}/INBOX/;UID=99`);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /no message with the UID 99/);
    assert.equal((await run("get", `${url}/INBOX;UIDVALIDITY=1/;UID=1`)).code, 2);
    assert.equal((await run("get", `${url}/Nowhere/;UID=1`)).code, 22);
    assert.equal((await run("ls", `${url}/INBOX`, "--unseen", "--json")).code, 0);
  }));

test("what is no IMAP URL is refused before anything is done", async () => {
  for (const url of [
    "http://localhost/",
    "imap://",
    "imap://h/INBOX/;UID=0",
    "imap://h/IN%ZZ",
    "imap://h/INBOX/;COLOR=red",
  ])
    assert.equal((await hawser(["get", url])).code, 2, url);
});

test("a login that fails is 67, a server that is not there 7", () =>
  withServer(async ({ url, folder }) => {
    const args = ["ls", url, "--cacert", join(folder, "ca.pem")];
    assert.equal((await hawser(args, "", { HAWSER_PASSWORD: "lion" })).code, 67);
    assert.equal((await hawser(["ls", "imap://me@127.0.0.1:1/"], "", { HAWSER_PASSWORD: "x" })).code, 7);
  }));
