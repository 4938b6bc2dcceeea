/** Flags and keywords: RFC 9051 section 2.3.2. */
import { MailStoreError } from "./store-types.js";

/** The system flags that a message may have in a store. `\Recent` is a session's, and so none of them. */
export const systemFlags: readonly string[] = ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"];

const bySmallLetters = new Map(systemFlags.map((flag) => [flag.toLowerCase(), flag]));
/** An atom of RFC 9051 section 9, without the backslash, of 200 characters at most. */
const keyword = /^[!#$&'+\-./0-9:;<=>?@A-Z[^_`a-z|}~]{1,200}$/;

/** Whether a message has a flag, by its exact name: `\Seen`, `$Forwarded`. */
export function hasFlag(message: { readonly flags: readonly string[] }, flag: string): boolean {
  return message.flags.includes(flag);
}

/**
 * The flag in the store's spelling: flags are compared without regard to case (RFC 9051 section 2.3.2).
 *
 * @throws {MailStoreError} `bad-flag`: it is `\Recent`, an unknown system flag, or no atom.
 */
export function canonicalFlag(flag: string): string {
  const system = bySmallLetters.get(flag.toLowerCase());
  if (system !== undefined) return system;
  if (keyword.test(flag)) return flag;
  throw new MailStoreError("bad-flag", "a flag is neither a system flag nor a keyword");
}

/** The flags in order, each once: system flags before keywords. */
export function sortFlags(flags: Iterable<string>): readonly string[] {
  return [...new Set(flags)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
}

function rank(flag: string): number {
  return flag.startsWith("\\") ? 0 : 1;
}
