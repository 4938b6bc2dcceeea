/** CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE, UNAUTHENTICATE: RFC 9051 section 6.1, RFC 2971, RFC 5161, RFC 8437. */
import type { Command } from "../client-command.js";
import type { ClientState } from "../client-state.js";
import { atom, list, nstring, string } from "../codec-parts.js";
import { gathering, mapped, plain, some } from "./command.js";

/** What a program or server says of itself: `name`, `version`, `vendor`, `support-url`, … */
export type IdFields = Readonly<Record<string, string | null>>;

export function capability(state: ClientState): Command<ReadonlySet<string>> {
  const command = gathering("capability", "CAPABILITY", []);
  return mapped(command, () => state.capabilities);
}

export function noop(): Command<void> {
  return plain("NOOP");
}

/** CHECK: RFC 3501 section 6.4.1. */
export function check(): Command<void> {
  return plain("CHECK");
}

export function logout(): Command<void> {
  return plain("LOGOUT");
}

/** ID: RFC 2971. No fields: NIL. */
export function id(fields: IdFields | null): Command<IdFields | null> {
  const words = Object.entries(fields ?? {}).flatMap(([name, value]) => [string(name), nstring(value)]);
  const command = gathering("id", "ID", [words.length === 0 ? atom("NIL") : list(...words)]);
  return mapped(command, (found) => found.at(-1)?.fields ?? null);
}

/** ENABLE: RFC 9051 section 6.3.1. Gives what was enabled by it. */
export function enable(names: readonly string[]): Command<readonly string[]> {
  const command = gathering("enabled", "ENABLE", some(names, "a capability").map(atom));
  return mapped(command, (found) => found.flatMap(({ capabilities }) => capabilities));
}

/** UNAUTHENTICATE: RFC 8437. */
export function unauthenticate(state: ClientState): Command<void> {
  return { ...plain("UNAUTHENTICATE"), done: () => state.reset() };
}
