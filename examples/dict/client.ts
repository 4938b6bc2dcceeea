/** The DICT client: the verbs of RFC 2229 in their order. */
import type { OpOptions } from "../../src/core/deadline.js";
import { RemoteProtocolError, ReplyError } from "../../src/core/errors.js";
import { type ChannelOptions, CommandChannel, type Dialect } from "../../src/engine/command-channel.js";
import { type DialOptions, dial } from "../../src/transport/dial.js";
import type { Transport } from "../../src/transport/types.js";
import { type CommandLine, commandLine } from "../../src/wire/command-line.js";
import { formatWord, parseDefinition, parseMatch, parseName, replyDecoder } from "./codec.js";
import type { DictDefinition, DictMatch, DictName, DictReply } from "./types.js";

/** How a client connects. */
export interface DictClientOptions extends DialOptions, ChannelOptions {}

/** The server said no. 4yz may be worth another try. */
export class DictError extends ReplyError<DictReply> {
  constructor(reply: DictReply, command: string) {
    super(`${command.split(" ", 1)[0]} was refused: ${reply.code} ${reply.text}`, {
      ...{ reply, command, permanent: reply.code >= 500 },
      // 420 and 421 are the server's goodbye (section 2.4.2).
      usable: reply.code !== 420 && reply.code !== 421,
    });
  }
}

const dialect: Dialect<DictReply> = {
  protocol: "dict",
  replyDecoder,
  show: ({ code, text, lines }) => [`${code} ${text}`, ...(lines === undefined ? [] : shownText(lines))],
};

/** As on the wire, so that a trace can be played as a transcript. */
function shownText(lines: readonly string[]): string[] {
  return [...lines.map((line) => (line.startsWith(".") ? `.${line}` : line)), "."];
}

/** Section 2.4.1: "no match" is an answer and no failure. */
const noMatch = 552;

/**
 * A connection to a DICT server.
 *
 * @example
 * await using client = await DictClient.connect({ host: "localhost" });
 * for (const { title, lines } of await client.define("hawser")) console.log(title, lines);
 */
export class DictClient implements AsyncDisposable {
  readonly #channel: CommandChannel<DictReply>;

  private constructor(transport: Transport, options: DictClientOptions) {
    this.#channel = new CommandChannel(transport, dialect, options);
  }

  /** Connects and takes the greeting. The port is 2628 unless another is named. */
  static async connect(options: DictClientOptions = {}): Promise<DictClient> {
    return await DictClient.over(await dial({ port: 2628, ...options }), options);
  }

  /** Does the same over a connection that stands already. It is closed when this fails. */
  static async over(transport: Transport, options: DictClientOptions = {}): Promise<DictClient> {
    const client = new DictClient(transport, options);
    const { signal } = options;
    try {
      await client.#run("the greeting", () => client.#expect(220, "the connection", { signal }), { signal });
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /**
   * DEFINE (section 3.2). `*` asks every database, `!` all up to the first that knows the word. No definition: an empty
   * list.
   *
   * @throws {DictError} there is no such database.
   */
  async define(word: string, database = "*", options: OpOptions = {}): Promise<DictDefinition[]> {
    const line = commandLine("DEFINE", formatWord(database), formatWord(word));
    return await this.#run("DEFINE", async () => {
      const { code, text } = await this.#ask(line, options);
      if (code === noMatch) return [];
      const count = Number.parseInt(text, 10);
      if (code !== 150 || !(count >= 0)) throw unexpected(code, text);
      const definitions: DictDefinition[] = [];
      while (definitions.length < count)
        definitions.push(parseDefinition(await this.#expect(151, "DEFINE", options)));
      await this.#expect(250, "DEFINE", options);
      return definitions;
    });
  }

  /** MATCH (section 3.3). `.` is the strategy that the server likes best; every server has `exact` and `prefix`. */
  async match(word: string, strategy = ".", database = "*", options: OpOptions = {}): Promise<DictMatch[]> {
    const line = commandLine("MATCH", formatWord(database), formatWord(strategy), formatWord(word));
    return (await this.#list(line, 152, options)).map(parseMatch);
  }

  /** SHOW DB (section 3.5.1). */
  async databases(options: OpOptions = {}): Promise<DictName[]> {
    return (await this.#list(commandLine("SHOW", "DB"), 110, options)).map(parseName);
  }

  /** SHOW STRAT (section 3.5.2). */
  async strategies(options: OpOptions = {}): Promise<DictName[]> {
    return (await this.#list(commandLine("SHOW", "STRAT"), 111, options)).map(parseName);
  }

  /** QUIT (section 3.9): says goodbye, takes the answer and closes. */
  async quit(options: OpOptions = {}): Promise<void> {
    try {
      await this.#run("QUIT", () => this.#ask(commandLine("QUIT"), options), options);
    } finally {
      await this.close();
    }
  }

  /** Gives the connection up without a goodbye. */
  async close(): Promise<void> {
    await this.#channel.close();
  }

  /** QUIT where the connection is idle, and the end of it in any case. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#channel.closed) await this.quit({ timeoutMs: 5_000 }).catch(() => {});
    await this.close();
  }

  /** A reply with its list behind it, and the 250 that ends it; or 552, 554 and 555: there is nothing to list. */
  async #list(line: CommandLine, wanted: number, options: OpOptions): Promise<readonly string[]> {
    const verb = line.shown.split(" ", 1)[0] ?? "";
    return await this.#run(verb, async () => {
      const { code, text, lines = [] } = await this.#ask(line, options, [noMatch, 554, 555]);
      if (code >= 500) return [];
      if (code !== wanted) throw unexpected(code, text);
      await this.#expect(250, verb, options);
      return lines;
    });
  }

  async #run<T>(what: string, operation: () => Promise<T>, options: OpOptions = {}): Promise<T> {
    return await this.#channel.exclusive(what, operation, options);
  }

  async #ask(line: CommandLine, options: OpOptions, fine: readonly number[] = [noMatch]): Promise<DictReply> {
    const reply = await this.#channel.call(line, options);
    if (reply.code >= 400 && !fine.includes(reply.code)) throw new DictError(reply, line.shown);
    return reply;
  }

  async #expect(code: number, command: string, options: OpOptions): Promise<DictReply> {
    const reply = await this.#channel.reply(options);
    if (reply.code >= 400) throw new DictError(reply, command);
    if (reply.code !== code) throw unexpected(reply.code, reply.text);
    return reply;
  }
}

function unexpected(code: number, text: string): RemoteProtocolError {
  return new RemoteProtocolError("a reply is out of place", {
    excerpt: `${code} ${text}`,
    rfc: "RFC 2229 section 3",
  });
}
