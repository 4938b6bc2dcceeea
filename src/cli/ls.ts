/** `hawser ls`: the mailboxes of an IMAP server, or the messages of a mailbox. */
import { type Command, InvalidArgumentError } from "commander";
import type { ListEntry, Mailbox } from "../imap/index.js";
import { decodeWords } from "../mail/index.js";
import { connectTo, type ImapPlace, imapPlace } from "./imap-place.js";
import { interruptible } from "./interrupt.js";
import { type ConnectionOptions, withConnectionOptions } from "./mail-options.js";
import { print, table } from "./output.js";

interface LsOptions extends ConnectionOptions {
  readonly limit: number;
  readonly unseen?: true;
}

export function register(program: Command): void {
  const command = program
    .command("ls")
    .description("List the mailboxes of an IMAP server, or the messages of one of them.")
    .argument("<url>", "imap://user@host/ or imaps://user@host/INBOX", imapPlace)
    .option("-n, --limit <count>", "the newest so many messages", count, 20)
    .option("--unseen", "only messages that have not been read");
  withConnectionOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  hawser ls imaps://me@mail.example.org/\n  hawser ls imaps://me@mail.example.org/INBOX --unseen --json",
    )
    .showHelpAfterError("(hawser ls --help says more)")
    .action((place: ImapPlace, options: LsOptions) =>
      interruptible(async (signal) => {
        await using client = await connectTo(place, options, signal);
        if (place.mailbox === undefined) showMailboxes(await client.list(), options);
        else {
          await using mailbox = await client.select(place.mailbox, { readOnly: true, signal });
          await showMessages(mailbox, options, signal);
        }
      }),
    );
}

/** Commander's parser of a count. */
function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return Number(text);
}

function showMailboxes(entries: readonly ListEntry[], { json }: LsOptions): void {
  const mailboxes = entries
    .map(({ mailbox, attributes }) => ({ name: mailbox, attributes: [...attributes] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (json === true) print(JSON.stringify({ schemaVersion: 1, mailboxes }, null, 2));
  else
    for (const line of table(mailboxes.map(({ name, attributes }) => [name, attributes.join(" ")])))
      print(line);
}

const items = ["ENVELOPE", "FLAGS", "RFC822.SIZE", "INTERNALDATE"] as const;

async function showMessages(mailbox: Mailbox, options: LsOptions, signal: AbortSignal): Promise<void> {
  const wanted = await mailbox.search(options.unseen === true ? { seen: false } : {}, { signal });
  const uids = [...wanted].slice(-options.limit);
  const found = uids.length === 0 ? [] : await mailbox.fetch(uids, items, { signal }).all();
  const messages = found.map(({ uid, envelope, flags, size, internalDate }) => ({
    uid,
    date: internalDate.toISOString(),
    from:
      envelope.from.map(({ name, mailbox: local, host }) => decodeWords(name ?? `${local}@${host}`))[0] ?? "",
    subject: decodeWords(envelope.subject ?? ""),
    sizeOctets: size,
    flags: [...flags],
  }));
  if (options.json === true) {
    const { name, exists, uidValidity } = mailbox;
    print(JSON.stringify({ schemaVersion: 1, mailbox: name, exists, uidValidity, messages }, null, 2));
    return;
  }
  const rows = messages.map(({ uid, date, from, subject, sizeOctets, flags }) => [
    ...[`${uid}`, flags.includes("\\Seen") ? " " : "*", date.slice(0, 16).replace("T", " ")],
    ...[printable(from).slice(0, 30), `${sizeOctets}`, printable(subject)],
  ]);
  for (const line of table([["uid", "", "received", "from", "bytes", "subject"], ...rows])) print(line);
}

/** What others have written must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
