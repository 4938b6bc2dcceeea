/** `hawser get`: a message of an IMAP server, or a part of it, byte for byte. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { LocalProtocolError } from "../index.js";
import { connectTo, type ImapPlace, imapPlace } from "./imap-place.js";
import { interruptible } from "./interrupt.js";
import { type ConnectionOptions, withConnectionOptions } from "./mail-options.js";
import { print, say, writeOut } from "./output.js";

interface GetOptions extends ConnectionOptions {
  readonly output?: string;
  readonly markSeen?: true;
}

export function register(program: Command): void {
  const command = program
    .command("get")
    .description("Fetch a message, or a part of one, from an IMAP server.")
    .argument(
      "<url>",
      "imaps://user@host/INBOX/;UID=20, or with /;SECTION=HEADER or /;SECTION=1.2",
      imapPlace,
    )
    .option("-o, --output <file>", "write it there; standard output by default")
    .option("--mark-seen", "let the server note that the message was read");
  withConnectionOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  hawser get 'imaps://me@mail.example.org/INBOX/;UID=20' -o message.eml\n  hawser get 'imap://me@localhost:1143/INBOX/;UID=1/;SECTION=HEADER'",
    )
    .showHelpAfterError("(hawser get --help says more)")
    .action((place: ImapPlace, options: GetOptions) =>
      interruptible((signal) => get(place, options, signal)),
    );
}

async function get(place: ImapPlace, options: GetOptions, signal: AbortSignal): Promise<void> {
  const { mailbox: name, uid, uidValidity, section = "" } = place;
  if (name === undefined || uid === undefined)
    throw new LocalProtocolError(
      "which message? The URL ends like /INBOX/;UID=20: hawser ls shows the numbers",
    );
  await using client = await connectTo(place, options, signal);
  await using mailbox = await client.select(name, { readOnly: options.markSeen !== true, signal });
  if (uidValidity !== undefined && uidValidity !== mailbox.uidValidity)
    throw new LocalProtocolError(`the mailbox was made anew: its UIDVALIDITY is ${mailbox.uidValidity}`);
  const item = `${options.markSeen === true ? "BODY" : "BODY.PEEK"}[${section}]` as const;
  let bytes: number | undefined;
  for await (const { sections } of mailbox.fetch(uid, [item], { as: "stream", signal })) {
    const body = sections[item];
    if (body !== undefined) bytes = await writeTo(options.output, body, signal);
  }
  if (bytes === undefined) throw new LocalProtocolError(`${name} has no message with the UID ${uid}`);
  if (options.json === true)
    print(JSON.stringify({ schemaVersion: 1, mailbox: name, uid, section, bytes }, null, 2));
  else if (options.output !== undefined) say(`${bytes} bytes in ${options.output}`);
}

async function writeTo(
  file: string | undefined,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      bytes += piece.length;
      yield piece;
    }
  };
  if (file !== undefined) await pipeline(counted(), createWriteStream(file), { signal });
  else for await (const piece of counted()) await writeOut(piece, signal);
  return bytes;
}
