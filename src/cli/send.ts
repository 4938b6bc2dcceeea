/** `hawser send`: a message from the command line to an SMTP or LMTP server. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { LocalProtocolError } from "../index.js";
import {
  type AttachmentInput,
  type ComposeOptions,
  compose,
  formatAddrSpec,
  mailboxesOf,
  parseAddressList,
} from "../mail/index.js";
import { type SendResult, SmtpClient } from "../smtp/index.js";
import { exitCodes } from "./exit-codes.js";
import { interruptible } from "./interrupt.js";
import {
  type ConnectionOptions,
  clientOptions,
  credentialsOf,
  type ServerPlace,
  serverPlace,
  withConnectionOptions,
} from "./mail-options.js";
import { print } from "./output.js";

interface SendCommandOptions extends ConnectionOptions {
  readonly server: ServerPlace;
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly subject: string;
  readonly html?: string;
  readonly attach: readonly string[];
  readonly raw?: true;
  readonly dryRun?: true;
}

const more = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function register(program: Command): void {
  const command = program
    .command("send")
    .description("Send a message by SMTP or LMTP.")
    .argument("[file]", "the text, or with --raw the whole message; standard input by default")
    .requiredOption(
      "-s, --server <server>",
      "smtp://host:port, smtps://host, lmtp://host, lmtp://unix:/path",
      serverPlace(["smtp", "smtps", "lmtp"]),
    )
    .requiredOption("-f, --from <address>", "who it is from: Alice <alice@example.org>")
    .requiredOption("-t, --to <address>", "who it is for; may be given again", more, [])
    .option("--cc <address>", "who gets a copy; may be given again", more, [])
    .option("--bcc <address>", "who gets a copy that nobody sees; may be given again", more, [])
    .option("--subject <text>", "what it is about", "")
    .option("--html <file>", "the text once more, as HTML")
    .option("-a, --attach <file>", "a file that goes with it; may be given again", more, [])
    .option("--raw", "the file is a whole message (.eml): it is sent as it is")
    .option("--dry-run", "print the message and send nothing");
  withConnectionOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  echo Hello | hawser send -s smtp://localhost:1025 -f me@example.org -t you@example.org --subject Hi
  hawser send -s smtps://mail.example.org -u me -f me@example.org -t you@example.org --attach a.pdf text.txt
  hawser send -s lmtp://unix:/run/lmtp -f me@example.org -t you@example.org --raw message.eml --trace`,
    )
    .showHelpAfterError("(hawser send --help says more)")
    .action((file: string | undefined, options: SendCommandOptions) =>
      interruptible((signal) => send(file ?? "-", options, signal)),
    );
}

async function send(file: string, options: SendCommandOptions, signal: AbortSignal): Promise<void> {
  if (options.to.length + options.cc.length + options.bcc.length === 0)
    throw new LocalProtocolError("nobody to send to: give --to");
  const text = readFileSync(file === "-" ? 0 : file);
  const message = options.raw === true ? rawMessage(text, options) : await compose(messageOf(text, options));
  if (options.dryRun === true) {
    process.stdout.write(message.bytes);
    return;
  }
  const { server } = options;
  const auth = await credentialsOf(server, options);
  await using client = await SmtpClient.connect({
    ...clientOptions(options),
    ...(server.host !== undefined && { host: server.host }),
    ...(server.port !== undefined && { port: server.port }),
    ...(server.path !== undefined && { path: server.path }),
    ...tlsOf(options),
    lmtp: server.scheme === "lmtp",
    signal,
    ...(auth !== undefined && { auth }),
  });
  const result = await client.send(message.envelope, message, { signal });
  report(result, options);
}

/** smtps:// means TLS from the first byte, and smtp:// without a login or a port of its own none. */
function tlsOf({ tls, server, user }: SendCommandOptions): {
  readonly tls?: "implicit" | "starttls" | "none";
} {
  if (tls !== undefined) return { tls };
  if (server.scheme === "smtps") return { tls: "implicit" };
  const logsIn = user !== undefined || server.user !== undefined;
  return server.scheme === "smtp" && server.port === undefined ? { tls: logsIn ? "starttls" : "none" } : {};
}

function messageOf(text: Uint8Array, options: SendCommandOptions): ComposeOptions {
  return {
    from: options.from,
    to: options.to.join(", "),
    ...(options.cc.length > 0 && { cc: options.cc.join(", ") }),
    ...(options.bcc.length > 0 && { bcc: options.bcc.join(", ") }),
    subject: options.subject,
    text,
    ...(options.html !== undefined && { html: readFileSync(options.html) }),
    attachments: options.attach.map(
      (path): AttachmentInput => ({ filename: basename(path), content: readFileSync(path) }),
    ),
  };
}

interface RawMessage {
  readonly bytes: Uint8Array;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
}

function rawMessage(bytes: Uint8Array, { from, to, cc, bcc }: SendCommandOptions): RawMessage {
  const addressesOf = (list: string) =>
    mailboxesOf(parseAddressList(list)).map((mailbox) => formatAddrSpec(mailbox));
  return {
    bytes,
    envelope: { from: addressesOf(from)[0] ?? "", to: addressesOf([...to, ...cc, ...bcc].join(", ")) },
  };
}

function report({ accepted, rejected, reply, queueId }: SendResult, options: SendCommandOptions): void {
  if (options.json === true) {
    print(JSON.stringify({ schemaVersion: 1, accepted, rejected, reply, queueId: queueId ?? null }, null, 2));
  } else {
    for (const address of accepted) print(`${address}  ${reply.code} ${reply.lines.join(" ")}`);
    for (const refusal of rejected)
      print(`${refusal.address}  refused: ${refusal.reply.code} ${refusal.reply.lines.join(" ")}`);
  }
  // Some have it, and some do not: scripts must notice.
  if (rejected.length > 0) process.exitCode = exitCodes.refused;
}
