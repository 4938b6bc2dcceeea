/** Clients of IMAP: `client.js hawser|hawser-pipelined|imapflow|imap JOB PORT USER PASSWORD COUNT`. Each does its job twice. */
import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import { ImapClient } from "../../../src/imap/index.js";
import { benchModules } from "../../contenders.js";
import { reportWork } from "../../peers.js";
import { args, numberArgument, play } from "../../sockets/peers/peer.js";
import { multipart } from "../message.js";

const [port, count] = [numberArgument(2), numberArgument(5)] as const;
const [job = "", user = "", password = ""] = [args[1], args[3], args[4]];
const host = "127.0.0.1";
const depth = 16;
let runs = 0;

type Jobs = Readonly<Record<string, () => Promise<unknown>>>;

await play({ hawser: () => hawser(false), "hawser-pipelined": () => hawser(true), imapflow, imap: nodeImap });
process.exit();

/** Once to warm up, and once for the clock. */
async function measure(jobs: Jobs): Promise<void> {
  const run = jobs[job];
  if (run === undefined) throw new Error(`there is no job ${job}`);
  await run();
  await reportWork(run);
}

async function hawser(pipelined: boolean): Promise<void> {
  const auth = { user, password };
  const client = await ImapClient.connect({ host, port, tls: "none", auth, allowClearText: true });
  const inbox = await client.select("INBOX");
  await measure({
    envelopes: () => counted(inbox.fetch("1:*", ["ENVELOPE", "BODYSTRUCTURE"])),
    bodies: () => counted(inbox.fetch("1:*", ["BODY.PEEK[]"])),
    "uid-fetch": () => concurrently((uid) => inbox.fetchOne(uid, ["FLAGS", "ENVELOPE"])),
    append: () => hawserAppends(client, pipelined),
  });
}

/** All in one command (MULTIAPPEND), or a command for each, without waiting in between. */
async function hawserAppends(client: ImapClient, pipelined: boolean): Promise<void> {
  const mailbox = newMailbox();
  await client.create(mailbox);
  const sources = messages();
  if (pipelined) await Promise.all(sources.map((source) => client.append(mailbox, source)));
  else await client.appendMany(mailbox, sources.map(asSource));
}

async function imapflow(): Promise<void> {
  const { ImapFlow } = createRequire(benchModules)("imapflow") as ImapFlowModule;
  const auth = { user, pass: password };
  const client = new ImapFlow({ host, port, secure: false, doSTARTTLS: false, auth, logger: false });
  await client.connect();
  await client.mailboxOpen("INBOX");
  await measure({
    envelopes: () => counted(client.fetch("1:*", { envelope: true, bodyStructure: true })),
    "uid-fetch": () =>
      concurrently((uid) => client.fetchOne(`${uid}`, { flags: true, envelope: true }, { uid: true })),
    append: async () => {
      const mailbox = newMailbox();
      await client.mailboxCreate(mailbox);
      await Promise.all(messages().map((message) => client.append(mailbox, Buffer.from(message.buffer))));
    },
  });
}

async function nodeImap(): Promise<void> {
  const Imap = createRequire(benchModules)("imap") as NodeImap;
  const client = new Imap({ host, port, user, password, tls: false });
  await new Promise((resolve, reject) => client.once("ready", resolve).once("error", reject).connect());
  await new Promise((resolve) => client.openBox("INBOX", true, resolve));
  await measure({
    envelopes: () => nodeImapFetch(client, { envelope: true, struct: true }),
    bodies: () => nodeImapFetch(client, { bodies: "" }),
  });
}

async function nodeImapFetch(client: NodeImapClient, what: object): Promise<void> {
  let seen = 0;
  const fetching = client.seq.fetch("1:*", what);
  fetching.on("message", (message) => {
    message.on("body", (stream) => {
      const pieces: Uint8Array[] = [];
      stream.on("data", (piece) => pieces.push(piece)).on("end", () => Buffer.concat(pieces));
    });
    message.once("end", () => {
      seen += 1;
    });
  });
  await new Promise((resolve, reject) => fetching.once("end", resolve).once("error", reject));
  if (seen !== count) throw new Error(`${seen} messages of ${count}`);
}

/** What is used of imapflow. */
interface ImapFlowModule {
  readonly ImapFlow: new (
    options: object,
  ) => {
    connect(): Promise<void>;
    mailboxOpen(name: string): Promise<unknown>;
    mailboxCreate(name: string): Promise<unknown>;
    fetch(range: string, query: object): AsyncIterable<unknown>;
    fetchOne(range: string, query: object, options: object): Promise<unknown>;
    append(name: string, content: Uint8Array): Promise<unknown>;
  };
}

/** What is used of node-imap. */
type NodeImap = new (options: object) => NodeImapClient;

interface NodeImapClient {
  once(event: "ready" | "error", listener: (value: unknown) => void): this;
  connect(): void;
  openBox(name: string, readOnly: boolean, done: (error?: unknown) => void): void;
  readonly seq: { fetch(set: string, what: object): NodeImapFetch };
}

interface NodeImapFetch {
  on(event: "message", listener: (message: NodeImapMessage) => void): this;
  once(event: "end" | "error", listener: (value: unknown) => void): this;
}

interface NodeImapMessage {
  on(event: "body", listener: (stream: Readable) => void): this;
  once(event: "end", listener: () => void): this;
}

async function counted(fetched: AsyncIterable<unknown>): Promise<void> {
  let seen = 0;
  for await (const _ of fetched) seen += 1;
  if (seen !== count) throw new Error(`${seen} messages of ${count}`);
}

/** One message after the other, by so many callers at once. */
async function concurrently(one: (uid: number) => Promise<unknown>): Promise<void> {
  let next = 1;
  const caller = async (): Promise<void> => {
    while (next <= count) {
      const uid = next;
      next += 1;
      if (!(await one(uid))) throw new Error(`there is no message ${uid}`);
    }
  };
  await Promise.all(Array.from({ length: depth }, caller));
}

function asSource(source: Uint8Array): { readonly source: Uint8Array } {
  return { source };
}

function newMailbox(): string {
  runs += 1;
  return `bench-${process.pid}-${runs}`;
}

function messages(): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => multipart(index));
}
