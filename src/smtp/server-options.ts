/** How a server of SMTP behaves: its options, and what becomes of them. */
import { domainToASCII } from "node:url";
import { LocalProtocolError } from "../core/errors.js";
import { type Fault, FaultPlan } from "../engine/faults.js";
import type { ServerOptions } from "../engine/server.js";
import type { MailStore } from "../mail/store.js";
import { storeHandler } from "./memory.js";
import type { SmtpHandler } from "./types-server.js";

/** What a server of SMTP or LMTP takes. */
export interface SmtpServerOptions extends ServerOptions {
  /** Whoever decides about mail. Give this or `store`. */
  readonly handler?: SmtpHandler | undefined;
  /** Delivers into a mail store: short for `handler: storeHandler(store, accounts)`. */
  readonly store?: MailStore | undefined;
  /** Takes no command but EHLO, STARTTLS, NOOP and QUIT before TLS. Default false. */
  readonly requireTls?: boolean | undefined;
  /** Takes mail only from those who have logged in. Default false. */
  readonly requireAuth?: boolean | undefined;
  /** The domains that mail is taken for. Without it the handler's `rcpt`, or the store, decides alone. */
  readonly domains?: readonly string[] | undefined;
  /**
   * What VRFY says: `252` (default) is neither yes nor no, and `no` is that there is no such command. A handler's `vrfy`
   * goes before.
   */
  readonly vrfy?: "252" | "no" | undefined;
  /** Speaks LMTP (RFC 2033): LHLO, and an answer for each recipient. Default false. */
  readonly lmtp?: boolean | undefined;
  /** The largest message, in bytes. Default 50 MiB; `Infinity` for none. */
  readonly maxMessageBytes?: number | undefined;
  /** How many recipients a message may have. Default 1000, and 100 at least (RFC 5321 section 4.5.3.1.8). */
  readonly maxRecipients?: number | undefined;
  /** How many messages a connection may bring. Default: any number. Announced by LIMITS (RFC 9422). */
  readonly maxMessages?: number | undefined;
  /** How many domains the recipients of a message may have. Default: any number. Announced by LIMITS. */
  readonly maxRecipientDomains?: number | undefined;
  /** The longest command line, its CR LF included: 512 and what extensions add. Default 2048. */
  readonly maxCommandLineBytes?: number | undefined;
  /** The longest line of a message, its CR LF included. Default: any, for mail has long lines; RFC 5321 says 1000. */
  readonly maxTextLineBytes?: number | undefined;
  /** Whether a CR or LF of its own within a message is kept as it is (default), or the message refused. */
  readonly bareLineEnds?: "keep" | "refuse" | undefined;
  /** How many commands may be wrong before the connection is ended. Default 10. */
  readonly maxBadCommands?: number | undefined;
  /** How long a client may be silent, or take for one command, in milliseconds. Default 300,000. */
  readonly idleMs?: number | undefined;
  /** How long a client may take until it has logged in or its first MAIL was taken, in milliseconds. Default 180,000. */
  readonly preAuthMs?: number | undefined;
  /** How long a client may take to send one message, in milliseconds. Default 1,800,000. */
  readonly messageMs?: number | undefined;
  /** Puts `Return-Path` and `Received` before each message. Default false: the handler is told all that they say. */
  readonly addTraceHeaders?: boolean | undefined;
  /** Extensions that are not offered, such as `["CHUNKING", "PIPELINING"]`, so that clients can be tested. */
  readonly hide?: readonly string[] | undefined;
  /** Addresses whose clients may use XCLIENT, and no others'. */
  readonly xclientFrom?: readonly string[] | undefined;
  /**
   * What goes wrong on purpose. Besides commands these stages have names: `connect`, the greeting; `content`, where a
   * message begins to arrive, which is then not taken; `message`, the answer to one that was.
   */
  readonly faults?: readonly Fault[] | undefined;
}

/** The options with their defaults. */
export interface Settings extends Omit<SmtpServerOptions, "faults" | "domains" | "handler" | "store"> {
  readonly name: string;
  readonly handler: SmtpHandler;
  readonly domains: ReadonlySet<string> | undefined;
  readonly hide: readonly string[];
  readonly lmtp: boolean;
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  readonly maxMessages: number;
  readonly maxRecipientDomains: number;
  readonly maxCommandLineBytes: number;
  readonly maxTextLineBytes: number;
  readonly maxBadCommands: number;
  readonly maxAuthFailures: number;
  readonly idleMs: number;
  readonly preAuthMs: number;
  readonly messageMs: number;
  readonly faults: FaultPlan | undefined;
  readonly onError: (error: unknown) => void;
}

const defaults = {
  name: "localhost",
  hide: [],
  lmtp: false,
  maxMessageBytes: 52_428_800,
  maxRecipients: 1000,
  maxMessages: Number.POSITIVE_INFINITY,
  maxRecipientDomains: Number.POSITIVE_INFINITY,
  maxCommandLineBytes: 2048,
  maxTextLineBytes: Number.POSITIVE_INFINITY,
  maxBadCommands: 10,
  maxAuthFailures: 3,
  idleMs: 300_000,
  preAuthMs: 180_000,
  messageMs: 1_800_000,
  onError: () => {},
} as const;

/**
 * Fills in what was left out.
 *
 * @throws {LocalProtocolError} options that contradict each other, or that cannot be.
 */
export function settingsOf(options: SmtpServerOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const handler = handlerOf(options);
  const accounts = options.accounts ?? handler.accounts;
  const settings: Settings = {
    ...defaults,
    ...(given as Partial<Settings>),
    handler,
    accounts,
    maxMessageBytes: maxMessageBytesOf(options),
    domains: options.domains === undefined ? undefined : new Set(options.domains.map(foldDomain)),
    hide: (options.hide ?? []).map((keyword) => keyword.toUpperCase()),
    faults: options.faults === undefined ? undefined : new FaultPlan(options.faults, options.faultSeed),
  };
  check(settings);
  return settings;
}

/** A store that takes less than the server is told to take has the last word. */
function maxMessageBytesOf({ maxMessageBytes, store }: SmtpServerOptions): number {
  const stored = store?.limits.maxMessageOctets ?? Number.POSITIVE_INFINITY;
  return Math.min(maxMessageBytes ?? defaults.maxMessageBytes, stored);
}

function handlerOf({ handler, store, accounts }: SmtpServerOptions): SmtpHandler {
  if (handler !== undefined && store !== undefined)
    throw new LocalProtocolError("give a handler or a store, not both");
  if (handler !== undefined) return handler;
  if (store === undefined) throw new LocalProtocolError("a server of SMTP needs a handler or a store");
  return storeHandler(store, accounts);
}

function check(settings: Settings): void {
  if (!/^[A-Za-z0-9[][A-Za-z0-9.:_\-\]]*$/.test(settings.name))
    throw new LocalProtocolError("name is neither a domain nor an address literal");
  if (settings.maxRecipients < 100) throw new LocalProtocolError("maxRecipients is 100 at least");
  if (settings.maxCommandLineBytes < 512) throw new LocalProtocolError("maxCommandLineBytes is 512 at least");
  if (settings.requireTls === true && settings.tls === undefined)
    throw new LocalProtocolError("requireTls needs tls");
  if (settings.requireAuth === true && settings.accounts === undefined)
    throw new LocalProtocolError("requireAuth needs accounts");
}

/** Domains are compared by their A-labels in lower case. */
export function foldDomain(domain: string): string {
  return (domainToASCII(domain) || domain).toLowerCase();
}
