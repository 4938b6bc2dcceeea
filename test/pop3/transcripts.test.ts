/** Conversations as they are written down, played to our client and to our server. */

import { MemoryMailStore } from "../../src/mail/memory-store.js";
import type { Pop3Client, Pop3ClientOptions } from "../../src/pop3/client.js";
import { Pop3Error } from "../../src/pop3/errors.js";
import { Accounts } from "../../src/sasl/index.js";
import type { Transport } from "../../src/transport/types.js";
import { type Script, testTranscripts } from "../transcripts.js";
import { over, serverOf } from "./support.js";

const clear = { allowClearText: true } as const;

function script(run: (client: Pop3Client) => Promise<unknown>, options: Pop3ClientOptions = {}): Script {
  return async (transport: Transport) => {
    const client = await over(transport, { ...clear, ...options });
    await run(client);
    await client.close();
  };
}

const message = (octets: number): string => `Subject: x\r\n\r\n${"x".repeat(octets - 16)}\r\n`;
const mail = [message(120), message(200)];

testTranscripts("pop3", {
  clients: {
    "rfc1939-session": script(async (client) => {
      await client.login("mrose", "tanstaaf");
      await client.stat();
      await client.list();
      await (await client.retr(1)).bytes();
      await client.dele(1);
      await (await client.retr(2)).bytes();
      await client.dele(2);
      await client.quit();
    }),
    "rfc5034-plain": script(async (client) => {
      await client.auth({ user: "test", password: "test", mechanism: "PLAIN" });
      await client.quit();
    }),
    "pipelined-retr": script(async (client) => {
      await client.login("mrose", "tanstaaf");
      for await (const { body } of client.retrMany([1, 2, 3])) await body.bytes().catch(ignoreRefusal);
      await client.quit();
    }),
    "dovecot-2.3": script(async (client) => {
      await client.login("alice", "tiger");
      await client.stat();
      await client.uidl();
      await client.quit();
    }),
    "old-server": script(async (client) => {
      await client.login("alice", "tiger");
      await client.list(1);
      await client.rset();
      await client.quit();
    }),
    "in-use": script(async (client) => {
      await client.login("alice", "tiger").catch(ignoreRefusal);
      await client.quit();
    }),
  },
  notServed: {
    "dovecot-2.3": "another server's texts and capabilities",
    "old-server": "another server's texts, and no CAPA",
    "in-use": "another server's texts",
  },
  serve: async (transport, name) => {
    if (name === "rfc5034-plain") return await (await serverOf(saslAlone)).serve(transport);
    const accounts = Accounts.of({ mrose: "tanstaaf", test: "test" }, { iterations: 4096 });
    const store = MemoryMailStore.of({ mrose: mail, test: [] });
    const server = await serverOf({ accounts, store, hide: ["SASL"] });
    await server.serve(transport);
  },
  options: { secrets: ["tanstaaf"] },
});

/** A server that offers nothing but SASL, of accounts that know no more than whether a password is right. */
const saslAlone = {
  accounts: {
    verify: async (user: string, password: { reveal(): string }): Promise<boolean> =>
      user === "test" && password.reveal() === "test",
  },
  store: MemoryMailStore.of({ test: [] }),
  hide: [
    ...[
      "TOP",
      "UIDL",
      "USER",
      "PIPELINING",
      "RESP-CODES",
      "AUTH-RESP-CODE",
      "UTF8",
      "LANG",
      "IMPLEMENTATION",
    ],
  ],
};

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof Pop3Error)) throw error;
}
