/** How a server of IMAP behaves: its options, and what becomes of them. */
import { LocalProtocolError } from "../core/errors.js";
import { defaultLimits, type Limits } from "../core/limits.js";
import { type Fault, FaultPlan } from "../engine/faults.js";
import type { ServerOptions } from "../engine/server.js";
import type { MailStore } from "../mail/store.js";
import type { Authenticator } from "../sasl/index.js";
import { storeHandler } from "./memory.js";
import type { ImapHandler } from "./types-server.js";

/** What a server of IMAP takes. */
export interface ImapServerOptions extends ServerOptions {
  /** Whoever has the mail. Give this or `store`. */
  readonly handler?: ImapHandler | undefined;
  /** Serves the mailboxes of a mail store: short for `handler: storeHandler(store, accounts)`. */
  readonly store?: MailStore | undefined;
  /** Lets users set their own quota by SETQUOTA. Default false. */
  readonly allowSetQuota?: boolean | undefined;
  /** What ID announces besides the name. Default: `hawser` and nothing else. */
  readonly id?: Readonly<Record<string, string | null>> | undefined;
  /** The longest command line before the login, its end not counted. Default 8192. */
  readonly maxPreAuthLineBytes?: number | undefined;
  /** The largest literal before the login. Default 4096. */
  readonly maxPreAuthLiteralBytes?: number | undefined;
  /**
   * Limits after the login: `maxLineBytes` (default 65,536) for lines, `maxReplyBytes` (default 16 MiB) for a command with
   * its literals; APPEND may have two of the largest messages besides, `maxItems` (default 100,000) and `maxDepth` (default 32) for lists.
   */
  readonly limits?: Partial<Limits> | undefined;
  /** The largest message that APPEND takes. Default: the store's. */
  readonly maxMessageBytes?: number | undefined;
  /** How many commands in a row may be wrong before the connection is ended. Default 20. */
  readonly maxBadCommands?: number | undefined;
  /** The autologout timer, in milliseconds. Default 1,800,000, and RFC 9051 section 5.4 allows no less. */
  readonly idleMs?: number | undefined;
  /** How long a client may take until it has logged in, in milliseconds. Default 180,000. */
  readonly preAuthMs?: number | undefined;
  /** Capabilities and their commands that are not offered, such as `["IDLE", "MOVE"]`, so that clients can be tested. */
  readonly hide?: readonly string[] | undefined;
  /**
   * What goes wrong on purpose. Besides commands there is the stage `connect`, the greeting. In a `reply`, `{tag}` stands
   * for the command's tag.
   */
  readonly faults?: readonly Fault[] | undefined;
}

/** The options with their defaults. */
export interface Settings
  extends Omit<ImapServerOptions, "faults" | "handler" | "store" | "hide" | "limits" | "maxMessageBytes"> {
  readonly name: string;
  readonly handler: ImapHandler;
  readonly accounts: Authenticator;
  readonly allowSetQuota: boolean;
  readonly maxPreAuthLineBytes: number;
  readonly maxPreAuthLiteralBytes: number;
  readonly limits: Limits;
  readonly maxMessageBytes: number;
  readonly maxBadCommands: number;
  readonly maxAuthFailures: number;
  readonly idleMs: number;
  readonly preAuthMs: number;
  readonly hide: ReadonlySet<string>;
  readonly faults: FaultPlan;
  readonly onError: (error: unknown) => void;
}

const defaults = {
  name: "localhost",
  allowSetQuota: false,
  maxPreAuthLineBytes: 8192,
  maxPreAuthLiteralBytes: 4096,
  maxBadCommands: 20,
  maxAuthFailures: 3,
  idleMs: 1_800_000,
  preAuthMs: 180_000,
  onError: () => {},
} as const;

/**
 * Fills in what was left out.
 *
 * @throws {LocalProtocolError} options that contradict each other, or that cannot be.
 */
export function settingsOf(options: ImapServerOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const handler = handlerOf(options);
  const accounts = options.accounts ?? handler.accounts;
  if (accounts === undefined) throw new LocalProtocolError("a server of IMAP needs accounts");
  const settings: Settings = {
    ...defaults,
    ...(given as Partial<Settings>),
    handler,
    accounts,
    limits: { ...defaultLimits, maxReplyBytes: 16 * 1_048_576, maxItems: 100_000, ...options.limits },
    maxMessageBytes: options.maxMessageBytes ?? Number.POSITIVE_INFINITY,
    hide: new Set((options.hide ?? []).map((keyword) => keyword.toUpperCase())),
    faults: new FaultPlan(options.faults, options.faultSeed),
  };
  check(settings);
  return settings;
}

function handlerOf({ handler, store, accounts }: ImapServerOptions): ImapHandler {
  if (handler !== undefined && store !== undefined)
    throw new LocalProtocolError("give a handler or a store, not both");
  if (handler !== undefined) return handler;
  if (store === undefined) throw new LocalProtocolError("a server of IMAP needs a handler or a store");
  return storeHandler(store, accounts);
}

function check({ name, maxPreAuthLineBytes, maxPreAuthLiteralBytes }: Settings): void {
  if (!/^[!-Z^-~]+$/.test(name))
    throw new LocalProtocolError("name has characters that a greeting cannot have");
  if (maxPreAuthLineBytes < 512 || maxPreAuthLiteralBytes < 512)
    throw new LocalProtocolError("the limits before the login are 512 bytes at least");
}
