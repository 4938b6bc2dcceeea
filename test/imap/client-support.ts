/** A server that says what a test tells it to. */
import assert from "node:assert/strict";
import { ImapClient, type ImapClientOptions } from "../../src/imap/client.js";
import type { Mailbox } from "../../src/imap/client-mailbox.js";
import { ByteStream } from "../../src/transport/byte-stream.js";
import { memoryPair } from "../../src/transport/memory.js";
import type { Transport } from "../../src/transport/types.js";

/** One command as it came, literals and all. */
export interface Received {
  readonly tag: string;
  /** Everything behind the tag, literals in place behind their `{n}`. */
  readonly text: string;
}

/** The server's end of a conversation. */
export class Scripted {
  readonly stream: ByteStream;
  readonly received: Received[] = [];

  constructor(transport: Transport) {
    this.stream = new ByteStream(transport);
  }

  async send(text: string | Uint8Array): Promise<void> {
    await this.stream.write(typeof text === "string" ? Buffer.from(text) : text);
  }

  async line(): Promise<string> {
    const line = await this.stream.receive((queue) => queue.takeCrLfLine(10_000_000), { timeoutMs: 5_000 });
    return Buffer.from(line).toString("utf8");
  }

  /** A command; literals that wait are asked for with `+`. */
  async command(): Promise<Received> {
    let whole = await this.line();
    for (;;) {
      const [, size, plus] = /\{([0-9]+)(\+?)\}$/.exec(whole) ?? [];
      if (size === undefined) break;
      if (plus === "") await this.send("+ go on\r\n");
      const octets = Number(size);
      const data = await this.stream.receive(
        (queue) => (queue.length < octets ? undefined : queue.take(octets)),
        {
          timeoutMs: 5_000,
        },
      );
      whole += `\r\n${Buffer.from(data).toString("utf8")}${await this.line()}`;
    }
    const space = whole.indexOf(" ");
    const received = { tag: whole.slice(0, space), text: whole.slice(space + 1) };
    this.received.push(received);
    return received;
  }

  /** Takes a command, holds it against `want`, and answers: `$` in the answer is its tag. */
  async expect(want: string | RegExp, answer: string): Promise<Received> {
    const received = await this.command();
    if (typeof want === "string") assert.equal(received.text, want);
    else assert.match(received.text, want);
    await this.send(answer.replaceAll("$", received.tag));
    return received;
  }

  /** Answers every command by a function, until the client is gone. A command that it does not know is OK. */
  async serve(answer: (text: string) => string | undefined = () => undefined): Promise<void> {
    try {
      for (;;) {
        const { tag, text } = await this.command();
        const told = answer(text) ?? usual(text) ?? "$ OK done\r\n";
        await this.send(told.replaceAll("$", tag));
        if (text === "LOGOUT") return;
      }
    } catch {
      // The client is gone.
    }
  }

  async close(): Promise<void> {
    await this.stream.close();
  }
}

const selected =
  "* 3 EXISTS\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 30] x\r\n$ OK [READ-WRITE] ok\r\n";

function usual(text: string): string | undefined {
  if (/^(?:SELECT|EXAMINE) /.test(text)) return selected;
  if (text === "LOGOUT") return "* BYE see you\r\n$ OK bye\r\n";
  return text === "CAPABILITY" ? "* CAPABILITY IMAP4rev1\r\n$ OK ok\r\n" : undefined;
}

/** Everything that this client can use. */
export const allCapabilities: string =
  "IMAP4rev1 LITERAL+ SASL-IR ENABLE IDLE NAMESPACE ID UIDPLUS MOVE UNSELECT CONDSTORE QRESYNC ESEARCH SEARCHRES SORT ESORT " +
  "THREAD=REFERENCES WITHIN PARTIAL BINARY COMPRESS=DEFLATE SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS " +
  "STATUS=SIZE REPLACE QUOTA ACL METADATA OBJECTID SAVEDATE PREVIEW NOTIFY UNAUTHENTICATE X-GM-EXT-1";

/** How a conversation is begun. */
export interface TalkOptions {
  readonly fragmentBytes?: number;
  readonly capabilities?: string;
  readonly greeting?: string;
  readonly client?: ImapClientOptions;
}

/** A client that is logged in (by PREAUTH) and the server that it talks to. */
export async function talk(options: TalkOptions = {}): Promise<{ client: ImapClient; server: Scripted }> {
  const [near, far] = memoryPair(
    options.fragmentBytes === undefined ? {} : { fragmentBytes: options.fragmentBytes },
  );
  const server = new Scripted(far);
  const { capabilities = "IMAP4rev1 LITERAL+ UIDPLUS IDLE" } = options;
  await server.send(options.greeting ?? `* PREAUTH [CAPABILITY ${capabilities}] hi\r\n`);
  const client = await ImapClient.over(near, { allowPreauth: true, enable: [], ...options.client });
  return { client, server };
}

/** The same with a mailbox of three messages selected. */
export async function talkInMailbox(
  options: TalkOptions = {},
  exists = 3,
): Promise<{ client: ImapClient; server: Scripted; mailbox: Mailbox }> {
  const { client, server } = await talk(options);
  const answered = server.expect(/^SELECT /, selected.replace("* 3 ", `* ${exists} `));
  const mailbox = await client.select("INBOX");
  await answered;
  return { client, server, mailbox };
}

/** Fails when the work has not ended within five seconds: what must not hang does not. */
export async function watched<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it hangs: 5 seconds have gone by")), 5_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
