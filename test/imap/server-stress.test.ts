/** Many clients at once, each of which keeps count of what it was told: short here, and a minute under HAWSER_STRESS=1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ImapServer } from "../../src/imap/server.js";
import { MemoryMailStore } from "../../src/mail/index.js";
import { nodeProvider } from "../../src/transport/node.js";
import { accounts, Client, message } from "./server-support.js";

const stress = process.env["HAWSER_STRESS"] === "1";
const durationMs = stress ? 60_000 : 3000;
const clients = 20;

/** A small generator of numbers, the same ones for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
}

/** What a client knows by what it was told: the UID of each sequence number, where it was told. */
class Mirror {
  uids: (number | undefined)[] = [];

  /** Follows a line; a sequence number that cannot be is a state error. */
  follow(line: string, mayExpunge: boolean): void {
    const [, number, what, rest = ""] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)$/s.exec(line) ?? [];
    if (what === undefined) return;
    const value = Number(number);
    if (what === "EXISTS") this.#exists(value);
    else if (what === "EXPUNGE") this.#expunge(value, mayExpunge);
    else this.#fetch(value, Number(/UID (\d+)/.exec(rest)?.[1] ?? 0));
  }

  #exists(count: number): void {
    assert.ok(count >= this.uids.length, `EXISTS went from ${this.uids.length} to ${count}`);
    while (this.uids.length < count) this.uids.push(undefined);
  }

  #expunge(sequence: number, allowed: boolean): void {
    assert.ok(allowed, "an EXPUNGE where none may be");
    assert.ok(sequence >= 1 && sequence <= this.uids.length, `EXPUNGE ${sequence} of ${this.uids.length}`);
    this.uids.splice(sequence - 1, 1);
  }

  #fetch(sequence: number, uid: number): void {
    assert.ok(sequence >= 1 && sequence <= this.uids.length, `FETCH ${sequence} of ${this.uids.length}`);
    if (uid === 0) return;
    const known = this.uids[sequence - 1];
    assert.ok(known === undefined || known === uid, `message ${sequence} was ${known} and is ${uid}`);
    assert.ok((this.uids[sequence - 2] ?? 0) < uid, "UIDs ascend");
    this.uids[sequence - 1] = uid;
  }
}

/** Commands of all kinds; `%` is a message of the mailbox. */
const commands: readonly string[] = [
  ...["FETCH % (UID FLAGS)", "FETCH 1:* (UID FLAGS)", "UID FETCH 1:* (FLAGS)", "FETCH % (UID ENVELOPE)"],
  ...["STORE % +FLAGS (\\Seen)", "STORE % +FLAGS (\\Deleted)", "STORE % FLAGS.SILENT (\\Answered)"],
  ...["SEARCH UNSEEN", "UID SEARCH DELETED", "SEARCH TEXT hello", "SORT (SUBJECT) UTF-8 ALL", "NOOP", "NOOP"],
  ...["EXPUNGE", "COPY % INBOX", "COPY % Other", "MOVE % Other", "CHECK", "THREAD REFERENCES UTF-8 ALL"],
  ...['LIST "" *', "STATUS Other (MESSAGES UNSEEN)", "FETCH % (UID BODY.PEEK[])", "IDLE"],
];

class Actor {
  readonly #client: Client;
  readonly #random: (below: number) => number;
  #mirror: Mirror = new Mirror();
  #tags = 0;
  count = 0;

  constructor(client: Client, seed: number) {
    this.#client = client;
    this.#random = randomOf(seed);
  }

  async begin(): Promise<void> {
    await this.#client.line();
    await this.#client.ok("LOGIN alice secret");
    await this.#select();
  }

