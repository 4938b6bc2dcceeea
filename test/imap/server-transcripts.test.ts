/** The server's side of conversations out of the RFCs. */
import { test } from "node:test";
import { ImapServer } from "../../src/imap/server.js";
import { MemoryMailStore } from "../../src/mail/index.js";
import { Accounts } from "../../src/sasl/index.js";
import { memoryPair, playClient } from "../../src/testing/index.js";
import { transcriptsOf } from "../transcripts.js";
import { message } from "./server-support.js";

const accounts = Accounts.of({ mrc: "secret" }, { iterations: 4096 });

const minutes = [
  "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
  "From: Terry Gray <gray@cac.washington.edu>",
  "Subject: IMAP4rev1 WG mtg summary and minutes",
  "To: imap@cac.washington.edu",
  "Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>",
  "Message-Id: <B27397-0100000@cac.washington.edu>",
  "MIME-Version: 1.0",
  "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII",
  "",
  "Minutes",
  "follow.",
  "",
].join("\r\n");

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => message(String(index + 1)));
}

async function inbox(store: MemoryMailStore): Promise<string> {
  return (await store.mailbox("mrc", "INBOX"))?.mailboxId ?? "";
}

/** Three messages that a session was told of. */
async function threeOld(): Promise<MemoryMailStore> {
  const store = MemoryMailStore.of({ mrc: numbered(3) });
  await store.claimRecent(await inbox(store));
  return store;
}

/** What each transcript supposes is there. */
const stores: Readonly<Record<string, () => Promise<MemoryMailStore>>> = {
  "rfc9051-section8": async () => {
    const internalDate = new Date("1996-07-17T09:44:25Z");
    const old = numbered(16).map((content, index) => ({
      ...{ content: index === 11 ? minutes : content, flags: ["\\Seen"], internalDate },
    }));
    const store = MemoryMailStore.of({ mrc: old });
    await store.claimRecent(await inbox(store));
    for (const content of numbered(2)) await store.deliver("mrc", { content: Buffer.from(content) });
    return store;
  },
  "rfc2177-idle": threeOld,
  "rfc6851-move": threeOld,
  "rfc5182-searchres": threeOld,
  "rfc7888-literals": threeOld,
  "rfc7162-qresync": async () => {
    const store = MemoryMailStore.of({ mrc: numbered(9) }, { now: () => new Date(67_890_007_000) });
    const mailboxId = await inbox(store);
    await store.claimRecent(mailboxId);
    await store.expunge(mailboxId, [{ first: 1, last: 1 }], { all: true });
    await store.expunge(mailboxId, [{ first: 4, last: 5 }], { all: true });
    await store.storeFlags(mailboxId, [{ first: 3, last: 3 }], { mode: "add", flags: ["\\Deleted"] });
    return store;
  },
};

for (const { name, text } of transcriptsOf("imap")) {
  const storeOf = stores[name];
  test(`the server in ${name}.txt`, { skip: storeOf === undefined && "the client's" }, async () => {
    for (const fragmentBytes of [1, 7, 65_536]) {
      const store = (await storeOf?.()) ?? new MemoryMailStore();
      await using server = new ImapServer({ store, accounts, allowClearTextAuth: true });
      const [near, far] = memoryPair({ fragmentBytes });
      const deliver = async (): Promise<void> =>
        void (await store.deliver("mrc", { content: Buffer.from(message("new")) }));
      await Promise.all([playClient(text, near, { onNote: deliver }), server.serve(far)]);
    }
  });
}
