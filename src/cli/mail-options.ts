/** What the subcommands for mail have in common: servers as URLs, passwords, TLS, transcripts. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { type Command, InvalidArgumentError, Option } from "commander";
import { LocalProtocolError, Secret, type Transcript, transcript } from "../index.js";
import { secondsToMs } from "./arguments.js";
import { say } from "./output.js";

/** How a server is reached. */
export interface ServerPlace {
  readonly scheme: string;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly user?: string;
  readonly password?: Secret;
}

/** Commander's parser of `smtp://user@host:587`, `host:25`, `[::1]:25` or `unix:/run/lmtp`. */
export function serverPlace(schemes: readonly string[]): (text: string) => ServerPlace {
  return (text) => {
    const [, given = schemes[0] ?? ""] = /^([a-z0-9+]+):\/\//i.exec(text) ?? [];
    const scheme = given.toLowerCase();
    if (!schemes.includes(scheme))
      throw new InvalidArgumentError(`It begins with ${schemes.map((name) => `${name}://`).join(", ")}.`);
    const rest = text.replace(/^[a-z0-9+]+:\/\//i, "");
    if (rest.startsWith("unix:")) return { scheme, path: rest.slice("unix:".length) };
    return { scheme, ...placeOf(rest, text) };
  };
}

function placeOf(rest: string, text: string): Omit<ServerPlace, "scheme"> {
  let url: URL;
  try {
    // A scheme that the URL parser has no rules for keeps port and user as they are.
    url = new URL(`mail://${rest}`);
  } catch {
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no server.`);
  }
  if (url.hostname === "") throw new InvalidArgumentError(`${JSON.stringify(text)} names no host.`);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    ...(url.port !== "" && { port: Number(url.port) }),
    ...(url.username !== "" && { user: decodeURIComponent(url.username) }),
    ...(url.password !== "" && { password: new Secret(decodeURIComponent(url.password)) }),
  };
}

/** The options that every such subcommand takes. */
export interface ConnectionOptions {
  readonly user?: string;
  readonly passwordFile?: string;
  readonly mechanism?: string;
  readonly tls?: "implicit" | "starttls" | "none";
  readonly cacert?: string;
  readonly allowClearText?: true;
  readonly timeout: number;
  readonly trace?: true;
  readonly json?: true;
}

/** Adds them to a subcommand. */
export function withConnectionOptions(command: Command): Command {
  return command
    .option("-u, --user <name>", "log in; the password comes from HAWSER_PASSWORD, a file, or is asked for")
    .option("--password-file <file>", "the password's file; - is standard input")
    .option("--mechanism <name>", "this SASL mechanism and no other: SCRAM-SHA-256, PLAIN, …")
    .addOption(
      new Option(
        "--tls <mode>",
        "TLS from the first byte, after STARTTLS, or none; it never falls back",
      ).choices(["implicit", "starttls", "none"]),
    )
    .option("--cacert <file>", "trust these authorities, in PEM")
    .option("--allow-clear-text", "send a password without TLS")
    .addOption(
      new Option("-w, --timeout <seconds>", "how long to wait for a connection and for each answer")
        .argParser(secondsToMs)
        .default(30_000, "30"),
    )
    .option("--trace", "show the conversation on standard error")
    .option("--json", "one JSON document");
}

/** The trace of `--trace`: lines on standard error as they are said. */
export function traceOf(options: ConnectionOptions): Transcript | undefined {
  return options.trace === true ? transcript(say) : undefined;
}

/** The options of a client, but for its server and its login. */
export function clientOptions(options: ConnectionOptions): {
  readonly tls?: "implicit" | "starttls" | "none";
  readonly tlsOptions?: { readonly ca: string };
  readonly allowClearText?: true;
  readonly connectMs: number;
  readonly replyMs: number;
  readonly trace?: Transcript;
} {
  const trace = traceOf(options);
  return {
    connectMs: options.timeout,
    replyMs: options.timeout,
    ...(options.tls !== undefined && { tls: options.tls }),
    ...(options.cacert !== undefined && { tlsOptions: { ca: readFileSync(options.cacert, "utf8") } }),
    ...(options.allowClearText === true && { allowClearText: true as const }),
    ...(trace !== undefined && { trace }),
  };
}

/** Who logs in, if anybody does. */
export async function credentialsOf(
  place: ServerPlace,
  options: ConnectionOptions,
): Promise<{ readonly user: string; readonly password: Secret; readonly mechanism?: string } | undefined> {
  const user = options.user ?? place.user;
  if (user === undefined) return undefined;
  const password = place.password ?? (await passwordFor(user, options));
  return { user, password, ...(options.mechanism !== undefined && { mechanism: options.mechanism }) };
}

async function passwordFor(user: string, { passwordFile }: ConnectionOptions): Promise<Secret> {
  const fromEnvironment = process.env["HAWSER_PASSWORD"];
  if (passwordFile !== undefined)
    return new Secret(readFileSync(passwordFile === "-" ? 0 : passwordFile, "utf8").replace(/\r?\n$/, ""));
  if (fromEnvironment !== undefined) return new Secret(fromEnvironment);
  if (process.stdin.isTTY) return new Secret(await ask(`password of ${user}: `));
  throw new LocalProtocolError(`no password for ${user}: set HAWSER_PASSWORD or give --password-file`);
}

/** Asks on the terminal, which does not show what is typed. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve).once("SIGINT", () => reject(new Error("no password was given")));
    });
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
