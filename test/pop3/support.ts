/** What the tests of POP3 share: a store with some mail, and a client and a server joined in memory. */
import { MemoryMailStore } from "../../src/mail/memory-store.js";
import { Pop3Client, type Pop3ClientOptions } from "../../src/pop3/client.js";
import { Pop3Server } from "../../src/pop3/server.js";
import type { Pop3ServerOptions } from "../../src/pop3/server-options.js";
import { Accounts } from "../../src/sasl/index.js";
import { type MemoryPairOptions, memoryPair } from "../../src/transport/memory.js";
import type { Transport } from "../../src/transport/types.js";

export const alice = { user: "alice", password: "tiger" } as const;
export const accounts: Accounts = Accounts.of(
  { alice: "tiger", bob: "lion" },
  { iterations: 4096, keepPlain: true },
);

/** Dots at every place where they matter, a long line, an empty body. */
export const messages: readonly string[] = [
  "Subject: one\r\n\r\nfirst line\r\n.\r\n..\r\n.dot\r\nlast line\r\n",
  "Subject: two\r\n\r\n",
  `Subject: three\r\n\r\n${"x".repeat(5000)}\r\n.\r\n`,
  "Subject: four\r\n\r\n1\r\n2\r\n3\r\n4\r\n",
];

export async function storeOf(mail: readonly string[] = messages): Promise<MemoryMailStore> {
  return MemoryMailStore.of({ alice: [...mail], bob: [] });
}

/** Where a check is missing, a test fails within seconds and does not wait for the minutes of the RFCs. */
const soon = { replyMs: 5_000, idleMs: 5_000 } as const;

/** A client of a connection that stands already. */
export async function over(transport: Transport, options: Pop3ClientOptions = {}): Promise<Pop3Client> {
  return await Pop3Client.over(transport, { ...soon, ...options });
}

/** A server that serves memory pairs. */
export async function serverOf(options: Partial<Pop3ServerOptions> = {}): Promise<Pop3Server> {
  const isOwn = options.handler === undefined && options.store === undefined;
  return new Pop3Server({
    ...{ accounts, allowClearTextAuth: true, idleMs: 5_000, preAuthMs: 5_000 },
    ...(isOwn && { store: await storeOf() }),
    ...options,
  });
}

/** A client of the server, and the conversation on the server's side. */
export async function clientOf(
  server: Pop3Server,
  options: Pop3ClientOptions = {},
  pair: MemoryPairOptions = {},
): Promise<{ client: Pop3Client; served: Promise<void> }> {
  const [near, far] = memoryPair(pair);
  const served = server.serve(far);
  return { client: await over(near, { auth: alice, allowClearText: true, ...options }), served };
}

/**
 * A server that says what it is told: after the greeting, the answers in turn, each once a line has come. `""` says
 * nothing. What the client has sent stands in `lines`.
 */
export function scripted(
  answers: readonly string[],
  greeting = "+OK ready\r\n",
): { near: Transport; far: Transport; lines: string[] } {
  const [near, far] = memoryPair();
  const lines: string[] = [];
  void play(far, greeting, [...answers], lines).catch(() => {});
  return { near, far, lines };
}

async function play(far: Transport, greeting: string, answers: string[], lines: string[]): Promise<void> {
  if (greeting !== "") await far.write(Buffer.from(greeting, "latin1"));
  let text = "";
  for (let chunk = await far.read(); chunk !== undefined; chunk = await far.read()) {
    text += Buffer.from(chunk).toString("latin1");
    for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
      lines.push(text.slice(0, end));
      text = text.slice(end + 2);
      const answer = answers.shift();
      if (answer) await far.write(Buffer.from(answer, "latin1"));
    }
  }
}

/** Looks at every turn of the event loop. */
export function until(isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isSo()) resolve();
      else setImmediate(look);
    };
    look();
  });
}
