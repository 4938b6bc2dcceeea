/** A client that says lines and reads lines, for tests of the server. */
import assert from "node:assert/strict";
import { ImapServer, type ImapServerOptions } from "../../src/imap/server.js";
import { MemoryMailStore, type MemoryMailStoreOptions, type SeedMessage } from "../../src/mail/index.js";
import { Accounts } from "../../src/sasl/index.js";
import { ByteStream } from "../../src/transport/byte-stream.js";
import { memoryPair } from "../../src/transport/memory.js";
import type { Transport } from "../../src/transport/types.js";

const timeoutMs = 10_000;

export const accounts: Accounts = Accounts.of({ alice: "secret", bob: "hidden" }, { iterations: 4096 });

/** A message with a subject, a body, and whatever other fields. */
export function message(subject: string, body = "Hello.\r\n", fields = ""): string {
  return `From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: ${subject}\r\n${fields}\r\n${body}`;
}

/** One client of a server, line by line. */
export class Client {
  readonly stream: ByteStream;
  #tags = 0;

  constructor(transport: Transport) {
    this.stream = new ByteStream(transport, { maxLineBytes: 10_000_000 });
  }

  async write(text: string | Uint8Array): Promise<void> {
    await this.stream.write(typeof text === "string" ? Buffer.from(text, "utf8") : text);
  }

  /** The next line, with the literals that it announces in it. */
  async line(): Promise<string> {
    let line = "";
    for (;;) {
      const bytes = await this.stream.receive((queue) => queue.takeLine(10_000_000), { timeoutMs });
      line += Buffer.from(bytes).toString("utf8");
      const [, octets] = /\{(\d+)\}$/.exec(line) ?? [];
      if (octets === undefined) return line;
      const count = Number(octets);
      const literal = await this.stream.receive(
        (queue) => (queue.length < count ? undefined : queue.take(count)),
        { timeoutMs },
      );
      line += `\r\n${Buffer.from(literal).toString("utf8")}`;
    }
  }

  /** All lines up to one that matches, which is the last. */
  async until(pattern: RegExp): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      lines.push(line);
      if (pattern.test(line)) return lines;
    }
  }

  /** Sends a command and gives the lines of its answer; the last one without its tag. */
  async send(command: string): Promise<string[]> {
    this.#tags += 1;
    const tag = `t${this.#tags}`;
    await this.write(`${tag} ${command}\r\n`);
    return await this.answer(tag);
  }

  async answer(tag: string): Promise<string[]> {
    const lines = await this.until(new RegExp(`^${tag} `));
    return [...lines.slice(0, -1), lines.at(-1)?.slice(tag.length + 1) ?? ""];
  }

  /** The same, where the answer must be OK. */
  async ok(command: string): Promise<string[]> {
    const lines = await this.send(command);
    assert.match(lines.at(-1) ?? "", /^OK/, `${command}: ${lines.join("\n")}`);
    return lines;
  }

  /** The untagged lines of a command that succeeds. */
  async told(command: string): Promise<string[]> {
    return (await this.ok(command)).slice(0, -1);
  }

  /** The last line of a command that does not succeed. */
  async refused(command: string): Promise<string> {
    const last = (await this.send(command)).at(-1) ?? "";
    assert.doesNotMatch(last, /^OK/, command);
    return last;
  }

  /** Whether the server has ended the connection. */
  async ended(): Promise<boolean> {
    return await this.stream.receive(
      (queue) => {
        queue.drop(queue.length);
        return queue.ended ? true : undefined;
      },
      { timeoutMs },
    );
  }

  async close(): Promise<void> {
    await this.stream.close();
  }
}

/** A server in memory with its clients. */
export class Stage implements AsyncDisposable {
  readonly store: MemoryMailStore;
  readonly server: ImapServer;
  readonly errors: unknown[] = [];
  readonly #clients: Client[] = [];
  readonly #served: Promise<void>[] = [];

  constructor(store: MemoryMailStore, options: Partial<ImapServerOptions> = {}) {
    this.store = store;
    this.server = new ImapServer({
      ...{ store, accounts, allowClearTextAuth: true, onError: (error: unknown) => this.errors.push(error) },
      ...options,
    });
  }

  /** A client that has not logged in, and has not read the greeting. */
  connect(fragmentBytes?: number): Client {
    const [near, far] = memoryPair({ fragmentBytes });
    this.#served.push(this.server.serve(far));
    const client = new Client(near);
    this.#clients.push(client);
    return client;
  }

  async client(user = "alice", fragmentBytes?: number): Promise<Client> {
    const client = this.connect(fragmentBytes);
    await client.line();
    await client.ok(`LOGIN ${user} ${user === "alice" ? "secret" : "hidden"}`);
    return client;
  }

  /** A client with a mailbox selected. */
  async selected(mailbox = "INBOX", fragmentBytes?: number): Promise<Client> {
    const client = await this.client("alice", fragmentBytes);
    await client.ok(`SELECT ${mailbox}`);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    await this.server.close();
    await Promise.all(this.#served);
  }
}

export function stage(
  messages: readonly SeedMessage[] = [],
  options: Partial<ImapServerOptions> = {},
  storeOptions: MemoryMailStoreOptions = {},
): Stage {
  return new Stage(MemoryMailStore.of({ alice: messages, bob: [] }, storeOptions), options);
}
