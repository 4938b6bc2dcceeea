/** The POP3 server: a table of what each command does in which state, and the loop that looks up in it. */
import { DeadlineError, HawserError } from "../core/errors.js";
import { ListeningServer } from "../engine/server.js";
import type { Transport } from "../transport/types.js";
import { Pop3Error } from "./errors.js";
import { capa, lang, offersNow, utf8 } from "./server-capa.js";
import { Conversation } from "./server-conversation.js";
import { apop, auth, pass, stls, user } from "./server-login.js";
import { dele, list, quit, retr, rset, stat, top, uidl } from "./server-mailbox.js";
import { type Pop3ServerOptions, type Settings, settingsOf } from "./server-options.js";
import type { Pop3Command, Pop3State } from "./types.js";

/** What a command does, and when. */
interface Verb {
  readonly states: readonly Pop3State[];
  run(conversation: Conversation, argument: string): Promise<void>;
  /** The capability that it belongs to: refused as unknown where that is not offered. */
  readonly capability?: string;
  /** How much of the line a trace may show. */
  readonly shows?: "first word" | "nothing";
}

const early = ["authorization"] as const;
const late = ["transaction"] as const;
const both = ["authorization", "transaction"] as const;

/** RFC 1939 section 3: every command and its states. */
const verbs: Readonly<Record<string, Verb>> = {
  CAPA: { states: both, run: capa },
  USER: { states: early, run: user },
  PASS: { states: early, run: pass, shows: "nothing" },
  APOP: { states: early, run: apop, shows: "first word" },
  AUTH: { states: early, run: auth, shows: "first word" },
  STLS: { states: early, run: stls },
  UTF8: { states: early, run: utf8, capability: "UTF8" },
  LANG: { states: both, run: lang, capability: "LANG" },
  STAT: { states: late, run: stat },
  LIST: { states: late, run: list },
  UIDL: { states: late, run: uidl, capability: "UIDL" },
  RETR: { states: late, run: retr },
  TOP: { states: late, run: top, capability: "TOP" },
  DELE: { states: late, run: dele },
  RSET: { states: late, run: rset },
  NOOP: { states: late, run: async (conversation) => await conversation.ok() },
  QUIT: { states: both, run: quit },
};

/**
 * A POP3 server over any store of mail.
 *
 * @example
 * ```ts
 * await using server = await Pop3Server.listen({ port: 0, store, accounts: Accounts.of({ alice: "secret" }), tls });
 * const { host, port } = server.address;
 * ```
 */
export class Pop3Server extends ListeningServer {
  readonly #settings: Settings;
  readonly #logins: Map<string, number> = new Map();
  #sessions = 0;

  /** A server that does not listen yet: give it connections by {@link Pop3Server.serve}, or call `listen`. */
  constructor(options: Pop3ServerOptions) {
    const settings = settingsOf(options);
    super({ ...settings, tls: settings.tls, safeInPublic: settings.tls !== undefined });
    this.#settings = settings;
  }

  /** Makes a server that listens. */
  static async listen(options: Pop3ServerOptions): Promise<Pop3Server> {
    const server = new Pop3Server(options);
    await server.listen(options);
    return server;
  }

  /** Speaks with one client until the end. It does not reject for what the client does, and closes the transport. */
  async serve(transport: Transport): Promise<void> {
    this.#sessions += 1;
    const conversation = new Conversation(this.#sessions, transport, this.#settings, this.#logins);
    try {
      await converse(conversation);
      await this.#end(conversation);
    } catch (error) {
      conversation.channel.tracer.note("*", error instanceof DeadlineError ? "autologout" : "closed");
      // What the network and the client do is no error of the server.
      if (!(error instanceof HawserError)) conversation.report(error);
      // A client that has said all it had to say still hears the answers.
      if (conversation.channel.stream.queue.ended) await this.#end(conversation);
    } finally {
      await conversation.leave();
      await conversation.channel.stream.close();
    }
  }

  async #end(conversation: Conversation): Promise<void> {
    await conversation.leave();
    await conversation.channel.hangUp();
  }

  /** Stops accepting, waits up to `graceMs` for the clients to end, and then cuts the connections that are left. */
  async close(options: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    await this.stopAccepting(options);
  }
}

async function converse(conversation: Conversation): Promise<void> {
  await answering(conversation, () => greet(conversation));
  while (!conversation.over) {
    const next = await conversation.command();
    if (next !== undefined) await answering(conversation, () => carryOut(conversation, next));
  }
}

async function greet(conversation: Conversation): Promise<void> {
  const { settings, channel, timestamp } = conversation;
  try {
    await conversation.ask(() => settings.handler.connect?.(conversation));
  } catch (error) {
    conversation.over = true;
    throw error;
  }
  if (await channel.interfere("connect")) return;
  await conversation.ok([settings.name, "POP3 server ready", timestamp].filter(Boolean).join(" "));
}

async function carryOut(
  conversation: Conversation,
  { command, line }: { readonly command: Pop3Command; readonly line: Uint8Array },
): Promise<void> {
  const { verb, argument } = command;
  const known = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  conversation.channel.tracer.note("C", shown(command, known));
  if (await conversation.channel.interfere(verb, Buffer.from(line).toString())) return;
  if (known === undefined || !isOffered(conversation, verb, known))
    return await conversation.bad("unknown command");
  if (!known.states.includes(conversation.state))
    return await conversation.bad(`${verb} is not for this state`);
  await known.run(conversation, argument);
}

function isOffered(conversation: Conversation, verb: string, { capability }: Verb): boolean {
  if (conversation.settings.hide.has(verb)) return false;
  if (verb === "APOP") return conversation.timestamp !== undefined;
  return capability === undefined || offersNow(conversation, capability);
}

function shown({ verb, argument }: Pop3Command, known: Verb | undefined): string {
  // What is no command may be a password that came at the wrong time.
  if (known === undefined) return `${verb} [not shown]`;
  if (argument === "") return verb;
  if (known.shows === "nothing") return `${verb} [secret]`;
  if (known.shows === undefined) return `${verb} ${argument}`;
  const [first = "", ...rest] = argument.split(" ");
  return rest.length === 0 ? `${verb} ${first}` : `${verb} ${first} [secret]`;
}

/** A refusal by a `Pop3Error` is an answer like any other. */
async function answering(conversation: Conversation, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Pop3Error)) throw error;
    await conversation.refuse(error.reply.text, error.responseCode);
  }
}
