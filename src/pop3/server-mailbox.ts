/** What a client does with its mailbox (RFC 1939 sections 5 and 7). */
import type { Source } from "../core/source.js";
import { parseNumbers } from "./codec.js";
import { formatListing, formatStat, formatUniqueId } from "./codec-lists.js";
import { Pop3Error } from "./errors.js";
import type { Conversation } from "./server-conversation.js";

const pieceChars = 16_384;

/** Messages that are marked as deleted are not counted (RFC 1939 section 5). */
export async function stat(conversation: Conversation): Promise<void> {
  let count = 0;
  let octets = 0;
  for (const number of conversation.numbers()) {
    count += 1;
    octets += conversation.octetsOf(number);
  }
  await conversation.ok(formatStat({ count, octets }));
}

export async function list(conversation: Conversation, argument: string): Promise<void> {
  const lineOf = (number: number): string => formatListing({ number, octets: conversation.octetsOf(number) });
  await listOrOne(conversation, argument, lineOf);
}

export async function uidl(conversation: Conversation, argument: string): Promise<void> {
  const uids = await conversation.uids();
  const lineOf = (number: number): string => formatUniqueId({ number, uid: uids[number - 1] ?? "" });
  await listOrOne(conversation, argument, lineOf);
}

async function listOrOne(
  conversation: Conversation,
  argument: string,
  lineOf: (number: number) => string,
): Promise<void> {
  const numbers = parseNumbers(argument, 0, 1);
  if (numbers === undefined) return await conversation.bad("this takes the number of a message, or nothing");
  if (numbers.length === 0) return await conversation.list("a list follows", linesOf(conversation, lineOf));
  const number = conversation.existing(numbers[0]);
  await conversation.ok(await conversation.ask(() => lineOf(number)));
}

/** The lines in pieces of some size: a mailbox may have 100,000 messages. */
function* linesOf(conversation: Conversation, lineOf: (number: number) => string): Generator<string> {
  let piece = "";
  for (const number of conversation.numbers()) {
    piece += `${lineOf(number)}
`;
    if (piece.length < pieceChars) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

export async function retr(conversation: Conversation, argument: string): Promise<void> {
  const [asked] = parseNumbers(argument, 1, 1) ?? [];
  if (asked === undefined) return await conversation.bad("RETR takes the number of a message");
  const number = conversation.existing(asked);
  const source = await conversation.ask(() => conversation.settings.handler.retr(conversation, number));
  await conversation.list(`${conversation.octetsOf(number)} octets`, source);
}

export async function top(conversation: Conversation, argument: string): Promise<void> {
  const [asked, lines] = parseNumbers(argument, 2, 2) ?? [];
  if (asked === undefined || lines === undefined)
    return await conversation.bad("TOP takes the number of a message and of lines");
  const number = conversation.existing(asked);
  const { handler } = conversation.settings;
  const source = await conversation.ask(() => handler.top?.(conversation, number, lines) ?? noSource());
  await conversation.list("the top follows", source);
}

function noSource(): Source {
  throw new Pop3Error({ text: "no TOP here" });
}

export async function dele(conversation: Conversation, argument: string): Promise<void> {
  const [asked] = parseNumbers(argument, 1, 1) ?? [];
  if (asked === undefined) return await conversation.bad("DELE takes the number of a message");
  conversation.deleted.add(conversation.existing(asked));
  await conversation.ok(`message ${asked} deleted`);
}

export async function rset(conversation: Conversation): Promise<void> {
  conversation.deleted.clear();
  await conversation.ok("nothing is deleted");
}

/**
 * The one way into the UPDATE state (RFC 1939 section 6). The mailbox is given back before the answer, so that a client
 * that comes again at once finds it free.
 */
export async function quit(conversation: Conversation): Promise<void> {
  conversation.over = true;
  if (conversation.state === "authorization") return await conversation.ok("goodbye");
  conversation.state = "update";
  const deleted = [...conversation.deleted].sort((a, b) => a - b);
  try {
    await conversation.ask(() => conversation.settings.handler.update(conversation, deleted));
  } finally {
    await conversation.leave();
  }
  await conversation.ok("goodbye");
}
