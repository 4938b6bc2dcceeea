/** A client of plain lines, and servers for it to talk to. */
import assert from "node:assert/strict";
import { Accounts } from "../../src/sasl/index.js";
import { Collector } from "../../src/smtp/memory.js";
import { SmtpServer, type SmtpServerOptions } from "../../src/smtp/server.js";
import { ByteStream } from "../../src/transport/byte-stream.js";
import { memoryPair } from "../../src/transport/memory.js";
import { nodeProvider } from "../../src/transport/node.js";
import type { Transport } from "../../src/transport/types.js";

/** Every test ends, whatever breaks. */
export const waitMs = 10_000;

export class Talk implements AsyncDisposable {
  readonly transport: Transport;
  #stream: ByteStream;

  constructor(transport: Transport) {
    this.transport = transport;
    this.#stream = new ByteStream(transport);
  }

  /** Sends text as it stands. */
  async send(text: string | Uint8Array): Promise<void> {
    await this.transport.write(typeof text === "string" ? Buffer.from(text, "utf8") : text);
  }

  /** The next reply: its lines joined by `|`. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#stream.receive((queue) => queue.takeCrLfLine(8192), { timeoutMs: waitMs });
      lines.push(Buffer.from(line).toString("utf8"));
      if (lines.at(-1)?.[3] !== "-") return lines.join("|");
    }
  }

  /** Sends lines in one write and gives as many replies. */
  async say(...lines: readonly string[]): Promise<string[]> {
    await this.send(lines.map((line) => `${line}\r\n`).join(""));
    const replies: string[] = [];
    for (const _ of lines) replies.push(await this.reply());
    return replies;
  }

  /** Each line must get the reply that begins so. */
  async expect(...steps: readonly (readonly [line: string, reply: string])[]): Promise<void> {
    for (const [line, want] of steps) {
      const [got = ""] = await this.say(line);
      assert.ok(got.startsWith(want), `${line} got "${got}" and not "${want}"`);
    }
  }

  /** Greeting, EHLO, MAIL, RCPT. */
  async upTo(stage: "greeting" | "hello" | "mail" | "rcpt", hello = "EHLO client.test"): Promise<this> {
    await this.reply();
    if (stage === "greeting") return this;
    await this.expect([hello, "250"]);
    if (stage === "hello") return this;
    await this.expect(["MAIL FROM:<a@client.test>", "250"]);
    if (stage === "mail") return this;
    await this.expect(["RCPT TO:<b@server.test>", "250"]);
    return this;
  }

  /** Whether the server has ended the connection, with nothing more said but that this is no TLS: an alert record. */
  async endedInAlert(): Promise<void> {
    const end = (queue: { readonly length: number; readonly ended: boolean; peek(): Uint8Array }) =>
      queue.ended ? Buffer.from(queue.peek()).toString("latin1") : undefined;
    const rest = await this.#stream
      .receive(end, { timeoutMs: waitMs })
      .catch((error: { code?: string }) => (error.code === "HAWSER_DEADLINE" ? "still open" : ""));
    assert.ok(rest === "" || (rest.startsWith("\x15\x03") && rest.length <= 10), JSON.stringify(rest));
  }

  /** Whether the server has ended the connection, with nothing more said. */
  async ended(): Promise<void> {
    const rest = await this.#stream
      .receive(
        (queue) => (queue.length > 0 ? Buffer.from(queue.peek()).toString() : queue.ended ? "" : undefined),
        {
          timeoutMs: waitMs,
        },
      )
      .catch((error: { code?: string }) => (error.code === "HAWSER_DEADLINE" ? "still open" : ""));
    assert.equal(rest, "");
  }

  async secure(ca: string): Promise<void> {
    await this.#stream.startTls(
      { role: "client", options: { ca, serverName: "localhost" } },
      { timeoutMs: waitMs },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.close();
  }
}

/** A server that keeps what it gets. */
export class Host implements AsyncDisposable {
  readonly mail: Collector;
  readonly errors: unknown[] = [];
  readonly server: SmtpServer;
  readonly served: Promise<void>[] = [];

  constructor(options: SmtpServerOptions = {}) {
    this.mail = new Collector(options.accounts);
    this.server = new SmtpServer({
      ...(options.handler === undefined && options.store === undefined && { handler: this.mail }),
      onError: (error) => this.errors.push(error),
      ...options,
    });
  }

  /** A client over memory. */
  memory(fragmentBytes = 65_536): Talk {
    const [near, far] = memoryPair({ fragmentBytes });
    this.served.push(this.server.serve(far));
    return new Talk(near);
  }

  /** A client over TCP. */
  async tcp(): Promise<Talk> {
    const address = await this.server.listen({ port: 0 });
    return new Talk(await nodeProvider.connect(address, { timeoutMs: waitMs }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await Promise.all(this.served);
  }
}

export const fragments: readonly number[] = [1, 7, 65_536];

/** Few iterations: what SCRAM costs is not what is tested here. */
export function accounts(): Accounts {
  return Accounts.of({ alice: "wonderland" }, { iterations: 4096, keepPlain: true });
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
