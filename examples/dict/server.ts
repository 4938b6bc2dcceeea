/** The DICT server: the conversation with one client, and a table of what each command does. */
import { HawserError } from "../../src/core/errors.js";
import { Acceptor, type ListenOptions } from "../../src/engine/acceptor.js";
import { type Fault, FaultPlan } from "../../src/engine/faults.js";
import { ServerChannel, type ServerChannelOptions } from "../../src/engine/server-channel.js";
import type { Endpoint, Transport } from "../../src/transport/types.js";
import {
  commandDecoder,
  formatDefinition,
  formatLines,
  formatReply,
  formatWord,
  parseWords,
} from "./codec.js";
import type { DictHandler, DictName } from "./types.js";

/** What a server takes. */
export interface DictServerOptions extends ListenOptions, Omit<ServerChannelOptions, "faults"> {
  readonly handler: DictHandler;
  /** What goes wrong on purpose. `connect` is the greeting. */
  readonly faults?: readonly Fault[] | undefined;
  /** Told what a handler threw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Answers DICT clients. `listen` accepts connections, `serve` is the conversation with one client. */
export class DictServer implements AsyncDisposable {
  readonly #options: DictServerOptions;
  readonly #faults: FaultPlan;
  readonly #acceptor: Acceptor;

  constructor(options: DictServerOptions) {
    this.#options = options;
    this.#faults = new FaultPlan(options.faults);
    this.#acceptor = new Acceptor({
      serve: (transport) => this.serve(transport),
      // DICT has nothing to protect: a dictionary may stand open to all.
      safeInPublic: true,
      onError: (error) => this.#options.onError?.(error),
    });
  }

  /** Makes a server and listens. */
  static async listen(options: DictServerOptions): Promise<DictServer> {
    const server = new DictServer(options);
    await server.#acceptor.listen(options);
    return server;
  }

  /** Where the server listens. */
  get address(): Endpoint {
    return this.#acceptor.addresses[0] ?? {};
  }

  /** The conversation with one client, to its end. It does not reject for what the client does. */
  async serve(transport: Transport): Promise<void> {
    const { handler, onError } = this.#options;
    const channel = new ServerChannel("dict", transport, { ...this.#options, faults: this.#faults });
    try {
      await converse({ channel, handler, onError });
    } catch (error) {
      // A client that went away, sent too long a line or fell silent: the connection ends, and that is all.
      if (!(error instanceof HawserError)) onError?.(error);
    }
    await channel.hangUp();
  }

  /** Stops accepting, and ends the connections after `graceMs`. */
  async close(options: { readonly graceMs?: number } = {}): Promise<void> {
    await this.#acceptor.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface Session {
  readonly channel: ServerChannel;
  readonly handler: DictHandler;
  readonly onError: DictServerOptions["onError"];
}

async function converse(session: Session): Promise<void> {
  const { channel } = session;
  if (await channel.interfere("connect")) return;
  await channel.reply(formatReply(220, "hawser <> <0@localhost>"));
  for (;;) {
    const line = await channel.receive(commandDecoder);
    channel.tracer.note("C", line);
    const [verb = "", ...words] = wordsOf(line);
    if (await channel.interfere(verb, line)) continue;
    if (verb.toUpperCase() === "QUIT") return await channel.reply(formatReply(221, "bye"));
    await answer(session, verb.toUpperCase(), words);
  }
}

/** What is not made of words is an unknown command, and no reason to end the conversation. */
function wordsOf(line: string): string[] {
  try {
    return parseWords(line);
  } catch {
    return [];
  }
}

/** What a handler throws is its own affair: the client hears 420, and the conversation goes on. */
async function answer(session: Session, verb: string, words: readonly string[]): Promise<void> {
  const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (command === undefined) return await say(session, 500, "unknown command");
  try {
    await command(session, words);
  } catch (error) {
    if (error instanceof HawserError && !error.usable) throw error;
    session.onError?.(error);
    await say(session, 420, "server temporarily unavailable");
  }
}

type Command = (session: Session, words: readonly string[]) => Promise<void>;

const commands: Readonly<Record<string, Command>> = {
  DEFINE: define,
  MATCH: match,
  SHOW: show,
  CLIENT: (session) => say(session, 250, "ok"),
  STATUS: (session) => say(session, 210, "up"),
  HELP: (session) => sayText(session, 113, "help text follows", helpOf(session)),
};

/** Section 3.2. */
async function define(session: Session, [database, word]: readonly string[]): Promise<void> {
  if (database === undefined || word === undefined) return await say(session, 501, "DEFINE database word");
  const asked = databasesFor(session, database);
  if (asked === undefined) return await say(session, 550, "invalid database, use SHOW DB for a list");
  const found = await inEach(asked, database, ({ name }) => session.handler.define(name, word));
  if (found.length === 0) return await say(session, 552, "no match");
  await say(session, 150, `${found.length} definitions retrieved`);
  for (const { from, value: lines } of found) {
    const heading = formatDefinition({ word, database: from.name, title: from.title });
    await session.channel.replyWithBody(formatReply(151, heading), formatLines(lines));
  }
  await say(session, 250, "ok");
}

/** Section 3.3. */
async function match(session: Session, [database, strategy, word]: readonly string[]): Promise<void> {
  const { handler } = session;
  if (handler.match === undefined) return await say(session, 502, "not implemented");
  if (database === undefined || strategy === undefined || word === undefined)
    return await say(session, 501, "MATCH database strategy word");
  const asked = databasesFor(session, database);
  if (asked === undefined) return await say(session, 550, "invalid database, use SHOW DB for a list");
  const known = handler.strategies?.find(({ name }, index) =>
    strategy === "." ? index === 0 : name === strategy,
  );
  if (known === undefined) return await say(session, 551, "invalid strategy, use SHOW STRAT for a list");
  const found = await inEach(
    asked,
    database,
    async ({ name }) => await handler.match?.(name, known.name, word),
  );
  if (found.length === 0) return await say(session, 552, "no match");
  const lines = found.map(({ from, value }) => `${formatWord(from.name)} ${formatWord(value)}`);
  await sayText(session, 152, `${lines.length} matches found`, lines);
  await say(session, 250, "ok");
}

/** Section 3.5. */
async function show(session: Session, [what = ""]: readonly string[]): Promise<void> {
  const { databases, strategies = [] } = session.handler;
  const kind = what.toUpperCase();
  if (kind === "DB" || kind === "DATABASES")
    return await list(session, databases, 110, 554, "databases present");
  if (kind === "STRAT" || kind === "STRATEGIES")
    return await list(session, strategies, 111, 555, "strategies available");
  await say(session, 501, "SHOW DB or SHOW STRAT");
}

async function list(
  session: Session,
  names: readonly DictName[],
  code: number,
  noneCode: number,
  what: string,
): Promise<void> {
  if (names.length === 0) return await say(session, noneCode, `no ${what}`);
  const lines = names.map(({ name, title }) => `${formatWord(name)} ${formatWord(title)}`);
  await sayText(session, code, `${names.length} ${what}`, lines);
  await say(session, 250, "ok");
}

/** Section 3.4: `*` is all databases, `!` all until one has an answer. `undefined`: there is no such one. */
function databasesFor({ handler }: Session, database: string): readonly DictName[] | undefined {
  if (database === "*" || database === "!") return handler.databases;
  const named = handler.databases.filter(({ name }) => name === database);
  return named.length === 0 ? undefined : named;
}

async function inEach<T>(
  databases: readonly DictName[],
  asked: string,
  find: (database: DictName) => Promise<readonly T[] | undefined>,
): Promise<{ readonly from: DictName; readonly value: T }[]> {
  const found: { from: DictName; value: T }[] = [];
  for (const from of databases) {
    for (const value of (await find(from)) ?? []) found.push({ from, value });
    if (asked === "!" && found.length > 0) break;
  }
  return found;
}

function helpOf({ handler }: Session): string[] {
  const optional = handler.match === undefined ? [] : ["MATCH database strategy word"];
  return ["DEFINE database word", ...optional, "SHOW DB", "SHOW STRAT", "STATUS", "HELP", "QUIT"];
}

async function say({ channel }: Session, code: number, text: string): Promise<void> {
  await channel.reply(formatReply(code, text));
}

async function sayText(
  session: Session,
  code: number,
  text: string,
  lines: readonly string[],
): Promise<void> {
  await session.channel.replyWithBody(formatReply(code, text), formatLines(lines));
}
