/**
 * The IMAP client against a real Dovecot: every extension that Debian's offers. `HAWSER_DOVECOT=host:port:user:password`
 * names a server in the clear whose user has an INBOX that may be emptied and no mailbox `hawser`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ImapClient, type ImapClientOptions } from "../../src/imap/client.js";
import { UidSet } from "../../src/imap/codec-sequence-set.js";

const [host = "127.0.0.1", port = "143", user = "", password = ""] = (
  process.env["HAWSER_DOVECOT"] ?? ""
).split(":");
const skip = user === "" ? "HAWSER_DOVECOT is not set" : false;

async function connected(options: ImapClientOptions = {}): Promise<ImapClient> {
  const auth = { user, password };
  return await ImapClient.connect({
    host,
    port: Number(port),
    tls: "none",
    auth,
    allowClearText: true,
    ...options,
  });
}

const message = (n: number): string =>
  `From: Joe <joe@example.org>\r\nSubject: message ${n}\r\nDate: Mon, 7 Feb 2022 21:52:2${n % 10} -0800\r\nMessage-ID: <${n}@x>\r\n\r\nbody ${n}\r\n`;

async function emptied(client: ImapClient): Promise<void> {
  await using inbox = await client.select("INBOX");
  if (inbox.exists === 0) return;
  await inbox.store("1:*", "add", ["\\Deleted"], { silent: true });
  await inbox.expunge();
}

/** The work on a client whose INBOX has five messages. */
async function withFive(
  work: (client: ImapClient) => Promise<void>,
  options: ImapClientOptions = {},
): Promise<void> {
  await using client = await connected(options);
  await emptied(client);
  await client.appendMany(
    "INBOX",
    [1, 2, 3, 4, 5].map((n) => ({ source: message(n) })),
  );
  await work(client);
}

for (const mechanism of ["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"]) {
  test(`a login by ${mechanism}`, { skip }, async () => {
    await using client = await connected({ auth: { user, password, mechanism } });
    assert.equal(client.state, "authenticated");
  });
}

for (const compress of [false, true]) {
  test(`messages come and go${compress ? ", compressed" : ""}`, { skip }, async () => {
    await withFive(
      async (client) => {
        await using inbox = await client.select("INBOX");
        assert.equal(inbox.exists, 5);
        const items = [
          "ENVELOPE",
          "BODYSTRUCTURE",
          "FLAGS",
          "BODY.PEEK[]",
          "MODSEQ",
          "PREVIEW",
          "SAVEDATE",
          "BINARY.SIZE[1]",
        ] as const;
        const subjects: (string | null)[] = [];
        for await (const { uid, envelope, defects, sections, flags } of inbox.fetch("1:*", items)) {
          assert.deepEqual(defects, []);
          assert.ok(sections["BODY.PEEK[]"]);
          subjects.push(envelope.subject);
          if (!flags.includes("\\Flagged")) await inbox.store(uid, "add", ["\\Flagged"]);
        }
        assert.equal(subjects.length, 5);
        assert.equal((await inbox.search({ flagged: true })).size, 5);
        assert.equal((await inbox.search({}, { return: ["COUNT", "SAVE"] })).count, 5);
        assert.equal((await inbox.fetch("$", ["FLAGS"]).all()).length, 5);
        assert.equal((await inbox.sort({}, ["-date", "subject"])).length, 5);
        assert.deepEqual(
          await inbox
            .sort({}, ["date"], { return: ["COUNT"], partial: { first: 1, last: 2 } })
            .then((r) => r.count),
          5,
        );
        for (const algorithm of ["REFERENCES", "ORDEREDSUBJECT", "REFS"] as const)
          assert.ok((await inbox.thread({}, { algorithm })).length > 0);
        for await (const { sections } of inbox.fetch("1:*", ["BODY.PEEK[]"], { as: "stream" })) {
          assert.match(await sections["BODY.PEEK[]"].text(), /Subject: message/);
          break;
        }
        await client.noop();
      },
      { compress },
    );
  });
}

test("names beyond ASCII are what Dovecot takes them for", { skip }, async () => {
  await using client = await connected();
  for (const name of ["hawser", "hawser/ü & é", "hawser/日本語", "hawser/😀", 'hawser/"\\%']) {
    await client.create(name);
    assert.ok(
      (await client.list({ pattern: "hawser*" })).some((entry) => entry.mailbox === name),
      name,
    );
    assert.equal((await client.status(name, ["MESSAGES"])).messages, 0);
  }
  for (const { mailbox } of (await client.list({ pattern: "hawser*" })).reverse())
    await client.delete(mailbox);
});

test("QRESYNC tells what has changed with one SELECT", { skip }, async () => {
  await withFive(async (client) => {
    const before = await client.select("INBOX");
    const known = { uidValidity: before.uidValidity, modSeq: before.highestModseq ?? 0n };
    const uids = [...(await before.search({}))];
    await before.unselect();
    await using other = await connected();
    await using inbox = await other.select("INBOX");
    await inbox.store(UidSet.of(uids.slice(0, 2)), "add", ["\\Seen"]);
    await inbox.store(UidSet.of(uids.slice(2, 3)), "add", ["\\Deleted"]);
    await inbox.expunge();
    const after = await client.select("INBOX", { qresync: { ...known, knownUids: UidSet.of(uids) } });
    assert.equal(String(after.resync.vanished), String(uids[2]));
    assert.equal(after.resync.changed.length, 2);
    assert.equal(after.exists, 4);
  });
});

test("COPY and MOVE tell the UIDs; METADATA, QUOTA and ACL answer", { skip }, async () => {
  await withFive(async (client) => {
    await client.create("hawser");
    await using inbox = await client.select("INBOX");
    assert.equal((await inbox.copy("1:*", "hawser"))?.destination.size, 5);
    assert.equal((await inbox.move("*", "hawser"))?.source.size, 1);
    assert.equal(inbox.exists, 4);
    if (client.has("METADATA")) {
      await client.setMetadata("hawser", { "/private/comment": "hello" });
      const { entries } = await client.getMetadata("hawser", ["/private/comment"]);
      assert.equal(Buffer.from(entries.get("/private/comment") ?? []).toString(), "hello");
    }
    if (client.has("QUOTA")) assert.ok((await client.getQuotaRoot("INBOX")).length > 0);
    if (client.has("ACL")) assert.match(await client.myRights("hawser"), /l/);
    await client.delete("hawser");
  });
});

for (const how of ["IDLE", "NOTIFY"] as const) {
  test(`${how} hears of a delivery by somebody else`, { skip }, async () => {
    await withFive(async (client) => {
      const inbox = await client.select("INBOX");
      await using other = await connected();
      const stop = new AbortController();
      const events =
        how === "IDLE"
          ? inbox.idle({ signal: stop.signal })
          : await client.notify(
              [{ mailboxes: "selected", events: ["MessageNew", "MessageExpunge"], fetch: ["FLAGS"] }],
              stop,
            );
      await other.append("INBOX", message(6));
      // Dovecot tells NOTIFY's news with the next command where the file system does not tell it at once.
      if (how === "NOTIFY") await client.noop();
      for await (const event of events) if (event.type === "exists" && event.count === 6) stop.abort();
      assert.equal((await inbox.search({ subject: "message 6" })).size, 1);
    });
  });
}
