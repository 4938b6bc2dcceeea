/** IMAP: hawser's client with Dovecot, and hawser's server with imaplib, curl and mbsync. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { benchModules, lacksPackage } from "../../bench/contenders.js";
import { ImapServer } from "../../src/imap/index.js";
import { MemoryMailStore } from "../../src/mail/index.js";
import { Accounts } from "../../src/sasl/index.js";
import { visitByImapFlow, visitByNodeImap } from "./imap-packages.js";
import type { Pairing } from "./pairing.js";
import { program } from "./program.js";
import type { Scratch } from "./scratch.js";
import type { Dovecot } from "./servers/dovecot.js";
import { awkwardMessage } from "./smtp.js";

/** The pairings of hawser's client: the tests of a file, against this Dovecot. */
export function imapClientPairings(dovecot: Dovecot): Pairing[] {
  const file = fileURLToPath(new URL("imap-dovecot.js", import.meta.url));
  return [
    {
      name: "hawser's IMAP client → Dovecot: every extension that it announces",
      run: async () => {
        const place = `127.0.0.1:${dovecot.imapPort}:imap:${dovecot.password}`;
        const env = { HAWSER_DOVECOT: place };
        const output = await program(process.execPath, ["--test", "--test-reporter=tap", file], "", env);
        assert.match(output, /^# fail 0$/m);
        return `${/^# pass (\d+)$/m.exec(output)?.[1]} tests`;
      },
    },
  ];
}

const user = "alice@example.test";
const password = "pass word";

/** The pairings of hawser's server. */
export function imapServerPairings(scratch: Scratch): Pairing[] {
  const ca = scratch.path("ca.pem");
  const messages = [awkwardMessage("first"), awkwardMessage("second")];
  const withServer = async (
    seed: readonly string[],
    mode: "implicit" | "starttls",
    meet: (port: number, store: MemoryMailStore) => Promise<void>,
  ): Promise<undefined> => {
    const store = MemoryMailStore.of({ [user]: seed.map((content) => ({ content })) });
    const accounts = Accounts.of({ [user]: password });
    await using server = await ImapServer.listen({
      ...{ host: "localhost", store, accounts, tls: { ...scratch.certificates, mode } },
    });
    await meet(server.port, store);
  };
  const curl = (
    what: string,
    args: (url: string) => readonly string[],
    expected: RegExp | string,
  ): Pairing => ({
    name: `curl → hawser's IMAP server: ${what}`,
    needs: ["curl"],
    run: () =>
      withServer(messages, "implicit", async (port) => {
        const login = ["-sS", "--cacert", ca, "--user", `${user}:${password}`];
        const got = await program("curl", [...login, ...args(`imaps://localhost:${port}`)]);
        if (typeof expected === "string") assert.equal(got, expected);
        else assert.match(got, expected);
      }),
  });
  return [
    {
      name: "imaplib → hawser's IMAP server: every method",
      needs: ["python3"],
      run: () =>
        withServer([], "starttls", async (port) => {
          const script = fileURLToPath(
            new URL("../../../test/interop/python/imap_client.py", import.meta.url),
          );
          assert.match(
            await program("python3", [script, "localhost", `${port}`, user, password, ca]),
            /done\s*$/,
          );
        }),
    },
    curl("a message", (url) => [`${url}/INBOX/;MAILINDEX=2`], messages[1] ?? ""),
    curl("a list", (url) => [`${url}/`], /^\* LIST .* INBOX/m),
    curl("a search", (url) => [`${url}/INBOX?SUBJECT%20second`], /^\* SEARCH 2/m),
    ...(["imapflow", "imap"] as const).map(
      (name): Pairing => ({
        name: `${name === "imap" ? "node-imap" : name} → hawser's IMAP server: what programs do with it`,
        run: () =>
          withServer(messages, "implicit", async (port) => {
            const lacking = lacksPackage(name);
            if (lacking !== undefined) throw new Error(lacking);
            const visit = name === "imap" ? visitByNodeImap : visitByImapFlow;
            const { certificates } = scratch;
            const source = await visit(benchModules, { port, user, password, certificates });
            assert.equal(source, messages[0]);
          }),
      }),
    ),
    {
      name: "curl → hawser's IMAP server: APPEND",
      needs: ["curl"],
      run: () =>
        withServer([], "starttls", async (port, store) => {
          const file = scratch.write("append.eml", messages[0] ?? "");
          const login = ["-sS", "--cacert", ca, "--ssl-reqd", "--user", `${user}:${password}`];
          await program("curl", [...login, "-T", file, `imap://localhost:${port}/INBOX`]);
          const received = await store.inbox(user).next({ timeoutMs: 10_000 });
          assert.equal(Buffer.from(received.bytes).toString(), messages[0]);
        }),
    },
    {
      name: "mbsync → hawser's IMAP server: a mailbox into a maildir, and what changes there back",
      needs: ["mbsync"],
      run: () =>
        withServer(messages, "starttls", (port, store) => synchronize(scratch, port, store, messages)),
    },
  ];
}

async function synchronize(
  scratch: Scratch,
  port: number,
  store: MemoryMailStore,
  messages: readonly string[],
): Promise<void> {
  const maildir = scratch.mkdir("maildir");
  const config = scratch.write("mbsyncrc", mbsyncConfig(scratch, port, maildir));
  await program("mbsync", ["-c", config, "hawser"]);
  const local = ["new", "cur"].flatMap((box) =>
    readdirSync(`${maildir}/INBOX/${box}`).map((name) =>
      readFileSync(`${maildir}/INBOX/${box}/${name}`, "utf8"),
    ),
  );
  const plain = (text: string): string => text.replaceAll("\r\n", "\n").replace(/^X-TUID:.*\n/m, "");
  assert.deepEqual(local.map(plain).sort(), messages.map(plain).sort());
  scratch.mkdir("maildir/INBOX/cur");
  scratch.write("maildir/INBOX/cur/1.local:2,S", "Subject: from here\n\nback\n");
  await program("mbsync", ["-c", config, "hawser"]);
  const received = await store.inbox(user).next({ timeoutMs: 10_000 });
  assert.match(Buffer.from(received.bytes).toString(), /Subject: from here\r\n/);
}

function mbsyncConfig(scratch: Scratch, port: number, maildir: string): string {
  return `
IMAPAccount hawser
Host localhost
Port ${port}
User ${user}
Pass "${password}"
SSLType STARTTLS
CertificateFile ${scratch.path("ca.pem")}

IMAPStore far
Account hawser

MaildirStore near
Path ${maildir}/
Inbox ${maildir}/INBOX
SubFolders Verbatim

Channel hawser
Far :far:
Near :near:
Patterns INBOX
Create Both
Expunge Both
SyncState *
`;
}