  async #select(): Promise<void> {
    this.#mirror = new Mirror();
    await this.#run(this.#random(4) === 0 ? "SELECT Other" : "SELECT INBOX", true);
  }

  async step(): Promise<void> {
    this.count += 1;
    if (this.#random(25) === 0) return await this.#select();
    if (this.#random(6) === 0) return await this.#append();
    const command = commands[this.#random(commands.length)] ?? "NOOP";
    const { length } = this.#mirror.uids;
    if (command.includes("%") && length === 0) return;
    const sequence = String(1 + this.#random(Math.max(1, length)));
    if (command === "IDLE") return await this.#idle();
    await this.#run(command.replace("%", sequence), !/^(?:FETCH|STORE|SEARCH|SORT|THREAD)/.test(command));
  }

  async #append(): Promise<void> {
    const text = message(`appended ${this.count}`, "hello\r\n");
    await this.#run(`APPEND INBOX {${text.length}+}\r\n${text}`, true);
  }

  async #idle(): Promise<void> {
    const tag = `i${++this.#tags}`;
    await this.#client.write(`${tag} IDLE\r\n`);
    for (let line = await this.#client.line(); line !== "+ idling"; line = await this.#client.line())
      this.#mirror.follow(line, true);
    await this.#client.write("DONE\r\n");
    await this.#finish(tag, true);
  }

  async #run(command: string, mayExpunge: boolean): Promise<void> {
    const tag = `a${++this.#tags}`;
    await this.#client.write(`${tag} ${command}\r\n`);
    const last = await this.#finish(tag, mayExpunge);
    const isFine = /^\S+ (?:OK|NO \[(?:CANNOT|EXPUNGEISSUED)\])/.test(last);
    assert.ok(isFine, `${command}: ${last}`);
  }

  async #finish(tag: string, mayExpunge: boolean): Promise<string> {
    for (;;) {
      const line = await this.#client.line();
      if (line.startsWith(`${tag} `)) return line;
      this.#mirror.follow(line, mayExpunge);
    }
  }

  /** In the end the client and the store agree. */
  async end(store: MemoryMailStore): Promise<void> {
    this.#mirror = new Mirror();
    await this.#run("SELECT INBOX", true);
    await this.#run("NOOP", true);
    await this.#run("FETCH 1:* (UID)", true);
    const inbox = await store.mailbox("alice", "INBOX");
    const messages = await store.list(inbox?.mailboxId ?? "");
    assert.deepEqual(
      this.#mirror.uids,
      messages.map(({ uid }) => uid),
    );
  }
}

test(`${clients} clients with mixed commands for ${durationMs / 1000} s: no state errors`, async (context) => {
  const store = MemoryMailStore.of({
    alice: Array.from({ length: 200 }, (_, index) => message(String(index))),
  });
  await store.createMailbox("alice", "Other");
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  await using server = await ImapServer.listen({
    ...{ port: 0, store, accounts, allowClearTextAuth: true, onError },
  });
  const { host, port } = server.address;
  const made = Array.from({ length: clients }, async (_, index) => {
    const client = new Client(await nodeProvider.connect({ host, port }));
    return { client, actor: new Actor(client, index + 1) };
  });
  const actors = await Promise.all(made);
  const endMs = performance.now() + durationMs;
  const delivering = deliverUntil(store, endMs);
  await Promise.all(
    actors.map(async ({ actor }) => {
      await actor.begin();
      while (performance.now() < endMs) await actor.step();
    }),
  );
  await delivering;
  for (const { actor } of actors) await actor.end(store);
  for (const { client } of actors) await client.close();
  context.diagnostic(`${actors.reduce((sum, { actor }) => sum + actor.count, 0)} commands`);
  assert.deepEqual(errors, []);
});

/** Mail comes in all the while, and what is too much goes out. */
async function deliverUntil(store: MemoryMailStore, endMs: number): Promise<void> {
  const inbox = await store.mailbox("alice", "INBOX");
  while (performance.now() < endMs) {
    await store.deliver("alice", { content: Buffer.from(message("delivered", "hello\r\n")) });
    const messages = await store.list(inbox?.mailboxId ?? "");
    const [first] = messages;
    if (messages.length > 300 && first !== undefined)
      await store.expunge(inbox?.mailboxId ?? "", [{ first: first.uid, last: first.uid + 50 }], {
        all: true,
      });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
