/** hawser's IMAP server with the two IMAP clients of npm. They are nobody's dependency: the run installs them. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { Certificates } from "../certificates.js";

/** What is asked of a client: the message with this subject, and nothing else. */
export interface Visit {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly certificates: Certificates;
}

/** As much of imapflow as is used here. */
interface ImapFlow {
  connect(): Promise<void>;
  mailboxOpen(name: string): Promise<{ readonly exists: number }>;
  fetchOne(
    set: string,
    query: object,
  ): Promise<{ readonly envelope: { readonly subject: string }; readonly source: Buffer }>;
  append(name: string, content: string, flags: readonly string[]): Promise<unknown>;
  search(query: object): Promise<readonly number[]>;
  messageFlagsAdd(set: string, flags: readonly string[]): Promise<boolean>;
  messageDelete(set: string): Promise<boolean>;
  logout(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): void;
}

/** Drives imapflow through what programs do with it; returns the raw first message. */
export async function visitByImapFlow(modules: URL, visit: Visit): Promise<string> {
  const { ImapFlow: Client } = (await load(modules, "imapflow")) as {
    readonly ImapFlow: new (options: object) => ImapFlow;
  };
  const client = new Client({
    host: "localhost",
    port: visit.port,
    secure: true,
    tls: { ca: visit.certificates.ca },
    auth: { user: visit.user, pass: visit.password },
    logger: false,
  });
  client.on("error", () => {});
  await client.connect();
  const { exists } = await client.mailboxOpen("INBOX");
  const { source } = await client.fetchOne("1", { envelope: true, source: true, bodyStructure: true });
  await client.append("INBOX", "Subject: added\r\n\r\nx\r\n", ["\\Seen"]);
  assert.deepEqual(await client.search({ subject: "added" }), [exists + 1]);
  assert.equal(await client.messageFlagsAdd("1", ["\\Flagged"]), true);
  assert.equal(await client.messageDelete("1"), true);
  await client.logout();
  return source.toString();
}

/** As much of node-imap as is used here. */
interface NodeImap {
  connect(): void;
  end(): void;
  once(event: "ready" | "end", listener: () => void): void;
  once(event: "error", listener: (error: Error) => void): void;
  openBox(name: string, readOnly: boolean, done: (error: Error | null) => void): void;
  seq: {
    fetch(
      set: string,
      query: object,
    ): {
      on(event: "message", listener: (message: NodeImapMessage) => void): void;
      once(event: "end", listener: () => void): void;
      once(event: "error", listener: (error: Error) => void): void;
    };
  };
}

interface NodeImapMessage {
  on(event: "body", listener: (stream: AsyncIterable<Buffer>) => void): void;
}

/** Drives node-imap; returns the raw first message. */
export async function visitByNodeImap(modules: URL, visit: Visit): Promise<string> {
  const Client = (await load(modules, "imap")) as new (options: object) => NodeImap;
  const client = new Client({
    ...{ user: visit.user, password: visit.password, host: "localhost", port: visit.port, tls: true },
    tlsOptions: { ca: visit.certificates.ca },
  });
  await new Promise<void>((resolve, reject) => {
    client.once("ready", resolve);
    client.once("error", reject);
    client.connect();
  });
  await new Promise<void>((resolve, reject) => {
    client.openBox("INBOX", true, (error) =>
      error === null || error === undefined ? resolve() : reject(error),
    );
  });
  const source = await new Promise<string>((resolve, reject) => {
    const fetching = client.seq.fetch("1", { bodies: "", struct: true });
    let body: Promise<string> = Promise.resolve("");
    fetching.on("message", (message) => {
      message.on("body", (stream) => {
        body = gathered(stream);
      });
    });
    fetching.once("error", reject);
    fetching.once("end", () => resolve(body));
  });
  client.end();
  return source;
}

async function gathered(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function load(modules: URL, name: string): Promise<unknown> {
  const loaded = (await import(createRequire(modules).resolve(name))) as { readonly default?: unknown };
  return name === "imap" ? loaded.default : loaded;
}
