/** How a server of POP3 behaves: its options, and what becomes of them. */
import { LocalProtocolError } from "../core/errors.js";
import { type Fault, FaultPlan } from "../engine/faults.js";
import type { ServerOptions } from "../engine/server.js";
import type { MailStore } from "../mail/store.js";
import type { Authenticator } from "../sasl/index.js";
import { storeHandler } from "./memory.js";
import type { Pop3Handler } from "./types.js";

/** What a server of POP3 takes. */
export interface Pop3ServerOptions extends ServerOptions {
  /** Whoever has the mailboxes. Give this or `store`. */
  readonly handler?: Pop3Handler | undefined;
  /** Serves the INBOX of each user of a mail store: short for `handler: storeHandler(store, accounts)`. */
  readonly store?: MailStore | undefined;
  /** Offers APOP, for accounts that keep the password itself. Default false: it stands on MD5. */
  readonly apop?: boolean | undefined;
  /** What EXPIRE announces: for how many days messages are kept at the least. Default: nothing is announced. */
  readonly expireDays?: number | "never" | undefined;
  /** The seconds that must lie between two logins of a user. Default: none, and nothing is announced. */
  readonly loginDelaySeconds?: number | undefined;
  /** What IMPLEMENTATION announces; `""` for nothing. Default `hawser`. */
  readonly implementation?: string | undefined;
  /** How many commands may be wrong before the connection is ended. Default 10. */
  readonly maxBadCommands?: number | undefined;
  /** The autologout timer, in milliseconds. Default 600,000, and RFC 1939 section 3 allows no less. */
  readonly idleMs?: number | undefined;
  /** How long a client may take until it has logged in, in milliseconds. Default 180,000. */
  readonly preAuthMs?: number | undefined;
  /** Capabilities and their commands that are not offered, such as `["PIPELINING", "TOP"]`, so that clients can be tested. */
  readonly hide?: readonly string[] | undefined;
  /** What goes wrong on purpose. Besides commands there is the stage `connect`, the greeting. */
  readonly faults?: readonly Fault[] | undefined;
}

/** The options with their defaults. */
export interface Settings extends Omit<Pop3ServerOptions, "faults" | "handler" | "store" | "hide"> {
  readonly name: string;
  readonly handler: Pop3Handler;
  readonly accounts: Authenticator;
  readonly implementation: string;
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
  implementation: "hawser",
  maxBadCommands: 10,
  maxAuthFailures: 3,
  idleMs: 600_000,
  preAuthMs: 180_000,
  onError: () => {},
} as const;

/**
 * Fills in what was left out.
 *
 * @throws {LocalProtocolError} options that contradict each other, or that cannot be.
 */
export function settingsOf(options: Pop3ServerOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const handler = handlerOf(options);
  const accounts = options.accounts ?? handler.accounts;
  if (accounts === undefined) throw new LocalProtocolError("a server of POP3 needs accounts");
  const settings: Settings = {
    ...defaults,
    ...(given as Partial<Settings>),
    handler,
    accounts,
    hide: new Set((options.hide ?? []).map((keyword) => keyword.toUpperCase())),
    faults: new FaultPlan(options.faults, options.faultSeed),
  };
  check(settings);
  return settings;
}

function handlerOf({ handler, store, accounts }: Pop3ServerOptions): Pop3Handler {
  if (handler !== undefined && store !== undefined)
    throw new LocalProtocolError("give a handler or a store, not both");
  if (handler !== undefined) return handler;
  if (store === undefined) throw new LocalProtocolError("a server of POP3 needs a handler or a store");
  return storeHandler(store, accounts);
}

function check({ name, implementation, expireDays, loginDelaySeconds }: Settings): void {
  if (!/^[!-;=?A-~]+$/.test(name))
    throw new LocalProtocolError("name has characters that a greeting cannot have");
  if (/[^ -~]/.test(implementation)) throw new LocalProtocolError("implementation is printable ASCII");
  for (const value of [expireDays, loginDelaySeconds])
    if (typeof value === "number" && (!Number.isInteger(value) || value < 0))
      throw new LocalProtocolError("expireDays and loginDelaySeconds are whole numbers");
}
